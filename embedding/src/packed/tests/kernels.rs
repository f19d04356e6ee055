//! Each kernel against the same in plain `f64`.
#![allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "numbers made up for tests")]

use super::{Isa, each_isa};
use crate::packed::{
    kernel::{
        Kernel, LANES, Lanes,
        tiles::{Halves, Split},
    },
    math::{Norm, Softmax, erf, exp, gelu},
    panels::{Panels, PanelsMut, Piece, WIDTH, pieces, turned},
    product::{Finish, Product},
    tiled::{Left, parts, right},
};

/// Numbers between -1 and 1 that look random, the same every time.
fn noise(seed: u32, count: usize) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        f64::from(state) / f64::from(u32::MAX) * 2.0 - 1.0
    };
    (0..count).map(|_| next() as f32).collect()
}

/// A matrix given by rows, in panels.
fn panels(matrix: &[f32], columns: usize) -> Vec<Piece> {
    let rows = matrix.len() / columns;
    let row = |panel: usize, row: usize| {
        let from = row * columns + panel * WIDTH;
        pieces(&matrix[from..(row + 1) * columns][..WIDTH.min(columns - panel * WIDTH)])
    };
    (0..columns.div_ceil(WIDTH)).flat_map(|panel| (0..rows).flat_map(move |r| row(panel, r))).collect()
}

#[track_caller]
fn near(found: f32, expected: f64, absolute: f64, what: &str) {
    let error = (f64::from(found) - expected).abs();
    assert!(error <= absolute, "{what}: {found} for {expected}");
}

/// The shape of a product, and which of its ends is checked.
struct Case {
    rows: usize,
    depth: usize,
    columns: usize,
    finish: usize,
}

fn product(isa: Isa, Case { rows, depth, columns, finish }: &Case) {
    let (rows, depth, columns) = (*rows, *depth, *columns);
    let (left, right) = (noise(1, rows * depth), noise(2, depth * columns));
    let (bias, others) = (noise(3, columns), noise(4, rows * columns));
    let (bias_pieces, other_panels) = (pieces(&bias), panels(&others, columns));
    let others_given = Panels { pieces: &other_panels, stride: rows };
    let finishes = [
        Finish::Plain,
        Finish::Bias(&bias_pieces),
        Finish::Gelu(&bias_pieces),
        Finish::Add(&bias_pieces, others_given),
    ];
    let mut out = vec![Piece::ZERO; rows * columns / WIDTH];
    isa.run(Product {
        rows,
        depth,
        panels: columns / WIDTH,
        left: Panels { pieces: &panels(&left, depth), stride: rows },
        right: Panels { pieces: &panels(&right, columns), stride: depth },
        out: PanelsMut { pieces: &mut out, stride: rows },
        finish: finishes[*finish],
    });
    for row in 0..rows {
        for column in 0..columns {
            let terms =
                (0..depth).map(|k| f64::from(left[row * depth + k]) * f64::from(right[k * columns + column]));
            let (plain, bias) = (terms.sum::<f64>(), f64::from(bias[column]));
            let expected = match finish {
                0 => plain,
                1 => plain + bias,
                2 => gelu_f64(plain + bias),
                _ => plain + bias + f64::from(others[row * columns + column]),
            };
            let found = out[column / WIDTH * rows + row].values()[column % WIDTH];
            near(found, expected, 1e-5, &format!("{rows} x {depth} x {columns}, {row}, {column}"));
        }
    }
}

#[test]
fn products_of_all_heights() {
    each_isa(|isa| {
        for rows in 1..=40 {
            for (depth, columns) in [(1, 32), (31, 64), (32, 32), (45, 96), (96, 64)] {
                for finish in 0..4 {
                    product(isa, &Case { rows, depth, columns, finish });
                }
            }
        }
    });
}

/// What a number of bf16 is.
fn wide(bits: u16) -> f64 {
    f64::from(f32::from_bits(u32::from(bits) << 16))
}

#[test]
fn a_number_is_the_sum_of_its_parts() {
    for value in noise(10, 10_000) {
        let (high, low) = parts(value);
        near(value, wide(high) + wide(low), f64::from(value.abs()) * 2_f64.powi(-16), "parts");
    }
    assert_eq!(parts(0.0), (0, 0));
}

/// As the instructions are documented, but exact.
fn multiplied(left: &[Split], right: &[Halves], row: usize, column: usize) -> f64 {
    let (half, column) = (column / 16, column % 16);
    let terms = left.iter().zip(right).flat_map(|(left, right)| {
        (0..WIDTH).map(move |k| {
            let [one, other] = [&left.high, &left.low].map(|tile| wide(tile.0[row][k]));
            let (pair, right) = (2 * column + k % 2, &right[half]);
            let [high, low] = [&right.high, &right.low].map(|tile| wide(tile.0[k / 2][pair]));
            one * high + one * low + other * high
        })
    });
    terms.sum()
}

#[test]
fn tiles_hold_what_panels_hold() {
    let columns = 64;
    each_isa(|isa| {
        for (rows, depth) in [(1, 32), (15, 96), (16, 384), (17, 32), (33, 64), (70, 96)] {
            let (given, weights) = (noise(1, rows * depth), noise(2, depth * columns));
            let mut left = Vec::new();
            isa.run(Left { panels: &panels(&given, depth), rows, out: &mut left });
            let right = right(&panels(&weights, columns));
            let width = depth / WIDTH;
            let mut sums = vec![[[0.0; 16]; 2]; rows.next_multiple_of(16)];
            for (panel, right) in right.chunks(width).enumerate() {
                if let Some(tiles) = isa.tiles() {
                    tiles.multiply(&left, right, &mut sums);
                }
                for (row, column) in (0..rows).flat_map(|row| (0..WIDTH).map(move |column| (row, column))) {
                    let terms = (0..depth).map(|k| {
                        let weight = weights[k * columns + panel * WIDTH + column];
                        f64::from(given[row * depth + k]) * f64::from(weight)
                    });
                    let expected: f64 = terms.sum();
                    let group = &left[row / 16 * width..][..width];
                    let exact = multiplied(group, right, row % 16, column);
                    assert!((exact - expected).abs() < 2e-4, "{exact} for {expected}");
                    if isa.tiles().is_some() {
                        near(sums[row].as_flattened()[column], exact, 2e-5, "sum of tiles");
                    }
                }
            }
        }
    });
}

#[test]
fn weights_are_turned() {
    let (columns, depth) = (64, 96);
    let rows = noise(5, columns * depth);
    let found = turned(&pieces(&rows), depth);
    assert_eq!(found.len(), columns / WIDTH * depth);
    for column in 0..columns {
        for k in 0..depth {
            let value = found[column / WIDTH * depth + k].values()[column % WIDTH];
            assert!(value.to_bits() == rows[column * depth + k].to_bits());
        }
    }
}

/// A function of one number, on sixteen at a time.
struct Each<'a> {
    values: &'a mut [f32],
    function: Function,
}

#[derive(Clone, Copy)]
enum Function {
    Exp,
    Erf,
    Gelu,
}

impl Kernel for Each<'_> {
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "what takes lanes must melt into their kernel")]
    fn run<L: Lanes>(self, lanes: L) {
        for values in self.values.as_chunks_mut::<LANES>().0 {
            let x = lanes.load(values);
            let y = match self.function {
                Function::Exp => exp(lanes, x),
                Function::Erf => erf(lanes, x),
                Function::Gelu => gelu(lanes, x),
            };
            lanes.store(values, y);
        }
    }
}

/// Arguments from `from` to `to`, and what `function` makes of them.
fn values(isa: Isa, function: Function, from: f64, to: f64) -> Vec<(f64, f32)> {
    let count = 160_000;
    let arguments: Vec<f32> =
        (0..count).map(|i| (from + (to - from) * f64::from(i) / f64::from(count - 1)) as f32).collect();
    let mut values = arguments.clone();
    isa.run(Each { values: &mut values, function });
    arguments.into_iter().map(f64::from).zip(values).collect()
}

/// By its series at zero, or by its continued fraction far out.
fn erf_f64(x: f64) -> f64 {
    let (size, mut sum) = (x.abs(), 0.0);
    if size > 3.0 {
        let fraction = (1..60).rev().fold(size, |tail, n| size + f64::from(n) / 2.0 / tail);
        return x.signum() * (1.0 - (-x * x).exp() / (fraction * std::f64::consts::PI.sqrt()));
    }
    let mut term = x;
    for n in 0..80 {
        sum += term / f64::from(2 * n + 1);
        term *= -x * x / f64::from(n + 1);
    }
    sum * std::f64::consts::FRAC_2_SQRT_PI
}

fn gelu_f64(x: f64) -> f64 {
    0.5 * x * (1.0 + erf_f64(x * std::f64::consts::FRAC_1_SQRT_2))
}

#[test]
fn exp_is_exact_to_a_millionth() {
    each_isa(|isa| {
        let mut worst = 0_f64;
        for (x, found) in values(isa, Function::Exp, -80.0, 80.0) {
            worst = worst.max((f64::from(found) / x.exp() - 1.0).abs());
        }
        println!("exp: relative error {worst:.2e}");
        assert!(worst < 1e-6, "{worst}");
        for (_, found) in values(isa, Function::Exp, -1e6, -80.1) {
            assert!(found > f32::MIN_POSITIVE * 512.0 && found < 2e-35, "{found}");
        }
    });
}

#[test]
fn erf_is_exact_to_two_in_ten_million() {
    each_isa(|isa| {
        let mut worst = 0_f64;
        for (x, found) in values(isa, Function::Erf, -6.0, 6.0) {
            worst = worst.max((f64::from(found) - erf_f64(x)).abs());
        }
        println!("erf: absolute error {worst:.2e}");
        assert!(worst < 2e-7, "{worst}");
        for (x, found) in values(isa, Function::Gelu, -20.0, 20.0) {
            near(found, gelu_f64(x), 2e-7 * x.abs().max(1.0), "gelu");
        }
    });
}

#[test]
fn shares_of_one_and_of_many_sum_to_one() {
    each_isa(|isa| {
        for columns in [1, 2, 31, 32, 33, 64, 100, 512] {
            for scale in [1.0, 30.0, 1e4] {
                let rows = 3;
                let given: Vec<f32> = noise(6, rows * columns).iter().map(|x| x * scale).collect();
                let mut scores = panels(&given, columns);
                isa.run(Softmax { scores: &mut scores, rows, columns });
                for row in 0..rows {
                    let given = &given[row * columns..][..columns];
                    let highest = given.iter().copied().fold(f32::MIN, f32::max);
                    let powers = given.iter().map(|x| (f64::from(*x) - f64::from(highest)).exp());
                    let sum: f64 = powers.clone().sum();
                    for (column, power) in powers.enumerate() {
                        let found = scores[column / WIDTH * rows + row].values()[column % WIDTH];
                        near(found, power / sum, 1e-6, "share");
                    }
                }
            }
        }
    });
}

#[test]
fn norms_are_those_of_the_formula() {
    each_isa(|isa| {
        for (rows, columns) in [(1, 32), (5, 96), (7, 384)] {
            let given: Vec<f32> = noise(7, rows * columns).iter().map(|x| 5.0 * x + 3.0).collect();
            let (weight, bias) = (noise(8, columns), noise(9, columns));
            let mut values = panels(&given, columns);
            let (weights, biases) = (pieces(&weight), pieces(&bias));
            isa.run(Norm { values: &mut values, rows, weight: &weights, bias: &biases, epsilon: 1e-12 });
            for row in 0..rows {
                let given: Vec<f64> =
                    given[row * columns..][..columns].iter().map(|x| f64::from(*x)).collect();
                let mean = given.iter().sum::<f64>() / columns as f64;
                let variance = given.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / columns as f64;
                for column in 0..columns {
                    let unit = (given[column] - mean) / (variance + 1e-12).sqrt();
                    let expected = unit * f64::from(weight[column]) + f64::from(bias[column]);
                    let found = values[column / WIDTH * rows + row].values()[column % WIDTH];
                    near(found, expected, 3e-6, "norm");
                }
            }
        }
    });
}
