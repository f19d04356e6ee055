//! How well confidence tells the questions that belong to somebody from those that belong to nobody.

/// The area under the curve of hits over false alarms: the share of pairs in which `inside` has more than
/// `outside`, ties counted half (Mann & Whitney 1947). NaN where either is empty.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(super) fn auroc(inside: &[f32], outside: &[f32]) -> f64 {
    let mut outside = outside.to_vec();
    outside.sort_by(f32::total_cmp);
    let halves = inside.iter().map(|confidence| {
        let less = outside.partition_point(|other| other < confidence);
        less + outside.partition_point(|other| other <= confidence)
    });
    halves.sum::<usize>() as f64 / (2 * inside.len() * outside.len()) as f64
}

/// The share of `outside` at or above the highest threshold that 95 % of `inside` reach. NaN where either
/// is empty.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(super) fn fpr95(inside: &[f32], outside: &[f32]) -> f64 {
    let mut inside = inside.to_vec();
    inside.sort_by(f32::total_cmp);
    let Some(threshold) = inside.get(inside.len() / 20) else { return f64::NAN };
    let accepted = outside.iter().filter(|confidence| *confidence >= threshold).count();
    accepted as f64 / outside.len() as f64
}

/// Bins of equal width that confidences are sorted into.
const BINS: usize = 15;

/// Expected calibration error: the mean distance between confidence and the share that is so, over bins
/// (Naeini, Cooper & Hauskrecht 2015), where `outside` stands for a share of `prior` of all questions.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "counts of questions, and a bin's number"
)]
pub(super) fn ece(inside: &[f32], outside: &[f32], prior: f64) -> f64 {
    let mut bins = [0.0; BINS];
    let mut add = |confidences: &[f32], share: f64, so: f64| {
        for confidence in confidences.iter().map(|confidence| f64::from(*confidence)) {
            let bin = (confidence * BINS as f64) as usize;
            bins[bin.min(BINS - 1)] += (confidence - so) * share / confidences.len() as f64;
        }
    };
    add(inside, 1.0 - prior, 1.0);
    add(outside, prior, 0.0);
    bins.iter().map(|off: &f64| off.abs()).sum()
}

/// The mean square of what confidence is off by (Brier 1950), where `outside` stands for a share of `prior`
/// of all questions.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(super) fn brier(inside: &[f32], outside: &[f32], prior: f64) -> f64 {
    let off = |confidences: &[f32], so: f64| {
        let squares = confidences.iter().map(|confidence| (f64::from(*confidence) - so).powi(2));
        squares.sum::<f64>() / confidences.len() as f64
    };
    (1.0 - prior) * off(inside, 1.0) + prior * off(outside, 0.0)
}

/// The mean of counts. NaN for none.
#[expect(clippy::cast_precision_loss, reason = "counts of specialists")]
pub(super) fn mean(counts: &[usize]) -> f64 {
    counts.iter().sum::<usize>() as f64 / counts.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_counted_and_ties_are_halves() {
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-12, "{value}");
        close(auroc(&[0.9, 0.5], &[0.1, 0.5]), 3.5 / 4.0);
        close(auroc(&[0.1], &[0.2]), 0.0);
        close(auroc(&[f32::NEG_INFINITY, 0.3], &[f32::NEG_INFINITY]), 0.75);
        assert!(auroc(&[0.1], &[]).is_nan());
    }

    #[test]
    fn confidence_that_is_right_as_often_as_it_says_has_no_error() {
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-6, "{value}");
        // Nine of ten are somebody's, and 0.9 is said of all.
        close(ece(&[0.9; 5], &[0.9; 3], 0.1), 0.0);
        close(ece(&[0.9; 5], &[0.9; 3], 0.4), 0.3);
        close(ece(&[1.0], &[0.0], 0.5), 0.0);
        close(brier(&[0.9; 5], &[0.9; 3], 0.1), 0.09);
    }

    #[test]
    fn a_twentieth_may_fall_below_the_threshold() {
        let inside: Vec<f32> = (0..20_u8).map(|at| f32::from(at) / 20.0).collect();
        // 19 of 20 reach 0.05.
        assert!((fpr95(&inside, &[0.0, 0.04, 0.05, 0.9]) - 0.5).abs() < 1e-12);
        assert!(fpr95(&[], &[0.1]).is_nan() && fpr95(&[0.1], &[]).is_nan());
    }

    #[test]
    fn the_mean_of_nothing_is_no_number() {
        assert!((mean(&[1, 2]) - 1.5).abs() < 1e-12 && mean(&[]).is_nan());
    }
}
