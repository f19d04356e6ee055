//! An answer as a stream of server-sent events.

use std::{borrow::BorrowMut, convert::Infallible, time::Duration};

use async_stream::stream;
use axum::{
    http::{HeaderName, HeaderValue},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, stream};
use serde_json::Value;

use super::{error::ApiError, openai::Completion};
use crate::ask::{self, AskError};

/// How long a comment keeps an idle stream open.
const KEEP_ALIVE: Duration = Duration::from_secs(10);

const ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// What one event holds.
pub(super) enum Line {
    /// A part of the answer.
    Chunk(Value),
    /// Why the answer breaks off; nothing follows.
    Failed(ApiError),
    /// The answer has ended; nothing follows.
    Done,
}

impl From<Line> for Event {
    fn from(line: Line) -> Self {
        Self::default().data(match line {
            Line::Chunk(chunk) => chunk.to_string(),
            Line::Failed(error) => error.body().to_string(),
            Line::Done => "[DONE]".to_owned(),
        })
    }
}

/// The lines of `completion`, which takes in its `events` on the way.
pub(super) fn lines(
    mut completion: impl BorrowMut<Completion> + Send,
    events: impl Stream<Item = Result<ask::Event, AskError>> + Send,
) -> impl Stream<Item = Line> + Send {
    stream! {
        yield Line::Chunk(completion.borrow().first_chunk());
        tokio::pin!(events);
        while let Some(event) = events.next().await {
            match event {
                Ok(event) => {
                    for chunk in completion.borrow_mut().chunks(event) {
                        yield Line::Chunk(chunk);
                    }
                }
                Err(error) => {
                    yield Line::Failed(error.into());
                    return;
                }
            }
        }
        yield Line::Done;
    }
}

/// A response that sends `lines` as they come.
pub(super) fn response(lines: impl Stream<Item = Line> + Send + 'static) -> Response {
    // The first comment goes out before there are words, so that the head does.
    let opened = stream::iter([Event::default().comment("keep-alive")]);
    let events = opened.chain(lines.map(Event::from)).map(Ok::<_, Infallible>);
    let keep_alive = KeepAlive::new().interval(KEEP_ALIVE).text("keep-alive");
    let unbuffered = [(ACCEL_BUFFERING, HeaderValue::from_static("no"))];
    (unbuffered, Sse::new(events).keep_alive(keep_alive)).into_response()
}
