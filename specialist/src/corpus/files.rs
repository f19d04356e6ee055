//! Which files belong to a corpus.

use std::{
    fs, io,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::{CorpusError, DEPTH_MAX, FILES_MAX};

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    JsonLines,
    Markdown,
    Plain,
}

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
pub struct Stamp {
    /// The file.
    pub path: PathBuf,
    /// When it was last written, where the system knows.
    pub written: Option<SystemTime>,
    /// How long it is.
    pub bytes: u64,
}

/// The stamps of all files of the corpus at `root`: equal twice where nothing changed between.
pub fn stamps(root: &Path) -> Result<Vec<Stamp>, CorpusError> {
    Ok(list(root)?.into_iter().map(|file| file.stamp).collect())
}

/// The files of the corpus at `root`, a file or a folder, in the order of their names.
pub(super) fn list(root: &Path) -> Result<Vec<File>, CorpusError> {
    let metadata = fs::metadata(root).map_err(|source| unreadable(root, source))?;
    let mut files = Vec::new();
    if metadata.is_dir() {
        folder(root, "", 0, &mut files)?;
    } else {
        let name = root.file_name().unwrap_or_default().to_string_lossy();
        files.extend(file(root, name.into_owned(), &metadata));
    }
    if files.len() > FILES_MAX {
        let path = root.to_owned();
        return Err(CorpusError::TooLarge { path, max: FILES_MAX as u64, unit: "files" });
    }
    files.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(files)
}

fn folder(path: &Path, name: &str, depth: usize, files: &mut Vec<File>) -> Result<(), CorpusError> {
    if depth > DEPTH_MAX {
        let path = path.to_owned();
        return Err(CorpusError::TooLarge { path, max: DEPTH_MAX as u64, unit: "folders above it" });
    }
    for entry in fs::read_dir(path).map_err(|source| unreadable(path, source))? {
        let entry = entry.map_err(|source| unreadable(path, source))?;
        let own = entry.file_name().to_string_lossy().into_owned();
        if own.starts_with('.') || files.len() > FILES_MAX {
            continue;
        }
        let (path, name) = (entry.path(), if name.is_empty() { own } else { format!("{name}/{own}") });
        let kind = entry.file_type().map_err(|source| unreadable(&path, source))?;
        if kind.is_dir() {
            folder(&path, &name, depth + 1, files)?;
            continue;
        }
        // A link to a file is followed, as mounted volumes are full of them; one to a folder might
        // lead in a circle.
        let metadata = fs::metadata(&path).map_err(|source| unreadable(&path, source))?;
        if metadata.is_file() {
            files.extend(file(&path, name, &metadata));
        }
    }
    Ok(())
}

fn file(path: &Path, name: String, metadata: &fs::Metadata) -> Option<File> {
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let format = match extension.as_str() {
        "jsonl" => Format::JsonLines,
        "md" => Format::Markdown,
        "txt" => Format::Plain,
        _ => {
            tracing::debug!(file = %path.display(), "ignored: not .jsonl, .md or .txt");
            return None;
        }
    };
    let stamp = Stamp { path: path.to_owned(), written: metadata.modified().ok(), bytes: metadata.len() };
    Some(File { path: path.to_owned(), name, format, stamp })
}

fn unreadable(path: &Path, source: io::Error) -> CorpusError {
    CorpusError::Read { path: path.to_owned(), source }
}
