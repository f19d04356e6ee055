//! Encoders of the BERT family, on candle: on every processor, and on CUDA.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, DTYPE};
use proto::{Pooling, Space, UnitVector};

use crate::{Backend, BatchLimits, EncodeError, Encoder, Tokens, parts::Parts};

/// The most tokens of a batch on a device: enough to keep it busy, and little enough that the
/// processor, should the device fail, has them done within a second or two.
pub(crate) const DEVICE_TOKENS_MAX: usize = 16_384;

/// The same on the processor, which is no quicker with more.
const TOKENS_MAX: usize = 1_024;

/// A BERT with pooling.
pub(crate) struct Bert {
    network: BertModel,
    space: Arc<Space>,
    /// Fills the shorter texts of a batch; attention never looks at it.
    padding_id: u32,
}

impl Bert {
    pub(crate) fn load(parts: &Parts, device: &Device) -> candle_core::Result<Self> {
        let weights = VarBuilder::from_slice_safetensors(&parts.weights, DTYPE, device)?;
        let network = BertModel::load(weights, &parts.config)?;
        Ok(Self { network, space: parts.space.clone(), padding_id: parts.padding_id })
    }
}

impl Encoder for Bert {
    fn space(&self) -> &Arc<Space> {
        &self.space
    }

    fn backend(&self) -> Backend {
        Backend { engine: "candle", device: if self.network.device.is_cuda() { "cuda" } else { "cpu" } }
    }

    fn batch_limits(&self) -> BatchLimits {
        let tokens_max = if self.network.device.is_cuda() { DEVICE_TOKENS_MAX } else { TOKENS_MAX };
        BatchLimits { tokens_max, padded: true }
    }

    fn encode(&mut self, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let (ids, mask) = padded(batch, self.padding_id, &self.network.device)?;
        let tokens = self.network.forward(&ids, &ids.zeros_like()?, Some(&mask))?;
        let texts = match self.space.pooling {
            Pooling::Cls => tokens.narrow(1, 0, 1)?.squeeze(1)?,
            // Length is lost in scaling, so the sum over a text points where its mean does.
            Pooling::Mean => tokens.broadcast_mul(&mask.unsqueeze(2)?)?.sum(1)?,
        };
        let rows = texts.to_vec2::<f32>()?;
        rows.into_iter().map(|row| UnitVector::scale(row).ok_or(EncodeError::NoDirection)).collect()
    }
}

/// Token ids (u32) and mask (f32; 1 where a text has a token, 0 in the padding), each of shape texts
/// by tokens of the longest.
fn padded(batch: &[Tokens], padding_id: u32, device: &Device) -> candle_core::Result<(Tensor, Tensor)> {
    let width = batch.iter().map(Tokens::len).max().unwrap_or(0);
    let mut ids = Vec::with_capacity(batch.len() * width);
    let mut mask = Vec::with_capacity(batch.len() * width);
    for tokens in batch {
        ids.extend_from_slice(tokens.ids());
        ids.resize(ids.len() + width - tokens.len(), padding_id);
        mask.resize(mask.len() + tokens.len(), 1_f32);
        mask.resize(ids.len(), 0.0);
    }
    let shape = (batch.len(), width);
    Ok((Tensor::from_vec(ids, shape, device)?, Tensor::from_vec(mask, shape, device)?))
}
