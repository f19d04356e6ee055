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

    /// The tokens of `text` behind the last ones of `before`, as many as the encoder takes; `None` where
    /// `text` alone fills it.
    pub(crate) fn tokens_behind(&self, before: &str, text: &str) -> tokenizers::Result<Option<Tokens>> {
        match self {
            Self::WordPiece(word_piece) => Ok(word_piece.ids_behind(before, text)?.map(Tokens)),
            Self::Hashed => Ok(Some(Tokens(hashed::ids(&format!("{before} {text}"))))),
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

    /// Cut apart, so that what is cut off is the beginning of `before` and nothing else.
    fn ids_behind(&self, before: &str, text: &str) -> tokenizers::Result<Option<Vec<u32>>> {
        let mut all = self.tokenizer.encode_fast(self.prefix.as_str(), false)?;
        let text = self.tokenizer.encode_fast(text, false)?;
        let room = self.tokens_max.saturating_sub(all.len() + text.len());
        if room == 0 {
            return Ok(None);
        }
        let mut before = self.tokenizer.encode_fast(before, false)?;
        before.truncate(room, 0, TruncationDirection::Left);
        before.take_overflowing();
        all.merge_with(before, false);
        all.merge_with(text, false);
        Ok(Some(self.tokenizer.post_process(all, None, true)?.get_ids().to_vec()))
    }

    fn count(&self, text: &str) -> tokenizers::Result<usize> {
        Ok(self.tokenizer.encode_fast(format!("{}{text}", self.prefix), true)?.len())
    }
}

#[cfg(test)]
mod tests {
    use tokenizers::{models::wordlevel::WordLevel, pre_tokenizers::whitespace::Whitespace};

    use super::*;

    /// Knows the words `0` to `9` by their numbers and `query` as 10, and takes `tokens_max` of them.
    fn words(tokens_max: usize) -> WordPiece {
        let vocabulary = (0..10).map(|id| (id.to_string(), id)).chain([("query".to_owned(), 10)]);
        let model = WordLevel::builder().vocab(vocabulary.collect()).build().unwrap();
        let mut tokenizer = tokenizers::Tokenizer::new(model);
        tokenizer.with_pre_tokenizer(Some(Whitespace {}));
        WordPiece::new(tokenizer, "query ".to_owned(), tokens_max).unwrap()
    }

    #[test]
    fn what_was_said_before_loses_its_beginning_and_the_text_nothing() {
        let behind = |tokens_max, before, text| words(tokens_max).ids_behind(before, text).unwrap();
        assert_eq!(behind(9, "1 2 3", "4 5"), Some(vec![10, 1, 2, 3, 4, 5]));
        assert_eq!(behind(9, "1 2 3", "4 5"), words(9).ids("1 2 3 4 5").ok());
        assert_eq!(behind(5, "1 2 3", "4 5"), Some(vec![10, 2, 3, 4, 5]));
        assert_eq!(behind(4, "1 2 3", "4 5"), Some(vec![10, 3, 4, 5]));
        assert_eq!((behind(3, "1 2 3", "4 5"), behind(2, "1 2 3", "4 5")), (None, None));
    }
}
