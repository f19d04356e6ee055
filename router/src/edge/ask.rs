//! `consilium.v1.RouterService`.

use std::{pin::Pin, sync::Arc, time::Duration};

use futures_util::{Stream, StreamExt, stream};
use proto::{
    AskOptions, Conversation, Terms,
    wire::{
        AskRequest, AskResponse, Decision, ForgetRequest, ForgetResponse, ReceiptRequest, ReceiptResponse,
        RouteRequest, RouteResponse, ask_response, router_service_server::RouterService,
    },
};
use tonic::{Request, Response, Status, metadata::MetadataMap};

use super::error;
use crate::{
    app::App,
    ask::{self, Answering, Event, Question},
    merge::Part,
    messages,
    receipt::{Capability, ReadError, derivation},
};

/// The router over gRPC.
pub(super) struct Asking {
    app: Arc<App>,
}

impl Asking {
    pub(super) fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl RouterService for Asking {
    async fn route(&self, request: Request<RouteRequest>) -> Result<Response<RouteResponse>, Status> {
        let patience = patience(request.metadata());
        let RouteRequest { turns, options: wanted, derivation: derive } = request.into_inner();
        let conversation = Conversation::try_from(turns).map_err(|e| error::invalid(&e))?;
        let options = AskOptions::try_from(wanted.clone()).map_err(|e| error::invalid(&e))?;
        let question = Question {
            request_id: ask::request_id(),
            conversation,
            options,
            patience,
            footer: false,
            previous: None,
        };
        let routed = ask::preview(&self.app, &question).await?;
        let mut decision = messages::decision(&routed);
        if derive {
            let terms = Terms::of(question.conversation.question()).hashes().len();
            let rules = self.app.rules.clone();
            let derived = move || derivation(&routed, &rules.policy, wanted.unwrap_or_default(), terms);
            // The prototypes of a whole fleet may have to be read through.
            let derived = tokio::task::spawn_blocking(derived).await;
            let derived = derived.map_err(|why| error::underivable(&why))?;
            decision.derivation = Some(derived.map_err(|why| error::underivable(&why))?);
        }
        Ok(Response::new(RouteResponse { decision: Some(decision) }))
    }

    async fn receipt(&self, request: Request<ReceiptRequest>) -> Result<Response<ReceiptResponse>, Status> {
        let ReceiptRequest { request_id, capability: shown } = request.into_inner();
        let bundle = self.app.receipts.bundle(&request_id, &capability(&shown)?).await?;
        Ok(Response::new(ReceiptResponse { receipt_json: bundle.into_bytes() }))
    }

    async fn forget(&self, request: Request<ForgetRequest>) -> Result<Response<ForgetResponse>, Status> {
        let ForgetRequest { request_id, capability: shown } = request.into_inner();
        self.app.receipts.forget(&request_id, &capability(&shown)?).await?;
        Ok(Response::new(ForgetResponse {}))
    }

    type AskStream = Pin<Box<dyn Stream<Item = Result<AskResponse, Status>> + Send>>;

    async fn ask(&self, request: Request<AskRequest>) -> Result<Response<Self::AskStream>, Status> {
        let patience = patience(request.metadata());
        let AskRequest { turns, options, previous_request_id } = request.into_inner();
        let conversation = Conversation::try_from(turns).map_err(|e| error::invalid(&e))?;
        let options = AskOptions::try_from(options).map_err(|e| error::invalid(&e))?;
        let previous = Some(previous_request_id).filter(|id| !id.is_empty());
        let (request_id, footer) = (ask::request_id(), false);
        let question = Question { request_id, conversation, options, patience, footer, previous };
        let Answering { routed, capability, events } = ask::ask(self.app.clone(), question).await?;
        let decision = Decision { receipt_capability: capability.reveal(), ..messages::decision(&routed) };
        let decision = ask_response::Event::Decision(decision);
        let rest = events.map(|event| Ok(response(message(event?))));
        Ok(Response::new(Box::pin(stream::iter([Ok(response(decision))]).chain(rest))))
    }
}

/// What a caller shows to open a receipt.
fn capability(shown: &str) -> Result<Capability, ReadError> {
    Capability::read(shown).ok_or(ReadError::Unknown)
}

fn response(event: ask_response::Event) -> AskResponse {
    AskResponse { event: Some(event) }
}

fn message(event: Event) -> ask_response::Event {
    match event {
        Event::Part(Part::Source(source)) => ask_response::Event::Source(messages::source(source)),
        Event::Part(Part::Span(span)) => ask_response::Event::Span(messages::span(span)),
        Event::Part(Part::Agreement(agreement)) => {
            ask_response::Event::Agreement(messages::agreement(agreement))
        }
        Event::Part(Part::Disagreement(disagreement)) => {
            ask_response::Event::Disagreement(messages::disagreement(&disagreement))
        }
        Event::Finish(finish) => ask_response::Event::Finish(messages::finish(&finish)),
    }
}

/// How long the caller waits: the `grpc-timeout` of its call, at most eight digits and a unit.
fn patience(metadata: &MetadataMap) -> Option<Duration> {
    let timeout = metadata.get("grpc-timeout")?.to_str().ok()?;
    let (digits, unit) = timeout.split_at_checked(timeout.len().checked_sub(1)?)?;
    let amount: u64 = digits.parse().ok().filter(|_| digits.len() <= 8)?;
    Some(match unit {
        "H" => Duration::from_hours(amount),
        "M" => Duration::from_mins(amount),
        "S" => Duration::from_secs(amount),
        "m" => Duration::from_millis(amount),
        "u" => Duration::from_micros(amount),
        "n" => Duration::from_nanos(amount),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn waits(timeout: &'static str, expected: Option<Duration>) {
        let mut metadata = MetadataMap::new();
        metadata.insert("grpc-timeout", timeout.parse().unwrap());
        assert_eq!(patience(&metadata), expected);
    }

    #[test]
    fn a_callers_deadline_is_read() {
        waits("250m", Some(Duration::from_millis(250)));
        waits("3S", Some(Duration::from_secs(3)));
        waits("99999999H", Some(Duration::from_hours(99_999_999)));
        waits("123456789S", None);
        waits("S", None);
        waits("3x", None);
    }
}
