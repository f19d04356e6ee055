//! The page: files built from `web/`, embedded so that a router needs nothing beside it. Nothing here knows what the
//! page asks for.

use std::borrow::Cow;

use axum::{
    Router,
    body::{Body, Bytes},
    extract::Path,
    http::{HeaderMap, header},
    response::{IntoResponse, IntoResponseParts, Response},
    routing::get,
};
use rust_embed::Embed;

use super::error::ApiError;

/// Where the page may load from: only from here. A manifest is named since nothing is allowed by default.
const PAGE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; \
                           connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; \
                           frame-ancestors 'none'";

/// The verifier allows itself by digest, in its own text; a header cannot take back what that forbids.
const VERIFIER_POLICY: &str = "frame-ancestors 'none'";

const PERMISSIONS: &str = "camera=(), microphone=(), geolocation=(), payment=(), usb=()";

/// For files whose names hold a digest of what is in them.
const IMMUTABLE: &str = "public, max-age=31536000, immutable";

/// The same bytes as `audit/ts/dist/verify.html`, so that its published digest fits.
static VERIFIER: &[u8] = include_bytes!("../../../audit/ts/dist/verify.html");

#[derive(Embed)]
#[folder = "../web/dist"]
struct Built;

/// Everything of the page but its first address, which terminals share.
pub(super) fn routes<S: Clone + Send + Sync + 'static>() -> Router<S> {
    let page = || get(async || index());
    let mut router = Router::new()
        .route("/c/{id}", page())
        .route("/s/{token}", page())
        .route("/fleet", page())
        .route("/about", page())
        .route("/assets/{*path}", get(asset))
        .route("/verify.html", get(verifier));
    for name in ["manifest.webmanifest", "icon.svg", "icon-maskable.svg"] {
        router = router.route(&format!("/{name}"), get(async move || file(name, PAGE_POLICY)));
    }
    router
}

/// Whether a person's browser asks.
pub(super) fn wants_page(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok());
    accepted.is_some_and(|value| value.contains("text/html"))
}

/// The one document, which shows what its address says.
pub(super) fn index() -> Response {
    file("index.html", PAGE_POLICY)
}

async fn asset(Path(path): Path<String>) -> Response {
    file(&format!("assets/{path}"), PAGE_POLICY)
}

async fn verifier() -> Response {
    (headers("verify.html", VERIFIER_POLICY), Body::from(VERIFIER)).into_response()
}

fn file(path: &str, policy: &'static str) -> Response {
    let Some(found) = Built::get(path) else {
        return ApiError::UnknownPath(format!("/{path}")).into_response();
    };
    let bytes = match found.data {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    (headers(path, policy), bytes).into_response()
}

/// What every file of the page says of itself.
fn headers(path: &str, policy: &'static str) -> impl IntoResponseParts + use<> {
    let cached = if path.starts_with("assets/") { IMMUTABLE } else { "no-cache" };
    [
        (header::CONTENT_TYPE, kind(path)),
        (header::CACHE_CONTROL, cached),
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::HeaderName::from_static("permissions-policy"), PERMISSIONS),
        (header::HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ]
}

fn kind(path: &str) -> &'static str {
    match path.rsplit('.').next() {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("webmanifest") => "application/manifest+json",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_document_names_is_embedded() {
        let index = Built::get("index.html").unwrap();
        let index = String::from_utf8(index.data.into_owned()).unwrap();
        let named: Vec<&str> = index.split('"').filter_map(|part| part.strip_prefix('/')).collect();
        assert!(named.iter().any(|path| path.starts_with("assets/")), "{index}");
        for path in named.iter().filter(|path| path.contains('.')) {
            assert!(Built::get(path).is_some(), "{path} is not in web/dist: build it anew");
        }
    }

    #[test]
    fn nothing_of_the_document_needs_more_than_its_policy_allows() {
        let index = Built::get("index.html").unwrap();
        let index = String::from_utf8(index.data.into_owned()).unwrap();
        for inline in ["<style", " style=", "onload=", "onerror=", "<script>"] {
            assert!(!index.contains(inline), "{inline}");
        }
    }

    #[test]
    fn only_browsers_are_given_the_page() {
        let accepting = |value: &str| HeaderMap::from_iter([(header::ACCEPT, value.parse().unwrap())]);
        assert!(wants_page(&accepting("text/html,application/xhtml+xml;q=0.9")));
        assert!(!wants_page(&accepting("*/*")));
        assert!(!wants_page(&HeaderMap::new()));
    }
}
