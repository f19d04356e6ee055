//! The gate's two numbers chosen again, and what they achieve where they were not chosen.

use router::route::gate::Gate;
use serde::{Deserialize, Serialize};

use super::{
    Outcome,
    cases::{FOLDS, Kind},
    figures::Share,
};
use crate::statistics::Estimate;

/// What is tried, in cosine units.
const MARGINS: [f32; 7] = [0.08, 0.1, 0.12, 0.15, 0.18, 0.2, 0.25];
const COSINES: [f32; 5] = [0.1, 0.15, 0.2, 0.25, 0.3];

/// The share of changes of subject that must leave, on the turns that are chosen on.
const SWITCHES_MIN: f64 = 0.7;

/// What a change of subject below that share costs, in follow-ups.
const SWITCH_COST: f64 = 5.0;

/// All gates that are tried.
pub(super) fn gates() -> impl Iterator<Item = Gate> {
    let with = |margin_min| COSINES.into_iter().map(move |cosine_min| Gate { margin_min, cosine_min });
    MARGINS.into_iter().flat_map(with)
}

/// The gate that the other folds choose for each, measured on that one.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct OutOfFold {
    /// Of the turns that follow another one.
    pub(crate) follow_ups: Estimate,
    /// Of the changes of subject.
    pub(crate) switches: Estimate,
    /// What all folds together choose.
    pub(crate) margin_min: f32,
    pub(crate) cosine_min: f32,
}

impl OutOfFold {
    pub(super) fn of(outcomes: &[Outcome]) -> Self {
        let chosen: Vec<usize> = (0..FOLDS).map(|fold| best(outcomes, |other| other != fold)).collect();
        let share = |kind: Kind| {
            let of_kind = outcomes.iter().filter(|outcome| outcome.case.kind == kind);
            Share::of(of_kind, |outcome| Some(outcome.is_right_by(chosen[outcome.case.fold]))).accuracy
        };
        let Gate { margin_min, cosine_min } = gates().nth(best(outcomes, |_| true)).unwrap_or_default();
        Self { follow_ups: share(Kind::FollowUp), switches: share(Kind::Switch), margin_min, cosine_min }
    }
}

/// The gate that keeps most follow-ups of the folds that count, while enough changes of subject leave.
fn best(outcomes: &[Outcome], counts: impl Fn(usize) -> bool) -> usize {
    let share = |gate: usize, kind: Kind| {
        let of_kind = |outcome: &&Outcome| outcome.case.kind == kind && counts(outcome.case.fold);
        let right = outcomes.iter().filter(of_kind).map(|outcome| outcome.is_right_by(gate));
        let (right, all) = right.fold((0.0, 0.0), |(right, all), is| (right + f64::from(is), all + 1.0));
        right / f64::max(all, 1.0)
    };
    let worth = |gate: usize| {
        let missing = (SWITCHES_MIN - share(gate, Kind::Switch)).max(0.0);
        share(gate, Kind::FollowUp) - SWITCH_COST * missing
    };
    let worths = (0..gates().count()).map(|gate| (gate, worth(gate)));
    worths.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(gate, _)| gate)
}
