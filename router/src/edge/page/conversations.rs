//! A session's conversations: listed, searched, made, shown, changed and deleted.

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{ConnectInfo, Path, Query, State, rejection::QueryRejection},
    http::{HeaderMap, StatusCode},
    response::IntoResponse,
};
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};
use store::Changes;

use super::{super::error::ApiError, Page, Parsed, network::network, session::Session, unguessable, view};
use crate::conversations::now_ms;

/// How many conversations are listed where the caller does not say.
const LISTED: usize = 100;

/// The most characters of a title, which come from its first question.
const TITLE_CHARACTERS_MAX: usize = 80;

/// The most characters of a folder's name.
const FOLDER_CHARACTERS_MAX: usize = 80;

/// The most bytes of what is searched for.
const QUERY_BYTES_MAX: usize = 1_024;

#[derive(Deserialize)]
pub(super) struct Listing {
    #[serde(default)]
    query: String,
    limit: Option<usize>,
}

/// Those of the session, or those of them that the query's words stand in. Whoever lists them still uses the session,
/// so its cookie is kept on.
pub(super) async fn list(
    State(page): State<Page>,
    session: Session,
    listing: Result<Query<Listing>, QueryRejection>,
) -> Result<impl IntoResponse, ApiError> {
    let Query(Listing { query, limit }) = listing.map_err(|e| ApiError::Malformed(e.body_text()))?;
    if query.len() > QUERY_BYTES_MAX {
        return Err(unsupported("query", format!("at most {QUERY_BYTES_MAX} bytes are searched for")));
    }
    let mut listed = Vec::new();
    if let Ok(owner) = session.owner() {
        let rows = page.store().conversations(&owner).await?;
        let mut found = match query.trim() {
            "" => None,
            query => Some(page.store().search_conversations(&owner, query).await?),
        };
        for row in &rows {
            let snippet = match &mut found {
                Some(found) => found.remove(&row.id),
                None => Some(None),
            };
            listed.extend(snippet.map(|snippet| view::summary(row, snippet.as_ref())));
        }
    }
    listed.truncate(limit.unwrap_or(LISTED));
    let days = page.app.conversations.retention_days();
    let body = Json(json!({ "conversations": listed, "retention_days": days }));
    Ok((session.set_cookie(days), body))
}

/// A new one, in the session or in a new one.
pub(super) async fn create(
    State(page): State<Page>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    session: Session,
) -> Result<impl IntoResponse, ApiError> {
    let session = session.or_new()?;
    let (network, id) = (network(peer.ip(), &headers), unguessable());
    page.store().create_conversation(&session.owner()?, &network, &id, now_ms()).await?;
    let cookie = session.set_cookie(page.app.conversations.retention_days());
    Ok((StatusCode::CREATED, cookie, Json(json!({ "id": id }))))
}

/// One, with all its turns.
pub(super) async fn show(
    State(page): State<Page>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let row = page.own(&session, &id).await?;
    let turns = page.store().turns(&row.id).await?;
    Ok(Json(view::conversation(&row, turns)))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    title: Option<String>,
    #[serde(default, deserialize_with = "folder")]
    folder: Option<String>,
    pinned: Option<bool>,
}

/// A folder that is given: `null` is none, as an empty name is.
fn folder<'de, D: Deserializer<'de>>(given: D) -> Result<Option<String>, D::Error> {
    Ok(Some(Option::deserialize(given)?.unwrap_or_default()))
}

/// Changes what one is called, where it lies or whether it stands first.
pub(super) async fn change(
    State(page): State<Page>,
    session: Session,
    Path(id): Path<String>,
    Parsed(Wanted { title, folder, pinned }): Parsed<Wanted>,
) -> Result<Json<Value>, ApiError> {
    let title = title.map(|title| named("title", &title, 1, TITLE_CHARACTERS_MAX)).transpose()?;
    let folder = folder.map(|folder| named("folder", &folder, 0, FOLDER_CHARACTERS_MAX)).transpose()?;
    let changes = Changes { title, folder, pinned };
    page.store().change_conversation(&session.owner()?, &id, &changes).await?;
    Ok(Json(view::summary(&page.own(&session, &id).await?, None)))
}

/// Deletes one for good, and what opens its receipts.
pub(super) async fn delete(
    State(page): State<Page>,
    session: Session,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    if !page.app.conversations.delete(&session.owner()?, &id).await? {
        return Err(ApiError::UnknownConversation);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What a conversation is called after its first question.
pub(super) fn title(question: &str) -> String {
    one_line(question).chars().take(TITLE_CHARACTERS_MAX).collect()
}

/// `name` on one line, if that has so many characters.
fn named(param: &'static str, name: &str, min: usize, max: usize) -> Result<String, ApiError> {
    let name = one_line(name);
    if !(min..=max).contains(&name.chars().count()) {
        return Err(unsupported(param, format!("a {param} has {min} to {max} characters")));
    }
    Ok(name)
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn unsupported(param: &'static str, why: String) -> ApiError {
    ApiError::Unsupported { param, why }
}
