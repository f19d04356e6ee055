//! How decisions and answers look on a terminal and in JSON.

use std::{
    io::{self, Write},
    iter,
    num::NonZeroU32,
    path::Path,
};

use anyhow::Result;
use proto::{
    answer::heading,
    wire::{
        Agreement, AnswerRange, Calibration, Candidate, CandidateStatus, Decision, Disagreement, Finish,
        History, HistoryReason, LeftOut, ProbeOutcome, ProbeResponse, Source, Span, SpanCitation, Verdict,
        Wording, ask_response::Event,
    },
};
use serde_json::{Value, json};

use super::answer::Answer;

/// How many candidates without a score people are shown.
const FAR_MAX: usize = 10;

/// Prints an event as it comes; `before` is what came before it.
pub(super) fn event(event: &Event, before: &Answer) -> Result<()> {
    match event {
        Event::Decision(decision) => {
            self::decision(decision)?;
            text("\n")
        }
        Event::Source(_) | Event::Agreement(_) | Event::Disagreement(_) => Ok(()),
        Event::Span(span) => text(&printable(&span.text)),
        Event::Finish(finish) => self::finish(finish, before),
    }
}

/// Who was considered, best first.
pub(super) fn decision(decision: &Decision) -> Result<()> {
    let mut out = "Considered:\n".to_owned();
    let width = listed(decision).0.map(|c| name(c).chars().count()).max().unwrap_or_default();
    let (listed, far) = listed(decision);
    for candidate in listed {
        let score = candidate.score.map_or_else(|| "    -".to_owned(), |score| format!("{score:5.2}"));
        let status = status(candidate.status()).replace('_', " ");
        out.push_str(&format!("  {:<width$}  {score}  {status}\n", name(candidate)));
    }
    if far > 0 {
        out.push_str(&format!("  and {far} more that are not near\n"));
    }
    let (confidence, needed) = (decision.confidence, decision.confidence_min);
    match decision.verdict() {
        verdict if decision.general || verdict == Verdict::Abstain && confidence < needed => {
            out.push_str(&format!(
                "Nobody covers it: confidence {confidence:.2}, where {needed:.2} is needed\n"
            ));
        }
        Verdict::Abstain if decision.candidates.iter().any(lacks_consent) => {
            out.push_str("Consent is missing: name whoever may see the question with --consent\n");
        }
        Verdict::Abstain => out.push_str("Nobody is left to ask\n"),
        _ => out.push_str(&format!("Confidence {confidence:.2}, where {needed:.2} is needed\n")),
    }
    if !decision.language.is_empty() {
        out.push_str(&format!("The router's encoder does not cover its language: {}\n", decision.language));
    }
    out.push_str(&decision.history.map(history).unwrap_or_default());
    out.push_str(&seen_by(decision));
    text(&printable(&out))
}

/// Who is shown to people, best first, and how many more there are: a fleet may have thousands.
pub(super) fn listed(decision: &Decision) -> (impl Iterator<Item = &Candidate>, usize) {
    let scored = decision.candidates.iter().filter(|candidate| candidate.score.is_some());
    let far = decision.candidates.iter().filter(|candidate| candidate.score.is_none());
    let more = far.clone().count().saturating_sub(FAR_MAX);
    (scored.chain(far.take(FAR_MAX)), more)
}

/// Who sees the question, and how many earlier turns, as a line; empty where nobody does.
fn seen_by(decision: &Decision) -> String {
    let at_once = |(id, _): &(&String, u32)| {
        let mut candidates = decision.candidates.iter();
        candidates.any(|c| c.specialist_id == **id && c.status() == CandidateStatus::Asked)
    };
    let turns = decision.earlier_turns.iter().copied().chain(iter::repeat(0));
    let (asked, reserves): (Vec<_>, Vec<_>) = decision.seen_by.iter().zip(turns).partition(at_once);
    let name = |(id, turns): (&String, u32)| match turns {
        0 => id.clone(),
        1 => format!("{id} (with 1 earlier turn)"),
        more => format!("{id} (with {more} earlier turns)"),
    };
    let join = |seen: Vec<_>| seen.into_iter().map(name).collect::<Vec<_>>().join(", ");
    match (asked.is_empty(), reserves.is_empty()) {
        (true, _) => String::new(),
        (_, true) => format!("Seen by: {}\n", join(asked)),
        (_, false) => format!("Seen by: {}; if that fails, by: {}\n", join(asked), join(reserves)),
    }
}

/// Whether earlier turns counted, as a line; empty where there were none.
pub(super) fn history(history: History) -> String {
    let near = history.cosine.map_or_else(String::new, |cosine| format!(" (cosine {cosine:.2})"));
    let why = match history.reason() {
        HistoryReason::Unspecified | HistoryReason::NoEarlierTurn => return String::new(),
        HistoryReason::ClearAlone => "the question alone is clear".to_owned(),
        HistoryReason::Unrelated => format!("the question is about something else{near}"),
        HistoryReason::NoRoom => "the question fills the encoder".to_owned(),
        HistoryReason::FollowsByCosine => format!("the question is about the same{near}"),
        HistoryReason::FollowsByWords => format!("the question's words point back{near}"),
    };
    format!("Earlier turns {}: {why}\n", if history.used { "count" } else { "do not count" })
}

fn lacks_consent(candidate: &Candidate) -> bool {
    candidate.status() == CandidateStatus::ConsentMissing
}

/// The decision as one JSON object.
pub(super) fn decision_json(decision: &Decision) -> Result<()> {
    object(&decision_value(decision))
}

/// The whole answer as one JSON object; offsets are UTF-8 bytes, as in the contract.
pub(super) fn answer(answer: &Answer) -> Result<()> {
    let finish = answer.finish.clone().unwrap_or_default();
    let notices = finish.notices.iter().map(|n| json!({ "specialist": n.specialist_id, "text": n.text }));
    let value = json!({
        "decision": answer.decision.as_ref().map(decision_value),
        "answer": answer.text(),
        "spans": answer.spans.iter().map(span_value).collect::<Vec<_>>(),
        "sources": answer.sources.iter().map(source_value).collect::<Vec<_>>(),
        "agreements": answer.agreements.iter().map(agreement_value).collect::<Vec<_>>(),
        "disagreements": answer.disagreements.iter().map(disagreement_value).collect::<Vec<_>>(),
        "left_out": finish.left_out.iter().map(left_out_value).collect::<Vec<_>>(),
        "first_words_us": finish.first_words_us,
        "reason": short(finish.reason().as_str_name(), "FINISH_REASON_"),
        "candidates": finish.candidates.iter().map(candidate_value).collect::<Vec<_>>(),
        "notices": notices.collect::<Vec<_>>(),
        "receipt": answer.decision.as_ref().map(receipt_value),
    });
    object(&value)
}

fn receipt_value(decision: &Decision) -> Value {
    json!({ "id": decision.request_id, "capability": decision.receipt_capability })
}

/// By what the receipt is had, or where it is `kept`.
pub(super) fn receipt(decision: &Decision, kept: Option<&Path>) -> Result<()> {
    let Decision { request_id, receipt_capability, .. } = decision;
    match kept {
        Some(path) => text(&format!("\nReceipt: {request_id}, kept in {}\n", path.display())),
        None => text(&format!("\nReceipt: {request_id}, opened by {receipt_capability}\n")),
    }
}

fn finish(finish: &Finish, answer: &Answer) -> Result<()> {
    let mut out = "\n".to_owned();
    let institution = |id: &str| {
        let owner = finish.candidates.iter().find(|candidate| candidate.specialist_id == id);
        owner.map(|owner| owner.institution.as_str()).unwrap_or_default()
    };
    if !answer.sources.is_empty() {
        out.push_str("\nSources:\n");
    }
    for source in &answer.sources {
        let passage = source.passage.clone().unwrap_or_default();
        let institution = institution(&source.specialist_id);
        let heading = heading(&passage.title, &passage.section, NonZeroU32::new(passage.page));
        out.push_str(&format!("  [{}] {heading} ({institution})\n", source.number));
        let place = if passage.url.is_empty() { passage.passage_id } else { passage.url };
        out.push_str(&format!("      {place}\n"));
    }
    for agreement in &answer.agreements {
        let source = agreement.citation.map(|c| format!(" [{}]", c.source_number)).unwrap_or_default();
        let words = answer.words(agreement.range);
        out.push_str(&format!("\n{}{source} says too:\n  {words}\n", institution(&agreement.specialist_id)));
    }
    for disagreement in &answer.disagreements {
        let difference = short(disagreement.difference().as_str_name(), "DIFFERENCE_");
        let (earlier, later) = (answer.words(disagreement.earlier), answer.words(disagreement.later));
        out.push_str(&format!("\nThese differ in {difference}:\n  {earlier}\n  {later}\n"));
    }
    for left in &finish.left_out {
        let LeftOut { specialist_id, repeated_bytes, outranked_bytes } = left;
        out.push_str(&format!(
            "\nLeft out of {specialist_id}: {repeated_bytes} bytes that repeat, {outranked_bytes} that are less \
             supported\n"
        ));
    }
    for notice in &finish.notices {
        out.push_str(&format!("\n{}: {}\n", notice.specialist_id, notice.text));
    }
    let failed = finish
        .candidates
        .iter()
        .filter(|candidate| matches!(candidate.status(), CandidateStatus::Failed | CandidateStatus::Timeout));
    for candidate in failed {
        out.push_str(&format!(
            "\n{}: {}, {}\n",
            name(candidate),
            status(candidate.status()),
            candidate.failure
        ));
    }
    text(&printable(&out))
}

pub(super) fn name(candidate: &Candidate) -> String {
    printable(&format!("{} ({})", candidate.title, candidate.institution))
}

pub(super) fn status(status: CandidateStatus) -> String {
    short(status.as_str_name(), "CANDIDATE_STATUS_")
}

pub(crate) fn short(wire_name: &str, prefix: &str) -> String {
    wire_name.trim_start_matches(prefix).to_lowercase()
}

/// Without what could steer the terminal: a specialist's words are data.
pub(super) fn printable(words: &str) -> String {
    words.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// One JSON object.
pub(super) fn object(value: &Value) -> Result<()> {
    text(&format!("{value:#}\n"))
}

pub(super) fn text(text: &str) -> Result<()> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

pub(super) fn decision_value(decision: &Decision) -> Value {
    let timings = decision.timings.unwrap_or_default();
    json!({
        "request_id": decision.request_id,
        "verdict": short(decision.verdict().as_str_name(), "VERDICT_"),
        "confidence": decision.confidence.is_finite().then_some(decision.confidence),
        "confidence_min": decision.confidence_min,
        "probability_min": decision.probability_min,
        "calibration": decision.calibration.as_ref().map_or_else(|| json!("uncalibrated"), calibration_value),
        "encoder": decision.space.as_ref().map(|space| space.encoder.as_str()),
        "weights_sha256": decision.space.as_ref().map(|space| hex(&space.weights_sha256)),
        "engine": decision.engine,
        "device": decision.device,
        "snapshot_version": decision.snapshot_version,
        "general": decision.general,
        "history": decision.history.map(history_value),
        "language": (!decision.language.is_empty()).then_some(&decision.language),
        "seen_by": decision.seen_by,
        "earlier_turns": decision.earlier_turns,
        "candidates": decision.candidates.iter().map(candidate_value).collect::<Vec<_>>(),
        "timings_us": {
            "tokenize": timings.tokenize_us,
            "queue": timings.queue_us,
            "encode": timings.encode_us,
            "search": timings.search_us,
            "probe": timings.probe_us,
            "decide": timings.decide_us,
        },
    })
}

fn calibration_value(calibration: &Calibration) -> Value {
    json!({
        "date": calibration.date,
        "prior": calibration.prior,
        "questions": calibration.questions,
        "outside": calibration.outside,
        "questions_sha256": calibration.questions_sha256,
    })
}

/// In hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn history_value(history: History) -> Value {
    json!({
        "used": history.used,
        "reason": short(history.reason().as_str_name(), "HISTORY_REASON_"),
        "cosine": history.cosine,
        "margin": history.margin,
    })
}

fn candidate_value(candidate: &Candidate) -> Value {
    json!({
        "id": candidate.specialist_id,
        "title": candidate.title,
        "institution": candidate.institution,
        "score": candidate.score,
        "probability": candidate.probability,
        "confidence": candidate.confidence,
        "probe": candidate.probe.map(probe_value),
        "status": status(candidate.status()),
        "calls": candidate.calls,
        "failure": (!candidate.failure.is_empty()).then_some(&candidate.failure),
        "asks_consent": candidate.asks_consent,
    })
}

/// `evidence` is null for whoever did not answer, `wording` for whoever saw no terms.
fn probe_value(probe: ProbeOutcome) -> Value {
    let evidence = probe.evidence.map(|ProbeResponse { nearness, wording }| {
        let wording = wording.map(|Wording { covered, titled, familiar }| {
            json!({ "covered": covered, "titled": titled, "familiar": familiar })
        });
        json!({ "nearness": nearness, "wording": wording })
    });
    json!({ "evidence": evidence })
}

fn source_value(source: &Source) -> Value {
    let passage = source.passage.clone().unwrap_or_default();
    json!({
        "number": source.number,
        "specialist": source.specialist_id,
        "passage": passage.passage_id,
        "title": passage.title,
        "text": passage.text,
        "url": passage.url,
        "license": passage.license,
        "section": passage.section,
        "page": NonZeroU32::new(passage.page),
    })
}

fn citation_value(citation: SpanCitation) -> Value {
    json!({ "source": citation.source_number, "start": citation.start_bytes, "end": citation.end_bytes })
}

fn range_value(range: AnswerRange) -> Value {
    json!({ "start": range.start_bytes, "end": range.end_bytes })
}

fn agreement_value(agreement: &Agreement) -> Value {
    json!({
        "range": agreement.range.map(range_value),
        "specialist": agreement.specialist_id,
        "citation": agreement.citation.map(citation_value),
    })
}

fn disagreement_value(disagreement: &Disagreement) -> Value {
    json!({
        "earlier": disagreement.earlier.map(range_value),
        "later": disagreement.later.map(range_value),
        "difference": short(disagreement.difference().as_str_name(), "DIFFERENCE_"),
    })
}

fn left_out_value(left: &LeftOut) -> Value {
    json!({
        "specialist": left.specialist_id,
        "repeated_bytes": left.repeated_bytes,
        "outranked_bytes": left.outranked_bytes,
    })
}

fn span_value(span: &Span) -> Value {
    let citation = span.citation.map(citation_value);
    let specialist = (!span.specialist_id.is_empty()).then_some(&span.specialist_id);
    json!({ "text": span.text, "start": span.start_bytes, "specialist": specialist, "citation": citation })
}
