//! Many answers become one. Pure and streaming: events in, parts out, and nothing that went out is
//! taken back.
//!
//! The lead's words go out as they come. Everybody else's are held until the lead has ended: if it
//! failed, the next in line leads; if it answered, the others follow in the order that the router
//! ranks them. Every character that goes out stands in one span, and a span has one owner.

mod templates;

use std::{collections::HashMap, ops::Range};

use proto::{AnswerEvent, Outcome, Passage, SpecialistId, Words};

pub use templates::{abstention, consent_missing, general, left_out, no_answer};

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
    /// A source that later spans cite.
    Source(Source),
    /// The next words.
    Span(Span),
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
    /// Who said them; `None` for the router's own words.
    pub specialist: Option<SpecialistId>,
    /// The source's number and the range of bytes in its passage's text.
    pub citation: Option<(usize, Range<usize>)>,
}

/// How one specialist's part ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Answered,
    NoAnswer,
    Failed,
}

#[derive(Debug)]
struct Block {
    speaker: Speaker,
    held: Vec<AnswerEvent>,
    end: Option<End>,
    /// Words of it are out.
    spoke: bool,
    passages: HashMap<String, Passage>,
    /// The numbers of those of its passages that were cited.
    numbers: HashMap<String, usize>,
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
}

impl Merge {
    /// Nobody was asked yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// `speaker` was asked too; the place that its inputs are to name. Who joins first leads.
    pub fn join(&mut self, speaker: Speaker) -> usize {
        self.blocks.push(Block {
            speaker,
            held: Vec::new(),
            end: None,
            spoke: false,
            passages: HashMap::new(),
            numbers: HashMap::new(),
        });
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
            Input::Event(AnswerEvent::Done(Outcome::Answered)) => block.end = Some(End::Answered),
            Input::Event(AnswerEvent::Done(Outcome::NoAnswer)) => block.end = Some(End::NoAnswer),
            Input::Event(AnswerEvent::Heartbeat) => {}
            Input::Event(event) => block.held.push(event),
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

    /// Those whose words are held, in the order in which they joined, each with the first passage
    /// that it sent.
    pub fn waiting(&self) -> Vec<(usize, Option<&Passage>)> {
        let waiting = self.blocks.iter().enumerate().filter(|(_, block)| block.has_words_held());
        waiting.map(|(place, block)| (place, block.first_passage())).collect()
    }

    /// What goes out once everybody has ended: the held words of `ranked`, in that order.
    pub fn append(&mut self, ranked: &[usize]) -> Vec<Part> {
        let mut parts = Vec::new();
        for &place in ranked {
            self.release(place, &mut parts);
            self.close(place, &mut parts);
        }
        parts
    }

    /// How it ended, once everybody has.
    pub fn ending(&self) -> Ending {
        if self.answered() {
            Ending::Answered
        } else if self.blocks.iter().any(|block| block.spoke) {
            Ending::Incomplete
        } else if self.blocks.iter().any(|block| block.end == Some(End::NoAnswer)) {
            Ending::NoAnswer
        } else {
            Ending::Failed
        }
    }

    /// Words of the router's own.
    pub fn own_words(&mut self, text: String) -> Part {
        self.span(text, None, None)
    }

    /// The first whose words are held or may still come.
    fn next_in_line(&self) -> Option<usize> {
        self.blocks.iter().position(|block| !block.spoke && (block.end.is_none() || block.has_words_held()))
    }

    /// Lets out what `place` has said so far.
    fn release(&mut self, place: usize, parts: &mut Vec<Part>) {
        for event in std::mem::take(&mut self.blocks[place].held) {
            match event {
                AnswerEvent::Passage(passage) => {
                    self.blocks[place].passages.insert(passage.id.clone(), passage);
                }
                AnswerEvent::Words(words) => self.words(place, words, parts),
                AnswerEvent::Heartbeat | AnswerEvent::Done(_) => {}
            }
        }
    }

    fn words(&mut self, place: usize, words: Words, parts: &mut Vec<Part>) {
        if !self.blocks[place].spoke && self.length > 0 {
            let heading = templates::heading(&self.blocks[place].speaker);
            parts.push(self.own_words(heading));
        }
        self.blocks[place].spoke = true;
        let citation = words.citation.and_then(|citation| {
            let number = self.number(place, &citation.passage_id, parts)?;
            Some((number, citation.range))
        });
        let source = citation.as_ref().map(|(number, _)| *number);
        if source != self.unmarked {
            self.mark(parts);
        }
        self.unmarked = source;
        let specialist = self.blocks[place].speaker.id.clone();
        parts.push(self.span(words.text, Some(specialist), citation));
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
        if block.spoke && block.end == Some(End::Failed) {
            let note = templates::broke_off(&block.speaker);
            parts.push(self.own_words(note));
        }
    }

    fn span(
        &mut self,
        text: String,
        specialist: Option<SpecialistId>,
        citation: Option<(usize, Range<usize>)>,
    ) -> Part {
        let start = self.length;
        self.length += text.len();
        Part::Span(Span { text, start, specialist, citation })
    }
}

impl Block {
    fn has_words_held(&self) -> bool {
        self.held.iter().any(|event| matches!(event, AnswerEvent::Words(_)))
    }

    fn first_passage(&self) -> Option<&Passage> {
        self.held.iter().find_map(|event| match event {
            AnswerEvent::Passage(passage) => Some(passage),
            _ => None,
        })
    }
}

#[cfg(test)]
mod tests;
