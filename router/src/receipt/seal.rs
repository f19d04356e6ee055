//! What opens a receipt's commitments is kept sealed under a capability that the asker alone has: the router hands
//! it out with the answer and forgets it, so that whoever takes the disk learns nothing.

use audit::Salt;
use chacha20poly1305::{
    ChaCha20Poly1305, Key, Nonce,
    aead::{Aead, KeyInit, Payload},
};
use proto::Digest;

/// What the key is derived for.
const LABEL: &str = "consilium/seal/v1";

/// What opens one receipt: 32 random bytes, and to people 64 hexadecimal digits.
#[derive(Clone)]
pub struct Capability(Salt);

impl std::fmt::Debug for Capability {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Capability(..)")
    }
}

impl Capability {
    /// A new one.
    pub fn random() -> Option<Self> {
        Salt::random().ok().map(Self)
    }

    /// The one that somebody shows, if it can be one.
    pub fn read(shown: &str) -> Option<Self> {
        Salt::read(&hex::decode(shown).ok()?).map(Self)
    }

    /// As it is handed out.
    pub fn reveal(&self) -> String {
        hex::encode(self.0.as_bytes())
    }

    /// By which it is known again.
    pub(super) fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// `opening` of the turn `request_id`, so that only this opens it again.
    pub(super) fn seal(&self, request_id: &str, opening: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload { msg: opening, aad: request_id.as_bytes() };
        self.cipher().encrypt(&Nonce::default(), payload).ok()
    }

    /// What was sealed.
    pub(super) fn unseal(&self, request_id: &str, sealed: &[u8]) -> Option<Vec<u8>> {
        let payload = Payload { msg: sealed, aad: request_id.as_bytes() };
        self.cipher().decrypt(&Nonce::default(), payload).ok()
    }

    /// Each key seals once, so no nonce is needed.
    fn cipher(&self) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&Key::from(*self.0.derive(LABEL).as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_capability_opens_what_was_sealed() {
        let (one, other) = (Capability::random().unwrap(), Capability::random().unwrap());
        let sealed = one.seal("r", b"question").unwrap();
        assert!(!sealed.windows(8).any(|bytes| bytes == b"question"));
        let again = Capability::read(&one.reveal()).unwrap();
        assert_eq!(again.unseal("r", &sealed).unwrap(), b"question");
        assert_eq!(other.unseal("r", &sealed), None);
        assert_eq!(one.unseal("another", &sealed), None);
        assert!(Capability::read("no").is_none());
    }
}
