//! Answers: the events of a specialist's stream, checked one by one.

use std::{collections::HashMap, num::NonZeroU32, ops::Range, sync::Arc};

use crate::{
    Invalid,
    invalid::{bounded, bytes, text},
    wire,
};

/// The most bytes that the words of one answer may have.
pub const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// The most passages that one answer may carry.
pub const PASSAGES_MAX: usize = 32;

/// The most events that one answer may have.
pub const EVENTS_MAX: usize = 4_096;

/// The last page that a passage may stand on.
pub const PAGE_MAX: u32 = 1_000_000;

/// The most hashes that lead from a passage to the root of its corpus.
pub const PATH_HASHES_MAX: usize = 64;

/// The most bytes that a signed statement may have.
pub const STATEMENT_BYTES_MAX: usize = 32 * 1024;

/// The most bytes that one event may have on the wire.
pub const EVENT_BYTES_MAX: usize = 64 * 1024;

/// A passage of a corpus, as its owner publishes it.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Its name inside the corpus.
    pub id: String,
    /// May be empty.
    pub title: String,
    /// 1 to 32,768 bytes.
    pub text: String,
    /// `http(s)` address where a reader can check it, or empty.
    pub url: String,
    /// May be empty.
    pub license: String,
    /// The headings above it inside its document, as "Treatment > Dose"; may be empty.
    pub section: String,
    /// The page of its document that it begins on, where that has pages: at most [`PAGE_MAX`].
    pub page: Option<NonZeroU32>,
    /// Cosine of question and passage by the specialist's word: -1 to 1.
    pub similarity: f32,
}

impl Passage {
    /// "title, section: text".
    pub fn titled(&self) -> String {
        titled(&heading(&self.title, &self.section, None), &self.text)
    }

    /// Where it stands, for a reader: "Title, Treatment > Dose, p. 12".
    pub fn heading(&self) -> String {
        heading(&self.title, &self.section, self.page)
    }
}

/// "title, section, p. 12", of which each may be missing.
pub fn heading(title: &str, section: &str, page: Option<NonZeroU32>) -> String {
    let mut parts = vec![title.to_owned(), section.to_owned()];
    parts.extend(page.map(|page| format!("p. {page}")));
    parts.retain(|part| !part.is_empty());
    parts.join(", ")
}

/// "heading: text".
pub fn titled(heading: &str, text: &str) -> String {
    if heading.is_empty() { text.to_owned() } else { format!("{heading}: {text}") }
}

/// A range of a passage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// Which passage; shared by all that cite it.
    pub passage_id: Arc<str>,
    /// UTF-8 bytes, on character boundaries.
    pub range: Range<usize>,
}

/// Words of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// 1 to 32,768 bytes.
    pub text: String,
    /// Where they stand; `None` for words that cite nothing.
    pub citation: Option<Citation>,
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It is whole.
    Answered,
    /// The corpus holds no answer.
    NoAnswer,
}

/// One event of an answer.
#[derive(Debug, Clone, PartialEq)]
pub enum AnswerEvent {
    /// What later words may cite.
    Passage(Passage),
    /// The next words.
    Words(Words),
    /// Nothing yet, but alive.
    Heartbeat,
    /// The end.
    Done(Outcome),
}

/// How much one answer may hold.
#[derive(Debug, Clone, Copy)]
pub struct AnswerBounds {
    /// Passages: as many as were asked for.
    pub passages_max: usize,
    /// Events of all kinds.
    pub events_max: usize,
    /// Bytes of all its words.
    pub bytes_max: usize,
}

impl Default for AnswerBounds {
    /// The contract's own.
    fn default() -> Self {
        Self { passages_max: PASSAGES_MAX, events_max: EVENTS_MAX, bytes_max: ANSWER_BYTES_MAX }
    }
}

/// Reads the events of one answer in order and holds them to the contract: passages before the words
/// that cite them, ranges that exist, sizes within bounds, nothing after the end.
#[derive(Debug, Default)]
pub struct AnswerCheck {
    bounds: AnswerBounds,
    passages: HashMap<Arc<str>, String>,
    events: usize,
    bytes: usize,
    done: bool,
}

impl AnswerCheck {
    /// A check that also holds the answer to `bounds`.
    pub fn new(bounds: AnswerBounds) -> Self {
        Self { bounds, ..Self::default() }
    }

    /// Whether any event came.
    pub fn began(&self) -> bool {
        self.events > 0
    }

    /// The next event, or what is wrong with it.
    pub fn read(&mut self, response: wire::AnswerResponse) -> Result<AnswerEvent, Invalid> {
        if self.done {
            return Err(Invalid::malformed("event", "comes after done"));
        }
        self.events += 1;
        bounded("events", self.events, (0, self.bounds.events_max), "entries")?;
        match response.event.ok_or_else(|| Invalid::missing("event"))? {
            wire::answer_response::Event::Passage(passage) => self.passage(passage),
            wire::answer_response::Event::Words(words) => self.words(words),
            wire::answer_response::Event::Heartbeat(wire::Heartbeat {}) => Ok(AnswerEvent::Heartbeat),
            wire::answer_response::Event::Done(done) => self.done(done),
        }
    }

    fn passage(&mut self, passage: wire::Passage) -> Result<AnswerEvent, Invalid> {
        let wire::Passage { passage_id, title, text: body, url, license, similarity, section, page } =
            passage;
        bounded("passages", self.passages.len() + 1, (0, self.bounds.passages_max), "entries")?;
        let url = text("passage.url", url, (0, 2_000))?;
        if !(url.is_empty() || url.starts_with("https://") || url.starts_with("http://")) {
            return Err(Invalid::malformed("passage.url", "must be an http or https address"));
        }
        if !(-1.001..=1.001).contains(&similarity) {
            return Err(Invalid::malformed("passage.similarity", "must lie between -1 and 1"));
        }
        if page > PAGE_MAX {
            return Err(Invalid::malformed("passage.page", format!("must be at most {PAGE_MAX}")));
        }
        let passage = Passage {
            id: text("passage.passage_id", passage_id, (1, 200))?,
            title: text("passage.title", title, (0, 500))?,
            text: bytes("passage.text", body, (1, 32_768))?,
            url,
            license: text("passage.license", license, (0, 120))?,
            section: text("passage.section", section, (0, 500))?,
            page: NonZeroU32::new(page),
            similarity,
        };
        if self.passages.insert(passage.id.as_str().into(), passage.text.clone()).is_some() {
            return Err(Invalid::malformed("passage.passage_id", "was sent before"));
        }
        Ok(AnswerEvent::Passage(passage))
    }

    fn words(&mut self, words: wire::Words) -> Result<AnswerEvent, Invalid> {
        let wire::Words { text, citation } = words;
        // Space between sentences is words too, so blank text is not refused here.
        bounded("words.text", text.len(), (1, 32_768), "bytes")?;
        self.bytes += text.len();
        bounded("answer", self.bytes, (0, self.bounds.bytes_max), "bytes")?;
        let citation = citation.map(|citation| self.citation(citation)).transpose()?;
        Ok(AnswerEvent::Words(Words { text, citation }))
    }

    fn citation(&self, citation: wire::Citation) -> Result<Citation, Invalid> {
        let wire::Citation { passage_id, start_bytes, end_bytes } = citation;
        let range = start_bytes as usize..end_bytes as usize;
        let Some((id, passage)) = self.passages.get_key_value(passage_id.as_str()) else {
            return Err(Invalid::malformed("words.citation.passage_id", "names a passage that was not sent"));
        };
        if passage.get(range.clone()).is_none_or(str::is_empty) {
            return Err(Invalid::malformed("words.citation", "is no range of characters of its passage"));
        }
        Ok(Citation { passage_id: id.clone(), range })
    }

    fn done(&mut self, done: wire::Done) -> Result<AnswerEvent, Invalid> {
        self.done = true;
        let said = done.outcome();
        let wire::Done { outcome: _, statement, paths } = done;
        if let Some(wire::Signed { payload, signature: _ }) = statement {
            bounded("done.statement.payload", payload.len(), (1, STATEMENT_BYTES_MAX), "bytes")?;
        }
        if !(paths.is_empty() || paths.len() == self.passages.len()) {
            return Err(Invalid::malformed("done.paths", "must be one for each passage, or none"));
        }
        for wire::MerklePath { index: _, hashes } in &paths {
            bounded("done.paths.hashes", hashes.len(), (0, PATH_HASHES_MAX), "entries")?;
            if hashes.iter().any(|hash| hash.len() != 32) {
                return Err(Invalid::malformed("done.paths.hashes", "must have 32 bytes each"));
            }
        }
        match said {
            wire::Outcome::Answered if self.bytes == 0 => {
                Err(Invalid::malformed("done.outcome", "says answered, but there were no words"))
            }
            wire::Outcome::Answered => Ok(AnswerEvent::Done(Outcome::Answered)),
            wire::Outcome::NoAnswer if self.bytes > 0 => {
                Err(Invalid::malformed("done.outcome", "says no answer, but there were words"))
            }
            wire::Outcome::NoAnswer => Ok(AnswerEvent::Done(Outcome::NoAnswer)),
            wire::Outcome::Unspecified => Err(Invalid::missing("done.outcome")),
        }
    }
}

impl From<AnswerEvent> for wire::AnswerResponse {
    fn from(event: AnswerEvent) -> Self {
        use wire::answer_response::Event;
        let event = match event {
            AnswerEvent::Passage(passage) => Event::Passage(passage.into()),
            AnswerEvent::Words(Words { text, citation }) => {
                Event::Words(wire::Words { text, citation: citation.map(Into::into) })
            }
            AnswerEvent::Heartbeat => Event::Heartbeat(wire::Heartbeat {}),
            AnswerEvent::Done(outcome) => {
                let outcome = match outcome {
                    Outcome::Answered => wire::Outcome::Answered,
                    Outcome::NoAnswer => wire::Outcome::NoAnswer,
                };
                Event::Done(wire::Done { outcome: outcome.into(), ..Default::default() })
            }
        };
        Self { event: Some(event) }
    }
}

impl From<Passage> for wire::Passage {
    fn from(passage: Passage) -> Self {
        let Passage { id, title, text, url, license, section, page, similarity } = passage;
        let page = page.map_or(0, NonZeroU32::get);
        Self { passage_id: id, title, text, url, license, section, page, similarity }
    }
}

impl From<Citation> for wire::Citation {
    fn from(citation: Citation) -> Self {
        let bytes = |at: usize| u32::try_from(at).unwrap_or(u32::MAX);
        Self {
            start_bytes: bytes(citation.range.start),
            end_bytes: bytes(citation.range.end),
            passage_id: citation.passage_id.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(id: &str, text: &str) -> wire::answer_response::Event {
        wire::answer_response::Event::Passage(wire::Passage {
            passage_id: id.into(),
            text: text.into(),
            similarity: 0.5,
            ..Default::default()
        })
    }

    fn words(text: &str, cites: Option<(&str, u32, u32)>) -> wire::answer_response::Event {
        let citation = cites.map(|(id, start_bytes, end_bytes)| wire::Citation {
            passage_id: id.into(),
            start_bytes,
            end_bytes,
        });
        wire::answer_response::Event::Words(wire::Words { text: text.into(), citation })
    }

    fn done(outcome: wire::Outcome) -> wire::answer_response::Event {
        wire::answer_response::Event::Done(wire::Done { outcome: outcome.into(), ..Default::default() })
    }

    /// Reads all but the last event without complaint, and says what is wrong with the last.
    #[track_caller]
    fn refused(events: impl IntoIterator<Item = wire::answer_response::Event>, why: &str) {
        let mut check = AnswerCheck::default();
        let mut events: Vec<_> = events.into_iter().collect();
        let last = events.pop();
        for event in events {
            check.read(wire::AnswerResponse { event: Some(event) }).unwrap();
        }
        assert_eq!(check.read(wire::AnswerResponse { event: last }).unwrap_err().to_string(), why);
    }

    #[test]
    fn a_heading_says_what_is_known() {
        let page = NonZeroU32::new(12);
        assert_eq!(heading("Guide", "Treatment > Dose", page), "Guide, Treatment > Dose, p. 12");
        assert_eq!(heading("Guide", "", None), "Guide");
        assert_eq!(heading("", "", page), "p. 12");
        assert_eq!((titled("Guide", "x").as_str(), titled("", "x").as_str()), ("Guide: x", "x"));
    }

    #[test]
    fn section_and_page_cross_the_wire() {
        let wire = wire::Passage {
            passage_id: "a".into(),
            text: "x".into(),
            section: "Treatment > Dose".into(),
            page: 12,
            ..Default::default()
        };
        let event = wire::answer_response::Event::Passage(wire.clone());
        let read = AnswerCheck::default().read(wire::AnswerResponse { event: Some(event) }).unwrap();
        let AnswerEvent::Passage(passage) = read else { panic!("{read:?}") };
        assert_eq!((passage.page, passage.titled().as_str()), (NonZeroU32::new(12), "Treatment > Dose: x"));
        assert_eq!(wire::Passage::from(passage), wire);
        let far = wire::Passage { page: PAGE_MAX + 1, ..wire.clone() };
        refused([wire::answer_response::Event::Passage(far)], "passage.page: must be at most 1000000");
        let steering = wire::Passage { section: "\u{1b}".into(), ..wire };
        let steering = wire::answer_response::Event::Passage(steering);
        refused([steering], "passage.section: holds a control character");
    }

    #[test]
    fn a_stream_is_held_to_the_contract() {
        refused([], "event: is missing");
        refused([passage("a", "")], "passage.text: has 0 bytes, where 1 to 32768 are allowed");
        refused([passage("a", "x"), passage("a", "y")], "passage.passage_id: was sent before");
        refused(
            [words("x", Some(("a", 0, 1)))],
            "words.citation.passage_id: names a passage that was not sent",
        );
        let no_range = "words.citation: is no range of characters of its passage";
        refused([passage("a", "xyz"), words("x", Some(("a", 0, 4)))], no_range);
        refused([passage("a", "xyz"), words("x", Some(("a", 2, 1)))], no_range);
        refused([passage("a", "é"), words("x", Some(("a", 0, 1)))], no_range);
        refused([done(wire::Outcome::Answered)], "done.outcome: says answered, but there were no words");
        let after_words = "done.outcome: says no answer, but there were words";
        refused([words("x", None), done(wire::Outcome::NoAnswer)], after_words);
        refused([done(wire::Outcome::Unspecified)], "done.outcome: is missing");
        refused([done(wire::Outcome::NoAnswer), words("x", None)], "event: comes after done");
        let chunk = "x".repeat(32_768);
        refused(
            (0..9).map(|_| words(&chunk, None)),
            "answer: has 294912 bytes, where 0 to 262144 are allowed",
        );
        let beats = (0..=EVENTS_MAX).map(|_| wire::answer_response::Event::Heartbeat(wire::Heartbeat {}));
        refused(beats, "events: has 4097 entries, where 0 to 4096 are allowed");
    }
}
