//! One answer to one question, held to the contract: for whoever wants no more of it.

use std::time::Duration;

use proto::wire::Outcome;
use tokio::time::Instant;
use tonic::transport::Channel;

use super::{
    answer::{self, Ending},
    record, verdicts,
};

/// What came of an answer.
pub(in crate::fleet) struct Heard {
    /// How it says that it ended.
    pub(in crate::fleet) outcome: Option<Outcome>,
    /// How many of its words cite.
    pub(in crate::fleet) citations: usize,
    /// The first thing that breaks the contract, without what was said.
    pub(in crate::fleet) fault: Option<String>,
    /// When the first words came, counted from the call.
    pub(in crate::fleet) first_words: Option<Duration>,
    /// When it ended in order.
    pub(in crate::fleet) done: Option<Duration>,
    /// Whether another one like it would only take time.
    pub(in crate::fleet) drags: bool,
}

/// Listens to the answer called `name` until `deadline`, or until it is silent for longer than the
/// contract allows.
pub(in crate::fleet) async fn hear(channel: Channel, name: &str, question: &str, deadline: Instant) -> Heard {
    let transcript = record::one(channel, question, deadline).await;
    let reading = answer::read(name, &transcript);
    let fault = reading.faults.values().next().map(|faults| faults.first.clone());
    let unfinished = verdicts::unfinished(&transcript, &reading)
        // The contract does not say how long an answer may be, only how long it may be silent.
        .filter(|_| transcript.ending != Ending::NoTime)
        .map(|(_, what)| format!("{name} {what}"));
    Heard {
        outcome: reading.outcome,
        citations: reading.citations,
        fault: fault.or(unfinished),
        first_words: reading.first_words,
        done: reading.ended,
        drags: transcript.drags(),
    }
}
