//! What becomes of a sentence that comes second: whether it is new, says again what stands there, or
//! contradicts it; and which sentences have to stay together.

use std::cell::OnceCell;

use proto::UnitVector;

use super::{
    Difference,
    conflict::{Facts, Relation, relation},
};

/// Sentences at least this near to each other may be about the same: a cosine.
const RELATED_MIN: f32 = 0.75;

/// Who is supported less than this share of what the best one is has nothing to add.
const SUPPORT_SHARE: f32 = 0.9;

/// A sentence, and where it lies.
#[derive(Debug)]
pub(super) struct Sentence<'a> {
    text: &'a str,
    /// `None` where it was not measured.
    vector: Option<&'a UnitVector>,
    /// What it says, read at most once.
    facts: OnceCell<Facts>,
}

impl<'a> Sentence<'a> {
    pub(super) fn new(text: &'a str, vector: Option<&'a UnitVector>) -> Self {
        Self { text, vector, facts: OnceCell::new() }
    }

    fn facts(&self) -> &Facts {
        self.facts.get_or_init(|| Facts::of(self.text))
    }
}

/// What becomes of a sentence. Places are those of the sentences that stand in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    New,
    Repeats(usize),
    Conflicts(usize, Difference),
}

/// What becomes of `sentence`, beside those that are `standing`.
pub(super) fn fate(sentence: &Sentence, standing: &[Sentence]) -> Fate {
    let cosine = |other: &Sentence| Some(sentence.vector?.cosine(other.vector?));
    let cosines = standing.iter().enumerate().filter_map(|(at, other)| Some((at, cosine(other)?)));
    let mut near: Vec<(usize, f32)> = cosines.filter(|(_, cosine)| *cosine >= RELATED_MIN).collect();
    near.sort_by(|a, b| b.1.total_cmp(&a.1));
    let mut fate = Fate::New;
    for (at, cosine) in near {
        match relation(sentence.facts(), standing[at].facts(), cosine) {
            // Whoever agrees with one side of a conflict repeats that side.
            Relation::Same => return Fate::Repeats(at),
            Relation::Conflict(difference) if fate == Fate::New => fate = Fate::Conflicts(at, difference),
            Relation::Conflict(_) | Relation::Apart => {}
        }
    }
    fate
}

/// Whether somebody with this support may add to an answer whose best has `best`: both 0 to 1, or less.
pub(super) fn adds(support: f32, best: f32) -> bool {
    support >= best - (1.0 - SUPPORT_SHARE) * best.abs()
}

/// Which of `sentences`, one text, are said where those that are `new` have to be: with them go the lines of
/// their list, and the sentences that they point back to.
pub(super) fn together(sentences: &[&str], mut new: Vec<bool>) -> Vec<bool> {
    for at in (1..sentences.len()).rev() {
        if new[at] && (is_line(sentences[at - 1]) || points_back(sentences[at])) {
            new[at - 1] = true;
        }
    }
    for at in 1..sentences.len() {
        if new[at - 1] && is_line(sentences[at - 1]) {
            new[at] = true;
        }
    }
    new
}

/// Whether the next sentence stands on the next line: so do the items of a list, and what leads to them.
fn is_line(sentence: &str) -> bool {
    sentence[sentence.trim_end().len()..].matches('\n').count() == 1
}

/// First words of sentences that cannot be understood without the one before.
const POINTING: [&str; 24] = [
    "it",
    "its",
    "this",
    "that",
    "these",
    "those",
    "they",
    "their",
    "them",
    "he",
    "his",
    "she",
    "her",
    "such",
    "however",
    "therefore",
    "thus",
    "then",
    "also",
    "but",
    "both",
    "instead",
    "otherwise",
    "neither",
];

fn points_back(sentence: &str) -> bool {
    let mut words = sentence.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.next().is_some_and(|word| POINTING.contains(&word.to_lowercase().as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn axis(values: [f32; 2]) -> UnitVector {
        UnitVector::scale(values.to_vec()).unwrap()
    }

    #[track_caller]
    fn becomes(sentence: &str, lies: [f32; 2], expected: Fate) {
        let (here, away) = (axis([1.0, 0.0]), axis([0.0, 1.0]));
        let standing =
            [("Rye rises slowly.", &away), ("Take 5 mg of it.", &here), ("Take 9 mg of it.", &here)]
                .map(|(text, vector)| Sentence::new(text, Some(vector)));
        let vector = axis(lies);
        assert_eq!(fate(&Sentence::new(sentence, Some(&vector)), &standing), expected);
        assert_eq!(fate(&Sentence::new(sentence, None), &standing), Fate::New);
    }

    #[test]
    fn a_sentence_is_new_or_repeats_or_conflicts() {
        becomes("Take 5 mg of it.", [1.0, 0.0], Fate::Repeats(1));
        becomes("Take 9 mg of it.", [1.0, 0.0], Fate::Repeats(2));
        becomes("Take 7 mg of it.", [1.0, 0.0], Fate::Conflicts(1, Difference::Numbers));
        becomes("Take 7 mg of it.", [1.0, 1.0], Fate::New);
        becomes("Rye rises slowly.", [0.1, 1.0], Fate::Repeats(0));
    }

    #[test]
    fn support_is_judged_by_the_best() {
        assert!(adds(0.5, 0.5) && adds(0.46, 0.5) && !adds(0.44, 0.5));
        // Where nobody is near, nobody is left out for that.
        assert!(adds(0.0, 0.0) && adds(-0.2, -0.2) && adds(-0.21, -0.2) && !adds(-0.3, -0.2));
    }

    #[track_caller]
    fn says(sentences: &[&str], new: &[usize], expected: &[usize]) {
        let must = (0..sentences.len()).map(|at| new.contains(&at)).collect();
        let said = together(sentences, must);
        let said: Vec<usize> = (0..sentences.len()).filter(|at| said[*at]).collect();
        assert_eq!(said, expected);
    }

    #[test]
    fn what_hangs_together_stays_together() {
        says(&["A is. ", "B is. ", "C is."], &[1], &[1]);
        says(&["A is. ", "It was. ", "This too. ", "D is."], &[2], &[0, 1, 2]);
        says(&["A is. ", "It was. ", "C is."], &[0], &[0]);
        let list = ["Before. ", "Signs are:\n", "- fever\n", "- pain\n\n", "After."];
        says(&list, &[2], &[1, 2, 3]);
        says(&list, &[4], &[4]);
        says(&list, &[], &[]);
    }
}
