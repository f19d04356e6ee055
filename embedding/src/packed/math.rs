//! The functions between the products: exp, erf and GELU on vectors, softmax and layer norm on rows.
#![expect(clippy::inline_always, reason = "what takes lanes must melt into their kernel")]

use super::{
    kernel::{Kernel, Lanes},
    panels::{Piece, WIDTH},
};

/// The least exponent taken: what is less counts as this. The result, divided by 512, is still no
/// denormal, which some processors are slow with.
const EXP_MIN: f32 = -80.0;
const EXP_MAX: f32 = 80.0;

/// `((c[0] x + c[1]) x + c[2]) x ...`
#[inline(always)]
fn polynomial<L: Lanes>(lanes: L, x: L::V, coefficients: &[f32]) -> L::V {
    let mut sum = lanes.splat(coefficients[0]);
    for coefficient in &coefficients[1..] {
        sum = lanes.mul_add(sum, x, lanes.splat(*coefficient));
    }
    sum
}

/// To a relative error of about 1e-7, between -80 and 80; beyond, the value there.
///
/// The exponent is split into a multiple of ln 2 and a rest, as in `expf` of the Cephes library
/// (S. Moshier, `single/expf.c`), whose polynomial this is.
#[inline(always)]
pub(super) fn exp<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let x = lanes.min(lanes.max(x, lanes.splat(EXP_MIN)), lanes.splat(EXP_MAX));
    let n = lanes.round(lanes.mul(x, lanes.splat(std::f32::consts::LOG2_E)));
    // ln 2 in two parts, the first of few digits so that its multiples are exact.
    let rest = lanes.mul_add(n, lanes.splat(-0.693_359_4), x);
    let rest = lanes.mul_add(n, lanes.splat(2.121_944_4e-4), rest);
    let tail = polynomial(
        lanes,
        rest,
        &[1.987_569_1e-4, 1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 1.666_666_5e-1, 5e-1],
    );
    let sum = lanes.mul_add(lanes.mul(rest, rest), tail, lanes.add(rest, lanes.splat(1.0)));
    lanes.times_two_to(sum, n)
}

/// To an absolute error of less than 2e-7, mostly half of that.
///
/// Near zero a polynomial times `x`, elsewhere one less the exponent of a polynomial; both are from
/// N. Juffa, "Efficient faithfully rounded implementation of error function `erff()`"
/// (<https://stackoverflow.com/a/35148199>).
#[inline(always)]
pub(super) fn erf<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let zero = lanes.splat(0.0);
    let size = lanes.max(x, lanes.sub(zero, x));
    let near = polynomial(
        lanes,
        lanes.mul(x, x),
        &[-5.967_617e-4, 4.991_194e-3, -2.676_813_5e-2, 1.128_199_26e-1, -3.761_253_4e-1, 1.283_791_7e-1],
    );
    let near = lanes.mul_add(near, x, x);
    let power = polynomial(
        lanes,
        size,
        &[
            -1.728_534_7e-5,
            3.831_971_3e-4,
            -3.883_964_4e-3,
            2.425_462_2e-2,
            -1.067_778_8e-1,
            -6.348_467e-1,
            -1.287_175_1e-1,
            0.0,
        ],
    );
    let far = lanes.sub(lanes.splat(1.0), exp(lanes, lanes.sub(power, size)));
    let far = lanes.if_less(x, zero, lanes.sub(zero, far), far);
    lanes.if_less(size, lanes.splat(0.927_734_4), near, far)
}

/// `x` times the probability that a standard normal number is less.
#[inline(always)]
pub(super) fn gelu<L: Lanes>(lanes: L, x: L::V) -> L::V {
    let half = lanes.mul(x, lanes.splat(0.5));
    let erf = erf(lanes, lanes.mul(x, lanes.splat(std::f32::consts::FRAC_1_SQRT_2)));
    lanes.mul_add(half, erf, half)
}

/// Makes each row of panels sum to one, by its exponents.
pub(super) struct Softmax<'a> {
    /// Panels of `rows` pieces.
    pub(super) scores: &'a mut [Piece],
    pub(super) rows: usize,
    /// How many numbers a row has; what lies behind them in the last panel comes to nothing.
    pub(super) columns: usize,
}

impl Kernel for Softmax<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self { scores, rows, columns } = self;
        let inside = columns % WIDTH;
        for row in 0..rows {
            if inside > 0 {
                let last = (columns / WIDTH) * rows + row;
                scores[last].values_mut()[inside..].fill(f32::MIN);
            }
            let mut highest = lanes.splat(f32::MIN);
            for piece in scores[row..].iter().step_by(rows) {
                for values in &piece.0 {
                    highest = lanes.max(highest, lanes.load(values));
                }
            }
            let highest = lanes.splat(lanes.highest(highest));
            let mut sum = lanes.splat(0.0);
            for piece in scores[row..].iter_mut().step_by(rows) {
                for values in &mut piece.0 {
                    let power = exp(lanes, lanes.sub(lanes.load(values), highest));
                    sum = lanes.add(sum, power);
                    lanes.store(values, power);
                }
            }
            let scale = lanes.splat(1.0 / lanes.sum(sum));
            for piece in scores[row..].iter_mut().step_by(rows) {
                for values in &mut piece.0 {
                    let share = lanes.mul(lanes.load(values), scale);
                    lanes.store(values, share);
                }
            }
        }
    }
}

/// Gives each row of panels the mean zero and the variance one, then scales and moves it.
pub(super) struct Norm<'a> {
    /// Panels of `rows` pieces.
    pub(super) values: &'a mut [Piece],
    pub(super) rows: usize,
    /// One piece for each panel.
    pub(super) weight: &'a [Piece],
    /// One piece for each panel.
    pub(super) bias: &'a [Piece],
    pub(super) epsilon: f32,
}

impl Kernel for Norm<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, lanes: L) {
        let Self { values, rows, weight, bias, epsilon } = self;
        #[expect(clippy::cast_precision_loss, reason = "networks are not that wide")]
        let share = 1.0 / (weight.len() * WIDTH) as f32;
        for row in 0..rows {
            let mut sum = lanes.splat(0.0);
            for piece in values[row..].iter().step_by(rows) {
                sum = lanes.add(sum, lanes.add(lanes.load(&piece.0[0]), lanes.load(&piece.0[1])));
            }
            let mean = lanes.splat(lanes.sum(sum) * share);
            let mut squares = lanes.splat(0.0);
            for piece in values[row..].iter().step_by(rows) {
                for values in &piece.0 {
                    let distance = lanes.sub(lanes.load(values), mean);
                    squares = lanes.mul_add(distance, distance, squares);
                }
            }
            let scale = lanes.splat(1.0 / (lanes.sum(squares) * share + epsilon).sqrt());
            let pieces = values[row..].iter_mut().step_by(rows);
            for ((piece, weight), bias) in pieces.zip(weight).zip(bias) {
                for ((values, weight), bias) in piece.0.iter_mut().zip(&weight.0).zip(&bias.0) {
                    let unit = lanes.mul(lanes.sub(lanes.load(values), mean), scale);
                    lanes.store(values, lanes.mul_add(unit, lanes.load(weight), lanes.load(bias)));
                }
            }
        }
    }
}
