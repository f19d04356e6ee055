//! Checkpoints: how far a log had grown and its root, signed by the log and cosigned by witnesses.
//! <https://c2sp.org/tlog-checkpoint>, <https://c2sp.org/tlog-cosignature>

use std::{fmt, str::FromStr};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use proto::Digest;

use crate::{
    key::SecretKey,
    note::{Algorithm, Line, Note, NoteError, Vkey},
};

/// The most entries that a log may have, far from where the arithmetic of trees ends.
pub const ENTRIES_MAX: u64 = 1 << 48;

/// The most witnesses whose cosignatures are looked at.
pub const WITNESSES_MAX: usize = 16;

/// The bytes of a cosignature's time, which stand before its signature.
const TIME_BYTES: usize = 8;

/// How far a log had grown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The log's name, which is that of its key.
    pub origin: String,
    /// How many entries it had, at most [`ENTRIES_MAX`].
    pub size: u64,
    /// Root of the Merkle tree over them (RFC 9162).
    pub root: Digest,
}

/// That a witness saw a log grow up to a checkpoint and nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosignature {
    /// The witness's name.
    pub witness: String,
    /// When: seconds since 1970-01-01 UTC.
    pub time_s: u64,
}

/// A checkpoint whose signatures were checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// What the log signed.
    pub checkpoint: Checkpoint,
    /// What known witnesses signed, in their order in the note.
    pub cosignatures: Vec<Cosignature>,
    /// How many lines are with keys that are not known.
    pub unknown: usize,
}

/// Why a checkpoint is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The note around it.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// Not a checkpoint.
    #[error("the signed text is no checkpoint in its one form: origin, size and root, a line each")]
    Malformed,
    /// Of another log.
    #[error("the checkpoint is of the log {found}, not of {expected}")]
    Origin {
        /// What it says.
        found: String,
        /// The key's name.
        expected: String,
    },
}

impl Checkpoint {
    /// The note that `key` signs as the log.
    pub fn sign(&self, key: &SecretKey) -> Result<Note, NoteError> {
        Note::sign(self.to_string(), &self.origin, key)
    }

    /// What `note` says, where `log` signed it and no witness's line is wrong.
    pub fn open(note: &str, log: &Vkey, witnesses: &[Vkey]) -> Result<Opened, CheckpointError> {
        let note: Note = note.parse()?;
        note.check(log)?;
        let checkpoint: Self = note.text.parse()?;
        if checkpoint.origin != log.name() {
            let expected = log.name().to_owned();
            return Err(CheckpointError::Origin { found: checkpoint.origin, expected });
        }
        let mut cosignatures = Vec::new();
        let mut unknown = 0;
        for witness in witnesses {
            note.line(witness)?;
        }
        for line in &note.lines {
            let known = witnesses.iter().find(|witness| line.names(witness) == Ok(true));
            match known {
                Some(witness) => cosignatures.push(cosignature(&note.text, line, witness)?),
                None => unknown += usize::from(!line.names(log)?),
            }
        }
        Ok(Opened { checkpoint, cosignatures, unknown })
    }
}

/// The line with which the witness `name` signs that it saw the log grow up to `checkpoint` by `time_s`,
/// seconds since 1970-01-01 UTC.
pub fn cosign(checkpoint: &Checkpoint, name: &str, key: &SecretKey, time_s: u64) -> Result<Line, NoteError> {
    let vkey = Vkey::new(name, Algorithm::Cosignature, key.public())?;
    let signature = key.sign(cosigned(&checkpoint.to_string(), time_s).as_bytes());
    Ok(Line::new(&vkey, [time_s.to_be_bytes().as_slice(), &signature].concat()))
}

/// What a witness signs.
fn cosigned(text: &str, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{text}")
}

/// What `line` says, where it is `witness`'s over a checkpoint's `text`.
pub(crate) fn cosignature(text: &str, line: &Line, witness: &Vkey) -> Result<Cosignature, NoteError> {
    let wrong = || NoteError::Signature(witness.name().to_owned());
    let (time, signature) = line.signature().split_first_chunk::<TIME_BYTES>().ok_or_else(wrong)?;
    let time_s = u64::from_be_bytes(*time);
    let fits = witness.algorithm() == Algorithm::Cosignature
        && witness.key().verify(cosigned(text, time_s).as_bytes(), signature);
    let cosignature = Cosignature { witness: witness.name().to_owned(), time_s };
    if fits { Ok(cosignature) } else { Err(wrong()) }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n{}\n{}", self.origin, self.size, BASE64_STANDARD.encode(self.root.as_bytes()))
    }
}

impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let read = || {
            let mut lines = text.lines();
            let origin = lines.next()?.to_owned();
            let size = lines.next()?.parse().ok().filter(|size| *size <= ENTRIES_MAX)?;
            let root: [u8; 32] = BASE64_STANDARD.decode(lines.next()?).ok()?.try_into().ok()?;
            Some(Self { origin, size, root: Digest::from(root) })
        };
        let checkpoint = read().ok_or(CheckpointError::Malformed)?;
        if checkpoint.to_string() == text { Ok(checkpoint) } else { Err(CheckpointError::Malformed) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Keys {
        log: SecretKey,
        witness: SecretKey,
    }

    impl Keys {
        fn new() -> Self {
            Self { log: SecretKey::generate().unwrap(), witness: SecretKey::generate().unwrap() }
        }

        fn log(&self) -> Vkey {
            Vkey::new("r/receipts", Algorithm::Ed25519, self.log.public()).unwrap()
        }

        fn witness(&self) -> Vkey {
            Vkey::new("w", Algorithm::Cosignature, self.witness.public()).unwrap()
        }

        fn open(&self, note: &str) -> Result<Opened, CheckpointError> {
            Checkpoint::open(note, &self.log(), &[self.witness()])
        }

        fn cosigned(&self) -> Note {
            let mut note = checkpoint().sign(&self.log).unwrap();
            note.lines.push(cosign(&checkpoint(), "w", &self.witness, 1_700_000_000).unwrap());
            note
        }
    }

    fn checkpoint() -> Checkpoint {
        Checkpoint { origin: "r/receipts".into(), size: 20, root: Digest::of("root") }
    }

    #[test]
    fn a_checkpoint_comes_back_with_its_witnesses() {
        let keys = Keys::new();
        let mut note = keys.cosigned();
        note.lines.push(cosign(&checkpoint(), "stranger", &Keys::new().witness, 1).unwrap());
        let opened = keys.open(&note.to_string()).unwrap();
        assert_eq!(opened.checkpoint, checkpoint());
        assert_eq!(opened.cosignatures, [Cosignature { witness: "w".into(), time_s: 1_700_000_000 }]);
        assert_eq!(opened.unknown, 1);
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let keys = Keys::new();
        let note = keys.cosigned().to_string();
        for bit in 0..note.len() * 8 {
            let mut bytes = note.clone().into_bytes();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(String::from_utf8(bytes).map_or(true, |note| keys.open(&note).is_err()), "{bit}");
        }
    }

    #[test]
    fn a_known_witness_must_not_be_wrong() {
        let keys = Keys::new();
        let mut note = keys.cosigned();
        let said = Checkpoint { size: 21, ..checkpoint() };
        note.lines[1] = cosign(&said, "w", &keys.witness, 1_700_000_000).unwrap();
        let wrong = NoteError::Signature("w".into());
        assert_eq!(keys.open(&note.to_string()), Err(wrong.into()), "of another checkpoint");
        note.lines[1] = cosign(&checkpoint(), "w", &keys.log, 1_700_000_000).unwrap();
        let other = NoteError::OtherKey("w".into());
        assert_eq!(keys.open(&note.to_string()), Err(other.into()), "with another key");
        let mut note = keys.cosigned();
        note.lines.push(note.lines[1].clone());
        assert_eq!(keys.open(&note.to_string()), Err(NoteError::Twice("w".into()).into()));
    }

    #[test]
    fn what_is_signed_must_be_a_checkpoint_of_the_log() {
        let keys = Keys::new();
        let root = "A".repeat(43) + "=";
        let refused = |text: &str| {
            let note = Note::sign(text.to_owned(), "r/receipts", &keys.log).unwrap();
            keys.open(&note.to_string()).unwrap_err()
        };
        let texts = [
            format!("r/receipts\n020\n{root}\n"),
            format!("r/receipts\n+20\n{root}\n"),
            format!("r/receipts\n20\n{root}\nmore\n"),
            format!("r/receipts\n20\n{}\n", root.replace("A=", "B=")),
            format!("r/receipts\n{}\n{root}\n", ENTRIES_MAX + 1),
            "r/receipts\n20\n".to_owned(),
        ];
        for text in texts {
            assert_eq!(refused(&text), CheckpointError::Malformed, "{text}");
        }
        let other = refused(&format!("r/registry\n20\n{root}\n"));
        let (found, expected) = ("r/registry".into(), "r/receipts".into());
        assert_eq!(other, CheckpointError::Origin { found, expected });
    }
}
