//! The registry's log: what its entries may do, and what `audit` says of them.

use std::fs;

use audit::{Kind, SecretKey, signed};
use prost::Message as _;
use proto::{
    Digest,
    wire::{Card, RegistryChange, RegistryEntry, Succession},
};

use crate::{
    Log,
    commands::{fine, refused},
};

struct Registry {
    log: Log,
    time_s: u64,
}

pub(crate) fn card(id: &str, key: Option<&SecretKey>, revision: &str) -> Vec<u8> {
    let card = Card {
        specialist_id: id.to_owned(),
        title: "Anatomy".to_owned(),
        institution: "University of X".to_owned(),
        description: "Bones".to_owned(),
        license: "MIT".to_owned(),
        public_endpoint: "http://x:1".to_owned(),
        generator: "scripted".to_owned(),
        revision: revision.to_owned(),
        public_key: key.map(|key| key.public().as_bytes().to_vec()).unwrap_or_default(),
        ..Card::default()
    };
    card.encode_to_vec()
}

impl Registry {
    fn new() -> Self {
        Self { log: Log::new("r/registry"), time_s: 1_800_000_000 }
    }

    /// An entry about this card, which is kept as content.
    fn about(
        &mut self,
        change: RegistryChange,
        id: &str,
        key: Option<&SecretKey>,
        card: &[u8],
    ) -> RegistryEntry {
        let digest = Digest::of(card);
        let content = self.log.path().join("content");
        fs::create_dir_all(&content).unwrap();
        fs::write(content.join(digest.to_string()), card).unwrap();
        self.time_s += 60;
        RegistryEntry {
            time_s: self.time_s,
            change: change.into(),
            specialist_id: id.to_owned(),
            content_sha256: digest.as_bytes().to_vec(),
            public_key: key.map(|key| key.public().as_bytes().to_vec()).unwrap_or_default(),
            signature: key.map(|key| signed::signature(key, Kind::Card, card).to_vec()).unwrap_or_default(),
            successions: Vec::new(),
        }
    }

    fn add(&mut self, change: RegistryChange, id: &str, key: Option<&SecretKey>, revision: &str) {
        let entry = self.about(change, id, key, &card(id, key, revision));
        self.push(&entry);
    }

    fn push(&mut self, entry: &RegistryEntry) {
        self.log.entries.push(entry.encode_to_vec());
    }

    fn args(&self) -> [String; 4] {
        self.log.open().unwrap().0.publish().unwrap();
        let place = self.log.path().to_str().unwrap().to_owned();
        ["log".to_owned(), place, "--key".to_owned(), self.log.vkey().to_string()]
    }

    #[track_caller]
    fn fine(&self) -> String {
        fine(&self.args().each_ref().map(String::as_str))
    }

    /// The last entry breaks a rule; from here on it is gone.
    #[track_caller]
    fn refuses(&mut self, rule: &str) {
        let why = refused(&self.args().each_ref().map(String::as_str), 1);
        let at = format!("audit: entry {} of the registry's log breaks a rule: ", self.log.entries.len() - 1);
        assert!(why.starts_with(&at) && why.contains(rule), "{why}");
        self.log.entries.pop();
        fs::remove_file(self.log.path().join("checkpoint")).unwrap();
    }
}

fn succession(id: &str, old: &SecretKey, new: &SecretKey) -> Succession {
    Succession {
        specialist_id: id.to_owned(),
        old_public_key: old.public().as_bytes().to_vec(),
        new_public_key: new.public().as_bytes().to_vec(),
    }
}

#[test]
fn changes_that_keep_the_rules_are_told_in_words() {
    use RegistryChange::{Admitted, Disabled, Enabled, Policy, Removed, Revoked, Rotated, Updated};
    let (old, new, later) =
        (SecretKey::generate().unwrap(), SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let mut registry = Registry::new();
    registry.add(Admitted, "plain", None, "1");
    registry.add(Admitted, "anatomy", Some(&old), "1");
    let earlier = registry.log.path().join("earlier");
    registry.args();
    fs::copy(registry.log.path().join("checkpoint"), &earlier).unwrap();
    registry.add(Updated, "anatomy", Some(&old), "2");
    let mut rotated = registry.about(Rotated, "anatomy", Some(&new), &card("anatomy", Some(&new), "3"));
    let appoints = succession("anatomy", &old, &new).encode_to_vec();
    rotated.successions = vec![signed::sign(&old, Kind::Succession, appoints)];
    registry.push(&rotated);
    registry.add(Disabled, "anatomy", Some(&new), "3");
    registry.add(Enabled, "anatomy", Some(&new), "3");
    registry.add(Revoked, "anatomy", Some(&new), "3");
    registry.add(Admitted, "anatomy", Some(&later), "4");
    registry.add(Removed, "plain", None, "1");
    let mut policy = registry.about(Policy, "", None, b"the rules");
    policy.specialist_id.clear();
    registry.push(&policy);

    let said = registry.fine();
    assert!(said.contains("registered  1, of whom 1 take part"), "{said}");
    assert!(said.contains("9 entries with their card, 0 without"), "{said}");
    let [_, place, _, key] = registry.args();
    let diff = fine(&["diff", earlier.to_str().unwrap(), &place, "--key", &key]);
    let lines: Vec<&str> = diff.lines().collect();
    assert_eq!(lines[0], "r/registry grew from 2 to 10 entries, and only grew");
    assert!(
        lines[1].starts_with("2027-01-15T08:03:00Z  anatomy, Anatomy of University of X, has a new card: ")
    );
    assert!(lines[2].contains("has a new card and a new key, which the old key appointed"), "{diff}");
    assert!(lines[5].contains("has a key that counts no more"), "{diff}");
    assert!(lines[8].contains("the router's policy is new"), "{diff}");
}

#[test]
fn changes_that_break_a_rule_are_refused_by_name() {
    use RegistryChange::{Admitted, Disabled, Removed, Revoked, Rotated, Updated};
    let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let mut registry = Registry::new();
    registry.add(Updated, "anatomy", Some(&key), "1");
    registry.refuses("anatomy is not registered");
    registry.add(Admitted, "anatomy", Some(&key), "1");
    registry.add(Admitted, "anatomy", Some(&key), "2");
    registry.refuses("is registered already");
    registry.add(Updated, "anatomy", Some(&other), "2");
    registry.refuses("has another key, which the old one did not appoint");
    registry.add(Updated, "anatomy", None, "2");
    registry.refuses("has another key");
    registry.add(Disabled, "anatomy", Some(&key), "2");
    registry.refuses("has another card than the one that stands");

    let next = card("anatomy", Some(&other), "2");
    let mut rotated = registry.about(Rotated, "anatomy", Some(&other), &next);
    registry.push(&rotated.clone());
    registry.refuses("successions is not of its form");
    for wrong in [succession("anatomy", &other, &other), succession("botany", &key, &other)] {
        rotated.successions = vec![signed::sign(&key, Kind::Succession, wrong.encode_to_vec())];
        registry.push(&rotated.clone());
        registry.refuses("did not appoint the new one");
    }
    let appoints = succession("anatomy", &key, &other).encode_to_vec();
    rotated.successions = vec![signed::sign(&other, Kind::Succession, appoints)];
    registry.push(&rotated);
    registry.refuses("did not appoint the new one");

    registry.add(Revoked, "anatomy", Some(&key), "1");
    registry.add(Updated, "anatomy", Some(&key), "2");
    registry.refuses("a key that was revoked");
    registry.add(Removed, "anatomy", Some(&key), "1");
    registry.add(Admitted, "anatomy", Some(&key), "1");
    registry.refuses("a key that was revoked");
    registry.add(Admitted, "botany", Some(&key), "1");
    registry.refuses("a key that was revoked");
    registry.add(Disabled, "anatomy", Some(&key), "1");
    registry.refuses("is not registered");
    registry.fine();
}

#[test]
fn entries_and_cards_are_what_they_say() {
    let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
    let mut registry = Registry::new();
    let signed = card("anatomy", Some(&key), "1");
    let entry = registry.about(RegistryChange::Admitted, "anatomy", Some(&key), &signed);
    let wrong: [(&str, RegistryEntry); 6] = [
        ("is not signed with its key", RegistryEntry { signature: vec![1; 64], ..entry.clone() }),
        ("signature is not of its form", RegistryEntry { signature: Vec::new(), ..entry.clone() }),
        ("change is not of its form", RegistryEntry { change: 77, ..entry.clone() }),
        ("specialist is not of its form", RegistryEntry { specialist_id: "A".into(), ..entry.clone() }),
        ("has another specialist", RegistryEntry { specialist_id: "b".into(), ..entry.clone() }),
        (
            "has another key",
            RegistryEntry { public_key: other.public().as_bytes().to_vec(), ..entry.clone() },
        ),
    ];
    for (rule, entry) in wrong {
        registry.push(&entry);
        registry.refuses(rule);
    }
    registry.log.entries.push([entry.encode_to_vec().as_slice(), &[0xf8, 0x06, 1]].concat());
    registry.refuses("no `RegistryEntry` in its canonical form");

    registry.push(&entry);
    registry.fine();
    let content = registry.log.path().join("content").join(Digest::of(&signed).to_string());
    fs::write(&content, "another card").unwrap();
    let why = refused(&registry.args().each_ref().map(String::as_str), 1);
    assert!(why.contains("content/"), "{why}");
    fs::remove_file(content).unwrap();
    let said = registry.fine();
    assert!(said.contains("0 entries with their card, 1 without"), "{said}");
}
