//! Signed notes: a text, and below it lines with signatures that name their keys.
//! <https://c2sp.org/signed-note>
//!
//! A note is read in its one form only. A line that names a known key by half, with its name or with its
//! hash but not with both, is an error: it was altered, or the key is not the one that is known.

use std::{fmt, str::FromStr};

use base64::prelude::{BASE64_STANDARD, Engine as _};
use proto::Digest;
use serde::Deserialize;

use crate::key::{PublicKey, SecretKey};

/// The most bytes that a note may have.
pub const NOTE_BYTES_MAX: usize = 16 << 10;

/// The most bytes that a key's name may have.
pub const NAME_BYTES_MAX: usize = 255;

/// The bytes of a signature before what the algorithm made: the key's hash.
const ID_BYTES: usize = 4;

/// What a signature's line begins with.
const DASH: &str = "\u{2014} ";

/// Why a note or a key's line is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// No name for a key.
    #[error("a key's name has 1 to {NAME_BYTES_MAX} bytes, without spaces, plus signs or control characters")]
    Name,
    /// Not a key.
    #[error("this is no key of the form `name+hash+base64`")]
    Vkey,
    /// A key's hash is not that of its name and its bytes.
    #[error("the key's hash does not fit its name and its bytes: copy the key again")]
    Hash,
    /// A key for something that is not known here.
    #[error("keys of algorithm {0} are not known here")]
    Algorithm(u8),
    /// Too long.
    #[error("the note has more than {NOTE_BYTES_MAX} bytes")]
    Long,
    /// Not a note.
    #[error("this is no signed note in its one form")]
    Malformed,
    /// The key that had to sign did not.
    #[error("the note is not signed with the key {0}")]
    Unsigned(String),
    /// Two signatures with one key.
    #[error("the note is signed twice with the key {0}")]
    Twice(String),
    /// A line names a known key by half.
    #[error("a signature is said to be of {0}, but names another key: it was altered, or the key is new")]
    OtherKey(String),
    /// A signature does not fit.
    #[error("the note's signature with the key {0} does not fit")]
    Signature(String),
}

/// What a key signs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// Ed25519 over a note's text.
    Ed25519 = 1,
    /// `cosignature/v1`: Ed25519 over a checkpoint's text and a time.
    Cosignature = 4,
}

/// A key that checks notes, with its name, as `name+hash+base64`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Vkey {
    name: String,
    algorithm: Algorithm,
    key: PublicKey,
}

impl Vkey {
    /// `key` under `name`.
    pub fn new(name: &str, algorithm: Algorithm, key: PublicKey) -> Result<Self, NoteError> {
        check_name(name)?;
        Ok(Self { name: name.to_owned(), algorithm, key })
    }

    /// Whose it is.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key alone.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// The hash that stands for it in a note: of its name, its algorithm and its bytes.
    pub fn id(&self) -> [u8; ID_BYTES] {
        let bytes = [self.name.as_bytes(), b"\n", &self.bytes()].concat();
        let [a, b, c, d, ..] = *Digest::of(bytes).as_bytes();
        [a, b, c, d]
    }

    fn bytes(&self) -> Vec<u8> {
        [&[self.algorithm as u8], self.key.as_bytes().as_slice()].concat()
    }
}

impl fmt::Display for Vkey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}+{}+{}", self.name, hex::encode(self.id()), BASE64_STANDARD.encode(self.bytes()))
    }
}

impl TryFrom<String> for Vkey {
    type Error = NoteError;

    fn try_from(text: String) -> Result<Self, NoteError> {
        text.parse()
    }
}

impl FromStr for Vkey {
    type Err = NoteError;

    fn from_str(text: &str) -> Result<Self, NoteError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(key)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(NoteError::Vkey);
        };
        let bytes = BASE64_STANDARD.decode(key).map_err(|_| NoteError::Vkey)?;
        let (algorithm, key) = bytes.split_first().ok_or(NoteError::Vkey)?;
        let algorithm = match algorithm {
            1 => Algorithm::Ed25519,
            4 => Algorithm::Cosignature,
            other => return Err(NoteError::Algorithm(*other)),
        };
        let vkey = Self::new(name, algorithm, PublicKey::read(key).ok_or(NoteError::Vkey)?)?;
        if hex::encode(vkey.id()) == id { Ok(vkey) } else { Err(NoteError::Hash) }
    }
}

/// A text and its signatures, none of which is checked yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// What is signed. Ends with a line break.
    pub text: String,
    /// The signatures, in their order.
    pub lines: Vec<Line>,
}

/// A signature below a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    name: String,
    id: [u8; ID_BYTES],
    signature: Vec<u8>,
}

impl Line {
    /// `signature`, made with `key`.
    pub fn new(key: &Vkey, signature: Vec<u8>) -> Self {
        Self { name: key.name.clone(), id: key.id(), signature }
    }

    /// What the algorithm made.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether it is made with `key`, by its own account; an error where it names the key by half.
    pub fn names(&self, key: &Vkey) -> Result<bool, NoteError> {
        match (self.name == key.name, self.id == key.id()) {
            (true, true) => Ok(true),
            (false, false) => Ok(false),
            _ => Err(NoteError::OtherKey(key.name.clone())),
        }
    }

    fn read(line: &str) -> Option<Self> {
        let (name, signature) = line.strip_prefix(DASH)?.split_once(' ')?;
        check_name(name).ok()?;
        let mut id = BASE64_STANDARD.decode(signature).ok()?;
        let signature = (id.len() > ID_BYTES).then(|| id.split_off(ID_BYTES))?;
        Some(Self { name: name.to_owned(), id: id.try_into().ok()?, signature })
    }
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let signature = [&self.id, self.signature.as_slice()].concat();
        writeln!(f, "{DASH}{} {}", self.name, BASE64_STANDARD.encode(signature))
    }
}

impl Note {
    /// `text`, which ends with a line break, with `key`'s signature under `name`.
    pub fn sign(text: String, name: &str, key: &SecretKey) -> Result<Self, NoteError> {
        let vkey = Vkey::new(name, Algorithm::Ed25519, key.public())?;
        let line = Line::new(&vkey, key.sign(text.as_bytes()).to_vec());
        Ok(Self { text, lines: vec![line] })
    }

    /// The one signature with `key`, where there is one.
    pub fn line(&self, key: &Vkey) -> Result<Option<&Line>, NoteError> {
        let mut found = None;
        for line in &self.lines {
            if line.names(key)? && found.replace(line).is_some() {
                return Err(NoteError::Twice(key.name.clone()));
            }
        }
        Ok(found)
    }

    /// Whether `key`, of [`Algorithm::Ed25519`], signed it.
    pub fn check(&self, key: &Vkey) -> Result<(), NoteError> {
        let line = self.line(key)?.ok_or_else(|| NoteError::Unsigned(key.name.clone()))?;
        let fits =
            key.algorithm == Algorithm::Ed25519 && key.key.verify(self.text.as_bytes(), &line.signature);
        if fits { Ok(()) } else { Err(NoteError::Signature(key.name.clone())) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.lines.iter().try_for_each(|line| line.fmt(f))
    }
}

impl FromStr for Note {
    type Err = NoteError;

    fn from_str(note: &str) -> Result<Self, NoteError> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteError::Long);
        }
        let clean = note.chars().all(|c| c == '\n' || !c.is_ascii_control());
        let (text, lines) = note.rsplit_once("\n\n").filter(|_| clean).ok_or(NoteError::Malformed)?;
        let lines: Option<Vec<Line>> = lines.lines().map(Line::read).collect();
        let lines = lines.filter(|lines| !lines.is_empty()).ok_or(NoteError::Malformed)?;
        let read = Self { text: format!("{text}\n"), lines };
        // So that a line break at the end, for one, is there once.
        if read.to_string() == note { Ok(read) } else { Err(NoteError::Malformed) }
    }
}

fn check_name(name: &str) -> Result<(), NoteError> {
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len())
        && !name.chars().any(|c| c.is_whitespace() || c.is_control() || c == '+');
    if fits { Ok(()) } else { Err(NoteError::Name) }
}

#[cfg(test)]
mod tests {
    use super::*;

    // The example of the specification.
    const PETER: &str = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    const SAID: &str = "If you think cryptography is the answer to your problem,\n\
        then you don't know what your problem is.\n\n\
        \u{2014} PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

    fn open(note: &str, key: &Vkey) -> Result<String, NoteError> {
        let note: Note = note.parse()?;
        note.check(key).map(|()| note.text)
    }

    #[test]
    fn the_note_of_the_specification_is_read() {
        let key: Vkey = PETER.parse().unwrap();
        assert_eq!(key.to_string(), PETER);
        assert_eq!(SAID.parse::<Note>().unwrap().to_string(), SAID);
        assert!(open(SAID, &key).unwrap().ends_with("problem is.\n"));
    }

    #[test]
    fn every_flipped_bit_of_a_key_is_refused() {
        for bit in 0..PETER.len() * 8 {
            let mut bytes = PETER.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(
                String::from_utf8(bytes).ok().and_then(|key| key.parse::<Vkey>().ok()).is_none(),
                "{bit}"
            );
        }
        assert_eq!(PETER.replace("c74", "C74").parse::<Vkey>(), Err(NoteError::Hash));
        let sigsum = SAID.replace("Peter", "P\u{2003}ter");
        assert_eq!(sigsum.parse::<Note>(), Err(NoteError::Malformed), "a space in a name");
    }

    #[test]
    fn every_flipped_bit_of_a_note_is_refused() {
        let key: Vkey = PETER.parse().unwrap();
        for bit in 0..SAID.len() * 8 {
            let mut bytes = SAID.as_bytes().to_vec();
            bytes[bit / 8] ^= 1 << (bit % 8);
            assert!(String::from_utf8(bytes).map_or(true, |note| open(&note, &key).is_err()), "{bit}");
        }
    }

    #[test]
    fn refusals_have_their_names() {
        let (key, other) = (SecretKey::generate().unwrap(), SecretKey::generate().unwrap());
        let vkey = |name, key: &SecretKey| Vkey::new(name, Algorithm::Ed25519, key.public()).unwrap();
        let note = Note::sign("a\n\nb\n".into(), "x/y", &key).unwrap();
        assert_eq!(open(&note.to_string(), &vkey("x/y", &key)).unwrap(), "a\n\nb\n");
        let refused = |note: &Note, key| open(&note.to_string(), &key).unwrap_err();
        assert_eq!(refused(&note, vkey("x/y", &other)), NoteError::OtherKey("x/y".into()));
        assert_eq!(refused(&note, vkey("z", &key)), NoteError::Unsigned("z".into()));
        let said = Note { text: "a\n\nc\n".into(), ..note.clone() };
        assert_eq!(refused(&said, vkey("x/y", &key)), NoteError::Signature("x/y".into()));
        let twice = Note { lines: [note.lines.clone(), note.lines].concat(), ..said };
        assert_eq!(refused(&twice, vkey("x/y", &key)), NoteError::Twice("x/y".into()));
        let cosigner = Vkey::new("x/y", Algorithm::Cosignature, key.public()).unwrap();
        assert_ne!(cosigner.id(), vkey("x/y", &key).id(), "one key, two uses");
    }

    #[test]
    fn names_are_those_of_the_specification() {
        let key = SecretKey::generate().unwrap();
        let long = "n".repeat(NAME_BYTES_MAX + 1);
        for name in ["", "a b", "a+b", "a\tb", "a\u{a0}b", "a\u{7}b", &long] {
            assert_eq!(Note::sign("t\n".into(), name, &key), Err(NoteError::Name), "{name:?}");
        }
        assert!(Note::sign("t\n".into(), "example.org/r\u{e9}", &key).is_ok());
    }
}
