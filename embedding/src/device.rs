//! Encoders of the BERT family on a device that is slow to be told what to do and fast to do it: few
//! steps, in half precision, nothing back but a vector for each text.
//!
//! Nothing here runs on a device before it has shown, at load, that it computes what the CPU does.
//! Whatever goes wrong, by error or by panic, becomes a reason to run on the CPU.

mod attempt;
mod load;
mod network;

use std::sync::Arc;

use candle_core::{DType, Device};
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{Config, HiddenAct};
use proto::{Pooling, Space, UnitVector};

use self::network::{Batch, Network};
use crate::{
    Backend, BatchLimits, EncodeError, Encoder, Tokens,
    bert::{Bert, DEVICE_TOKENS_MAX},
    parts::Parts,
};

/// What a CUDA device computes in: three more bits than `bf16`, at the same speed. Sums are kept in
/// `f32` by the kernels all the same.
#[cfg(feature = "cuda")]
const DTYPE: DType = DType::F16;

/// The least cosine to the CPU's vectors with which a device is used. Rounding costs a tenth of this;
/// a network that overflows, or a device that is broken, is far below.
const COSINE_MIN: f32 = 0.999;

/// The lengths, in tokens, that are run once before the first question. A length that a device meets for
/// the first time makes it look for, and load, the products that suit it.
const WARM_LENGTHS: [usize; 8] = [8, 12, 16, 24, 32, 64, 128, 256];

/// A BERT with pooling.
pub(crate) struct OnDevice {
    network: Network,
    space: Arc<Space>,
    padding_id: u32,
}

/// The encoder on the machine's CUDA device, where there is one and it can be used. Says in the log
/// why not.
#[cfg(feature = "cuda")]
pub(crate) fn encoder(parts: &Parts) -> Option<Box<dyn Encoder>> {
    let device = cuda()?;
    let failed = |reason: String| tracing::warn!(reason, "CUDA device is not used, running on the CPU");
    attempt::quietly(|| encoder_on(parts, device, DTYPE)).map_err(failed).ok()
}

/// The first CUDA device, looked for once in the life of a process.
#[cfg(feature = "cuda")]
fn cuda() -> Option<&'static Device> {
    static FOUND: std::sync::OnceLock<Option<Device>> = std::sync::OnceLock::new();
    let missing = |reason: String| {
        // Of a missing library the bindings list, after a dash, the twenty names that it might have had.
        let reason = reason.split(" - ").next().unwrap_or_default();
        tracing::warn!(reason, "no CUDA device, running on the CPU");
    };
    // The bindings panic where a library of CUDA is missing, the driver's being the first.
    FOUND.get_or_init(|| attempt::quietly(|| Device::new_cuda(0)).map_err(missing).ok()).as_ref()
}

/// The encoder on `device`, warm, and having given the vectors that the CPU gives: this network where it
/// can, else candle's in `f32`.
fn encoder_on(parts: &Parts, device: &Device, dtype: DType) -> Result<Box<dyn Encoder>, EncodeError> {
    let texts = proof(parts);
    let expected = Bert::load(parts, &Device::Cpu)?.encode(&texts)?;
    let proven = |mut encoder: Box<dyn Encoder>| {
        let found = encoder.encode(&texts)?;
        let cosines = expected.iter().zip(&found).map(|(expected, found)| expected.cosine(found));
        let least = cosines.fold(1.0, f32::min);
        if least < COSINE_MIN {
            let reason = format!("its vectors are not those of the CPU, the least cosine is {least}");
            return Err(EncodeError::Failed(reason));
        }
        Ok(encoder)
    };
    let fast = OnDevice::load(parts, device, dtype).and_then(|fast| proven(Box::new(fast)));
    let mut encoder = match fast {
        Ok(encoder) => encoder,
        Err(error) => {
            tracing::info!(%error, "this network runs on the device in f32 only");
            proven(Box::new(Bert::load(parts, device)?))?
        }
    };
    if device.is_cuda() {
        for length in WARM_LENGTHS {
            encoder.encode(&[text(parts, length)])?;
        }
    }
    Ok(encoder)
}

/// Texts of different lengths, so that the shorter is padded.
fn proof(parts: &Parts) -> Vec<Tokens> {
    vec![text(parts, 5), text(parts, 12)]
}

/// Tokens from all over the vocabulary, or fewer where the network has fewer positions.
fn text(parts: &Parts, length: usize) -> Tokens {
    let words = u32::try_from(parts.config.vocab_size).unwrap_or(u32::MAX).max(1);
    let ids = (1_u32..).map(|place| place.wrapping_mul(7_919) % words);
    Tokens::of(ids.take(length.min(parts.config.max_position_embeddings)).collect())
}

impl OnDevice {
    /// Lays out the weights of `parts` on `device`.
    pub(crate) fn load(parts: &Parts, device: &Device, dtype: DType) -> Result<Self, EncodeError> {
        if let Some(obstacle) = obstacle(&parts.config) {
            return Err(EncodeError::Failed(obstacle.into()));
        }
        let tensors = VarBuilder::from_slice_safetensors(&parts.weights, DType::F32, &Device::Cpu)?;
        let network = load::network(&tensors, &parts.config, device, dtype)?;
        Ok(Self { network, space: parts.space.clone(), padding_id: parts.padding_id })
    }
}

fn obstacle(config: &Config) -> Option<&'static str> {
    let (hidden, heads) = (config.hidden_size, config.num_attention_heads);
    if config.hidden_act != HiddenAct::Gelu {
        return Some("its hidden_act is not gelu");
    }
    (heads == 0 || !hidden.is_multiple_of(heads)).then_some("its heads are not of one size")
}

impl Encoder for OnDevice {
    fn space(&self) -> &Arc<Space> {
        &self.space
    }

    fn backend(&self) -> Backend {
        Backend { engine: "candle", device: if self.network.device().is_cuda() { "cuda" } else { "cpu" } }
    }

    fn batch_limits(&self) -> BatchLimits {
        BatchLimits { tokens_max: DEVICE_TOKENS_MAX, padded: true }
    }

    fn encode(&mut self, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let texts: Vec<_> = batch.iter().map(Tokens::ids).collect();
        // A device would read outside its tables, or not notice.
        if !texts.iter().all(|ids| self.network.knows(ids)) {
            return Err(EncodeError::Failed("no tokens, or one without a place in the network".into()));
        }
        let batch = Batch::new(&texts, self.padding_id, &self.network)?;
        let states = self.network.forward(&batch)?;
        let vectors = match self.space.pooling {
            Pooling::Cls => states.narrow(1, 0, 1)?.squeeze(1)?.to_dtype(DType::F32)?,
            Pooling::Mean => batch.sums(&states)?,
        };
        let rows = vectors.to_vec2::<f32>()?;
        rows.into_iter().map(|row| UnitVector::scale(row).ok_or(EncodeError::NoDirection)).collect()
    }
}

#[cfg(test)]
mod tests;
