//! How far a confidence can be trusted: as a probability, and for choosing what to answer.

/// How many bins of equal width calibration errors are counted in, as is usual since Guo et al. 2017.
pub(crate) const BINS: usize = 15;

/// A question with the confidence that it was routed with.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Sample {
    /// A probability between 0 and 1 where [`ece`] or [`brier`] is asked for; else more is surer.
    pub(crate) confidence: f64,
    /// Whether it came true.
    pub(crate) right: bool,
    /// How many questions it stands for; more than 0.
    pub(crate) weight: f64,
}

/// What a question out of domain has to weigh where one in domain weighs 1, so that among `inside` and
/// `outside` of them the share `prior` is out of domain.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(crate) fn outside_weight(inside: usize, outside: usize, prior: f64) -> f64 {
    prior / (1.0 - prior) * inside as f64 / outside as f64
}

/// The expected calibration error, in [`BINS`] bins of equal width: the distance between what was promised
/// and what came true in a bin, averaged over the questions (Naeini, Cooper & Hauskrecht 2015). NaN for
/// none.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the number of a bin"
)]
pub(crate) fn ece(samples: impl IntoIterator<Item = Sample>) -> f64 {
    let (mut gaps, mut all) = ([0.0; BINS], 0.0);
    for Sample { confidence, right, weight } in samples {
        let bin = ((confidence * BINS as f64) as usize).min(BINS - 1);
        gaps[bin] += weight * (confidence - f64::from(u8::from(right)));
        all += weight;
    }
    gaps.iter().map(|gap| gap.abs()).sum::<f64>() / all
}

/// The mean squared distance of the probabilities from what came true (Brier 1950). NaN for none.
pub(crate) fn brier(samples: impl IntoIterator<Item = Sample>) -> f64 {
    let (mut sum, mut all) = (0.0, 0.0);
    for Sample { confidence, right, weight } in samples {
        sum += weight * (confidence - f64::from(u8::from(right))).powi(2);
        all += weight;
    }
    sum / all
}

/// The risk where only the surest are accepted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Accepted {
    /// The share of all that is accepted, more than 0 and at most 1.
    pub(crate) coverage: f64,
    /// The share of those accepted that is wrong.
    pub(crate) risk: f64,
}

/// The risk at every coverage, the surest first (El-Yaniv & Wiener 2010; Geifman & El-Yaniv 2017). Which of
/// the equally sure come first is chance, so each of them has their mean share of errors.
pub(crate) fn risk_coverage(samples: impl IntoIterator<Item = Sample>) -> Vec<Accepted> {
    let mut samples: Vec<Sample> = samples.into_iter().collect();
    samples.sort_by(|a, b| b.confidence.total_cmp(&a.confidence));
    let weight = |samples: &[Sample]| samples.iter().map(|sample| sample.weight).sum::<f64>();
    let all = weight(&samples);
    let (mut accepted, mut wrong, mut curve) = (0.0, 0.0, Vec::with_capacity(samples.len()));
    for equals in samples.chunk_by(|a, b| a.confidence.total_cmp(&b.confidence).is_eq()) {
        let amiss = equals.iter().filter(|sample| !sample.right).map(|sample| sample.weight).sum::<f64>();
        let rate = amiss / weight(equals);
        for sample in equals {
            accepted += sample.weight;
            wrong += sample.weight * rate;
            curve.push(Accepted { coverage: accepted / all, risk: wrong / accepted });
        }
    }
    curve
}

/// The area under a curve of [`risk_coverage`]: the mean risk over all coverages, 0 at best (Geifman, Uziel
/// & El-Yaniv 2019). NaN for no curve.
pub(crate) fn aurc(curve: &[Accepted]) -> f64 {
    if curve.is_empty() {
        return f64::NAN;
    }
    let mut before = 0.0;
    let area = |point: &Accepted| {
        let step = point.coverage - before;
        before = point.coverage;
        step * point.risk
    };
    curve.iter().map(area).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(of: &[(f64, bool)]) -> Vec<Sample> {
        of.iter().map(|&(confidence, right)| Sample { confidence, right, weight: 1.0 }).collect()
    }

    #[track_caller]
    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value} in place of {expected}");
    }

    /// Two of four at .75 come true: a quarter too few. The one at 1 keeps its word.
    #[test]
    fn a_calibration_error_is_the_distance_in_a_bin() {
        let certain = (1.0, true);
        let four = [(0.75, true), (0.75, true), (0.75, false), (0.75, false)];
        near(ece(samples(&four)), 0.25);
        near(ece(samples(&[four.as_slice(), &[certain; 4]].concat())), 0.125);
        assert!(ece([]).is_nan());
    }

    /// Errors that cancel each other in a bin are none; in two bins they stay.
    #[test]
    fn bins_are_a_fifteenth_wide() {
        near(ece(samples(&[(0.47, false), (0.53, true)])), 0.0);
        near(ece(samples(&[(0.45, false), (0.55, true)])), 0.45);
    }

    #[test]
    fn a_forecast_that_says_nothing_has_a_brier_score_of_a_quarter() {
        near(brier(samples(&[(0.5, true), (0.5, false)])), 0.25);
        near(brier(samples(&[(1.0, true), (0.0, false)])), 0.0);
        near(brier(samples(&[(0.2, false), (1.0, true)])), 0.02);
    }

    /// Half of the questions in hand are out of domain, a tenth of those to come.
    #[test]
    fn weights_bring_the_stated_prior() {
        let weight = outside_weight(50, 50, 0.1);
        near(50.0 * weight / (50.0 + 50.0 * weight), 0.1);
        let inside = samples(&[(0.9, true); 50]).into_iter();
        let outside = inside.clone().map(|sample| Sample { right: false, weight, ..sample });
        near(ece(inside.clone().chain(outside.clone())), 0.0);
        near(brier(inside.chain(outside)), 0.09);
    }

    #[test]
    fn risk_grows_with_coverage_where_confidence_is_worth_something() {
        let curve = risk_coverage(samples(&[(0.1, false), (0.9, true), (0.5, true), (0.4, false)]));
        let expected = [(0.25, 0.0), (0.5, 0.0), (0.75, 1.0 / 3.0), (1.0, 0.5)];
        for (point, (coverage, risk)) in curve.iter().zip(expected) {
            near(point.coverage, coverage);
            near(point.risk, risk);
        }
        near(aurc(&curve), (1.0 / 3.0 + 0.5) / 4.0);
        assert!(aurc(&[]).is_nan());
    }

    /// Whoever is equally sure of everything has its error rate everywhere, however they are sorted.
    #[test]
    fn the_order_of_the_equally_sure_does_not_matter() {
        let risks = |of: &[(f64, bool)]| risk_coverage(samples(of)).iter().map(|point| point.risk).collect();
        let (one, other): (Vec<f64>, Vec<f64>) =
            (risks(&[(0.5, true), (0.5, false)]), risks(&[(0.5, false), (0.5, true)]));
        assert_eq!((one, other), (vec![0.5, 0.5], vec![0.5, 0.5]));
    }

    #[test]
    fn a_question_that_stands_for_three_counts_as_three() {
        let heavy = Sample { confidence: 0.5, right: false, weight: 3.0 };
        let curve = risk_coverage(samples(&[(0.9, true)]).into_iter().chain([heavy]));
        assert_eq!(curve[1], Accepted { coverage: 1.0, risk: 0.75 });
        near(aurc(&curve), 0.75 * 0.75);
    }
}
