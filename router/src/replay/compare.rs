//! Whether two decisions are the same.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::{
    cli::short,
    messages,
    route::{Calibration, Decision, Verdict},
};

/// By how much numbers may differ: engines of one space agree within rounding.
pub(super) const TOLERANCE: f32 = 1e-3;

/// What a decision says.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Outcome {
    pub(super) verdict: String,
    pub(super) general: bool,
    pub(super) confidence: f32,
    pub(super) confidence_min: f32,
    pub(super) probability_min: f32,
    pub(super) seen_by: Vec<String>,
    pub(super) candidates: Vec<Candidate>,
}

/// What it says of one specialist.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Candidate {
    pub(super) id: String,
    pub(super) score: Option<f32>,
    pub(super) probability: f32,
    pub(super) confidence: f32,
    /// What was decided; `None` where only what came of it is known.
    pub(super) status: Option<String>,
}

impl Outcome {
    /// What `decision` says, which was made by `calibration`.
    pub(super) fn of(decision: &Decision, calibration: &Calibration) -> Self {
        let id = |at: usize| decision.candidates[at].registration.id().to_string();
        let candidates = decision.candidates.iter().map(|candidate| Candidate {
            id: candidate.registration.id().to_string(),
            score: candidate.score,
            probability: candidate.probability,
            confidence: candidate.confidence,
            status: Some(short(messages::status(candidate.status).as_str_name(), "CANDIDATE_STATUS_")),
        });
        Self {
            verdict: match decision.verdict {
                Verdict::Ask { .. } => "ask".to_owned(),
                Verdict::Abstain => "abstain".to_owned(),
            },
            general: decision.general,
            confidence: decision.confidence,
            confidence_min: calibration.confidence_min,
            probability_min: 1.0 - calibration.miss_max,
            seen_by: decision.verdict.seen_by().map(id).collect(),
            candidates: candidates.collect(),
        }
    }
}

/// What differs, one a line, and whether numbers differ that do so within the tolerance.
pub(super) fn compare(recorded: &Outcome, derived: &Outcome) -> (Vec<String>, bool) {
    let mut found = Found::default();
    found.text("verdict", &recorded.verdict, &derived.verdict);
    found.text("general", &recorded.general.to_string(), &derived.general.to_string());
    found.number("confidence", recorded.confidence, derived.confidence);
    found.number("confidence_min", recorded.confidence_min, derived.confidence_min);
    found.number("probability_min", recorded.probability_min, derived.probability_min);
    found.text("seen by", &recorded.seen_by.join(", "), &derived.seen_by.join(", "));
    let mut left: BTreeMap<&str, &Candidate> =
        derived.candidates.iter().map(|c| (c.id.as_str(), c)).collect();
    let mut in_order = Vec::new();
    for candidate in &recorded.candidates {
        let Some(other) = left.remove(candidate.id.as_str()) else {
            found.lines.push(format!("{}: recorded, not derived", candidate.id));
            continue;
        };
        found.candidate(candidate, other);
        in_order.push(other);
    }
    found.lines.extend(left.keys().map(|id| format!("{id}: derived, not recorded")));
    let same_order = recorded.candidates.iter().map(|c| &c.id).eq(derived.candidates.iter().map(|c| &c.id));
    // Rounding may swap those that are equally likely.
    let swapped =
        found.rounded && in_order.is_sorted_by(|one, next| one.probability + TOLERANCE >= next.probability);
    if found.lines.is_empty() && !same_order && !swapped {
        let ids = |outcome: &Outcome| {
            outcome.candidates.iter().map(|c| c.id.as_str()).collect::<Vec<_>>().join(", ")
        };
        found.text("order", &ids(recorded), &ids(derived));
    }
    (found.lines, found.rounded)
}

#[derive(Default)]
struct Found {
    lines: Vec<String>,
    rounded: bool,
}

impl Found {
    fn candidate(&mut self, recorded: &Candidate, derived: &Candidate) {
        let id = &recorded.id;
        if let (Some(one), Some(other)) = (&recorded.status, &derived.status) {
            self.text(&format!("status of {id}"), one, other);
        }
        match (recorded.score, derived.score) {
            (Some(one), Some(other)) => self.number(&format!("score of {id}"), one, other),
            (one, other) => {
                let said = |score: Option<f32>| score.map_or_else(|| "none".to_owned(), |s| s.to_string());
                self.text(&format!("score of {id}"), &said(one), &said(other));
            }
        }
        self.number(&format!("probability of {id}"), recorded.probability, derived.probability);
        self.number(&format!("confidence of {id}"), recorded.confidence, derived.confidence);
    }

    fn text(&mut self, what: &str, recorded: &str, derived: &str) {
        if recorded != derived {
            let said = |text: &str| if text.is_empty() { "nobody".to_owned() } else { text.to_owned() };
            self.lines.push(format!("{what}: {} recorded, {} derived", said(recorded), said(derived)));
        }
    }

    fn number(&mut self, what: &str, recorded: f32, derived: f32) {
        let apart = (recorded - derived).abs();
        if apart <= TOLERANCE {
            self.rounded |= apart > 0.0;
        } else {
            self.lines.push(format!("{what}: {recorded} recorded, {derived} derived"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outcome() -> Outcome {
        let candidate = |id: &str, probability, status: &str| Candidate {
            id: id.to_owned(),
            score: Some(0.5),
            probability,
            confidence: 0.8,
            status: Some(status.to_owned()),
        };
        Outcome {
            verdict: "ask".to_owned(),
            general: false,
            confidence: 0.8,
            confidence_min: 0.5,
            probability_min: 0.1,
            seen_by: vec!["a".to_owned()],
            candidates: vec![candidate("a", 0.5, "asked"), candidate("b", 0.4998, "outranked")],
        }
    }

    #[test]
    fn rounding_is_no_difference_and_more_is() {
        assert_eq!(compare(&outcome(), &outcome()), (vec![], false));
        let rounded = Outcome { confidence: 0.8009, ..outcome() };
        assert_eq!(compare(&outcome(), &rounded), (vec![], true));
        let other = Outcome { confidence: 0.802, ..outcome() };
        assert_eq!(
            compare(&outcome(), &other),
            (vec!["confidence: 0.8 recorded, 0.802 derived".to_owned()], false)
        );
    }

    #[test]
    fn candidates_are_compared_by_name() {
        let mut other = outcome();
        other.candidates[1].status = Some("disabled".to_owned());
        other.candidates[0].score = None;
        let mut third = other.candidates[0].clone();
        third.id = "c".to_owned();
        other.candidates.push(third);
        assert_eq!(
            compare(&outcome(), &other).0,
            [
                "score of a: 0.5 recorded, none derived",
                "status of b: outranked recorded, disabled derived",
                "c: derived, not recorded",
            ]
        );
    }

    #[test]
    fn only_rounding_may_swap_equals() {
        let mut swapped = outcome();
        swapped.candidates.reverse();
        assert_eq!(compare(&outcome(), &swapped).0, ["order: a, b recorded, b, a derived"]);
        swapped.confidence += 1e-5;
        assert_eq!(compare(&outcome(), &swapped), (vec![], true));
        swapped.candidates[0].probability = 0.9;
        assert!(!compare(&outcome(), &swapped).0.is_empty());
    }
}
