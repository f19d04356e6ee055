//! One way to route, judged question by question.

use super::{
    detection::{auroc, fpr95},
    domains::{Went, macro_average, oracle_regret, single_regret},
    selective::{Accepted, Sample, aurc, brier, ece, outside_weight, risk_coverage},
};
use crate::statistics::Estimate;

/// What became of a question.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Judged<'a> {
    /// Whom it belongs to; `None` is nobody.
    pub(crate) own: Option<&'a str>,
    /// Whether the best one is the right one; no for nobody's.
    pub(crate) right: bool,
    /// Whether it was accepted, by whomever.
    pub(crate) accepted: bool,
    /// The more, the surer.
    pub(crate) confidence: f64,
}

/// All questions of one way to route.
pub(crate) struct Judgement<'a> {
    inside: Vec<Judged<'a>>,
    outside: Vec<Judged<'a>>,
    prior: f64,
}

type Two<'a> = (&'a [Judged<'a>], &'a [Judged<'a>]);

impl<'a> Judgement<'a> {
    /// `prior` is the share of questions that nobody's stand for.
    pub(crate) fn new(judged: impl IntoIterator<Item = Judged<'a>>, prior: f64) -> Self {
        let (inside, outside) = judged.into_iter().partition(|judged| judged.own.is_some());
        Self { inside, outside, prior }
    }

    fn both(&self, statistic: impl Fn(Two) -> f64) -> Estimate {
        Estimate::bootstrap(&self.inside, &self.outside, |inside, outside| statistic((inside, outside)))
    }

    /// The share of somebody's questions whose best one is the right one, accepted or not.
    pub(crate) fn accuracy(&self) -> Estimate {
        Estimate::share(self.inside.iter().filter(|judged| judged.right).count(), self.inside.len())
    }

    /// The mean of the domains' accuracies.
    pub(crate) fn macro_accuracy(&self) -> Estimate {
        self.both(|(inside, _)| macro_average(&went(inside)))
    }

    /// What is lost against an oracle.
    pub(crate) fn oracle_regret(&self) -> Estimate {
        self.both(|(inside, _)| oracle_regret(&went(inside)))
    }

    /// What is lost against the best single specialist; below 0 where routing pays.
    pub(crate) fn single_regret(&self) -> Estimate {
        self.both(|(inside, _)| single_regret(&went(inside)))
    }

    /// How often somebody's question has more confidence than nobody's.
    pub(crate) fn auroc(&self) -> Estimate {
        self.both(|(inside, outside)| auroc(&confidences(inside), &confidences(outside)))
    }

    /// The share of nobody's questions that is accepted where 95 % of the others are.
    pub(crate) fn fpr95(&self) -> Estimate {
        self.both(|(inside, outside)| fpr95(&confidences(inside), &confidences(outside)))
    }

    /// The share that is right and accepted, or nobody's and refused, at the prior.
    pub(crate) fn total(&self) -> Estimate {
        let well = |judged: &Judged| {
            if judged.own.is_some() { judged.right && judged.accepted } else { !judged.accepted }
        };
        self.both(|two| {
            let add = |sum: (f64, f64), sample: Sample| {
                (sum.0 + sample.weight * f64::from(u8::from(sample.right)), sum.1 + sample.weight)
            };
            let (well, all) = weighed(two, self.prior, well).fold((0.0, 0.0), add);
            well / all
        })
    }

    /// Expected calibration error of the confidence that somebody covers the question, at the prior. NaN
    /// where nobody's are missing.
    pub(crate) fn ece(&self) -> Estimate {
        self.calibration(|two| ece(weighed(two, self.prior, |judged| judged.own.is_some())))
    }

    /// Expected calibration error of the confidence that the best one is right, at the prior.
    pub(crate) fn ece_of_right(&self) -> Estimate {
        self.calibration(|two| ece(weighed(two, self.prior, |judged| judged.right)))
    }

    /// Brier score of the confidence that somebody covers the question.
    pub(crate) fn brier(&self) -> Estimate {
        self.calibration(|two| brier(weighed(two, self.prior, |judged| judged.own.is_some())))
    }

    fn calibration(&self, statistic: impl Fn(Two) -> f64) -> Estimate {
        if self.outside.is_empty() { Estimate::NONE } else { self.both(statistic) }
    }

    /// The mean risk over all coverages, at the prior.
    pub(crate) fn aurc(&self) -> Estimate {
        self.both(|two| aurc(&risk_coverage(weighed(two, self.prior, |judged| judged.right))))
    }

    /// The risk at each coverage, at the prior.
    pub(crate) fn curve(&self) -> Vec<Accepted> {
        risk_coverage(weighed((&self.inside, &self.outside), self.prior, |judged| judged.right))
    }
}

fn went<'a>(judged: &[Judged<'a>]) -> Vec<Went<&'a str>> {
    judged.iter().map(|judged| (judged.own.unwrap_or_default(), judged.right)).collect()
}

fn confidences(judged: &[Judged]) -> Vec<f64> {
    judged.iter().map(|judged| judged.confidence).collect()
}

/// Samples of which those come true that `is_right`, with nobody's weighing as much as `prior` says.
fn weighed<'a>(
    (inside, outside): Two<'a>,
    prior: f64,
    is_right: impl Fn(&Judged) -> bool + 'a,
) -> impl Iterator<Item = Sample> + 'a {
    let outside_weight = outside_weight(inside.len(), outside.len(), prior);
    inside.iter().chain(outside).map(move |judged| Sample {
        confidence: judged.confidence,
        right: is_right(judged),
        weight: if judged.own.is_some() { 1.0 } else { outside_weight },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of four, three are right, one of them refused; of two of nobody's one is refused.
    #[test]
    fn nobodys_questions_weigh_what_the_prior_says() {
        let judged = |own, right, accepted, confidence| Judged { own, right, accepted, confidence };
        let all = [
            judged(Some("a"), true, true, 0.9),
            judged(Some("a"), true, true, 0.8),
            judged(Some("b"), true, false, 0.3),
            judged(Some("b"), false, true, 0.7),
            judged(None, false, false, 0.1),
            judged(None, false, true, 0.8),
        ];
        let near = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        let judgement = Judgement::new(all, 0.1);
        near(judgement.accuracy().value, 0.75);
        near(judgement.total().value, 0.9 * 0.5 + 0.1 * 0.5);
        near(judgement.auroc().value, (2.0 + 1.5 + 1.0 + 1.0) / 8.0);
        near(judgement.curve().last().unwrap().risk, 0.9 * 0.25 + 0.1);
        let inside_alone = Judgement::new(all.into_iter().take(4), 0.0);
        near(inside_alone.total().value, 0.5);
        assert!(inside_alone.ece().value.is_nan() && inside_alone.auroc().value.is_nan());
    }
}
