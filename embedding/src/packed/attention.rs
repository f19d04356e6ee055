//! Attention: each text by itself, each head by itself.

use super::{
    kernel::Isa,
    math::Softmax,
    panels::{Panels, PanelsMut, Piece, WIDTH},
    product::{Finish, Product},
};

/// The most rows of queries that are scored at a time, so that their scores stay in the cache.
const QUERIES_MAX: usize = 48;

/// What one head of one text needs, kept between calls.
#[derive(Default)]
pub(super) struct Part {
    /// Keys turned, so that each is a column.
    keys: Vec<Piece>,
    scores: Vec<Piece>,
}

/// Panels of queries, then of keys, then of values.
#[derive(Clone, Copy)]
pub(super) struct States<'a> {
    pub(super) pieces: &'a [Piece],
    /// Panels of each of the three.
    pub(super) width: usize,
    pub(super) rows: usize,
}

/// The heads that one caller works on.
#[derive(Clone, Copy)]
pub(super) struct Heads {
    pub(super) first: usize,
    /// Of a head, in panels.
    pub(super) width: usize,
}

/// Fills `context`, panels of those heads beginning with `first`, for all texts.
pub(super) fn attend(
    isa: Isa,
    texts: &[&[u32]],
    states: States,
    heads: Heads,
    context: &mut [Piece],
    part: &mut Part,
) {
    let States { pieces, width, rows } = states;
    let from = |panel: usize, row: usize| Panels { pieces: &pieces[panel * rows + row..], stride: rows };
    for (index, context) in context.chunks_mut(heads.width * rows).enumerate() {
        let panel = (heads.first + index) * heads.width;
        let mut row = 0;
        for length in texts.iter().map(|ids| ids.len()) {
            let (keys, values) = (from(width + panel, row), from(2 * width + panel, row));
            turn(keys, length, heads.width, &mut part.keys);
            for first in (0..length).step_by(QUERIES_MAX) {
                let count = QUERIES_MAX.min(length - first);
                let out = PanelsMut { pieces: &mut context[row + first..], stride: rows };
                one(isa, from(panel, row + first), values, (count, length), heads.width, out, part);
            }
            row += length;
        }
    }
}

/// One head of `count` queries of a text of `length` tokens.
fn one(
    isa: Isa,
    queries: Panels,
    values: Panels,
    (count, length): (usize, usize),
    width: usize,
    out: PanelsMut,
    part: &mut Part,
) {
    let Part { keys, scores } = part;
    let panels = length.div_ceil(WIDTH);
    let depth = width * WIDTH;
    scores.resize(panels * count, Piece::ZERO);
    isa.run(Product {
        rows: count,
        depth,
        panels,
        left: queries,
        right: Panels { pieces: keys, stride: depth },
        out: PanelsMut { pieces: scores, stride: count },
        finish: Finish::Plain,
    });
    isa.run(Softmax { scores, rows: count, columns: length });
    isa.run(Product {
        rows: count,
        depth: length,
        panels: width,
        left: Panels { pieces: scores, stride: count },
        right: values,
        out,
        finish: Finish::Plain,
    });
}

/// Writes the first `length` rows of `width` panels as columns.
fn turn(rows: Panels, length: usize, width: usize, columns: &mut Vec<Piece>) {
    columns.clear();
    columns.resize(length.div_ceil(WIDTH) * width * WIDTH, Piece::ZERO);
    let blocks = columns.as_chunks_mut::<WIDTH>().0.chunks_mut(width);
    for (index, blocks) in blocks.enumerate() {
        let from = index * WIDTH;
        let count = WIDTH.min(length - from);
        for (panel, block) in blocks.iter_mut().enumerate() {
            for (column, row) in rows.rows(panel, from, count).iter().enumerate() {
                for (piece, value) in block.iter_mut().zip(row.values()) {
                    piece.values_mut()[column] = *value;
                }
            }
        }
    }
}
