//! What a reader thinks of an answer.

use axum::{
    extract::{Path, State},
    http::StatusCode,
};
use serde::Deserialize;

use super::{super::error::ApiError, Page, Parsed, session::Session};
use crate::learn::Reason;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Given {
    rating: Thumb,
    #[serde(default)]
    reason: Option<Reason>,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Thumb {
    Up,
    Down,
}

/// Keeps a thumb, in place of the one before.
pub(super) async fn put(
    State(page): State<Page>,
    session: Session,
    Path((id, turn)): Path<(String, String)>,
    Parsed(Given { rating, reason }): Parsed<Given>,
) -> Result<StatusCode, ApiError> {
    page.own(&session, &id).await?;
    let up = rating == Thumb::Up;
    if up && reason.is_some() {
        let why = "a reason says why the thumb points down: leave it out".to_owned();
        return Err(ApiError::Unsupported { param: "reason", why });
    }
    if !page.store().put_feedback(&session.owner()?, &id, &turn, up, reason.map(Reason::name)).await? {
        return Err(ApiError::UnknownTurn);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// Takes it back; none is as good as one that was taken back.
pub(super) async fn remove(
    State(page): State<Page>,
    session: Session,
    Path((id, turn)): Path<(String, String)>,
) -> Result<StatusCode, ApiError> {
    page.own(&session, &id).await?;
    page.store().remove_feedback(&session.owner()?, &id, &turn).await?;
    Ok(StatusCode::NO_CONTENT)
}
