//! How well confidence tells the questions that belong to somebody from those that belong to nobody.

/// The area under the curve of hits over false alarms: the share of pairs in which `inside` has more than
/// `outside`, ties counted half (Mann & Whitney 1947). NaN where either is empty.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(crate) fn auroc(inside: &[f64], outside: &[f64]) -> f64 {
    let mut outside = outside.to_vec();
    outside.sort_by(f64::total_cmp);
    let halves = inside.iter().map(|confidence| {
        let less = outside.partition_point(|other| other < confidence);
        less + outside.partition_point(|other| other <= confidence)
    });
    halves.sum::<usize>() as f64 / (2 * inside.len() * outside.len()) as f64
}

/// The share of `outside` at or above the highest threshold that 95 % of `inside` reach. NaN where either
/// is empty.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(crate) fn fpr95(inside: &[f64], outside: &[f64]) -> f64 {
    let mut inside = inside.to_vec();
    inside.sort_by(f64::total_cmp);
    let Some(threshold) = inside.get(inside.len() / 20) else { return f64::NAN };
    let accepted = outside.iter().filter(|confidence| *confidence >= threshold).count();
    accepted as f64 / outside.len() as f64
}

/// The mean of counts. NaN for none.
#[expect(clippy::cast_precision_loss, reason = "counts of specialists")]
pub(crate) fn mean(counts: &[usize]) -> f64 {
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
        close(auroc(&[f64::NEG_INFINITY, 0.3], &[f64::NEG_INFINITY]), 0.75);
        assert!(auroc(&[0.1], &[]).is_nan());
    }

    #[test]
    fn a_twentieth_may_fall_below_the_threshold() {
        let inside: Vec<f64> = (0..20_u8).map(|at| f64::from(at) / 20.0).collect();
        // 19 of 20 reach 0.05.
        assert!((fpr95(&inside, &[0.0, 0.04, 0.05, 0.9]) - 0.5).abs() < 1e-12);
        assert!(fpr95(&[], &[0.1]).is_nan() && fpr95(&[0.1], &[]).is_nan());
    }

    #[test]
    fn the_mean_of_nothing_is_no_number() {
        assert!((mean(&[1, 2]) - 1.5).abs() < 1e-12 && mean(&[]).is_nan());
    }
}
