//! `POST /v1/chat/completions`.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{State, rejection::BytesRejection},
    http::{HeaderName, HeaderValue},
    response::{IntoResponse, Response},
};
use futures_util::{Stream, StreamExt};

use super::{
    error::ApiError,
    openai::{ChatRequest, Completion},
    sse,
};
use crate::{
    app::App,
    ask::{self, Answering, AskError, Event, Routed},
    route::Verdict,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const SPECIALISTS: HeaderName = HeaderName::from_static("x-consilium-specialists");
const RECEIPT: HeaderName = HeaderName::from_static("x-consilium-receipt");
const CAPABILITY: HeaderName = HeaderName::from_static("x-consilium-receipt-capability");

pub(super) async fn completions(
    State(app): State<Arc<App>>,
    body: Result<Bytes, BytesRejection>,
) -> Response {
    let id = ask::request_id();
    let mut response = answer(app, id.clone(), body).await.unwrap_or_else(IntoResponse::into_response);
    if let Ok(id) = HeaderValue::try_from(id) {
        response.headers_mut().insert(RECEIPT, id.clone());
        response.headers_mut().insert(REQUEST_ID, id);
    }
    response
}

async fn answer(
    app: Arc<App>,
    request_id: String,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, ApiError> {
    let body = body.map_err(|e| ApiError::Body { status: e.status() })?;
    let request = ChatRequest::parse(&body)?;
    let (question, style) = request.into_question(request_id)?;
    let prompt_tokens = app.embedder.count_tokens(question.conversation.question()).unwrap_or_default();
    let Answering { routed, capability, events } = ask::ask(app.clone(), question).await?;
    let capability = capability.reveal();
    let completion = Completion::new(app, routed.clone(), capability.clone(), style, prompt_tokens);
    let mut response = if completion.style().stream {
        sse::response(sse::lines(completion, events))
    } else {
        whole(completion, events).await.map_or_else(IntoResponse::into_response, IntoResponse::into_response)
    };
    let headers = response.headers_mut();
    for (name, value) in [(SPECIALISTS, asked(&routed)), (CAPABILITY, capability)] {
        headers.extend(HeaderValue::try_from(value).ok().map(|value| (name, value)));
    }
    Ok(response)
}

/// The ids of those who are asked at once, comma-separated.
fn asked(routed: &Routed) -> String {
    let Verdict::Ask { asked, .. } = &routed.decision.verdict else { return String::new() };
    let ids = asked.iter().map(|&at| routed.decision.candidates[at].registration.id().as_str());
    ids.collect::<Vec<_>>().join(",")
}

async fn whole(
    mut completion: Completion,
    events: impl Stream<Item = Result<Event, AskError>> + Send,
) -> Result<Json<serde_json::Value>, ApiError> {
    tokio::pin!(events);
    while let Some(event) = events.next().await {
        completion.take(event?);
    }
    Ok(Json(completion.whole()))
}
