//! Links by which others read a conversation, as long as its owner wants.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use serde_json::{Value, json};

use super::{super::error::ApiError, Page, session::Session, unguessable, view};

/// Shares one; under the same link as before, where it is shared already.
pub(super) async fn share(
    State(page): State<Page>,
    session: Session,
    Path(id): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let token = page.store().share_conversation(&session.owner()?, &id, &unguessable()).await?;
    Ok(Json(json!({ "token": token.ok_or(ApiError::UnknownConversation)? })))
}

/// Ends that; the link shows nothing any more, and no later one is the same.
pub(super) async fn revoke(
    State(page): State<Page>,
    session: Session,
    Path(id): Path<String>,
) -> Result<StatusCode, ApiError> {
    if !page.store().revoke_share(&session.owner()?, &id).await? {
        return Err(ApiError::UnknownConversation);
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What a link shows: the conversation as it is now, up to its newest turn and without other versions, which its
/// owner may have replaced for a reason.
pub(super) async fn shared(
    State(page): State<Page>,
    Path(token): Path<String>,
) -> Result<Json<Value>, ApiError> {
    let row = page.store().shared_conversation(&token).await?.ok_or(ApiError::NotShared)?;
    let turns = page.store().turns(&row.id).await?;
    Ok(Json(view::shared(&row, turns)))
}
