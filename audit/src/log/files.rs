//! A log's folder. A file is written beside its place and then put there, so that no reader sees half of it.
//! None is flushed to disk: they can all be made again.

use std::{
    fs::{self, File, TryLockError},
    io::{self, Read as _},
    path::{Path, PathBuf},
};

use super::LogError;

/// The file that one writer at a time locks. The lock goes with its process.
const LOCK: &str = ".lock";

/// A folder that only this process writes to.
#[derive(Debug)]
pub(crate) struct Folder {
    path: PathBuf,
    lock: File,
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A process that is being started may hold the file a moment longer than this one.
        let _ = self.lock.unlock();
    }
}

/// A file that is written and not in its place yet.
#[derive(Debug)]
pub(crate) struct Staged {
    from: PathBuf,
    to: PathBuf,
}

impl Folder {
    /// Locks the folder at `path`, and makes it where it is missing.
    pub(crate) fn lock(path: &Path) -> Result<Self, LogError> {
        let failed = failed(path);
        fs::create_dir_all(path).map_err(&failed)?;
        let lock = File::create(path.join(LOCK)).map_err(&failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path: path.to_owned(), lock }),
            Err(TryLockError::WouldBlock) => Err(LogError::Locked(path.to_owned())),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Puts `bytes` at `name`.
    pub(crate) fn write(&self, name: &str, bytes: &[u8]) -> Result<(), LogError> {
        self.stage(name, bytes)?.place()
    }

    /// Writes `bytes` beside `name`.
    pub(crate) fn stage(&self, name: &str, bytes: &[u8]) -> Result<Staged, LogError> {
        let to = self.path.join(name);
        let from = self.path.join(format!("{name}.new"));
        let written = match fs::write(&from, bytes) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(to.parent().unwrap_or(&self.path)).and_then(|()| fs::write(&from, bytes))
            }
            written => written,
        };
        written.map_err(failed(&from))?;
        Ok(Staged { from, to })
    }

    /// Removes the file or folder at `name`, if there is one.
    pub(crate) fn remove(&self, name: &str) -> Result<(), LogError> {
        let path = self.path.join(name);
        let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
        match removed {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed(&path)(error)),
            _ => Ok(()),
        }
    }

    /// Where `name` lies.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Whether there is something at `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).exists()
    }
}

impl Staged {
    /// Puts it in its place.
    pub(crate) fn place(&self) -> Result<(), LogError> {
        fs::rename(&self.from, &self.to).map_err(failed(&self.to))
    }

    /// Forgets it.
    pub(crate) fn discard(&self) {
        // What stays is written over the next time.
        let _ = fs::remove_file(&self.from);
    }
}

/// At most `max` bytes of the file at `path`, if there is one.
pub(crate) fn read(path: &Path, max: usize) -> Result<Option<Vec<u8>>, LogError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(max as u64 + 1).read_to_end(&mut bytes));
    match read {
        Ok(length) if length > max => Err(LogError::Long { path: path.display().to_string(), max }),
        Ok(_) => Ok(Some(bytes)),
        Err(error) if [io::ErrorKind::NotFound, io::ErrorKind::NotADirectory].contains(&error.kind()) => {
            Ok(None)
        }
        Err(error) => Err(failed(path)(error)),
    }
}

pub(crate) fn failed(path: &Path) -> impl Fn(io::Error) -> LogError {
    |source| LogError::File { path: path.to_owned(), source }
}
