//! Whatever bit of a receipt is flipped, it is refused.

use std::collections::BTreeMap;

use audit::{trust::Trust, verify::verify};
use proto::wire::Vouching;

use super::samples::{Plan, made::make, plan, seal};

/// The bits of a large receipt that are flipped.
const FLIPS: usize = 10_000;

fn json(plan: &mut Plan) -> Vec<u8> {
    let made = make(plan);
    seal(&plan.world, &made).to_json().into_bytes()
}

/// How often each failure is found where one of `bits` is flipped; panics where none is.
fn flipped(json: &[u8], trust: &Trust, bits: impl Iterator<Item = usize>) -> BTreeMap<&'static str, usize> {
    let mut found = BTreeMap::new();
    for bit in bits {
        let mut flipped = json.to_vec();
        flipped[bit / 8] ^= 1 << (bit % 8);
        let report = verify(&flipped, Some(trust));
        assert!(!report.is_sound(), "bit {bit} is not looked at, near {:?}", &json[bit / 8..][..8]);
        for (failure, _) in report.failures {
            *found.entry(failure.name()).or_default() += 1;
        }
    }
    found
}

/// The first plan that `fits`.
pub(crate) fn first(fits: fn(&Plan) -> bool) -> Plan {
    (0..).map(plan).find(fits).unwrap()
}

#[test]
fn every_bit_of_a_small_receipt_counts() {
    let mut plan = first(|plan| plan.calls.is_empty() && !plan.closed && plan.world.witnessed);
    let (json, trust) = (json(&mut plan), Trust::read(&plan.world.trust()).unwrap());
    let found = flipped(&json, &trust, 0..json.len() * 8);
    for name in ["bundle_not_canonical", "receipt_key_wrong", "receipt_signature_wrong", "receipt_not_in_log"]
    {
        assert!(found.contains_key(name), "{name}: {found:?}");
    }
    for name in ["log_proof_malformed", "log_signature_wrong", "log_witness_wrong", "text_not_committed"] {
        assert!(found.contains_key(name), "{name}: {found:?}");
    }
}

#[test]
fn bits_of_a_large_receipt_count() {
    let mut plan = first(|plan| plan.calls.len() > 3 && !plan.closed);
    let (json, trust) = (json(&mut plan), Trust::read(&plan.world.trust()).unwrap());
    let mut rng = fastrand::Rng::with_seed(7);
    let found = flipped(&json, &trust, (0..FLIPS).map(|_| rng.usize(..json.len() * 8)));
    for name in ["entry_not_in_registry", "institutions_differ", "hidden_prompt", "passage_not_in_manifest"] {
        assert!(found.contains_key(name), "{name}: {found:?}");
    }
}

#[test]
fn every_bit_of_a_statement_counts() {
    let mut plan = first(|plan| plan.calls.len() == 1 && plan.calls[0].vouching == Vouching::Signed);
    let trust = Trust::read(&plan.world.trust()).unwrap();
    let mut made = make(&mut plan);
    let statement = made.receipt.calls[0].statement.clone().unwrap();
    let bits = statement.payload.len() * 8;
    for bit in 0..bits + 512 {
        let mut flipped = statement.clone();
        let (bytes, at) =
            if bit < bits { (&mut flipped.payload, bit) } else { (&mut flipped.signature, bit - bits) };
        bytes[at / 8] ^= 1 << (at % 8);
        made.receipt.calls[0].statement = Some(flipped);
        let report = verify(seal(&plan.world, &made).to_json().as_bytes(), Some(&trust));
        let named = report.failures.iter().any(|(failure, _)| failure.name() == "statement_signature_wrong");
        assert!(named, "bit {bit}: {report}");
    }
}
