//! Encoders of the BERT family on x86-64, in `f32`: the tokens of all texts of a batch one after
//! another, without padding.
//!
//! It runs only networks whose sizes fit its panels; the others are candle's (`bert.rs`), which is
//! also what its vectors are compared with.

mod attention;
mod kernel;
mod load;
mod math;
mod network;
mod panels;
mod product;
mod tiled;

use std::sync::Arc;

use candle_core::Device;
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{Config, DTYPE, HiddenAct};
use proto::{Pooling, Space, UnitVector};
use rayon::iter::{
    IndexedParallelIterator, IntoParallelRefIterator, IntoParallelRefMutIterator, ParallelIterator,
};

pub(crate) use self::kernel::Isa;
use self::{
    network::{Network, Plan, Scratch},
    panels::{Panels, WIDTH},
};
use crate::{Backend, BatchLimits, EncodeError, Encoder, Tokens};

/// The most tokens of a block, unless a text alone has more: its states stay in a core's own cache.
const BLOCK_TOKENS_MAX: usize = 128;

/// The least tokens of a block for which a core of its own is worth it; fewer share the weights that
/// are read for them.
const BLOCK_TOKENS_MIN: usize = 48;

/// Blocks of a batch for each core: more would only make questions wait that come meanwhile.
const BATCH_BLOCKS: usize = 2;

/// A BERT with pooling.
pub(crate) struct Packed {
    network: Network,
    space: Arc<Space>,
    isa: Isa,
    /// One for each block of the largest batch so far.
    scratch: Vec<Scratch>,
}

/// The instruction sets of this processor that run the network, fastest first; or why there are none.
pub(crate) fn available(config: &Config) -> Result<Vec<Isa>, &'static str> {
    let available = Isa::available();
    if available.is_empty() {
        return Err("the processor has neither AVX-512 nor AVX2 with FMA");
    }
    if config.hidden_act != HiddenAct::Gelu {
        return Err("its hidden_act is not gelu");
    }
    let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
    let whole = |size: usize| size > 0 && size.is_multiple_of(WIDTH);
    if heads == 0 || !hidden.is_multiple_of(heads) || !whole(hidden / heads) {
        return Err("the size of its heads is not a multiple of 32");
    }
    if !whole(config.intermediate_size) {
        return Err("its intermediate_size is not a multiple of 32");
    }
    Ok(available)
}

impl Packed {
    /// Lays out the weights, the bytes of a safetensors file, for `isa`, one of those
    /// [`available`].
    pub(crate) fn load(
        weights: &[u8],
        config: &Config,
        space: Arc<Space>,
        isa: Isa,
    ) -> candle_core::Result<Self> {
        let tensors = VarBuilder::from_slice_safetensors(weights, DTYPE, &Device::Cpu)?;
        let network = load::network(&tensors, config, isa.tiles())?;
        Ok(Self { network, space, isa, scratch: Vec::new() })
    }

    fn vectors(&mut self, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
        let threads = rayon::current_num_threads();
        let blocks = blocks(batch, threads);
        let plan = Plan { isa: self.isa, parts: threads.div_ceil(blocks.len().max(1)) };
        self.scratch.resize_with(self.scratch.len().max(blocks.len()), Scratch::default);
        let (network, pooling) = (&self.network, self.space.pooling);
        let done: Result<Vec<_>, _> = blocks
            .par_iter()
            .zip(self.scratch.par_iter_mut())
            .map(|(block, scratch)| {
                let texts: Vec<_> = block.iter().map(Tokens::ids).collect();
                let unknown =
                    || EncodeError::Failed("no tokens, or one without a place in the network".into());
                let states = network.forward(&texts, scratch, plan).ok_or_else(unknown)?;
                pooled(states, network.width, &texts, pooling)
            })
            .collect();
        Ok(done?.into_iter().flatten().collect())
    }
}

impl Encoder for Packed {
    fn space(&self) -> &Arc<Space> {
        &self.space
    }

    fn backend(&self) -> Backend {
        Backend { engine: self.isa.engine(), device: "cpu" }
    }

    fn batch_limits(&self) -> BatchLimits {
        BatchLimits {
            tokens_max: BATCH_BLOCKS * BLOCK_TOKENS_MAX * rayon::current_num_threads(),
            padded: false,
        }
    }

    fn encode(&mut self, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
        // Inside the pool from here on: to enter it for each step would cost more than some steps.
        rayon::scope(|_| self.vectors(batch))
    }
}

/// Cuts a batch into runs of whole texts: as many as there are cores where that is worth it.
fn blocks(batch: &[Tokens], threads: usize) -> Vec<&[Tokens]> {
    let total: usize = batch.iter().map(Tokens::len).sum();
    let rounds = total.div_ceil(BLOCK_TOKENS_MAX * threads);
    let count = (rounds * threads).min(total.div_ceil(BLOCK_TOKENS_MIN)).max(1);
    let tokens_max = total.div_ceil(count);
    let mut blocks = Vec::with_capacity(count);
    let mut rest = batch;
    while !rest.is_empty() {
        let mut tokens = 0;
        let fitting = rest.iter().take_while(|text| {
            tokens += text.len();
            tokens <= tokens_max
        });
        let (block, others) = rest.split_at(fitting.count().max(1));
        blocks.push(block);
        rest = others;
    }
    blocks
}

fn pooled(
    states: Panels,
    width: usize,
    texts: &[&[u32]],
    pooling: Pooling,
) -> Result<Vec<UnitVector>, EncodeError> {
    let mut row = 0;
    let vector = |ids: &&[u32]| {
        let count = match pooling {
            Pooling::Cls => ids.len().min(1),
            // Length is lost in scaling, so the sum over a text points where its mean does.
            Pooling::Mean => ids.len(),
        };
        let mut values = vec![0.0; width * WIDTH];
        for (panel, values) in values.chunks_exact_mut(WIDTH).enumerate() {
            for piece in states.rows(panel, row, count) {
                for (sum, value) in values.iter_mut().zip(piece.values()) {
                    *sum += value;
                }
            }
        }
        row += ids.len();
        UnitVector::scale(values).ok_or(EncodeError::NoDirection)
    };
    texts.iter().map(vector).collect()
}

#[cfg(test)]
mod tests;
