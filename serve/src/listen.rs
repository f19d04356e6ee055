//! The listening socket.

use std::io;

use tokio::net::TcpListener;

/// Why an address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {
    /// Somebody else listens there.
    #[error("{address} is taken by another process: stop it, or name another port with --listen")]
    Taken {
        /// The address asked for.
        address: String,
    },
    /// Anything else.
    #[error("cannot listen on {address}")]
    Other {
        /// The address asked for.
        address: String,
        /// Why.
        source: io::Error,
    },
}

/// Listens on `address`, `host:port`; port 0 takes a free one.
pub async fn listen(address: &str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).await.map_err(|source| {
        let address = address.to_owned();
        match source.kind() {
            io::ErrorKind::AddrInUse => ListenError::Taken { address },
            _ => ListenError::Other { address, source },
        }
    })
}
