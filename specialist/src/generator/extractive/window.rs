//! Which sentences answer a question: a run of them without a gap, which begins at the passage's beginning
//! unless a later place is clearly better.

use std::ops::Range;

use proto::{Terms, support::weight};

use super::{
    intent::Intent,
    outline::{Border, Outline},
};

/// A sentence that begins behind so many words of the answer counts half.
const PATIENCE_WORDS: f32 = 40.0;

/// What the first sentence of the kind that the question wants adds; all its terms together add 1.
const INTENT_GAIN: f32 = 0.25;

/// By so much another beginning must be better than the passage's own: most passages begin with what they are
/// about, so that only a plain advantage is worth what is left out. The three weights were chosen by reading
/// answers of the evaluation's corpora side by side.
const ADVANTAGE_MIN: f32 = 0.3;

/// An answer that begins later has at least so many words: a shorter one says too little by itself.
const LATER_WORDS_MIN: usize = 25;

/// A list that the limit would cut is finished while the answer has at most so many times the limit's words.
const FINISH_FACTOR: usize = 2;

/// Words that point back: a sentence that begins with one of them begins no answer.
const POINTS_BACK: [&str; 39] = [
    "it",
    "its",
    "this",
    "these",
    "they",
    "their",
    "them",
    "he",
    "she",
    "his",
    "her",
    "such",
    "that",
    "those",
    "however",
    "but",
    "and",
    "or",
    "also",
    "then",
    "therefore",
    "thus",
    "so",
    "as",
    "another",
    "other",
    "others",
    "both",
    "instead",
    "finally",
    "second",
    "third",
    "moreover",
    "furthermore",
    "similarly",
    "conversely",
    "otherwise",
    "nevertheless",
    "note",
];

/// What an answer is chosen by.
pub(super) struct Wanted {
    /// The terms of the question that no heading says already, each with its share of their weight.
    terms: Vec<(u64, f32)>,
    /// What a sentence may show; `None` where the heading shows it already.
    intent: Option<Intent>,
}

impl Wanted {
    pub(super) fn of(intent: Intent, terms: &Terms, heading: &str) -> Self {
        let said = Terms::of(heading);
        let whole: f32 = terms.hashes().iter().map(|term| weight(*term)).sum();
        let open = terms.hashes().iter().filter(|term| said.hashes().binary_search(term).is_err());
        Self {
            terms: open.map(|term| (*term, weight(*term) / whole)).collect(),
            intent: Some(intent).filter(|intent| !intent.is_shown_by(heading)),
        }
    }
}

/// The sentences of `outline`, which is not empty, that answer best; `best` is the place of the passage that
/// the question found. At most about `words_max` words, the sentence that passes it included; a list is
/// finished as long as there are at most twice as many.
pub(super) fn window(outline: &Outline<'_>, wanted: &Wanted, best: usize, words_max: usize) -> Range<usize> {
    let own = outline.sentences.iter().position(|sentence| sentence.passage == best).unwrap_or_default();
    let own = begin(outline, own, words_max);
    let gains = Gains::of(outline, wanted);
    let mut chosen = own..end(outline, own, words_max);
    let mut least = gains.of_window(outline, &chosen) + ADVANTAGE_MIN;
    for start in (0..outline.sentences.len()).filter(|start| may_begin(outline, *start)) {
        let window = start..end(outline, start, words_max);
        let gain = gains.of_window(outline, &window);
        if gain > least && outline.words(window.clone()) >= LATER_WORDS_MIN {
            (chosen, least) = (window, gain);
        }
    }
    chosen
}

/// `own`, or the beginning of the list that it stands in, if the answer reaches `own` from there.
fn begin(outline: &Outline<'_>, own: usize, words_max: usize) -> usize {
    let open = (0..=own).rev().find(|at| outline.borders[*at] == Border::Open).unwrap_or(own);
    if outline.words(open..own) < words_max { open } else { own }
}

fn may_begin(outline: &Outline<'_>, start: usize) -> bool {
    let first =
        outline.sentences[start].text.split(|c: char| !c.is_alphanumeric()).find(|word| !word.is_empty());
    let first = first.unwrap_or_default().to_lowercase();
    outline.borders[start] == Border::Open && !POINTS_BACK.contains(&first.as_str())
}

/// Where an answer ends that begins at `start`: after the sentence that reaches the limit, if one may end there;
/// after the list that goes on there, if that ends in time; else at the last border before.
fn end(outline: &Outline<'_>, start: usize, words_max: usize) -> usize {
    let Outline { sentences, borders } = outline;
    // The first sentence with which there are more words than `words`, or all.
    let passing = |words: usize| {
        let mut read = 0;
        let passes = sentences[start..].iter().position(|sentence| {
            read += sentence.words;
            read > words
        });
        passes.map_or(sentences.len(), |at| start + at)
    };
    let mut limit = (passing(words_max.saturating_sub(1)) + 1).min(sentences.len());
    // What only leads on, as a heading does, is no end.
    while limit > start + 1 && borders[limit] == Border::Closed && sentences[limit - 1].leads() {
        limit -= 1;
    }
    let later = (limit..=passing(FINISH_FACTOR * words_max)).find(|at| borders[*at] == Border::Open);
    let before = || (start + 1..=limit).rev().find(|at| borders[*at] != Border::Closed);
    later.or_else(before).unwrap_or(limit)
}

/// What each sentence of an outline has of what is wanted.
struct Gains {
    /// For each sentence the places of the terms that it holds, and whether it shows the intent.
    sentences: Vec<(Vec<usize>, bool)>,
    /// The share of each term.
    shares: Vec<f32>,
}

impl Gains {
    fn of(outline: &Outline<'_>, wanted: &Wanted) -> Self {
        let held = |text: &str| {
            let terms = Terms::of(text);
            let held =
                |(at, (term, _)): (usize, &(u64, f32))| terms.hashes().binary_search(term).ok().map(|_| at);
            wanted.terms.iter().enumerate().filter_map(held).collect()
        };
        let shows = |text: &str| wanted.intent.is_some_and(|intent| intent.is_shown_by(text));
        let sentences = outline.sentences.iter().map(|its| (held(its.text), shows(its.text))).collect();
        Self { sentences, shares: wanted.terms.iter().map(|(_, share)| *share).collect() }
    }

    /// The sum of what `window` shows for the first time, the later the less: 0 to 1.25.
    fn of_window(&self, outline: &Outline<'_>, window: &Range<usize>) -> f32 {
        let (mut words, mut gain, mut shown) = (0.0, 0.0, false);
        let mut open = self.shares.clone();
        for at in window.clone() {
            let (held, shows) = &self.sentences[at];
            let terms: f32 = held.iter().map(|term| std::mem::take(&mut open[*term])).sum();
            let intent = if *shows && !shown { INTENT_GAIN } else { 0.0 };
            shown |= shows;
            gain += (terms + intent) * PATIENCE_WORDS / (PATIENCE_WORDS + words);
            words += f32::from(u16::try_from(outline.sentences[at].words).unwrap_or(u16::MAX));
        }
        gain
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::corpus::Passage;

    fn passage(title: &str, text: &str) -> Passage {
        Passage { title: title.into(), text: text.trim().into(), ..Passage::default() }
    }

    fn chosen(question: &str, run: &[Passage], best: usize, words_max: usize) -> String {
        let passages: Vec<&Passage> = run.iter().collect();
        let outline = Outline::of(&passages);
        let wanted = Wanted::of(Intent::of(question), &Terms::of(question), &run[best].heading());
        let window = window(&outline, &wanted, best, words_max);
        outline.sentences[window].iter().map(|sentence| sentence.text).collect()
    }

    #[track_caller]
    fn answers(question: &str, text: &str, words_max: usize, expected: &str) {
        assert_eq!(chosen(question, &[passage("Moon", text)], 0, words_max).trim_end(), expected);
    }

    const MOON: &str = "The Moon goes round the Earth. Its light is the Sun's. It has no air, and nothing grows there \
        as far as anybody knows. The tides of the sea rise twice a day because the Moon pulls at the water on one side \
        more than on the other. Sailors read them in tables that are printed for every harbour of the coast.";

    #[test]
    fn the_beginning_where_the_heading_says_it_all() {
        answers("What is the Moon?", MOON, 10, "The Moon goes round the Earth. Its light is the Sun's.");
        answers("What is the Moon?", MOON, 1, "The Moon goes round the Earth.");
    }

    #[test]
    fn a_later_sentence_where_it_says_what_is_asked() {
        let tides = "The tides of the sea rise twice a day because the Moon pulls at the water on one side more than \
            on the other. Sailors read them in tables that are printed for every harbour of the coast.";
        answers("Why are there tides of the sea?", MOON, 60, tides);
        let few = "Moon rock is grey. It is old. Take 5 mg of dust. ";
        answers("dose of dust", few, 60, few.trim_end());
    }

    #[test]
    fn a_list_is_finished_or_ends_between_items() {
        let list = "It has phases:\n- new moon\n- half moon\n- full moon\nThen it begins again.";
        answers("phases", list, 6, "It has phases:\n- new moon\n- half moon\n- full moon");
        answers("phases", list, 4, "It has phases:\n- new moon");
        let inline =
            "It has phases: - New moon is dark. - Half moon is half. - Full moon is bright. Tides are many.";
        answers(
            "phases",
            inline,
            10,
            "It has phases: - New moon is dark. - Half moon is half. - Full moon is bright.",
        );
    }

    #[test]
    fn an_answer_begins_in_one_passage_and_goes_on_in_the_next() {
        let run = [passage("Moon", "It has two phases:"), passage("Moon", "- full\n- new")];
        assert_eq!(chosen("phases", &run, 1, 50), "It has two phases:- full\n- new");
        let run = [passage("Moon", "The Moon is far."), passage("Moon", "It is round.")];
        assert_eq!(chosen("moon", &run, 0, 50), "The Moon is far.It is round.");
        assert_eq!(chosen("moon", &run, 1, 50), "It is round.");
    }

    proptest! {
        #[test]
        fn a_window_is_contiguous_and_within_its_limit(
            texts in prop::collection::vec("(\\PC|[ \\n.!?:\"A-Za-c0-9-]|- |\\n- |```){1,300}", 1..4),
            question in "(how much |what is |why )?[a-c ]{0,9}",
            best in 0_usize..4,
            words_max in 1_usize..60,
        ) {
            let run: Vec<Passage> = texts.iter().map(|text| passage("a", text)).filter(|its| !its.text.is_empty()).collect();
            prop_assume!(!run.is_empty());
            let passages: Vec<&Passage> = run.iter().collect();
            let outline = Outline::of(&passages);
            prop_assert_eq!(outline.borders.len(), outline.sentences.len() + 1);
            let wanted = Wanted::of(Intent::of(&question), &Terms::of(&question), "a");
            let window = window(&outline, &wanted, best % run.len(), words_max);
            prop_assert!(window.start < window.end && window.end <= outline.sentences.len());
            let words = outline.words(window.clone());
            let before_last = outline.words(window.start..window.end - 1);
            prop_assert!(before_last < words_max || words <= FINISH_FACTOR * words_max);
            // Sentence borders of the passages, without a gap.
            for pair in outline.sentences[window].windows(2) {
                let [one, next] = pair else { continue };
                let goes_on = next.passage == one.passage && next.range.start == one.range.end;
                prop_assert!(goes_on || (next.passage == one.passage + 1 && next.range.start == 0));
            }
            for sentence in &outline.sentences {
                prop_assert!(proto::sentences(&run[sentence.passage].text).contains(&sentence.range));
            }
        }
    }
}
