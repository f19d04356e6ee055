//! From nearest prototypes to scores.

use std::collections::BTreeMap;

use index::Hit;
use registry::{PrototypeKey, Slot};

/// What each specialist's prototypes say of one question, in cosine units; by slot.
pub type Scores = BTreeMap<Slot, f32>;

/// Scores every specialist that owns one of `hits`, the prototypes nearest to the question:
/// `T * ln(sum over its hits of exp(cosine / T))`. Sizes of corpora play no part.
pub fn score(hits: &[Hit<PrototypeKey>], temperature: f32) -> Scores {
    let mut owned: Vec<(Slot, f32)> = hits.iter().map(|hit| (hit.key.slot, hit.similarity)).collect();
    owned.sort_by_key(|(slot, _)| *slot);
    let mut cosines = Vec::new();
    let score = |own: &[(Slot, f32)]| {
        cosines.clear();
        cosines.extend(own.iter().map(|(_, cosine)| *cosine));
        (own[0].0, log_sum_exp(&cosines, temperature))
    };
    owned.chunk_by(|a, b| a.0 == b.0).map(score).collect()
}

/// `T * ln(sum of exp(x / T))`, the soft maximum of `values`; `-inf` for none.
pub fn log_sum_exp(values: &[f32], temperature: f32) -> f32 {
    let largest = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    if largest == f32::NEG_INFINITY {
        return largest;
    }
    // The largest is taken out so that no power overflows.
    let rest: f32 = values.iter().map(|x| ((x - largest) / temperature).exp()).sum();
    largest + temperature * rest.ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_soft_maximum_lies_between_the_maximum_and_the_sum() {
        assert!(log_sum_exp(&[], 0.05).is_infinite());
        assert!((log_sum_exp(&[0.4], 0.05) - 0.4).abs() < 1e-6);
        let two = log_sum_exp(&[0.4, 0.4], 0.05);
        assert!((two - (0.4 + 0.05 * 2_f32.ln())).abs() < 1e-6, "{two}");
        assert!(log_sum_exp(&[1.0, -1.0], 1e-3).is_finite());
    }
}
