//! Many answers become one. Pure and streaming: events in, parts out, and nothing that went out is
//! taken back.
//!
//! The lead's words go out as they come. Everybody else's are held until the lead has ended: if it
//! failed, the next in line leads; if it answered, the others are compared with what stands there and
//! follow, the best supported first (`append.rs`). Every character that goes out stands in one span, and a
//! span has one owner.

mod append;
mod block;
mod compare;
mod conflict;
mod templates;

use std::ops::Range;

use proto::{AnswerEvent, Passage, SpecialistId, UnitVector};

pub use block::SENTENCES_MAX;
pub use conflict::Difference;
pub use templates::{OwnWords, Template, abstention, consent_missing, footer, general, left_out, no_answer};

use block::{Block, End, Piece};

/// Who speaks in an answer.
#[derive(Debug, Clone)]
pub struct Speaker {
    /// Its name in the fleet.
    pub id: SpecialistId,
    /// The domain.
    pub title: String,
    /// Whose it is.
    pub institution: String,
}

/// What comes from a specialist that was asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Input {
    /// An event of its answer.
    Event(AnswerEvent),
    /// The answer broke off, or never began; nothing follows.
    Failed,
}

/// What goes out.
#[derive(Debug, Clone, PartialEq)]
pub enum Part {
    /// A source that later parts cite.
    Source(Source),
    /// The next words.
    Span(Span),
    /// Somebody else says what stands there.
    Agreement(Agreement),
    /// Two places differ.
    Disagreement(Disagreement),
}

/// A passage that the answer cites.
#[derive(Debug, Clone, PartialEq)]
pub struct Source {
    /// From 1, in order of appearance.
    pub number: usize,
    /// Whose corpus it is from.
    pub specialist: SpecialistId,
    /// As the specialist sent it.
    pub passage: Passage,
}

/// Words, and whose they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Span {
    /// The words.
    pub text: String,
    /// Where they begin in the answer, in bytes.
    pub start: usize,
    /// Where they are from.
    pub origin: Origin,
    /// The source's number and the range of bytes in its passage's text.
    pub citation: Option<(usize, Range<usize>)>,
}

/// Where words are from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// A specialist said them.
    Said {
        /// Who.
        specialist: SpecialistId,
        /// Where they begin in all that it said, in bytes.
        at: usize,
    },
    /// They are the router's own.
    Own(Template),
}

impl Span {
    /// Who said them; `None` for the router's own words.
    pub fn specialist(&self) -> Option<&SpecialistId> {
        match &self.origin {
            Origin::Said { specialist, .. } => Some(specialist),
            Origin::Own(_) => None,
        }
    }
}

/// A sentence that stands in the answer, and somebody else who says it too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agreement {
    /// Where it stands in the answer: bytes.
    pub range: Range<usize>,
    /// Who says it too.
    pub specialist: SpecialistId,
    /// Where that stands: the source's number and the range of bytes in its passage's text.
    pub citation: Option<(usize, Range<usize>)>,
}

/// Two sentences of the answer that differ. Nobody says who is right.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Disagreement {
    /// Where the first stands in the answer: bytes.
    pub earlier: Range<usize>,
    /// Where the second stands.
    pub later: Range<usize>,
    /// In what.
    pub difference: Difference,
}

/// Words of one specialist that do not stand in the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// Whose.
    pub specialist: SpecialistId,
    /// Bytes of its sentences that say what stood there already.
    pub repeated: usize,
    /// Bytes of its sentences that nobody else says, while its passages support an answer less than others'.
    pub outranked: usize,
}

/// What one specialist said, as far as it is to be measured.
#[derive(Debug)]
pub struct Said<'a> {
    /// Its place in the merge.
    pub place: usize,
    /// Its first sentences: at most [`SENTENCES_MAX`].
    pub sentences: Vec<&'a str>,
    /// The first passages that it cites: at most 3.
    pub cited: Vec<&'a Passage>,
}

/// What the router itself measured of what one specialist said. By default nothing is known.
#[derive(Debug, Clone, Default)]
pub struct Measure {
    /// How far what it cites supports an answer, by [`proto::support`]: that of its best passage, and 0 where it
    /// cites none.
    pub support: f32,
    /// Where its sentences lie, in their order.
    pub sentences: Vec<UnitVector>,
}

/// How a whole answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// At least one specialist answered in full.
    Answered,
    /// There are words, but nobody came to an end.
    Incomplete,
    /// Nobody has an answer, by their own word.
    NoAnswer,
    /// Everybody failed before the first word.
    Failed,
}

/// The answers of one question on their way to becoming one.
#[derive(Debug, Default)]
pub struct Merge {
    blocks: Vec<Block>,
    /// Whose words go out as they come.
    lead: Option<usize>,
    /// The source that the latest words cite and that is not marked in the text yet.
    unmarked: Option<usize>,
    /// Bytes that went out.
    length: usize,
    sources: usize,
    left_out: Vec<LeftOut>,
}

impl Merge {
    /// Nobody was asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `speaker` was asked too; the place that its inputs are to name. Who joins first leads.
    pub fn join(&mut self, speaker: Speaker) -> usize {
        self.blocks.push(Block::new(speaker));
        let place = self.blocks.len() - 1;
        if self.lead.is_none() && !self.answered() {
            self.lead = Some(place);
        }
        place
    }

    /// What goes out now that `speaker` sent `input`.
    pub fn on(&mut self, speaker: usize, input: Input) -> Vec<Part> {
        let mut parts = Vec::new();
        let block = &mut self.blocks[speaker];
        match input {
            Input::Failed => block.end = Some(End::Failed),
            Input::Event(event) => block.hear(event),
        }
        while let Some(lead) = self.lead {
            self.release(lead, &mut parts);
            match self.blocks[lead].end {
                None => break,
                Some(End::Answered) => self.lead = None,
                Some(End::NoAnswer | End::Failed) => self.lead = self.next_in_line(),
            }
            self.close(lead, &mut parts);
        }
        parts
    }

    /// Whether nobody answered in full, and nobody is left who could: the next in reserve is to be
    /// asked.
    pub fn wants_another(&self) -> bool {
        !self.answered() && self.blocks.iter().all(|block| block.end.is_some())
    }

    fn answered(&self) -> bool {
        self.blocks.iter().any(|block| block.end == Some(End::Answered))
    }

    /// How it ended, once everybody has.
    pub fn ending(&self) -> Ending {
        if self.answered() {
            Ending::Answered
        } else if self.blocks.iter().any(Block::spoke) {
            Ending::Incomplete
        } else if self.blocks.iter().any(|block| block.end == Some(End::NoAnswer)) {
            Ending::NoAnswer
        } else {
            Ending::Failed
        }
    }

    /// Words of the router's own.
    pub fn own_words(&mut self, words: OwnWords) -> Part {
        self.span(words.text, Origin::Own(words.template), None)
    }

    /// The words that do not stand in the answer, by whose they are.
    pub fn left_out(&self) -> &[LeftOut] {
        &self.left_out
    }

    /// The first whose words are held or may still come.
    fn next_in_line(&self) -> Option<usize> {
        self.blocks.iter().position(|block| !block.spoke() && (block.end.is_none() || block.is_held()))
    }

    /// Lets out what `place` has said so far.
    fn release(&mut self, place: usize, parts: &mut Vec<Part>) {
        for piece in self.blocks[place].settle() {
            self.words(place, piece, parts);
        }
    }

    fn words(&mut self, place: usize, piece: Piece, parts: &mut Vec<Part>) {
        if !self.blocks[place].spoke() && self.length > 0 {
            let heading = templates::heading(&self.name(place));
            parts.push(self.own_words(heading));
        }
        let citation = piece.citation.and_then(|citation| {
            let number = self.number(place, &citation.passage_id, parts)?;
            Some((number, citation.range))
        });
        let source = citation.as_ref().map(|(number, _)| *number);
        if source != self.unmarked {
            self.mark(parts);
        }
        self.unmarked = source;
        let block = &mut self.blocks[place];
        block.place(piece.range.clone(), self.length);
        let origin = Origin::Said { specialist: block.speaker.id.clone(), at: piece.range.start };
        let text = block.text[piece.range].to_owned();
        parts.push(self.span(text, origin, citation));
    }

    /// What tells `place` from the others: its institution, or its domain where words of that institution's
    /// stand in the answer already; as Markdown.
    fn name(&self, place: usize) -> String {
        let speaker = &self.blocks[place].speaker;
        let mut others = self.blocks.iter().enumerate().filter(|(at, other)| *at != place && other.spoke());
        let shared = others.any(|(_, other)| other.speaker.institution == speaker.institution);
        templates::verbatim(if shared { &speaker.title } else { &speaker.institution })
    }

    /// The number of a source; one that is cited for the first time goes out before its number.
    fn number(&mut self, place: usize, passage_id: &str, parts: &mut Vec<Part>) -> Option<usize> {
        let block = &mut self.blocks[place];
        if let Some(number) = block.numbers.get(passage_id) {
            return Some(*number);
        }
        let passage = block.passages.get(passage_id)?.clone();
        self.sources += 1;
        block.numbers.insert(passage_id.to_owned(), self.sources);
        let specialist = block.speaker.id.clone();
        parts.push(Part::Source(Source { number: self.sources, specialist, passage }));
        Some(self.sources)
    }

    /// Marks the source of the words that just ended.
    fn mark(&mut self, parts: &mut Vec<Part>) {
        if let Some(number) = self.unmarked.take() {
            parts.push(self.own_words(templates::mark(number)));
        }
    }

    /// Ends the part of `place`, and says so where it broke off.
    fn close(&mut self, place: usize, parts: &mut Vec<Part>) {
        self.mark(parts);
        let block = &self.blocks[place];
        if block.spoke() && block.end == Some(End::Failed) {
            let note = templates::broke_off(&block.speaker);
            parts.push(self.own_words(note));
        }
    }

    fn span(&mut self, text: String, origin: Origin, citation: Option<(usize, Range<usize>)>) -> Part {
        let start = self.length;
        self.length += text.len();
        Part::Span(Span { text, start, origin, citation })
    }
}

#[cfg(test)]
mod tests;
