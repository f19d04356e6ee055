//! Receipts that are right are taken, and every lie has its name.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_possible_wrap,
    clippy::print_stderr,
    clippy::maybe_infinite_iter,
    clippy::too_many_lines,
    clippy::unwrap_used,
    reason = "a test may panic, its numbers are small, and some seed gives what it looks for"
)]

mod agreement;
mod commands;
mod flips;
mod lies;
mod registry;
mod samples;

use std::collections::BTreeSet;

use audit::{
    trust::Trust,
    verify::{Remark, Report, verify},
};

use proto::wire::Vouching;
use samples::{made::make, plan, seal};

/// How many samples a lie is tried on.
const SAMPLES: u64 = 60;

fn names(report: &Report) -> BTreeSet<&'static str> {
    report.failures.iter().map(|(failure, _)| failure.name()).collect()
}

#[test]
fn receipts_that_are_right_are_verified() {
    for seed in 0..200 {
        let mut plan = plan(seed);
        let made = make(&mut plan);
        let trust = Trust::read(&plan.world.trust()).unwrap();
        let bundle = seal(&plan.world, &made).to_json();
        let report = verify(bundle.as_bytes(), Some(&trust));
        assert!(report.is_verified(), "seed {seed}: {report}");
        let report = verify(bundle.as_bytes(), None);
        assert!(report.is_sound() && !report.is_verified(), "seed {seed}: {report}");
    }
}

#[test]
fn every_lie_is_refused_by_its_name() {
    let mut wrong = Vec::new();
    for (lie, how, expected) in lies::all() {
        let expected: BTreeSet<_> = expected.iter().copied().collect();
        let mut told = 0;
        for seed in 0..SAMPLES {
            let Some((plan, json)) = lies::told(seed, how) else { continue };
            let trust = Trust::read(&plan.world.trust()).unwrap();
            let report = verify(json.as_bytes(), Some(&trust));
            if names(&report) != expected {
                wrong.push(format!("{lie}, seed {seed}: {:?} for {expected:?}", names(&report)));
            }
            told += 1;
        }
        assert!(told > 0, "no sample gives room for {lie}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_is_worth_saying_is_said() {
    let mut said = BTreeSet::new();
    for seed in 0..200 {
        let mut plan = plan(seed);
        let made = make(&mut plan);
        let bundle = seal(&plan.world, &made).to_json();
        let trust = Trust::read(&plan.world.trust()).unwrap();
        // A further line below the checkpoint, which nobody knows.
        let line = "\\n\u{2014} somebody.example AAAAAAAAAAAA\\n\",\"institutions\"";
        let seen = bundle.replacen("\\n\",\"institutions\"", line, 1);
        for (json, trust) in [(&bundle, Some(&trust)), (&bundle, None), (&seen, Some(&trust))] {
            let report = verify(json.as_bytes(), trust);
            assert!(report.is_sound(), "seed {seed}: {report}");
            let remarks: BTreeSet<_> = report.remarks.iter().map(|(remark, _)| *remark).collect();
            let ended = |vouching| plan.calls.iter().any(|call| call.vouching == vouching);
            for (remark, expected) in [
                (Remark::SignersUnknown, trust.is_none()),
                (Remark::OpeningDeleted, plan.closed),
                (Remark::UnknownWitness, json == &seen),
                (Remark::UnsignedSpecialist, ended(Vouching::Unsigned)),
                (Remark::UnfinishedCall, ended(Vouching::Unfinished)),
                (Remark::RefusedCall, ended(Vouching::Refused)),
                (Remark::RevocationsUnchecked, true),
            ] {
                assert_eq!(remarks.contains(&remark), expected, "seed {seed}: {report}");
            }
            said.extend(remarks);
        }
    }
    assert_eq!(said.len(), Remark::ALL.len());
}
