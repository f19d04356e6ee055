//! A sentence-transformers folder, read and checked, before an engine is chosen.

use std::{path::Path, sync::Arc};

use candle_transformers::models::bert::Config;
use proto::{Digest, Space};

use crate::{
    LoadError,
    folder::{Folder, Settings},
    tokens::{Tokenizer, WordPiece},
};

/// The most tokens of a text that are encoded; the rest is cut off. Vectors of longer texts say
/// little about any part of them.
const TOKENS_MAX: usize = 256;

/// What a folder holds.
pub(crate) struct Parts {
    folder: Folder,
    pub(crate) tokenizer: Tokenizer,
    pub(crate) config: Config,
    /// The bytes of a safetensors file.
    pub(crate) weights: Vec<u8>,
    pub(crate) space: Arc<Space>,
    pub(crate) padding_id: u32,
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

    /// That the network cannot run on the engine asked for.
    pub(crate) fn refused(&self, reason: &'static str) -> LoadError {
        self.folder.refused(reason)
    }

    /// That the weights are not those of the network.
    pub(crate) fn unfit(&self, error: &candle_core::Error) -> LoadError {
        self.folder.broken("model.safetensors", error)
    }
}
