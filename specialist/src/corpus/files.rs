//! Which files belong to a corpus.

use std::{
    fs, io,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{CorpusError, DEPTH_MAX, FILES_MAX, Format, Place, Skip};

/// A file of a corpus, and when it changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct File {
    pub(super) path: PathBuf,
    /// Its path inside the corpus, with `/` between folders.
    pub(super) name: String,
    pub(super) format: Format,
    pub(super) stamp: Stamp,
}

/// What tells that a file changed without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stamp {
    /// When it was last written, where the system knows.
    written: Option<SystemTime>,
    /// When anything about it changed, such as who may read it: seconds and nanoseconds.
    changed: (i64, i64),
    /// How long it is.
    pub(super) bytes: u64,
}

impl Stamp {
    pub(super) fn of(metadata: &fs::Metadata) -> Self {
        let changed = (metadata.ctime(), metadata.ctime_nsec());
        Self { written: metadata.modified().ok(), changed, bytes: metadata.len() }
    }
}

/// What lies in a corpus.
#[derive(Debug, Default)]
pub(super) struct Listing {
    /// In the order of their names.
    pub(super) files: Vec<File>,
    /// Folders and files that cannot even be looked at.
    pub(super) skipped: Vec<Skip>,
    /// Files of no format that is read.
    pub(super) ignored: usize,
}

/// What lies at `root`, a file or a folder.
pub(super) fn list(root: &Path) -> Result<Listing, CorpusError> {
    let unreadable = |source| CorpusError::Read { path: root.to_owned(), source };
    let metadata = fs::metadata(root).map_err(unreadable)?;
    let mut listing = Listing::default();
    if metadata.is_dir() {
        // A part may be missing, but without its root there is no corpus.
        let entries = fs::read_dir(root).map_err(unreadable)?;
        listing.entries(root, entries, "", 0);
    } else {
        let name = root.file_name().unwrap_or_default().to_string_lossy();
        listing.file(root, name.into_owned(), &metadata);
    }
    if listing.files.len() > FILES_MAX {
        return Err(CorpusError::TooLarge { path: root.to_owned(), max: FILES_MAX as u64, unit: "files" });
    }
    listing.files.sort_by(|a, b| a.name.cmp(&b.name));
    listing.skipped.sort_by(|a, b| a.place.file.cmp(&b.place.file));
    Ok(listing)
}

impl Listing {
    fn folder(&mut self, path: &Path, name: &str, depth: usize) {
        if depth > DEPTH_MAX {
            return self.skip(path, format!("lies in more than {DEPTH_MAX} folders"));
        }
        match fs::read_dir(path) {
            Ok(entries) => self.entries(path, entries, name, depth),
            Err(error) => self.skip(path, unreadable(&error)),
        }
    }

    fn entries(&mut self, folder: &Path, entries: fs::ReadDir, name: &str, depth: usize) {
        for entry in entries {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return self.skip(folder, unreadable(&error)),
            };
            let own = entry.file_name().to_string_lossy().into_owned();
            if own.starts_with('.') || self.files.len() > FILES_MAX {
                continue;
            }
            let (path, name) = (entry.path(), if name.is_empty() { own } else { format!("{name}/{own}") });
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                self.folder(&path, &name, depth + 1);
                continue;
            }
            // A link to a file is followed, as mounted volumes are full of them; one to a folder might
            // lead in a circle.
            match fs::metadata(&path) {
                Ok(metadata) if metadata.is_file() => self.file(&path, name, &metadata),
                Ok(_) => {}
                Err(error) if Format::of(&path).is_some() => self.skip(&path, unreadable(&error)),
                Err(_) => self.ignored += 1,
            }
        }
    }

    fn file(&mut self, path: &Path, name: String, metadata: &fs::Metadata) {
        match Format::of(path) {
            Some(format) => {
                self.files.push(File { path: path.to_owned(), name, format, stamp: Stamp::of(metadata) });
            }
            None => self.ignored += 1,
        }
    }

    fn skip(&mut self, path: &Path, reason: String) {
        self.skipped.push(Skip { place: Place { file: path.into(), line: 0 }, reason });
    }

    /// Whether `path` may still be there, but lies where nobody can look.
    pub(super) fn hides(&self, path: &Path) -> bool {
        self.skipped.iter().any(|skip| path.starts_with(&*skip.place.file))
    }
}

/// Why nothing comes from a file or folder.
pub(super) fn unreadable(error: &io::Error) -> String {
    format!("cannot be read: {error}")
}
