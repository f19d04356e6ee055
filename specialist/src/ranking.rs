//! The order of passages for a question: how near they are by meaning, mixed with how near by words.

use std::{cmp::Ordering, collections::BTreeMap};

/// How many of the nearest passages, and how many of the best by words, are put into one order.
pub(crate) const CANDIDATES_MAX: usize = 100;

/// A passage in the order for a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Ranked {
    /// Its place in the corpus.
    pub(crate) passage: usize,
    /// Cosine with the question, -1 to 1.
    pub(crate) similarity: f32,
    /// What it is ordered by.
    score: f32,
}

/// The passages in `near`, each with its cosine, and in `worded`, each with its BM25, best first, by
/// `(1 - lexical_share) * cosine + lexical_share * (BM25 / the largest BM25 + covered) / 2`: BM25 says which rare
/// words a passage is about, `covered` how many of the question's it has, 0 to 1 by place. A passage only in
/// `near` has a BM25 of 0, one only in `worded` the cosine that `cosine` knows; without one it is left out.
pub(crate) fn rank(
    near: &[(usize, f32)],
    worded: &[(usize, f32)],
    covered: &[f32],
    lexical_share: f32,
    cosine: impl Fn(usize) -> Option<f32>,
) -> Vec<Ranked> {
    let largest = worded.iter().map(|(_, score)| *score).fold(f32::MIN_POSITIVE, f32::max);
    let mut candidates: BTreeMap<usize, (f32, f32)> =
        near.iter().map(|(passage, similarity)| (*passage, (*similarity, 0.0))).collect();
    for (passage, score) in worded {
        let known = candidates.get(passage).map(|(similarity, _)| *similarity);
        if let Some(similarity) = known.or_else(|| cosine(*passage)) {
            candidates.insert(*passage, (similarity, score / largest));
        }
    }
    let mixed = |(passage, (similarity, bm25)): (usize, (f32, f32))| {
        let words = f32::midpoint(bm25, covered.get(passage).copied().unwrap_or_default());
        let score = (1.0 - lexical_share) * similarity + lexical_share * words;
        Ranked { passage, similarity, score }
    };
    let mut ranked: Vec<Ranked> = candidates.into_iter().map(mixed).collect();
    ranked.sort_by(order);
    ranked
}

/// Best first; equal scores by cosine, then by place.
fn order(a: &Ranked, b: &Ranked) -> Ordering {
    let scores = b.score.total_cmp(&a.score);
    scores.then(b.similarity.total_cmp(&a.similarity)).then(a.passage.cmp(&b.passage))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn places(near: &[(usize, f32)], worded: &[(usize, f32)], lexical_share: f32) -> Vec<usize> {
        let cosine = |passage| (passage < 10).then_some(0.5);
        rank(near, worded, &[], lexical_share, cosine).into_iter().map(|ranked| ranked.passage).collect()
    }

    #[test]
    fn words_move_a_passage_up_as_far_as_their_share_goes() {
        let (near, worded) = ([(0, 0.8), (1, 0.7), (2, 0.6)], [(2, 12.0), (1, 9.0)]);
        assert_eq!(places(&near, &worded, 0.0), [0, 1, 2]);
        assert_eq!(places(&near, &worded, 0.4), [1, 2, 0]);
        assert_eq!(places(&near, &worded, 1.0), [2, 1, 0]);
        assert_eq!(places(&near, &[], 0.5), [0, 1, 2]);
    }

    #[test]
    fn whoever_has_more_of_the_question_goes_first() {
        let ranked = rank(&[(0, 0.5), (1, 0.5)], &[], &[0.2, 0.8], 0.1, |_| None);
        assert_eq!(ranked.iter().map(|ranked| ranked.passage).collect::<Vec<_>>(), [1, 0]);
    }

    #[test]
    fn a_passage_found_by_words_alone_has_its_own_cosine() {
        assert_eq!(places(&[(0, 0.6)], &[(3, 1.0), (77, 1.0)], 0.0), [0, 3]);
        let [first, _] = rank(&[(0, 0.6)], &[(3, 1.0)], &[0.0, 0.0, 0.0, 1.0], 0.5, |_| Some(0.5))[..] else {
            panic!("not two")
        };
        assert_eq!(first, Ranked { passage: 3, similarity: 0.5, score: 0.75 });
    }

    proptest! {
        #[test]
        fn each_passage_stands_once_and_scores_fall(
            near in prop::collection::vec((0_usize..40, -1.0_f32..1.0), 0..30),
            worded in prop::collection::vec((0_usize..40, 0.0_f32..30.0), 0..30),
            share in 0.0_f32..=1.0,
        ) {
            let ranked = rank(&near, &worded, &[0.5; 30], share, |_| Some(0.3));
            let distinct: std::collections::HashSet<_> = ranked.iter().map(|ranked| ranked.passage).collect();
            prop_assert_eq!(distinct.len(), ranked.len());
            prop_assert!(ranked.windows(2).all(|pair| pair[0].score >= pair[1].score));
        }
    }
}
