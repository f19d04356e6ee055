//! What a reader's thumb says, and what of it is about whom to ask.

use std::collections::BTreeMap;

use proto::SpecialistId;
use serde::{Deserialize, Serialize};
use store::RatingRow;

use super::fit::Rating;

/// Why an answer was not liked. A fixed list, so that nobody's words are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Somebody else should have been asked.
    WrongSpecialist,
    /// What it says is wrong.
    Incorrect,
    /// Something is missing.
    Incomplete,
    /// It is hard to understand.
    Unclear,
    /// It may do harm.
    Unsafe,
    /// It is no longer so.
    Outdated,
    /// Something else.
    Other,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::WrongSpecialist,
        Self::Incorrect,
        Self::Incomplete,
        Self::Unclear,
        Self::Unsafe,
        Self::Outdated,
        Self::Other,
    ];

    /// Its name, as it is stored and sent.
    pub fn name(self) -> &'static str {
        match self {
            Self::WrongSpecialist => "wrong_specialist",
            Self::Incorrect => "incorrect",
            Self::Incomplete => "incomplete",
            Self::Unclear => "unclear",
            Self::Unsafe => "unsafe",
            Self::Outdated => "outdated",
            Self::Other => "other",
        }
    }
}

/// A candidate, as an answer's JSON has it.
#[derive(Deserialize)]
struct Considered {
    id: SpecialistId,
    probability: f64,
    /// Absent in answers from before there were any.
    #[serde(default)]
    offset: f64,
}

/// A part of an answer, as its JSON has it.
#[derive(Deserialize)]
struct Span {
    specialist: Option<SpecialistId>,
}

/// What `row` says of whom to ask, if it does.
///
/// A thumb up says that the lead was the right one. A thumb down says the contrary for one reason alone. The others
/// are about what was said: who answers wrongly, unclearly or from an old corpus is to be told so, but its questions
/// do not belong to somebody else; and what is incomplete may lack a passage as well as a second specialist.
pub(super) fn read(row: &RatingRow) -> Option<Rating> {
    if !row.up && row.reason.as_deref() != Some(Reason::WrongSpecialist.name()) {
        return None;
    }
    let considered: Vec<Considered> = serde_json::from_str(row.considered.as_deref()?).ok()?;
    let spans: Vec<Span> = serde_json::from_str(row.spans.as_deref()?).ok()?;
    // Whoever stood in for the first choice is the one whose words are rated.
    let lead = spans.into_iter().find_map(|span| span.specialist)?;
    let weight = |one: Considered| (one.id, one.probability * (-one.offset).exp());
    let likely = |(_, weight): &(SpecialistId, f64)| weight.is_finite() && *weight > 0.0;
    let weights: BTreeMap<SpecialistId, f64> = considered.into_iter().map(weight).filter(likely).collect();
    // Where the asker named one, or the general specialist stood in, nothing was chosen.
    if weights.len() < 2 || !weights.contains_key(&lead) {
        return None;
    }
    Some(Rating { voter: row.voter.as_slice().try_into().ok()?, lead, weights, right: row.up })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(
        up: bool,
        reason: Option<&str>,
        probabilities: &[(&str, f64)],
        spoke: &[Option<&str>],
    ) -> RatingRow {
        let considered =
            probabilities.iter().map(|(id, p)| json!({ "id": id, "probability": p, "status": "answered" }));
        let spans = spoke.iter().map(|specialist| json!({ "start": 0, "specialist": specialist }));
        RatingRow {
            voter: vec![7; 32],
            asked_at_ms: 0,
            up,
            reason: reason.map(str::to_owned),
            considered: Some(json!(considered.collect::<Vec<_>>()).to_string()),
            spans: Some(json!(spans.collect::<Vec<_>>()).to_string()),
        }
    }

    #[test]
    fn every_reason_is_stored_by_the_name_that_is_sent() {
        for reason in Reason::ALL {
            assert_eq!(json!(reason), reason.name());
        }
    }

    #[test]
    fn only_who_was_asked_is_learned_from() {
        let two = [("a", 0.75), ("b", 0.25)];
        let said = |up, reason| read(&row(up, reason, &two, &[None, Some("a"), Some("b")]));
        assert!(said(true, None).unwrap().right);
        let wrong = said(false, Some("wrong_specialist")).unwrap();
        assert_eq!((wrong.right, wrong.lead.as_str(), wrong.voter), (false, "a", [7; 32]));
        assert!(said(false, None).is_none());
        for reason in Reason::ALL.into_iter().filter(|reason| *reason != Reason::WrongSpecialist) {
            assert!(said(false, Some(reason.name())).is_none(), "{reason:?}");
        }
    }

    #[test]
    fn nothing_is_learned_where_nothing_was_chosen() {
        let two = [("a", 0.75), ("b", 0.25)];
        assert!(read(&row(true, None, &two, &[None])).is_none(), "nobody spoke");
        assert!(read(&row(true, None, &two, &[Some("c")])).is_none(), "the general one spoke");
        let pinned = [("a", 1.0), ("b", 0.0)];
        assert!(read(&row(true, None, &pinned, &[Some("a")])).is_none(), "one was named");
        let none = RatingRow { considered: None, ..row(true, None, &two, &[Some("a")]) };
        assert!(read(&none).is_none(), "the answer failed");
    }

    #[test]
    fn offsets_that_were_in_force_are_taken_out() {
        let mut row = row(true, None, &[], &[Some("a")]);
        let considered = json!([
            { "id": "a", "probability": 0.5, "offset": 2_f64.ln() },
            { "id": "b", "probability": 0.5, "offset": 0.0 },
        ]);
        row.considered = Some(considered.to_string());
        let Rating { weights, .. } = read(&row).unwrap();
        let ratio = weights[&"b".parse().unwrap()] / weights[&"a".parse().unwrap()];
        assert!((ratio - 2.0).abs() < 1e-9, "{ratio}");
    }
}
