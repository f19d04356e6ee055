//! What one specialist said, and where it stands in the answer.

use std::{collections::HashMap, ops::Range};

use proto::{AnswerEvent, Citation, Outcome, Passage, Words, sentences};

use super::Speaker;

/// The most sentences of one specialist that are compared with the others', the first ones; what follows is
/// taken as new.
pub const SENTENCES_MAX: usize = 64;

/// So far into what one specialist says sentences are looked for: bytes.
const COMPARED_BYTES_MAX: usize = 16 * 1024;

/// The most cited passages by which one specialist is ranked, the first ones.
const PASSAGES_MAX: usize = 3;

/// How one specialist's part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Answered,
    NoAnswer,
    Failed,
}

/// Words that came together, or a part of them.
#[derive(Debug, Clone)]
pub(super) struct Piece {
    /// Bytes of [`Block::text`].
    pub(super) range: Range<usize>,
    pub(super) citation: Option<Citation>,
}

#[derive(Debug)]
pub(super) struct Block {
    pub(super) speaker: Speaker,
    pub(super) end: Option<End>,
    /// All its words so far.
    pub(super) text: String,
    /// Over all of `text`, end to end.
    pieces: Vec<Piece>,
    /// So many of `pieces` are out, or were left out for good.
    settled: usize,
    /// The ranges of `text` that are out, and where each begins in the answer.
    placed: Vec<(Range<usize>, usize)>,
    pub(super) passages: HashMap<String, Passage>,
    /// The numbers of those of its passages that were cited.
    pub(super) numbers: HashMap<String, usize>,
}

impl Block {
    pub(super) fn new(speaker: Speaker) -> Self {
        Self {
            speaker,
            end: None,
            text: String::new(),
            pieces: Vec::new(),
            settled: 0,
            placed: Vec::new(),
            passages: HashMap::new(),
            numbers: HashMap::new(),
        }
    }

    pub(super) fn hear(&mut self, event: AnswerEvent) {
        match event {
            AnswerEvent::Passage(passage) => {
                self.passages.entry(passage.id.clone()).or_insert(passage);
            }
            AnswerEvent::Words(Words { text, citation }) => {
                let start = self.text.len();
                self.text.push_str(&text);
                self.pieces.push(Piece { range: start..self.text.len(), citation });
            }
            AnswerEvent::Heartbeat => {}
            AnswerEvent::Done(Outcome::Answered) => self.end = Some(End::Answered),
            AnswerEvent::Done(Outcome::NoAnswer) => self.end = Some(End::NoAnswer),
        }
    }

    /// Whether words of it are out.
    pub(super) fn spoke(&self) -> bool {
        !self.placed.is_empty()
    }

    /// Whether there are words of which nothing was made yet.
    pub(super) fn is_held(&self) -> bool {
        self.settled < self.pieces.len()
    }

    /// What is held, which counts as settled from now on.
    pub(super) fn settle(&mut self) -> Vec<Piece> {
        let held = self.pieces[self.settled..].to_vec();
        self.settled = self.pieces.len();
        held
    }

    /// Words of it went out and begin at `start` in the answer.
    pub(super) fn place(&mut self, range: Range<usize>, start: usize) {
        self.placed.push((range, start));
    }

    /// Its first sentences, which lie end to end from the start of its text.
    pub(super) fn sentences(&self) -> Vec<Range<usize>> {
        let end = self.text.floor_char_boundary(COMPARED_BYTES_MAX);
        let mut found = sentences(&self.text[..end]);
        if end < self.text.len() {
            // The last one may go on.
            found.pop();
        }
        found.truncate(SENTENCES_MAX);
        found
    }

    /// The words in `range`, with what each part of them cites.
    pub(super) fn pieces_in(&self, range: &Range<usize>) -> Vec<Piece> {
        let within = |piece: &Piece| {
            let part = piece.range.start.max(range.start)..piece.range.end.min(range.end);
            (!part.is_empty()).then(|| self.part(piece, part))
        };
        self.pieces.iter().filter_map(within).collect()
    }

    /// A part of a piece. Where the piece is what it cites, word for word, so is the part.
    fn part(&self, piece: &Piece, range: Range<usize>) -> Piece {
        let cut = |citation: &Citation| {
            let passage = self.passages.get(&*citation.passage_id)?;
            let verbatim = passage.text.get(citation.range.clone()) == Some(&self.text[piece.range.clone()]);
            let at = |byte: usize| citation.range.start + byte - piece.range.start;
            verbatim.then(|| Citation { range: at(range.start)..at(range.end), ..citation.clone() })
        };
        let citation = piece.citation.as_ref().map(|whole| cut(whole).unwrap_or_else(|| whole.clone()));
        Piece { range, citation }
    }

    /// What the words in `range` cite first: as much of that passage as they cite together.
    pub(super) fn citation(&self, range: &Range<usize>) -> Option<Citation> {
        let mut citations = self.pieces_in(range).into_iter().filter_map(|piece| piece.citation);
        let first = citations.next()?;
        let same = citations.filter(|citation| citation.passage_id == first.passage_id);
        let range = same.fold(first.range.clone(), |whole, citation| {
            whole.start.min(citation.range.start)..whole.end.max(citation.range.end)
        });
        Some(Citation { range, ..first })
    }

    /// Where the words in `range` stand in the answer: bytes; `None` where none of them does.
    pub(super) fn stands_at(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let overlaps =
            |placed: &&(Range<usize>, usize)| placed.0.start < range.end && range.start < placed.0.end;
        let (first, first_at) = self.placed.iter().find(overlaps)?;
        let (last, last_at) = self.placed.iter().rfind(overlaps)?;
        let start = first_at + range.start.max(first.start) - first.start;
        Some(start..last_at + range.end.min(last.end) - last.start)
    }

    /// The passages that its words cite, in their order: at most [`PASSAGES_MAX`].
    pub(super) fn cited(&self) -> Vec<&Passage> {
        let mut cited: Vec<&Passage> = Vec::new();
        for citation in self.pieces.iter().filter_map(|piece| piece.citation.as_ref()) {
            let Some(passage) = self.passages.get(&*citation.passage_id) else { continue };
            if cited.len() < PASSAGES_MAX && cited.iter().all(|other| other.id != passage.id) {
                cited.push(passage);
            }
        }
        cited
    }
}
