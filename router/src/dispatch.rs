//! Asking specialists: one stream each, within limits, and every way to fail is an event.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::Stream;
use proto::{
    AnswerCheck, AnswerEvent, Endpoint,
    answer::EVENT_BYTES_MAX,
    wire::{AnswerRequest, AnswerResponse, Role, Turn, specialist_service_client::SpecialistServiceClient},
};
use serde::Deserialize;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Instant, timeout_at},
};
use tonic::{Code, Request, Status, Streaming, transport::Channel};

use crate::dial::{self, Dialler, Special};

/// How many passages a specialist is asked for.
const PASSAGES_MAX: u32 = 8;

/// Room beside an event for what gRPC and protobuf put around it.
const FRAME_BYTES: usize = 1024;

/// The limits of asking one specialist.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Milliseconds to connect.
    pub connect_ms: u64,
    /// Milliseconds until its first words.
    pub first_words_ms: u64,
    /// Milliseconds between two events, heartbeats counted.
    pub idle_ms: u64,
    /// Answers of one specialist at a time; more are not sent to it.
    pub in_flight_max: usize,
    /// Whether specialists at private, link-local and reserved addresses are dialled.
    pub allow_private: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect_ms: 1_000,
            first_words_ms: 10_000,
            idle_ms: 5_000,
            in_flight_max: 64,
            allow_private: false,
        }
    }
}

/// What comes from a specialist that was asked.
#[derive(Debug)]
pub enum Heard {
    /// An event of its answer, held to the contract. After `Done` nothing follows.
    Event(AnswerEvent),
    /// It gave out; nothing follows.
    Lost(Loss),
}

/// How a specialist gave out.
#[derive(Debug, thiserror::Error)]
pub enum Loss {
    /// It said nothing within its time.
    #[error("it said nothing within {0} ms")]
    Timeout(u64),
    /// The whole question ran out of time.
    #[error("the question's deadline passed")]
    Deadline,
    /// As many of its answers are under way as the router allows.
    #[error("it is at its limit of answers in flight")]
    Busy,
    /// Its name leads where the router does not dial.
    #[error("its name leads to {0}, which is not dialled")]
    Undialled(Special),
    /// It refused, cannot be reached or broke off.
    #[error("it failed with {0:?}")]
    Status(Code),
    /// Its stream ended without `done`.
    #[error("its answer ended before it was done")]
    Unfinished,
    /// It broke the contract; the message names the field, never its content.
    #[error("it broke the contract: {0}")]
    Contract(#[from] proto::Invalid),
}

/// Asks specialists, and keeps their connections warm.
#[derive(Debug)]
pub struct Dispatch {
    limits: Limits,
    dialler: Dialler,
    lines: Mutex<HashMap<Endpoint, Line>>,
}

/// A specialist's connection and the room on it.
#[derive(Debug, Clone)]
struct Line {
    channel: Channel,
    room: Arc<Semaphore>,
}

impl Dispatch {
    /// Nobody is connected yet. All connections are made by `dialler`.
    pub fn new(limits: Limits, dialler: Dialler) -> Self {
        Self { limits, dialler, lines: Mutex::default() }
    }

    /// A connection to `endpoint`, made when it is first used.
    pub fn channel(&self, endpoint: &Endpoint) -> Channel {
        self.line(endpoint).channel
    }

    /// Drops the connections to all but `endpoints`.
    pub fn keep_only(&self, endpoints: &[&Endpoint]) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.retain(|endpoint, _| endpoints.contains(&endpoint));
    }

    /// Asks the specialist at `endpoint` until `deadline`; the stream ends after `Done` or `Lost`.
    /// The question goes out and nothing before it: what others said earlier is not this
    /// institution's to see.
    pub fn ask(
        &self,
        endpoint: &Endpoint,
        request_id: &str,
        question: &str,
        deadline: Instant,
    ) -> impl Stream<Item = Heard> + Send + use<> {
        let line = self.line(endpoint);
        let limits = self.limits.clone();
        let request = AnswerRequest {
            request_id: request_id.to_owned(),
            turns: vec![Turn { role: Role::User.into(), text: question.to_owned() }],
            passages_max: PASSAGES_MAX,
        };
        async_stream::stream! {
            // The permit lives in the stream: an answer counts until its last event.
            let Ok(permit) = line.room.clone().try_acquire_owned() else {
                yield Heard::Lost(Loss::Busy);
                return;
            };
            let mut call = Call::new(line.channel, limits, deadline, permit);
            loop {
                match call.next(&request).await {
                    Ok(event) => {
                        let last = matches!(event, AnswerEvent::Done(_));
                        yield Heard::Event(event);
                        if last {
                            return;
                        }
                    }
                    Err(loss) => {
                        yield Heard::Lost(loss);
                        return;
                    }
                }
            }
        }
    }

    fn line(&self, endpoint: &Endpoint) -> Line {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let line = lines.entry(endpoint.clone()).or_insert_with(|| {
            // In place of tonic's own limit, whose end shows as an unknown error; the connector's shows
            // as unavailable, and is shared among the addresses of a name.
            let limit = Duration::from_millis(self.limits.connect_ms);
            let channel = Channel::builder(endpoint.uri().clone())
                .http2_keep_alive_interval(Duration::from_secs(10))
                .keep_alive_timeout(Duration::from_secs(5))
                .connect_with_connector_lazy(self.dialler.connector(endpoint, limit));
            Line { channel, room: Arc::new(Semaphore::new(self.limits.in_flight_max)) }
        });
        line.clone()
    }
}

/// One answer under way.
struct Call {
    client: SpecialistServiceClient<Channel>,
    stream: Option<Streaming<AnswerResponse>>,
    check: AnswerCheck,
    limits: Limits,
    deadline: Instant,
    /// Until when the first words must be there; `None` once they are.
    words_by: Option<Instant>,
    _permit: OwnedSemaphorePermit,
}

impl Call {
    fn new(channel: Channel, limits: Limits, deadline: Instant, permit: OwnedSemaphorePermit) -> Self {
        Self {
            client: SpecialistServiceClient::new(channel)
                .max_decoding_message_size(EVENT_BYTES_MAX + FRAME_BYTES),
            stream: None,
            check: AnswerCheck::default(),
            words_by: Some(Instant::now() + Duration::from_millis(limits.first_words_ms)),
            limits,
            deadline,
            _permit: permit,
        }
    }

    async fn next(&mut self, request: &AnswerRequest) -> Result<AnswerEvent, Loss> {
        let idle = Instant::now() + Duration::from_millis(self.limits.idle_ms);
        let (by, late) = [
            (Some(idle), Loss::Timeout(self.limits.idle_ms)),
            (self.words_by, Loss::Timeout(self.limits.first_words_ms)),
            (Some(self.deadline), Loss::Deadline),
        ]
        .into_iter()
        .filter_map(|(by, late)| Some((by?, late)))
        .min_by_key(|(by, _)| *by)
        .unwrap_or((self.deadline, Loss::Deadline));
        let response = match timeout_at(by, self.receive(request)).await {
            Err(_) => return Err(late),
            Ok(Err(status)) => {
                return Err(dial::refusal(&status).map_or(Loss::Status(status.code()), Loss::Undialled));
            }
            Ok(Ok(None)) => return Err(Loss::Unfinished),
            Ok(Ok(Some(response))) => response,
        };
        let event = self.check.read(response)?;
        if matches!(event, AnswerEvent::Words(_)) {
            self.words_by = None;
        }
        Ok(event)
    }

    async fn receive(&mut self, request: &AnswerRequest) -> Result<Option<AnswerResponse>, Status> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let mut request = Request::new(request.clone());
                request.set_timeout(self.deadline.saturating_duration_since(Instant::now()));
                none.insert(self.client.answer(request).await?.into_inner())
            }
        };
        stream.message().await
    }
}
