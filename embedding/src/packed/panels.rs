//! How numbers lie in memory: matrices in panels of 32 columns.
//!
//! A panel holds its columns of all rows, one row after another. So a tile of a product reads its
//! right side in order and its left side at fixed steps, and what one product writes is what the next
//! one reads: nothing is packed again between products.

use super::kernel::LANES;

/// Columns of a panel.
pub(super) const WIDTH: usize = 2 * LANES;

/// One row of a panel: two vectors, on lines of the cache of their own.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub(super) struct Piece(pub(super) [[f32; LANES]; 2]);

impl Piece {
    pub(super) const ZERO: Self = Self([[0.0; LANES]; 2]);

    #[inline]
    pub(super) fn values(&self) -> &[f32] {
        self.0.as_flattened()
    }

    #[inline]
    pub(super) fn values_mut(&mut self) -> &mut [f32] {
        self.0.as_flattened_mut()
    }
}

/// Cuts `values` into pieces; what is left over gets zeros.
pub(super) fn pieces(values: &[f32]) -> Vec<Piece> {
    let cut = |values: &[f32]| {
        let mut piece = Piece::ZERO;
        piece.values_mut()[..values.len()].copy_from_slice(values);
        piece
    };
    values.chunks(WIDTH).map(cut).collect()
}

/// Turns the blocks of 32 by 32 of a matrix, given as rows of pieces, so that its rows become the
/// columns of panels: from `rows` of `depth` numbers each to panels of `depth` pieces.
pub(super) fn turned(rows: &[Piece], depth: usize) -> Vec<Piece> {
    let mut panels = Vec::with_capacity(rows.len());
    for block in rows.chunks(depth) {
        for column in 0..depth {
            let mut piece = Piece::ZERO;
            for (value, row) in piece.values_mut().iter_mut().zip(block.chunks(depth / WIDTH)) {
                *value = row[column / WIDTH].values()[column % WIDTH];
            }
            panels.push(piece);
        }
    }
    panels
}

/// Some rows of the panels of a matrix.
#[derive(Clone, Copy)]
pub(super) struct Panels<'a> {
    /// From the first row of the first panel on.
    pub(super) pieces: &'a [Piece],
    /// From a panel to the next, in pieces.
    pub(super) stride: usize,
}

impl<'a> Panels<'a> {
    /// `count` rows of a panel, beginning with row `from`.
    #[inline]
    pub(super) fn rows(self, panel: usize, from: usize, count: usize) -> &'a [Piece] {
        &self.pieces[panel * self.stride + from..][..count]
    }

    /// As `rows`, where their number is known to the compiler.
    #[inline]
    pub(super) fn block<const R: usize>(self, panel: usize, from: usize) -> &'a [Piece; R] {
        &self.rows(panel, from, R).as_chunks().0[0]
    }
}

/// Rows of panels to be written.
pub(super) struct PanelsMut<'a> {
    /// As in [`Panels`].
    pub(super) pieces: &'a mut [Piece],
    /// As in [`Panels`].
    pub(super) stride: usize,
}

impl PanelsMut<'_> {
    /// As [`Panels::rows`].
    #[inline]
    pub(super) fn rows(&mut self, panel: usize, from: usize, count: usize) -> &mut [Piece] {
        &mut self.pieces[panel * self.stride + from..][..count]
    }
}
