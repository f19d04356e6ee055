//! A decision in a receipt, opened.

use std::collections::BTreeMap;

use anyhow::{Context, Result, anyhow};
use audit::{Bundle, signed};
use proto::{
    AskOptions, Digest, Evidence, SpecialistId,
    wire::{self, AskRequest, CandidateStatus, Derivation, HistoryReason, Receipt},
};

use super::{
    compare::{Candidate, Outcome},
    recorded::{Member, Recorded},
};
use crate::cli::short;

/// What the receipt.json in `bytes` says of its decision. Whether it is genuine is for `audit verify` to say.
pub(super) fn read(bytes: &[u8]) -> Result<Recorded> {
    let bundle = Bundle::read(bytes)?;
    let receipt: Receipt = signed::canonical(&bundle.receipt().payload)?;
    let opening = bundle.opening().context("what opens the receipt was deleted")?;
    let asked: AskRequest = signed::canonical(&opening.question.0)?;
    let derivation: Derivation = signed::canonical(&opening.derivation.0)?;
    let decision = receipt.decision.context("the receipt has no decision")?;
    let history = decision.history();
    let users = asked.turns.into_iter().filter(|turn| turn.role() == wire::Role::User);
    let turns = users.map(|turn| turn.text).collect();
    let weights = Digest::read("weights_sha256", &decision.weights_sha256)?.to_string();
    let outcome = outcome(&decision);
    recorded(derivation, outcome, weights, turns, history)
}

fn recorded(
    derivation: Derivation,
    outcome: Outcome,
    weights_sha256: String,
    turns: Vec<String>,
    history: HistoryReason,
) -> Result<Recorded> {
    let Derivation { vector, terms, options, ejected, policy, calibration, background_sha256, fleet, probes } =
        derivation;
    let policy: crate::route::Policy = serde_json::from_str(&policy)?;
    policy.check().map_err(|why| anyhow!("policy: {why}"))?;
    let calibration: crate::route::Calibration = serde_json::from_str(&calibration)?;
    calibration.check().map_err(|why| anyhow!("calibration: {why}"))?;
    let member = |member: wire::Member| {
        Ok(Member {
            id: member.specialist_id.parse()?,
            card_sha256: Digest::read("card_sha256", &member.card_sha256)?,
            prototypes_sha256: Digest::read("prototypes_sha256", &member.prototypes_sha256)?,
            enabled: member.enabled,
        })
    };
    let shown = |probe: wire::ProbeRecord| {
        let evidence = probe.outcome.and_then(|outcome| outcome.evidence);
        Ok((probe.specialist_id.parse()?, evidence.map(Evidence::try_from).transpose()?))
    };
    let follows = [HistoryReason::FollowsByCosine, HistoryReason::FollowsByWords];
    Ok(Recorded {
        outcome,
        weights_sha256,
        history_used: follows.contains(&history),
        turns,
        shown: probes.into_iter().map(shown).collect::<Result<BTreeMap<SpecialistId, _>>>()?,
        vector,
        terms: terms as usize,
        options: AskOptions::try_from(options)?,
        ejected: ejected.iter().map(|id| id.parse()).collect::<Result<_, _>>()?,
        policy,
        calibration,
        background_sha256: Digest::read("background_sha256", &background_sha256)?,
        fleet: fleet.into_iter().map(member).collect::<Result<_>>()?,
    })
}

fn outcome(decision: &wire::ReceiptDecision) -> Outcome {
    let candidate = |candidate: &wire::ReceiptCandidate| {
        let id = &candidate.specialist_id;
        // Of those who might see the question the receipt says what became of them since.
        let decided = !decision.seen_by.contains(id);
        Candidate {
            id: id.clone(),
            score: candidate.score_e6.map(|score| ratio(score.into())),
            probability: ratio(candidate.probability_e6.into()),
            confidence: ratio(candidate.confidence_e6.into()),
            status: decided.then(|| status(candidate.status())),
        }
    };
    Outcome {
        verdict: short(decision.verdict().as_str_name(), "VERDICT_"),
        general: decision.general,
        confidence: ratio(decision.confidence_e6.into()),
        confidence_min: ratio(decision.confidence_min_e6.into()),
        probability_min: ratio(decision.probability_min_e6.into()),
        seen_by: decision.seen_by.clone(),
        candidates: decision.candidates.iter().map(candidate).collect(),
    }
}

fn status(status: CandidateStatus) -> String {
    short(status.as_str_name(), "CANDIDATE_STATUS_")
}

/// Millionths as a number.
#[expect(clippy::cast_possible_truncation, reason = "a receipt's numbers have six digits")]
fn ratio(millionths: f64) -> f32 {
    (millionths / 1e6) as f32
}
