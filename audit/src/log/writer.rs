//! Writes a log's folder. The entries are kept elsewhere, durably; the folder follows from them, and is made
//! good from them when it is opened.
//!
//! In memory are the incomplete tiles and the incomplete bundle, whatever the size: fewer than 256 hashes a
//! level and fewer than 256 entries. Opening reads all entries and the whole folder once.

use std::{collections::VecDeque, mem, path::PathBuf};

use tlog_tiles::record_hash;

use super::{
    ENTRY_BYTES_MAX, LogError, Reader,
    edge::Edge,
    files::{Folder, read},
    hashes::Hashes,
    reader::CHECKPOINT,
    replay::{Damage, Mending, OpenError, Repair},
    tile::{self, Row, Tile, WIDTH},
    witnessed::{Cosigned, Witnessed},
};
use crate::{
    checkpoint::{Checkpoint, ENTRIES_MAX},
    key::SecretKey,
    note::{Algorithm, NOTE_BYTES_MAX, Note, Vkey},
    proof::Proof,
};

/// How many complete files wait in memory before they are written without being asked for.
const DUE_MAX: usize = 64;

/// Whose log it is, and where.
#[derive(Debug)]
pub struct Settings {
    /// Its folder, which is made where it is missing.
    pub folder: PathBuf,
    /// Its name, which is that of its key.
    pub origin: String,
    /// What it signs checkpoints with.
    pub key: SecretKey,
    /// Whose cosignatures it takes, at most [`WITNESSES_MAX`](crate::checkpoint::WITNESSES_MAX).
    pub witnesses: Vec<Vkey>,
}

/// The one writer of a log.
#[derive(Debug)]
pub struct Writer {
    pub(crate) folder: Folder,
    reader: Reader,
    pub(crate) log: Vkey,
    key: SecretKey,
    pub(crate) edge: Edge,
    /// The incomplete bundle.
    bundle: Vec<u8>,
    /// Complete files that are not written yet.
    pub(crate) due: VecDeque<(Tile, Vec<u8>)>,
    /// Complete files whose earlier states lie there until a checkpoint covers them.
    completed: Vec<Tile>,
    pub(crate) published: Option<Cosigned>,
    witnessed: Witnessed,
}

impl Writer {
    /// Opens the log with these `entries`, from the first on: compares the folder with them as far as its own
    /// signed checkpoint goes, and puts right what is missing, torn or altered. Nothing new is published.
    ///
    /// Refuses, and changes nothing, where a checkpoint that was signed with this key is beyond the entries
    /// ([`LogError::Rollback`]) or not of them ([`LogError::Fork`]), or where another process writes there.
    pub fn open<E>(
        settings: Settings,
        entries: impl Iterator<Item = Result<Vec<u8>, E>>,
    ) -> Result<(Self, Vec<Repair>), OpenError<E>> {
        let Settings { folder: path, origin, key, witnesses } = settings;
        let log = Vkey::new(&origin, Algorithm::Ed25519, key.public()).map_err(LogError::from)?;
        let folder = Folder::lock(&path)?;
        let witnessed = Witnessed::read(&path, &log, witnesses);
        let mut mending = Mending::default();
        let note = match read(&folder.path(CHECKPOINT), NOTE_BYTES_MAX) {
            Err(LogError::Long { .. }) => Some(Vec::new()),
            note => note?,
        };
        let published = note.clone().and_then(|note| Cosigned::read(note, &log, witnessed.witnesses()));
        match (&note, &published) {
            (Some(note), Some(published)) if published.note.to_string().as_bytes() == note => {}
            (Some(_), _) => mending.found(CHECKPOINT, Damage::Altered),
            (None, _) if folder.has("tile") => mending.found(CHECKPOINT, Damage::Missing),
            (None, _) => {}
        }
        let signed = witnessed.iter().chain(&published).map(|cosigned| cosigned.checkpoint.clone());
        let mut signed: Vec<Checkpoint> = signed.collect();
        signed.sort_unstable_by_key(|checkpoint| checkpoint.size);
        let mut writer = Self {
            reader: Reader::folder(&path),
            folder,
            log,
            key,
            edge: Edge::default(),
            bundle: Vec::new(),
            due: VecDeque::new(),
            completed: Vec::new(),
            published,
            witnessed,
        };
        writer.replay(entries, &signed, &mut mending)?;
        Ok((writer, mem::take(&mut mending.repairs)))
    }

    /// Adds an entry of at most [`ENTRY_BYTES_MAX`] bytes, and says at which place. It is durable elsewhere
    /// already. Where this fails, nothing was added.
    pub fn append(&mut self, entry: &[u8]) -> Result<u64, LogError> {
        if entry.len() > ENTRY_BYTES_MAX {
            return Err(LogError::Entry(entry.len()));
        }
        if self.edge.size >= ENTRIES_MAX {
            return Err(LogError::Full);
        }
        if self.due.len() >= DUE_MAX {
            self.flush()?;
        }
        tile::bundle(&mut self.bundle, entry);
        let index = self.edge.size;
        if index % WIDTH as u64 == WIDTH as u64 - 1 {
            let tile = Tile { row: Row::Entries, index: index / WIDTH as u64, width: WIDTH };
            self.due.push_back((tile, mem::take(&mut self.bundle)));
        }
        let due = &mut self.due;
        self.edge.push(record_hash(entry), |tile, row| due.push_back((tile, tile::bytes(&row))));
        Ok(index)
    }

    /// How many entries it has, published or not.
    pub fn size(&self) -> u64 {
        self.edge.size
    }

    /// Publishes all entries so far: bundles and tiles first, and then the checkpoint, so that it is never
    /// ahead of them. Where this fails, it can be tried again.
    pub fn publish(&mut self) -> Result<Checkpoint, LogError> {
        let size = self.edge.size;
        if let Some(published) = self.published.as_ref().filter(|published| published.checkpoint.size == size)
        {
            return Ok(published.checkpoint.clone());
        }
        self.flush()?;
        for (tile, bytes) in self.incomplete() {
            self.folder.write(&tile.path(), &bytes)?;
        }
        let checkpoint = Checkpoint { origin: self.log.name().to_owned(), size, root: self.edge.root() };
        let note = checkpoint.sign(&self.key)?;
        self.folder.write(CHECKPOINT, note.to_string().as_bytes())?;
        self.published = Some(Cosigned { checkpoint: checkpoint.clone(), note });
        for tile in mem::take(&mut self.completed) {
            self.folder.remove(&tile.partials())?;
        }
        Ok(checkpoint)
    }

    /// The proof that entry `index` is in the log, by the checkpoint that most witnesses signed among those
    /// published that cover it, the newest of these. Every hash is held to the checkpoint's root: a torn tile
    /// is named, and opening the log again makes it good.
    pub fn prove(&self, index: u64) -> Result<Proof, LogError> {
        self.prove_since(index, 0)
    }

    /// The same by a checkpoint of at least `size_min` entries, for readers who know that there were so many.
    pub fn prove_since(&self, index: u64, size_min: u64) -> Result<Proof, LogError> {
        let size_min = size_min.max(index.saturating_add(1));
        let covering = self.witnessed.iter().chain(&self.published);
        let covering = covering.filter(|cosigned| cosigned.checkpoint.size >= size_min);
        let best = covering.max_by_key(|cosigned| (cosigned.count(), cosigned.checkpoint.size));
        let Cosigned { checkpoint, note } = best.ok_or(LogError::Unpublished(index))?;
        let path = self.hashes(checkpoint)?.path(index)?;
        Ok(Proof { index, path, checkpoint: note.to_string() })
    }

    /// The published checkpoint's note, with the cosignatures that were collected for it.
    pub fn checkpoint(&self) -> Option<String> {
        self.published.as_ref().map(|published| published.note.to_string())
    }

    /// Takes known witnesses' cosignatures for a checkpoint that was published here, and says how many it has
    /// now. Other lines are left out; an error where there is none to take, or where one is wrong.
    pub fn cosign(&mut self, note: &str) -> Result<usize, LogError> {
        let opened = Checkpoint::open(note, &self.log, self.witnessed.witnesses())?;
        if opened.cosignatures.is_empty() {
            return Err(LogError::Uncosigned);
        }
        let checkpoint = opened.checkpoint;
        let newest = self.published.as_ref().ok_or(LogError::Foreign)?;
        if checkpoint.size > newest.checkpoint.size
            || self.hashes(&newest.checkpoint)?.root(checkpoint.size)? != checkpoint.root
        {
            return Err(LogError::Foreign);
        }
        let held = self.witnessed.iter().chain(&self.published).find(|held| held.checkpoint == checkpoint);
        let note: Note = note.parse()?;
        let cosigned = Cosigned::merged(checkpoint, &note, held, &self.log, self.witnessed.witnesses())?;
        let count = cosigned.count();
        if let Some(published) = self.published.as_mut().filter(|it| it.checkpoint == cosigned.checkpoint) {
            self.folder.write(CHECKPOINT, cosigned.note.to_string().as_bytes())?;
            published.note.clone_from(&cosigned.note);
        }
        self.witnessed.keep(cosigned, &self.folder)?;
        Ok(count)
    }

    fn hashes(&self, checkpoint: &Checkpoint) -> Result<Hashes<'_>, LogError> {
        let fetch = |tile: Tile| {
            let due = || self.due.iter().find(|(due, _)| *due == tile.complete());
            match (self.edge.hashes(tile), due()) {
                (Some(hashes), _) => Ok(tile::bytes(hashes)),
                (None, Some((_, bytes))) => Ok(bytes[..tile.bytes_max()].to_vec()),
                (None, None) => self.reader.tile(tile),
            }
        };
        Hashes::open(checkpoint, Box::new(fetch))
    }

    /// The files that are not complete, the bundle first.
    pub(crate) fn incomplete(&self) -> Vec<(Tile, Vec<u8>)> {
        let (index, width) = (self.edge.size / WIDTH as u64, self.edge.rows.first().map_or(0, Vec::len));
        let bundle = (Tile { row: Row::Entries, index, width }, self.bundle.clone());
        let tiles = self.edge.tiles().map(|(tile, hashes)| (tile, tile::bytes(hashes)));
        (width > 0).then_some(bundle).into_iter().chain(tiles).collect()
    }

    /// Writes the complete files.
    fn flush(&mut self) -> Result<(), LogError> {
        while let Some((tile, bytes)) = self.due.front() {
            self.folder.write(&tile.path(), bytes)?;
            self.completed.push(*tile);
            self.due.pop_front();
        }
        Ok(())
    }
}
