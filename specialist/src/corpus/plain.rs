//! `.txt`: paragraphs, gathered into passages. The gathering serves `.md` too.

use std::ops::Range;

use super::Draft;
use crate::sentences::sentences;

/// About how long a passage gathered from paragraphs is: little more than what an encoder reads.
const PASSAGE_BYTES: usize = 1_500;

/// The passages of a file; their title is its name, their ids `file.txt#1` and on.
pub(super) fn read(name: &str, text: &str) -> Vec<Draft> {
    let title = stem(name);
    let mut lines = Lines::of(text);
    let drafts = passages(text).into_iter().enumerate().map(|(at, range)| Draft {
        id: format!("{name}#{}", at + 1),
        title: title.clone(),
        line: lines.at(range.start),
        text: text[range].to_owned(),
        ..Draft::default()
    });
    drafts.collect()
}

/// A file's name as a title: no folder, no extension, spaces for hyphens and underscores.
pub(super) fn stem(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem).replace(['-', '_'], " ")
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

/// `text` as ranges of about [`PASSAGE_BYTES`] at most: whole paragraphs, and of a longer one whole
/// sentences. Only white space lies outside them.
pub(super) fn passages(text: &str) -> Vec<Range<usize>> {
    let mut passages: Vec<Range<usize>> = Vec::new();
    for unit in paragraphs(text).into_iter().flat_map(|paragraph| units(text, paragraph)) {
        match passages.last_mut() {
            Some(last) if unit.end - last.start <= PASSAGE_BYTES => last.end = unit.end,
            _ => passages.push(unit),
        }
    }
    passages
}

fn units(text: &str, paragraph: Range<usize>) -> Vec<Range<usize>> {
    let pieces = if paragraph.len() <= PASSAGE_BYTES {
        vec![paragraph]
    } else {
        let shift = |range: Range<usize>| paragraph.start + range.start..paragraph.start + range.end;
        sentences(&text[paragraph.clone()]).into_iter().map(shift).collect()
    };
    let trimmed = pieces.into_iter().filter_map(|piece| {
        let start = piece.end - text[piece.clone()].trim_start().len();
        let end = piece.start + text[piece].trim_end().len();
        (start < end).then_some(start..end)
    });
    trimmed.collect()
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
    use super::*;

    #[test]
    fn paragraphs_are_gathered() {
        let short = "One.\n\nTwo.\n";
        assert_eq!(passages(short).first(), Some(&(0..10)));
        let text = format!("{}\n\n\n{}\n\nshort", "a".repeat(900), "b".repeat(900));
        assert_eq!(passages(&text), [0..900, 903..1_810]);
    }

    #[test]
    fn a_long_paragraph_is_cut_between_sentences() {
        let text = "It is so, and not otherwise. ".repeat(100);
        for range in passages(&text) {
            assert!(range.len() <= PASSAGE_BYTES && text[range.clone()].ends_with("otherwise."));
            assert!(text[range].starts_with("It"));
        }
    }

    #[test]
    fn code_is_no_border() {
        let code = format!("```\n{}\n\n{}\n```", "a\n".repeat(300), "b\n".repeat(300));
        assert_eq!(paragraphs(&code).len(), 1);
    }

    #[test]
    fn a_file_becomes_passages_with_lines() {
        let text = format!("\n{}\n\n{}", "a".repeat(1_000), "b".repeat(1_000));
        let drafts = read("drugs/vin_cristine-a.txt", &text);
        let seen: Vec<_> = drafts.iter().map(|d| (d.id.as_str(), d.title.as_str(), d.line)).collect();
        let title = "vin cristine a";
        assert_eq!(
            seen,
            [("drugs/vin_cristine-a.txt#1", title, 2), ("drugs/vin_cristine-a.txt#2", title, 4)]
        );
    }
}
