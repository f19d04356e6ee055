//! What makes the record checkable by anyone: commitments to what is private, signatures over the bytes that
//! travel, receipts, and a log that only grows. This crate opens no connection unless it is given a URL.

pub mod base64;
pub mod bundle;
pub mod checkpoint;
pub mod commitment;
pub mod key;
pub mod log;
pub mod merkle;
pub mod note;
pub mod proof;
pub mod registrations;
pub mod signed;
pub mod succession;
pub mod transcript;
pub mod trust;
pub mod verify;
pub mod witness;

pub use base64::Base64;
pub use bundle::{Bundle, leaf};
pub use checkpoint::{Checkpoint, CheckpointError, Opened};
pub use commitment::{Salt, commitment};
pub use key::{KeyError, PublicKey, SecretKey};
pub use note::{Note, NoteError, Vkey};
pub use proof::{Proof, ProofError};
pub use registrations::{Change, Registration, Registrations, RuleError};
pub use signed::{Kind, SignatureError};
pub use transcript::Transcript;
pub use trust::{Trust, TrustError};
pub use witness::Witness;
