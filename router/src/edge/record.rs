//! The record as anybody can read it: receipts for those who hold what opens them, both logs, and the rules in
//! force.

use std::sync::Arc;

use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::{get, post},
};
use serde_json::{Value, json};
use tower_http::services::ServeDir;

use super::error::ApiError;
use crate::{
    app::App,
    receipt::{Capability, ReadError, Which},
};

/// What a checkpoint with all cosignatures may have, in bytes.
const NOTE_BYTES_MAX: usize = 64 << 10;

pub(super) fn routes(app: &App) -> Router<Arc<App>> {
    let logs = app.receipts.logs().folder();
    let mut router = Router::new()
        .route("/v1/policy", get(policy))
        .route("/v1/trust", get(trust))
        .route("/v1/receipts/{id}", get(receipt).delete(forget));
    for which in Which::ALL {
        let (name, cosign) = (which.name(), move |app, note| cosign(which, app, note));
        router = router
            .nest_service(&format!("/log/{name}"), ServeDir::new(logs.join(name)))
            .route(&format!("/log/{name}/cosignatures"), post(cosign));
    }
    router
}

/// Every rule in force, with the digests that receipts name.
async fn policy(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], app.receipts.policy().document().to_owned())
}

/// The router's own word for its keys: enough to see that a receipt is whole, not whose it is.
async fn trust(State(app): State<Arc<App>>) -> Result<Json<Value>, ApiError> {
    app.receipts.trust().map(Json).ok_or_else(|| ApiError::UnknownPath("/v1/trust".to_owned()))
}

/// A receipt with all that is needed to check it elsewhere.
async fn receipt(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<impl IntoResponse, ApiError> {
    let bundle = app.receipts.bundle(&id, &capability(&headers)?).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], bundle))
}

/// Forgets what opens a receipt.
async fn forget(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    app.receipts.forget(&id, &capability(&headers)?).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Takes a witness's cosignature.
async fn cosign(which: Which, State(app): State<Arc<App>>, note: String) -> Result<Json<Value>, ApiError> {
    if note.len() > NOTE_BYTES_MAX {
        return Err(ApiError::Body { status: StatusCode::PAYLOAD_TOO_LARGE });
    }
    Ok(Json(
        json!({ "cosignatures": app.receipts.logs().cosign(which, note).await.map_err(ReadError::from)? }),
    ))
}

/// What the caller shows to open a receipt.
fn capability(headers: &HeaderMap) -> Result<Capability, ApiError> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).ok_or(ApiError::NoCapability)?;
    Capability::read(shown).ok_or(ApiError::Receipt(ReadError::Unknown))
}
