//! The way to one specialist: its connection, the room for answers, and how it did lately.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use proto::Endpoint;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tonic::transport::Channel;
use tower::retry::budget::TpsBudget;

use super::{Limits, breaker::Breaker};
use crate::dial::{Connector, Dialler};

/// How much of a stream a specialist may send ahead of its reader, in bytes, and of all streams of a
/// connection: what it costs the router at the most that somebody floods it.
const STREAM_WINDOW_BYTES: u32 = 256 << 10;
const CONNECTION_WINDOW_BYTES: u32 = 1 << 20;

/// For how long a call counts towards the share of further ones, and how many are free.
const RETRY_WINDOW: Duration = Duration::from_secs(10);
const RETRIES_PER_SECOND: u32 = 1;

/// The way to one specialist.
pub(super) struct Line {
    endpoint: Endpoint,
    limits: Limits,
    connector: Connector,
    connection: Mutex<Connection>,
    room: Arc<Semaphore>,
    /// How many further calls there may be.
    pub(super) budget: TpsBudget,
    breaker: Mutex<Breaker>,
}

/// The latest of a specialist's connections.
#[derive(Clone)]
pub(super) struct Connection {
    pub(super) channel: Channel,
    number: usize,
}

impl Line {
    /// A connection is made when it is first used.
    pub(super) fn new(endpoint: &Endpoint, dialler: &Dialler, limits: &Limits) -> Self {
        // In place of tonic's own limit, whose end shows as an unknown error; the connector's shows as
        // unavailable, and is shared among the addresses of a name.
        let connector = dialler.connector(endpoint, limits.connect());
        let channel = channel(endpoint, &connector, limits);
        Self {
            endpoint: endpoint.clone(),
            limits: limits.clone(),
            connector,
            connection: Mutex::new(Connection { channel, number: 0 }),
            room: Arc::new(Semaphore::new(limits.in_flight_max)),
            budget: TpsBudget::new(RETRY_WINDOW, RETRIES_PER_SECOND, limits.retry.share_max),
            breaker: Mutex::new(Breaker::new(Instant::now())),
        }
    }

    /// Its connection of this moment.
    pub(super) fn connection(&self) -> Connection {
        self.latest().clone()
    }

    /// Leaves `silent` to those who are still on it. It may be dead, and what is sent on it would wait
    /// until TCP tries again, long after the way is open.
    pub(super) fn reconnect(&self, silent: &Connection) {
        let mut latest = self.latest();
        if latest.number == silent.number {
            let channel = channel(&self.endpoint, &self.connector, &self.limits);
            *latest = Connection { channel, number: silent.number + 1 };
        }
    }

    /// Has what is dialled for a further call end at `by`.
    pub(super) fn hurry(&self, by: Instant) {
        self.connector.hurry(by);
    }

    /// Room for one answer, as long as it lasts; `None`, at once, where there is none.
    pub(super) fn room(&self) -> Option<OwnedSemaphorePermit> {
        self.room.clone().try_acquire_owned().ok()
    }

    /// Answers under way.
    pub(super) fn in_flight(&self) -> usize {
        self.limits.in_flight_max - self.room.available_permits()
    }

    /// Whether it failed too often lately and is left alone.
    pub(super) fn is_out(&self) -> bool {
        self.breaker().is_out(Instant::now())
    }

    fn latest(&self) -> MutexGuard<'_, Connection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn breaker(&self) -> MutexGuard<'_, Breaker> {
        self.breaker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn channel(endpoint: &Endpoint, connector: &Connector, limits: &Limits) -> Channel {
    Channel::builder(endpoint.uri().clone())
        .http2_keep_alive_interval(Duration::from_millis(limits.keep_alive_ms))
        .keep_alive_timeout(Duration::from_millis(limits.keep_alive_timeout_ms))
        .initial_stream_window_size(STREAM_WINDOW_BYTES)
        .initial_connection_window_size(CONNECTION_WINDOW_BYTES)
        .connect_with_connector_lazy(connector.clone())
}

/// One answer, as the breaker sees it. Dropped without an end, it says nothing.
pub(super) struct Trial {
    line: Arc<Line>,
    probe: bool,
}

impl Trial {
    /// `None` where the specialist is left alone and nobody insists.
    pub(super) fn begin(line: Arc<Line>, insist: bool) -> Option<Self> {
        let admitted = line.breaker().admit(Instant::now());
        let probe = admitted.or(insist.then_some(false))?;
        Some(Self { line, probe })
    }

    /// The answer ended.
    pub(super) fn end(&mut self, good: bool) {
        self.probe = false;
        let Line { endpoint, limits, .. } = &*self.line;
        if self.line.breaker().record(good, Instant::now(), &limits.eject) {
            tracing::warn!(%endpoint, "failed too often: it is left alone for a while");
        }
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        if self.probe {
            self.line.breaker().release(Instant::now());
        }
    }
}
