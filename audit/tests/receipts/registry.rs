//! What shows only with the registry's log at hand.

use std::{collections::BTreeSet, convert::Infallible, fs};

use audit::{
    log::{Reader, Settings, Writer},
    trust::Trust,
    verify::verify_with,
};
use prost::Message as _;
use proto::wire::{RegistryChange, RegistryEntry};
use tempfile::TempDir;

use super::{
    names,
    samples::{
        Plan,
        made::{Made, make},
        plan, seal,
    },
};

/// The registry's log with `entries`, as the router serves it.
pub(crate) fn served(plan: &Plan, entries: &[Vec<u8>]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let settings = Settings {
        folder: folder.path().to_owned(),
        origin: format!("{}/registry", plan.world.name),
        key: plan.world.router.clone(),
        witnesses: Vec::new(),
    };
    let (mut writer, _) = Writer::open(settings, std::iter::empty::<Result<_, Infallible>>()).unwrap();
    for entry in entries {
        writer.append(entry).unwrap();
    }
    writer.publish().unwrap();
    folder
}

/// What is found in what the router makes of `plan`, after `change`, with the log of `entries`.
fn found(
    mut plan: Plan,
    change: fn(&mut Made) -> Option<()>,
    later: fn(&Plan) -> Option<Vec<u8>>,
) -> Option<BTreeSet<&'static str>> {
    let mut made = make(&mut plan);
    change(&mut made)?;
    let entries = [made.entries.clone(), later(&plan).into_iter().collect()].concat();
    let log = served(&plan, &entries);
    let trust = Trust::read(&plan.world.trust()).unwrap();
    let json = seal(&plan.world, &made).to_json();
    let report = verify_with(json.as_bytes(), &trust, &Reader::folder(log.path())).unwrap();
    assert_eq!(report.is_verified(), report.failures.is_empty());
    Some(names(&report))
}

#[track_caller]
fn lie(change: fn(&mut Made) -> Option<()>, expected: &[&str]) {
    let all: Vec<_> = (0..40).filter_map(|seed| found(plan(seed), change, |_| None)).collect();
    assert!(!all.is_empty());
    for found in all {
        assert_eq!(found, expected.iter().copied().collect());
    }
}

/// A candidate that was not called.
fn idle(made: &mut Made) -> Option<&mut proto::wire::ReceiptCandidate> {
    made.receipt.decision.as_mut()?.candidates.iter_mut().find(|candidate| candidate.calls == 0)
}

#[test]
fn what_is_right_stays_so() {
    lie(|_| Some(()), &[]);
}

#[test]
fn nobody_is_left_out_or_made_up() {
    lie(
        |made| {
            let id = idle(made)?.specialist_id.clone();
            made.receipt.decision.as_mut()?.candidates.retain(|candidate| candidate.specialist_id != id);
            Some(())
        },
        &["candidate_missing"],
    );
    lie(
        |made| {
            let other =
                proto::wire::ReceiptCandidate { specialist_id: "made-up".into(), ..idle(made)?.clone() };
            made.receipt.decision.as_mut()?.candidates.push(other);
            Some(())
        },
        &["candidate_unregistered"],
    );
    lie(
        |made| {
            idle(made)?.card_sha256 = vec![7; 32];
            Some(())
        },
        &["candidate_card_wrong"],
    );
}

#[test]
fn the_state_was_one_of_the_log() {
    lie(
        |made| {
            made.institutions.is_empty().then_some(())?;
            made.receipt.registry.as_mut()?.root = vec![7; 32];
            Some(())
        },
        &["registry_state_wrong"],
    );
}

#[test]
fn a_key_that_was_revoked_counts_no_more() {
    let revoked = |plan: &Plan| {
        let one = &plan.world.specialists[plan.calls.first()?.who];
        let registered = one.newer.as_ref().map_or(one.entry, |(_, entry)| *entry);
        let stands = RegistryEntry::decode(plan.world.entries[registered].as_slice()).unwrap();
        let revoked = RegistryEntry { change: RegistryChange::Revoked.into(), ..stands };
        Some(revoked.encode_to_vec())
    };
    let signs = |plan: &Plan| plan.calls.first().is_some_and(|call| call.vouching as i32 == 1);
    let plans = (0..20).map(plan).filter(signs);
    let all: Vec<_> = plans.filter_map(|plan| found(plan, |_| Some(()), revoked)).collect();
    assert!(!all.is_empty() && all.iter().all(|found| *found == BTreeSet::from(["key_revoked"])), "{all:?}");
}

#[test]
fn a_log_that_was_altered_is_refused() {
    let mut plan = plan(3);
    let made = make(&mut plan);
    let log = served(&plan, &made.entries);
    let bundle = log.path().join(format!("tile/entries/000.p/{}", made.entries.len()));
    let mut bytes = fs::read(&bundle).unwrap();
    bytes[9] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    let (trust, json) = (Trust::read(&plan.world.trust()).unwrap(), seal(&plan.world, &made).to_json());
    let report = verify_with(json.as_bytes(), &trust, &Reader::folder(log.path())).unwrap();
    assert_eq!(names(&report), BTreeSet::from(["registry_log_wrong"]));
}
