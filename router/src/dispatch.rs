//! Asking specialists: one stream each, within limits, and every way to fail is an event.

mod breaker;
mod call;
mod limits;

use std::{
    collections::HashMap,
    error::Error,
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::Stream;
use proto::{
    AnswerEvent, Endpoint,
    wire::{AnswerRequest, Role, Turn},
};
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};
use tonic::{Code, Status, transport::Channel};
use tower::retry::budget::TpsBudget;

use crate::dial::{self, Connector, DialError, Dialler, Special};
use breaker::Breaker;
use call::Call;
pub use limits::{Eject, Limits, Retry};

/// How many passages a specialist is asked for; it is held to that.
const PASSAGES_MAX: usize = 8;

/// How much of a stream a specialist may send ahead of its reader, in bytes, and of all streams of a
/// connection: what it costs the router at the most that somebody floods it.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// For how long a call counts towards the share of further ones, and how many are free.
const RETRY_WINDOW: Duration = Duration::from_secs(10);
const RETRIES_PER_SECOND: u32 = 1;

/// A question for one specialist. It goes out and nothing before it: what others said earlier is not
/// this institution's to see.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// Whom.
    pub endpoint: &'a Endpoint,
    /// The router's name for the question.
    pub request_id: &'a str,
    /// What.
    pub question: &'a str,
    /// Until when.
    pub deadline: Instant,
    /// Even where it failed too often lately: nobody else covers its domain.
    pub insist: bool,
}

/// What comes from a specialist that was asked.
#[derive(Debug)]
pub enum Heard {
    /// An event of its answer, held to the contract. After `Done` nothing follows.
    Event(AnswerEvent),
    /// It could not be had, and is called again.
    Retried(Loss),
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
            | Self::Contract(_) => true,
            Self::Deadline | Self::Busy | Self::Ejected => false,
        }
    }
}

/// Asks specialists, and keeps their connections warm.
#[derive(Debug)]
pub struct Dispatch {
    limits: Limits,
    dialler: Dialler,
    lines: Mutex<HashMap<Endpoint, Arc<Line>>>,
}

/// A specialist's connection, the room for answers of it, and how it did lately.
struct Line {
    endpoint: Endpoint,
    connector: Connector,
    connection: Mutex<Connection>,
    room: Arc<Semaphore>,
    budget: Arc<TpsBudget>,
    breaker: Mutex<Breaker>,
}

/// The latest of a specialist's connections.
#[derive(Clone)]
struct Connection {
    channel: Channel,
    number: usize,
}

impl Dispatch {
    /// Nobody is connected yet. All connections are made by `dialler`.
    pub fn new(limits: Limits, dialler: Dialler) -> Self {
        Self { limits, dialler, lines: Mutex::default() }
    }

    /// A connection to `endpoint`, made when it is first used.
    pub fn channel(&self, endpoint: &Endpoint) -> Channel {
        self.line(endpoint).connection().channel.clone()
    }

    /// Drops the connections to all but `endpoints`.
    pub fn keep_only(&self, endpoints: &[&Endpoint]) {
        self.lines().retain(|endpoint, _| endpoints.contains(&endpoint));
    }

    /// Whether whoever is at `endpoint` failed too often lately and is left alone.
    pub fn is_out(&self, endpoint: &Endpoint) -> bool {
        self.lines().get(endpoint).is_some_and(|line| line.breaker().is_out(Instant::now()))
    }

    /// Asks a specialist; the stream ends after `Done` or `Lost`.
    pub fn ask(&self, asked: Asked<'_>) -> impl Stream<Item = Heard> + Send + use<> {
        let Asked { endpoint, request_id, question, deadline, insist } = asked;
        let (line, limits) = (self.line(endpoint), self.limits.clone());
        let request = AnswerRequest {
            request_id: request_id.to_owned(),
            turns: vec![Turn { role: Role::User.into(), text: question.to_owned() }],
            passages_max: u32::try_from(PASSAGES_MAX).unwrap_or(u32::MAX),
        };
        async_stream::stream! {
            // The permit lives in the stream: an answer counts until its last event.
            let Ok(_permit) = line.room.clone().try_acquire_owned() else {
                yield Heard::Lost(Loss::Busy);
                return;
            };
            let Some(mut trial) = Trial::begin(line.clone(), insist) else {
                yield Heard::Lost(Loss::Ejected);
                return;
            };
            let Connection { channel, number } = line.connection().clone();
            let mut call = Call::new(channel, request, limits.clone(), line.budget.clone(), deadline);
            loop {
                let loss = match call.next().await {
                    Ok(event) => {
                        let last = matches!(event, AnswerEvent::Done(_));
                        if last {
                            trial.end(true, &limits.eject);
                        }
                        yield Heard::Event(event);
                        if last {
                            return;
                        }
                        continue;
                    }
                    Err(loss) => loss,
                };
                if let Some(wait) = call.retry(&loss) {
                    yield Heard::Retried(loss);
                    sleep(wait).await;
                    continue;
                }
                if matches!(loss, Loss::Timeout(_)) {
                    line.reconnect(number, &limits);
                }
                if loss.is_failure() && trial.end(false, &limits.eject) {
                    tracing::warn!(endpoint = %line.endpoint, "failed too often: it is left alone for a while");
                }
                yield Heard::Lost(loss);
                return;
            }
        }
    }

    fn line(&self, endpoint: &Endpoint) -> Arc<Line> {
        let line = || {
            // In place of tonic's own limit, whose end shows as an unknown error; the connector's shows
            // as unavailable, and is shared among the addresses of a name.
            let connector = self.dialler.connector(endpoint, self.limits.connect());
            let channel = channel(endpoint, &connector, &self.limits);
            let share = self.limits.retry.share_max;
            Arc::new(Line {
                endpoint: endpoint.clone(),
                connector,
                connection: Mutex::new(Connection { channel, number: 0 }),
                room: Arc::new(Semaphore::new(self.limits.in_flight_max)),
                budget: Arc::new(TpsBudget::new(RETRY_WINDOW, RETRIES_PER_SECOND, share)),
                breaker: Mutex::new(Breaker::new(Instant::now())),
            })
        };
        self.lines().entry(endpoint.clone()).or_insert_with(line).clone()
    }

    fn lines(&self) -> MutexGuard<'_, HashMap<Endpoint, Arc<Line>>> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A connection to `endpoint`, made when it is first used.
fn channel(endpoint: &Endpoint, connector: &Connector, limits: &Limits) -> Channel {
    Channel::builder(endpoint.uri().clone())
        .http2_keep_alive_interval(Duration::from_millis(limits.keep_alive_ms))
        .keep_alive_timeout(Duration::from_millis(limits.keep_alive_timeout_ms))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .connect_with_connector_lazy(connector.clone())
}

impl Line {
    /// Leaves the connection of this `number` to those who are still on it. After a silence it may be
    /// dead, and what is sent on it would wait until TCP tries again, long after the way is open.
    fn reconnect(&self, number: usize, limits: &Limits) {
        let mut connection = self.connection();
        if connection.number == number {
            let channel = channel(&self.endpoint, &self.connector, limits);
            *connection = Connection { channel, number: number + 1 };
        }
    }

    fn connection(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Line")
            .field("room", &self.room)
            .field("breaker", &self.breaker)
            .finish_non_exhaustive()
    }
}

/// One answer, as the breaker sees it. Dropped without an end, it says nothing.
struct Trial {
    line: Arc<Line>,
    probe: bool,
}

impl Trial {
    /// `None` where the specialist is left alone and nobody insists.
    fn begin(line: Arc<Line>, insist: bool) -> Option<Self> {
        let admitted = line.breaker().admit(Instant::now());
        let probe = admitted.or(insist.then_some(false))?;
        Some(Self { line, probe })
    }

    /// The answer ended; whether the specialist is left alone from now on.
    fn end(&mut self, good: bool, limits: &Eject) -> bool {
        self.probe = false;
        self.line.breaker().record(good, Instant::now(), limits)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if self.probe {
            self.line.breaker().release(Instant::now());
        }
    }
}
