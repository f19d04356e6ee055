//! Opening a log's folder: the entries are gone through once, and the files held to what they say.

use std::fmt;

use super::{
    LogError,
    files::{Folder, Staged, read},
    reader::CHECKPOINT,
    tile::Tile,
    writer::Writer,
};
use crate::checkpoint::Checkpoint;

/// Something that was put right when a folder was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Repair {
    /// The file's name in the folder.
    pub file: String,
    /// What it was.
    pub was: Damage,
}

impl fmt::Display for Repair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let was = match self.was {
            Damage::Missing => "was missing",
            Damage::Altered => "was torn or altered",
            Damage::Left => "was left over",
        };
        write!(f, "{} {was}", self.file)
    }
}

/// What a file was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Damage {
    /// Not there.
    Missing,
    /// Torn or altered.
    Altered,
    /// There, though nobody needs it any more.
    Left,
}

/// Why a log cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError<E> {
    /// Its folder.
    #[error(transparent)]
    Log(#[from] LogError),
    /// Its entries cannot be read.
    #[error("cannot read the log's entries")]
    Entries(#[source] E),
}

/// What was found, and the files that wait for their places: until the entries are known to be those that
/// were signed, the folder stays as it is.
#[derive(Debug, Default)]
pub(crate) struct Mending {
    staged: Vec<Staged>,
    pub(crate) repairs: Vec<Repair>,
}

impl Mending {
    pub(crate) fn found(&mut self, file: &str, was: Damage) {
        self.repairs.push(Repair { file: file.to_owned(), was });
    }

    fn has(&self, file: &str) -> bool {
        self.repairs.iter().any(|repair| repair.file == file)
    }

    /// Holds a file to what it should be.
    fn hold(&mut self, folder: &Folder, tile: Tile, bytes: &[u8]) -> Result<(), LogError> {
        let name = tile.path();
        let was = match read(&folder.path(&name), tile.bytes_max()) {
            Ok(Some(found)) if found == bytes => None,
            Ok(Some(_)) | Err(LogError::Long { .. }) => Some(Damage::Altered),
            Ok(None) => Some(Damage::Missing),
            Err(error) => return Err(error),
        };
        if let Some(was) = was {
            self.staged.push(folder.stage(&name, bytes)?);
            self.found(&name, was);
        }
        if tile.is_complete() && folder.has(&tile.partials()) {
            self.found(&tile.partials(), Damage::Left);
        }
        Ok(())
    }

    /// Puts everything right.
    fn mend(&mut self, folder: &Folder) -> Result<(), LogError> {
        self.staged.drain(..).try_for_each(|staged| staged.place())?;
        let left = self.repairs.iter().filter(|repair| repair.was == Damage::Left);
        left.into_iter().try_for_each(|repair| folder.remove(&repair.file))
    }
}

impl Drop for Mending {
    fn drop(&mut self) {
        self.staged.iter().for_each(Staged::discard);
    }
}

impl Writer {
    /// Goes through the entries. `signed` are the checkpoints that must be of them, by size.
    pub(crate) fn replay<E>(
        &mut self,
        entries: impl Iterator<Item = Result<Vec<u8>, E>>,
        signed: &[Checkpoint],
        mending: &mut Mending,
    ) -> Result<(), OpenError<E>> {
        let known = signed.last().map_or(0, |checkpoint| checkpoint.size);
        self.hold(signed)?;
        for entry in entries {
            self.append(&entry.map_err(OpenError::Entries)?)?;
            if self.size() > known {
                continue;
            }
            self.hold(signed)?;
            for (tile, bytes) in std::mem::take(&mut self.due) {
                mending.hold(&self.folder, tile, &bytes)?;
            }
            if self.size() == known {
                for (tile, bytes) in self.incomplete() {
                    mending.hold(&self.folder, tile, &bytes)?;
                }
                mending.mend(&self.folder)?;
            }
        }
        if self.size() < known {
            let origin = self.log.name().to_owned();
            return Err(LogError::Rollback { origin, known, found: self.size() }.into());
        }
        if let Some(published) = self.published.as_ref().filter(|_| mending.has(CHECKPOINT)) {
            self.folder.write(CHECKPOINT, published.note.to_string().as_bytes())?;
        }
        Ok(())
    }

    /// Holds the entries so far to the checkpoints of just as many.
    fn hold(&self, signed: &[Checkpoint]) -> Result<(), LogError> {
        let size = self.size();
        let from = signed.partition_point(|checkpoint| checkpoint.size < size);
        let fork = || LogError::Fork { origin: self.log.name().to_owned(), size };
        let same = signed[from..].iter().take_while(|checkpoint| checkpoint.size == size);
        same.map(|checkpoint| checkpoint.root)
            .try_for_each(|root| if root == self.edge.root() { Ok(()) } else { Err(fork()) })
    }
}
