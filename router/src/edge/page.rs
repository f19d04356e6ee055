//! What the page needs of the router: a session, its conversations and their turns. Nothing here needs a key; whose a
//! conversation is follows from a cookie.

mod conversations;
mod feedback;
mod network;
mod preview;
mod session;
mod sharing;
mod turns;
mod view;

use std::sync::Arc;

use axum::{
    Router,
    body::Bytes,
    extract::{FromRequest, Request},
    http::{HeaderMap, HeaderValue, Method, Uri, header, uri::Authority},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use serde::de::DeserializeOwned;
use serve::Tasks;
use store::{ConversationRow, Store};

use super::error::ApiError;
use crate::app::App;
use session::Session;

/// What its requests are answered with.
#[derive(Clone)]
struct Page {
    app: Arc<App>,
    tasks: Tasks,
}

impl Page {
    fn store(&self) -> &Store {
        self.app.conversations.store()
    }

    /// The conversation `id`, if it is the session's.
    async fn own(&self, session: &Session, id: &str) -> Result<ConversationRow, ApiError> {
        self.store().conversation(&session.owner()?, id).await?.ok_or(ApiError::UnknownConversation)
    }
}

pub(super) fn routes(app: Arc<App>, tasks: Tasks) -> Router {
    let one = get(conversations::show).patch(conversations::change).delete(conversations::delete);
    Router::new()
        .route("/v1/conversations", get(conversations::list).post(conversations::create))
        .route("/v1/conversations/{id}", one)
        .route("/v1/conversations/{id}/turns", post(turns::ask))
        .route("/v1/conversations/{id}/turns/{turn}/feedback", put(feedback::put).delete(feedback::remove))
        .route("/v1/conversations/{id}/share", post(sharing::share).delete(sharing::revoke))
        .route("/v1/shared/{token}", get(sharing::shared))
        .route("/v1/preview", post(preview::preview))
        .layer(middleware::from_fn(guard))
        .with_state(Page { app, tasks })
}

/// Lets nothing be changed on another site's behalf, and has nobody keep what people said: a browser's cache
/// outlasts what is deleted here.
async fn guard(request: Request, next: Next) -> Response {
    if !is_own(request.method(), request.uri(), request.headers()) {
        return ApiError::CrossOrigin.into_response();
    }
    let mut response = next.run(request).await;
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// Whether a request changes nothing, or no other site's page can have sent it: browsers let such a page neither
/// send JSON nor delete without asking first, and name its origin.
fn is_own(method: &Method, uri: &Uri, headers: &HeaderMap) -> bool {
    let text = |name| headers.get(name).and_then(|value: &HeaderValue| value.to_str().ok());
    let media = text(header::CONTENT_TYPE).and_then(|kind| kind.split(';').next());
    let json = media.is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"));
    if method.is_safe() {
        return true;
    }
    if !json && method != Method::DELETE {
        return false;
    }
    if !headers.contains_key(header::ORIGIN) {
        return true;
    }
    let host = uri.authority().map(Authority::as_str).or_else(|| text(header::HOST));
    let origin = text(header::ORIGIN).and_then(|origin| origin.split_once("://"));
    origin.zip(host).is_some_and(|((_, origin), host)| origin.eq_ignore_ascii_case(host))
}

/// A body of JSON.
struct Parsed<T>(T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequest<S> for Parsed<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let body = Bytes::from_request(request, state).await;
        let body = body.map_err(|e| ApiError::Body { status: e.status() })?;
        serde_json::from_slice(&body).map(Self).map_err(|e| ApiError::Malformed(e.to_string()))
    }
}

/// A name that nobody guesses: 32 hexadecimal digits.
fn unguessable() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn passes(method: &Method, headers: &[&(header::HeaderName, &'static str)], expected: bool) {
        let values = headers.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value)));
        let uri = Uri::from_static("/v1/conversations");
        assert_eq!(is_own(method, &uri, &values.collect()), expected, "{method} {headers:?}");
    }

    #[test]
    fn only_the_own_page_changes_anything() {
        let json = (header::CONTENT_TYPE, "application/json");
        let host = (header::HOST, "router.example:8080");
        let own = (header::ORIGIN, "https://Router.example:8080");
        let other = (header::ORIGIN, "https://other.example");
        let nobody = (header::ORIGIN, "null");
        let form = (header::CONTENT_TYPE, "text/plain");
        let long = (header::CONTENT_TYPE, "Application/JSON; charset=utf-8");
        let [json, host, own, other, nobody, form, long] =
            [&json, &host, &own, &other, &nobody, &form, &long];
        passes(&Method::GET, &[host, other], true);
        passes(&Method::POST, &[host, json], true);
        passes(&Method::POST, &[host, json, own], true);
        passes(&Method::PATCH, &[host, long], true);
        passes(&Method::DELETE, &[host, own], true);
        passes(&Method::POST, &[host], false);
        passes(&Method::POST, &[host, form, own], false);
        passes(&Method::POST, &[host, json, other], false);
        passes(&Method::POST, &[json, own], false);
        passes(&Method::POST, &[host, json, nobody], false);
        passes(&Method::DELETE, &[host, other], false);
    }
}
