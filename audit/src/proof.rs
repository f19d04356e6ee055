//! Proofs that travel: that an entry is in a log, with the checkpoint that says so, as one text.
//! <https://c2sp.org/tlog-proof>, without an `extra` line.

use std::{fmt, str::FromStr};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use proto::Digest;

use crate::{
    checkpoint::{Checkpoint, CheckpointError, Opened},
    merkle,
    note::{NOTE_BYTES_MAX, Vkey},
};

/// The most hashes on an entry's way to its root.
pub const PATH_MAX: usize = 48;

/// The most bytes that a proof may have: a note, and a path of 45 bytes a hash.
pub const PROOF_BYTES_MAX: usize = NOTE_BYTES_MAX + (4 << 10);

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// That entry `index` is in a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proof {
    /// The entry's place.
    pub index: u64,
    /// The hashes beside its way to the root, from the leaf up; at most [`PATH_MAX`].
    pub path: Vec<Digest>,
    /// The signed checkpoint.
    pub checkpoint: String,
}

/// Why a proof is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// Not a proof.
    #[error("this is no `{HEADER}` in its one form")]
    Malformed,
    /// Its checkpoint is not taken.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The path does not lead from the entry to the checkpoint's root.
    #[error("the entry is not in the log at the place that the proof names")]
    NotIncluded,
}

impl Proof {
    /// Checks that `entry` is in the log with the key `log`, and gives the checkpoint that says so.
    pub fn verify(&self, entry: &[u8], log: &Vkey, witnesses: &[Vkey]) -> Result<Opened, ProofError> {
        let opened = Checkpoint::open(&self.checkpoint, log, witnesses)?;
        let Checkpoint { root, size, .. } = opened.checkpoint;
        let included =
            self.path.len() <= PATH_MAX && merkle::includes(root, size, self.index, entry, &self.path);
        if included { Ok(opened) } else { Err(ProofError::NotIncluded) }
    }
}

impl fmt::Display for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\nindex {}", self.index)?;
        self.path.iter().try_for_each(|hash| writeln!(f, "{}", BASE64_STANDARD.encode(hash.as_bytes())))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

impl FromStr for Proof {
    type Err = ProofError;

    fn from_str(text: &str) -> Result<Self, ProofError> {
        let read = || {
            let (proof, checkpoint) = text.split_once("\n\n").filter(|_| text.len() <= PROOF_BYTES_MAX)?;
            let mut lines = proof.lines();
            let index = lines.nth(1)?.strip_prefix("index ")?.parse().ok()?;
            let hash = |line: &str| {
                let hash: [u8; 32] = BASE64_STANDARD.decode(line).ok()?.try_into().ok()?;
                Some(Digest::from(hash))
            };
            let path: Vec<Digest> = lines.map(hash).collect::<Option<_>>()?;
            Some(Self { index, path, checkpoint: checkpoint.to_owned() })
                .filter(|it| it.path.len() <= PATH_MAX)
        };
        let proof: Self = read().ok_or(ProofError::Malformed)?;
        if proof.to_string() == text { Ok(proof) } else { Err(ProofError::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        key::SecretKey,
        merkle::Tree,
        note::{Algorithm, NoteError},
    };

    fn proof(key: &SecretKey, index: u8, size: u8) -> Proof {
        let mut tree = Tree::default();
        (0..size).for_each(|entry| tree.push(&[entry]).unwrap());
        let checkpoint =
            Checkpoint { origin: "r/receipts".into(), size: size.into(), root: tree.root().unwrap() };
        let checkpoint = checkpoint.sign(key).unwrap().to_string();
        Proof { index: index.into(), path: tree.path(index.into()).unwrap(), checkpoint }
    }

    fn verify(text: &str, entry: u8, key: &SecretKey) -> Result<Opened, ProofError> {
        let log = Vkey::new("r/receipts", Algorithm::Ed25519, key.public()).unwrap();
        text.parse::<Proof>()?.verify(&[entry], &log, &[])
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let key = SecretKey::generate().unwrap();
        for (index, size) in [(0, 1), (5, 11), (10, 11)] {
            let text = proof(&key, index, size).to_string();
            assert_eq!(verify(&text, index, &key).unwrap().checkpoint.size, u64::from(size));
            assert_eq!(verify(&text, index + 1, &key), Err(ProofError::NotIncluded));
            for bit in 0..text.len() * 8 {
                let mut bytes = text.clone().into_bytes();
                bytes[bit / 8] ^= 1 << (bit % 8);
                let refused =
                    String::from_utf8(bytes).map_or(true, |text| verify(&text, index, &key).is_err());
                assert!(refused, "bit {bit} of {text}");
            }
        }
    }

    #[test]
    fn refusals_have_their_names() {
        let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let text = proof(&key, 3, 7).to_string();
        let foreign = NoteError::OtherKey("r/receipts".into());
        assert_eq!(verify(&text, 3, &other), Err(ProofError::Checkpoint(foreign.into())));
        let extra = text.replacen("index", "extra QQ==\nindex", 1);
        for text in [extra, text.replace("index 3", "index 03"), format!("{text}\n"), String::new()] {
            assert!(matches!(verify(&text, 3, &key), Err(ProofError::Malformed | ProofError::Checkpoint(_))));
        }
        let long = Proof { path: vec![Digest::of(""); PATH_MAX + 1], ..proof(&key, 3, 7) };
        assert_eq!(long.to_string().parse::<Proof>(), Err(ProofError::Malformed));
    }
}
