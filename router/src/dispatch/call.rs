//! One specialist asked once: its events within limits, and a further try where it could not be had.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::PoisonError,
    time::Duration,
};

use proto::{
    AnswerBounds, AnswerCheck, AnswerEvent, PublishedCard,
    wire::{AnswerRequest, AnswerResponse, specialist_service_client::SpecialistServiceClient},
};
use tokio::time::{Instant, timeout_at};
use tonic::{Code, Request, Status, Streaming, transport::Channel};
use tower::retry::budget::Budget;

use super::{
    Limits, Loss, Minutes, PASSAGES_MAX,
    line::{Connection, Line},
    vouch::vouched,
};

/// Room beside an event for what gRPC and protobuf put around it.
const FRAME_BYTES: usize = 1024;

/// One answer under way.
pub(super) struct Call {
    client: SpecialistServiceClient<Channel>,
    request: AnswerRequest,
    stream: Option<Streaming<AnswerResponse>>,
    minutes: Minutes,
    check: AnswerCheck,
    limits: Limits,
    began: Instant,
    deadline: Instant,
    /// Until when the first words must be there; `None` once they are.
    words_by: Option<Instant>,
    /// Until when more must come; `None` before the first words.
    more_by: Option<Instant>,
    /// Further calls so far.
    retries: u32,
}

impl Call {
    pub(super) fn new(
        connection: &Connection,
        request: AnswerRequest,
        limits: Limits,
        deadline: Instant,
        minutes: Minutes,
    ) -> Self {
        let bounds = AnswerBounds {
            passages_max: PASSAGES_MAX,
            events_max: limits.events_max,
            bytes_max: limits.answer_bytes_max,
        };
        let began = Instant::now();
        Self {
            client: SpecialistServiceClient::new(connection.channel.clone())
                .max_decoding_message_size(limits.event_bytes_max + FRAME_BYTES),
            request,
            stream: None,
            minutes,
            check: AnswerCheck::new(bounds),
            began,
            deadline,
            words_by: Some(began + Duration::from_millis(limits.first_words_ms)),
            more_by: None,
            limits,
            retries: 0,
        }
    }

    /// Its next event. The last one comes only if it vouches for its answer as its `card` promises.
    pub(super) async fn next(&mut self, card: &PublishedCard) -> Result<AnswerEvent, Loss> {
        let (by, late) = self.patience();
        let response = match timeout_at(by, self.receive()).await {
            Err(_) => return Err(late),
            // The deadline travels with the call, and may be heard from there first.
            Ok(Err(_)) if Instant::now() >= self.deadline => return Err(Loss::Deadline),
            Ok(Err(status)) => return Err(status.into()),
            Ok(Ok(None)) => return Err(Loss::Unfinished),
            Ok(Ok(Some(response))) => response,
        };
        let event = self.check.read(response.clone())?;
        let mut minutes = self.minutes.lock().unwrap_or_else(PoisonError::into_inner);
        minutes.hear(&response);
        if matches!(event, AnswerEvent::Done(_)) {
            vouched(&minutes, card)?;
        }
        drop(minutes);
        self.count(&event);
        Ok(event)
    }

    /// Until when the next event must be there, and what it is otherwise.
    fn patience(&self) -> (Instant, Loss) {
        let idle = Instant::now() + Duration::from_millis(self.limits.idle_ms);
        [
            (Some(idle), Loss::Timeout(self.limits.idle_ms)),
            (self.words_by, Loss::Timeout(self.limits.first_words_ms)),
            (self.more_by, Loss::Slow { bytes: self.limits.rate_bytes(), ms: self.limits.rate_ms }),
        ]
        .into_iter()
        .filter_map(|(by, late)| Some((by?, late)))
        .fold((self.deadline, Loss::Deadline), |first, other| if other.0 < first.0 { other } else { first })
    }

    /// Each byte buys the time in which it had to come, up to the length of a window: so whoever stops
    /// speaking is given up a window later at the latest, whatever it said before.
    fn count(&mut self, event: &AnswerEvent) {
        let bytes = match event {
            AnswerEvent::Words(words) => {
                self.words_by = None;
                words.text.len()
            }
            AnswerEvent::Passage(passage) => passage.text.len(),
            AnswerEvent::Heartbeat | AnswerEvent::Done(_) => 0,
        };
        if self.words_by.is_none() {
            let latest = Instant::now() + Duration::from_millis(self.limits.rate_ms);
            let bought = Duration::from_millis(1_000 * bytes as u64 / self.limits.rate_bytes_min);
            self.more_by = Some(self.more_by.map_or(latest, |by| latest.min(by + bought)));
        }
    }

    async fn receive(&mut self) -> Result<Option<AnswerResponse>, Status> {
        let stream = match &mut self.stream {
            Some(stream) => stream,
            none => {
                let mut request = Request::new(self.request.clone());
                request.set_timeout(self.deadline.saturating_duration_since(Instant::now()));
                none.insert(self.client.answer(request).await?.into_inner())
            }
        };
        stream.message().await
    }

    /// How long to wait before it is called again after `loss`; `None` where it is not. Only who
    /// could not be had is called again, before its first event, and within half of the time to connect,
    /// dialling included: so a further call costs little, and asks nobody twice.
    ///
    /// Full jitter (Brooker, *Exponential Backoff And Jitter*, 2015), drawn from the question's name,
    /// so that the same run waits as long again.
    pub(super) fn retry(&mut self, loss: &Loss, line: &Line) -> Option<Duration> {
        let retry = &self.limits.retry;
        let absent = matches!(loss, Loss::Unreachable | Loss::Broken | Loss::Status(Code::Unavailable));
        if !absent || self.retries >= retry.calls_max || self.check.began() {
            return None;
        }
        let longest = retry.wait_ms.saturating_mul(1 << self.retries.min(20)).min(retry.wait_ms_max);
        let mut hasher = DefaultHasher::new();
        (&self.request.request_id, self.retries).hash(&mut hasher);
        let wait = Duration::from_millis(hasher.finish() % (longest + 1));
        let by = self.began + self.limits.connect() / 2;
        if Instant::now() + wait >= by || !line.budget.withdraw() {
            return None;
        }
        line.hurry(by);
        self.retries += 1;
        self.stream = None;
        Some(wait)
    }
}
