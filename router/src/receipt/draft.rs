//! From what a turn did to its receipt, and to what opens its commitments. Pure: the same turn, the same bytes.

use audit::{
    Base64, Salt,
    bundle::{OpenCall, OpenPassage, Opening, Path},
    transcript::{Commitments, Transcript},
};
use proto::wire;

use crate::{
    ask::{
        Routed,
        record::{Called, Deeds, Placed, Vouching},
    },
    merge::Origin,
    messages,
    policy::Policy,
    route::{Candidate, Probed, Verdict},
};

/// What a receipt says besides what was done.
pub(super) struct Frame<'a> {
    /// The router's name.
    pub(super) router: &'a str,
    /// Seconds since 1970-01-01 UTC, a whole hour.
    pub(super) time_s: u64,
    /// SHA-256 of the payload of the receipt before it.
    pub(super) previous_sha256: Vec<u8>,
    /// The state of the registry log that the fleet was seen in.
    pub(super) registry: wire::LogState,
    /// What was in force.
    pub(super) policy: &'a Policy,
    /// How it ended.
    pub(super) reason: wire::FinishReason,
}

/// The receipt of a turn whose `question` and `derivation` are those encoded messages.
pub(super) fn draft(
    frame: Frame<'_>,
    salt: &Salt,
    routed: &Routed,
    deeds: &Deeds,
    question: Vec<u8>,
    derivation: Vec<u8>,
) -> (wire::Receipt, Opening) {
    let rule = |rule: &crate::policy::Rule| wire::Rule {
        name: rule.name.to_owned(),
        sha256: rule.sha256.as_bytes().to_vec(),
    };
    let commit = |label: &str, bytes: &[u8]| salt.commit(label, bytes).as_bytes().to_vec();
    let Deeds { candidates, .. } = deeds;
    let calls = || deeds.calls.iter();
    let receipt = wire::Receipt {
        router: frame.router.to_owned(),
        request_id: routed.request_id.clone(),
        time_s: frame.time_s,
        previous_sha256: frame.previous_sha256,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        registry: Some(frame.registry),
        rules: frame.policy.rules().iter().map(rule).collect(),
        question: commit("question", &question),
        decision: Some(decision(routed, candidates)),
        derivation: commit("derivation", &derivation),
        calls: calls().map(|called| call(called, candidates, salt)).collect(),
        sources: deeds.sources.iter().filter_map(|source| self::source(source, deeds, candidates)).collect(),
        spans: deeds
            .spans
            .iter()
            .filter_map(|placed| span(placed, frame.policy, deeds, candidates))
            .collect(),
        text: commit("text", deeds.text.as_bytes()),
        reason: frame.reason.into(),
    };
    let opening = Opening {
        salt: Base64(*salt.as_bytes()),
        question: Base64(question),
        derivation: Base64(derivation),
        text: deeds.text.clone(),
        calls: calls().map(|called| opened(&called.transcript())).collect(),
    };
    (receipt, opening)
}

fn opened(heard: &Transcript) -> OpenCall {
    let paths = heard.paths();
    let passage = |(at, passage): (usize, &[u8])| OpenPassage {
        passage: Base64(passage.to_vec()),
        path: paths.get(at).and_then(Path::new),
    };
    OpenCall {
        request: Base64(heard.request().to_vec()),
        answer: heard.answer().to_owned(),
        passages: heard.passages().enumerate().map(passage).collect(),
    }
}

fn decision(routed: &Routed, candidates: &[Candidate]) -> wire::ReceiptDecision {
    let decision = &routed.decision;
    let verdict = match decision.verdict {
        Verdict::Ask { .. } => wire::Verdict::Ask,
        Verdict::Abstain => wire::Verdict::Abstain,
    };
    wire::ReceiptDecision {
        verdict: verdict.into(),
        candidates: candidates.iter().map(candidate).collect(),
        confidence_e6: millionths(decision.confidence),
        confidence_min_e6: millionths(routed.calibration.confidence_min),
        probability_min_e6: millionths(1.0 - routed.calibration.miss_max),
        weights_sha256: routed.question.space.weights.as_bytes().to_vec(),
        engine: format!("{} on {}", routed.backend.engine, routed.backend.device),
        general: decision.general,
        history: messages::history(&routed.history).reason,
        seen_by: messages::seen_by(decision).map(ToString::to_string).collect(),
    }
}

fn candidate(candidate: &Candidate) -> wire::ReceiptCandidate {
    wire::ReceiptCandidate {
        specialist_id: candidate.registration.id().to_string(),
        card_sha256: candidate.registration.card.digest().as_bytes().to_vec(),
        score_e6: candidate.score.map(signed_millionths),
        probability_e6: millionths(candidate.probability),
        confidence_e6: millionths(candidate.confidence),
        status: messages::status(candidate.status).into(),
        calls: candidate.calls,
        failure: candidate.failure.clone().unwrap_or_default(),
        probed: candidate.probed != Probed::Not,
    }
}

fn call(called: &Called, candidates: &[Candidate], salt: &Salt) -> wire::Call {
    let registration = &candidates[called.candidate].registration;
    let heard = called.transcript();
    let salt = salt.of_call(registration.id().as_str());
    let Commitments { request, answer, passages } =
        Commitments::new(&salt, heard.request(), heard.answer(), heard.passages());
    let vouching = match called.vouching {
        Vouching::Signed => wire::Vouching::Signed,
        Vouching::Unsigned => wire::Vouching::Unsigned,
        Vouching::Unfinished => wire::Vouching::Unfinished,
        Vouching::Refused => wire::Vouching::Refused,
    };
    wire::Call {
        specialist_id: registration.id().to_string(),
        card_sha256: registration.card.digest().as_bytes().to_vec(),
        vouching: vouching.into(),
        statement: heard.signed().filter(|_| called.vouching == Vouching::Signed).cloned(),
        request: request.as_bytes().to_vec(),
        answer: answer.as_bytes().to_vec(),
        passages: passages.iter().map(|digest| digest.as_bytes().to_vec()).collect(),
    }
}

/// The call of a specialist.
fn of<'a>(id: &proto::SpecialistId, deeds: &'a Deeds, candidates: &[Candidate]) -> Option<(u32, &'a Called)> {
    let mut calls = deeds.calls.iter().enumerate();
    let (place, called) = calls.find(|(_, call)| candidates[call.candidate].registration.id() == id)?;
    Some((count(place), called))
}

fn source(
    (id, passage_id): &(proto::SpecialistId, String),
    deeds: &Deeds,
    candidates: &[Candidate],
) -> Option<wire::ReceiptSource> {
    let (call, called) = of(id, deeds, candidates)?;
    Some(wire::ReceiptSource { call, passage: count(called.transcript().passage(passage_id)?) })
}

fn span(
    placed: &Placed,
    policy: &Policy,
    deeds: &Deeds,
    candidates: &[Candidate],
) -> Option<wire::ReceiptSpan> {
    use wire::receipt_span::Origin as Kind;
    let origin = match &placed.origin {
        Origin::Own(template) => Kind::Rule(count(policy.place(*template)?)),
        Origin::Said { specialist, at } => {
            let citation = placed.citation.as_ref().map(|(number, range)| wire::SpanCitation {
                source_number: count(*number),
                start_bytes: count(range.start),
                end_bytes: count(range.end),
            });
            let (call, _) = of(specialist, deeds, candidates)?;
            Kind::Verbatim(wire::Verbatim { call, start_bytes: count(*at), citation })
        }
    };
    Some(wire::ReceiptSpan { length_bytes: count(placed.length), origin: Some(origin) })
}

/// Answers and fleets are bounded far below `u32::MAX`.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

/// A number from 0 to 1 in millionths.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within 0 and 1,000,000")]
fn millionths(x: f32) -> u32 {
    (f64::from(x.clamp(0.0, 1.0)) * 1e6).round() as u32
}

/// A cosine, or a score in its units, in millionths.
#[expect(clippy::cast_possible_truncation, reason = "within a few million")]
fn signed_millionths(x: f32) -> i32 {
    (f64::from(x.clamp(-100.0, 100.0)) * 1e6).round() as i32
}
