//! Keys of institutions: pinned at admission, followed when they are rotated, revoked, and every change of
//! the fleet in the registry log.

pub(crate) mod desk;

use std::{path::Path, process::Output};

use RegistryChange::{Admitted, Disabled, Enabled, Removed, Revoked, Rotated, Updated};
use audit::{
    Kind as Signing, PublicKey,
    registrations::{Change, Registrations},
    signed,
};
use prost::Message;
use proto::{
    Digest,
    wire::{
        CandidateStatus, DescribeResponse, Possession, ProveRequest, RegistryChange, RegistryEntry, Signed,
        Succession, watch_response::Kind,
    },
};
use serde_json::json;
use store::Store;

use self::desk::{Desk, Showing, card, keys, possession, rotated, sound, sound_as, unsigned};
use crate::{answers::planets, harness::Router};

/// The registry log of the router whose folder this is, without its own policy. It keeps every rule that those who
/// audit it hold it to.
async fn log(data: &Path) -> Vec<RegistryEntry> {
    let store = Store::open(&data.join("router.db")).await.unwrap();
    let (mut entries, mut registrations) = (Vec::new(), Registrations::default());
    for bytes in store.registry_entries(0).await.unwrap() {
        registrations.apply(&Change::read(&bytes).unwrap()).unwrap();
        let entry: RegistryEntry = signed::canonical(&bytes).unwrap();
        let named =
            store.registry_content(entry.content_sha256.as_slice().try_into().unwrap()).await.unwrap();
        assert_eq!(Digest::of(named.unwrap()).as_bytes().as_slice(), entry.content_sha256);
        if entry.change() != RegistryChange::Policy {
            entries.push(entry);
        }
    }
    store.close().await;
    entries
}

fn kinds(entries: &[RegistryEntry]) -> Vec<RegistryChange> {
    entries.iter().map(RegistryEntry::change).collect()
}

#[track_caller]
fn refused(output: &Output, code: i32, why: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{said}");
    assert!(said.contains(why), "{why:?} is missing in {said}");
}

#[tokio::test]
async fn whoever_holds_the_key_in_its_card_is_admitted_and_logged() {
    let [key] = keys();
    let desk = Desk::open(sound("1", &key)).await;
    let router = Router::start().await;
    router.add_at(&desk.url).await;
    let hex = key.public().to_string();
    let shown = router.registry_json(&["show", "keyed"]).await;
    assert_eq!((&shown["card"]["public_key"], &shown["key_revoked"]), (&json!(hex), &json!(false)));
    let table = router.registry(&["show", "keyed"]).await.stdout;
    let table = String::from_utf8(table).unwrap();
    assert!(table.contains(&hex) && table.contains("Nothing is kept."), "{table}");
    let list = String::from_utf8(router.registry(&["list"]).await.stdout).unwrap();
    assert!(list.contains(&hex[..8]), "{list}");

    let log = log(router.data()).await;
    assert_eq!(kinds(&log), [Admitted]);
    let RegistryEntry { specialist_id, content_sha256, public_key, signature, .. } = &log[0];
    let card = card("1", Some(&key));
    assert_eq!(
        (specialist_id.as_str(), public_key.as_slice()),
        ("keyed", key.public().as_bytes().as_slice())
    );
    assert_eq!(content_sha256, Digest::of(&card).as_bytes());
    signed::verify(&PublicKey::read(public_key).unwrap(), Signing::Card, &card, signature).unwrap();
}

#[tokio::test]
async fn a_card_that_is_not_its_own_is_refused() {
    let [key, other] = keys();
    let router = Router::start().await;
    let with = |signature: Vec<u8>| {
        let mut showing = sound("1", &key);
        showing.described.signature = signature;
        showing
    };
    let others = signed::signature(&other, Signing::Card, &card("1", Some(&key))).to_vec();
    let keyless = Showing {
        described: DescribeResponse { signature: others.clone(), ..unsigned("1").described },
        ..unsigned("1")
    };
    // The card and its signature are public: a copy of them is no key.
    let copied =
        |prove: Box<dyn Fn(ProveRequest) -> Option<Signed> + Send>| Showing { prove, ..sound("1", &key) };
    let (owner, thief) = (key.clone(), other.clone());
    let forged = move |request| {
        Some(signed::sign(&thief, Signing::Possession, possession("keyed", request, &owner).encode_to_vec()))
    };
    let replayed = key.clone();
    let replayed = move |request| {
        let old = Possession { nonce: vec![1; 32], ..possession("keyed", request, &replayed) };
        Some(signed::sign(&replayed, Signing::Possession, old.encode_to_vec()))
    };
    let unproven = "does not show that it holds the key in its card";
    for (showing, why) in [
        (with(Vec::new()), "has a key and no signature"),
        (with(others), "is not signed with the key in it"),
        (keyless, "has a signature and no key"),
        (copied(Box::new(|_| None)), unproven),
        (copied(Box::new(forged)), unproven),
        (copied(Box::new(replayed)), unproven),
    ] {
        let desk = Desk::open(showing).await;
        refused(&router.registry(&["add", &desk.url, "--yes"]).await, 4, why);
    }
    assert_eq!(router.registry_json(&["list"]).await, json!([]));
    assert!(log(router.data()).await.is_empty());
}

#[tokio::test]
async fn a_key_that_nobody_appointed_never_speaks_in_the_admitted_ones_name() {
    let [key, other] = keys();
    let desk = Desk::open(sound("1", &key)).await;
    let router = Router::start().await;
    router.add_at(&desk.url).await;
    for showing in [sound("2", &other), unsigned("2")] {
        desk.show(sound("1", &key));
        router.registry_json(&["enable", "keyed"]).await;
        let mut changes = router.watch().await;
        desk.show(showing);
        let disabled = changes.until(Kind::Disabled).await;
        assert_eq!(disabled.card, card("1", Some(&key)), "the admitted card stands");
    }
    assert_eq!(kinds(&log(router.data()).await), [Admitted, Disabled, Enabled, Disabled]);
}

#[tokio::test]
async fn a_first_key_is_taken_over_and_later_ones_follow_where_they_were_appointed() {
    let [a, b, c] = keys();
    let desk = Desk::open(unsigned("1")).await;
    let router = Router::start().await;
    router.add_at(&desk.url).await;
    let list = String::from_utf8(router.registry(&["list"]).await.stdout).unwrap();
    assert!(list.contains("unsigned"), "{list}");
    let mut changes = router.watch().await;
    desk.show(sound("2", &a));
    assert_eq!(changes.until(Kind::Updated).await.card, card("2", Some(&a)));
    // Twice while the router looked away.
    desk.show(rotated("3", &[&a, &b, &c]));
    let registration = changes.until(Kind::Rotated).await;
    assert_eq!(registration.card, card("3", Some(&c)));
    assert_eq!(registration.signature.len(), 64);

    let log = log(router.data()).await;
    assert_eq!(kinds(&log), [Admitted, Updated, Rotated]);
    let mut at = a.public();
    for step in &log[2].successions {
        let step: Succession = signed::open(&at, Signing::Succession, step).unwrap();
        at = PublicKey::read(&step.new_public_key).unwrap();
    }
    assert_eq!((log[2].successions.len(), at), (2, c.public()));
}

#[tokio::test]
async fn a_revoked_key_counts_no_more_and_never_again() {
    let [stolen, fresh] = keys();
    let desk = Desk::open(sound("1", &stolen)).await;
    let router = Router::start().await;
    router.add_at(&desk.url).await;
    let mut changes = router.watch().await;
    refused(&router.registry(&["revoke", "keyed"]).await, 2, "will count no more");
    assert_eq!(router.registry_json(&["show", "keyed"]).await["key_revoked"], false);

    let revoked = router.registry_json(&["revoke", "keyed", "--yes"]).await;
    assert_eq!((&revoked["key_revoked"], &revoked["enabled"]), (&json!(true), &json!(false)));
    assert!(changes.until(Kind::Revoked).await.key_revoked);
    let answer = router.ask("who keeps the keys").await;
    assert_eq!(answer.status_of("keyed"), CandidateStatus::Disabled);
    refused(&router.registry(&["enable", "keyed"]).await, 4, "is revoked");

    let router = router.restart().await;
    assert_eq!(router.registry_json(&["show", "keyed"]).await["key_revoked"], true);
    refused(&router.registry(&["enable", "keyed"]).await, 4, "is revoked");
    assert!(router.registry(&["remove", "keyed"]).await.status.success());
    refused(&router.registry(&["add", &desk.url, "--yes"]).await, 4, "is revoked");
    desk.show(sound("2", &fresh));
    router.add_at(&desk.url).await;
    assert_eq!(router.registry_json(&["show", "keyed"]).await["key_revoked"], false);
    assert_eq!(kinds(&log(router.data()).await), [Admitted, Revoked, Removed, Admitted]);

    let unsigned = Desk::open(unsigned("1")).await;
    let other = Router::start().await;
    other.add_at(&unsigned.url).await;
    refused(&other.registry(&["revoke", "keyed", "--yes"]).await, 4, "has no key to revoke");
}

#[tokio::test]
async fn all_who_have_a_revoked_key_are_out() {
    let [stolen] = keys();
    let router = Router::start().await;
    for id in ["one", "other"] {
        router.add_at(&Desk::open(sound_as(id, "1", &stolen)).await.url).await;
    }
    assert_eq!(router.registry_json(&["revoke", "other", "--yes"]).await["card"]["id"], "other");
    for registration in router.registry_json(&["list"]).await.as_array().unwrap() {
        assert_eq!((&registration["key_revoked"], &registration["enabled"]), (&json!(true), &json!(false)));
    }
    assert_eq!(kinds(&log(router.data()).await), [Admitted, Admitted, Revoked, Revoked]);
}

#[tokio::test]
async fn the_log_lacks_no_change_that_was_seen_however_the_router_ends() {
    let planets = planets().start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    let mut changes = router.watch().await;
    let changing = async {
        loop {
            router.registry(&["disable", "planets"]).await;
            router.registry(&["enable", "planets"]).await;
        }
    };
    let seeing = async {
        for _ in 0..3 {
            changes.until(Kind::Disabled).await;
            changes.until(Kind::Enabled).await;
        }
    };
    tokio::select! {
        () = changing => {}
        () = seeing => {}
    }
    let router = router.crash().await;
    let entries = log(router.data()).await;
    assert!(entries.len() >= 7, "{entries:?}");
    for (at, entry) in entries.iter().enumerate() {
        let expected = if at == 0 { Admitted } else { [Enabled, Disabled][at % 2] };
        assert_eq!((entry.change(), entry.specialist_id.as_str()), (expected, "planets"));
    }
    // The log says how it stands, and goes on where it was.
    let enabled = router.registry_json(&["show", "planets"]).await["enabled"] == true;
    assert_eq!(kinds(&entries).last(), Some(if enabled { &Enabled } else { &Disabled }));
    let turn = if enabled { "disable" } else { "enable" };
    router.registry_json(&[turn, "planets"]).await;
    let later = log(router.data()).await;
    assert_eq!((later.len(), &later[..entries.len()]), (entries.len() + 1, entries.as_slice()));
}

#[tokio::test]
async fn whoever_was_registered_before_there_was_a_log_is_in_it_after_the_next_start() {
    let planets = planets().start().await;
    let router = Router::start().await;
    router.add(&planets).await;
    router.registry_json(&["disable", "planets"]).await;
    let folder = tempfile::tempdir().unwrap();
    let former = Store::open(&router.data().join("router.db")).await.unwrap();
    let database = Store::open(&folder.path().join("router.db")).await.unwrap();
    for row in former.registrations().await.unwrap() {
        database.put_registration(&row, 0, &[]).await.unwrap();
    }
    former.close().await;
    database.close().await;
    let router = Router::on(folder.path()).await;
    let expected = [Admitted, Disabled];
    assert_eq!(kinds(&log(router.data()).await), expected);
    let router = router.restart().await;
    assert_eq!(kinds(&log(router.data()).await), expected);
}
