//! Logs that only grow, as static files: entries in bundles, hashes in tiles, and a signed checkpoint.
//! <https://c2sp.org/tlog-tiles>
//!
//! The files are derived from what the router keeps in its database, and can be made again from it. Whoever
//! reads them holds every one to the checkpoint, which is all that is signed.

mod edge;
pub(crate) mod files;
mod hashes;
mod reader;
mod replay;
mod tile;
mod witnessed;
mod writer;

pub use reader::{CHECKPOINT, Reader, note};
pub use replay::{Damage, OpenError, Repair};
pub use writer::{Settings, Writer};

use std::{io, path::PathBuf};

use crate::{checkpoint::CheckpointError, note::NoteError};

/// The most bytes that an entry may have.
pub const ENTRY_BYTES_MAX: usize = u16::MAX as usize;

/// The most bytes that a card or a policy beside a log may have.
pub const CONTENT_BYTES_MAX: usize = 1 << 20;

/// What is wrong with a log.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// A file cannot be read or written.
    #[error("cannot open {}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A URL cannot be read.
    #[error("cannot get {url}: {why}")]
    Http {
        /// Which.
        url: String,
        /// Why.
        why: String,
    },
    /// A file is not there.
    #[error("the log has no {0}")]
    Missing(String),
    /// A file is longer than it may be.
    #[error("{path} has more than {max} bytes")]
    Long {
        /// Which.
        path: String,
        /// The most that it may have.
        max: usize,
    },
    /// A file is not what the checkpoint says.
    #[error("{0} is not what the log signed: it is torn, altered or of another log")]
    Torn(String),
    /// The checkpoint is not taken.
    #[error("the log's checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// Nothing is signed with a name that keys cannot have.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The log shrank.
    #[error("rollback: the log {origin} had {known} entries, and now has {found}")]
    Rollback {
        /// Which.
        origin: String,
        /// How many were signed.
        known: u64,
        /// How many there are.
        found: u64,
    },
    /// The log has two histories.
    #[error("fork: the log {origin} shows two different histories of its first {size} entries")]
    Fork {
        /// Which.
        origin: String,
        /// Up to where they should agree.
        size: u64,
    },
    /// Another process writes there.
    #[error("another process writes to the log in {}: stop it first", .0.display())]
    Locked(PathBuf),
    /// An entry is too long.
    #[error("an entry has {0} bytes, and at most {ENTRY_BYTES_MAX} are allowed")]
    Entry(usize),
    /// The log has all the entries that it may have.
    #[error("the log is full: begin another under a new name")]
    Full,
    /// No checkpoint covers an entry yet.
    #[error("entry {0} is in no published checkpoint yet")]
    Unpublished(u64),
    /// A cosignature for something that was not published here.
    #[error("the checkpoint was not published by this log")]
    Foreign,
    /// A note without the cosignature of a known witness.
    #[error("the note has no cosignature of a witness that is known here")]
    Uncosigned,
    /// A place that is neither a folder nor a plain URL.
    #[error("https is not spoken here: copy the log with another program, and name the folder")]
    Https,
    /// A witness no longer knows what it saw.
    #[error("{} is no checkpoint: bring it back from a copy, since without it a fork would pass", .0.display())]
    Memory(PathBuf),
    /// A place to send a cosignature to that is no URL.
    #[error("cosignatures are sent to a log's `http://` URL, not to a folder")]
    Unsendable,
    /// Two checkpoints and no log whose tiles could tell.
    #[error("no tiles show how {from} entries became {to}: name the later log as a folder or URL")]
    NoTiles {
        /// How many there were.
        from: u64,
        /// How many there are.
        to: u64,
    },
}
