//! From scores to a decision.

use std::{
    collections::{BTreeSet, HashMap},
    sync::Arc,
};

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
    /// It would be asked, but its card asks for consent and the asker gave none.
    ConsentMissing,
    /// It would be asked, but failed too often lately and is left alone.
    CircuitOpen,
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
    /// Whether it failed too often lately; it is asked all the same where nobody else is likely.
    pub ejected: bool,
    /// How often it was called for this question.
    pub calls: u32,
    /// Why it gave out.
    pub failure: Option<String>,
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

impl Verdict {
    /// All who would see the question, by their places in the list: at once, then in turn.
    pub fn seen_by(&self) -> impl Iterator<Item = usize> {
        let (asked, reserves): (&[usize], &[usize]) = match self {
            Self::Ask { asked, reserves } => (asked, reserves),
            Self::Abstain => (&[], &[]),
        };
        asked.iter().chain(reserves).copied()
    }
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
    /// Nobody covers the question, and the general specialist is asked.
    pub general: bool,
}

/// Decides for one question.
///
/// `scores` are those of the enabled specialists that `options` allow, `background` is the
/// background's, `ejected` failed too often lately. Asked are those in the conformal set: whose share
/// of the softmax is at least `1 - miss_max` (Sadinle, Lei & Wasserman 2019), the best one always.
pub fn decide(
    policy: &Policy,
    options: &AskOptions,
    snapshot: &Snapshot,
    scores: &Scores,
    background: f32,
    ejected: &BTreeSet<SpecialistId>,
) -> Decision {
    let mut candidates = candidates(policy, options, snapshot, scores, ejected);
    let offset = policy.background_weight * background;
    let confidence = candidates.first().and_then(|best| best.score).map_or(f32::NEG_INFINITY, |s| s - offset);
    // Who names one specialist has chosen; the threshold is there for those who have not.
    let pinned = options.only.len() == 1;
    for candidate in candidates.iter_mut().filter(|candidate| candidate.status == Status::Outranked) {
        let covers = candidate.score.is_some_and(|score| score - offset >= policy.confidence_min);
        if !(pinned || covers) {
            candidate.status = Status::BelowThreshold;
        }
    }
    let asked_max =
        options.specialists_max.map_or(policy.specialists_max, |n| n.get().min(policy.specialists_max));
    let mut verdict = loop {
        let verdict = pick(policy, asked_max, &mut candidates);
        let without = verdict.seen_by().filter(|&at| lacks_consent(options, &candidates[at]));
        let without: Vec<usize> = without.collect();
        if without.is_empty() {
            break verdict;
        }
        // Somebody else may take its place, who may ask for consent in turn.
        for at in without {
            candidates[at].status = Status::ConsentMissing;
        }
    };
    let mut general = false;
    if let (Verdict::Abstain, Some(at)) = (&verdict, stand_in(policy, options, &mut candidates)) {
        verdict = Verdict::Ask { asked: vec![at], reserves: Vec::new() };
        general = true;
    }
    if let Verdict::Ask { asked, .. } = &verdict {
        for &at in asked {
            candidates[at].status = Status::Asked;
        }
    }
    Decision { verdict, candidates, confidence, general }
}

fn lacks_consent(options: &AskOptions, candidate: &Candidate) -> bool {
    let card = candidate.registration.card.card();
    card.asks_consent && !options.consent.contains(&card.id)
}

/// The place of the general specialist, if it may be asked now that nobody else is. Where somebody covers
/// the question and only consent is missing, the asker decides first.
fn stand_in(policy: &Policy, options: &AskOptions, candidates: &mut [Candidate]) -> Option<usize> {
    if candidates.iter().any(|candidate| candidate.status == Status::ConsentMissing) {
        return None;
    }
    let at = candidates.iter().position(|candidate| {
        candidate.status == Status::BelowThreshold
            && stands_back(policy, options, candidate.registration.id())
    })?;
    if lacks_consent(options, &candidates[at]) {
        candidates[at].status = Status::ConsentMissing;
        return None;
    }
    Some(at)
}

/// Picks among those who are `Outranked` so far. Whoever is left alone is passed over, unless nobody
/// else is likely: a domain never loses its last.
fn pick(policy: &Policy, asked_max: usize, candidates: &mut [Candidate]) -> Verdict {
    let open = |status| matches!(status, Status::Outranked | Status::CircuitOpen);
    let fit: Vec<usize> = (0..candidates.len()).filter(|&at| open(candidates[at].status)).collect();
    let likely = |at: &usize| candidates[*at].probability >= 1.0 - policy.miss_max;
    let likely_count = fit.iter().filter(|at| likely(at)).count().max(1).min(fit.len());
    let well = |at: &&usize| !candidates[**at].ejected;
    let mut asked: Vec<usize> = fit[..likely_count].iter().filter(well).copied().collect();
    if asked.is_empty() {
        asked = fit[..likely_count].to_vec();
    }
    asked.truncate(asked_max);
    let spared = asked_max - asked.len();
    let others = fit.iter().filter(well).filter(|at| !asked.contains(at));
    let reserves: Vec<usize> = others.take(spared).copied().collect();
    for &at in &fit {
        let passed_over = candidates[at].ejected && !asked.contains(&at);
        candidates[at].status = if passed_over { Status::CircuitOpen } else { Status::Outranked };
    }
    if asked.is_empty() { Verdict::Abstain } else { Verdict::Ask { asked, reserves } }
}

/// Whether the asker's wishes leave `id` in.
pub(crate) fn allowed(options: &AskOptions, id: &SpecialistId) -> bool {
    (options.only.is_empty() || options.only.contains(id)) && !options.exclude.contains(id)
}

/// Whether `id` is the general specialist, which has no score. Who pins it asks it like any other.
pub(crate) fn stands_back(policy: &Policy, options: &AskOptions, id: &SpecialistId) -> bool {
    policy.general.as_ref() == Some(id) && options.only.len() != 1
}

/// Everybody, best first; who can still be asked is `Outranked` so far.
fn candidates(
    policy: &Policy,
    options: &AskOptions,
    snapshot: &Snapshot,
    scores: &Scores,
    ejected: &BTreeSet<SpecialistId>,
) -> Vec<Candidate> {
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
                ejected: ejected.contains(registration.id()),
                calls: 0,
                failure: None,
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
