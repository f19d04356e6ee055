//! Where the router meets its clients: gRPC and HTTP on one port. Only what stands here speaks wire
//! types, JSON or status codes.

mod ask;
mod assets;
mod chat;
mod error;
mod fleet;
mod openai;
mod page;
mod record;
mod registry;
mod sse;

use std::{net::SocketAddr, sync::Arc};

use anyhow::Result;
use axum::{
    Json, Router,
    extract::{DefaultBodyLimit, Path, Request, State},
    http::{HeaderMap, header},
    response::{IntoResponse, Response},
    routing::{get, post},
    serve::ListenerExt,
};
use proto::wire::{
    registry_service_server::RegistryServiceServer, router_service_server::RouterServiceServer,
};
use serde_json::json;
use serve::Tasks;
use tokio::net::TcpListener;
use tonic::service::Routes;
use tower_http::compression::CompressionLayer;

use crate::{app::App, metrics::Present};
use error::ApiError;

/// Starts to serve everything on `listener`; when the process stops, answers under way may end.
pub async fn spawn(
    app: Arc<App>,
    listener: TcpListener,
    request_bytes_max: usize,
    tasks: &Tasks,
) -> Result<()> {
    let (reporter, health) = tonic_health::server::health_reporter();
    reporter.set_serving::<RouterServiceServer<ask::Asking>>().await;
    reporter.set_serving::<RegistryServiceServer<registry::Registering>>().await;
    let reflection = tonic_reflection::server::Builder::configure()
        .register_encoded_file_descriptor_set(proto::DESCRIPTOR_SET)
        .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        .with_service_name("consilium.v1.RouterService")
        .with_service_name("consilium.v1.RegistryService")
        .with_service_name("grpc.health.v1.Health")
        .build_v1()?;
    let asking = RouterServiceServer::new(ask::Asking::new(app.clone()));
    let registering = registry::Registering::new(app.fleet.clone(), tasks.clone());
    let grpc = Routes::new(asking.max_decoding_message_size(request_bytes_max))
        .add_service(RegistryServiceServer::new(registering))
        .add_service(health)
        .add_service(reflection)
        .prepare()
        .into_axum_router();
    let page = page::routes(app.clone(), tasks.clone());
    let router =
        grpc.merge(http(app)).merge(page).fallback(unknown).layer(DefaultBodyLimit::max(request_bytes_max));
    let stopping = tasks.stopping();
    tasks.spawn("serve", async move {
        // Answers are streams of small events; none waits for the next.
        let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let served = axum::serve(listener, service).with_graceful_shutdown(stopping).await;
        if let Err(error) = served {
            tracing::error!(%error, "the listening socket failed");
        }
    });
    Ok(())
}

fn http(app: Arc<App>) -> Router {
    let record = record::routes(&app);
    // What is long and the same for all goes out compressed, and nothing else: the length of what is compressed says
    // something of what is in it, and conversations hold what others wrote beside what opens their receipts.
    let compressed = assets::routes()
        .route("/", get(front))
        .route("/v1/fleet", get(fleet::fleet))
        .layer(CompressionLayer::new());
    Router::new()
        .merge(record)
        .merge(compressed)
        .route("/healthz", get(async || "ok\n"))
        .route("/readyz", get(async || "ok\n"))
        .route("/metrics", get(metrics))
        .route("/v1/models", get(models))
        .route("/v1/models/{*id}", get(model))
        .route("/v1/chat/completions", post(chat::completions))
        .with_state(app)
}

/// What stands at the address that a person opens: the page, and for terminals some words.
async fn front(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    if assets::wants_page(&headers) {
        return assets::index();
    }
    let count = app.fleet.snapshot().members().len();
    let text = format!(
        "A Consilium router. Registered specialists: {count}.\n\n\
         In a browser:    this address\n\
         In a terminal:   router ask \"your question\"\n\
         OpenAI clients:  base address /v1, model consilium/auto\n\
         gRPC:            consilium.v1.RouterService, with reflection\n\
         Operators:       /healthz /readyz /metrics\n"
    );
    text.into_response()
}

async fn metrics(State(app): State<Arc<App>>) -> impl IntoResponse {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    let present = Present {
        backend: app.embedder.backend(),
        health: app.fleet.health(),
        ejected: app.ejected(&app.fleet.snapshot()),
        excess: app.trust.excesses(),
        in_flight: app.dispatch.in_flight(),
        encoder_waiting: app.embedder.waiting(),
        receipts: app.receipts.written(),
        receipt_writes: app.receipts.writes(),
    };
    ([(header::CONTENT_TYPE, kind)], app.metrics.text(&present))
}

async fn models(State(app): State<Arc<App>>) -> impl IntoResponse {
    Json(json!({ "object": "list", "data": openai::models(&app.fleet.snapshot()) }))
}

async fn model(State(app): State<Arc<App>>, Path(id): Path<String>) -> Result<impl IntoResponse, ApiError> {
    let models = openai::models(&app.fleet.snapshot());
    let found = models.into_iter().find(|model| model["id"] == id);
    found.map(Json).ok_or(ApiError::UnknownModel(id))
}

/// A path that is neither HTTP's nor gRPC's; each side is told in its own way.
async fn unknown(headers: HeaderMap, request: Request) -> Response {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    if kind.starts_with("application/grpc") {
        return error::no_such_method().into_http();
    }
    ApiError::UnknownPath(request.uri().path().to_owned()).into_response()
}
