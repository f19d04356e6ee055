//! The terms of a text, as hashes: what two sides compare without showing each other words.
//!
//! Both sides must cut and hash alike, so this is the reference, and `terms.json` in this folder holds
//! examples for implementations in other languages. It is no secret: who guesses a word can hash it.

use sha2::{Digest, Sha256};

/// The most terms of a question that are sent.
pub const TERMS_MAX: usize = 256;

/// Words that stand in texts about anything, as [`stem`] leaves them.
const STOP_WORDS: [&str; 59] = [
    "a", "about", "an", "and", "are", "as", "at", "be", "been", "by", "can", "could", "did", "do", "doe",
    "for", "from", "had", "has", "have", "how", "i", "if", "in", "into", "is", "it", "its", "me", "my",
    "not", "of", "on", "or", "our", "should", "that", "the", "there", "these", "they", "this", "those", "to",
    "u", "was", "we", "were", "what", "when", "where", "which", "who", "why", "will", "with", "would", "you",
    "your",
];

/// The terms of a text: different, in the order of their hashes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms(Vec<u64>);

impl Terms {
    /// The terms of `text`: runs of letters and digits in lower case, without `'s`, without the plural's
    /// ending, and without words that stand anywhere.
    pub fn of(text: &str) -> Self {
        let text = text.to_lowercase().replace("'s", " ").replace("\u{2019}s", " ");
        let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
        let words = words.map(stem).filter(|word| !STOP_WORDS.contains(&word.as_str()));
        Self::from_hashes(words.map(|word| hash(&word)).collect())
    }

    /// The terms that have these hashes.
    pub fn from_hashes(mut hashes: Vec<u64>) -> Self {
        hashes.sort_unstable();
        hashes.dedup();
        Self(hashes)
    }

    /// Their hashes, the least first.
    pub fn hashes(&self) -> &[u64] {
        &self.0
    }
}

/// Without a plural's ending, after Harman's S-stemmer (*How Effective Is Suffixing?*, 1991), simplified.
fn stem(word: &str) -> String {
    if let Some(stem) = word.strip_suffix("ies").filter(|stem| stem.chars().count() > 1) {
        return format!("{stem}y");
    }
    let kept = ["ss", "us", "is"].iter().any(|ending| word.ends_with(ending));
    let stem = word.strip_suffix('s').filter(|stem| !kept && stem.chars().count() > 2);
    stem.unwrap_or(word).to_owned()
}

/// The first eight bytes of the word's SHA-256, little-endian.
fn hash(word: &str) -> u64 {
    let digest: [u8; 32] = Sha256::digest(word).into();
    let (chunks, _) = digest.as_chunks();
    chunks.first().map_or(0, |first| u64::from_le_bytes(*first))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn the_examples_for_other_languages_hold() {
        let examples: BTreeMap<String, Vec<String>> =
            serde_json::from_str(include_str!("terms.json")).unwrap();
        for (text, words) in &examples {
            let hashes = words.iter().map(|word| hash(word)).collect();
            assert_eq!(Terms::of(text), Terms::from_hashes(hashes), "{text}");
        }
        assert!(examples.len() > 5);
    }

    /// Known from any other implementation of SHA-256.
    #[test]
    fn a_hash_is_the_beginning_of_the_sha_256() {
        assert_eq!(hash("abc"), u64::from_le_bytes([0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]));
    }
}
