//! All that a decision follows from, for whoever wants to derive it again.

use proto::wire;
use registry::Registration;

use crate::{
    ask::Routed,
    messages,
    route::{Background, Candidate, Policy},
};

/// What `routed` follows from: a question of so many `terms`, what the asker wants, and the operator's
/// `policy`. A large fleet takes seconds at first.
pub(crate) fn derivation(
    routed: &Routed,
    policy: &Policy,
    options: wire::AskOptions,
    terms: usize,
) -> Result<wire::Derivation, serde_json::Error> {
    let ejected = routed.decision.candidates.iter().filter(|candidate| candidate.ejected);
    let fleet = routed.snapshot.digests().map(|(registration, prototypes)| wire::Member {
        specialist_id: registration.id().to_string(),
        card_sha256: card(registration),
        prototypes_sha256: prototypes.as_bytes().to_vec(),
        enabled: registration.enabled,
    });
    Ok(wire::Derivation {
        vector: routed.question.vector.as_slice().to_vec(),
        terms: u32::try_from(terms).unwrap_or(u32::MAX),
        options: Some(options),
        ejected: ejected.map(|candidate| candidate.registration.id().to_string()).collect(),
        policy: serde_json::to_string(policy)?,
        calibration: serde_json::to_string(&*routed.calibration)?,
        background_sha256: Background::digest().as_bytes().to_vec(),
        fleet: fleet.collect(),
        probes: routed.decision.candidates.iter().filter_map(probe).collect(),
    })
}

fn probe(candidate: &Candidate) -> Option<wire::ProbeRecord> {
    let outcome = messages::probe(candidate.probed)?;
    Some(wire::ProbeRecord { specialist_id: candidate.registration.id().to_string(), outcome: Some(outcome) })
}

fn card(registration: &Registration) -> Vec<u8> {
    registration.card.digest().as_bytes().to_vec()
}
