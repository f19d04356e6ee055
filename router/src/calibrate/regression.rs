//! Regressions with few weights.

use std::array;

use anyhow::{Result, ensure};

/// Steps towards the least loss: far more than the regressions below take.
const STEPS_MAX: usize = 100;

/// How often a step is halved before nothing that is lower can be told from rounding.
const HALVINGS_MAX: i32 = 40;

/// How strongly weights are held near 0, in units of one question, on features scaled to deviation 1.
const RIDGE: f64 = 1.0;

/// Features, as numbers of one kind each.
pub(super) type Features<const N: usize> = [f64; N];

/// A convex loss at some weights, and its first two derivatives there.
struct Loss<const N: usize> {
    value: f64,
    gradient: [f64; N],
    hessian: [[f64; N]; N],
}

impl<const N: usize> Loss<N> {
    /// What a ridge costs; the last `free` of the `weights` cost nothing.
    fn ridge(weights: &[f64; N], free: usize) -> Self {
        let held = |at: usize| if at < N - free { RIDGE } else { 0.0 };
        let square = |at: usize| held(at) * weights[at] * weights[at] / 2.0;
        Self {
            value: (0..N).map(square).sum(),
            gradient: array::from_fn(|at| held(at) * weights[at]),
            hessian: array::from_fn(|row| array::from_fn(|at| if at == row { held(at) } else { 0.0 })),
        }
    }

    /// Adds `slope` times `features` to the gradient, and `curvature` times their square to the Hessian.
    fn add(&mut self, features: &Features<N>, slope: f64, curvature: f64) {
        for row in 0..N {
            self.gradient[row] += slope * features[row];
            for at in 0..N {
                self.hessian[row][at] += curvature * features[row] * features[at];
            }
        }
    }

    /// Newton's step: the Hessian's inverse times the gradient, by elimination; `None` where rounding leaves
    /// the Hessian without an inverse.
    fn step(mut self) -> Option<[f64; N]> {
        for pivot in 0..N {
            if self.hessian[pivot][pivot] <= 0.0 || !self.hessian[pivot][pivot].is_finite() {
                return None;
            }
            for row in (0..N).filter(|row| *row != pivot) {
                let factor = self.hessian[row][pivot] / self.hessian[pivot][pivot];
                for at in pivot..N {
                    self.hessian[row][at] -= factor * self.hessian[pivot][at];
                }
                self.gradient[row] -= factor * self.gradient[pivot];
            }
        }
        Some(array::from_fn(|at| self.gradient[at] / self.hessian[at][at]))
    }
}

/// The weights that make a convex `loss` least, from 0 on, by damped Newton steps (Boyd & Vandenberghe,
/// *Convex Optimization*, 2004, 9.5). It comes to an end whatever `loss` is.
fn minimize<const N: usize>(loss: impl Fn(&[f64; N]) -> Loss<N>) -> Result<[f64; N]> {
    let mut weights = [0.0; N];
    let mut here = loss(&weights);
    for _ in 0..STEPS_MAX {
        let value = here.value;
        let Some(step) = here.step() else { break };
        let lower = (0..HALVINGS_MAX).find_map(|halvings| {
            let tried = array::from_fn(|at| weights[at] - step[at] * 0.5_f64.powi(halvings));
            let there = loss(&tried);
            (there.value < value).then_some((tried, there))
        });
        let Some(lower) = lower else { break };
        (weights, here) = lower;
    }
    ensure!(weights.iter().all(|weight| weight.is_finite()), "the numbers cannot be fitted");
    Ok(weights)
}

fn dot<const N: usize>(weights: &[f64; N], features: &Features<N>) -> f64 {
    weights.iter().zip(features).map(|(weight, feature)| weight * feature).sum()
}

/// The standard deviation of each feature; 1 where a feature never changes.
fn deviations<const N: usize>(rows: &[&Features<N>]) -> Features<N> {
    #[expect(clippy::cast_precision_loss, reason = "counts of questions")]
    let count = rows.len().max(1) as f64;
    array::from_fn(|at| {
        let mean = rows.iter().map(|row| row[at]).sum::<f64>() / count;
        let variance = rows.iter().map(|row| (row[at] - mean).powi(2)).sum::<f64>() / count;
        if variance > 1e-12 { variance.sqrt() } else { 1.0 }
    })
}

fn scaled<const N: usize>(numbers: &Features<N>, scale: &Features<N>) -> Features<N> {
    array::from_fn(|at| numbers[at] / scale[at])
}

/// Weights of a logistic regression of `rows` (features, and whether it is so), with a ridge; the last feature
/// is 1 throughout, and its weight is free.
pub(super) fn logistic<const N: usize>(rows: &[(Features<N>, bool)]) -> Result<Features<N>> {
    let scale = deviations(&rows.iter().map(|(row, _)| row).collect::<Vec<_>>());
    let rows: Vec<(Features<N>, bool)> = rows.iter().map(|(row, so)| (scaled(row, &scale), *so)).collect();
    let weights = minimize(|weights| {
        let mut loss = Loss::ridge(weights, 1);
        for (row, so) in &rows {
            let z = dot(weights, row);
            // ln(1 + exp(z)) without overflow.
            loss.value += z.max(0.0) + (-z.abs()).exp().ln_1p() - if *so { z } else { 0.0 };
            let probability = 1.0 / (1.0 + (-z).exp());
            loss.add(row, probability - f64::from(u8::from(*so)), probability * (1.0 - probability));
        }
        loss
    })?;
    Ok(scaled(&weights, &scale))
}

/// Weights of a conditional logit (`McFadden` 1974) with a ridge: in each of `choices` the alternative of that
/// number was right among all.
pub(super) fn conditional_logit<const N: usize>(
    choices: &[(usize, Vec<Features<N>>)],
) -> Result<Features<N>> {
    let scale = deviations(&choices.iter().flat_map(|(_, alternatives)| alternatives).collect::<Vec<_>>());
    let choice = |(right, alternatives): &(usize, Vec<Features<N>>)| {
        (*right, alternatives.iter().map(|row| scaled(row, &scale)).collect::<Vec<_>>())
    };
    let choices: Vec<(usize, Vec<Features<N>>)> = choices.iter().map(choice).collect();
    let weights = minimize(|weights| {
        let mut loss = Loss::ridge(weights, 0);
        for (right, alternatives) in &choices {
            let strengths: Vec<f64> = alternatives.iter().map(|row| dot(weights, row)).collect();
            let largest = strengths.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let total: f64 = strengths.iter().map(|strength| (strength - largest).exp()).sum();
            loss.value += total.ln() + largest - strengths[*right];
            let mut mean = [0.0; N];
            for (place, (row, strength)) in alternatives.iter().zip(&strengths).enumerate() {
                let probability = (strength - largest).exp() / total;
                loss.add(row, probability - f64::from(u8::from(place == *right)), probability);
                mean = array::from_fn(|at| mean[at] + probability * row[at]);
            }
            loss.add(&mean, 0.0, -1.0);
        }
        loss
    })?;
    Ok(scaled(&weights, &scale))
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
        let rows: Vec<([f64; 2], bool)> = (-20..=20)
            .flat_map(|step| {
                let x = f64::from(step) / 5.0;
                let share = 1.0 / (1.0 + (-(2.0 * x + 1.0)).exp());
                (0..1_000).map(move |at| ([x, 1.0], f64::from(at) < 1_000.0 * share))
            })
            .collect();
        let [slope, offset] = logistic(&rows).unwrap();
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
        let [weight, offset] = logistic(&[([1.0, 1.0], true), ([1.0, 1.0], false)]).unwrap();
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
        /// Near the least loss no step lowers it by more than rounding does: the search has to end all the same,
        /// and where it ends the gradient is about nothing.
        #[test]
        fn every_fit_comes_to_an_end(
            rows in prop::collection::vec((-1e3_f64..1e3, 0.0..1e-3, any::<bool>()), 1..200),
        ) {
            let rows: Vec<([f64; 3], bool)> = rows.into_iter().map(|(a, b, so)| ([a, b, 1.0], so)).collect();
            let weights = logistic(&rows).unwrap();
            prop_assert!(weights.iter().all(|weight| weight.is_finite()));
            let off = |(row, so): &([f64; 3], bool)| {
                1.0 / (1.0 + (-dot(&weights, row)).exp()) - f64::from(u8::from(*so))
            };
            let total: f64 = rows.iter().map(off).sum();
            prop_assert!(total.abs() < 1e-3, "{total}");
        }
    }
}
