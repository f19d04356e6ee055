//! Texts cut into tokens.

use tokenizers::{PostProcessor, TruncationDirection};

use crate::hashed;

/// A tokenized text, ready for the encoder that made it. Without `Debug`, as the numbers can be
/// turned back into the text.
#[derive(Clone)]
pub struct Tokens(Vec<u32>);

impl Tokens {
    /// How many, with the marks that the encoder wants around a text.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none, which no tokenizer of this crate produces.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Numbers that no tokenizer made.
    #[cfg(any(feature = "cuda", test))]
    pub(crate) fn of(ids: Vec<u32>) -> Self {
        Self(ids)
    }

    /// The numbers that the encoder knows the tokens by.
    pub(crate) fn ids(&self) -> &[u32] {
        &self.0
    }
}

/// Cuts texts into the tokens of one encoder.
#[derive(Clone)]
pub(crate) enum Tokenizer {
    /// As the encoder was trained.
    WordPiece(Box<WordPiece>),
    /// Words and their trigrams, hashed.
    Hashed,
}

impl Tokenizer {
    /// The tokens of `text`, as many as the encoder takes.
    pub(crate) fn tokens(&self, text: &str) -> tokenizers::Result<Tokens> {
        match self {
            Self::WordPiece(word_piece) => word_piece.ids(text).map(Tokens),
            Self::Hashed => Ok(Tokens(hashed::ids(text))),
        }
    }

    /// How many tokens `text` has in full.
    pub(crate) fn count(&self, text: &str) -> tokenizers::Result<usize> {
        match self {
            Self::WordPiece(word_piece) => word_piece.count(text),
            Self::Hashed => Ok(hashed::ids(text).len()),
        }
    }
}

/// The tokenizer of a sentence-transformers folder.
#[derive(Clone)]
pub(crate) struct WordPiece {
    tokenizer: tokenizers::Tokenizer,
    prefix: String,
    /// Tokens of text that fit between the marks.
    tokens_max: usize,
}

impl WordPiece {
    /// `tokens_max` includes the marks around a text; `None` where it leaves no room for text.
    pub(crate) fn new(
        mut tokenizer: tokenizers::Tokenizer,
        prefix: String,
        tokens_max: usize,
    ) -> Option<Self> {
        // The file's own settings would pad each text, and cut it where its authors trained.
        tokenizer.with_padding(None);
        tokenizer.with_truncation(None).ok()?;
        let marks = tokenizer.get_post_processor().map_or(0, |marker| marker.added_tokens(false));
        let tokens_max = tokens_max.checked_sub(marks).filter(|room| *room > 0)?;
        Some(Self { tokenizer, prefix, tokens_max })
    }

    fn ids(&self, text: &str) -> tokenizers::Result<Vec<u32>> {
        let mut encoding = self.tokenizer.encode_fast(format!("{}{text}", self.prefix), false)?;
        encoding.truncate(self.tokens_max, 0, TruncationDirection::Right);
        Ok(self.tokenizer.post_process(encoding, None, true)?.get_ids().to_vec())
    }

    fn count(&self, text: &str) -> tokenizers::Result<usize> {
        Ok(self.tokenizer.encode_fast(format!("{}{text}", self.prefix), true)?.len())
    }
}
