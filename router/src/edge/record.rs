//! The record as anybody can read it: receipts for those who hold what opens them, both logs, and the rules in
//! force.

use std::sync::Arc;

use audit::{Base64, Bundle, Salt, bundle::Institution, signed};
use axum::{
    Json, Router,
    extract::{Path, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
    routing::{get, post},
};
use proto::{
    Digest,
    wire::{Receipt, Signed, Statement},
};
use serde_json::{Value, json};
use tower_http::services::ServeDir;

use super::error::ApiError;
use crate::{
    app::App,
    receipt::{Capability, Which},
};

/// What a checkpoint with all cosignatures may have, in bytes.
const NOTE_BYTES_MAX: usize = 64 << 10;

pub(super) fn routes(app: &App) -> Router<Arc<App>> {
    let logs = app.receipts.logs().folder();
    let mut router = Router::new()
        .route("/v1/policy", get(policy))
        .route("/v1/receipts/{id}", get(receipt).delete(forget))
        .route("/log/{log}/cosignatures", post(cosign));
    for which in Which::ALL {
        let name = which.name();
        router = router.nest_service(&format!("/log/{name}"), ServeDir::new(logs.join(name)));
    }
    router
}

/// Every rule in force, with the digests that receipts name.
async fn policy(State(app): State<Arc<App>>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], app.receipts.policy().document().to_owned())
}

/// A receipt with all that is needed to check it elsewhere.
async fn receipt(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let capability = capability(&headers)?;
    let found = app.receipts.read(&id, &capability).await?;
    let (found, opening) = found.ok_or(ApiError::UnknownReceipt)?;
    let logs = app.receipts.logs();
    let proof = logs.prove_receipt(found.place.unsigned_abs()).await?;
    let receipt = Signed { payload: found.row.payload, signature: found.row.signature };
    let mut institutions = Vec::new();
    for digest in cards(&receipt.payload) {
        let entry = logs.prove_card(digest).await?;
        let card = app.receipts.card(digest).await?;
        if let (Some((entry, proof)), Some(card)) = (entry, card) {
            institutions.push(Institution {
                card: Base64(card),
                entry: Base64(entry),
                proof: proof.to_string(),
            });
        }
    }
    let salt = Salt::read(&found.row.leaf_salt).ok_or(ApiError::Unreadable)?;
    let keyid = app.receipts.keyid();
    let bundle = Bundle::new(receipt, keyid, &salt, proof.to_string(), institutions, opening);
    let json = bundle.ok_or(ApiError::Unreadable)?.to_json();
    Ok(([(header::CONTENT_TYPE, "application/json")], json).into_response())
}

/// Every card that a receipt names, in the order in which it does.
fn cards(payload: &[u8]) -> Vec<Digest> {
    let receipt: Receipt = signed::canonical(payload).unwrap_or_default();
    let mut cards = Vec::new();
    for call in &receipt.calls {
        let statement = call.statement.as_ref();
        let statement = statement.and_then(|it| signed::canonical::<Statement>(&it.payload).ok());
        let named = [Some(&call.card_sha256), statement.as_ref().map(|statement| &statement.card_sha256)];
        for digest in named.into_iter().flatten().filter_map(|bytes| Digest::read("card", bytes).ok()) {
            if !cards.contains(&digest) {
                cards.push(digest);
            }
        }
    }
    cards
}

/// Forgets what opens a receipt.
async fn forget(
    State(app): State<Arc<App>>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, ApiError> {
    let capability = capability(&headers)?;
    if app.receipts.forget(&id, &capability).await? {
        Ok(StatusCode::NO_CONTENT)
    } else {
        Err(ApiError::UnknownReceipt)
    }
}

/// Takes a witness's cosignature.
async fn cosign(
    State(app): State<Arc<App>>,
    Path(log): Path<String>,
    note: String,
) -> Result<Json<Value>, ApiError> {
    let which = Which::ALL.into_iter().find(|which| which.name() == log);
    let which = which.ok_or_else(|| ApiError::UnknownPath(format!("/log/{log}/cosignatures")))?;
    if note.len() > NOTE_BYTES_MAX {
        return Err(ApiError::Body { status: StatusCode::PAYLOAD_TOO_LARGE });
    }
    Ok(Json(json!({ "cosignatures": app.receipts.logs().cosign(which, note).await? })))
}

/// What the caller shows to open a receipt.
fn capability(headers: &HeaderMap) -> Result<Capability, ApiError> {
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| value.strip_prefix("Bearer ")).ok_or(ApiError::NoCapability)?;
    Capability::read(shown).ok_or(ApiError::UnknownReceipt)
}
