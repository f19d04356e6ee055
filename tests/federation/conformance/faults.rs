//! Specialists that somebody wrote badly.

use proto::wire::{Card, Heartbeat, Outcome, PrototypesResponse, answer_response::Event};
use tonic::Status;

use super::{done, passage, words};

/// What is wrong with a specialist.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    None,
    NotServing,
    NoHealth,
    Card(fn(&mut Card)),
    /// It does not describe itself yet.
    Unready,
    /// Each time it describes itself, its notice is another.
    Fickle,
    /// Each time, its revision too.
    Restless,
    Prototypes(fn(&mut PrototypesResponse)),
    /// It sends two prototypes, however few are asked for.
    TwoPrototypes,
    /// It has vectors of every space.
    AnySpace,
    /// It has no vectors, and says so in its own way.
    Declines(fn() -> Status),
    Answer(fn(&mut Vec<Event>)),
    /// Answers fail in the middle.
    Breaks,
    /// Answers fail from so many on; requests that it refuses are not counted.
    FailsFrom(usize),
    /// It answers whatever it is asked.
    Credulous,
    /// It refuses what is out of bounds, with another code.
    Miscoded,
    /// Its card takes earlier turns, and it takes none.
    OneTurn,
}

/// Faults, and the rules that each breaks.
pub(super) fn faults() -> Vec<(Fault, &'static [&'static str])> {
    use Fault::*;
    vec![
        (None, &[]),
        (NotServing, &["health", "admission"]),
        (NoHealth, &["health", "admission"]),
        (Card(|card| card.license.clear()), &["card", "admission"]),
        (Unready, &["card", "admission"]),
        (Fickle, &["card-bytes"]),
        (Restless, &["card-bytes", "prototypes-revision", "admission"]),
        (Prototypes(|made| made.prototypes[0].vector[1] = 1.0), &["prototypes", "admission"]),
        (Prototypes(|made| made.prototypes[0].vector.truncate(1)), &["prototypes", "admission"]),
        (Prototypes(|made| made.prototypes[0].passage_count = 1), &["prototypes", "admission"]),
        (Prototypes(|made| made.space.as_mut().unwrap().prefix = "q: ".into()), &["prototypes", "admission"]),
        (Prototypes(|made| made.revision = "0".into()), &["prototypes-revision", "admission"]),
        (TwoPrototypes, &["prototypes-max"]),
        (AnySpace, &["other-space"]),
        (Declines(|| Status::unimplemented("none")), &[]),
        (
            Declines(|| Status::invalid_argument("none")),
            &["prototypes", "prototypes-max", "other-space", "admission"],
        ),
        (Answer(|events| events.push(Event::Heartbeat(Heartbeat {}))), &["done"]),
        (Answer(|events| events.truncate(3)), &["done"]),
        (Answer(|events| events.swap(0, 1)), &["passages-first"]),
        (Answer(|events| events[1] = words("Rouill", Some((0, 7)))), &["citation-ranges"]),
        (Answer(|events| events[1] = words("Rot.", Some((0, 9)))), &["citation-words"]),
        (Answer(|events| events[2] = words("", Option::None)), &["words"]),
        (Answer(|events| events[2] = words(&"x".repeat(70_000), Option::None)), &["words", "event-bytes"]),
        (Answer(|events| events[2] = words(&"x".repeat(300_000), Option::None)), &["event-bytes"]),
        (Answer(|events| events[0] = passage("a", &" ".repeat(20))), &["passages", "citation-words"]),
        (Answer(|events| events.insert(1, passage("b", "Blue."))), &["passages-max"]),
        (Answer(|events| events[3] = done(Outcome::NoAnswer)), &["outcome"]),
        (Answer(|events| events[3] = done(Outcome::Unspecified)), &["outcome"]),
        (Breaks, &["done"]),
        (FailsFrom(1), &["at-once", "departures"]),
        (FailsFrom(3), &["departures"]),
        (Credulous, &["refusals"]),
        (Miscoded, &["refusals"]),
        (OneTurn, &["follow-ups"]),
    ]
}
