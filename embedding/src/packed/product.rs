//! The matrix product, and what is done to its tiles while they are warm.
#![expect(clippy::inline_always, reason = "what takes lanes must melt into their kernel")]

use super::{
    kernel::{Kernel, Lanes},
    math::gelu,
    panels::{Panels, PanelsMut, Piece, WIDTH},
};

/// `out = finish(left * right)`.
pub(super) struct Product<'a> {
    /// Rows of `left` and `out`.
    pub(super) rows: usize,
    /// Columns of `left` and rows of `right`.
    pub(super) depth: usize,
    /// Columns of `right` and `out`, in panels.
    pub(super) panels: usize,
    pub(super) left: Panels<'a>,
    pub(super) right: Panels<'a>,
    pub(super) out: PanelsMut<'a>,
    pub(super) finish: Finish<'a>,
}

/// What becomes of a product.
#[derive(Clone, Copy)]
pub(super) enum Finish<'a> {
    /// Nothing.
    Plain,
    /// The bias, one piece for each panel, is added.
    Bias(&'a [Piece]),
    /// The bias is added, then GELU taken.
    Gelu(&'a [Piece]),
    /// The bias is added, and a matrix of the shape of the product.
    Add(&'a [Piece], Panels<'a>),
}

impl Kernel for Product<'_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        // Tiles of nearly the same height: a lone last row would cost as much as many.
        let blocks = self.rows.div_ceil(L::ROWS);
        for panel in 0..self.panels {
            for block in 0..blocks {
                let (from, to) = (self.rows * block / blocks, self.rows * (block + 1) / blocks);
                match to - from {
                    1 => self.tile::<L, 1>(lanes, panel, from),
                    2 => self.tile::<L, 2>(lanes, panel, from),
                    3 => self.tile::<L, 3>(lanes, panel, from),
                    4 => self.tile::<L, 4>(lanes, panel, from),
                    5 => self.tile::<L, 5>(lanes, panel, from),
                    6 => self.tile::<L, 6>(lanes, panel, from),
                    7 if L::ROWS > 6 => self.tile::<L, 7>(lanes, panel, from),
                    8 if L::ROWS > 6 => self.tile::<L, 8>(lanes, panel, from),
                    9 if L::ROWS > 6 => self.tile::<L, 9>(lanes, panel, from),
                    10 if L::ROWS > 6 => self.tile::<L, 10>(lanes, panel, from),
                    11 if L::ROWS > 6 => self.tile::<L, 11>(lanes, panel, from),
                    12 if L::ROWS > 6 => self.tile::<L, 12>(lanes, panel, from),
                    rows => unreachable!("a tile of {rows} rows"),
                }
                self.finish.apply(lanes, panel, from, self.out.rows(panel, from, to - from));
            }
        }
    }
}

impl Product<'_> {
    #[inline(always)]
    fn tile<L: Lanes, const R: usize>(&mut self, lanes: L, panel: usize, from: usize) {
        if L::WIDE {
            self.part::<L, R, 2, 0>(lanes, panel, from);
        } else {
            self.part::<L, R, 1, 0>(lanes, panel, from);
            self.part::<L, R, 1, 1>(lanes, panel, from);
        }
    }

    /// `R` rows by `W` vectors from the panel's vector `FIRST` on, summed in registers.
    #[inline(always)]
    fn part<L: Lanes, const R: usize, const W: usize, const FIRST: usize>(
        &mut self,
        lanes: L,
        panel: usize,
        from: usize,
    ) {
        let mut sums = [[lanes.splat(0.0); W]; R];
        let (chunks, rest) = self.right.rows(panel, 0, self.depth).as_chunks::<WIDTH>();
        for (index, chunk) in chunks.iter().enumerate() {
            let left = self.left.block::<R>(index, from);
            for (column, right) in chunk.iter().enumerate() {
                step::<L, R, W, FIRST>(lanes, &mut sums, left, column, right);
            }
        }
        if !rest.is_empty() {
            let left = self.left.block::<R>(chunks.len(), from);
            for (column, right) in rest.iter().enumerate() {
                step::<L, R, W, FIRST>(lanes, &mut sums, left, column, right);
            }
        }
        for (row, sums) in self.out.rows(panel, from, R).iter_mut().zip(sums) {
            for (index, sum) in sums.into_iter().enumerate() {
                lanes.store(&mut row.0[FIRST + index], sum);
            }
        }
    }
}

impl Finish<'_> {
    /// On `rows` of a panel, beginning with row `from`.
    #[inline(always)]
    pub(super) fn apply<L: Lanes>(self, lanes: L, panel: usize, from: usize, rows: &mut [Piece]) {
        match self {
            Self::Plain => {}
            Self::Bias(bias) => {
                for row in rows {
                    for (values, bias) in row.0.iter_mut().zip(&bias[panel].0) {
                        let sum = lanes.add(lanes.load(values), lanes.load(bias));
                        lanes.store(values, sum);
                    }
                }
            }
            Self::Gelu(bias) => {
                for row in rows {
                    for (values, bias) in row.0.iter_mut().zip(&bias[panel].0) {
                        let sum = lanes.add(lanes.load(values), lanes.load(bias));
                        lanes.store(values, gelu(lanes, sum));
                    }
                }
            }
            Self::Add(bias, others) => {
                let others = others.rows(panel, from, rows.len());
                for (row, other) in rows.iter_mut().zip(others) {
                    for (values, (bias, other)) in row.0.iter_mut().zip(bias[panel].0.iter().zip(&other.0)) {
                        let sum = lanes.add(lanes.load(values), lanes.load(bias));
                        lanes.store(values, lanes.add(sum, lanes.load(other)));
                    }
                }
            }
        }
    }
}

/// Adds to each row of `sums` its number in `column` times the row `right`.
#[inline(always)]
fn step<L: Lanes, const R: usize, const W: usize, const FIRST: usize>(
    lanes: L,
    sums: &mut [[L::V; W]; R],
    left: &[Piece; R],
    column: usize,
    right: &Piece,
) {
    // Without an inner loop: the compiler would take these two through memory. Of one vector both are
    // the same.
    let (first, last) = (lanes.load(&right.0[FIRST]), lanes.load(&right.0[FIRST + W - 1]));
    for (sums, left) in sums.iter_mut().zip(left) {
        let left = lanes.splat(left.values()[column]);
        sums[0] = lanes.mul_add(left, first, sums[0]);
        if W == 2 {
            sums[1] = lanes.mul_add(left, last, sums[1]);
        }
    }
}
