//! Asking specialists: one stream each, within limits, and every way to fail is an event.

mod breaker;
mod call;
mod limits;
mod line;
mod probe;
mod vouch;

use std::{
    collections::HashMap,
    error::Error,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use audit::{Salt, Transcript};
use futures_util::Stream;
use proto::{
    AnswerEvent, Endpoint, PublishedCard,
    wire::{AnswerRequest, Role, Turn},
};
use tokio::time::{Instant, sleep};
use tonic::{Code, Status, transport::Channel};
use tower::retry::budget::Budget;

use crate::dial::{self, DialError, Dialler, Special};
use call::Call;
pub use limits::{Eject, Limits, Retry};
use line::{Line, Trial};
pub use vouch::Unvouched;

/// How many passages a specialist is asked for; it is held to that.
const PASSAGES_MAX: usize = 8;

/// A question for one specialist. Of what was said before it goes out what its card allows, and never what
/// others answered.
#[derive(Debug, Clone)]
pub struct Asked<'a> {
    /// Whom.
    pub endpoint: &'a Endpoint,
    /// Under which card it is registered.
    pub card: &'a Arc<PublishedCard>,
    /// What hides what it is asked and says in its statement.
    pub salt: Salt,
    /// The router's name for the question.
    pub request_id: &'a str,
    /// What.
    pub question: &'a str,
    /// What the user said before it, oldest first.
    pub earlier: &'a [String],
    /// Until when.
    pub deadline: Instant,
    /// Even where it failed too often lately: nobody else covers its domain.
    pub insist: bool,
}

/// What one specialist was asked and said so far.
pub type Minutes = Arc<Mutex<Transcript>>;

/// What comes from a specialist that was asked.
#[derive(Debug)]
pub enum Heard {
    /// An event of its answer, held to the contract. After `Done` nothing follows.
    Event(AnswerEvent),
    /// It is called: for the first time, or again because it could not be had.
    Called(Minutes),
    /// It gave out; nothing follows.
    Lost(Loss),
}

/// How a specialist gave out.
#[derive(Debug, thiserror::Error)]
pub enum Loss {
    /// It said nothing within its time.
    #[error("it said nothing within {0} ms")]
    Timeout(u64),
    /// It kept its stream alive, but hardly spoke.
    #[error("it sent less than {bytes} bytes in {ms} ms")]
    Slow {
        /// The least that was to come.
        bytes: u64,
        /// Within this time.
        ms: u64,
    },
    /// The whole question ran out of time.
    #[error("the question's deadline passed")]
    Deadline,
    /// As many of its answers are under way as the router allows.
    #[error("it is at its limit of answers in flight")]
    Busy,
    /// It failed too often lately and is left alone.
    #[error("it failed too often lately and is left alone for a while")]
    Ejected,
    /// Its name leads where the router does not dial.
    #[error("its name leads to {0}, which is not dialled")]
    Undialled(Special),
    /// No connection to it could be made.
    #[error("it cannot be reached")]
    Unreachable,
    /// The connection to it broke.
    #[error("the connection to it broke")]
    Broken,
    /// It refused or broke off, by its own word or by what it sent.
    #[error("it failed with {0:?}")]
    Status(Code),
    /// Its stream ended without `done`.
    #[error("its answer ended before it was done")]
    Unfinished,
    /// It broke the contract; the message names the field, never its content.
    #[error("it broke the contract: {0}")]
    Contract(#[from] proto::Invalid),
    /// It does not vouch for what it said.
    #[error(transparent)]
    Unvouched(#[from] Unvouched),
}

impl From<Status> for Loss {
    /// By what happened, not by code alone: a crash shows as an unknown error of HTTP/2.
    fn from(status: Status) -> Self {
        match dial::error(&status) {
            Some(DialError::Refused(special)) => Self::Undialled(*special),
            Some(DialError::Failed(_)) => Self::Unreachable,
            // A status that the specialist sent has no source.
            None if status.source().is_some() => Self::Broken,
            None => Self::Status(status.code()),
        }
    }
}

impl Loss {
    /// Whether it says that the specialist does badly, and not its asker or the router.
    fn is_failure(&self) -> bool {
        match self {
            Self::Timeout(_)
            | Self::Slow { .. }
            | Self::Undialled(_)
            | Self::Unreachable
            | Self::Broken
            | Self::Status(_)
            | Self::Unfinished
            | Self::Contract(_)
            | Self::Unvouched(_) => true,
            Self::Deadline | Self::Busy | Self::Ejected => false,
        }
    }
}

/// Asks specialists, and keeps their connections warm.
pub struct Dispatch {
    limits: Limits,
    dialler: Dialler,
    lines: Mutex<HashMap<Endpoint, Arc<Line>>>,
}

impl Dispatch {
    /// Nobody is connected yet. All connections are made by `dialler`.
    pub fn new(limits: Limits, dialler: Dialler) -> Self {
        Self { limits, dialler, lines: Mutex::default() }
    }

    /// A connection to `endpoint`, made when it is first used.
    pub fn channel(&self, endpoint: &Endpoint) -> Channel {
        self.line(endpoint).connection().channel
    }

    /// Drops the connections to all but `endpoints`.
    pub fn keep_only(&self, endpoints: &[&Endpoint]) {
        self.lines().retain(|endpoint, _| endpoints.contains(&endpoint));
    }

    /// Answers under way, of all specialists together.
    pub fn in_flight(&self) -> usize {
        self.lines().values().map(|line| line.in_flight()).sum()
    }

    /// Whether whoever is at `endpoint` failed too often lately and is left alone.
    pub fn is_out(&self, endpoint: &Endpoint) -> bool {
        self.lines().get(endpoint).is_some_and(|line| line.is_out())
    }

    /// Asks a specialist; the stream ends after `Done` or `Lost`.
    pub fn ask(&self, asked: Asked<'_>) -> impl Stream<Item = Heard> + Send + use<> {
        let Asked { endpoint, card, salt, request_id, question, earlier, deadline, insist } = asked;
        let turns = earlier.iter().map(String::as_str).chain([question]);
        let (line, limits) = (self.line(endpoint), self.limits.clone());
        let request = AnswerRequest {
            request_id: request_id.to_owned(),
            turns: turns.map(|text| Turn { role: Role::User.into(), text: text.to_owned() }).collect(),
            passages_max: u32::try_from(PASSAGES_MAX).unwrap_or(u32::MAX),
            salt: salt.as_bytes().to_vec(),
        };
        let (card, minutes) = (card.clone(), Arc::new(Mutex::new(Transcript::new(&request, salt))));
        async_stream::stream! {
            // The permit lives in the stream: an answer counts until its last event.
            let Some(_permit) = line.room() else {
                yield Heard::Lost(Loss::Busy);
                return;
            };
            let Some(mut trial) = Trial::begin(line.clone(), insist) else {
                yield Heard::Lost(Loss::Ejected);
                return;
            };
            let connection = line.connection();
            let mut call = Call::new(&connection, request, limits, deadline, minutes.clone());
            line.budget.deposit();
            yield Heard::Called(minutes.clone());
            loop {
                match call.next(&card).await {
                    Ok(event @ AnswerEvent::Done(_)) => {
                        trial.end(true);
                        yield Heard::Event(event);
                        return;
                    }
                    Ok(event) => yield Heard::Event(event),
                    Err(loss) => {
                        if let Some(wait) = call.retry(&loss, &line) {
                            sleep(wait).await;
                            yield Heard::Called(minutes.clone());
                            continue;
                        }
                        if matches!(loss, Loss::Timeout(_)) {
                            line.reconnect(&connection);
                        }
                        if loss.is_failure() {
                            trial.end(false);
                        }
                        yield Heard::Lost(loss);
                        return;
                    }
                }
            }
        }
    }

    fn line(&self, endpoint: &Endpoint) -> Arc<Line> {
        let line = || Arc::new(Line::new(endpoint, &self.dialler, &self.limits));
        self.lines().entry(endpoint.clone()).or_insert_with(line).clone()
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Endpoint, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
