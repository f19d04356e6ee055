//! What a client sends.

use proto::{AskOptions, Conversation, Role, SpecialistId, Turn, wire};
use serde::Deserialize;
use serde_json::Value;

use super::{super::error::ApiError, AUTO, PREFIX};
use crate::ask::{AskError, Question};

/// A request for a chat completion; what is not named here is ignored.
#[derive(Debug, Deserialize)]
pub(in crate::edge) struct ChatRequest {
    model: String,
    messages: Vec<Message>,
    #[serde(default)]
    stream: bool,
    stream_options: Option<StreamOptions>,
    tools: Option<Vec<Value>>,
    n: Option<u64>,
    #[serde(default)]
    consilium: Extension,
}

#[derive(Debug, Deserialize)]
struct Message {
    role: String,
    content: Option<Content>,
}

#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Content {
    Text(String),
    Parts(Vec<ContentPart>),
}

#[derive(Debug, Deserialize)]
struct ContentPart {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    text: String,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

/// What is ours in a request.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Extension {
    only: Vec<String>,
    exclude: Vec<String>,
    max_specialists: u32,
    consent: Vec<String>,
    footer: bool,
    previous_request_id: Option<String>,
}

/// What an asker wants of the routing, where nothing else is asked along with it.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(in crate::edge) struct Wishes {
    only: Vec<String>,
    exclude: Vec<String>,
    max_specialists: u32,
    consent: Vec<String>,
}

impl TryFrom<Wishes> for AskOptions {
    type Error = ApiError;

    fn try_from(wishes: Wishes) -> Result<Self, ApiError> {
        let Wishes { only, exclude, max_specialists, consent } = wishes;
        let options = wire::AskOptions { only, exclude, specialists_max: max_specialists, consent };
        Ok(Self::try_from(Some(options)).map_err(AskError::Invalid)?)
    }
}

/// How the answer is to look.
#[derive(Debug, Clone)]
pub(in crate::edge) struct Style {
    /// The model as the client names it.
    pub(super) model: String,
    /// In chunks, as it comes.
    pub(in crate::edge) stream: bool,
    /// With a last chunk of token counts.
    pub(super) usage: bool,
}

impl Style {
    /// In chunks, from the model that routes.
    pub(in crate::edge) fn streamed() -> Self {
        Self { model: AUTO.to_owned(), stream: true, usage: false }
    }
}

impl ChatRequest {
    pub(in crate::edge) fn parse(body: &[u8]) -> Result<Self, ApiError> {
        serde_json::from_slice(body).map_err(|e| ApiError::Malformed(e.to_string()))
    }

    pub(in crate::edge) fn into_question(self, request_id: String) -> Result<(Question, Style), ApiError> {
        if self.tools.is_some_and(|tools| !tools.is_empty()) {
            return Err(unsupported("tools", "no specialist here calls tools: leave them out"));
        }
        if self.n.is_some_and(|n| n != 1) {
            return Err(unsupported("n", "one answer is given to a question: leave n out"));
        }
        let Extension { mut only, exclude, max_specialists, consent, footer, previous_request_id: previous } =
            self.consilium;
        match self.model.strip_prefix(PREFIX) {
            Some("auto") => {}
            Some(id) if id.parse::<SpecialistId>().is_ok() => only = vec![id.to_owned()],
            _ => return Err(ApiError::UnknownModel(self.model)),
        }
        let options = Wishes { only, exclude, max_specialists, consent }.try_into()?;
        let turns = self.messages.into_iter().filter_map(|message| turn(message).transpose());
        let turns = turns.collect::<Result<Vec<_>, _>>()?;
        let conversation = Conversation::new(turns).map_err(AskError::Invalid)?;
        let style = Style {
            model: self.model,
            stream: self.stream,
            usage: self.stream_options.is_some_and(|options| options.include_usage),
        };
        Ok((Question { request_id, conversation, options, patience: None, footer, previous }, style))
    }
}

/// A turn of the conversation; `None` for instructions, which no specialist is shown: they are the
/// client's own, and a hidden rule between asker and specialist is what this house refuses.
fn turn(message: Message) -> Result<Option<Turn>, ApiError> {
    let role = match message.role.as_str() {
        "user" => Role::User,
        "assistant" => Role::Assistant,
        "system" | "developer" => return Ok(None),
        _ => return Err(unsupported("messages", "roles are system, developer, user and assistant")),
    };
    let text = match message.content {
        Some(Content::Text(text)) => text,
        Some(Content::Parts(parts)) if parts.iter().all(|part| part.kind == "text") => {
            parts.into_iter().map(|part| part.text).collect::<Vec<_>>().join("\n")
        }
        Some(Content::Parts(_)) => return Err(unsupported("messages", "only parts of text are read")),
        None => String::new(),
    };
    Ok(Some(Turn { role, text }))
}

fn unsupported(param: &'static str, why: &str) -> ApiError {
    ApiError::Unsupported { param, why: why.to_owned() }
}
