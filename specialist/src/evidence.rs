//! What the passages hold near a question that only its vector and its terms stand for: what a probe is
//! answered with.

use std::collections::{BTreeSet, HashMap};

use index::{Index, IndexError};
use proto::{Evidence, Terms, UnitVector, Wording, support};

use crate::corpus::Passage;

/// How many of the nearest passages make a nearness: one may be near by chance.
const NEAREST: usize = 3;

/// Keeps the familiarity of a term that stands nowhere finite.
const RARITY_MIN: f32 = 0.002;

/// Evidence is rounded to this, so that nobody can feel the way to a passage.
const GRAIN: f32 = 1e-3;

/// Which terms stand in which passages and titles.
pub(crate) struct Lexicon {
    passage_count: usize,
    /// The passages that each term stands in, title included.
    passages: HashMap<u64, Vec<u32>>,
    /// The different titles that each term stands in.
    titles: HashMap<u64, Vec<u32>>,
    /// The weight of all terms of each title.
    title_weights: Vec<f32>,
}

impl Lexicon {
    pub(crate) fn of(passages: &[Passage]) -> Self {
        let mut lexicon = Self {
            passage_count: passages.len(),
            passages: postings(passages.iter().map(|passage| Terms::of(&passage.titled()))),
            titles: HashMap::new(),
            title_weights: Vec::new(),
        };
        let titles: BTreeSet<String> = passages.iter().map(Passage::heading).collect();
        let titles: Vec<Terms> = titles.iter().map(|title| Terms::of(title)).collect();
        lexicon.title_weights = titles.iter().map(|title| lexicon.weight(title)).collect();
        lexicon.titles = postings(titles);
        lexicon
    }

    /// What `terms` say; `None` for none.
    fn wording(&self, terms: &Terms) -> Option<Wording> {
        let whole = self.weight(terms);
        if terms.hashes().is_empty() {
            return None;
        }
        let covered = self.most(terms, (&self.passages, self.passage_count), |_, shared| shared / whole);
        let titled = self.most(terms, (&self.titles, self.title_weights.len()), |title, shared| {
            shared / (whole + self.title_weights[title] - shared)
        });
        let familiar = terms.hashes().iter().map(|term| (self.share(*term) + RARITY_MIN).ln());
        #[expect(clippy::cast_precision_loss, reason = "at most some hundreds")]
        let familiar = familiar.sum::<f32>() / terms.hashes().len() as f32;
        Some(Wording { covered: rounded(covered), titled: rounded(titled), familiar: rounded(familiar) })
    }

    /// [`support::covered`] of each passage, in their order.
    pub(crate) fn covered(&self, terms: &Terms) -> Vec<f32> {
        let whole: f32 = terms.hashes().iter().map(|term| support::weight(*term)).sum();
        let mut covered = vec![0.0; self.passage_count];
        for term in terms.hashes() {
            for place in self.passages.get(term).into_iter().flatten() {
                covered[*place as usize] += support::weight(*term) / whole;
            }
        }
        covered
    }

    /// The largest `value` of one of `count` texts, given the weight of the `terms` that it shares.
    fn most(
        &self,
        terms: &Terms,
        (postings, count): (&HashMap<u64, Vec<u32>>, usize),
        value: impl Fn(usize, f32) -> f32,
    ) -> f32 {
        let mut shared = vec![0.0; count];
        for term in terms.hashes() {
            let weight = self.term_weight(*term);
            for place in postings.get(term).into_iter().flatten() {
                shared[*place as usize] += weight;
            }
        }
        let values = shared.into_iter().enumerate().map(|(place, shared)| value(place, shared));
        values.fold(0.0, f32::max).min(1.0)
    }

    fn weight(&self, terms: &Terms) -> f32 {
        terms.hashes().iter().map(|term| self.term_weight(*term)).sum()
    }

    /// How much a term tells: its inverse document frequency as BM25 has it (Robertson & Zaragoza, *The
    /// Probabilistic Relevance Framework*, 2009), kept above 0.
    fn term_weight(&self, term: u64) -> f32 {
        #[expect(clippy::cast_precision_loss, reason = "counts of passages, at most a million")]
        let (all, with) = (self.passage_count as f32, self.frequency(term) as f32);
        (1.0 + (all - with + 0.5) / (with + 0.5)).ln()
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of passages, at most a million")]
    fn share(&self, term: u64) -> f32 {
        self.frequency(term) as f32 / self.passage_count.max(1) as f32
    }

    fn frequency(&self, term: u64) -> usize {
        self.passages.get(&term).map_or(0, Vec::len)
    }
}

/// Where each term stands, by the places of the texts.
fn postings(texts: impl IntoIterator<Item = Terms>) -> HashMap<u64, Vec<u32>> {
    let mut postings: HashMap<u64, Vec<u32>> = HashMap::new();
    for (place, terms) in (0..).zip(texts) {
        for term in terms.hashes() {
            postings.entry(*term).or_default().push(place);
        }
    }
    postings
}

/// The evidence of `index`, whose passages `lexicon` is of, for a question.
pub(crate) fn gather(
    index: &Index<usize>,
    lexicon: &Lexicon,
    question: &UnitVector,
    terms: &Terms,
) -> Result<Evidence, IndexError> {
    let hits = index.search(question, NEAREST)?;
    #[expect(clippy::cast_precision_loss, reason = "at most three")]
    let mean = hits.iter().map(|hit| hit.similarity).sum::<f32>() / hits.len().max(1) as f32;
    Ok(Evidence { nearness: rounded(mean.clamp(-1.0, 1.0)), wording: lexicon.wording(terms) })
}

fn rounded(value: f32) -> f32 {
    (value / GRAIN).round() * GRAIN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(title: &str, text: &str) -> Passage {
        let (id, text) = (text.to_owned(), text.to_owned());
        Passage { id, title: title.to_owned(), text, ..Passage::default() }
    }

    fn says(question: &str) -> Option<Wording> {
        let passages = [
            passage("Measles", "Spots come after some days."),
            passage("Measles", "Keep the child at home."),
            passage("Mumps", "The glands swell."),
            passage("", "Wash your hands."),
        ];
        Lexicon::of(&passages).wording(&Terms::of(question))
    }

    #[test]
    fn terms_that_stand_together_cover_more() {
        let together = says("measles spots").unwrap();
        let apart = says("mumps spots").unwrap();
        assert!((together.covered - 1.0).abs() < 1e-6 && apart.covered < 0.8, "{together:?} {apart:?}");
        assert!((says("mumps").unwrap().titled - 1.0).abs() < 1e-6);
        // Two terms of which the title has one, the more frequent one, so less than half.
        assert!((0.2..0.5).contains(&together.titled), "{together:?}");
    }

    #[test]
    fn what_stands_nowhere_is_strange_and_what_says_nothing_is_nothing() {
        let strange = says("zeppelin").unwrap();
        assert_eq!((strange.covered, strange.titled), (0.0, 0.0));
        assert!((strange.familiar - RARITY_MIN.ln()).abs() < GRAIN);
        assert_eq!(says("what is it?"), None);
        // The contract's bounds hold at both ends.
        for wording in [strange, says("child home").unwrap()] {
            let evidence = Evidence { nearness: 0.0, wording: Some(wording) };
            assert_eq!(Evidence::try_from(proto::wire::ProbeResponse::from(evidence)), Ok(evidence));
        }
    }
}
