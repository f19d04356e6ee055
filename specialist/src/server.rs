//! The composition root: encoder, corpus, library, service and listening socket, joined here.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use embedding::{Embedder, Engine, Model};
use proto::{
    config::{EncoderConfig, GeneratorConfig},
    wire::specialist_service_server::SpecialistServiceServer,
};
use serve::Tasks;
use tokio::sync::{oneshot, watch};
use tonic::transport::server::TcpIncoming;
use tonic_health::{ServingStatus, server::HealthReporter};

use crate::{
    Error, Settings,
    generator::Generator,
    library::{Librarian, Library},
    rescan,
    service::Service,
};

/// How long running answers may take to end when the process stops.
const GRACE: Duration = Duration::from_secs(5);

/// The most bytes that a request may have.
const REQUEST_BYTES_MAX: usize = 1 << 20;

/// The most calls that one connection may have open.
const CALLS_PER_CONNECTION_MAX: u32 = 256;

/// How often a silent connection is asked whether its other end still lives; answers of one that
/// does not are dropped.
const KEEPALIVE: Duration = Duration::from_secs(20);

/// A specialist that serves.
pub struct Server {
    url: String,
    tasks: Tasks,
    health: HealthReporter,
    failed: oneshot::Receiver<tonic::transport::Error>,
}

impl Server {
    /// Loads the encoder, reads and embeds the corpus, then listens and serves. Returns once it does.
    pub async fn start(settings: Settings) -> Result<Self, Error> {
        let embedder = embedder(&settings).await?;
        Self::serve(settings, embedder).await
    }

    /// The same with an encoder that is loaded already.
    pub async fn serve(settings: Settings, embedder: Option<Embedder>) -> Result<Self, Error> {
        let generator = generator(&settings.config.generator, embedder.clone())?;
        let mut librarian = Librarian::new(settings.clone(), embedder.clone())?;
        let collection = match librarian.refresh().await? {
            Some(collection) => collection,
            None => librarian.collect().await?,
        };
        let listener = serve::listen(&settings.config.listen).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let endpoint = settings.config.public_endpoint.clone().unwrap_or_else(|| url.clone());
        let library = Library::publish(&settings, &endpoint, collection)?;
        let card = library.card().card();
        tracing::info!(specialist = %card.id, revision = card.revision, passages = card.passage_count, "serving");

        let tasks = Tasks::new(GRACE);
        let (publish, library) = watch::channel(Arc::new(library));
        if settings.corpus.is_some() {
            tasks.spawn("rescan", rescan::follow(librarian, endpoint, publish, tasks.stopping()));
        }
        let space = embedder.as_ref().map(|embedder| embedder.space().clone());
        let service = Service::new(library, generator, space);
        let service = SpecialistServiceServer::new(service).max_decoding_message_size(REQUEST_BYTES_MAX);
        let (health, health_service) = tonic_health::server::health_reporter();
        health.set_serving::<SpecialistServiceServer<Service>>().await;
        let served = tonic::transport::Server::builder()
            .max_concurrent_streams(CALLS_PER_CONNECTION_MAX)
            .http2_keepalive_interval(Some(KEEPALIVE))
            .add_service(health_service)
            .add_service(service)
            .serve_with_incoming_shutdown(
                TcpIncoming::from(listener).with_nodelay(Some(true)),
                tasks.stopping(),
            );
        let (fail, failed) = oneshot::channel();
        tasks.spawn("serve", async move {
            if let Err(error) = served.await {
                // Nobody listens any more once the process stops by itself.
                let _ = fail.send(error);
            }
        });
        Ok(Self { url, tasks, health, failed })
    }

    /// Where it listens, `http://host:port`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Serves until `stop` ends, then lets running answers end within five seconds.
    pub async fn run(self, stop: impl Future<Output = std::io::Result<()>>) -> Result<(), Error> {
        let Self { url: _, tasks, health, failed } = self;
        let outcome = tokio::select! {
            stopped = stop => stopped.map_err(Error::from),
            Ok(error) = failed => Err(error.into()),
        };
        health.set_not_serving::<SpecialistServiceServer<Service>>().await;
        health.set_service_status("", ServingStatus::NotServing).await;
        tasks.shutdown().await;
        outcome
    }
}

/// The encoder that the settings ask for.
pub(crate) async fn embedder(settings: &Settings) -> Result<Option<Embedder>, Error> {
    let model = match settings.config.encoder {
        EncoderConfig::None => return Ok(None),
        EncoderConfig::Hashed => Model::hashed(),
        EncoderConfig::Model => load(settings.model.clone(), settings.engine).await?,
    };
    // The thread ends with the last handle, and holds nothing that must outlive the process.
    let (embedder, _thread) = Embedder::start(model).map_err(Error::Encoder)?;
    Ok(Some(embedder))
}

async fn load(folder: PathBuf, engine: Option<Engine>) -> Result<Model, Error> {
    Ok(tokio::task::spawn_blocking(move || Model::load_with(&folder, engine)).await??)
}

/// The generator that the settings ask for.
pub fn generator(config: &GeneratorConfig, embedder: Option<Embedder>) -> Result<Generator, Error> {
    match config {
        GeneratorConfig::Extractive { lead_words_max } => {
            let embedder = embedder.ok_or(Error::NoEncoder)?;
            Ok(Generator::Extractive { embedder, lead_words_max: *lead_words_max })
        }
        GeneratorConfig::Scripted { steps } => Ok(Generator::Scripted { steps: steps.as_slice().into() }),
    }
}
