//! The corpus: files of an institution become passages. What cannot be read is skipped and named with
//! its reason, never quoted; the rest goes on. This module only reads; it neither embeds nor remembers.

mod csv;
mod cut;
mod docx;
mod dom;
mod file;
mod files;
mod html;
mod jsonl;
mod markdown;
mod pdf;
mod plain;
mod reader;
mod report;
mod sections;
mod writer;

use std::{
    fmt, io,
    num::NonZeroU32,
    path::{Path, PathBuf},
    sync::Arc,
};

use proto::{Digest, answer};

pub use reader::Reader;
pub use report::{Count, Report, Skip};

/// The most bytes that one file may have.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// The most bytes that one line of a `.jsonl` file may have.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// The most passages that a corpus may have.
pub const PASSAGES_MAX: usize = 1_000_000;

/// The most files that a corpus may have.
pub const FILES_MAX: usize = 100_000;

/// The most faults of one file that are named one by one; the others are counted.
pub const FAULTS_MAX: usize = 100;

/// The deepest that folders may lie in folders.
pub const DEPTH_MAX: usize = 32;

/// A passage within the contract's bounds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Passage {
    /// Its name inside the corpus, unique: 1 to 200 characters.
    pub id: String,
    /// May be empty.
    pub title: String,
    /// 1 to 32,768 bytes, without white space at either end.
    pub text: String,
    /// `http(s)` address, or empty.
    pub url: String,
    /// Its own, or else the corpus's.
    pub license: String,
    /// The headings above it inside its document, as "Treatment > Dose"; may be empty.
    pub section: String,
    /// The page of its document that it begins on, where that has pages.
    pub page: Option<NonZeroU32>,
}

impl Passage {
    /// What stands above it: "title, section".
    pub fn heading(&self) -> String {
        answer::heading(&self.title, &self.section, None)
    }

    /// "title, section: text".
    pub fn titled(&self) -> String {
        answer::titled(&self.heading(), &self.text)
    }

    /// The passage as an answer to a question at cosine `similarity` sends it.
    pub fn cited(&self, similarity: f32) -> proto::Passage {
        let Self { id, title, text, url, license, section, page } = self.clone();
        let similarity = similarity.clamp(-1.0, 1.0);
        proto::Passage { id, title, text, url, license, section, page, similarity }
    }
}

/// All passages, in the order of their files and lines, and what came of the files. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Corpus {
    /// Those that can be served.
    pub passages: Arc<[Passage]>,
    /// The files that they come from, in the order of their names.
    pub files: Arc<[Source]>,
    /// Where they come from, and what was left out.
    pub report: Arc<Report>,
}

/// A file that passages come from, as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path inside the corpus, with `/` between folders.
    pub name: String,
    /// How it was read.
    pub format: Format,
    /// How long it was.
    pub bytes: u64,
    /// The digest of its content.
    pub digest: Digest,
}

/// How a file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `.jsonl`
    JsonLines,
    /// `.md`
    Markdown,
    /// `.txt`
    Plain,
    /// `.html` and `.htm`
    Html,
    /// `.csv`
    Csv,
    /// `.docx`
    Docx,
    /// `.pdf`
    Pdf,
}

impl Format {
    /// Each of them.
    pub const ALL: [Self; 7] =
        [Self::JsonLines, Self::Markdown, Self::Plain, Self::Html, Self::Csv, Self::Docx, Self::Pdf];

    /// The ending of its files' names, which is also its name.
    pub fn name(self) -> &'static str {
        match self {
            Self::JsonLines => "jsonl",
            Self::Markdown => "md",
            Self::Plain => "txt",
            Self::Html => "html",
            Self::Csv => "csv",
            Self::Docx => "docx",
            Self::Pdf => "pdf",
        }
    }

    /// The format of the file at `path`, by its name; `None` for one that is not read.
    fn of(path: &Path) -> Option<Self> {
        let ending = path.extension()?.to_str()?.to_lowercase();
        let ending = if ending == "htm" { "html" } else { &ending };
        Self::ALL.into_iter().find(|format| format.name() == ending)
    }
}

/// A file, or a line of it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// Counted from 1; 0 for the whole file.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}", self.file.display()),
            line => write!(f, "{}:{line}", self.file.display()),
        }
    }
}

/// Why a corpus cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CorpusError {
    /// A file or folder cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The whole is larger than its limit.
    #[error("{} has more than {max} {unit}", path.display())]
    TooLarge {
        /// Which.
        path: PathBuf,
        /// The limit.
        max: u64,
        /// Of what.
        unit: &'static str,
    },
    /// There is nothing to serve.
    #[error("{} holds no passages ({}){}", path.display(), endings(), report.first())]
    Empty {
        /// Which.
        path: PathBuf,
        /// What was skipped.
        report: Arc<Report>,
    },
}

/// A passage as its file states it, unchecked.
#[derive(Debug, Default, PartialEq, Eq)]
struct Draft {
    id: String,
    title: String,
    text: String,
    url: String,
    license: String,
    section: String,
    /// 0 where there is none.
    page: u32,
    line: usize,
}

/// What is wrong with a file, and in which line.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    /// 0 for the whole file.
    line: usize,
    problem: String,
}

/// The faults of one file.
#[derive(Debug, Default, PartialEq, Eq)]
struct Faults {
    named: Vec<Fault>,
    /// How many are only counted.
    more: usize,
}

impl From<Fault> for Faults {
    fn from(fault: Fault) -> Self {
        Self { named: vec![fault], more: 0 }
    }
}

impl Faults {
    fn is_empty(&self) -> bool {
        self.named.is_empty()
    }

    fn push(&mut self, fault: Fault) {
        if self.named.len() < FAULTS_MAX {
            self.named.push(fault);
        } else {
            self.more += 1;
        }
    }

    /// What is skipped of the file at `path`.
    fn skips(&self, path: &Path) -> Vec<Skip> {
        let file: Arc<Path> = path.into();
        let skip = |line, reason| Skip { place: Place { file: file.clone(), line }, reason };
        let more = (self.more > 0).then(|| skip(0, format!("{} more are skipped", self.more)));
        self.named.iter().map(|fault| skip(fault.line, fault.problem.clone())).chain(more).collect()
    }
}

/// The endings that are read: ".jsonl, .md, .txt".
fn endings() -> String {
    Format::ALL.map(|format| format!(".{}", format.name())).join(", ")
}

#[cfg(test)]
mod tests;
