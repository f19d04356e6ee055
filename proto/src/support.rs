//! How far a passage supports an answer to a question: the one formula by which specialists tell whether they
//! have an answer, and by which the router ranks what several of them cite. It needs the question, the
//! passage and the encoder, so whoever has these can compute it again.

use std::{collections::HashMap, sync::LazyLock};

use crate::Terms;

/// Generic questions that belong to no domain, one a line, in our own words. A term that many of them have
/// says little about what a question is about.
pub const BACKGROUND: &str = include_str!("../background.txt");

/// How much of the support is the terms' share; the cosine's is the rest.
const COVERED_SHARE: f32 = 0.2;

/// How many questions of [`BACKGROUND`] there are, and how many of these have each term.
static FREQUENCIES: LazyLock<(usize, HashMap<u64, usize>)> = LazyLock::new(|| {
    let mut frequencies = HashMap::new();
    for question in BACKGROUND.lines() {
        for term in Terms::of(question).hashes() {
            *frequencies.entry(*term).or_default() += 1;
        }
    }
    (BACKGROUND.lines().count(), frequencies)
});

/// `0.8 * cosine + 0.2 * covered`: -0.8 to 1. `cosine` is that of the question and where the passage lies
/// (`Card.title_share`), `covered` what [`covered`] says.
pub fn support(cosine: f32, covered: f32) -> f32 {
    (1.0 - COVERED_SHARE) * cosine + COVERED_SHARE * covered
}

/// The share of the [`weight`] of the terms of `question` that stand in `passage`, its heading included: 0 to 1,
/// and 0 for a question without terms.
pub fn covered(question: &Terms, passage: &Terms) -> f32 {
    let (mut shared, mut whole) = (0.0, 0.0);
    for term in question.hashes() {
        let weight = weight(*term);
        whole += weight;
        if passage.hashes().binary_search(term).is_ok() {
            shared += weight;
        }
    }
    if whole > 0.0 { shared / whole } else { 0.0 }
}

/// What a term says of a question's subject: above 0. A term in `df` of the `n` questions of [`BACKGROUND`]
/// weighs `ln(1 + (n - df + 0.5) / (df + 0.5))`, as in BM25 (Robertson & Zaragoza, *The Probabilistic Relevance
/// Framework*, 2009).
#[expect(clippy::cast_precision_loss, reason = "some hundreds of questions")]
pub fn weight(term: u64) -> f32 {
    let (count, frequencies) = &*FREQUENCIES;
    let with = frequencies.get(&term).copied().unwrap_or_default() as f32;
    (1.0 + (*count as f32 - with + 0.5) / (with + 0.5)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(question: &str, passage: &str) -> f32 {
        covered(&Terms::of(question), &Terms::of(passage))
    }

    #[test]
    fn what_stands_in_the_passage_counts_by_its_weight() {
        let question = "tell me the signs of retinoblastoma";
        assert!(
            (covers(question, "Tell parents: a sign of retinoblastoma is a white pupil.") - 1.0).abs() < 1e-6
        );
        assert!(covers(question, "Retinoblastoma is rare.") > covers(question, "I tell you a joke."));
        assert!(covers(question, "Bread rises slowly.").abs() < 1e-6);
        assert!(covers("what is the", "what is the").abs() < 1e-6, "no terms");
    }

    #[test]
    fn support_is_the_published_mix() {
        assert!((support(0.5, 1.0) - 0.6).abs() < 1e-6);
        assert!((support(-1.0, 0.0) + 0.8).abs() < 1e-6);
    }
}
