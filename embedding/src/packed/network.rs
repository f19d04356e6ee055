//! The network: its weights in panels, and the way of a block of tokens through it.

use rayon::{
    iter::{IndexedParallelIterator, IntoParallelRefMutIterator, ParallelIterator},
    slice::ParallelSliceMut,
};

use super::{
    attention::{self, Part},
    kernel::{
        Isa,
        tiles::{Halves, Split, Tiles},
    },
    math::Norm,
    panels::{Panels, PanelsMut, Piece, WIDTH},
    product::{Finish, Product},
    tiled::{Left, TileProduct},
};

/// The weights of a BERT, as far as a vector depends on them.
pub(super) struct Network {
    /// A row for each token.
    pub(super) words: Vec<Piece>,
    /// A row for each position, with what marks the first of two texts added.
    pub(super) positions: Vec<Piece>,
    pub(super) norm: Weights,
    pub(super) layers: Vec<Layer>,
    /// Columns of the hidden state, in panels.
    pub(super) width: usize,
    /// Columns of a head, in panels.
    pub(super) head_width: usize,
    pub(super) epsilon: f32,
}

pub(super) struct Layer {
    /// Queries, already divided by the root of the head's size, keys and values.
    pub(super) attention: Dense,
    pub(super) output: Dense,
    pub(super) output_norm: Weights,
    pub(super) inner: Dense,
    pub(super) outer: Dense,
    pub(super) outer_norm: Weights,
}

/// Of a layer norm, one piece for each panel.
pub(super) struct Weights {
    pub(super) weight: Vec<Piece>,
    pub(super) bias: Vec<Piece>,
}

/// A linear layer.
pub(super) struct Dense {
    pub(super) right: Right,
    /// One piece for each panel.
    pub(super) bias: Vec<Piece>,
    /// Columns of its input.
    pub(super) depth: usize,
}

/// The right side of a linear layer's product.
pub(super) enum Right {
    Panels(Vec<Piece>),
    Tiles(Tiles, Vec<Halves>),
}

/// What a block of tokens needs on its way, kept between calls.
#[derive(Default)]
pub(super) struct Scratch {
    hidden: Vec<Piece>,
    next: Vec<Piece>,
    /// Queries, keys and values; or the inner values of the feed-forward step.
    wide: Vec<Piece>,
    context: Vec<Piece>,
    /// The left side of a product in tiles.
    left: Vec<Split>,
    parts: Vec<Part>,
}

/// How a block is worked on.
#[derive(Clone, Copy)]
pub(super) struct Plan {
    pub(super) isa: Isa,
    /// Into how many parts each step is split, to be done at the same time.
    pub(super) parts: usize,
}

impl Network {
    /// Takes the texts of a block through all layers. Their tokens lie one after another in the
    /// panels that come back. `None` where a token or a position is not known, or there are no tokens at all.
    pub(super) fn forward<'s>(
        &self,
        texts: &[&[u32]],
        scratch: &'s mut Scratch,
        plan: Plan,
    ) -> Option<Panels<'s>> {
        let rows = texts.iter().map(|ids| ids.len()).sum();
        if rows == 0 {
            return None;
        }
        self.embed(texts, rows, scratch)?;
        self.norm(&self.norm, &mut scratch.hidden, rows, plan);
        for layer in &self.layers {
            let Scratch { hidden, next, wide, context, left, parts } = scratch;
            layer.attention.apply((hidden, rows), wide, left, plan, Then::Nothing);
            context.resize(self.width * rows, Piece::ZERO);
            let heads = self.width / self.head_width;
            let share = heads.div_ceil(plan.parts);
            parts.resize_with(parts.len().max(plan.parts), Part::default);
            let chunks = context.par_chunks_mut(share * self.head_width * rows).zip(parts.par_iter_mut());
            chunks.enumerate().for_each(|(index, (context, part))| {
                let states = attention::States { pieces: wide, width: self.width, rows };
                let head = attention::Heads { first: index * share, width: self.head_width };
                attention::attend(plan.isa, texts, states, head, context, part);
            });
            layer.output.apply((context, rows), next, left, plan, Then::Add(hidden));
            self.norm(&layer.output_norm, next, rows, plan);
            layer.inner.apply((next, rows), wide, left, plan, Then::Gelu);
            layer.outer.apply((wide, rows), hidden, left, plan, Then::Add(next));
            self.norm(&layer.outer_norm, hidden, rows, plan);
        }
        Some(Panels { pieces: &scratch.hidden, stride: rows })
    }

    fn embed(&self, texts: &[&[u32]], rows: usize, scratch: &mut Scratch) -> Option<()> {
        scratch.hidden.resize(self.width * rows, Piece::ZERO);
        let positions = || self.positions.chunks_exact(self.width);
        let mut row = 0;
        for ids in texts {
            let mut position = positions();
            for id in *ids {
                let from = usize::try_from(*id).ok()?.checked_mul(self.width)?;
                let word = self.words.get(from..)?.get(..self.width)?;
                let position = position.next()?;
                let hidden = scratch.hidden[row..].iter_mut().step_by(rows);
                for ((hidden, word), position) in hidden.zip(word).zip(position) {
                    let sums = word.values().iter().zip(position.values());
                    for (value, (word, position)) in hidden.values_mut().iter_mut().zip(sums) {
                        *value = word + position;
                    }
                }
                row += 1;
            }
        }
        Some(())
    }

    fn norm(&self, weights: &Weights, values: &mut [Piece], rows: usize, plan: Plan) {
        let Weights { weight, bias } = weights;
        plan.isa.run(Norm { values, rows, weight, bias, epsilon: self.epsilon });
    }
}

/// What follows on a linear layer.
#[derive(Clone, Copy)]
enum Then<'a> {
    Nothing,
    Gelu,
    /// The residual of this input.
    Add(&'a [Piece]),
}

impl Dense {
    /// Writes panels of `rows` rows to `out`, given such to read.
    fn apply(
        &self,
        (input, rows): (&[Piece], usize),
        out: &mut Vec<Piece>,
        left: &mut Vec<Split>,
        plan: Plan,
        then: Then,
    ) {
        let panels = self.bias.len();
        let share = panels.div_ceil(plan.parts);
        out.resize(panels * rows, Piece::ZERO);
        if let Right::Tiles(..) = self.right {
            plan.isa.run(Left { panels: input, rows, out: left });
        }
        out.par_chunks_mut(share * rows).enumerate().for_each(|(index, out)| {
            let first = index * share;
            let bias = &self.bias[first..];
            let finish = match then {
                Then::Nothing => Finish::Bias(bias),
                Then::Gelu => Finish::Gelu(bias),
                Then::Add(others) => {
                    Finish::Add(bias, Panels { pieces: &others[first * rows..], stride: rows })
                }
            };
            let panels = out.len() / rows;
            let out = PanelsMut { pieces: out, stride: rows };
            match &self.right {
                Right::Panels(right) => plan.isa.run(Product {
                    rows,
                    depth: self.depth,
                    panels,
                    left: Panels { pieces: input, stride: rows },
                    right: Panels { pieces: &right[first * self.depth..], stride: self.depth },
                    out,
                    finish,
                }),
                Right::Tiles(tiles, right) => {
                    let depth = self.depth / WIDTH;
                    let right = &right[first * depth..][..panels * depth];
                    plan.isa.run(TileProduct { tiles: *tiles, rows, depth, left, right, out, finish });
                }
            }
        });
    }
}
