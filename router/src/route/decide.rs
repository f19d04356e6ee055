//! From scores and evidence to a decision.

use std::sync::Arc;

use proto::{Evidence, Probing};
use registry::{Registration, Slot};

use super::{Calibration, Case, Shown, Survey};

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

/// What became of a probe.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Probed {
    /// Nobody probed it.
    Not,
    /// It did not answer in time, or not within the contract.
    InVain,
    /// It showed this.
    Showed(Evidence),
}

/// A specialist as one question met it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Who.
    pub registration: Arc<Registration>,
    /// How near its prototypes are, in cosine units; `None` where none is among the nearest.
    pub score: Option<f32>,
    /// What its index shows.
    pub probed: Probed,
    /// Its share of the softmax over the strengths: 0 to 1.
    pub probability: f32,
    /// The probability that it covers the question, whoever else does: 0 to 1.
    pub confidence: f32,
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
    /// The probability that somebody covers the question, as far as any one is concerned: 0 to 1.
    pub confidence: f32,
    /// Nobody covers the question, and the general specialist is asked.
    pub general: bool,
}

impl Decision {
    /// Whether nobody is asked because the question is too far from everybody's domain.
    pub fn is_uncovered(&self) -> bool {
        let any = |status| self.candidates.iter().any(|candidate| candidate.status == status);
        self.verdict == Verdict::Abstain && any(Status::BelowThreshold) && !any(Status::ConsentMissing)
    }
}

/// Somebody in the fleet: strength, score, what became of a probe, and who.
type Placed<'a> = (f32, Option<f32>, Probed, &'a Arc<Registration>);

impl Case<'_> {
    /// Decides for one question.
    ///
    /// Asked are those in the conformal set: whose share of the softmax is at least `1 - miss_max` (Sadinle,
    /// Lei & Wasserman 2019), the best one always.
    pub fn decide(&self, survey: &Survey, shown: &Shown) -> Decision {
        let mut candidates = self.candidates(survey, shown);
        let Calibration { confidence_min, miss_max, .. } = *self.calibration;
        let confidence = candidates.iter().map(|candidate| candidate.confidence).fold(0.0, f32::max);
        // Who names one specialist has chosen; the threshold is there for those who have not.
        for candidate in candidates.iter_mut().filter(|candidate| candidate.status == Status::Outranked) {
            // Once somebody covers the question, whoever is likely to be the right one may be asked.
            let likely = confidence >= confidence_min && candidate.probability >= 1.0 - miss_max;
            let covers = candidate.score.is_some() && (likely || candidate.confidence >= confidence_min);
            if !(self.pinned() || covers) {
                candidate.status = Status::BelowThreshold;
            }
        }
        let most = self.policy.specialists_max;
        let asked_max = self.options.specialists_max.map_or(most, |wanted| wanted.get().min(most));
        let mut verdict = loop {
            let verdict = pick(miss_max, asked_max, &mut candidates);
            let without = verdict.seen_by().filter(|&at| self.lacks_consent(&candidates[at].registration));
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
        if let (Verdict::Abstain, Some(at)) = (&verdict, self.stand_in(&mut candidates)) {
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

    /// Whether its index may be shown the question's vector.
    pub(super) fn may_probe(&self, registration: &Registration) -> bool {
        registration.card.card().probing != Probing::Off
            && !self.lacks_consent(registration)
            && !self.ejected.contains(registration.id())
    }

    fn lacks_consent(&self, registration: &Registration) -> bool {
        let card = registration.card.card();
        card.asks_consent && !self.options.consent.contains(&card.id)
    }

    /// The place of the general specialist, if it may be asked now that nobody else is. Where somebody
    /// covers the question and only consent is missing, the asker decides first.
    fn stand_in(&self, candidates: &mut [Candidate]) -> Option<usize> {
        if candidates.iter().any(|candidate| candidate.status == Status::ConsentMissing) {
            return None;
        }
        let at = candidates.iter().position(|candidate| {
            candidate.status == Status::BelowThreshold && self.stands_back(candidate.registration.id())
        })?;
        if self.lacks_consent(&candidates[at].registration) {
            candidates[at].status = Status::ConsentMissing;
            return None;
        }
        Some(at)
    }

    /// Everybody, best first; who can still be asked is `Outranked` so far.
    fn candidates(&self, survey: &Survey, shown: &Shown) -> Vec<Candidate> {
        // Asked for everybody, so they are held close together.
        let scores: Vec<(Slot, f32)> = survey.scores.iter().map(|(slot, score)| (*slot, *score)).collect();
        let offset = |registration: &Arc<Registration>| self.calibration.offset(registration.id());
        let strength = |(slot, registration)| {
            let place = scores.binary_search_by_key(&slot, |(slot, _)| *slot);
            let score = place.ok().map(|place| scores[place].1);
            // Most of a large fleet have no score, and then nothing else is looked up.
            let probed = score.map_or(Probed::Not, |_| probed(shown.get(&slot)));
            let strength =
                score.map(|score| self.calibration.strength(score, probed.evidence()) + offset(registration));
            (strength.unwrap_or(f32::NEG_INFINITY), score, probed, registration)
        };
        let everybody = self.snapshot.placed().map(strength);
        let (mut scored, others): (Vec<Placed>, Vec<Placed>) =
            everybody.partition(|(_, score, ..)| score.is_some());
        // Members come by id, so equal strengths stay in a fixed order.
        scored.sort_by(|a, b| b.0.total_cmp(&a.0));
        let largest = scored.first().map_or(0.0, |best| best.0);
        let total: f32 = scored.iter().map(|(strength, ..)| (strength - largest).exp()).sum();
        let candidate = |(strength, score, probed, registration): Placed| {
            let confidence = |score| self.calibration.confidence(survey.seen, score, probed.evidence());
            Candidate {
                score,
                probed,
                probability: score.map_or(0.0, |_| (strength - largest).exp() / total),
                confidence: score.map_or(0.0, confidence),
                status: if !registration.enabled {
                    Status::Disabled
                } else if !self.allows(registration.id()) {
                    Status::Excluded
                } else {
                    Status::Outranked
                },
                ejected: self.ejected.contains(registration.id()),
                calls: 0,
                failure: None,
                registration: registration.clone(),
            }
        };
        scored.into_iter().chain(others).map(candidate).collect()
    }
}

fn probed(shown: Option<&Option<Evidence>>) -> Probed {
    match shown {
        None => Probed::Not,
        Some(None) => Probed::InVain,
        Some(Some(evidence)) => Probed::Showed(*evidence),
    }
}

impl Probed {
    /// What it showed.
    pub fn evidence(self) -> Option<Evidence> {
        match self {
            Self::Showed(evidence) => Some(evidence),
            Self::Not | Self::InVain => None,
        }
    }
}

/// Who stands in for others covers the question with at least this confidence: where the right one fails, a
/// wrong domain's answer is worse than none.
const RESERVE_CONFIDENCE_MIN: f32 = 0.9;

/// Picks among those who are `Outranked` so far. Whoever is left alone is passed over, unless nobody
/// else is likely: a domain never loses its last.
fn pick(miss_max: f32, asked_max: usize, candidates: &mut [Candidate]) -> Verdict {
    let open = |status| matches!(status, Status::Outranked | Status::CircuitOpen);
    let fit: Vec<usize> = (0..candidates.len()).filter(|&at| open(candidates[at].status)).collect();
    let likely = |at: &usize| candidates[*at].probability >= 1.0 - miss_max;
    let likely_count = fit.iter().filter(|at| likely(at)).count().max(1).min(fit.len());
    let well = |at: &&usize| !candidates[**at].ejected;
    let mut asked: Vec<usize> = fit[..likely_count].iter().filter(well).copied().collect();
    if asked.is_empty() {
        asked = fit[..likely_count].to_vec();
    }
    asked.truncate(asked_max);
    let spared = asked_max - asked.len();
    let stands_in = |at: &&usize| likely(at) || candidates[**at].confidence >= RESERVE_CONFIDENCE_MIN;
    let others = fit.iter().filter(well).filter(|at| !asked.contains(at)).filter(stands_in);
    let reserves: Vec<usize> = others.take(spared).copied().collect();
    for &at in &fit {
        let passed_over = candidates[at].ejected && !asked.contains(&at);
        candidates[at].status = if passed_over { Status::CircuitOpen } else { Status::Outranked };
    }
    if asked.is_empty() { Verdict::Abstain } else { Verdict::Ask { asked, reserves } }
}

#[cfg(test)]
mod tests;
