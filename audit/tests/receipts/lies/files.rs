//! What can be done to the file alone.

use audit::{Bundle, SecretKey, checkpoint::Checkpoint, proof::Proof};

use super::{Lie::Json, Named};
use crate::samples::{Made, Plan, seal};

pub(crate) const FILES: &[Named] = &[
    ("line break", Json(|_, _, json| Some(json + "\n")), &["bundle_not_canonical"]),
    (
        "member too many",
        Json(|_, _, json| Some(json.replacen("{\"v\":1", "{\"v\":1,\"x\":1", 1))),
        &["bundle_not_canonical"],
    ),
    (
        "members reordered",
        Json(|_, _, json| {
            Some(json.replacen("{\"v\":1,", "{", 1).replacen(",\"leaf_salt\"", ",\"v\":1,\"leaf_salt\"", 1))
        }),
        &["bundle_not_canonical"],
    ),
    (
        "escaped",
        Json(|_, _, json| Some(json.replacen("leaf_salt", "leaf\\u005fsalt", 1))),
        &["bundle_not_canonical"],
    ),
    (
        "key id",
        Json(|plan, _, json| {
            let id = hex::encode(plan.world.vkey("receipts").id());
            Some(json.replacen(&format!("\"keyid\":\"{id}\""), "\"keyid\":\"00000000\"", 1))
        }),
        &["receipt_key_wrong"],
    ),
    (
        "signature",
        Json(|_, _, json| Some(replaced(&json, "\"sig\":\"", "AAAA"))),
        &["receipt_signature_wrong", "receipt_not_in_log"],
    ),
    (
        "leaf's salt",
        Json(|_, _, json| Some(replaced(&json, "\"leaf_salt\":\"", "AAAA"))),
        &["receipt_not_in_log"],
    ),
    (
        "proof of another receipt",
        Json(|plan, made, json| {
            let mut other = made_again(made);
            other.leaf_salt = audit::Salt::from([0; 32]);
            Some(with_proof(&json, seal(&plan.world, &other).proof()))
        }),
        &["receipt_not_in_log"],
    ),
    ("no proof", Json(|_, _, json| Some(with_proof(&json, ""))), &["log_proof_malformed"]),
    (
        "the router's other log",
        Json(|plan, made, json| {
            let other = proof(plan, made, &plan.world.router, "registry");
            Some(with_proof(&json, &other))
        }),
        &["log_origin_wrong", "log_signature_wrong"],
    ),
    (
        "log of another key",
        Json(|plan, made, json| Some(with_proof(&json, &proof(plan, made, &plan.world.witness, "receipts")))),
        &["log_signature_wrong"],
    ),
    (
        "no witness",
        Json(|plan, _, json| {
            plan.world.witnessed.then_some(())?;
            let bundle = Bundle::read(json.as_bytes()).unwrap();
            let (kept, _) = bundle.proof().split_once("\u{2014} witness.example")?;
            Some(with_proof(&json, kept))
        }),
        &["log_witnesses_missing"],
    ),
    (
        "false witness",
        Json(|plan, _, json| {
            plan.world.witnessed.then_some(())?;
            let bundle = Bundle::read(json.as_bytes()).unwrap();
            Some(with_proof(&json, &forged(bundle.proof())))
        }),
        &["log_witness_wrong"],
    ),
];

/// What can be done to the proofs of cards alone.
pub(crate) const CARDS: &[Named] = &[
    ("no proof", Json(|_, made, json| card(&json, made, |_| String::new())), &["registry_proof_malformed"]),
    (
        "the router's other log",
        Json(|plan, made, json| {
            card(&json, made, |proof| {
                resigned(proof, &plan.world.router, &format!("{}/receipts", plan.world.name))
            })
        }),
        &["registry_origin_wrong", "registry_signature_wrong"],
    ),
    (
        "registry of another key",
        Json(|plan, made, json| {
            card(&json, made, |proof| {
                resigned(proof, &plan.world.witness, &format!("{}/registry", plan.world.name))
            })
        }),
        &["registry_signature_wrong"],
    ),
    (
        "no witness",
        Json(|plan, made, json| {
            plan.world.witnessed.then_some(())?;
            card(&json, made, |proof| proof.split("\u{2014} witness.example").next().unwrap().to_owned())
        }),
        &["registry_witnesses_missing"],
    ),
    (
        "false witness",
        Json(|plan, made, json| {
            plan.world.witnessed.then_some(())?;
            card(&json, made, forged)
        }),
        &["registry_witness_wrong"],
    ),
];

/// `json` with another proof of its first card.
fn card(json: &str, made: &Made, change: impl Fn(&str) -> String) -> Option<String> {
    made.institutions.first()?;
    let mut bundle: serde_json::Value = serde_json::from_str(json).unwrap();
    let old = bundle["institutions"][0]["proof"].take();
    let new = serde_json::Value::from(change(old.as_str().unwrap()));
    Some(json.replacen(&old.to_string(), &new.to_string(), 1))
}

/// `proof` with four other characters in its last line, a witness's.
fn forged(proof: &str) -> String {
    let at = proof.len() - 9;
    let end = if proof[at..].starts_with("AAAA") { "BBBB" } else { "AAAA" };
    format!("{}{end}{}", &proof[..at], &proof[at + 4..])
}

/// `proof`, whose checkpoint `key` signed as the log `origin`.
fn resigned(proof: &str, key: &SecretKey, origin: &str) -> String {
    let proof: Proof = proof.parse().unwrap();
    let note: audit::Note = proof.checkpoint.parse().unwrap();
    let checkpoint = Checkpoint { origin: origin.to_owned(), ..note.text.parse().unwrap() };
    Proof { checkpoint: checkpoint.sign(key).unwrap().to_string(), ..proof }.to_string()
}

fn made_again(made: &Made) -> Made {
    Made {
        receipt: made.receipt.clone(),
        opening: made.opening.clone(),
        institutions: made.institutions.clone(),
        entries: made.entries.clone(),
        leaf_salt: made.leaf_salt.clone(),
        others: made.others,
        appended: made.appended.clone(),
        garbled: made.garbled.clone(),
    }
}

/// The right proof, but signed by `key` as the log `log`.
fn proof(plan: &Plan, made: &Made, key: &SecretKey, log: &str) -> String {
    resigned(seal(&plan.world, made).proof(), key, &format!("{}/{log}", plan.world.name))
}

fn with_proof(json: &str, proof: &str) -> String {
    let mut bundle: serde_json::Value = serde_json::from_str(json).unwrap();
    let (old, new) = (bundle["proof"].take().to_string(), serde_json::Value::from(proof).to_string());
    json.replacen(&old, &new, 1)
}

/// `json` with four other characters behind `before`.
fn replaced(json: &str, before: &str, with: &str) -> String {
    let at = json.find(before).unwrap() + before.len();
    let with = if json[at..].starts_with(with) { "BBBB" } else { with };
    format!("{}{with}{}", &json[..at], &json[at + 4..])
}
