//! From the tensors of a folder to panels.

use candle_core::Result;
use candle_nn::VarBuilder;
use candle_transformers::models::bert::Config;

use super::{
    kernel::tiles::Tiles,
    network::{Dense, Layer, Network, Right, Weights},
    panels::{WIDTH, pieces, turned},
    tiled,
};
use crate::names;

/// `tensors` are of the CPU and in `f32`; `tiles` where linear layers are to be in them.
pub(super) fn network(tensors: &VarBuilder, config: &Config, tiles: Option<Tiles>) -> Result<Network> {
    let root = names::root(tensors);
    let embeddings = root.pp("embeddings");
    let hidden = config.hidden_size;
    let head = hidden / config.num_attention_heads;
    let mut positions =
        values(&embeddings, "position_embeddings.weight", &[config.max_position_embeddings, hidden])?;
    let kinds = values(&embeddings, "token_type_embeddings.weight", &[config.type_vocab_size, hidden])?;
    for position in positions.chunks_exact_mut(hidden) {
        for (value, kind) in position.iter_mut().zip(&kinds) {
            *value += kind;
        }
    }
    let layers =
        (0..config.num_hidden_layers).map(|index| layer(&root.pp("encoder.layer").pp(index), config, tiles));
    #[expect(clippy::cast_possible_truncation, reason = "the network computes in f32")]
    let epsilon = config.layer_norm_eps as f32;
    Ok(Network {
        words: pieces(&values(&embeddings, "word_embeddings.weight", &[config.vocab_size, hidden])?),
        positions: pieces(&positions),
        norm: norm(&embeddings.pp("LayerNorm"), hidden)?,
        layers: layers.collect::<Result<_>>()?,
        width: hidden / WIDTH,
        head_width: head / WIDTH,
        epsilon,
    })
}

fn layer(tensors: &VarBuilder, config: &Config, tiles: Option<Tiles>) -> Result<Layer> {
    let (hidden, inner) = (config.hidden_size, config.intermediate_size);
    let attention = tensors.pp("attention.self");
    #[expect(clippy::cast_precision_loss, reason = "heads are not that large")]
    let scale = 1.0 / ((hidden / config.num_attention_heads) as f32).sqrt();
    let three = [(attention.pp("query"), scale), (attention.pp("key"), 1.0), (attention.pp("value"), 1.0)];
    let one = |name: &str, columns, depth| dense(&[(tensors.pp(name), 1.0)], columns, depth, tiles);
    Ok(Layer {
        attention: dense(&three, hidden, hidden, tiles)?,
        output: one("attention.output.dense", hidden, hidden)?,
        output_norm: norm(&tensors.pp("attention.output.LayerNorm"), hidden)?,
        inner: one("intermediate.dense", inner, hidden)?,
        outer: one("output.dense", hidden, inner)?,
        outer_norm: norm(&tensors.pp("output.LayerNorm"), hidden)?,
    })
}

/// Linear layers of one input side by side, each with the factor that it is multiplied by.
fn dense(parts: &[(VarBuilder, f32)], columns: usize, depth: usize, tiles: Option<Tiles>) -> Result<Dense> {
    let (mut panels, mut bias) = (Vec::new(), Vec::new());
    for (tensors, factor) in parts {
        let scaled = |mut values: Vec<f32>| {
            for value in &mut values {
                *value *= factor;
            }
            pieces(&values)
        };
        panels.extend(turned(&scaled(values(tensors, "weight", &[columns, depth])?), depth));
        bias.extend(scaled(values(tensors, "bias", &[columns])?));
    }
    let right = match tiles {
        Some(tiles) => Right::Tiles(tiles, tiled::right(&panels)),
        None => Right::Panels(panels),
    };
    Ok(Dense { right, bias, depth })
}

fn norm(tensors: &VarBuilder, width: usize) -> Result<Weights> {
    let [weight, bias] = names::norm(tensors, width)?;
    Ok(Weights { weight: pieces(&weight.to_vec1()?), bias: pieces(&bias.to_vec1()?) })
}

fn values(tensors: &VarBuilder, name: &str, shape: &[usize]) -> Result<Vec<f32>> {
    tensors.get(shape, name)?.flatten_all()?.to_vec1()
}
