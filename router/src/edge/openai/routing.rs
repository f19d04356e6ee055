//! How a question was routed.

use proto::SpecialistId;
use serde_json::{Value, json};

use super::name;
use crate::{
    ask::Routed,
    messages,
    route::{Candidate, Probed, Verdict},
};

/// Who was `considered` for a question, and why.
pub(in crate::edge) fn routing(routed: &Routed, considered: &[Candidate]) -> Value {
    let space = &routed.question.space;
    let decision = &routed.decision;
    let considered = considered.iter().map(|candidate| {
        let card = candidate.registration.card.card();
        json!({
            "id": card.id.as_str(),
            "title": card.title,
            "institution": card.institution,
            "score": candidate.score,
            "probability": candidate.probability,
            "confidence": candidate.confidence,
            "offset": routed.calibration.offset(&card.id),
            "probed": candidate.probed != Probed::Not,
            "calls": candidate.calls,
            "failure": candidate.failure,
            "asks_consent": card.asks_consent,
            "status": name(messages::status(candidate.status).as_str_name(), "CANDIDATE_STATUS_"),
        })
    });
    let history = messages::history(&routed.history);
    json!({
        "request_id": routed.request_id,
        "verdict": if decision.verdict == Verdict::Abstain { "abstain" } else { "ask" },
        "confidence": decision.confidence,
        "threshold": routed.calibration.confidence_min,
        "embedder": format!("{}@sha256:{}", space.encoder, space.weights),
        "engine": routed.backend.engine,
        "device": routed.backend.device,
        "snapshot": routed.snapshot.version(),
        "general": decision.general,
        "calibrated": routed.calibration.fitted.is_some(),
        "history": {
            "used": history.used,
            "reason": name(history.reason().as_str_name(), "HISTORY_REASON_"),
            "cosine": history.cosine,
            "margin": history.margin,
        },
        "language": routed.foreign.as_ref().map(|foreign| foreign.language.code()),
        "seen_by": messages::seen_by(decision).map(SpecialistId::as_str).collect::<Vec<_>>(),
        "earlier_turns": messages::earlier_turns(routed).collect::<Vec<_>>(),
        "considered": considered.collect::<Vec<_>>(),
    })
}
