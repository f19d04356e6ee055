//! An encoder and the tokenizer that belongs to it.

use std::{path::Path, sync::Arc};

use candle_core::Device;
use candle_nn::VarBuilder;
use candle_transformers::models::bert::{BertModel, Config, DTYPE};
use proto::{Digest, Space};

use crate::{
    Encoder, Engine, LoadError,
    bert::Bert,
    folder::{Folder, Settings},
    hashed::Hashed,
    packed::{self, Packed},
    tokens::{Tokenizer, WordPiece},
};

/// The most tokens of a text that are encoded; the rest is cut off. Vectors of longer texts say
/// little about any part of them.
const TOKENS_MAX: usize = 256;

/// An encoder and the tokenizer that belongs to it.
pub struct Model {
    pub(crate) tokenizer: Tokenizer,
    pub(crate) encoder: Box<dyn Encoder>,
}

/// A folder read, before an engine is chosen.
pub(crate) struct Parts {
    folder: Folder,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) config: Config,
    /// The bytes of a safetensors file.
    pub(crate) weights: Vec<u8>,
    pub(crate) space: Arc<Space>,
    padding_id: u32,
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
    /// it, else on [`Engine::Candle`].
    pub fn load_with(dir: &Path, engine: Option<Engine>) -> Result<Self, LoadError> {
        let parts = Parts::read(dir)?;
        let obstacle = packed::obstacle(&parts.config);
        match (engine, obstacle) {
            (Some(Engine::Candle), _) => parts.on_candle(&device()),
            (Some(Engine::Packed), Some(reason)) => Err(parts.folder.refused(reason)),
            (Some(Engine::Packed), None) => parts.on_packed(),
            (None, obstacle) => match (device(), obstacle) {
                (Device::Cpu, None) => parts.on_packed(),
                (device, _) => parts.on_candle(&device),
            },
        }
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
}

impl Parts {
    pub(crate) fn read(dir: &Path) -> Result<Self, LoadError> {
        let folder = Folder::open(dir)?;
        let Settings { bert: config, pooling, prefix, tokens_max } = folder.settings()?;

        let positions_max = config.max_position_embeddings;
        let tokens_max = TOKENS_MAX.min(positions_max).min(tokens_max.unwrap_or(TOKENS_MAX));
        let tokenizer = tokenizers::Tokenizer::from_bytes(folder.read("tokenizer.json")?)
            .map_err(|error| folder.broken("tokenizer.json", &error))?;
        let vocabulary = tokenizer.get_vocab_size(true);
        if vocabulary > config.vocab_size {
            let reason = format!("has {vocabulary} tokens, where the weights have {}", config.vocab_size);
            return Err(folder.broken("tokenizer.json", &reason));
        }
        let tokenizer = WordPiece::new(tokenizer, prefix.clone(), tokens_max)
            .ok_or_else(|| folder.broken("config.json", &"leaves no room for text"))?;

        let weights = folder.read("model.safetensors")?;
        let digest = Digest::of(&weights);
        let dimension = config.hidden_size;
        let space = Space { encoder: folder.name(), weights: digest, pooling, prefix, dimension };
        let padding_id = u32::try_from(config.pad_token_id)
            .map_err(|error| folder.broken("config.json", &format!("pad_token_id: {error}")))?;
        let tokenizer = Tokenizer::WordPiece(Box::new(tokenizer));
        Ok(Self { folder, tokenizer, config, weights, space: space.into(), padding_id })
    }

    fn on_candle(self, device: &Device) -> Result<Model, LoadError> {
        let Self { folder, tokenizer, config, weights, space, padding_id } = self;
        let network = VarBuilder::from_buffered_safetensors(weights, DTYPE, device)
            .and_then(|weights| BertModel::load(weights, &config))
            .map_err(|error| folder.broken("model.safetensors", &error))?;
        Ok(Model { tokenizer, encoder: Box::new(Bert { network, space, padding_id }) })
    }

    fn on_packed(self) -> Result<Model, LoadError> {
        let Self { folder, tokenizer, config, weights, space, padding_id: _ } = self;
        let encoder = Packed::load(weights, &config, space)
            .map_err(|error| folder.broken("model.safetensors", &error))?;
        Ok(Model { tokenizer, encoder: Box::new(encoder) })
    }
}

fn device() -> Device {
    #[cfg(feature = "cuda")]
    match std::panic::catch_unwind(|| Device::new_cuda(0)) {
        Ok(Ok(device)) => return device,
        Ok(Err(error)) => tracing::warn!(%error, "no CUDA device, using the CPU"),
        // The bindings panic where the machine has no driver to bind to.
        Err(_) => tracing::warn!("no CUDA driver, using the CPU"),
    }
    Device::Cpu
}
