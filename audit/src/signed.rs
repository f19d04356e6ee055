//! Signatures over the exact bytes that travel: Ed25519 over DSSE's pre-authentication encoding, which
//! carries the payload's type, so that no signed thing passes for one of another kind.
//! <https://github.com/secure-systems-lab/dsse/blob/master/protocol.md>

use prost::Message;
use proto::wire;

use crate::key::{PublicKey, SecretKey};

/// What was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A specialist's card.
    Card,
    /// What a specialist was asked and what it said.
    Statement,
    /// That somebody holds a key.
    Possession,
    /// That one key follows another.
    Succession,
    /// What a router did with a question.
    Receipt,
}

impl Kind {
    /// The payload type that is signed with the payload.
    pub fn payload_type(self) -> &'static str {
        match self {
            Self::Card => "application/vnd.consilium.card.v1+protobuf",
            Self::Statement => "application/vnd.consilium.statement.v1+protobuf",
            Self::Possession => "application/vnd.consilium.possession.v1+protobuf",
            Self::Succession => "application/vnd.consilium.succession.v1+protobuf",
            Self::Receipt => "application/vnd.consilium.receipt.v1+protobuf",
        }
    }
}

/// Why something that was signed is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// Another key, or other bytes.
    #[error("the signature does not fit")]
    Mismatch,
    /// The payload is not what it is said to be.
    #[error("the payload is not of its kind")]
    Malformed,
    /// The payload holds what this version does not know, or is not in its one form.
    #[error("the payload is not in its canonical form, or was made by a newer version")]
    NotCanonical,
}

/// `payload` with `key`'s signature.
pub fn sign(key: &SecretKey, kind: Kind, payload: Vec<u8>) -> wire::Signed {
    wire::Signed { signature: signature(key, kind, &payload).to_vec(), payload }
}

/// `key`'s signature over `payload`: 64 bytes.
pub fn signature(key: &SecretKey, kind: Kind, payload: &[u8]) -> [u8; 64] {
    key.sign(&encoding(kind, payload))
}

/// Whether `signature` is `key`'s over `payload`.
pub fn verify(key: &PublicKey, kind: Kind, payload: &[u8], signature: &[u8]) -> Result<(), SignatureError> {
    if key.verify(&encoding(kind, payload), signature) { Ok(()) } else { Err(SignatureError::Mismatch) }
}

/// Whether `signature` is over `payload` and of the key with the bytes `key`, which may be none.
pub fn fits(key: &[u8], kind: Kind, payload: &[u8], signature: &[u8]) -> bool {
    PublicKey::read(key).is_some_and(|key| verify(&key, kind, payload, signature).is_ok())
}

/// What `signed` says, if `key` signed it.
pub fn open<M: Message + Default>(
    key: &PublicKey,
    kind: Kind,
    signed: &wire::Signed,
) -> Result<M, SignatureError> {
    verify(key, kind, &signed.payload, &signed.signature)?;
    canonical(&signed.payload)
}

/// What `bytes` say, if they are the one encoding of it: so that nothing stands in them that is not looked at.
pub fn canonical<M: Message + Default>(bytes: &[u8]) -> Result<M, SignatureError> {
    let message = M::decode(bytes).map_err(|_| SignatureError::Malformed)?;
    if message.encode_to_vec() == bytes { Ok(message) } else { Err(SignatureError::NotCanonical) }
}

/// DSSE's pre-authentication encoding.
fn encoding(kind: Kind, payload: &[u8]) -> Vec<u8> {
    let kind = kind.payload_type();
    let mut encoding = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    encoding.extend_from_slice(payload);
    encoding
}

#[cfg(test)]
mod tests {
    use super::*;

    fn possession() -> wire::Possession {
        wire::Possession {
            nonce: vec![7; 32],
            router: "r".into(),
            specialist_id: "a".into(),
            ..Default::default()
        }
    }

    #[test]
    fn the_encoding_is_that_of_dsse() {
        let kind = Kind::Card.payload_type();
        let expected = format!("DSSEv1 42 {kind} 5 hello");
        assert_eq!(encoding(Kind::Card, b"hello"), expected.as_bytes());
    }

    #[test]
    fn every_flipped_bit_is_noticed() {
        let key = SecretKey::generate().unwrap();
        let signed = sign(&key, Kind::Possession, possession().encode_to_vec());
        let opened: wire::Possession = open(&key.public(), Kind::Possession, &signed).unwrap();
        assert_eq!(opened, possession());
        for bit in 0..signed.payload.len() * 8 {
            let mut flipped = signed.clone();
            flipped.payload[bit / 8] ^= 1 << (bit % 8);
            let opened = open::<wire::Possession>(&key.public(), Kind::Possession, &flipped);
            assert_eq!(opened, Err(SignatureError::Mismatch));
        }
        for bit in 0..512 {
            let mut flipped = signed.clone();
            flipped.signature[bit / 8] ^= 1 << (bit % 8);
            let opened = open::<wire::Possession>(&key.public(), Kind::Possession, &flipped);
            assert_eq!(opened, Err(SignatureError::Mismatch));
        }
    }

    #[test]
    fn another_kind_another_key_and_no_signature_do_not_fit() {
        let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let signed = sign(&key, Kind::Possession, possession().encode_to_vec());
        let open = |key: &SecretKey, kind, signed| open::<wire::Possession>(&key.public(), kind, signed);
        assert_eq!(open(&key, Kind::Succession, &signed), Err(SignatureError::Mismatch));
        assert_eq!(open(&other, Kind::Possession, &signed), Err(SignatureError::Mismatch));
        let unsigned = wire::Signed { signature: Vec::new(), ..signed.clone() };
        assert_eq!(open(&key, Kind::Possession, &unsigned), Err(SignatureError::Mismatch));
    }

    #[test]
    fn what_is_not_looked_at_is_not_taken() {
        let mut bytes = possession().encode_to_vec();
        assert_eq!(canonical::<wire::Possession>(&bytes), Ok(possession()));
        bytes.extend([0xf8, 0x06, 1]);
        assert_eq!(canonical::<wire::Possession>(&bytes), Err(SignatureError::NotCanonical), "field 111");
        assert_eq!(canonical::<wire::Possession>(&[0xff]), Err(SignatureError::Malformed));
    }
}
