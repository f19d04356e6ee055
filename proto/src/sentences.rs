//! Where sentences end. Unicode's rules, mended where running text with abbreviations, hard-wrapped
//! lines and lists defeats them. A border missed makes a sentence longer; a false one would tear it,
//! so every doubtful case is joined.

use std::{iter, ops::Range};

use unicode_segmentation::UnicodeSegmentation as _;

/// Tokens whose full stop ends no sentence, in lower case.
const ABBREVIATIONS: [&str; 19] = [
    "approx.", "ca.", "cf.", "dr.", "e.g.", "eq.", "al.", "fig.", "figs.", "i.e.", "mr.", "mrs.", "ms.",
    "prof.", "resp.", "st.", "u.k.", "u.s.", "vs.",
];

/// Tokens that are abbreviations only before a number, in lower case ("no. 5").
const NUMBERED: [&str; 4] = ["no.", "nos.", "p.", "pp."];

/// What may stand between a sentence's last mark and the white space after it.
const CLOSERS: [char; 8] = ['"', '\'', ')', ']', '”', '’', '»', '*'];

/// The sentences of `text` as byte ranges on character boundaries. They lie end to end from 0 to its
/// length: each holds the white space that follows it.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut sentences: Vec<Range<usize>> = Vec::new();
    for Range { start, end } in text.split_sentence_bound_indices().flat_map(items) {
        let piece = &text[start..end];
        match sentences.last_mut() {
            Some(last) if piece.trim().is_empty() || !is_border(&text[last.clone()], &text[start..]) => {
                last.end = end;
            }
            _ => sentences.push(start..end),
        }
    }
    sentences
}

/// A piece of Unicode's, and where it stands, as one range for each item of a list that goes on in it: "One. - Two."
fn items((start, piece): (usize, &str)) -> Vec<Range<usize>> {
    let marks = piece.match_indices(" - ").map(|(at, _)| at);
    let ends = marks.filter(|at| piece[..*at].ends_with(['.', '!', '?'])).map(|at| start + at + 1);
    let borders: Vec<usize> = iter::once(start).chain(ends).chain([start + piece.len()]).collect();
    borders.windows(2).map(|pair| pair[0]..pair[1]).collect()
}

/// Whether a sentence ends between `before` and `after`, where Unicode says that one does.
fn is_border(before: &str, after: &str) -> bool {
    let said = before.trim_end();
    let line = said.rsplit(['\n', '\r']).next().unwrap_or_default();
    let space = &before[said.len()..];
    let newlines = space.matches('\n').count();
    if newlines == 0 {
        return !is_abbreviation(said, after) && !is_list_marker(line);
    }
    let item_ends = is_list_item(line) && !after.starts_with([' ', '\t']);
    newlines > 1
        || is_list_item(after)
        || item_ends
        // Otherwise the line was only wrapped, and breaks a sentence no more than a space would.
        || (said.trim_end_matches(CLOSERS).ends_with(['.', '!', '?', '…', '。', '！', '？'])
            && !is_abbreviation(said, after))
}

fn is_abbreviation(said: &str, after: &str) -> bool {
    let token = said.rsplit(char::is_whitespace).next().unwrap_or_default();
    let token = token.trim_start_matches(['(', '[', '"', '“', '*', '_']).to_lowercase();
    ABBREVIATIONS.contains(&token.as_str())
        || (NUMBERED.contains(&token.as_str())
            && after.trim_start().starts_with(|c: char| c.is_ascii_digit()))
}

/// Whether `line` begins as an item of a list: "- a", "* a", "2. a".
pub fn is_list_item(line: &str) -> bool {
    let line = line.trim_start();
    let number = line.trim_start_matches(|c: char| c.is_ascii_digit());
    let digits = line.len() - number.len();
    ["- ", "* ", "+ ", "• "].iter().any(|bullet| line.starts_with(bullet))
        || ((1..=3).contains(&digits) && (number.starts_with(". ") || number.starts_with(") ")))
}

/// Whether `line` is the number of a list's item and nothing more yet: "2.".
fn is_list_marker(line: &str) -> bool {
    is_list_item(&format!("{} ", line.trim())) && !line.trim().contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn splits(expected: &[&str]) {
        let text = expected.concat();
        let found: Vec<_> = sentences(&text).into_iter().map(|range| &text[range]).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn plain_sentences_keep_the_space_after_them() {
        splits(&["One is here. ", "Two? ", "Three!  ", "Four"]);
    }

    #[test]
    fn abbreviations_end_nothing() {
        splits(&["Drugs, e.g. Vincristine, and Dr. Who vs. Mr. Smith in the U.S. Army. ", "Next."]);
        splits(&["See Fig. A (cf. Table B, approx. Five). ", "Next."]);
        splits(&["Take no. 5 first. ", "The answer is no. ", "Then stop."]);
    }

    #[test]
    fn numbers_stay_whole() {
        splits(&["It is 3.5 kg or No. 5. ", "In 1999. ", "The rest."]);
    }

    #[test]
    fn a_wrapped_line_is_no_border_and_a_paragraph_is() {
        splits(&["A line that was\nwrapped here. ", "Next\nline.\n", "A heading\n\n", "Body text."]);
        splits(&["Windows\r\nwraps.\r\n\r\n", "Next."]);
    }

    #[test]
    fn every_item_of_a_list_is_a_sentence() {
        splits(&["Signs are:\n", "- fever\n", "- pain\n  that lasts\n", "* bruises\n", "and that is all."]);
        splits(&["1. Wash hands\n", "2. Call. ", "Then wait."]);
        splits(&["Cells are: - Red. ", "They carry. ", "- White. ", "Some, e.g. - as said - do not."]);
    }

    #[test]
    fn other_scripts_have_sentences_too() {
        splits(&["月は地球を回る。", "太陽は星だ。"]);
        splits(&[]);
    }
}
