//! Commitments: digests of what is private, which say nothing to whoever has no salt. Hashes of questions
//! alone could be guessed from a dictionary.

use hkdf::Hkdf;
use proto::Digest;
use sha2::Sha256;

/// What every commitment begins with, so that it is no other digest.
const DOMAIN: &[u8] = b"consilium/commit/v1\0";

/// 32 bytes that hide what is committed to. Whoever loses them can open nothing any more.
#[derive(Clone, PartialEq, Eq)]
pub struct Salt([u8; 32]);

impl Salt {
    /// Fresh random bytes; an error where the system has none.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }

    /// The salt with these bytes, if there are 32.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Its bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The salt below it for `label`: whoever knows one of these learns neither this nor its neighbours
    /// (HKDF, RFC 5869, with this as the key and `label` as the information).
    #[must_use]
    pub fn derive(&self, label: &str) -> Self {
        let mut bytes = [0; 32];
        let expanded = Hkdf::<Sha256>::new(None, &self.0).expand(label.as_bytes(), &mut bytes);
        debug_assert!(expanded.is_ok(), "32 bytes are within HKDF's limit");
        Self(bytes)
    }

    /// The salt of all that one specialist is asked and says under this salt of a whole turn.
    #[must_use]
    pub fn of_call(&self, specialist_id: &str) -> Self {
        self.derive(&format!("call/{specialist_id}"))
    }

    /// The commitment to `bytes` as `label` under this salt, which serves for all labels.
    pub fn commit(&self, label: &str, bytes: &[u8]) -> Digest {
        commitment(label, &self.derive(label), bytes)
    }
}

impl From<[u8; 32]> for Salt {
    /// The salt with these bytes.
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl std::fmt::Debug for Salt {
    /// Not its bytes, which belong in no log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(..)")
    }
}

/// The commitment to `bytes` as `label`, at most 255 bytes, with the salt of just this label.
pub fn commitment(label: &str, salt: &Salt, bytes: &[u8]) -> Digest {
    debug_assert!(label.len() <= 255, "a label's length is one byte");
    let label_length = [u8::try_from(label.len()).unwrap_or(u8::MAX)];
    let length = (bytes.len() as u64).to_be_bytes();
    let parts = [DOMAIN, &label_length, label.as_bytes(), salt.as_bytes(), &length, bytes];
    Digest::of(parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn salt(byte: u8) -> Salt {
        Salt::read(&[byte; 32]).unwrap()
    }

    #[test]
    fn a_commitment_differs_with_each_of_its_parts() {
        let commitments = [
            salt(1).commit("text", b"ab"),
            salt(2).commit("text", b"ab"),
            salt(1).commit("texta", b"b"),
            salt(1).commit("text", b"abc"),
            salt(1).commit("text", b""),
            salt(1).of_call("a").commit("text", b"ab"),
        ];
        for (at, one) in commitments.iter().enumerate() {
            assert!(commitments[at + 1..].iter().all(|other| other != one));
        }
    }

    // RFC 5869, test case 3, has no salt and no information either; its key differs in length only.
    #[test]
    fn salts_are_derived_by_hkdf() {
        let derived = salt(0x0b).derive("");
        let expected = Hkdf::<Sha256>::new(Some(&[0; 32]), &[0x0b; 32]);
        let mut bytes = [0; 32];
        expected.expand(&[], &mut bytes).unwrap();
        assert_eq!(derived.as_bytes(), &bytes);
    }

    #[test]
    fn random_salts_differ_and_are_not_printed() {
        let (one, other) = (Salt::random().unwrap(), Salt::random().unwrap());
        assert_ne!(one, other);
        assert_eq!(format!("{one:?}"), "Salt(..)");
    }
}
