//! Running text is cut into passages: whole paragraphs, and of a long one whole sentences. Every format
//! of documents shares it.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

use proto::sentences;

/// A passage with fewer words takes sentences of the next paragraph, where the whole is too long.
const WORDS_MIN: usize = 80;

/// About how many words a passage has at most: what an encoder reads. Only a single sentence may be longer.
const WORDS_MAX: usize = 220;

/// What has more words without the end of a sentence is none: it is cut between its lines.
const SENTENCE_WORDS_MAX: usize = 2 * WORDS_MAX;

/// So many bytes count as a word, that what is not made of words is cut too.
const WORD_BYTES_MAX: usize = 16;

/// A piece that is not cut any further, or several of them.
#[derive(Debug, Clone)]
struct Piece {
    range: Range<usize>,
    words: usize,
}

/// `text` as ranges of [`WORDS_MIN`] to [`WORDS_MAX`] words, of fewer where there are no more. Only white
/// space lies outside them.
pub(super) fn passages(text: &str) -> Vec<Range<usize>> {
    let mut passages: Vec<Vec<Piece>> = Vec::new();
    for paragraph in paragraphs(text) {
        let words = passages.last().map_or(0, |last| count(last));
        let whole = piece(text, paragraph.clone());
        let fits = whole.iter().all(|whole| {
            words + whole.words <= WORDS_MAX || (words >= WORDS_MIN && whole.words <= WORDS_MAX)
        });
        let pieces: Vec<Piece> = if fits {
            whole.into_iter().collect()
        } else {
            let shift = |range: Range<usize>| paragraph.start + range.start..paragraph.start + range.end;
            let sentences = sentences(&text[paragraph.clone()]).into_iter().map(shift);
            sentences.filter_map(|range| piece(text, range)).flat_map(|piece| lines(text, piece)).collect()
        };
        for piece in pieces {
            match passages.last_mut() {
                Some(last) if count(last) + piece.words <= WORDS_MAX => last.push(piece),
                _ => passages.push(vec![piece]),
            }
        }
    }
    share_the_rest(&mut passages);
    passages.iter().filter_map(|pieces| Some(pieces.first()?.range.start..pieces.last()?.range.end)).collect()
}

/// Halves the last two passages anew where the last one is short.
fn share_the_rest(passages: &mut Vec<Vec<Piece>>) {
    let Some(rest) = passages.pop_if(|last| count(last) < WORDS_MIN) else { return };
    let Some(mut both) = passages.pop() else { return passages.push(rest) };
    both.extend(rest);
    let uneven = |at: &usize| count(&both[..*at]).abs_diff(count(&both[*at..]));
    let half = (1..both.len()).min_by_key(uneven).unwrap_or(both.len());
    let second = both.split_off(half);
    passages.extend([both, second].into_iter().filter(|pieces| !pieces.is_empty()));
}

fn count(pieces: &[Piece]) -> usize {
    pieces.iter().map(|piece| piece.words).sum()
}

/// The lines of a piece that is far too long for a sentence, as a table is; otherwise itself.
fn lines(text: &str, long: Piece) -> Vec<Piece> {
    if long.words <= SENTENCE_WORDS_MAX {
        return vec![long];
    }
    let mut at = long.range.start;
    let lines = text[long.range].split_inclusive('\n').filter_map(|line| {
        at += line.len();
        piece(text, at - line.len()..at)
    });
    lines.collect()
}

/// What stands in `range`, without white space at its ends; `None` for nothing else.
fn piece(text: &str, range: Range<usize>) -> Option<Piece> {
    let said = text[range.clone()].trim();
    let start = range.end - text[range].trim_start().len();
    let words = said.unicode_words().count().max(said.len() / WORD_BYTES_MAX);
    (!said.is_empty()).then_some(Piece { range: start..start + said.len(), words })
}

/// Line numbers of a text, asked for from its front to its end, so that it is counted only once.
pub(super) struct Lines<'a> {
    text: &'a str,
    at: usize,
    line: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn of(text: &'a str) -> Self {
        Self { text, at: 0, line: 1 }
    }

    /// The line that byte `at` stands in, counted from 1; `at` is at least the one asked for before.
    pub(super) fn at(&mut self, at: usize) -> usize {
        self.line += self.text[self.at..at].matches('\n').count();
        self.at = at;
        self.line
    }
}

/// Paragraphs end to end: a blank line outside of code ends one.
fn paragraphs(text: &str) -> Vec<Range<usize>> {
    let mut paragraphs: Vec<Range<usize>> = Vec::new();
    let (mut at, mut blank, mut fence) = (0, true, Fence::default());
    for line in text.split_inclusive('\n') {
        let code = fence.read(line);
        let end = at + line.len();
        match paragraphs.last_mut() {
            Some(last) if !blank => last.end = end,
            _ => paragraphs.push(at..end),
        }
        blank = !code && line.trim().is_empty();
        at = end;
    }
    paragraphs
}

/// Follows fenced code through the lines of a text.
#[derive(Debug, Default)]
pub(super) struct Fence {
    open: Option<String>,
}

impl Fence {
    /// Whether `line`, the next one, is code or opens or closes it.
    pub(super) fn read(&mut self, line: &str) -> bool {
        let line = line.trim();
        let Some(open) = &self.open else {
            let marker = line.chars().next().filter(|c| ['`', '~'].contains(c));
            self.open = marker.and_then(|marker| {
                let run: String = line.chars().take_while(|c| *c == marker).collect();
                // A line of inline code may begin with backticks and hold more of them later.
                let inline = marker == '`' && line[run.len()..].contains('`');
                (run.len() >= 3 && !inline).then_some(run)
            });
            return self.open.is_some();
        };
        if line.starts_with(open) && line.chars().all(|c| open.starts_with(c)) {
            self.open = None;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The words of each passage of paragraphs that have as many as said, in sentences of ten.
    fn cuts(paragraphs: &[usize]) -> Vec<usize> {
        let sentence = |words: usize| format!("{}.", vec!["Word"; words].join(" "));
        let paragraph = |words: usize| {
            let whole = (0..words / 10).map(|_| sentence(10));
            whole
                .chain((!words.is_multiple_of(10)).then(|| sentence(words % 10)))
                .collect::<Vec<_>>()
                .join(" ")
        };
        let text = paragraphs.iter().map(|words| paragraph(*words)).collect::<Vec<_>>().join("\n\n");
        passages(&text).into_iter().map(|range| text[range].unicode_words().count()).collect()
    }

    #[test]
    fn paragraphs_are_gathered_and_stay_whole() {
        assert_eq!(cuts(&[30, 40]), [70]);
        assert_eq!(cuts(&[100, 100, 100, 100]), [200, 200]);
        assert_eq!(cuts(&[]), [0; 0]);
    }

    #[test]
    fn a_long_paragraph_is_cut_between_sentences() {
        assert_eq!(cuts(&[440]), [220, 220]);
        // One that is too short alone takes sentences of the next, and a short rest is shared.
        assert_eq!(cuts(&[50, 210]), [130, 130]);
        assert_eq!(cuts(&[220, 30]), [220, 30]);
        assert_eq!(cuts(&[460]), [220, 120, 120]);
    }

    #[test]
    fn a_long_table_is_cut_between_its_rows() {
        let rows: Vec<_> =
            (0..1_000).map(|row| format!("{row} | ten | words | stand | in | each | row")).collect();
        let text = rows.join("\n");
        for range in passages(&text) {
            assert!(text[range.clone()].starts_with(|c: char| c.is_ascii_digit()));
            assert!(text[range.clone()].ends_with("row") && text[range].unicode_words().count() <= WORDS_MAX);
        }
    }

    #[test]
    fn what_is_not_made_of_words_is_cut_too() {
        let text = vec!["=-".repeat(100); 100].join("\n\n");
        assert!(passages(&text).len() > 1);
    }

    #[test]
    fn code_is_no_border() {
        let code = format!("```\n{}\n\n{}\n```", "a\n".repeat(300), "b\n".repeat(300));
        assert_eq!(paragraphs(&code).len(), 1);
    }

    proptest! {
        #[test]
        fn nothing_but_white_space_is_lost(text in "(\\PC|[ \n.A-Za-c-]){0,3000}") {
            let mut at = 0;
            for range in passages(&text) {
                prop_assert!(at <= range.start && range.start < range.end);
                prop_assert!(text[at..range.start].trim().is_empty());
                at = range.end;
            }
            prop_assert!(text[at..].trim().is_empty());
        }
    }
}
