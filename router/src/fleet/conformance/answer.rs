//! One answer against the contract, from a transcript of its events.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use prost::{Message, bytes::Bytes};
use proto::{
    AnswerCheck,
    answer::{ANSWER_BYTES_MAX, EVENT_BYTES_MAX, EVENTS_MAX},
    wire::{self, answer_response::Event},
};
use tonic::Code;

use super::Rule;

/// The longest silence that the contract allows.
pub(super) const SILENCE_MAX: Duration = Duration::from_secs(2);

/// What is forgiven beyond it: a heartbeat that is sent in time may be late when it arrives.
pub(super) const DELAY_MAX: Duration = Duration::from_secs(1);

/// What came of one answer, and when, counted from the call.
#[derive(Debug)]
pub(super) struct Transcript {
    /// What was asked.
    pub(super) request: wire::AnswerRequest,
    /// Its events as they came, and when.
    pub(super) events: Vec<(Duration, Bytes)>,
    /// How it ended.
    pub(super) ending: Ending,
    /// When.
    pub(super) ended: Duration,
}

impl Transcript {
    /// An answer that nobody asked for.
    pub(super) fn unasked() -> Self {
        let request = wire::AnswerRequest::default();
        Self { request, events: Vec::new(), ending: Ending::NoTime, ended: Duration::ZERO }
    }

    /// Whether another one like it would only take time.
    pub(super) fn drags(&self) -> bool {
        matches!(self.ending, Ending::Silent | Ending::Flood | Ending::Long(_) | Ending::NoTime)
    }
}

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    /// The specialist closed it.
    Closed,
    /// It failed.
    Status(Code),
    /// It was left: after `done` nothing more came, not even the end.
    LeftOpen,
    /// It was left: nothing came for too long.
    Silent,
    /// It was left: an event came that was too large to be read.
    Oversize,
    /// It was left: more came than is read of an answer.
    Flood,
    /// It was left: so long is an answer listened to.
    Long(Duration),
    /// It was left or never asked for: the examination ran out of time.
    NoTime,
}

/// What breaks one rule: the first place, and how many more there are.
#[derive(Debug)]
pub(super) struct Faults {
    pub(super) first: String,
    pub(super) more: usize,
}

/// What a transcript says of the rules that every answer is held to.
#[derive(Debug, Default)]
pub(super) struct Reading {
    pub(super) faults: BTreeMap<Rule, Faults>,
    pub(super) events: usize,
    pub(super) event_bytes_max: usize,
    pub(super) passages: usize,
    pub(super) citations: usize,
    pub(super) words_bytes: usize,
    pub(super) silence: Duration,
    /// What the first `done` says.
    pub(super) outcome: Option<wire::Outcome>,
    pub(super) done: bool,
    /// When the first words came, and when `done` did.
    pub(super) first_words: Option<Duration>,
    pub(super) ended: Option<Duration>,
}

/// Reads the answer called `name` to its end, whatever is wrong on the way.
pub(super) fn read(name: &str, transcript: &Transcript) -> Reading {
    let mut reader = Reader { passages_max: transcript.request.passages_max as usize, ..Reader::default() };
    let mut before = Duration::ZERO;
    for (number, (at, bytes)) in transcript.events.iter().enumerate() {
        reader.place = format!("{name}, event {}", number + 1);
        if !reader.found.done {
            reader.silent(at.saturating_sub(before));
        }
        before = *at;
        reader.event(bytes);
        let found = &mut reader.found;
        if found.first_words.is_none() && found.words_bytes > 0 {
            found.first_words = Some(*at);
        }
        if found.ended.is_none() && found.done {
            found.ended = Some(*at);
        }
    }
    reader.place = format!("{name}, after event {}", transcript.events.len());
    if !reader.found.done && !transcript.events.is_empty() || transcript.ending == Ending::Silent {
        reader.silent(transcript.ended.saturating_sub(before));
    }
    if transcript.ending == Ending::Oversize {
        reader.fault(Rule::EventBytes, "an event comes that is too large to be read");
    }
    reader.found
}

#[derive(Default)]
struct Reader {
    found: Reading,
    passages_max: usize,
    /// The texts of the passages so far.
    texts: HashMap<String, String>,
    place: String,
}

impl Reader {
    fn fault(&mut self, rule: Rule, what: &str) {
        if let Some(faults) = self.found.faults.get_mut(&rule) {
            faults.more += 1;
        } else {
            let first = format!("{}: {what}", self.place);
            self.found.faults.insert(rule, Faults { first, more: 0 });
        }
    }

    fn silent(&mut self, silence: Duration) {
        self.found.silence = self.found.silence.max(silence);
        if silence > SILENCE_MAX + DELAY_MAX {
            let (silence, max) = (silence.as_millis(), SILENCE_MAX.as_secs());
            self.fault(
                Rule::Heartbeats,
                &format!("{silence} ms of silence, where an event is due every {max} s"),
            );
        }
    }

    fn event(&mut self, bytes: &Bytes) {
        self.found.events += 1;
        self.found.event_bytes_max = self.found.event_bytes_max.max(bytes.len());
        if bytes.len() > EVENT_BYTES_MAX {
            let what = format!("has {} bytes, where {EVENT_BYTES_MAX} are allowed", bytes.len());
            self.fault(Rule::EventBytes, &what);
        }
        if self.found.events == EVENTS_MAX + 1 {
            let what = format!("is one more than the {EVENTS_MAX} that an answer may have");
            self.fault(Rule::Events, &what);
        }
        if self.found.done {
            self.fault(Rule::Done, "comes after done");
        }
        match wire::AnswerResponse::decode(bytes.clone()) {
            Err(_) => {
                self.fault(Rule::Events, "is not a serialized consilium.v1.AnswerResponse");
            }
            Ok(wire::AnswerResponse { event: None }) => {
                self.fault(Rule::Events, "is neither passage nor words, heartbeat or done");
            }
            Ok(wire::AnswerResponse { event: Some(Event::Passage(passage)) }) => self.passage(passage),
            Ok(wire::AnswerResponse { event: Some(Event::Words(words)) }) => self.words(words),
            Ok(wire::AnswerResponse { event: Some(Event::Heartbeat(wire::Heartbeat {})) }) => {}
            Ok(wire::AnswerResponse { event: Some(Event::Done(done)) }) => self.done(&done),
        }
    }

    /// Holds an event to the bounds that it has by itself, whatever came before it.
    fn bounds(&mut self, rule: Rule, event: Event) {
        let read = AnswerCheck::default().read(wire::AnswerResponse { event: Some(event) });
        if let Err(invalid) = read {
            self.fault(rule, &invalid.to_string());
        }
    }

    fn passage(&mut self, passage: wire::Passage) {
        self.found.passages += 1;
        if self.found.passages > self.passages_max {
            let what = format!("is one passage more than the {} that were asked for", self.passages_max);
            self.fault(Rule::PassagesMax, &what);
        }
        let (id, text) = (passage.passage_id.clone(), passage.text.clone());
        self.bounds(Rule::Passages, Event::Passage(passage));
        if self.texts.contains_key(&id) {
            return self.fault(Rule::Passages, "passage.passage_id: was sent before");
        }
        self.texts.insert(id, text);
    }

    fn words(&mut self, words: wire::Words) {
        let wire::Words { text, citation } = words;
        let already = self.found.words_bytes;
        self.found.words_bytes += text.len();
        if already <= ANSWER_BYTES_MAX && self.found.words_bytes > ANSWER_BYTES_MAX {
            self.fault(Rule::Words, &format!("the answer has more than {ANSWER_BYTES_MAX} bytes of words"));
        }
        if let Some(citation) = citation {
            self.citation(&text, &citation);
        }
        self.bounds(Rule::Words, Event::Words(wire::Words { text, citation: None }));
    }

    fn citation(&mut self, words: &str, citation: &wire::Citation) {
        let wire::Citation { passage_id, start_bytes, end_bytes } = citation;
        self.found.citations += 1;
        let range = *start_bytes as usize..*end_bytes as usize;
        let Some(text) = self.texts.get(passage_id) else {
            let what = "words.citation.passage_id: names a passage that was not sent before";
            return self.fault(Rule::PassagesFirst, what);
        };
        let place = format!("words.citation: {start_bytes} to {end_bytes}");
        match text.get(range).filter(|cited| !cited.is_empty()) {
            None => {
                let what = format!("{place} is no range of characters of a text of {} bytes", text.len());
                self.fault(Rule::CitationRanges, &what);
            }
            // White space around words is how pieces are joined; nobody is misquoted by it.
            Some(cited) if cited.trim() != words.trim() => {
                let what = format!("{place} holds other words: words of one's own cite nothing");
                self.fault(Rule::CitationWords, &what);
            }
            Some(_) => {}
        }
    }

    fn done(&mut self, done: &wire::Done) {
        if std::mem::replace(&mut self.found.done, true) {
            return;
        }
        self.found.outcome = Some(done.outcome());
        let what = match (done.outcome(), self.found.words_bytes) {
            (wire::Outcome::Unspecified, _) => "done.outcome: is missing",
            (wire::Outcome::Answered, 0) => "done.outcome: says answered, but there were no words",
            (wire::Outcome::NoAnswer, 1..) => "done.outcome: says no answer, but there were words",
            (wire::Outcome::Answered, 1..) | (wire::Outcome::NoAnswer, 0) => return,
        };
        self.fault(Rule::Outcome, what);
    }
}
