//! Questions with known answers, each routed with numbers that were fitted on others.

use std::collections::BTreeMap;

use anyhow::{Context, Result};
use proto::{Evidence, UnitVector};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use registry::Slot;
use router::{
    calibrate::{self, Sample},
    route::{Decision, Policy},
};

use crate::fleet::{Fleet, Question, Rules};

/// Parts that the questions are cut into; each is routed with numbers that were fitted on the others.
pub(crate) const FOLDS: usize = 5;

/// Decides which part a question falls into.
pub(crate) const SEED: u64 = 1;

/// Questions at least so near to one another fall into the same part, so that no number has seen a
/// question's double. Cosine.
const DOUBLE_MIN: f32 = 0.9;

/// A question, what everybody has near it, and who is to get it.
pub(crate) struct Known {
    pub(crate) question: Question,
    pub(crate) sample: Sample,
}

impl Known {
    /// A question that `right` covers, or nobody.
    pub(crate) fn new(
        fleet: &Fleet,
        question: Question,
        evidence: BTreeMap<Slot, Evidence>,
        right: (Option<Slot>, &str),
    ) -> Result<Self> {
        let sample = fleet.sample(&Rules::default(), &question, evidence, right)?;
        Ok(Self { question, sample })
    }
}

/// Numbers fitted on `known`. `prior` is the share of questions that nobody covers; without it, somebody
/// covers them all.
pub(crate) fn fit<'a>(
    known: impl IntoIterator<Item = &'a Known>,
    policy: &Policy,
    prior: Option<f64>,
) -> Result<Rules> {
    let samples: Vec<Sample> = known.into_iter().map(|known| known.sample.clone()).collect();
    let calibration = match prior {
        Some(prior) => calibrate::fit(&samples, policy, prior)?,
        None => calibrate::fit_choice(&samples, policy)?,
    };
    Ok(Rules { policy: policy.clone(), calibration })
}

/// The decision on each of `known`, in their order, by `rules` that were fitted on none of them.
pub(crate) fn apply(fleet: &Fleet, rules: &Rules, known: &[Known]) -> Vec<Decision> {
    known.par_iter().map(|known| decide(fleet, rules, known)).collect()
}

fn decide(fleet: &Fleet, rules: &Rules, Known { question, sample }: &Known) -> Decision {
    fleet.decide(rules, question, &sample.hits, &sample.evidence)
}

/// The decision on each of `known`, in their order, with numbers that were fitted on the other parts.
pub(crate) fn route(
    fleet: &Fleet,
    known: &[Known],
    policy: &Policy,
    prior: Option<f64>,
) -> Result<Vec<Decision>> {
    let folds = folds(known);
    let rules = |fold: usize| {
        let others = known.iter().zip(&folds).filter(|(_, its)| **its != fold);
        let rules = fit(others.map(|(known, _)| known), policy, prior);
        rules.with_context(|| format!("part {fold} of the questions"))
    };
    let rules = (0..FOLDS).into_par_iter().map(rules).collect::<Result<Vec<Rules>>>()?;
    let known: Vec<(&Known, usize)> = known.iter().zip(folds).collect();
    Ok(known.par_iter().map(|(known, fold)| decide(fleet, &rules[*fold], known)).collect())
}

/// The part of each question: groups of doubles stay together, and each part has about as many of each sort.
pub(crate) fn folds(known: &[Known]) -> Vec<usize> {
    let vectors: Vec<&UnitVector> = known.iter().map(|known| &known.question.embedding.vector).collect();
    parts(&vectors, |at| known[at].sample.right.is_some())
}

/// The same of questions that lie at `vectors`, and are of two sorts.
pub(crate) fn parts(vectors: &[&UnitVector], sort: impl Fn(usize) -> bool) -> Vec<usize> {
    let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (at, group) in groups(vectors).into_iter().enumerate() {
        members.entry(group).or_default().push(at);
    }
    let mut members: Vec<Vec<usize>> = members.into_values().collect();
    fastrand::Rng::with_seed(SEED).shuffle(&mut members);
    let mut sizes: BTreeMap<bool, [usize; FOLDS]> = BTreeMap::new();
    let mut folds = vec![0; vectors.len()];
    for group in members {
        let sizes = sizes.entry(group.first().is_some_and(|at| sort(*at))).or_default();
        let least = (0..FOLDS).min_by_key(|fold| sizes[*fold]).unwrap_or_default();
        sizes[least] += group.len();
        for at in group {
            folds[at] = least;
        }
    }
    folds
}

/// The group of each vector, by the number of its first member: doubles, and doubles of doubles.
fn groups(vectors: &[&UnitVector]) -> Vec<usize> {
    let doubles = |at: usize| -> Vec<usize> {
        (0..at).filter(|other| vectors[at].cosine(vectors[*other]) >= DOUBLE_MIN).collect()
    };
    let doubles: Vec<Vec<usize>> = (0..vectors.len()).into_par_iter().map(doubles).collect();
    let mut groups: Vec<usize> = (0..vectors.len()).collect();
    for (at, doubles) in doubles.into_iter().enumerate() {
        for other in doubles {
            let (a, b) = (groups[at], groups[other]);
            let (first, second) = (a.min(b), a.max(b));
            groups[..=at].iter_mut().filter(|group| **group == second).for_each(|group| *group = first);
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_of_doubles_are_in_one_group() {
        let at =
            |degrees: f32| UnitVector::scale(vec![degrees.to_radians().cos(), degrees.to_radians().sin()]);
        let vectors: Vec<UnitVector> = [0.0, 90.0, 40.0, 20.0].map(at).into_iter().flatten().collect();
        assert_eq!(groups(&vectors.iter().collect::<Vec<_>>()), [0, 1, 0, 0]);
    }
}
