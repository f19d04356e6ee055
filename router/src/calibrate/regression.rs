//! Regressions with few weights, and their optimiser's edge.

use anyhow::{Context, Result};
use argmin::{
    core::{CostFunction, Error, Executor, Gradient},
    solver::{
        linesearch::{BacktrackingLineSearch, condition::ArmijoCondition},
        quasinewton::LBFGS,
    },
};

/// Steps of the optimiser: far more than a handful of weights takes.
const STEPS_MAX: u64 = 200;

/// Past steps that the optimiser remembers.
const MEMORY: usize = 7;

/// A step is taken if it lowers the loss by this share of what its slope promises, and halved until it does.
/// The losses are convex, so nothing more is asked of it; and halving comes to an end, which More and Thuente's
/// search in argmin 0.11 does not always.
const DECREASE_MIN: f64 = 1e-4;

/// How strongly weights are held near 0, in units of one question, on features scaled to deviation 1.
const RIDGE: f64 = 1.0;

/// Features, as numbers of one kind each.
pub(super) type Features<const N: usize> = [f64; N];

/// A loss to minimise, with its gradient.
struct Loss<F>(F);

impl<F: Fn(&[f64]) -> (f64, Vec<f64>)> CostFunction for Loss<F> {
    type Param = Vec<f64>;
    type Output = f64;

    fn cost(&self, weights: &Vec<f64>) -> Result<f64, Error> {
        Ok((self.0)(weights).0)
    }
}

impl<F: Fn(&[f64]) -> (f64, Vec<f64>)> Gradient for Loss<F> {
    type Param = Vec<f64>;
    type Gradient = Vec<f64>;

    fn gradient(&self, weights: &Vec<f64>) -> Result<Vec<f64>, Error> {
        Ok((self.0)(weights).1)
    }
}

/// The weights that make `loss` least, from 0 on, by limited-memory BFGS (Liu & Nocedal 1989).
fn minimize(count: usize, loss: impl Fn(&[f64]) -> (f64, Vec<f64>)) -> Result<Vec<f64>> {
    let search = BacktrackingLineSearch::new(ArmijoCondition::new(DECREASE_MIN)?).rho(0.5)?;
    let solver = LBFGS::new(search, MEMORY);
    let executor = Executor::new(Loss(loss), solver)
        .configure(|state| state.param(vec![0.0; count]).max_iters(STEPS_MAX));
    let mut found = executor.run().context("the numbers cannot be fitted")?;
    let weights = found.state.take_best_param().context("the numbers cannot be fitted")?;
    anyhow::ensure!(weights.iter().all(|weight| weight.is_finite()), "the numbers cannot be fitted");
    Ok(weights)
}

/// The standard deviation of each feature; 1 where a feature never changes.
fn deviations<const N: usize>(rows: &[&Features<N>]) -> Features<N> {
    #[expect(clippy::cast_precision_loss, reason = "counts of questions")]
    let count = rows.len().max(1) as f64;
    std::array::from_fn(|at| {
        let mean = rows.iter().map(|row| row[at]).sum::<f64>() / count;
        let variance = rows.iter().map(|row| (row[at] - mean).powi(2)).sum::<f64>() / count;
        if variance > 1e-12 { variance.sqrt() } else { 1.0 }
    })
}

/// Weights and offset of a logistic regression of `rows` (features, and whether it is so), with a ridge.
pub(super) fn logistic<const N: usize>(rows: &[(Features<N>, bool)]) -> Result<(Features<N>, f64)> {
    let scale = deviations(&rows.iter().map(|(row, _)| row).collect::<Vec<_>>());
    let loss = |weights: &[f64]| {
        let mut loss = RIDGE * weights[..N].iter().map(|w| w * w).sum::<f64>() / 2.0;
        let mut gradient: Vec<f64> = weights.iter().map(|w| RIDGE * w).collect();
        gradient[N] = 0.0;
        for (row, so) in rows {
            let z = weights[N] + (0..N).map(|at| weights[at] * row[at] / scale[at]).sum::<f64>();
            // ln(1 + exp(z)) without overflow.
            loss += z.max(0.0) + (-z.abs()).exp().ln_1p() - if *so { z } else { 0.0 };
            let off = 1.0 / (1.0 + (-z).exp()) - f64::from(u8::from(*so));
            for at in 0..N {
                gradient[at] += off * row[at] / scale[at];
            }
            gradient[N] += off;
        }
        (loss, gradient)
    };
    let weights = minimize(N + 1, loss)?;
    Ok((std::array::from_fn(|at| weights[at] / scale[at]), weights[N]))
}

/// Weights of a conditional logit (`McFadden` 1974) with a ridge: in each of `choices` the alternative of that
/// number was right among all.
pub(super) fn conditional_logit<const N: usize>(
    choices: &[(usize, Vec<Features<N>>)],
) -> Result<Features<N>> {
    let scale = deviations(&choices.iter().flat_map(|(_, alternatives)| alternatives).collect::<Vec<_>>());
    let loss = |weights: &[f64]| {
        let mut loss = RIDGE * weights.iter().map(|w| w * w).sum::<f64>() / 2.0;
        let mut gradient: Vec<f64> = weights.iter().map(|w| RIDGE * w).collect();
        for (right, alternatives) in choices {
            let strength =
                |row: &Features<N>| (0..N).map(|at| weights[at] * row[at] / scale[at]).sum::<f64>();
            let strengths: Vec<f64> = alternatives.iter().map(strength).collect();
            let largest = strengths.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = strengths.iter().map(|s| (s - largest).exp()).sum();
            loss += total.ln() + largest - strengths[*right];
            for (place, (row, strength)) in alternatives.iter().zip(&strengths).enumerate() {
                let off = (strength - largest).exp() / total - f64::from(u8::from(place == *right));
                for at in 0..N {
                    gradient[at] += off * row[at] / scale[at];
                }
            }
        }
        (loss, gradient)
    };
    let weights = minimize(N, loss)?;
    Ok(std::array::from_fn(|at| weights[at] / scale[at]))
}

/// Offset and slope of the line of least squares through `points`; flat where they have one place.
pub(super) fn line(points: &[(f64, f64)]) -> (f64, f64) {
    #[expect(clippy::cast_precision_loss, reason = "counts of questions")]
    let count = points.len().max(1) as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let shared: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let slope = if spread > 1e-12 { shared / spread } else { 0.0 };
    (y - slope * x, slope)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// With as many questions at each place as the logistic function says, it is found again.
    #[test]
    fn a_logistic_function_is_found_again() {
        let rows: Vec<([f64; 1], bool)> = (-20..=20)
            .flat_map(|step| {
                let x = f64::from(step) / 5.0;
                let share = 1.0 / (1.0 + (-(2.0 * x + 1.0)).exp());
                (0..1_000).map(move |at| ([x], f64::from(at) < 1_000.0 * share))
            })
            .collect();
        let ([slope], offset) = logistic(&rows).unwrap();
        assert!((slope - 2.0).abs() < 0.02 && (offset - 1.0).abs() < 0.02, "{slope} {offset}");
    }

    /// Of two alternatives that differ by 1, the better one is right in the share that a weight of ln 3 says.
    #[test]
    fn the_weight_of_a_choice_is_found_again() {
        let choice = |at: usize| (usize::from(at.is_multiple_of(4)), vec![[1.0, 5.0], [0.0, 5.0]]);
        let choices: Vec<_> = (0..4_000).map(choice).collect();
        let [weight, none] = conditional_logit(&choices).unwrap();
        assert!((weight - 3_f64.ln()).abs() < 0.01 && none.abs() < 1e-6, "{weight} {none}");
    }

    #[test]
    fn what_has_one_value_gives_no_number_that_is_none() {
        let ([weight], offset) = logistic(&[([1.0], true), ([1.0], false)]).unwrap();
        assert!(weight.is_finite() && offset.is_finite());
        assert_eq!(line(&[(1.0, 2.0), (1.0, 4.0)]), (3.0, 0.0));
        assert_eq!(line(&[]), (0.0, 0.0));
    }

    #[test]
    fn a_line_is_found_again() {
        let points: Vec<(f64, f64)> = (0..5).map(|x| (f64::from(x), 1.0 - 0.5 * f64::from(x))).collect();
        let (offset, slope) = line(&points);
        assert!((offset - 1.0).abs() < 1e-9 && (slope + 0.5).abs() < 1e-9);
    }

    proptest! {
        /// Near the least loss no step lowers it by more than rounding does: the search has to end all the same.
        #[test]
        fn every_fit_comes_to_an_end(
            rows in prop::collection::vec(([-1e3_f64..1e3, 0.0..1e-3], any::<bool>()), 1..200),
        ) {
            let ([first, second], offset) = logistic(&rows).unwrap();
            prop_assert!([first, second, offset].iter().all(|number| number.is_finite()));
        }
    }
}
