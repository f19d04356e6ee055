//! How well the passages of a corpus are found: questions whose right passages are known, judged with many
//! shares at once. Text and heading are embedded once; a share only changes how they are put together.

use std::collections::{BTreeSet, HashMap};

use proto::{Terms, UnitVector};

use crate::{
    Error,
    corpus::Passage,
    evidence::Lexicon,
    lexical::{Bm25, LexicalError},
    points::Parts,
    ranking::{CANDIDATES_MAX, rank},
};

/// How many of the first passages count for nDCG and for MRR.
const FIRST: usize = 10;

/// How many count for recall.
const FIRST_RECALLED: usize = 5;

/// What the order of passages depends on.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shares {
    /// `title_share`: 0 to 1.
    pub title: f32,
    /// `lexical_share`: 0 to 1.
    pub lexical: f32,
}

/// How well one question's passages were found. Each is 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quality {
    /// Discounted gain of the first ten over that of the best order (Järvelin & Kekäläinen 2002), where each
    /// right passage gains the same.
    pub ndcg10: f64,
    /// One over the place of the first right passage among the first ten, or 0.
    pub mrr10: f64,
    /// The share of the right passages that are among the first five.
    pub recall5: f64,
}

impl Quality {
    /// Of an order whose right passages stand at `places`, counted from 0 and rising, where `right` is how
    /// many there are, at least 1.
    #[expect(clippy::cast_precision_loss, reason = "places among the first ten, counts of passages")]
    pub fn of(places: &[usize], right: usize) -> Self {
        let gain = |place: usize| 1.0 / (place as f64 + 2.0).log2();
        let best: f64 = (0..right.min(FIRST)).map(gain).sum();
        let first = places.iter().copied().take_while(|place| *place < FIRST);
        let recalled = places.iter().filter(|place| **place < FIRST_RECALLED).count();
        Self {
            ndcg10: first.clone().map(gain).sum::<f64>() / best,
            mrr10: first.min().map_or(0.0, |place| 1.0 / (place as f64 + 1.0)),
            recall5: recalled as f64 / right as f64,
        }
    }
}

/// A corpus, ready to be judged.
pub struct Bench {
    places: HashMap<String, usize>,
    parts: Vec<Parts>,
    /// The cosine of each text with its heading; 1 where there is none.
    within: Vec<f32>,
    words: Bm25,
    lexicon: Lexicon,
}

/// The cosines of a question with a text and its heading, and of those two: for each share, that with the
/// point follows from them.
#[derive(Clone, Copy)]
struct Cosines {
    text: f32,
    heading: f32,
    within: f32,
}

impl Cosines {
    /// With the direction of `(1 - title_share) * text + title_share * heading`.
    fn with_point(self, title_share: f32) -> f32 {
        let (own, other) = (1.0 - title_share, title_share);
        let length = (own * own + other * other + 2.0 * own * other * self.within).max(0.0).sqrt();
        // The two cancel out, and the point is the text's.
        if length < f32::EPSILON { self.text } else { (own * self.text + other * self.heading) / length }
    }
}

impl Bench {
    /// `parts` has one for each of `passages`, headings included.
    pub(crate) fn new(passages: &[Passage], parts: Vec<Parts>) -> Result<Self, Error> {
        let places = passages.iter().enumerate().map(|(at, passage)| (passage.id.clone(), at)).collect();
        let within = |parts: &Parts| parts.heading.as_ref().map_or(1.0, |heading| parts.text.cosine(heading));
        let within = parts.iter().map(within).collect();
        Ok(Self { places, parts, within, words: Bm25::of(passages)?, lexicon: Lexicon::of(passages) })
    }

    /// How many passages there are.
    pub fn passage_count(&self) -> usize {
        self.parts.len()
    }

    /// The passages with these ids; `None` where there is no id, or one that no passage has.
    pub fn right(&self, ids: &[String]) -> Option<BTreeSet<usize>> {
        let right: Option<BTreeSet<usize>> = ids.iter().map(|id| self.places.get(id).copied()).collect();
        right.filter(|right| !right.is_empty())
    }

    fn cosines(&self, vector: &UnitVector) -> Vec<Cosines> {
        let cosines = |(Parts { text, heading }, within): (&Parts, &f32)| {
            let text = text.cosine(vector);
            let heading = heading.as_ref().map_or(text, |heading| heading.cosine(vector));
            Cosines { text, heading, within: *within }
        };
        self.parts.iter().zip(&self.within).map(cosines).collect()
    }

    /// How well the passages `right`, at least one, are found with each of `settings` for `question`, which
    /// lies at `vector`. Settings of one title share are best given side by side.
    pub fn judge(
        &self,
        question: &str,
        vector: &UnitVector,
        right: &BTreeSet<usize>,
        settings: &[Shares],
    ) -> Result<Vec<Quality>, LexicalError> {
        let worded = self.words.search(question, CANDIDATES_MAX)?;
        let covered = self.lexicon.covered(&Terms::of(question));
        let parts = self.cosines(vector);
        let mut qualities = Vec::with_capacity(settings.len());
        for same in settings.chunk_by(|a, b| a.title.total_cmp(&b.title).is_eq()) {
            let Some(title) = same.first().map(|shares| shares.title) else { continue };
            let cosines: Vec<f32> = parts.iter().map(|parts| parts.with_point(title)).collect();
            let near = nearest(&cosines, CANDIDATES_MAX);
            let cosine = |passage: usize| cosines.get(passage).copied();
            qualities.extend(same.iter().map(|shares| {
                let ranked = rank(&near, &worded, &covered, shares.lexical, cosine)
                    .into_iter()
                    .take(FIRST)
                    .enumerate();
                let found = ranked.filter(|(_, ranked)| right.contains(&ranked.passage));
                Quality::of(&found.map(|(place, _)| place).collect::<Vec<_>>(), right.len())
            }));
        }
        Ok(qualities)
    }
}

/// The places of the `count` largest of `cosines`, each with its cosine, in no order.
fn nearest(cosines: &[f32], count: usize) -> Vec<(usize, f32)> {
    let mut near: Vec<(usize, f32)> = cosines.iter().copied().enumerate().collect();
    if count < near.len() {
        near.select_nth_unstable_by(count, |a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        near.truncate(count);
    }
    near
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Quality, [ndcg10, mrr10, recall5]: [f64; 3]) {
        let near = |a: f64, b: f64| (a - b).abs() < 1e-4;
        let all = near(found.ndcg10, ndcg10) && near(found.mrr10, mrr10) && near(found.recall5, recall5);
        assert!(all, "{found:?}");
    }

    #[test]
    fn qualities_are_the_textbooks() {
        close(Quality::of(&[0], 1), [1.0, 1.0, 1.0]);
        close(Quality::of(&[], 2), [0.0, 0.0, 0.0]);
        close(Quality::of(&[1, 5], 2), [(0.630_93 + 0.356_21) / 1.630_93, 0.5, 0.5]);
        close(Quality::of(&[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 20), [1.0, 1.0, 0.25]);
    }

    #[test]
    fn a_point_s_cosine_follows_from_those_of_its_parts() {
        let at = |x: f32, y: f32| UnitVector::scale(vec![x, y, 1.0]).unwrap();
        let (text, heading, question) = (at(1.0, 2.0), at(-3.0, 0.5), at(0.2, -1.0));
        let cosines = Cosines {
            text: text.cosine(&question),
            heading: heading.cosine(&question),
            within: text.cosine(&heading),
        };
        for share in [0.0, 0.3, 1.0] {
            let expected = text.towards(&heading, share).cosine(&question);
            assert!((cosines.with_point(share) - expected).abs() < 1e-5, "{share}");
        }
    }

    #[test]
    fn the_nearest_are_found_without_their_order() {
        let mut found = nearest(&[0.1, 0.9, 0.5, 0.7], 2);
        found.sort_by_key(|(place, _)| *place);
        assert_eq!(found, [(1, 0.9), (3, 0.7)]);
        assert_eq!(nearest(&[0.1], 5), [(0, 0.1)]);
    }
}
