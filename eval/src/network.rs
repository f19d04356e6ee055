//! How much work a BERT is, from its sizes.

use std::{fs, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;

/// The sizes in a network's `config.json` that its work depends on.
#[derive(Debug, Clone, Copy, Deserialize)]
pub(crate) struct Network {
    hidden_size: u32,
    num_hidden_layers: u32,
    intermediate_size: u32,
}

impl Network {
    /// Of the sentence-transformers folder `model`.
    pub(crate) fn read(model: &Path) -> Result<Self> {
        let path = model.join("config.json");
        let read = || Ok::<_, anyhow::Error>(serde_json::from_str(&fs::read_to_string(&path)?)?);
        read()
            .with_context(|| format!("cannot use {}: is it an encoder's, as of make setup?", path.display()))
    }

    /// Additions and multiplications to encode `texts` texts of `tokens` tokens each. In each layer a
    /// token is multiplied with four matrices of hidden by hidden numbers and two of hidden by inner,
    /// and meets every token of its text twice, in the weights and in the sum of its attention.
    pub(crate) fn flops(&self, texts: u32, tokens: u32) -> f64 {
        let tokens = f64::from(tokens);
        let [hidden, layers, inner] = self.sizes();
        let products = tokens * (4.0 * hidden * hidden + 2.0 * hidden * inner);
        let attention = 2.0 * tokens * tokens * hidden;
        2.0 * f64::from(texts) * layers * (products + attention)
    }

    /// Bytes of the matrices in `f32`, each of which a call reads at least once. Rows of the
    /// vocabulary are not counted: a text reads few of them.
    pub(crate) fn weight_bytes(&self) -> f64 {
        let [hidden, layers, inner] = self.sizes();
        4.0 * layers * (4.0 * hidden * hidden + 2.0 * hidden * inner)
    }

    fn sizes(&self) -> [f64; 3] {
        [self.hidden_size, self.num_hidden_layers, self.intermediate_size].map(f64::from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// By hand, for all-MiniLM-L6-v2: 1,769,472 numbers in the matrices of each of 6 layers.
    #[test]
    fn work_is_counted_from_the_sizes() {
        let network = Network { hidden_size: 384, num_hidden_layers: 6, intermediate_size: 1_536 };
        let close = |one: f64, other: f64| (one - other).abs() < 0.5;
        assert!(close(network.weight_bytes(), 4.0 * 6.0 * 1_769_472.0));
        let one = 2.0 * 6.0 * (12.0 * 1_769_472.0 + 2.0 * 144.0 * 384.0);
        assert!(close(network.flops(1, 12), one) && close(network.flops(32, 12), 32.0 * one));
    }
}
