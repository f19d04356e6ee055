//! The matrix product in tiles, where the processor has them.
#![expect(clippy::inline_always, reason = "what takes lanes must melt into their kernel")]

use super::{
    kernel::{
        Kernel, Lanes,
        tiles::{Halves, ROWS, Row, Split, Tiles},
    },
    panels::{PanelsMut, Piece, WIDTH},
    product::Finish,
};

/// The right side of a product, given as panels of `depth` pieces, a multiple of 32.
pub(super) fn right(panels: &[Piece]) -> Vec<Halves> {
    let half = |pieces: &[Piece; WIDTH], half: usize| {
        let mut split = Split::ZERO;
        for (row, piece) in pieces.iter().enumerate() {
            for (column, value) in piece.0[half].iter().enumerate() {
                let at = (row / 2, 2 * column + row % 2);
                (split.high.0[at.0][at.1], split.low.0[at.0][at.1]) = parts(*value);
            }
        }
        split
    };
    panels.as_chunks::<WIDTH>().0.iter().map(|pieces| [half(pieces, 0), half(pieces, 1)]).collect()
}

/// The two numbers of bf16 that a finite value is kept as.
#[inline(always)]
pub(super) fn parts(value: f32) -> (u16, u16) {
    let high = rounded(value);
    (high, rounded(value - f32::from_bits(u32::from(high) << 16)))
}

/// The nearest number of bf16, the even one of two; what is not finite stays so.
#[inline(always)]
fn rounded(value: f32) -> u16 {
    let bits = value.to_bits();
    (bits.wrapping_add(0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// Makes the left side of a product: groups of sixteen rows, each of a tile for every panel, the last
/// filled up with zeros.
pub(super) struct Left<'a> {
    /// Panels of `rows` pieces.
    pub(super) panels: &'a [Piece],
    pub(super) rows: usize,
    pub(super) out: &'a mut Vec<Split>,
}

impl Kernel for Left<'_> {
    #[inline(always)]
    fn run<L: Lanes>(self, _: L) {
        let Self { panels, rows, out } = self;
        out.clear();
        out.resize(rows.div_ceil(ROWS) * (panels.len() / rows), Split::ZERO);
        let mut splits = out.iter_mut();
        for first in (0..rows).step_by(ROWS) {
            for (panel, split) in panels.chunks_exact(rows).zip(&mut splits) {
                let lines = split.high.0.iter_mut().zip(&mut split.low.0);
                for (piece, (high, low)) in panel[first..].iter().zip(lines) {
                    for (value, (high, low)) in piece.values().iter().zip(high.iter_mut().zip(low)) {
                        (*high, *low) = parts(*value);
                    }
                }
            }
        }
    }
}

/// `out = finish(left * right)`.
pub(super) struct TileProduct<'a> {
    pub(super) tiles: Tiles,
    /// Of `out`; `left` has them in groups of sixteen.
    pub(super) rows: usize,
    /// Tiles of a row of `left`, and of a panel of `right`.
    pub(super) depth: usize,
    pub(super) left: &'a [Split],
    pub(super) right: &'a [Halves],
    pub(super) out: PanelsMut<'a>,
    pub(super) finish: Finish<'a>,
}

impl Kernel for TileProduct<'_> {
    #[inline(always)]
    fn run<L: Lanes>(mut self, lanes: L) {
        let mut sums: Vec<Row> = vec![[[0.0; 16]; 2]; self.left.len() / self.depth * ROWS];
        for (panel, right) in self.right.chunks_exact(self.depth).enumerate() {
            self.tiles.multiply(self.left, right, &mut sums);
            let rows = self.out.rows(panel, 0, self.rows);
            for (row, sums) in rows.iter_mut().zip(&sums) {
                *row = Piece(*sums);
            }
            self.finish.apply(lanes, panel, 0, rows);
        }
    }
}
