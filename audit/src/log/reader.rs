//! A log as others read it: a folder, or a plain `http://` URL. Nothing that is read is believed before it is
//! held to a checkpoint.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use proto::Digest;
use ureq::Agent;

use super::{
    CONTENT_BYTES_MAX, LogError,
    files::read,
    hashes::Hashes,
    tile::{HASH_BYTES, Row, Tile, WIDTH, holding, unbundle},
};
use crate::{
    checkpoint::{Checkpoint, Opened},
    note::{NOTE_BYTES_MAX, NoteError, Vkey},
};

/// How long one file may take over the network.
const TIMEOUT: Duration = Duration::from_secs(30);

/// The name of a log's checkpoint.
pub const CHECKPOINT: &str = "checkpoint";

/// A log, wherever it lies.
#[derive(Debug)]
pub struct Reader(Source);

#[derive(Debug)]
enum Source {
    Folder(PathBuf),
    Http(Agent, String),
}

/// The checkpoint's note in the file at `path`, unchecked; at most [`NOTE_BYTES_MAX`] bytes.
pub fn note(path: &Path) -> Result<String, LogError> {
    text(read(path, NOTE_BYTES_MAX)?, &path.display().to_string())
}

fn text(note: Option<Vec<u8>>, name: &str) -> Result<String, LogError> {
    let note = String::from_utf8(note.ok_or_else(|| LogError::Missing(name.to_owned()))?);
    note.map_err(|_| LogError::Checkpoint(NoteError::Malformed.into()))
}

impl Reader {
    /// The log at `place`: an `http://` URL or a folder. Nothing is read yet.
    pub fn new(place: &str) -> Result<Self, LogError> {
        if place.starts_with("https://") {
            return Err(LogError::Https);
        }
        if !place.starts_with("http://") {
            return Ok(Self::folder(Path::new(place)));
        }
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .timeout_global(Some(TIMEOUT))
            .proxy(None)
            .build();
        Ok(Self(Source::Http(config.new_agent(), place.trim_end_matches('/').to_owned())))
    }

    /// The log in the folder at `path`.
    pub fn folder(path: &Path) -> Self {
        Self(Source::Folder(path.to_owned()))
    }

    /// The checkpoint's note, unchecked; at most [`NOTE_BYTES_MAX`] bytes.
    pub fn note(&self) -> Result<String, LogError> {
        text(self.get(CHECKPOINT, NOTE_BYTES_MAX)?, CHECKPOINT)
    }

    /// The checkpoint, where `log` signed it and no witness's line is wrong.
    pub fn checkpoint(&self, log: &Vkey, witnesses: &[Vkey]) -> Result<Opened, LogError> {
        Ok(Checkpoint::open(&self.note()?, log, witnesses)?)
    }

    /// Looks at the whole log once: its checkpoint, as [`Reader::checkpoint`], every entry and every tile. Each
    /// entry goes to `visit` with its place.
    pub fn audit<E: From<LogError>>(
        &self,
        log: &Vkey,
        witnesses: &[Vkey],
        visit: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<Opened, E> {
        let opened = self.checkpoint(log, witnesses)?;
        self.entries(&opened.checkpoint, 0, visit)?;
        Ok(opened)
    }

    /// The card or policy with this digest, where the log has it; at most [`CONTENT_BYTES_MAX`] bytes.
    pub fn content(&self, digest: Digest) -> Result<Option<Vec<u8>>, LogError> {
        let name = format!("content/{digest}");
        let bytes = self.get(&name, CONTENT_BYTES_MAX)?;
        if bytes.as_ref().is_some_and(|bytes| Digest::of(bytes) != digest) {
            return Err(LogError::Torn(name));
        }
        Ok(bytes)
    }

    /// The root that the log of `checkpoint` had at `size`, which is not more than it has.
    pub fn root_at(&self, checkpoint: &Checkpoint, size: u64) -> Result<Digest, LogError> {
        self.hashes(checkpoint)?.root(size)
    }

    /// Whether the log of `later` began as `earlier` says, which is of the same log: by the tiles, which are
    /// held to `later`. Otherwise it shrank ([`LogError::Rollback`]) or has another history
    /// ([`LogError::Fork`]).
    pub fn grown(&self, earlier: &Checkpoint, later: &Checkpoint) -> Result<(), LogError> {
        let origin = later.origin.clone();
        if later.size < earlier.size {
            return Err(LogError::Rollback { origin, known: earlier.size, found: later.size });
        }
        let same = later.size == earlier.size;
        let root = if same { later.root } else { self.root_at(later, earlier.size)? };
        if root == earlier.root { Ok(()) } else { Err(LogError::Fork { origin, size: earlier.size }) }
    }

    /// Gives the entries of the log of `checkpoint` from `start` on to `visit`, each with its place; every one
    /// of them is held to the root, and so is every tile on its way.
    pub fn entries<E: From<LogError>>(
        &self,
        checkpoint: &Checkpoint,
        start: u64,
        mut visit: impl FnMut(u64, &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let hashes = self.hashes(checkpoint)?;
        let mut next = start;
        while next < checkpoint.size {
            let (tile, place) = holding(Row::Entries, next, checkpoint.size);
            let (bytes, leaves) = (self.tile(tile)?, hashes.leaves(tile.index)?);
            let torn = || LogError::Torn(tile.path());
            let mut rest = bytes.as_slice();
            for (at, leaf) in leaves.iter().enumerate() {
                let (entry, after) = unbundle(rest).ok_or_else(torn)?;
                rest = after;
                if tlog_tiles::record_hash(entry) != *leaf {
                    return Err(torn().into());
                }
                if at >= place {
                    visit(next, entry)?;
                    next += 1;
                }
            }
            if !rest.is_empty() {
                return Err(torn().into());
            }
        }
        Ok(())
    }

    /// Sends a note with a cosignature to the log, which must be a URL.
    pub fn send(&self, note: &str) -> Result<(), LogError> {
        let Source::Http(agent, base) = &self.0 else { return Err(LogError::Unsendable) };
        let url = format!("{base}/cosignatures");
        let status = agent.post(&url).content_type("text/plain").send(note).map(|answer| answer.status());
        match status {
            Ok(status) if status.is_success() => Ok(()),
            Ok(status) => {
                Err(LogError::Http { url, why: format!("the answer has the status {}", status.as_u16()) })
            }
            Err(error) => Err(LogError::Http { url, why: error.to_string() }),
        }
    }

    fn hashes(&self, checkpoint: &Checkpoint) -> Result<Hashes<'_>, LogError> {
        Hashes::open(checkpoint, Box::new(|tile| self.tile(tile)))
    }

    /// A file of the log. Where it is complete by now, only as much as `tile` holds.
    pub(crate) fn tile(&self, tile: Tile) -> Result<Vec<u8>, LogError> {
        let exact = |tile: Tile| self.get(&tile.path(), tile.bytes_max());
        let whole =
            |tile: Tile, bytes: &Vec<u8>| tile.row == Row::Entries || bytes.len() == tile.width * HASH_BYTES;
        if let Some(bytes) = exact(tile)? {
            return if whole(tile, &bytes) { Ok(bytes) } else { Err(LogError::Torn(tile.path())) };
        }
        let later = if tile.is_complete() { None } else { exact(tile.complete())? };
        let mut bytes = later.ok_or_else(|| LogError::Missing(tile.path()))?;
        let torn = || LogError::Torn(tile.complete().path());
        let length = match tile.row {
            Row::Entries => {
                let mut rest = bytes.as_slice();
                for _ in 0..tile.width {
                    rest = unbundle(rest).ok_or_else(torn)?.1;
                }
                bytes.len() - rest.len()
            }
            Row::Hashes(_) if bytes.len() == WIDTH * HASH_BYTES => tile.width * HASH_BYTES,
            Row::Hashes(_) => return Err(torn()),
        };
        bytes.truncate(length);
        Ok(bytes)
    }

    /// At most `max` bytes of the file `name`, if there is one.
    fn get(&self, name: &str, max: usize) -> Result<Option<Vec<u8>>, LogError> {
        let (agent, base) = match &self.0 {
            Source::Folder(folder) => return read(&folder.join(name), max),
            Source::Http(agent, base) => (agent, base),
        };
        let url = format!("{base}/{name}");
        let failed = |why: String| LogError::Http { url: url.clone(), why };
        let mut response = agent.get(&url).call().map_err(|error| failed(error.to_string()))?;
        match response.status().as_u16() {
            200 => {}
            404 => return Ok(None),
            status => return Err(failed(format!("the answer has the status {status}"))),
        }
        // A body of just the limit is too long for `limit`.
        let body = response.body_mut().with_config().limit(max as u64 + 1).read_to_vec();
        match body {
            Ok(bytes) => Ok(Some(bytes)),
            Err(ureq::Error::BodyExceedsLimit(_)) => Err(LogError::Long { path: url, max }),
            Err(error) => Err(failed(error.to_string())),
        }
    }
}
