//! Tables of the checker: transcripts and records that nobody had to make, with made-up times.

use std::time::Duration;

use prost::{Message, bytes::Bytes};
use proto::{
    Digest, Pooling, Space,
    answer::EVENTS_MAX,
    wire::{self, Card, Outcome, Prototype, PrototypesResponse, answer_response::Event},
};
use tonic::Code;

use super::{
    Record, Rule, Unanswered, Verdict,
    answer::{Ending, Faults, Transcript, read},
    verdicts::judge,
};

fn event(event: Event) -> Bytes {
    wire::AnswerResponse { event: Some(event) }.encode_to_vec().into()
}

fn passage(id: &str, text: &str) -> Bytes {
    let (passage_id, text) = (id.to_owned(), text.to_owned());
    event(Event::Passage(wire::Passage { passage_id, text, ..Default::default() }))
}

fn words(text: &str) -> Bytes {
    event(Event::Words(wire::Words { text: text.to_owned(), citation: None }))
}

fn cited(text: &str, passage_id: &str, (start_bytes, end_bytes): (u32, u32)) -> Bytes {
    let citation = Some(wire::Citation { passage_id: passage_id.to_owned(), start_bytes, end_bytes });
    event(Event::Words(wire::Words { text: text.to_owned(), citation }))
}

fn done(outcome: Outcome) -> Bytes {
    event(Event::Done(wire::Done { outcome: outcome.into(), ..Default::default() }))
}

fn at(seconds: u64, ending: Ending, events: Vec<(u64, Bytes)>) -> Transcript {
    let events = events.into_iter().map(|(at, bytes)| (Duration::from_secs(at), bytes)).collect();
    let request = wire::AnswerRequest { passages_max: 2, salt: vec![7; 32], ..Default::default() };
    Transcript { request, events, ending, ended: Duration::from_secs(seconds) }
}

pub(super) fn at_once(events: Vec<Bytes>) -> Transcript {
    at(0, Ending::Closed, events.into_iter().map(|event| (0, event)).collect())
}

fn sound() -> Transcript {
    at_once(vec![passage("a", "Rust."), cited("Rust. ", "a", (0, 5)), words("Own."), done(Outcome::Answered)])
}

/// Every fault of a transcript, by rule.
#[track_caller]
fn breaks(transcript: &Transcript, expected: &[&str]) {
    let reading = read("answer 1", transcript);
    let fault = |(rule, faults): (&Rule, &Faults)| format!("{}: {}", rule.name(), &faults.first[10..]);
    let faults: Vec<_> = reading.faults.iter().map(fault).collect();
    assert_eq!(faults, expected);
}

#[test]
fn an_answer_is_held_to_every_rule() {
    let answered = || done(Outcome::Answered);
    breaks(&sound(), &[]);
    breaks(&at_once(vec![done(Outcome::NoAnswer)]), &[]);
    breaks(
        &at_once(vec![Bytes::from_static(b"\xff"), Bytes::new(), words("x"), answered()]),
        &["events: event 1: is not a serialized consilium.v1.AnswerResponse"],
    );
    breaks(
        &at_once(vec![Bytes::new(), words("x"), answered()]),
        &["events: event 1: is neither passage nor words, heartbeat or done"],
    );
    breaks(
        &at_once(vec![cited("x", "a", (0, 1)), passage("a", "x"), answered()]),
        &["passages-first: event 1: words.citation.passage_id: names a passage that was not sent before"],
    );
    let no_range = |range: &str, bytes: usize| {
        format!(
            "citation-ranges: event 2: words.citation: {range} is no range of characters of a text of {bytes} bytes"
        )
    };
    for (text, range, why) in [
        ("xyz", (0, 4), no_range("0 to 4", 3)),
        ("xyz", (2, 1), no_range("2 to 1", 3)),
        ("xyz", (1, 1), no_range("1 to 1", 3)),
        ("é", (0, 1), no_range("0 to 1", 2)),
    ] {
        breaks(&at_once(vec![passage("a", text), cited("x", "a", range), answered()]), &[&why]);
    }
    breaks(
        &at_once(vec![passage("a", "xyz"), cited("xz", "a", (0, 2)), answered()]),
        &[
            "citation-words: event 2: words.citation: 0 to 2 holds other words: words of one's own cite nothing",
        ],
    );
    breaks(
        &at_once(vec![passage("a", "x"), passage("a", "y"), passage("b", "z"), words("x"), answered()]),
        &[
            "passages: event 2: passage.passage_id: was sent before",
            "passages-max: event 3: is one passage more than the 2 that were asked for",
        ],
    );
    breaks(
        &at_once(vec![passage("", ""), words(""), words("x"), answered()]),
        &[
            "passages: event 1: passage.passage_id: has 0 characters, where 1 to 200 are allowed",
            "words: event 2: words.text: has 0 bytes, where 1 to 32768 are allowed",
        ],
    );
}

#[test]
fn sizes_and_ends_are_held_to_their_rules() {
    let answered = || done(Outcome::Answered);
    let piece = "x".repeat(32_768);
    let mut long = vec![words(&piece); 9];
    long.push(answered());
    breaks(&at_once(long), &["words: event 9: the answer has more than 262144 bytes of words"]);
    let large = passage("a", &"x".repeat(70_000));
    breaks(
        &at_once(vec![large, words("x"), answered()]),
        &[
            "event-bytes: event 1: has 70011 bytes, where 65536 are allowed",
            "passages: event 1: passage.text: has 70000 bytes, where 1 to 32768 are allowed",
        ],
    );
    let mut many = vec![words("x"); EVENTS_MAX + 1];
    many.push(answered());
    breaks(&at_once(many), &["events: event 4097: is one more than the 4096 that an answer may have"]);
    breaks(
        &at_once(vec![words("x"), answered(), words("y"), answered()]),
        &["done: event 3: comes after done"],
    );
    for (events, why) in [
        (vec![answered()], "says answered, but there were no words"),
        (vec![words("x"), done(Outcome::NoAnswer)], "says no answer, but there were words"),
        (vec![words("x"), done(Outcome::Unspecified)], "is missing"),
    ] {
        let number = events.len();
        breaks(&at_once(events), &[&format!("outcome: event {number}: done.outcome: {why}")]);
    }
}

#[test]
fn silence_is_measured_up_to_done() {
    let answer = |seconds: [u64; 3], ended: u64, ending: Ending| {
        let events = [event(Event::Heartbeat(wire::Heartbeat {})), words("x"), done(Outcome::Answered)];
        at(ended, ending, seconds.into_iter().zip(events).collect())
    };
    let silent = |after: &str, ms: u64| {
        format!("heartbeats: {after}: {ms} ms of silence, where an event is due every 2 s")
    };
    breaks(&answer([2, 5, 8], 8, Ending::Closed), &[]);
    breaks(&answer([2, 4, 6], 60, Ending::LeftOpen), &[]);
    breaks(&answer([4, 5, 6], 6, Ending::Closed), &[&silent("event 1", 4_000)]);
    breaks(&answer([1, 2, 6], 6, Ending::Closed), &[&silent("event 3", 4_000)]);
    breaks(&at(10, Ending::Silent, Vec::new()), &[&silent("after event 0", 10_000)]);
    breaks(&at(12, Ending::Silent, vec![(2, words("x"))]), &[&silent("after event 1", 10_000)]);
    // It failed at once: that is no silence.
    breaks(&at(5, Ending::Status(Code::Internal), Vec::new()), &[]);
}

fn space() -> Space {
    let weights = Digest::of("test");
    Space { encoder: "test".into(), weights, pooling: Pooling::Mean, prefix: String::new(), dimension: 2 }
}

pub(super) fn card() -> Card {
    Card {
        specialist_id: "sound".into(),
        title: "Sound".into(),
        institution: "Institute".into(),
        description: "All.".into(),
        example_questions: vec!["why".into()],
        license: "CC0-1.0".into(),
        public_endpoint: "http://127.0.0.1:1".into(),
        generator: "none".into(),
        revision: "1".into(),
        ..Default::default()
    }
}

fn prototypes(vectors: &[[f32; 2]]) -> PrototypesResponse {
    let prototype = |vector: &[f32; 2]| Prototype { vector: vector.to_vec(), passage_count: 5 };
    let prototypes = vectors.iter().map(prototype).collect();
    PrototypesResponse { space: Some((&space()).into()), prototypes, revision: "1".into() }
}

pub(super) fn record() -> Record {
    let refused = || at(0, Ending::Status(Code::InvalidArgument), Vec::new());
    Record {
        health: Ok(1),
        cards: vec![Ok(card().encode_to_vec()); 3],
        space: space(),
        prototypes_max: 2,
        prototypes: Ok(prototypes(&[[1.0, 0.0], [0.0, 1.0]])),
        one_prototype: Ok(prototypes(&[[1.0, 0.0]])),
        other_space: Err(Unanswered::Status(Code::FailedPrecondition)),
        probe: Err(Unanswered::Status(Code::Unimplemented)),
        alone: sound(),
        at_once: [sound(), sound()],
        follow_up: Some(sound()),
        nonce: vec![7; 32],
        possession: Err(Unanswered::Status(Code::Unimplemented)),
        refused: vec![("without turns", refused()), ("with a blank question", refused())],
        after: sound(),
    }
}

/// The rules that do not pass once `change` is made to a sound record: those not examined in brackets.
#[track_caller]
pub(super) fn verdict(change: impl FnOnce(&mut Record), expected: &[&str]) {
    let mut record = record();
    change(&mut record);
    let wrong: Vec<String> = judge(&record)
        .iter()
        .filter(|finding| finding.verdict != Verdict::Passed)
        .map(|finding| match finding.verdict {
            Verdict::NotExamined => format!("({})", finding.rule.name()),
            _ => format!("{}: {}", finding.rule.name(), finding.detail),
        })
        .collect();
    assert_eq!(wrong, expected);
}

/// All bytes of a card, changed.
pub(super) fn with(change: impl FnOnce(&mut Card)) -> Vec<u8> {
    let mut card = card();
    change(&mut card);
    card.encode_to_vec()
}

#[test]
fn a_sound_record_keeps_every_rule_in_order() {
    verdict(|_| (), &[]);
    let rules: Vec<_> = judge(&record()).iter().map(|finding| finding.rule).collect();
    assert!(rules.is_sorted() && rules.len() == 27, "{rules:?}");
}

#[test]
fn prototypes_are_judged() {
    let declined = |code: Code| Unanswered::Status(code);
    verdict(
        |record| {
            record.prototypes = Err(declined(Code::Unimplemented));
            record.one_prototype = Err(declined(Code::Unimplemented));
            record.other_space = Err(declined(Code::Unimplemented));
        },
        &[],
    );
    verdict(
        |record| {
            record.prototypes = Err(declined(Code::FailedPrecondition));
            record.cards = vec![Ok(with(|card| card.example_questions.clear())); 3];
        },
        &["route-by: neither prototypes nor example questions nor sample texts"],
    );
    verdict(
        |record| record.prototypes = Err(declined(Code::Internal)),
        &["prototypes: the call failed with INTERNAL", "(prototypes-revision)"],
    );
    verdict(
        |record| record.prototypes = Ok(prototypes(&[[1.0, 0.0], [0.0, f32::NAN], [0.0, 1.0]])),
        &["prototypes: prototypes[1].vector: holds a number that is not finite; \
           prototypes: has 3 entries, where 2 were asked for"],
    );
    let other = Space { weights: Digest::of("other"), ..space() };
    verdict(
        |record| {
            let space = Some((&other).into());
            record.prototypes = Ok(PrototypesResponse { space, ..prototypes(&[[1.0, 0.0]]) });
        },
        &["prototypes: space: is not the one that was asked for"],
    );
    verdict(
        |record| record.prototypes.as_mut().unwrap().revision = "7".into(),
        &["prototypes-revision: revision: is not the card's"],
    );
    verdict(
        |record| record.one_prototype = Ok(prototypes(&[[1.0, 0.0], [0.0, 1.0]])),
        &["prototypes-max: prototypes: has 2 entries, where one was asked for"],
    );
    verdict(
        |record| record.other_space = Ok(2),
        &["other-space: 2 prototypes came, where FAILED_PRECONDITION or UNIMPLEMENTED is due"],
    );
}

#[test]
fn ends_are_judged_and_what_hangs_on_them_is_not_examined() {
    let failed = || at(0, Ending::Status(Code::Internal), Vec::new());
    verdict(
        |record| record.alone.events.truncate(3),
        &["done: answer 1 ended without done", "(at-once)", "(follow-ups)", "(departures)"],
    );
    verdict(|record| record.at_once[1] = failed(), &["at-once: an answer failed with INTERNAL before done"]);
    verdict(|record| record.after = failed(), &["departures: an answer failed with INTERNAL before done"]);
    verdict(|record| record.after = at(0, Ending::NoTime, Vec::new()), &["(departures)"]);
    verdict(|record| record.alone.ending = Ending::LeftOpen, &[]);
    verdict(
        |record| {
            record.alone.events.truncate(3);
            record.alone.ending = Ending::Flood;
            record.after = Transcript::unasked();
            assert!(record.alone.drags() && !record.at_once[0].drags());
        },
        &["(done)", "(at-once)", "(follow-ups)", "(departures)"],
    );
    verdict(
        |record| record.alone = at(0, Ending::Oversize, vec![(0, words("x"))]),
        &[
            "event-bytes: answer 1, after event 1: an event comes that is too large to be read",
            "(done)",
            "(at-once)",
            "(follow-ups)",
            "(departures)",
        ],
    );
    verdict(
        |record| record.refused[1].1 = sound(),
        &["refusals: a request with a blank question is answered, where INVALID_ARGUMENT is due"],
    );
    verdict(
        |record| record.refused[0].1 = failed(),
        &["refusals: a request without turns is refused with INTERNAL, where INVALID_ARGUMENT is due"],
    );
}

#[test]
fn no_finding_holds_what_was_said() {
    let secret = "s3cret";
    let broken = at_once(vec![
        passage(secret, secret),
        passage(secret, secret),
        cited(secret, secret, (0, 3)),
        cited(secret, "other", (0, 3)),
        words(&secret.repeat(20_000)),
        done(Outcome::NoAnswer),
        words(secret),
    ]);
    let mut record = record();
    record.cards = vec![Ok(with(|card| card.public_endpoint = secret.into()))];
    record.alone = broken;
    for finding in judge(&record) {
        assert!(!finding.detail.contains(secret), "{}", finding.detail);
    }
}
