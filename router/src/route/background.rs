//! Questions that belong to nobody.

use proto::{Digest, UnitVector, support::BACKGROUND};

use super::log_sum_exp;

/// Where the questions that belong to nobody lie. A question near them needs to be the nearer to a
/// specialist.
#[derive(Debug, Clone)]
pub struct Background {
    vectors: Vec<UnitVector>,
}

impl Background {
    /// The questions to embed, in order.
    pub fn questions() -> Vec<String> {
        BACKGROUND.lines().map(str::to_owned).collect()
    }

    /// The digest of the questions.
    pub fn digest() -> Digest {
        Digest::of(BACKGROUND)
    }

    /// The background whose questions have `vectors`, all in the fleet's space.
    pub fn new(vectors: Vec<UnitVector>) -> Self {
        Self { vectors }
    }

    /// The cosine of each of its questions with `question`.
    pub fn cosines(&self, question: &UnitVector) -> Vec<f32> {
        self.vectors.iter().map(|vector| vector.cosine(question)).collect()
    }

    /// Its score for `question`, as a specialist's would be.
    pub fn score(&self, question: &UnitVector, temperature: f32) -> f32 {
        log_sum_exp(&self.cosines(question), temperature)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn there_are_250_different_questions() {
        let questions = Background::questions();
        let different: BTreeSet<String> = questions.iter().map(|q| q.to_lowercase()).collect();
        assert_eq!((questions.len(), different.len()), (250, 250));
        assert!(questions.iter().all(|question| !question.trim().is_empty()));
    }
}
