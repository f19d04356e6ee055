//! Where a server is reached.

use std::fmt;

use tonic::transport::Uri;

use crate::{Invalid, invalid::text};

/// `http://host:port`, without path, user or query.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint(Uri);

impl Endpoint {
    /// Reads the endpoint in `field`.
    pub fn parse(field: &str, endpoint: &str) -> Result<Self, Invalid> {
        let malformed = || Invalid::malformed(field, "must be of the form http://host:port");
        let endpoint = text(field, endpoint.to_owned(), (1, 500))?;
        let uri: Uri = endpoint.parse().map_err(|_| malformed())?;
        let authority = uri.authority().ok_or_else(malformed)?;
        let bare = uri.scheme_str() == Some("http")
            && authority.port_u16().is_some_and(|port| port != 0)
            && !authority.host().is_empty()
            && !authority.as_str().contains('@')
            && matches!(uri.path(), "" | "/")
            && uri.query().is_none();
        if bare { Ok(Self(uri)) } else { Err(malformed()) }
    }

    /// What a client dials.
    pub fn uri(&self) -> &Uri {
        &self.0
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.to_string().trim_end_matches('/'))
    }
}
