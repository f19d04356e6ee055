//! What may be said of a sample of times.

use std::time::Duration;

use serde_json::{Value, json};

/// A median and its interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Median {
    pub(crate) value: f64,
    /// Lower end of the 95 % interval.
    pub(crate) low: f64,
    /// Upper end of the 95 % interval.
    pub(crate) high: f64,
}

impl Median {
    /// The median of `samples`, with the interval of its order statistics: the ranks n / 2 plus and
    /// minus 0.98 times the root of n (normal approximation of the binomial; David & Nagaraja 2003,
    /// section 7.1). NaN for no samples.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "ranks among few samples"
    )]
    pub(crate) fn of(mut samples: Vec<f64>) -> Self {
        samples.sort_by(f64::total_cmp);
        let count = samples.len() as f64;
        let at = |rank: f64| {
            let rank = rank.clamp(0.0, (count - 1.0).max(0.0)) as usize;
            samples.get(rank).copied().unwrap_or(f64::NAN)
        };
        let (middle, spread) = ((count - 1.0) / 2.0, 0.98 * count.sqrt());
        Self {
            value: f64::midpoint(at(middle.floor()), at(middle.ceil())),
            low: at((middle - spread).floor()),
            high: at((middle + spread).ceil()),
        }
    }

    /// The median of times, in units of `unit`.
    pub(crate) fn of_times(times: &[Duration], unit: Duration) -> Self {
        Self::of(times.iter().map(|time| time.as_secs_f64() / unit.as_secs_f64()).collect())
    }

    pub(crate) fn json(self) -> Value {
        json!({ "value": self.value, "low": self.low, "high": self.high })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_in_its_interval() {
        let median = Median::of((1..=101_u8).rev().map(f64::from).collect());
        assert_eq!(median, Median { value: 51.0, low: 41.0, high: 61.0 });
        assert_eq!(Median::of(vec![3.0, 1.0]), Median { value: 2.0, low: 1.0, high: 3.0 });
        assert!(Median::of(Vec::new()).value.is_nan());
    }
}
