//! From scores to a decision.

use std::{collections::HashMap, sync::Arc};

use proto::{AskOptions, SpecialistId};
use registry::{Registration, Snapshot};

use super::{Policy, Scores};

/// What became of a candidate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is asked.
    Asked,
    /// It answered.
    Answered,
    /// It says that its corpus holds no answer.
    NoAnswer,
    /// It said nothing within its time.
    Timeout,
    /// It broke off or refused.
    Failed,
    /// Others fit better.
    Outranked,
    /// The question is too far from its domain.
    BelowThreshold,
    /// An operator took it out of routing.
    Disabled,
    /// The asker left it out.
    Excluded,
}

/// A specialist as one question met it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Who.
    pub registration: Arc<Registration>,
    /// How near its prototypes are, in cosine units; `None` where none is among the nearest.
    pub score: Option<f32>,
    /// Its share of the softmax over the scores: 0 to 1.
    pub probability: f32,
    /// What became of it.
    pub status: Status,
}

/// What to do with a question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Ask some of the candidates, by their places in the list.
    Ask {
        /// These at once; the first one leads.
        asked: Vec<usize>,
        /// These in turn, should all of those fail.
        reserves: Vec<usize>,
    },
    /// Say that nobody covers it.
    Abstain,
}

/// Whom to ask, and why.
#[derive(Debug, Clone)]
pub struct Decision {
    /// To ask or not to ask.
    pub verdict: Verdict,
    /// Every registered specialist, best first.
    pub candidates: Vec<Candidate>,
    /// Best score, less the background's share; `-inf` where nobody has a score.
    pub confidence: f32,
}

/// Decides for one question.
///
/// `scores` are those of the enabled specialists that `options` allow, `background` is the
/// background's. Asked are those in the conformal set: whose share of the softmax is at least
/// `1 - miss_max` (Sadinle, Lei & Wasserman 2019), the best one always.
pub fn decide(
    policy: &Policy,
    options: &AskOptions,
    snapshot: &Snapshot,
    scores: &Scores,
    background: f32,
) -> Decision {
    let mut candidates = candidates(policy, options, snapshot, scores);
    let offset = policy.background_weight * background;
    let confidence = candidates.first().and_then(|best| best.score).map_or(f32::NEG_INFINITY, |s| s - offset);
    // Who names one specialist has chosen; the threshold is there for those who have not.
    let pinned = options.only.len() == 1;
    let covers = |candidate: &Candidate| {
        candidate.status == Status::Outranked
            && (pinned || candidate.score.is_some_and(|score| score - offset >= policy.confidence_min))
    };
    let fit: Vec<usize> = (0..candidates.len()).filter(|&at| covers(&candidates[at])).collect();
    for (at, candidate) in candidates.iter_mut().enumerate() {
        if candidate.status == Status::Outranked && !fit.contains(&at) {
            candidate.status = Status::BelowThreshold;
        }
    }
    if fit.is_empty() {
        return Decision { verdict: Verdict::Abstain, candidates, confidence };
    }
    let asked_max =
        options.specialists_max.map_or(policy.specialists_max, |n| n.get().min(policy.specialists_max));
    let likely = |at: &usize| candidates[*at].probability >= 1.0 - policy.miss_max;
    let asked_count = fit.iter().filter(|at| likely(at)).count().clamp(1, asked_max);
    let (asked, reserves) = fit.split_at(asked_count);
    let reserves = &reserves[..reserves.len().min(asked_max - asked_count)];
    for &at in asked {
        candidates[at].status = Status::Asked;
    }
    let verdict = Verdict::Ask { asked: asked.to_vec(), reserves: reserves.to_vec() };
    Decision { verdict, candidates, confidence }
}

/// Whether the asker's wishes leave `id` in.
pub(crate) fn allowed(options: &AskOptions, id: &SpecialistId) -> bool {
    (options.only.is_empty() || options.only.contains(id)) && !options.exclude.contains(id)
}

/// Everybody, best first; who can still be asked is `Outranked` so far.
fn candidates(policy: &Policy, options: &AskOptions, snapshot: &Snapshot, scores: &Scores) -> Vec<Candidate> {
    let owned = scores.iter().filter_map(|(slot, score)| Some((snapshot.owner(*slot)?.id(), *score)));
    let owned: HashMap<&SpecialistId, f32> = owned.collect();
    let largest = scores.values().copied().fold(f32::NEG_INFINITY, f32::max);
    let weight = |score: f32| ((score - largest) / policy.temperature).exp();
    let total: f32 = scores.values().copied().map(weight).sum();
    let mut candidates: Vec<Candidate> = snapshot
        .members()
        .map(|registration| {
            let score = owned.get(registration.id()).copied();
            Candidate {
                score,
                probability: score.map_or(0.0, |score| weight(score) / total),
                status: if !registration.enabled {
                    Status::Disabled
                } else if !allowed(options, registration.id()) {
                    Status::Excluded
                } else {
                    Status::Outranked
                },
                registration: registration.clone(),
            }
        })
        .collect();
    // Members come by id, so equal scores stay in a fixed order.
    candidates.sort_by(|a, b| {
        b.score.unwrap_or(f32::NEG_INFINITY).total_cmp(&a.score.unwrap_or(f32::NEG_INFINITY))
    });
    candidates
}

#[cfg(test)]
mod tests;
