//! A decision in a file.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use anyhow::{Context, Result, anyhow};
use proto::{AskOptions, Digest, Evidence, SpecialistId, wire};
use serde::Deserialize;

use super::{compare::Outcome, receipt};
use crate::route::{Calibration, Policy};

/// How every receipt.json begins.
const RECEIPT: &str = "{\"v\":1,\"receipt\":";

/// All that a decision followed from, and what it was.
pub(super) struct Recorded {
    pub(super) outcome: Outcome,
    pub(super) weights_sha256: String,
    pub(super) history_used: bool,
    /// What the user said, the question last; empty where the file does not hold it.
    pub(super) turns: Vec<String>,
    /// What those showed who were probed; `None` for whoever did not answer.
    pub(super) shown: BTreeMap<SpecialistId, Option<Evidence>>,
    pub(super) vector: Vec<f32>,
    pub(super) terms: usize,
    pub(super) options: AskOptions,
    pub(super) ejected: BTreeSet<SpecialistId>,
    pub(super) policy: Policy,
    pub(super) calibration: Calibration,
    pub(super) background_sha256: Digest,
    /// In the order that decides between equals.
    pub(super) fleet: Vec<Member>,
}

/// A specialist of the fleet.
pub(super) struct Member {
    pub(super) id: SpecialistId,
    pub(super) card_sha256: Digest,
    pub(super) prototypes_sha256: Digest,
    pub(super) enabled: bool,
}

#[derive(Deserialize)]
struct File {
    weights_sha256: String,
    history: HistoryEntry,
    #[serde(default)]
    turns: Vec<String>,
    candidates: Vec<CandidateEntry>,
    derivation: DerivationEntry,
}

#[derive(Deserialize)]
struct HistoryEntry {
    used: bool,
}

#[derive(Deserialize)]
struct CandidateEntry {
    id: SpecialistId,
    probe: Option<ProbeEntry>,
}

#[derive(Deserialize)]
struct ProbeEntry {
    evidence: Option<EvidenceEntry>,
}

#[derive(Deserialize)]
struct EvidenceEntry {
    nearness: f32,
    wording: Option<WordingEntry>,
}

#[derive(Deserialize)]
struct WordingEntry {
    covered: f32,
    titled: f32,
    familiar: f32,
}

#[derive(Deserialize)]
struct DerivationEntry {
    vector: Vec<f32>,
    terms: usize,
    options: OptionsEntry,
    ejected: BTreeSet<SpecialistId>,
    policy: Policy,
    calibration: Calibration,
    background_sha256: String,
    fleet: Vec<MemberEntry>,
}

#[derive(Deserialize)]
struct OptionsEntry {
    only: Vec<String>,
    exclude: Vec<String>,
    consent: Vec<String>,
    specialists_max: u32,
}

#[derive(Deserialize)]
struct MemberEntry {
    id: SpecialistId,
    card_sha256: String,
    prototypes_sha256: String,
    enabled: bool,
}

impl Recorded {
    /// The decision in the file at `path`.
    pub(super) fn read(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        if text.starts_with(RECEIPT) {
            return receipt::read(text.as_bytes())
                .with_context(|| format!("{} is no receipt of a decision", path.display()));
        }
        Self::parse(&text).with_context(|| {
            format!(
                "{} is neither a decision as `router explain -o json` prints it nor a receipt",
                path.display()
            )
        })
    }

    fn parse(text: &str) -> Result<Self> {
        let outcome: Outcome = serde_json::from_str(text)?;
        let File { weights_sha256, history, turns, candidates, derivation } = serde_json::from_str(text)?;
        let DerivationEntry { vector, terms, options, ejected, policy, calibration, .. } = derivation;
        policy.check().map_err(|why| anyhow!("derivation.policy: {why}"))?;
        calibration.check().map_err(|why| anyhow!("derivation.calibration: {why}"))?;
        let OptionsEntry { only, exclude, consent, specialists_max } = options;
        let options = wire::AskOptions { only, exclude, specialists_max, consent };
        let member = |entry: MemberEntry| {
            Ok(Member {
                card_sha256: digest("card_sha256", &entry.card_sha256)?,
                prototypes_sha256: digest("prototypes_sha256", &entry.prototypes_sha256)?,
                id: entry.id,
                enabled: entry.enabled,
            })
        };
        let probed = candidates.into_iter().filter_map(|candidate| Some((candidate.id, candidate.probe?)));
        let shown = probed.map(|(id, probe)| Ok((id, probe.evidence.map(evidence).transpose()?)));
        Ok(Self {
            outcome,
            weights_sha256,
            history_used: history.used,
            turns,
            shown: shown.collect::<Result<_>>()?,
            vector,
            terms,
            options: AskOptions::try_from(Some(options))?,
            ejected,
            policy,
            calibration,
            background_sha256: digest("background_sha256", &derivation.background_sha256)?,
            fleet: derivation.fleet.into_iter().map(member).collect::<Result<_>>()?,
        })
    }
}

fn evidence(entry: EvidenceEntry) -> Result<Evidence> {
    let EvidenceEntry { nearness, wording } = entry;
    let wording =
        wording.map(|WordingEntry { covered, titled, familiar }| wire::Wording { covered, titled, familiar });
    Ok(Evidence::try_from(wire::ProbeResponse { nearness, wording })?)
}

/// The digest of 64 hexadecimal digits.
fn digest(field: &str, text: &str) -> Result<Digest> {
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    let bytes: Option<Vec<u8>> = text.as_bytes().chunks(2).map(byte).collect();
    Ok(Digest::read(field, &bytes.unwrap_or_default())?)
}
