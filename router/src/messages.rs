//! From what the router decided and merged to the messages of the contract, for the edges and for receipts.

use std::{ops::Range, time::Duration};

use proto::{SpecialistId, wire};

use crate::{
    ask::{Finish, Reason, Routed, Timings},
    merge::{Agreement, Difference, Disagreement, LeftOut, Source, Span},
    route::{Candidate, Decision, Fitted, History, HistoryReason, Probed, Status, Verdict},
};

pub(crate) fn decision(routed: &Routed) -> wire::Decision {
    let decision = &routed.decision;
    let verdict = match decision.verdict {
        Verdict::Ask { .. } => wire::Verdict::Ask,
        Verdict::Abstain => wire::Verdict::Abstain,
    };
    wire::Decision {
        request_id: routed.request_id.clone(),
        verdict: verdict.into(),
        candidates: decision.candidates.iter().map(candidate).collect(),
        confidence: decision.confidence,
        confidence_min: routed.calibration.confidence_min,
        probability_min: 1.0 - routed.calibration.miss_max,
        calibration: routed.calibration.fitted.as_ref().map(fitted),
        space: Some((&*routed.question.space).into()),
        snapshot_version: routed.snapshot.version(),
        timings: Some(timings(&routed.timings)),
        engine: routed.backend.engine.to_owned(),
        device: routed.backend.device.to_owned(),
        general: decision.general,
        seen_by: seen_by(decision).map(ToString::to_string).collect(),
        history: Some(history(&routed.history)),
        language: routed
            .foreign
            .as_ref()
            .map(|foreign| foreign.language.code().to_owned())
            .unwrap_or_default(),
        derivation: None,
        earlier_turns: earlier_turns(routed).collect(),
        receipt_capability: String::new(),
    }
}

pub(crate) fn history(history: &History) -> wire::History {
    let reason = match history.reason {
        HistoryReason::NoEarlierTurn => wire::HistoryReason::NoEarlierTurn,
        HistoryReason::ClearAlone => wire::HistoryReason::ClearAlone,
        HistoryReason::Unrelated => wire::HistoryReason::Unrelated,
        HistoryReason::NoRoom => wire::HistoryReason::NoRoom,
        HistoryReason::FollowsByCosine => wire::HistoryReason::FollowsByCosine,
        HistoryReason::FollowsByWords => wire::HistoryReason::FollowsByWords,
    };
    let History { reason: _, cosine, margin } = *history;
    wire::History { used: history.used(), reason: reason.into(), cosine, margin }
}

/// All who would see the question, in the order in which they would.
pub(crate) fn seen_by(decision: &Decision) -> impl Iterator<Item = &SpecialistId> {
    decision.verdict.seen_by().map(|at| decision.candidates[at].registration.id())
}

/// How many of the user's earlier turns each of them would see with it.
pub(crate) fn earlier_turns(routed: &Routed) -> impl Iterator<Item = u32> {
    let decision = &routed.decision;
    let shown = |at: usize| routed.shown(decision.candidates[at].registration.card.card()).len();
    decision.verdict.seen_by().map(move |at| count(shown(at)))
}

fn candidate(candidate: &Candidate) -> wire::Candidate {
    let card = candidate.registration.card.card();
    wire::Candidate {
        specialist_id: card.id.to_string(),
        title: card.title.clone(),
        institution: card.institution.clone(),
        score: candidate.score,
        probability: candidate.probability,
        status: status(candidate.status).into(),
        calls: candidate.calls,
        failure: candidate.failure.clone().unwrap_or_default(),
        asks_consent: card.asks_consent,
        confidence: candidate.confidence,
        probe: probe(candidate.probed),
    }
}

pub(crate) fn probe(probed: Probed) -> Option<wire::ProbeOutcome> {
    match probed {
        Probed::Not => None,
        Probed::InVain => Some(wire::ProbeOutcome { evidence: None }),
        Probed::Showed(evidence) => Some(wire::ProbeOutcome { evidence: Some(evidence.into()) }),
    }
}

fn fitted(fitted: &Fitted) -> wire::Calibration {
    wire::Calibration {
        date: fitted.date.clone(),
        prior: fitted.prior.clone(),
        questions: fitted.questions as u64,
        outside: fitted.outside as u64,
        questions_sha256: fitted.questions_sha256.clone(),
    }
}

pub(crate) fn status(status: Status) -> wire::CandidateStatus {
    match status {
        Status::Asked => wire::CandidateStatus::Asked,
        Status::Answered => wire::CandidateStatus::Answered,
        Status::NoAnswer => wire::CandidateStatus::NoAnswer,
        Status::Timeout => wire::CandidateStatus::Timeout,
        Status::Failed => wire::CandidateStatus::Failed,
        Status::Outranked => wire::CandidateStatus::Outranked,
        Status::BelowThreshold => wire::CandidateStatus::BelowThreshold,
        Status::Disabled => wire::CandidateStatus::Disabled,
        Status::Excluded => wire::CandidateStatus::Excluded,
        Status::ConsentMissing => wire::CandidateStatus::ConsentMissing,
        Status::CircuitOpen => wire::CandidateStatus::CircuitOpen,
    }
}

fn us(took: Duration) -> u32 {
    u32::try_from(took.as_micros()).unwrap_or(u32::MAX)
}

fn timings(timings: &Timings) -> wire::Timings {
    wire::Timings {
        tokenize_us: us(timings.embedding.tokenize),
        queue_us: us(timings.embedding.queue),
        encode_us: us(timings.embedding.encode),
        search_us: us(timings.search),
        decide_us: us(timings.decide),
        probe_us: us(timings.probe),
    }
}

pub(crate) fn source(source: Source) -> wire::Source {
    wire::Source {
        number: count(source.number),
        specialist_id: source.specialist.to_string(),
        passage: Some(source.passage.into()),
    }
}

pub(crate) fn span(span: Span) -> wire::Span {
    wire::Span {
        specialist_id: span.specialist().map(ToString::to_string).unwrap_or_default(),
        text: span.text,
        start_bytes: count(span.start),
        citation: span.citation.map(citation),
    }
}

fn citation((number, range): (usize, Range<usize>)) -> wire::SpanCitation {
    wire::SpanCitation {
        source_number: count(number),
        start_bytes: count(range.start),
        end_bytes: count(range.end),
    }
}

pub(crate) fn agreement(agreement: Agreement) -> wire::Agreement {
    wire::Agreement {
        range: Some(range(&agreement.range)),
        specialist_id: agreement.specialist.to_string(),
        citation: agreement.citation.map(citation),
    }
}

pub(crate) fn disagreement(disagreement: &Disagreement) -> wire::Disagreement {
    wire::Disagreement {
        earlier: Some(range(&disagreement.earlier)),
        later: Some(range(&disagreement.later)),
        difference: difference(disagreement.difference).into(),
    }
}

pub(crate) fn difference(difference: Difference) -> wire::Difference {
    match difference {
        Difference::Numbers => wire::Difference::Numbers,
        Difference::Units => wire::Difference::Units,
        Difference::Dates => wire::Difference::Dates,
        Difference::Negation => wire::Difference::Negation,
    }
}

fn range(range: &Range<usize>) -> wire::AnswerRange {
    wire::AnswerRange { start_bytes: count(range.start), end_bytes: count(range.end) }
}

fn left_out(left: &LeftOut) -> wire::LeftOut {
    wire::LeftOut {
        specialist_id: left.specialist.to_string(),
        repeated_bytes: count(left.repeated),
        outranked_bytes: count(left.outranked),
    }
}

pub(crate) fn finish(finish: &Finish) -> wire::Finish {
    let spoke = finish.spoke.iter().map(|&at| finish.candidates[at].registration.card.card());
    let notices = spoke
        .filter(|card| !card.notice.is_empty())
        .map(|card| wire::Notice { specialist_id: card.id.to_string(), text: card.notice.clone() });
    wire::Finish {
        candidates: finish.candidates.iter().map(candidate).collect(),
        reason: reason(finish.reason).into(),
        notices: notices.collect(),
        first_words_us: finish.first_words.map(us),
        left_out: finish.left_out.iter().map(left_out).collect(),
    }
}

pub(crate) fn reason(reason: Reason) -> wire::FinishReason {
    match reason {
        Reason::Answered => wire::FinishReason::Answered,
        Reason::Incomplete => wire::FinishReason::Incomplete,
        Reason::Abstained => wire::FinishReason::Abstained,
        Reason::NoAnswer => wire::FinishReason::NoAnswer,
        Reason::Failed => wire::FinishReason::Failed,
        Reason::Abandoned => wire::FinishReason::Abandoned,
    }
}

/// Answers and sources are bounded far below `u32::MAX`.
fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}
