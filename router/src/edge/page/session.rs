//! Whose a conversation is: whoever holds a cookie's secret. The router keeps the secret's SHA-256 only.

use std::convert::Infallible;

use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, HeaderValue, header, request::Parts},
};
use sha2::{Digest as _, Sha256};

use super::super::error::ApiError;

const COOKIE: &str = "consilium_session";

/// Who asks. A secret that the router does not know is an empty session.
pub(super) struct Session {
    secret: Option<[u8; 32]>,
    /// Whether the browser speaks TLS to whatever stands before the router.
    https: bool,
}

impl Session {
    /// By what it is known in the database. Where the request has no cookie, no conversation is its own.
    pub(super) fn owner(&self) -> Result<[u8; 32], ApiError> {
        let secret = self.secret.ok_or(ApiError::UnknownConversation)?;
        Ok(Sha256::digest(secret).into())
    }

    /// The session, or a new one.
    pub(super) fn or_new(mut self) -> Result<Self, ApiError> {
        if self.secret.is_none() {
            let mut secret = [0; 32];
            getrandom::fill(&mut secret).map_err(|_| ApiError::Random)?;
            self.secret = Some(secret);
        }
        Ok(self)
    }

    /// What has the browser keep it for so many `days` from now on.
    pub(super) fn set_cookie(&self, days: u32) -> HeaderMap {
        let set = self.secret.and_then(|secret| {
            let (secret, seconds) = (hex::encode(secret), u64::from(days) * 24 * 60 * 60);
            let secure = if self.https { "; Secure" } else { "" };
            let cookie =
                format!("{COOKIE}={secret}; HttpOnly; SameSite=Lax; Path=/; Max-Age={seconds}{secure}");
            HeaderValue::try_from(cookie).ok()
        });
        set.into_iter().map(|set| (header::SET_COOKIE, set)).collect()
    }
}

impl<S: Sync> FromRequestParts<S> for Session {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(read(&parts.headers))
    }
}

fn read(headers: &HeaderMap) -> Session {
    let cookies = headers.get_all(header::COOKIE).into_iter().filter_map(|value| value.to_str().ok());
    let mut cookies = cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    let secret = cookies.find_map(|(name, value)| {
        let mut secret = [0; 32];
        hex::decode_to_slice(value, &mut secret).ok().filter(|()| name == COOKIE)?;
        Some(secret)
    });
    let https = headers.get("x-forwarded-proto").is_some_and(|protocol| protocol == "https");
    Session { secret, https }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_read_back_from_its_cookie() {
        let session = read(&HeaderMap::new()).or_new().unwrap();
        let set = session.set_cookie(2).remove(header::SET_COOKIE).unwrap();
        let set = set.to_str().unwrap();
        let (pair, rest) = set.split_once("; ").unwrap();
        assert_eq!(rest, "HttpOnly; SameSite=Lax; Path=/; Max-Age=172800");
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, format!("theme=dark; {pair}").parse().unwrap());
        headers.append("x-forwarded-proto", HeaderValue::from_static("https"));
        let back = read(&headers).or_new().unwrap();
        assert_eq!(back.owner().unwrap(), session.owner().unwrap());
        assert!(back.set_cookie(2)[header::SET_COOKIE].to_str().unwrap().ends_with("; Secure"));
    }

    #[test]
    fn what_is_no_session_is_none() {
        for cookie in ["", "consilium_session", "consilium_session=", "consilium_session=00ff", "a=b;;=;"] {
            let mut headers = HeaderMap::new();
            headers.append(header::COOKIE, HeaderValue::from_static(cookie));
            assert!(read(&headers).owner().is_err(), "{cookie}");
        }
        assert!(read(&HeaderMap::new()).set_cookie(1).is_empty());
    }
}
