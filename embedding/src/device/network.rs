//! The arithmetic, over candle's tensors: the same on every device and in every precision.
//!
//! To start a step costs a device more than most steps do, so there are few of them: no bias is ever
//! added (`load.rs` says how), no mask where all texts are of one length, one product for queries, keys
//! and values, and next to no copies.

use candle_core::{D, DType, Device, Result, Tensor};
use candle_nn::ops::{layer_norm, softmax_last_dim};

/// Added to the scores of what attention must not look at: far below all scores, and inside `f16`, where
/// the usual least number would become infinite.
const UNSEEN: f64 = -10_000.0;

/// Rows of a product that are a multiple of this many numbers take the device's fast path.
const ALIGNMENT: usize = 8;

pub(super) struct Network {
    /// A row for each word.
    pub(super) words: Tensor,
    /// A row for each position.
    pub(super) positions: Tensor,
    pub(super) layers: Vec<Layer>,
    pub(super) norm: Norm,
    pub(super) heads: usize,
}

/// One layer. It begins with the norm that the one before it ends with.
pub(super) struct Layer {
    pub(super) norm: Norm,
    /// Heads of queries, then keys, then values; each hidden by its width.
    pub(super) attention: Tensor,
    /// Hidden by hidden.
    pub(super) output: Tensor,
    pub(super) inner_norm: Norm,
    /// Hidden by intermediate.
    pub(super) inner: Tensor,
    /// Intermediate by hidden.
    pub(super) outer: Tensor,
}

pub(super) struct Norm {
    pub(super) weight: Tensor,
    pub(super) bias: Tensor,
    pub(super) epsilon: f32,
}

/// Texts on the device, all padded to one width.
pub(super) struct Batch {
    texts: usize,
    width: usize,
    /// One after another.
    ids: Tensor,
    /// In `f32`, texts by 1 by width: 1 where there is a token, 0 in the padding.
    present: Tensor,
    /// For each score, what is added to it; absent where nothing is padded.
    mask: Option<Tensor>,
}

impl Batch {
    /// Of at least one text, all of which `network` knows.
    pub(super) fn new(texts: &[&[u32]], padding_id: u32, network: &Network) -> Result<Self> {
        let lengths = || texts.iter().map(|ids| ids.len());
        let longest = lengths().max().unwrap_or(0);
        let padded = lengths().any(|length| length < longest);
        // Whoever pays for a mask may as well have aligned rows for it.
        let aligned = longest.next_multiple_of(ALIGNMENT);
        let width = if padded && aligned <= network.width_max() { aligned } else { longest };
        let mut ids = Vec::with_capacity(texts.len() * width);
        let mut present = Vec::with_capacity(texts.len() * width);
        for text in texts {
            ids.extend_from_slice(text);
            present.resize(ids.len(), 1_f32);
            ids.resize(ids.len() + width - text.len(), padding_id);
            present.resize(ids.len(), 0.0);
        }
        let (texts, device) = (texts.len(), network.device());
        let ids = Tensor::from_vec(ids, texts * width, device)?;
        let present = Tensor::from_vec(present, (texts, 1, width), device)?;
        let mask = if padded { Some(mask(&present, network)?) } else { None };
        Ok(Self { texts, width, ids, present, mask })
    }

    /// For each text, the sum over its tokens in `f32`. Length is lost in scaling, so that points where
    /// their mean does.
    pub(super) fn sums(&self, states: &Tensor) -> Result<Tensor> {
        self.present.matmul(&states.to_dtype(DType::F32)?)?.squeeze(1)
    }
}

/// Laid out in full, once, because to repeat a row while adding is slow, and is done in each layer.
fn mask(present: &Tensor, network: &Network) -> Result<Tensor> {
    let (heads, dtype) = (network.heads, network.words.dtype());
    let (texts, _, width) = present.dims3()?;
    let row = present.affine(-UNSEEN, UNSEEN)?.to_dtype(dtype)?;
    row.unsqueeze(0)?.broadcast_as((heads, texts, width, width))?.reshape((heads * texts, width, width))
}

impl Network {
    pub(super) fn device(&self) -> &Device {
        self.words.device()
    }

    /// Whether the text has tokens, and each of them a word and a position.
    pub(super) fn knows(&self, ids: &[u32]) -> bool {
        let words = self.words.dims().first().copied().unwrap_or(0);
        let known = ids.iter().all(|id| usize::try_from(*id).is_ok_and(|id| id < words));
        !ids.is_empty() && ids.len() <= self.width_max() && known
    }

    /// The most tokens of a text.
    fn width_max(&self) -> usize {
        self.positions.dims().first().copied().unwrap_or(0)
    }

    /// Of texts by width by hidden.
    pub(super) fn forward(&self, batch: &Batch) -> Result<Tensor> {
        let words = self.words.index_select(&batch.ids, 0)?.reshape((batch.texts, batch.width, ()))?;
        let sum = words.broadcast_add(&self.positions.narrow(0, 0, batch.width)?)?;
        let mut sum = sum.flatten_to(1)?;
        for layer in &self.layers {
            sum = layer.forward(&sum, batch, self.heads)?;
        }
        self.norm.forward(&sum)?.reshape((batch.texts, batch.width, ()))
    }
}

impl Layer {
    /// From the sum that the norm before it is of, to that which the norm after it is of.
    fn forward(&self, sum: &Tensor, batch: &Batch, heads: usize) -> Result<Tensor> {
        let states = self.norm.forward(sum)?;
        let seen = self.attend(&states, batch, heads)?;
        let states = self.inner_norm.forward(&(seen.matmul(&self.output)? + states)?)?;
        let inner = states.matmul(&self.inner)?.gelu_erf()?;
        inner.matmul(&self.outer)? + states
    }

    fn attend(&self, states: &Tensor, batch: &Batch, heads: usize) -> Result<Tensor> {
        let (tokens, hidden) = states.dims2()?;
        let (texts, width) = (batch.texts, batch.width);
        // One product for each head puts what a head needs in one piece, where the product of all heads
        // would have to be cut up.
        let all = states.unsqueeze(0)?.broadcast_as((3 * heads, tokens, hidden))?;
        let all = all.matmul(&self.attention)?;
        let third = |index| all.narrow(0, index * heads, heads)?.reshape((heads * texts, width, ()));
        let (queries, keys, values) = (third(0)?, third(1)?, third(2)?);
        let scores = queries.matmul(&keys.t()?)?;
        let scores = match &batch.mask {
            Some(mask) => (scores + mask)?,
            None => scores,
        };
        let weights = softmax_last_dim(&scores)?;
        if texts == 1 {
            // Upside down, the heads of one text are side by side already.
            values.t()?.matmul(&weights.t()?)?.reshape((hidden, tokens))?.t()
        } else {
            let seen = weights.matmul(&values)?.reshape((heads, tokens, ()))?;
            seen.transpose(0, 1)?.flatten_from(D::Minus2)
        }
    }
}

impl Norm {
    fn forward(&self, states: &Tensor) -> Result<Tensor> {
        layer_norm(states, &self.weight, &self.bias, self.epsilon)
    }
}
