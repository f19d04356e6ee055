//! Dialling specialists: no address is dialled that was not checked.
//!
//! Whoever registers a specialist names a host, and the router then calls it. Unchecked, that reaches
//! whatever the router's machine reaches: its own services, its private network, the address at which a
//! cloud hands out credentials. A name can also be harmless when it is admitted and lead inside later.
//! So the check stands where connections are made: each one resolves the name, drops what the policy
//! refuses, and dials exactly what is left, never the name. No HTTP redirect is followed: a specialist
//! that answers with one has failed.

mod special;
#[cfg(test)]
mod tests;

use std::{
    error::Error,
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
    task::{Context, Poll},
    time::Duration,
};

use futures_util::future::BoxFuture;
use hyper_util::rt::TokioIo;
use proto::Endpoint;
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
    time::{Instant, timeout, timeout_at},
};
use tonic::{Status, transport::Uri};
use tower_service::Service;

pub use special::{Policy, Special};

/// The most addresses of one name that are tried.
const ADDRESSES_MAX: usize = 4;

/// The bytes of a connection, both ways.
pub trait Wire: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Wire for T {}

/// Names and connections: the machine's own, the simulation's, and those of tests whose names lie.
pub trait Network: fmt::Debug + Send + Sync {
    /// The addresses that `host` has now.
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>>;
    /// A connection to `address`.
    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Wire>>>;
}

/// The machine's own.
#[derive(Debug)]
struct System;

impl Network for System {
    fn resolve(&self, host: String, port: u16) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }

    fn connect(&self, address: SocketAddr) -> BoxFuture<'static, io::Result<Box<dyn Wire>>> {
        Box::pin(async move {
            let stream = TcpStream::connect(address).await?;
            // Answers are streams of small events; none waits for the next.
            stream.set_nodelay(true)?;
            Ok(Box::new(stream) as Box<dyn Wire>)
        })
    }
}

/// Why no connection was made.
#[derive(Debug, thiserror::Error)]
pub enum DialError {
    /// No address of the name may be dialled.
    #[error("its name leads to {0}, which is not dialled")]
    Refused(Special),
    /// None could be.
    #[error("it cannot be reached")]
    Failed(#[from] io::Error),
}

/// Dials by one policy.
#[derive(Debug, Clone)]
pub struct Dialler {
    policy: Policy,
    network: Arc<dyn Network>,
}

impl Dialler {
    /// Dials over the machine's network.
    pub fn new(policy: Policy) -> Self {
        Self::over(Arc::new(System), policy)
    }

    /// Dials over `network`.
    pub fn over(network: Arc<dyn Network>, policy: Policy) -> Self {
        Self { policy, network }
    }

    /// What connects to `endpoint`, each time within `limit`.
    pub(crate) fn connector(&self, endpoint: &Endpoint, limit: Duration) -> Connector {
        let (dialler, endpoint) = (self.clone(), endpoint.clone());
        Connector(Arc::new(Line { dialler, endpoint, limit, past: Mutex::default() }))
    }
}

/// Connects to one endpoint, again and again.
#[derive(Clone)]
pub(crate) struct Connector(Arc<Line>);

impl Connector {
    /// Ends the dials that begin before `by` at that time: whoever calls again has waited already.
    pub(crate) fn hurry(&self, by: Instant) {
        self.0.past().dial_by = Some(by);
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<Box<dyn Wire>>;
    type Error = DialError;
    type Future = BoxFuture<'static, Result<Self::Response, DialError>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), DialError>> {
        Poll::Ready(Ok(()))
    }

    /// The address is always the endpoint's own, whatever the caller names.
    fn call(&mut self, _: Uri) -> Self::Future {
        let line = self.0.clone();
        Box::pin(async move { line.dial().await.map(TokioIo::new) })
    }
}

struct Line {
    dialler: Dialler,
    endpoint: Endpoint,
    limit: Duration,
    past: Mutex<Past>,
}

/// What became of the connections so far.
#[derive(Default)]
struct Past {
    /// The address that was dialled last: while the name still has it, it is dialled first, so that
    /// one specialist is not many by chance.
    pinned: Option<SocketAddr>,
    /// The last refusal, so that one that lasts is logged once.
    refused: Option<Special>,
    /// When the dials for a further call end; the others have the whole time.
    dial_by: Option<Instant>,
}

impl Line {
    async fn dial(&self) -> Result<Box<dyn Wire>, DialError> {
        let now = Instant::now();
        let by = self.past().dial_by.filter(|by| *by > now).unwrap_or(now + self.limit);
        let uri = self.endpoint.uri();
        // A URI puts an IPv6 address in brackets, a resolver does not know them.
        let host = uri.host().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let port = uri.port_u16().unwrap_or_default();
        let resolved = timeout_at(by, self.dialler.network.resolve(host, port));
        let resolved = resolved.await.map_err(io::Error::from)??;
        let addresses = self.allowed(resolved).inspect_err(|error| self.note(error))?;

        let mut failed = io::Error::new(io::ErrorKind::NotFound, "its name has no address");
        let mut left = u32::try_from(addresses.len()).unwrap_or(u32::MAX);
        for address in addresses {
            // Its share of the time, so that a silent address leaves some to the next.
            let share = by.saturating_duration_since(Instant::now()) / left;
            left -= 1;
            match timeout(share, self.dialler.network.connect(address)).await {
                Ok(Ok(stream)) => {
                    self.past().pinned = Some(address);
                    return Ok(stream);
                }
                Ok(Err(error)) => failed = error,
                Err(late) => failed = late.into(),
            }
        }
        Err(failed.into())
    }

    /// What may be dialled of `addresses`, the pinned one first.
    fn allowed(&self, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, DialError> {
        let mut refused = None;
        let mut allowed = addresses;
        allowed.retain(|address| {
            let special = self.dialler.policy.refuses(address.ip());
            refused = refused.or(special);
            special.is_none()
        });
        if let (true, Some(special)) = (allowed.is_empty(), refused) {
            return Err(DialError::Refused(special));
        }
        let pinned = self.past().pinned;
        allowed.sort_by_key(|address| Some(*address) != pinned);
        allowed.truncate(ADDRESSES_MAX);
        Ok(allowed)
    }

    fn note(&self, error: &DialError) {
        let DialError::Refused(special) = error else { return };
        if self.past().refused.replace(*special) != Some(*special) {
            tracing::warn!(endpoint = %self.endpoint, reason = %special, "not dialled");
        }
    }

    fn past(&self) -> std::sync::MutexGuard<'_, Past> {
        self.past.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Why no connection was made, where that is why a call failed with `status`.
pub fn error(status: &Status) -> Option<&DialError> {
    let mut source = status.source();
    while let Some(error) = source {
        if let Some(error) = error.downcast_ref() {
            return Some(error);
        }
        source = error.source();
    }
    None
}
