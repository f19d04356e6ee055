//! An encoder and the tokenizer that belongs to it.

use std::{path::Path, sync::Arc};

use candle_core::Device;
use proto::{Space, UnitVector};

use crate::{
    BatchLimits, EmbedError, EncodeError, Encoder, Engine, LoadError, Tokens,
    bert::Bert,
    hashed::Hashed,
    packed::{self, Isa, Packed},
    parts::Parts,
    tokens::Tokenizer,
};

/// An encoder and the tokenizer that belongs to it.
pub struct Model {
    pub(crate) tokenizer: Tokenizer,
    pub(crate) encoder: Box<dyn Encoder>,
}

impl Model {
    /// Loads a sentence-transformers folder of the BERT family: `config.json`, `tokenizer.json` and
    /// `model.safetensors`; and, where they exist, `modules.json` with the pooling that it names,
    /// `sentence_bert_config.json` and `config_sentence_transformers.json`.
    ///
    /// Its space is named after the folder. Vectors are of length one even where the folder has no
    /// module for that, since a space is of unit vectors.
    ///
    /// Runs on the fastest engine that can; see [`Self::load_with`].
    pub fn load(dir: &Path) -> Result<Self, LoadError> {
        Self::load_with(dir, None)
    }

    /// As [`Self::load`], on `engine`. Without one: on a CUDA device where the crate is built for it
    /// and the machine has one, else on [`Engine::Packed`] where the processor and the network allow
    /// it, else on [`Engine::Candle`], which also takes the device where there is one.
    ///
    /// What a device fails on is done by the processor.
    pub fn load_with(dir: &Path, engine: Option<Engine>) -> Result<Self, LoadError> {
        let parts = Parts::read(dir)?;
        let fastest = packed::available(&parts.config).map(|sets| sets[0]);
        let encoder = match (engine, fastest) {
            (Some(Engine::Packed), Err(reason)) => return Err(parts.refused(reason)),
            (Some(Engine::Packed), Ok(isa)) => parts.packed(isa)?,
            (None, Ok(isa)) => on_device_before(&parts, parts.packed(isa)?),
            (None | Some(Engine::Candle), _) => on_device_before(&parts, parts.candle()?),
        };
        Ok(Self { tokenizer: parts.tokenizer, encoder })
    }

    /// One for each way that this machine has to run the network, for comparing them: candle on the
    /// processor first, what [`Self::load`] takes last.
    pub fn load_each(dir: &Path) -> Result<Vec<Self>, LoadError> {
        let mut encoders = Vec::new();
        let parts = Parts::read(dir)?;
        encoders.push(parts.candle()?);
        for isa in packed::available(&parts.config).unwrap_or_default().into_iter().rev() {
            encoders.push(parts.packed(isa)?);
        }
        let best = Self::load(dir)?;
        if encoders.iter().all(|encoder| encoder.backend() != best.encoder.backend()) {
            encoders.push(best.encoder);
        }
        let model = |encoder| Self { tokenizer: parts.tokenizer.clone(), encoder };
        Ok(encoders.into_iter().map(model).collect())
    }

    /// Hashed words and word pieces: no weights, for tests. Texts that share words are near each
    /// other, in a space of 256 dimensions that is the same everywhere.
    pub fn hashed() -> Self {
        Self { tokenizer: Tokenizer::Hashed, encoder: Box::new(Hashed::new()) }
    }

    /// Where its vectors may be compared.
    pub fn space(&self) -> &Arc<Space> {
        self.encoder.space()
    }

    /// The batches that the encoder is quick with.
    pub fn batch_limits(&self) -> BatchLimits {
        self.encoder.batch_limits()
    }

    /// The tokens of `text`, with prefix and marks: as many as the encoder takes.
    pub fn tokens(&self, text: &str) -> Result<Tokens, EmbedError> {
        self.tokenizer.tokens(text).map_err(EmbedError::Tokenize)
    }

    /// One vector for each text of `batch`, in its order; in the caller's thread, where an
    /// [`Embedder`](crate::Embedder) has one of its own.
    pub fn encode(&mut self, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
        self.encoder.encode(batch)
    }
}

impl Parts {
    fn candle(&self) -> Result<Box<dyn Encoder>, LoadError> {
        let encoder = Bert::load(self, &Device::Cpu).map_err(|error| self.unfit(&error))?;
        Ok(Box::new(encoder))
    }

    fn packed(&self, isa: Isa) -> Result<Box<dyn Encoder>, LoadError> {
        let encoder = Packed::load(&self.weights, &self.config, self.space.clone(), isa);
        Ok(Box::new(encoder.map_err(|error| self.unfit(&error))?))
    }
}

/// `encoder`, behind one on a CUDA device where the machine has one and the crate is built for it.
fn on_device_before(parts: &Parts, encoder: Box<dyn Encoder>) -> Box<dyn Encoder> {
    #[cfg(feature = "cuda")]
    if let Some(device) = crate::device::encoder(parts) {
        return Box::new(crate::fallback::Fallback::new(device, encoder));
    }
    let _ = parts;
    encoder
}
