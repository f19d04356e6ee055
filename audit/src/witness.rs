//! A witness: remembers how far each log had grown, and signs only what goes on from there.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
};

use proto::Digest;

use crate::{
    checkpoint::{Checkpoint, cosign},
    key::SecretKey,
    log::{LogError, Reader, files},
    note::{Algorithm, NOTE_BYTES_MAX, Note, NoteError, Vkey},
};

/// Who signs, and where it keeps what it saw.
#[derive(Debug)]
pub struct Witness {
    name: String,
    key: SecretKey,
    state: PathBuf,
}

impl Witness {
    /// The witness `name`, which keeps a small file for each log in the folder `state`.
    pub fn new(name: &str, key: SecretKey, state: PathBuf) -> Result<Self, NoteError> {
        Vkey::new(name, Algorithm::Cosignature, key.public())?;
        Ok(Self { name: name.to_owned(), key, state })
    }

    /// The checkpoint of the log in `reader`, signed by the log and by this witness at `time_s`, seconds since
    /// 1970-01-01 UTC. The first one that is seen of a log is taken as it is; after that, a log that shrank
    /// or has another history is refused. What was seen is on disk before anything is signed.
    pub fn cosign(&self, reader: &Reader, log: &Vkey, time_s: u64) -> Result<Note, LogError> {
        fs::create_dir_all(&self.state).map_err(files::failed(&self.state))?;
        let lock = self.state.join(".lock");
        let held = File::create(&lock).map_err(files::failed(&lock))?;
        held.lock().map_err(files::failed(&lock))?;

        let mut note: Note = reader.note()?.parse()?;
        let opened = Checkpoint::open(&note.to_string(), log, &[])?;
        let checkpoint = opened.checkpoint;
        let memory = self.state.join(Digest::of(log.name()).to_string());
        if let Some(seen) = remembered(&memory, log.name())? {
            reader.grown(&seen, &checkpoint)?;
        }
        remember(&memory, &checkpoint)?;
        // Others' lines are theirs to bring.
        let own = note.line(log)?.cloned();
        note.lines = own.into_iter().chain([cosign(&checkpoint, &self.name, &self.key, time_s)?]).collect();
        Ok(note)
    }
}

/// The newest checkpoint that was seen of this log.
fn remembered(memory: &Path, origin: &str) -> Result<Option<Checkpoint>, LogError> {
    let Some(bytes) = files::read(memory, NOTE_BYTES_MAX)? else { return Ok(None) };
    let seen: Option<Checkpoint> = String::from_utf8(bytes).ok().and_then(|text| text.parse().ok());
    let seen = seen.filter(|seen| seen.origin == origin);
    seen.map(Some).ok_or_else(|| LogError::Memory(memory.to_owned()))
}

/// Writes down, so that it outlives a power cut, what was seen.
fn remember(memory: &Path, checkpoint: &Checkpoint) -> Result<(), LogError> {
    let new = memory.with_extension("new");
    let write = || {
        let mut file = File::create(&new)?;
        file.write_all(checkpoint.to_string().as_bytes())?;
        file.sync_all()?;
        fs::rename(&new, memory)?;
        File::open(memory.parent().unwrap_or(Path::new(".")))?.sync_all()
    };
    write().map_err(files::failed(memory))
}
