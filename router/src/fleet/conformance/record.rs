//! The calls of an examination, and what came of them. Judges nothing.
//!
//! Answers are kept as the bytes that came, so that one event that cannot be read hides no other. All
//! that is read has a maximum beyond the contract's own, so that what is too large can be named.

use std::{future::Future, time::Duration};

use audit::Salt;
use futures_util::StreamExt;
use prost::{
    Message,
    bytes::{Buf, BufMut, Bytes},
};
use proto::{
    Digest, Space, Terms,
    answer::EVENT_BYTES_MAX,
    card::CARD_BYTES_MAX,
    conversation::TURN_BYTES_MAX,
    terms::TERMS_MAX,
    wire::{
        self, AnswerRequest, AnswerResponse, DescribeRequest, ProbeRequest, PrototypesRequest, ProveRequest,
        Role, Turn, answer_response::Event, specialist_service_client::SpecialistServiceClient,
    },
};
use tokio::time::{Instant, timeout_at};
use tonic::{
    Code, Request, Response, Status, Streaming,
    client::Grpc,
    codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder},
    codegen::http::uri::PathAndQuery,
    transport::Channel,
};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::{
    Record, Reply, Unanswered,
    answer::{DELAY_MAX, Ending, SILENCE_MAX, Transcript},
};
use crate::{ask, fleet::look::SERVICE};

/// The longest that an examination takes.
const EXAMINATION_MAX: Duration = Duration::from_mins(3);

/// The longest that health and a card take.
const CALL_MAX: Duration = Duration::from_secs(10);

/// The longest that prototypes take: a large corpus is clustered for them.
const PROTOTYPES_MAX: Duration = Duration::from_secs(30);

/// The longest that an answer is listened to.
const ANSWER_MAX: Duration = Duration::from_mins(1);

/// The longest silence that is listened to, well beyond the one that is allowed.
const SILENCE_READ_MAX: Duration = Duration::from_secs(10);

/// How long the end of a stream is waited for after `done`.
const CLOSE_MAX: Duration = Duration::from_secs(2);

/// How much larger than the contract allows a message may be and still be read.
const READ_FACTOR: usize = 4;

/// The most bytes and events that are kept of one answer: beyond 256 KiB of words and 32 passages, even
/// where the words come piece by piece and each piece cites.
const ANSWER_READ_BYTES_MAX: usize = 4 << 20;
const ANSWER_READ_EVENTS_MAX: usize = 1 << 16;

/// How many passages an answer is asked for: as many as the router takes, and as few as there are.
const PASSAGES_MAX: u32 = 8;
const PASSAGES_MIN: u32 = 1;

/// How many answers are left in the middle.
const DEPARTURES: usize = 3;

/// Whom a proof of possession is for.
pub(super) const ROUTER: &str = "conformance";

/// Asked where the card holds neither an example question nor a title.
const QUESTION: &str = "What do you know about?";

const ANSWER: PathAndQuery = PathAndQuery::from_static("/consilium.v1.SpecialistService/Answer");

/// Whether somebody answers at the other end, whatever they say of their health.
pub(super) async fn is_somebody(channel: Channel) -> bool {
    let recorder = Recorder { channel, deadline: Instant::now() + CALL_MAX, silence_max: SILENCE_READ_MAX };
    match recorder.health().await {
        Ok(_) | Err(Unanswered::Oversize { .. }) => true,
        Err(Unanswered::Status(code)) => code != Code::Unavailable,
        Err(Unanswered::TooLate(_) | Unanswered::NoTime) => false,
    }
}

/// One answer, asked for like any other, so that nobody can tell it from one that matters.
pub(super) async fn one(channel: Channel, question: &str, deadline: Instant) -> Transcript {
    let recorder = Recorder { channel, deadline, silence_max: SILENCE_MAX + DELAY_MAX };
    let request =
        AnswerRequest { request_id: ask::request_id(), ..request(vec![turn(question)], PASSAGES_MAX) };
    // Only the deadline ends it.
    let limit = deadline.saturating_duration_since(Instant::now()) + CALL_MAX;
    recorder.recorded(request, limit).await
}

/// Makes every call of an examination.
pub(super) async fn record(channel: Channel, space: &Space, prototypes_max: usize) -> Record {
    let deadline = Instant::now() + EXAMINATION_MAX;
    let recorder = Recorder { channel, deadline, silence_max: SILENCE_READ_MAX };
    let health = recorder.health().await;
    let mut cards = vec![recorder.card().await, recorder.card().await];
    let prototypes = recorder.prototypes(space, prototypes_max, prototypes_max).await;
    let one_prototype = recorder.prototypes(space, 1, prototypes_max).await;
    let nobodys = Space { weights: Digest::of("no encoder has these weights"), ..space.clone() };
    let other_space = recorder.prototypes(&nobodys, prototypes_max, prototypes_max).await;
    cards.push(recorder.card().await);

    let card = card(&cards);
    let takes_turns = card.history_turns_max > 0;
    let [first, second] = questions(card);
    let probe = recorder.probe(space, &first).await;
    let nonce = random();
    let possession = recorder.possession(nonce.clone()).await;
    let alone = recorder.answer(&first, PASSAGES_MAX).await;
    let drags = alone.drags();
    let at_once = if drags {
        [Transcript::unasked(), Transcript::unasked()]
    } else {
        let two = (recorder.answer(&first, PASSAGES_MIN), recorder.answer(&second, PASSAGES_MIN));
        tokio::join!(two.0, two.1).into()
    };
    let follow_up = match takes_turns {
        false => None,
        true if drags => Some(Transcript::unasked()),
        true => {
            let turns = vec![turn(&first), turn(&second)];
            Some(recorder.recorded(request(turns, PASSAGES_MAX), ANSWER_MAX).await)
        }
    };
    let refused = vec![
        ("without turns", recorder.recorded(request(Vec::new(), PASSAGES_MAX), CALL_MAX).await),
        (
            "with a blank question",
            recorder.recorded(request(vec![turn("  \n")], PASSAGES_MAX), CALL_MAX).await,
        ),
    ];
    let after = if drags {
        Transcript::unasked()
    } else {
        for _ in 0..DEPARTURES {
            recorder.depart(&second).await;
        }
        recorder.answer(&first, PASSAGES_MAX).await
    };
    Record {
        health,
        cards,
        space: space.clone(),
        prototypes_max,
        prototypes,
        one_prototype,
        other_space: other_space.map(|response| response.prototypes.len()),
        probe,
        alone,
        at_once,
        follow_up,
        nonce,
        possession,
        refused,
        after,
    }
}

/// The first card that can be read; an empty one where none can.
fn card(cards: &[Reply<Vec<u8>>]) -> wire::Card {
    let card = cards.iter().flatten().find_map(|card| wire::Card::decode(card.as_slice()).ok());
    card.unwrap_or_default()
}

/// Two questions that the specialist itself publishes, so that nobody's leaves.
fn questions(card: wire::Card) -> [String; 2] {
    let wire::Card { example_questions, title, .. } = card;
    let can_be_asked = |text: &String| !text.trim().is_empty() && text.len() <= TURN_BYTES_MAX;
    let mut own = example_questions.into_iter().chain([title]).filter(can_be_asked);
    let first = own.next().unwrap_or_else(|| QUESTION.to_owned());
    let second = own.next().unwrap_or_else(|| first.clone());
    [first, second]
}

fn turn(text: &str) -> Turn {
    Turn { role: Role::User.into(), text: text.to_owned() }
}

fn request(turns: Vec<Turn>, passages_max: u32) -> AnswerRequest {
    let request_id = format!("conformance_{}", uuid::Uuid::new_v4().simple());
    AnswerRequest { request_id, turns, passages_max, salt: random() }
}

/// 32 random bytes; none where the system has none.
fn random() -> Vec<u8> {
    Salt::random().map(|salt| salt.as_bytes().to_vec()).unwrap_or_default()
}

struct Recorder {
    channel: Channel,
    deadline: Instant,
    /// The longest silence that is listened to.
    silence_max: Duration,
}

impl Recorder {
    /// The reply to a call, within `limit` and what is left of the examination.
    async fn within<T>(
        &self,
        limit: Duration,
        read_max: usize,
        call: impl Future<Output = Result<Response<T>, Status>>,
    ) -> Reply<T> {
        let by = (Instant::now() + limit).min(self.deadline);
        match timeout_at(by, call).await {
            Ok(Ok(response)) => Ok(response.into_inner()),
            Ok(Err(status)) if status.code() == Code::OutOfRange => Err(Unanswered::Oversize { read_max }),
            Ok(Err(status)) => Err(Unanswered::Status(status.code())),
            Err(_) if by == self.deadline => Err(Unanswered::NoTime),
            Err(_) => Err(Unanswered::TooLate(limit)),
        }
    }

    fn client(&self, read_max: usize) -> SpecialistServiceClient<Channel> {
        SpecialistServiceClient::new(self.channel.clone()).max_decoding_message_size(read_max)
    }

    async fn health(&self) -> Reply<i32> {
        let mut client = HealthClient::new(self.channel.clone());
        let checked = client.check(HealthCheckRequest { service: SERVICE.to_owned() });
        self.within(CALL_MAX, CARD_BYTES_MAX, checked).await.map(|response| response.status)
    }

    async fn card(&self) -> Reply<Vec<u8>> {
        let read_max = READ_FACTOR * CARD_BYTES_MAX;
        let mut client = self.client(read_max);
        let described = client.describe(DescribeRequest {});
        self.within(CALL_MAX, read_max, described).await.map(|response| response.card)
    }

    /// Asks for `count` prototypes, and reads a reply in which `count_max` would have room.
    async fn prototypes(
        &self,
        space: &Space,
        count: usize,
        count_max: usize,
    ) -> Reply<wire::PrototypesResponse> {
        // A vector and what protobuf puts around it; the space and the revision beside them.
        let each = space.dimension * size_of::<f32>() + 32;
        let read_max = READ_FACTOR * (count_max * each + EVENT_BYTES_MAX);
        let mut client = self.client(read_max);
        let prototypes_max = u32::try_from(count).unwrap_or(u32::MAX);
        let made = client.prototypes(PrototypesRequest { space: Some(space.into()), prototypes_max });
        self.within(PROTOTYPES_MAX, read_max, made).await
    }

    /// A probe with the terms of `question`; where its vector lies says nothing of the contract.
    async fn probe(&self, space: &Space, question: &str) -> Reply<wire::ProbeResponse> {
        let mut vector = vec![0.0; space.dimension];
        if let Some(first) = vector.first_mut() {
            *first = 1.0;
        }
        let terms = Terms::of(question).hashes().iter().copied().take(TERMS_MAX).collect();
        let mut client = self.client(EVENT_BYTES_MAX);
        let shown = client.probe(ProbeRequest { space: Some(space.into()), vector, terms });
        self.within(CALL_MAX, EVENT_BYTES_MAX, shown).await
    }

    async fn possession(&self, nonce: Vec<u8>) -> Reply<wire::ProveResponse> {
        let mut client = self.client(EVENT_BYTES_MAX);
        let proved = client.prove(ProveRequest { nonce, router: ROUTER.to_owned() });
        self.within(CALL_MAX, EVENT_BYTES_MAX, proved).await
    }

    async fn answer(&self, question: &str, passages_max: u32) -> Transcript {
        self.recorded(request(vec![turn(question)], passages_max), ANSWER_MAX).await
    }

    async fn open(&self, request: AnswerRequest) -> Result<Streaming<Bytes>, Status> {
        let mut grpc =
            Grpc::new(self.channel.clone()).max_decoding_message_size(READ_FACTOR * EVENT_BYTES_MAX);
        grpc.ready().await.map_err(|error| Status::from_error(error.into()))?;
        Ok(grpc.server_streaming(Request::new(request), ANSWER, Verbatim).await?.into_inner())
    }

    /// Everything that comes of one answer, listened to for `limit` at the most.
    async fn recorded(&self, request: AnswerRequest, limit: Duration) -> Transcript {
        let began = Instant::now();
        let mut events = Vec::new();
        let ending = self.listen(request.clone(), limit, &mut events).await;
        Transcript { request, events, ending, ended: began.elapsed() }
    }

    async fn listen(
        &self,
        request: AnswerRequest,
        limit: Duration,
        events: &mut Vec<(Duration, Bytes)>,
    ) -> Ending {
        let began = Instant::now();
        let (mut bytes_read, mut done) = (0, false);
        let mut opened = Box::pin(async_stream::stream! {
            match self.open(request).await {
                Ok(mut stream) => while let Some(event) = stream.next().await {
                    yield event;
                },
                Err(status) => yield Err(status),
            }
        });
        loop {
            let quiet = if done { CLOSE_MAX } else { self.silence_max };
            let given_up = if done { Ending::LeftOpen } else { Ending::Silent };
            let (by, left) = [
                (Instant::now() + quiet, given_up),
                (began + limit, Ending::Long(limit)),
                (self.deadline, Ending::NoTime),
            ]
            .into_iter()
            .min_by_key(|(by, _)| *by)
            .unwrap_or((self.deadline, Ending::NoTime));
            match timeout_at(by, opened.next()).await {
                Err(_) => return left,
                Ok(None) => return Ending::Closed,
                Ok(Some(Err(status))) if status.code() == Code::OutOfRange => return Ending::Oversize,
                Ok(Some(Err(status))) => return Ending::Status(status.code()),
                Ok(Some(Ok(event))) => {
                    bytes_read += event.len();
                    done |= is_done(&event);
                    events.push((began.elapsed(), event));
                    if bytes_read > ANSWER_READ_BYTES_MAX || events.len() >= ANSWER_READ_EVENTS_MAX {
                        return Ending::Flood;
                    }
                }
            }
        }
    }

    /// Asks, waits for the first event, and leaves.
    async fn depart(&self, question: &str) {
        let by = (Instant::now() + CALL_MAX).min(self.deadline);
        let request = request(vec![turn(question)], PASSAGES_MAX);
        // Whether anything came does not matter here: the answer after it is what is judged.
        let _ = timeout_at(by, async { self.open(request).await.ok()?.next().await }).await;
    }
}

fn is_done(event: &Bytes) -> bool {
    let decoded = AnswerResponse::decode(event.clone());
    matches!(decoded, Ok(AnswerResponse { event: Some(Event::Done(_)) }))
}

/// Requests as messages, responses as the bytes that came.
#[derive(Clone, Copy)]
struct Verbatim;

impl Codec for Verbatim {
    type Encode = AnswerRequest;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        *self
    }

    fn decoder(&mut self) -> Self {
        *self
    }
}

impl Encoder for Verbatim {
    type Item = AnswerRequest;
    type Error = Status;

    fn encode(&mut self, request: AnswerRequest, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put_slice(&request.encode_to_vec());
        Ok(())
    }
}

impl Decoder for Verbatim {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
