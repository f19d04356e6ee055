//! Who would see a question, before anybody does.

use axum::{Json, extract::State};
use proto::{Conversation, Role, Turn, conversation::TURNS_MAX};
use serde::Deserialize;
use serde_json::Value;

use super::{
    super::{
        error::ApiError,
        openai::{Wishes, routing},
    },
    Page, Parsed,
};
use crate::ask::{self, AskError, Question};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Previewed {
    turns: Vec<Spoken>,
    #[serde(default)]
    options: Wishes,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Spoken {
    role: Speaker,
    text: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Speaker {
    User,
    Assistant,
}

/// The routing of a question that nobody is asked; of a long conversation, the end counts.
pub(super) async fn preview(
    State(page): State<Page>,
    Parsed(Previewed { turns, options }): Parsed<Previewed>,
) -> Result<Json<Value>, ApiError> {
    let from = turns.len().saturating_sub(TURNS_MAX);
    let turns = turns.into_iter().skip(from).map(|Spoken { role, text }| {
        let role = match role {
            Speaker::User => Role::User,
            Speaker::Assistant => Role::Assistant,
        };
        Turn { role, text }
    });
    let question = Question {
        request_id: ask::request_id(),
        conversation: Conversation::new(turns.collect()).map_err(AskError::Invalid)?,
        options: options.try_into()?,
        patience: None,
        footer: false,
        previous: None,
    };
    let routed = ask::preview(&page.app, &question).await?;
    Ok(Json(routing(&routed, &routed.decision.candidates)))
}
