//! From the tensors of a folder to a network without biases.
//!
//! Every linear layer of a BERT stands beside a norm, and two facts about norms let its bias go:
//!
//! - The layers whose sum with `x` enters the next norm: their bias `r` can as well come with `x`, from
//!   the norm that made it, as can any one number `k` for all places, which the next norm takes out.
//! - The layers that read `x = w n + b`: since `n` sums to zero, the sum of `x / w` is the same `s` for
//!   every token. A layer that wants a bias `e` gets it from the matrix `e (1 / w) / s`, added to its own.
//!
//! `k` is chosen so that `s` is large, or the second would magnify rounding.

use candle_core::{DType, Device, Result, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::Config;

use super::network::{Layer, Network, Norm};
use crate::names::{self, norm};

/// How much more coarsely than other numbers a bias may be rounded. The default encoder has less than a
/// tenth; a weight of zero has no inverse, and is above any limit.
const NOISE_MAX: f32 = 2.0;

/// Where the tensors go.
struct Place<'a> {
    device: &'a Device,
    dtype: DType,
    epsilon: f32,
}

/// A norm whose output carries the biases of what is beside it; see above.
struct Carrier {
    weight: Tensor,
    /// Its own and `shift`.
    bias: Tensor,
    /// What it adds for the layers beside it: `r + k`.
    shift: Tensor,
    /// `1 / w / s`: its product with the output is 1.
    unit: Tensor,
}

/// `tensors` are of the CPU and in `f32`.
pub(super) fn network(
    tensors: &VarBuilder,
    config: &Config,
    device: &Device,
    dtype: DType,
) -> Result<Network> {
    let root = names::root(tensors);
    let embeddings = root.pp("embeddings");
    let hidden = config.hidden_size;
    #[expect(clippy::cast_possible_truncation, reason = "norms are computed in f32")]
    let place = Place { device, dtype, epsilon: config.layer_norm_eps as f32 };
    let words = embeddings.get((config.vocab_size, hidden), "word_embeddings.weight")?;
    let positions = embeddings.get((config.max_position_embeddings, hidden), "position_embeddings.weight")?;
    let kinds = embeddings.get((config.type_vocab_size, hidden), "token_type_embeddings.weight")?;
    let mut before = norm(&embeddings.pp("LayerNorm"), hidden)?;
    let mut layers = Vec::with_capacity(config.num_hidden_layers);
    for index in 0..config.num_hidden_layers {
        let (layer, after) = layer(&root.pp("encoder.layer").pp(index), config, &before, &place)?;
        layers.push(layer);
        before = after;
    }
    let [weight, bias] = &before;
    Ok(Network {
        words: place.put(&words)?,
        // All tokens are of the first kind.
        positions: place.put(&positions.broadcast_add(&kinds.get(0)?)?)?,
        layers,
        norm: place.norm(weight, bias)?,
        heads: config.num_attention_heads,
    })
}

/// A layer that begins with the norm `before` it, and the norm after it.
fn layer(
    tensors: &VarBuilder,
    config: &Config,
    before: &[Tensor; 2],
    place: &Place<'_>,
) -> Result<(Layer, [Tensor; 2])> {
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let (heads, head) = (config.num_attention_heads, hidden / config.num_attention_heads);
    let [output, output_bias] = linear(&tensors.pp("attention.output.dense"), hidden, hidden)?;
    let [outer, outer_bias] = linear(&tensors.pp("output.dense"), hidden, inner)?;
    let attention_carrier = Carrier::new(before, &output_bias)?;
    let inner_norm = norm(&tensors.pp("attention.output.LayerNorm"), hidden)?;
    let inner_carrier = Carrier::new(&inner_norm, &outer_bias)?;

    let attention = tensors.pp("attention.self");
    let [query, key, value] = ["query", "key", "value"].map(|name| {
        let [weight, bias] = linear(&attention.pp(name), hidden, hidden)?;
        attention_carrier.absorb(&weight, &bias)
    });
    #[expect(clippy::cast_precision_loss, reason = "heads are not that large")]
    let query = (query? / (head as f64).sqrt())?;
    let attention = Tensor::cat(&[query, key?, value?], 0)?.reshape((3 * heads, head, hidden))?;
    let [weight, bias] = linear(&tensors.pp("intermediate.dense"), inner, hidden)?;
    let layer = Layer {
        norm: place.norm(&attention_carrier.weight, &attention_carrier.bias)?,
        // Products take a matrix and its transpose alike, and the one of the file fastest.
        attention: place.put(&attention)?.t()?,
        output: place.put(&output)?.t()?,
        inner_norm: place.norm(&inner_carrier.weight, &inner_carrier.bias)?,
        inner: place.put(&inner_carrier.absorb(&weight, &bias)?)?.t()?,
        outer: place.put(&outer)?.t()?,
    };
    Ok((layer, norm(&tensors.pp("output.LayerNorm"), hidden)?))
}

impl Place<'_> {
    fn put(&self, tensor: &Tensor) -> Result<Tensor> {
        tensor.to_dtype(self.dtype)?.to_device(self.device)?.contiguous()
    }

    fn norm(&self, weight: &Tensor, bias: &Tensor) -> Result<Norm> {
        Ok(Norm { weight: self.put(weight)?, bias: self.put(bias)?, epsilon: self.epsilon })
    }
}

impl Carrier {
    /// `beside` is the bias of the layer whose sum with the output enters the next norm.
    fn new([weight, bias]: &[Tensor; 2], beside: &Tensor) -> Result<Self> {
        let inverse = weight.recip()?;
        let total = number(&inverse)?;
        let without = number(&(&inverse * (bias + beside)?)?)?;
        // As large as the output itself is, about, and of the sign that makes the sum larger.
        let typical = weight.abs()?.mean_all()?.to_scalar::<f32>()?;
        let constant = typical.copysign(without * total);
        let sum = without + constant * total;
        let shift = (beside + f64::from(constant))?;
        let bias = (bias + &shift)?;
        let sizes = (weight.sqr()? + bias.sqr()?)?;
        let noise = number(&(inverse.sqr()? * sizes)?)?.sqrt() / sum.abs();
        if noise.is_nan() || noise > NOISE_MAX {
            candle_core::bail!("a norm cannot carry biases, their noise is {noise}");
        }
        let unit = (inverse / f64::from(sum))?;
        Ok(Self { weight: weight.clone(), bias, shift, unit })
    }

    /// The matrix that makes of the output, `shift` and all, what `weight` and `bias` make of it without.
    fn absorb(&self, weight: &Tensor, bias: &Tensor) -> Result<Tensor> {
        let shifted = weight.matmul(&self.shift.unsqueeze(1)?)?;
        let wanted = (bias.unsqueeze(1)? - shifted)?;
        weight + wanted.matmul(&self.unit.unsqueeze(0)?)?
    }
}

/// The sum of all numbers.
fn number(tensor: &Tensor) -> Result<f32> {
    tensor.sum_all()?.to_scalar()
}

/// Weight and bias.
fn linear(tensors: &VarBuilder, columns: usize, depth: usize) -> Result<[Tensor; 2]> {
    Ok([tensors.get((columns, depth), "weight")?, tensors.get(columns, "bias")?])
}
