use std::sync::Arc;

use proptest::prelude::*;
use proto::{Prototype, Prototypes, PublishedCard, Space, UnitVector, wire};

use super::*;

fn space() -> Space {
    Space {
        encoder: "test".into(),
        weights: Digest::of("test"),
        pooling: proto::Pooling::Mean,
        prefix: String::new(),
        dimension: 2,
    }
}

/// The registration of `id` with a card of this revision and key; 0 is no key.
fn registration(id: &str, revision: u8, key: u8) -> Registration {
    let point = Prototype { vector: UnitVector::scale(vec![1.0, 0.0]).unwrap(), passage_count: 0 };
    let prototypes = Prototypes { space: space(), points: vec![point], revision: revision.to_string() };
    let made_up = Registration::made_up(id, prototypes).unwrap();
    let public_key = if key == 0 { Vec::new() } else { vec![key; 32] };
    let card = wire::Card { public_key, ..Message::decode(made_up.card.bytes()).unwrap() };
    let signature = (key > 0).then_some([key; 64]);
    Registration { card: Arc::new(PublishedCard::publish(&card).unwrap()), signature, ..made_up }
}

/// Takes over what is due; the changes in it.
fn change(
    ledger: &mut Ledger,
    id: &str,
    after: Option<&Registration>,
    steps: Vec<Signed>,
) -> Vec<RegistryEntry> {
    let due = ledger.due(&id.parse().unwrap(), after, steps);
    for entry in &due {
        ledger.take(entry).unwrap();
    }
    due.iter().map(|entry| RegistryEntry::decode(entry.as_slice()).unwrap()).collect()
}

fn kinds(entries: &[RegistryEntry]) -> Vec<RegistryChange> {
    entries.iter().map(RegistryEntry::change).collect()
}

#[test]
fn every_change_is_told_once() {
    use RegistryChange::{Admitted, Disabled, Enabled, Removed, Revoked, Rotated, Updated};
    let mut ledger = Ledger::default();
    let mut changes = |after: Option<&Registration>, steps: usize| {
        let steps = vec![Signed { payload: vec![1], signature: vec![2] }; steps];
        let changes = change(&mut ledger, "a", after, steps.clone());
        assert!(change(&mut ledger, "a", after, steps).is_empty(), "told twice");
        changes
    };
    let first = registration("a", 1, 0);
    assert_eq!(kinds(&changes(Some(&first), 0)), [Admitted]);
    let healthy = Registration { healthy: false, despite_exam: true, ..first.clone() };
    assert!(changes(Some(&healthy), 0).is_empty(), "nothing that the log knows");
    let disabled = Registration { enabled: false, ..first };
    assert_eq!(kinds(&changes(Some(&disabled), 0)), [Disabled]);

    let signed = Registration { enabled: false, ..registration("a", 2, 7) };
    let updated = changes(Some(&signed), 0);
    assert_eq!(kinds(&updated), [Updated], "it stays disabled");
    assert_eq!((&updated[0].public_key, &updated[0].signature), (&vec![7; 32], &vec![7; 64]));
    assert_eq!(updated[0].content_sha256, signed.card.digest().as_bytes());
    assert_eq!(kinds(&changes(Some(&Registration { enabled: true, ..signed }), 0)), [Enabled]);

    // A new key whose revision the exam refuses.
    let rotated = Registration { enabled: false, ..registration("a", 3, 8) };
    let entries = changes(Some(&rotated), 2);
    assert_eq!(kinds(&entries), [Rotated, Disabled]);
    assert_eq!((entries[0].successions.len(), entries[1].successions.len()), (2, 0));
    let revoked = Registration { key_revoked: true, ..rotated };
    assert_eq!(kinds(&changes(Some(&revoked), 0)), [Revoked]);
    let removed = changes(None, 0);
    assert_eq!((kinds(&removed), &removed[0].public_key), (vec![Removed], &vec![8; 32]));
    assert_eq!(kinds(&changes(Some(&registration("a", 4, 9)), 0)), [Admitted]);
}

#[test]
fn a_revoked_key_stays_revoked_whoever_has_it() {
    let mut ledger = Ledger::default();
    let revoked = Registration { enabled: false, key_revoked: true, ..registration("a", 1, 7) };
    change(&mut ledger, "a", Some(&registration("a", 1, 7)), Vec::new());
    assert!(ledger.refusal(revoked.card.card()).is_none());
    change(&mut ledger, "a", Some(&revoked), Vec::new());
    change(&mut ledger, "a", None, Vec::new());
    for (holder, refused) in [
        (registration("a", 2, 7), true),
        (registration("b", 1, 7), true),
        (registration("a", 2, 8), false),
        (registration("a", 2, 0), false),
    ] {
        assert_eq!(ledger.refusal(holder.card.card()).is_some(), refused);
    }
}

#[test]
fn the_log_is_brought_up_to_who_takes_part() {
    use RegistryChange::{Admitted, Disabled, Removed};
    let mut ledger = Ledger::default();
    change(&mut ledger, "gone", Some(&registration("gone", 1, 0)), Vec::new());
    let known = registration("known", 1, 7);
    change(&mut ledger, "known", Some(&known), Vec::new());
    let mut snapshot = Snapshot::empty(Arc::new(space())).unwrap();
    let out = Registration { enabled: false, ..registration("out", 1, 0) };
    for member in [known, out, registration("plain", 1, 0)] {
        snapshot = snapshot.with(Arc::new(member)).unwrap();
    }
    let due = ledger.due_for(&snapshot);
    let entries: Vec<_> =
        due.iter().map(|due| RegistryEntry::decode(due.entry.as_slice()).unwrap()).collect();
    let told: Vec<_> = entries.iter().map(|entry| (entry.specialist_id.as_str(), entry.change())).collect();
    assert_eq!(told, [("out", Admitted), ("out", Disabled), ("plain", Admitted), ("gone", Removed)]);
    assert_eq!(due[2].content.map(Digest::of), Some(snapshot.members().last().unwrap().card.digest()));
    for LogEntry { entry, .. } in &due {
        ledger.take(entry).unwrap();
    }
    assert!(ledger.due_for(&snapshot).is_empty());
}

#[test]
fn a_policy_is_told_when_it_changes() {
    let mut ledger = Ledger::default();
    for (text, told) in [("one", true), ("one", false), ("two", true), ("one", true)] {
        let due = ledger.due_policy(Digest::of(text));
        assert_eq!(due.is_some(), told, "{text}");
        if let Some(entry) = due {
            ledger.take(&entry).unwrap();
        }
    }
    assert_eq!(ledger.size(), 3);
}

#[test]
fn what_was_not_written_is_not_taken() {
    let mut ledger = Ledger::default();
    let id = "a".parse().unwrap();
    let [good] = ledger.due(&id, Some(&registration("a", 1, 7)), Vec::new()).try_into().unwrap();
    for bad in [&good[..good.len() - 1], b"", &[good.as_slice(), &[0xf8, 0x06, 1]].concat()] {
        assert_eq!(ledger.take(bad), Err(Unreadable(0)));
    }
    assert_eq!((ledger.size(), ledger.standing.len()), (0, 0));
    ledger.take(&good).unwrap();
    assert_eq!(ledger.state().unwrap().size, 1);
}

proptest! {
    /// Whatever happens, the log says how everybody stands: told once, and read again as it was known.
    #[test]
    fn the_log_alone_says_how_everybody_stands(
        steps in prop::collection::vec((0_u8..3, 0_u8..6, 1_u8..4, 0_u8..3), 0..40)
    ) {
        let (mut ledger, mut bytes) = (Ledger::default(), Vec::new());
        for (who, what, revision, key) in steps {
            let id = format!("s{who}");
            let revoked = ledger.is_revoked(&[key; 32]);
            let after = (what > 0).then(|| Registration {
                enabled: what > 2 && what < 5 && !revoked,
                key_revoked: key > 0 && (revoked || what == 5),
                ..registration(&id, revision, key)
            });
            let due = ledger.due(&id.parse().unwrap(), after.as_ref(), Vec::new());
            for entry in &due {
                ledger.take(entry).unwrap();
            }
            let standing = ledger.standing.get(&id).cloned();
            prop_assert_eq!(standing, after.as_ref().map(Standing::of));
            prop_assert!(ledger.due(&id.parse().unwrap(), after.as_ref(), Vec::new()).is_empty());
            bytes.extend(due);
        }
        let mut read = Ledger::default();
        for entry in &bytes {
            read.take(entry).unwrap();
        }
        prop_assert_eq!(&read.standing, &ledger.standing);
        prop_assert_eq!(&read.revoked, &ledger.revoked);
        prop_assert_eq!(read.state().unwrap(), ledger.state().unwrap());
    }
}
