//! Encoders of the BERT family, on candle: on every processor, and on CUDA.

use std::sync::Arc;

use candle_core::{Device, Tensor};
use candle_transformers::models::bert::BertModel;
use proto::{Pooling, Space, UnitVector};

use crate::{EncodeError, Encoder, Tokens};

/// A BERT with pooling.
pub(crate) struct Bert {
    pub(crate) network: BertModel,
    pub(crate) space: Arc<Space>,
    /// Fills the shorter texts of a batch; attention never looks at it.
    pub(crate) padding_id: u32,
}

impl Encoder for Bert {
    fn space(&self) -> &Arc<Space> {
        &self.space
    }

    fn device(&self) -> &'static str {
        if self.network.device.is_cuda() { "cuda" } else { "cpu" }
    }

    fn engine(&self) -> &'static str {
        "candle"
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
