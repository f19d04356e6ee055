//! What may be said of samples, and of shares.

use std::{
    fmt::{self, Display, Formatter},
    time::Duration,
};

use serde::{Deserialize, Serialize};

/// Standard deviations on either side of the middle that hold 95 % of a normal distribution.
const SPREAD_95: f64 = 1.959_964;

/// How many samples are drawn for an interval, and what decides which.
const RESAMPLES: usize = 1_000;
const RESAMPLING_SEED: u64 = 1;

/// As many of `sample` as there are, each drawn from all of them.
fn resampled<T: Copy>(sample: &[T], random: &mut fastrand::Rng) -> Vec<T> {
    sample.iter().map(|_| sample[random.usize(..sample.len())]).collect()
}

/// A number, and the 95 % interval around it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Estimate {
    pub(crate) value: f64,
    /// Lower end of the interval.
    pub(crate) low: f64,
    /// Upper end of the interval.
    pub(crate) high: f64,
}

impl Estimate {
    /// Of what cannot be said.
    pub(crate) const NONE: Self = Self { value: f64::NAN, low: f64::NAN, high: f64::NAN };

    /// The median of `samples`, with the interval of its order statistics: the ranks n / 2 plus and
    /// minus 0.98 times the root of n (normal approximation of the binomial; David & Nagaraja 2003,
    /// section 7.1). NaN for no samples.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks among few samples"
    )]
    pub(crate) fn median(samples: impl IntoIterator<Item = f64>) -> Self {
        let mut samples: Vec<f64> = samples.into_iter().collect();
        samples.sort_by(f64::total_cmp);
        let count = samples.len() as f64;
        let at = |rank: f64| {
            let rank = rank.clamp(0.0, (count - 1.0).max(0.0)) as usize;
            samples.get(rank).copied().unwrap_or(f64::NAN)
        };
        let (middle, spread) = ((count - 1.0) / 2.0, SPREAD_95 / 2.0 * count.sqrt());
        Self {
            value: f64::midpoint(at(middle.floor()), at(middle.ceil())),
            low: at((middle - spread).floor()),
            high: at((middle + spread).ceil()),
        }
    }

    /// The median of times, in units of `unit`.
    pub(crate) fn median_time(times: &[Duration], unit: Duration) -> Self {
        Self::median(times.iter().map(|time| time.as_secs_f64() / unit.as_secs_f64()))
    }

    /// `statistic` of two samples, with the interval of its percentiles over samples drawn from them with
    /// replacement (Efron & Tibshirani 1993, section 13.3), the same ones at every call.
    pub(crate) fn bootstrap<A: Copy, B: Copy>(
        first: &[A],
        second: &[B],
        statistic: impl Fn(&[A], &[B]) -> f64,
    ) -> Self {
        let mut random = fastrand::Rng::with_seed(RESAMPLING_SEED);
        let mut drawn: Vec<f64> = (0..RESAMPLES)
            .map(|_| statistic(&resampled(first, &mut random), &resampled(second, &mut random)))
            .collect();
        drawn.sort_by(f64::total_cmp);
        let tail = RESAMPLES / 40;
        Self { value: statistic(first, second), low: drawn[tail], high: drawn[RESAMPLES - 1 - tail] }
    }

    /// The share that `count` is of `all`, with Wilson's interval (1927). NaN where there are none.
    #[expect(clippy::cast_precision_loss, reason = "counts of texts")]
    pub(crate) fn share(count: usize, all: usize) -> Self {
        let (n, z) = (all as f64, SPREAD_95);
        let value = count as f64 / n;
        let scale = 1.0 + z * z / n;
        let middle = (value + z * z / (2.0 * n)) / scale;
        let half = z / scale * (value * (1.0 - value) / n + z * z / (4.0 * n * n)).sqrt();
        Self { value, low: (middle - half).max(0.0), high: (middle + half).min(1.0) }
    }
}

impl Estimate {
    /// A share as "99.95 % (99.80 to 99.99)".
    pub(crate) fn percent(self) -> String {
        let [value, low, high] = [self.value, self.low, self.high].map(|share| 100.0 * share);
        format!("{value:.2} % ({low:.2} to {high:.2})")
    }

    /// Three figures of the value alone.
    pub(crate) fn short(self) -> String {
        format!("{:.*}", places(self.value), self.value)
    }
}

/// As "1.48 (1.45 to 1.52)": three figures of the value, and no more places in the interval.
impl Display for Estimate {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { value, low, high } = self;
        let places = places(*value);
        write!(f, "{value:.places$} ({low:.places$} to {high:.places$})")
    }
}

/// How many places behind the point show three figures of `value`.
fn places(value: f64) -> usize {
    if value.abs() < f64::EPSILON {
        return 2;
    }
    (0..6)
        .find(|places| value.abs() >= 10_f64.powi(2 - places))
        .map_or(6, |places| places.unsigned_abs() as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_its_interval() {
        let median = Estimate::median((1..=101_u8).rev().map(f64::from));
        assert_eq!(median, Estimate { value: 51.0, low: 41.0, high: 61.0 });
        assert_eq!(Estimate::median([3.0, 1.0]), Estimate { value: 2.0, low: 1.0, high: 3.0 });
        assert!(Estimate::median([]).value.is_nan());
    }

    /// The interval of 10 out of 20 is the textbook's: 0.299 to 0.701.
    #[test]
    fn a_share_has_wilsons_interval() {
        assert_eq!(Estimate::share(10, 20).percent(), "50.00 % (29.93 to 70.07)");
        let all = Estimate::share(1_000, 1_000);
        assert!(all.low > 0.996 && all.low < 1.0 && all.high > 0.999_999, "{all:?}");
        assert!(Estimate::share(0, 0).value.is_nan());
    }

    /// The mean of 0 and 1 in equal parts spreads by half over the root of their number.
    #[test]
    fn a_bootstrapped_mean_has_the_interval_of_the_normal_distribution() {
        let halves: Vec<f64> = (0..400).map(|at| f64::from(at % 2)).collect();
        let mean = |values: &[f64], _: &[()]| values.iter().sum::<f64>() / 400.0;
        let Estimate { value, low, high } = Estimate::bootstrap(&halves, &[], mean);
        assert!((value - 0.5).abs() < 1e-12);
        assert!((low - 0.451).abs() < 0.01 && (high - 0.549).abs() < 0.01, "{low} to {high}");
    }

    #[test]
    fn three_figures_are_shown() {
        let shown = |value| Estimate { value, low: value, high: value }.to_string();
        assert_eq!(shown(1.4849), "1.48 (1.48 to 1.48)");
        assert_eq!(shown(1_484.9), "1485 (1485 to 1485)");
        assert_eq!(shown(0.014_849), "0.0148 (0.0148 to 0.0148)");
        assert_eq!(shown(0.0), "0.00 (0.00 to 0.00)");
    }
}
