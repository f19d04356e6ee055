//! The sentences of a run of passages, and where among them an answer may begin and end: not between a line
//! and what it leads into, not inside of a list or of code.

use std::ops::Range;

use proto::sentences::{is_list_item, sentences};
use unicode_segmentation::UnicodeSegmentation as _;

use crate::corpus::Passage;

/// What may close a sentence after its last mark.
const CLOSERS: [char; 9] = ['"', '\'', ')', ']', '”', '’', '»', '*', '_'];

/// The last item of a list inside of a paragraph has ended once it has so many words: nothing marks its end.
const ITEM_WORDS_MIN: usize = 4;

/// A line has at most so many words if it is an item without a mark in front.
const LINE_WORDS_MAX: usize = 25;

/// A sentence of the run.
#[derive(Debug)]
pub(super) struct Sentence<'a> {
    /// The place of its passage in the run.
    pub(super) passage: usize,
    /// Where it stands there, with the white space that follows it.
    pub(super) range: Range<usize>,
    /// Its text.
    pub(super) text: &'a str,
    /// How many words it has, 1 for one of signs alone.
    pub(super) words: usize,
}

/// What an answer may do between two sentences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Border {
    /// Begin and end.
    Open,
    /// End, if the list that goes on here is too long: an item ends.
    Item,
    /// Neither.
    Closed,
}

/// A run of passages as sentences.
#[derive(Debug)]
pub(super) struct Outline<'a> {
    /// In order; without one that its publisher tore, at either end of the run, unless there is little else.
    pub(super) sentences: Vec<Sentence<'a>>,
    /// What stands before each sentence, and after the last one.
    pub(super) borders: Vec<Border>,
}

impl<'a> Outline<'a> {
    /// Of passages that follow one another.
    pub(super) fn of(run: &[&'a Passage]) -> Self {
        let mut sentences: Vec<Sentence<'a>> =
            run.iter().enumerate().flat_map(|(at, passage)| split(at, passage)).collect();
        let mut borders = borders(&sentences);
        // What leads on leads nowhere at the end: a heading, or a sentence that was cut.
        let count = sentences.len();
        let kept = (1..=count).rev().find(|at| borders[*at] != Border::Closed).unwrap_or(count);
        if words(&sentences[kept..]) <= words(&sentences[..kept]) {
            sentences.truncate(kept);
            borders.truncate(kept + 1);
        }
        if let Some(last) = borders.last_mut() {
            *last = Border::Open;
        }
        if sentences.len() > 1 && run.first().is_some_and(|first| begins_torn(first)) {
            sentences.remove(0);
            borders.remove(0);
            borders[0] = Border::Open;
        }
        Self { sentences, borders }
    }

    /// How many words there are in `range` of the sentences.
    pub(super) fn words(&self, range: Range<usize>) -> usize {
        words(&self.sentences[range])
    }
}

fn words(sentences: &[Sentence<'_>]) -> usize {
    sentences.iter().map(|sentence| sentence.words).sum()
}

impl Sentence<'_> {
    /// Whether it leads to what follows: no mark ends it, or a colon, or it asks what comes then.
    pub(super) fn leads(&self) -> bool {
        let said = self.text.trim_end().trim_end_matches(CLOSERS);
        // The number of a footnote may stand behind the mark.
        let marked = said.trim_end_matches(|c: char| c.is_ascii_digit()).ends_with('.');
        !marked
            && said.ends_with(|c: char| c.is_alphanumeric() || [':', ',', '-', '–', '—', '?'].contains(&c))
    }

    /// Whether it leads to `next`. A heading at the end of a passage may lead to another one than the next.
    fn leads_to(&self, next: &Sentence<'_>) -> bool {
        let same = self.passage == next.passage || self.text.trim_end().ends_with(':');
        self.leads() && (same || next.text.starts_with(char::is_lowercase))
    }

    fn is_item(&self) -> bool {
        is_list_item(self.text)
    }

    fn ends_line(&self) -> bool {
        self.text[self.text.trim_end().len()..].contains('\n')
            || self.text.trim_end().len() == self.range.len()
    }
}

fn split(at: usize, passage: &Passage) -> impl Iterator<Item = Sentence<'_>> {
    sentences(&passage.text).into_iter().map(move |range| {
        let text = &passage.text[range.clone()];
        Sentence { passage: at, range, text, words: text.unicode_words().count().max(1) }
    })
}

/// Whether `passage` begins in the middle of a sentence: in lower case, and not with a word of its heading, as
/// the names of programs are.
fn begins_torn(passage: &Passage) -> bool {
    let first = passage.text.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default();
    let heading = passage.heading().to_lowercase();
    let mut names = heading.split(|c: char| !c.is_alphanumeric());
    first.starts_with(char::is_lowercase) && !names.any(|name| name == first)
}

/// Where the walk over the sentences stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Prose,
    /// In a list whose items have marks; so many words of its last item were read.
    Marked(usize),
    /// In a list whose items are bare lines under one that ends with a colon.
    Lines,
}

fn borders(sentences: &[Sentence<'_>]) -> Vec<Border> {
    let ahead = items_ahead(sentences);
    let (mut state, mut code) = (State::Prose, false);
    let mut borders = Vec::with_capacity(sentences.len() + 1);
    borders.push(Border::Open);
    for (at, before) in sentences.iter().enumerate() {
        let after = sentences.get(at + 1);
        let within = after.is_some_and(|after| after.passage == before.passage);
        code = within && code ^ (before.text.matches("```").count() % 2 == 1);
        state = entered(state, before);
        let item_ahead = ahead.get(at + 1).copied().unwrap_or_default();
        borders.push(match state {
            _ if code => Border::Closed,
            _ => border(&mut state, before, after, item_ahead),
        });
    }
    borders
}

/// The state inside of `sentence`, from the one before it.
fn entered(state: State, sentence: &Sentence<'_>) -> State {
    match state {
        _ if sentence.is_item() => State::Marked(sentence.words),
        State::Marked(words) => State::Marked(words + sentence.words),
        // "Signs: - One." leads into its list by itself.
        State::Prose if sentence.text.contains(": - ") => State::Marked(sentence.words),
        other => other,
    }
}

/// What stands between `before` and `after`; `state` becomes that of `after`.
fn border(
    state: &mut State,
    before: &Sentence<'_>,
    after: Option<&Sentence<'_>>,
    item_ahead: bool,
) -> Border {
    let Some(after) = after else {
        return if *state == State::Prose && before.leads() { Border::Closed } else { Border::Open };
    };
    match *state {
        State::Marked(_) if after.is_item() => Border::Item,
        State::Marked(words) => {
            let goes_on = if before.ends_line() {
                after.text.starts_with("  ")
            } else {
                words < ITEM_WORDS_MIN || item_ahead
            };
            if goes_on {
                return Border::Closed;
            }
            *state = State::Prose;
            Border::Open
        }
        // What leads into a list stays with it.
        State::Prose | State::Lines if after.is_item() => {
            if before.leads() || before.passage == after.passage { Border::Closed } else { Border::Open }
        }
        State::Lines if is_bare_line(after) => Border::Item,
        State::Lines => {
            *state = State::Prose;
            Border::Open
        }
        State::Prose if before.leads_to(after) => {
            let listed = before.text.trim_end().ends_with(':') && before.ends_line() && is_bare_line(after);
            *state = if listed { State::Lines } else { State::Prose };
            Border::Closed
        }
        State::Prose => Border::Open,
    }
}

fn is_bare_line(sentence: &Sentence<'_>) -> bool {
    sentence.leads()
        && !sentence.text.trim_end().ends_with(':')
        && sentence.ends_line()
        && sentence.words <= LINE_WORDS_MAX
}

/// For each sentence whether it, or a later one of its line, is an item.
fn items_ahead(sentences: &[Sentence<'_>]) -> Vec<bool> {
    let mut ahead = vec![false; sentences.len()];
    let mut later = false;
    for (sentence, ahead) in sentences.iter().zip(&mut ahead).rev() {
        later = sentence.is_item() || (later && !sentence.ends_line());
        *ahead = later;
    }
    ahead
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passages(texts: &[&str]) -> Vec<Passage> {
        texts
            .iter()
            .map(|text| Passage { text: (*text).into(), title: "etcd".into(), ..Passage::default() })
            .collect()
    }

    /// The parts of a run that an answer does not cut: "|" where it may begin and end, "/" where it may only end.
    #[track_caller]
    fn parts(texts: &[&str], expected: &str) {
        let passages = passages(texts);
        let run: Vec<&Passage> = passages.iter().collect();
        let Outline { sentences, borders } = Outline::of(&run);
        let mut found = String::new();
        for (sentence, border) in sentences.iter().zip(&borders) {
            found.push_str(match border {
                Border::Open => "|",
                Border::Item => "/",
                Border::Closed => "",
            });
            found.push_str(sentence.text);
        }
        assert_eq!(found, format!("|{expected}"));
        assert_eq!(borders.last(), Some(&Border::Open));
    }

    #[test]
    fn a_list_stays_with_the_line_that_leads_into_it() {
        parts(
            &["A word. Signs are:\n\n- fever\n- pain\n\nCall us."],
            "A word. |Signs are:\n\n- fever\n/- pain\n\n|Call us.",
        );
        parts(
            &["Do this.\n1. Wash.\n2. Dry. Wait.\nThen stop."],
            "Do this.\n1. Wash.\n/2. Dry. Wait.\n|Then stop.",
        );
        parts(
            &["- one\n  more of it.\n\n  And more.\n- two\n"],
            "- one\n  more of it.\n\n  And more.\n/- two\n",
        );
    }

    #[test]
    fn a_list_inside_of_a_paragraph_is_one() {
        parts(
            &[
                "Blood cells: - Red cells carry oxygen. They are many. - Platelets clot. They are small. It is known.",
            ],
            "Blood cells: - Red cells carry oxygen. They are many. /- Platelets clot. They are small. |It is known.",
        );
    }

    #[test]
    fn bare_lines_under_a_colon_are_a_list() {
        parts(
            &["One drink is:\n\n12 ounces of beer\n\n5 ounces of wine\n\nThat is all."],
            "One drink is:\n\n12 ounces of beer\n\n/5 ounces of wine\n\n|That is all.",
        );
    }

    #[test]
    fn a_heading_stays_with_its_text_and_code_with_itself() {
        parts(&["A word. Is it rare? It is."], "A word. |Is it rare? It is.");
        parts(&["A word.\n\nSurgery\n\nIt is rare."], "A word.\n\n|Surgery\n\nIt is rare.");
        parts(
            &["Run it.\n\n```\na = b. C = d.\n\ne\n```\n\nDone."],
            "Run it.\n\n|```\na = b. C = d.\n\ne\n```\n\n|Done.",
        );
    }

    #[test]
    fn what_its_publisher_tore_is_left_out() {
        parts(&["un can burn. It is hot. What else is there"], "It is hot. ");
        parts(&["etcd keeps keys. It is small.\n\nNext"], "etcd keeps keys. |It is small.\n\n");
        parts(&["no more than this"], "no more than this");
        parts(&["Is it rare? It is far from rare"], "Is it rare? It is far from rare");
        parts(
            &["It is. Its signs are pain fever and many more"],
            "It is. |Its signs are pain fever and many more",
        );
    }

    #[test]
    fn a_sentence_goes_on_in_the_next_passage_and_a_heading_does_not() {
        parts(
            &["It is. The board, which", "meets daily, decides."],
            "It is. |The board, whichmeets daily, decides.",
        );
        parts(&["It is. These help:", "- tea"], "It is. |These help:- tea");
        parts(&["It is.\n\nMore", "Other things are said."], "It is.\n\n|More|Other things are said.");
        parts(&["It is.", "- tea\n- milk"], "It is.|- tea\n/- milk");
    }
}
