//! An admission exam in JSON, as the command line and the router's HTTP interface show it.

use proto::wire::{
    self,
    exam::{Answers, Latency, Overlap, Own, Share},
};
use serde_json::{Value, json};

/// Everything that an exam says.
pub fn json(exam: &wire::Exam) -> Value {
    let Own { asked, led, uncovered } = exam.own.unwrap_or_default();
    let overlap = |overlap: &Overlap| {
        json!({
            "specialist_id": overlap.specialist_id,
            "neighbour": overlap.neighbour,
            "asked": overlap.asked,
            "taken": overlap.taken,
            "lost": overlap.lost,
        })
    };
    json!({
        "examined_at_ms": exam.examined_at_ms,
        "general": exam.general,
        "own": { "asked": asked, "led": led, "uncovered": uncovered },
        "overlaps": exam.overlaps.iter().map(overlap).collect::<Vec<_>>(),
        "unrelated_specialists": exam.unrelated_specialists,
        "unrelated_questions": share_json(exam.unrelated_questions),
        "unrelated_prototypes": share_json(exam.unrelated_prototypes),
        "refused": exam.refused,
        "answers": exam.answers.as_ref().map(answers_json),
    })
}

fn share_json(share: Option<Share>) -> Value {
    let Share { asked, taken } = share.unwrap_or_default();
    json!({ "asked": asked, "taken": taken })
}

fn answers_json(answers: &Answers) -> Value {
    let latency = |latency: Option<Latency>| {
        latency.map(|latency| json!({ "median_ms": latency.median_ms, "longest_ms": latency.longest_ms }))
    };
    json!({
        "asked": answers.asked,
        "answered": answers.answered,
        "no_answer": answers.no_answer,
        "cited": answers.cited,
        "broken": answers.broken,
        "first_fault": answers.first_fault,
        "unanswered": answers.unanswered,
        "first_words": latency(answers.first_words),
        "end": latency(answers.end),
    })
}
