//! An encoder without weights, for tests: texts that share words are near each other.
//!
//! It knows nothing of meaning: a synonym is as far as any other word.

use std::{collections::BTreeSet, sync::Arc};

use proto::{Digest, Pooling, Space, UnitVector};

use crate::{Backend, BatchLimits, EncodeError, Encoder, Tokens};

const DIMENSION: usize = 256;

/// Signed feature hashing of words and their trigrams.
pub(crate) struct Hashed {
    space: Arc<Space>,
}

impl Hashed {
    pub(crate) fn new() -> Self {
        let space = Space {
            encoder: "hashed".into(),
            weights: Digest::of(b"consilium hashed encoder v1"),
            pooling: Pooling::Mean,
            prefix: String::new(),
            dimension: DIMENSION,
        };
        Self { space: space.into() }
    }
}

impl Encoder for Hashed {
    fn space(&self) -> &Arc<Space> {
        &self.space
    }

    fn backend(&self) -> Backend {
        Backend { engine: "hashed", device: "cpu" }
    }

    fn batch_limits(&self) -> BatchLimits {
        BatchLimits { tokens_max: 4_096, padded: false }
    }

    fn encode(&mut self, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError> {
        batch.iter().map(|tokens| vector(tokens.ids()).ok_or(EncodeError::NoDirection)).collect()
    }
}

fn vector(ids: &[u32]) -> Option<UnitVector> {
    let mut values = vec![0.0; DIMENSION];
    // Each piece counts once, or the most frequent words would drown the others.
    for id in BTreeSet::from_iter(ids) {
        // The upper bits of this hash are the well mixed ones.
        let [axis, sign, ..] = id.to_be_bytes();
        values[usize::from(axis)] += if sign & 1 == 0 { 1.0 } else { -1.0 };
    }
    UnitVector::scale(values)
}

/// A mark for the start, then for each word its hash and the hashes of its trigrams. Long words have
/// more trigrams and so weigh more, which is as well: the short ones are mostly grammar.
pub(crate) fn ids(text: &str) -> Vec<u32> {
    let text = text.to_lowercase();
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    let mut ids = Vec::new();
    for word in words {
        let word: Vec<char> = format!("#{word}#").chars().collect();
        ids.push(hash(&word));
        ids.extend(word.windows(3).map(hash));
    }
    if ids.is_empty() {
        // Stands for a text without words, which has a vector all the same.
        ids.push(hash(&['#']));
    }
    ids
}

/// FNV-1a over whole characters.
fn hash(piece: &[char]) -> u32 {
    piece.iter().fold(0x811c_9dc5, |hash: u32, c| (hash ^ u32::from(*c)).wrapping_mul(0x0100_0193))
}
