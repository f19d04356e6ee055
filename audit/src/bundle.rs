//! receipt.json: a receipt with all that is needed to check it away from the router. One line of compact JSON,
//! its members in one order and nothing else, so that no byte of it can be changed unnoticed.

use proto::wire::{MerklePath, Signed};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{base64::Base64, commitment::Salt, signed::Kind};

/// The most bytes that a receipt.json may have.
pub const BUNDLE_BYTES_MAX: usize = 64 << 20;

/// The largest number in it: the last up to which JavaScript counts exactly.
const NUMBER_MAX: u64 = (1 << 53) - 1;

/// What the leaf of a receipt begins with, and the kind of a receipt.
const LEAF: &[u8; 9] = b"rcpt/v1\0\x01";

/// It is not a receipt.json in its one form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no receipt.json in its one form: take the file as the router gave it")]
pub struct NotCanonical;

/// A receipt, that it is in the log, whom it names, and what opens it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bundle {
    v: u8,
    receipt: Envelope,
    leaf_salt: Base64<[u8; 32]>,
    proof: String,
    institutions: Vec<Institution>,
    opening: Option<Opening>,
}

/// A signed payload as a DSSE envelope.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Envelope {
    payload_type: String,
    payload: Base64<Vec<u8>>,
    signatures: [Signature; 1],
}

#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: Base64<[u8; 64]>,
}

/// A card that the receipt names, and that it is registered.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Institution {
    /// The card, as its owner published it.
    pub card: Base64<Vec<u8>>,
    /// The `RegistryEntry` that brought it, as it stands in the registry's log.
    pub entry: Base64<Vec<u8>>,
    /// That it stands there: a c2sp.org/tlog-proof@v1.
    pub proof: String,
}

/// What opens the commitments of a receipt. Whoever deletes it erases what was asked and said.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opening {
    /// The salt that all others follow from.
    pub salt: Base64<[u8; 32]>,
    /// The `AskRequest`.
    pub question: Base64<Vec<u8>>,
    /// The `Derivation`.
    pub derivation: Base64<Vec<u8>>,
    /// The answer.
    pub text: String,
    /// What opens each of `Receipt.calls`.
    pub calls: Vec<OpenCall>,
}

/// What opens a call.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenCall {
    /// The `AnswerRequest` as it was sent.
    pub request: Base64<Vec<u8>>,
    /// All words that came.
    pub answer: String,
    /// The passages that came.
    pub passages: Vec<OpenPassage>,
}

/// A passage that a specialist sent.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpenPassage {
    /// A `Passage` without its similarity.
    pub passage: Base64<Vec<u8>>,
    /// Where it stands in its corpus; `None` where its card tells no root, or it gave out before.
    pub path: Option<Path>,
}

/// What leads from a passage to the root of its corpus.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Path {
    /// Its place, from 0.
    pub index: u64,
    /// The hashes beside its way, from the leaf up.
    pub hashes: Vec<Base64<[u8; 32]>>,
}

impl Path {
    /// The path that a specialist sent; `None` where its hashes are none.
    pub fn new(path: &MerklePath) -> Option<Self> {
        let hash = |hash: &Vec<u8>| hash.as_slice().try_into().ok().map(Base64);
        let hashes = path.hashes.iter().map(hash).collect::<Option<_>>()?;
        (path.index <= NUMBER_MAX).then_some(Self { index: path.index, hashes })
    }
}

impl Opening {
    /// The salt that all others follow from.
    pub fn salt(&self) -> Salt {
        Salt::from(self.salt.0)
    }
}

impl Bundle {
    /// A receipt that the key with the hash `keyid` in its vkey signed, under `leaf_salt` in the log as `proof` says.
    ///
    /// `institutions` holds one for each card that the receipt's calls and their statements name, in the order
    /// in which they do: of each call its own card first, then its statement's. `None` where the signature has
    /// not 64 bytes.
    pub fn new(
        receipt: Signed,
        keyid: [u8; 4],
        leaf_salt: &Salt,
        proof: String,
        institutions: Vec<Institution>,
        opening: Option<Opening>,
    ) -> Option<Self> {
        let sig = Base64(receipt.signature.try_into().ok()?);
        let receipt = Envelope {
            payload_type: Kind::Receipt.payload_type().to_owned(),
            payload: Base64(receipt.payload),
            signatures: [Signature { keyid: hex::encode(keyid), sig }],
        };
        Some(Self { v: 1, receipt, leaf_salt: Base64(*leaf_salt.as_bytes()), proof, institutions, opening })
    }

    /// Reads a receipt.json of at most [`BUNDLE_BYTES_MAX`], which has to be in its one form.
    pub fn read(bytes: &[u8]) -> Result<Self, NotCanonical> {
        if bytes.len() > BUNDLE_BYTES_MAX {
            return Err(NotCanonical);
        }
        let bundle: Self = serde_json::from_slice(bytes).map_err(|_| NotCanonical)?;
        let kind = bundle.receipt.payload_type == Kind::Receipt.payload_type();
        let known = bundle.v == 1 && kind && bundle.indexes().all(|index| index <= NUMBER_MAX);
        if known && bundle.to_json().as_bytes() == bytes { Ok(bundle) } else { Err(NotCanonical) }
    }

    /// The one line of JSON, without a line break.
    pub fn to_json(&self) -> String {
        // Strings, numbers and lists always become JSON.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// The receipt as it was signed.
    pub fn receipt(&self) -> Signed {
        let [signature] = &self.receipt.signatures;
        Signed { payload: self.receipt.payload.0.clone(), signature: signature.sig.0.to_vec() }
    }

    /// The key that is said to have signed it, as 8 hexadecimal digits.
    pub fn keyid(&self) -> &str {
        &self.receipt.signatures[0].keyid
    }

    /// The salt of its leaf.
    pub fn leaf_salt(&self) -> Salt {
        Salt::from(self.leaf_salt.0)
    }

    /// That it is in the log: a c2sp.org/tlog-proof@v1.
    pub fn proof(&self) -> &str {
        &self.proof
    }

    /// The cards that it names.
    pub fn institutions(&self) -> &[Institution] {
        &self.institutions
    }

    /// What opens it, where that is kept.
    pub fn opening(&self) -> Option<&Opening> {
        self.opening.as_ref()
    }

    /// The same without what opens it: what is left once that is deleted.
    #[must_use]
    pub fn closed(self) -> Self {
        Self { opening: None, ..self }
    }

    fn indexes(&self) -> impl Iterator<Item = u64> {
        let calls = self.opening.iter().flat_map(|opening| &opening.calls);
        calls
            .flat_map(|call| &call.passages)
            .filter_map(|passage| passage.path.as_ref())
            .map(|path| path.index)
    }
}

/// What stands in the log for a receipt of `router`: nobody who has not the receipt learns anything by it.
pub fn leaf(salt: &Salt, receipt: &Signed, router: &str) -> [u8; 73] {
    let mut hasher = Sha256::new_with_prefix(b"leaf");
    for part in [salt.as_bytes().as_slice(), &receipt.signature, &receipt.payload] {
        hasher.update(part);
    }
    let mut leaf = [0; 73];
    leaf[..9].copy_from_slice(LEAF);
    leaf[9..41].copy_from_slice(&hasher.finalize());
    leaf[41..].copy_from_slice(&Sha256::digest(router));
    leaf
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bundle() -> Bundle {
        let passage = OpenPassage {
            passage: Base64(b"p".to_vec()),
            path: Some(Path { index: 3, hashes: vec![Base64([4; 32])] }),
        };
        let call = OpenCall {
            request: Base64(vec![1]),
            answer: "é\n\"\u{1}\u{7f}/".into(),
            passages: vec![passage],
        };
        let opening = Opening {
            salt: Base64([2; 32]),
            question: Base64(Vec::new()),
            derivation: Base64(vec![9]),
            text: String::new(),
            calls: vec![call],
        };
        let institution =
            Institution { card: Base64(vec![5]), entry: Base64(vec![6]), proof: "proof\n".into() };
        let salt = Salt::read(&[1; 32]).unwrap();
        let receipt = Signed { payload: vec![7; 5], signature: vec![8; 64] };
        Bundle::new(receipt, [0, 0, 0, 0xab], &salt, "p\n".into(), vec![institution], Some(opening)).unwrap()
    }

    #[test]
    fn it_comes_back_from_its_json() {
        let json = bundle().to_json();
        assert!(Bundle::read(json.as_bytes()).unwrap() == bundle());
        let receipt = r#"{"v":1,"receipt":{"payloadType":"application/vnd.consilium.receipt.v1+protobuf","#;
        assert!(json.starts_with(receipt), "{json}");
        assert!(json.contains(r#""signatures":[{"keyid":"000000ab","sig":""#), "{json}");
        assert!(json.contains(r#""answer":"é\n\"\u0001"#) && !json.ends_with('\n'), "{json}");
        let closed = bundle().closed().to_json();
        assert!(closed.ends_with(r#","opening":null}"#), "{closed}");
        assert!(Bundle::read(closed.as_bytes()).is_ok());
    }

    #[test]
    fn what_is_said_in_another_way_is_refused() {
        let json = bundle().to_json();
        let changed = |from: &str, to: &str| {
            assert!(json.contains(from), "{from}");
            json.replacen(from, to, 1)
        };
        let closed = bundle().closed().to_json();
        for other in [
            format!("{json}\n"),
            format!(" {json}"),
            changed("{\"v\":1", "{\"v\":2"),
            changed("{\"v\":1", "{\"v\": 1"),
            changed("{\"v\":1", "{\"v\":1,\"v\":1"),
            changed("{\"v\":1", "{\"v\":1,\"w\":1"),
            changed("\"index\":3", "\"index\":3.0"),
            changed("\"index\":3", "\"index\":9007199254740992"),
            changed("é", "\\u00e9"),
            changed("/\"", "\\/\""),
            changed("receipt.v1", "statement.v1"),
            changed("\"text\":\"\",", ""),
            closed.replacen(",\"opening\":null", "", 1),
        ] {
            assert!(Bundle::read(other.as_bytes()).is_err(), "{other}");
        }
    }

    #[test]
    fn a_leaf_differs_with_each_of_its_parts() {
        let receipt = |byte| Signed { payload: vec![byte], signature: vec![8; 64] };
        let leaf = |salt: u8, byte, router| leaf(&Salt::read(&[salt; 32]).unwrap(), &receipt(byte), router);
        let one = leaf(1, 7, "a.example");
        assert!(one.starts_with(b"rcpt/v1\0\x01"));
        for other in [leaf(2, 7, "a.example"), leaf(1, 8, "a.example"), leaf(1, 7, "b.example")] {
            assert_ne!(one, other);
        }
    }
}
