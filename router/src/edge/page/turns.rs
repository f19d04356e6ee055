//! A turn of a conversation: asked, streamed to its reader, and kept.

use axum::{
    extract::{Path, State},
    response::Response,
};
use futures_util::{Stream, StreamExt, stream};
use serde::Deserialize;
use serde_json::{Value, json};
use store::{NewTurn, StoreError, TurnState};
use tokio::sync::{mpsc, watch};

use super::{
    super::{
        error::ApiError,
        openai::{Completion, Style, Wishes},
        sse::{self, Line},
    },
    Page, Parsed, conversations,
    session::Session,
};
use crate::{
    ask::{self, Answering, AskError, Event, Question},
    conversations::{EARLIER_MAX, now_ms, spoken},
};

/// How many lines may wait for a slow reader.
const LINES_MAX: usize = 64;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    parent: Option<String>,
    text: String,
    #[serde(default)]
    options: Wishes,
}

/// Asks what follows `parent`; the answer as it comes. It is kept when it has ended, or as far as it came when its
/// reader left.
pub(super) async fn ask(
    State(page): State<Page>,
    session: Session,
    Path(id): Path<String>,
    Parsed(Asked { parent, text, options }): Parsed<Asked>,
) -> Result<Response, ApiError> {
    page.own(&session, &id).await?;
    let path = page.store().before_turn(&id, parent.as_deref(), EARLIER_MAX).await?;
    let path = path.ok_or(ApiError::UnknownTurn)?;
    let request_id = ask::request_id();
    let question = Question {
        request_id: request_id.clone(),
        options: options.try_into()?,
        patience: None,
        footer: false,
        previous: path.iter().rev().find(|said| said.has_receipt).map(|said| said.id.clone()),
        conversation: spoken(path, text.clone()).map_err(AskError::Invalid)?,
    };
    let prompt_tokens = page.app.embedder.count_tokens(&text).unwrap_or_default();
    let deleted = page.app.conversations.enter(&id);
    let Answering { routed, capability, events } = ask::ask(page.app.clone(), question).await?;
    let turn = NewTurn {
        id: &request_id,
        parent: parent.as_deref(),
        question: &text,
        title: &conversations::title(&text),
        created_at_ms: now_ms(),
    };
    if !page.store().begin_turn(&id, &turn).await? {
        return Err(ApiError::UnknownConversation);
    }
    let begun =
        json!({ "turn": { "id": request_id, "parent": parent, "created_at_ms": turn.created_at_ms } });
    let completion =
        Completion::new(page.app.clone(), routed, capability.reveal(), Style::streamed(), prompt_tokens);
    let (lines, mut received) = mpsc::channel(LINES_MAX);
    let tasks = page.tasks.clone();
    tasks.spawn("turn", Turn { page, id: request_id, completion, lines, deleted }.run(events));
    let rest = stream::poll_fn(move |context| received.poll_recv(context));
    Ok(sse::response(stream::iter([Line::Chunk(begun)]).chain(rest)))
}

/// A turn that is being answered.
struct Turn {
    page: Page,
    id: String,
    completion: Completion,
    lines: mpsc::Sender<Line>,
    deleted: watch::Receiver<()>,
}

impl Turn {
    /// Hands the answer to its reader as it comes. It is kept before the reader hears that it has ended, so that it
    /// is there for whatever they do with it next.
    async fn run(mut self, events: impl Stream<Item = Result<Event, AskError>> + Send) {
        let mut end = None;
        let hand_on = async {
            let mut answer = std::pin::pin!(sse::lines(&mut self.completion, events));
            while let Some(line) = answer.next().await {
                if !matches!(line, Line::Chunk(_)) {
                    end = Some(line);
                } else if self.lines.send(line).await.is_err() {
                    return;
                }
            }
        };
        tokio::select! {
            () = hand_on => {}
            () = self.lines.closed() => {}
            _ = self.deleted.changed() => {}
        }
        let (state, failure) = match &end {
            None => (TurnState::Stopped, None),
            Some(Line::Failed(error)) => (TurnState::Failed, Some(error.body()["error"].take())),
            Some(_) => (TurnState::Done, None),
        };
        if let Err(error) = self.keep(state, failure).await {
            tracing::error!(request = self.id, %error, "what was said in a turn is not kept");
            if let Some(Line::Done) = end {
                end = Some(Line::Failed(error.into()));
            }
        }
        // Nothing is left to write that whoever deletes the conversation would have to wait for.
        drop(self.deleted);
        if let Some(end) = end {
            // A reader who has left hears nothing more.
            self.lines.send(end).await.ok();
        }
    }

    /// Writes down how it ended. Where its conversation was deleted meanwhile, nothing of it may stay: what opens its
    /// receipt goes too.
    async fn keep(&self, state: TurnState, failure: Option<Value>) -> Result<(), StoreError> {
        // The receipt of a reader who left is written by somebody else.
        self.page.app.receipts.flush().await;
        let answer = self.completion.whole().to_string();
        let failure = failure.map(|failure| failure.to_string());
        let store = self.page.store();
        if !store.end_turn(&self.id, state, &answer, failure.as_deref()).await? {
            store.forget_opening(&self.id).await?;
        }
        Ok(())
    }
}
