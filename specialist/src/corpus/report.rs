//! What came of each file, for people and for programs.

use std::fmt;

use serde_json::{Value, json};

use super::{Format, Place};

/// How many skips an error names.
const FIRST: usize = 3;

/// What came of the files of a corpus.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// The formats that there are files of.
    pub formats: Vec<Count>,
    /// What is not served, in the order of files and lines; of one file at most
    /// [`FAULTS_MAX`](super::FAULTS_MAX) and one that counts the others.
    pub skipped: Vec<Skip>,
    /// How many files are of no format that is read.
    pub ignored: usize,
}

/// How many there are of one format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Count {
    /// Which.
    pub format: Format,
    /// Those that were skipped too.
    pub files: usize,
    /// All that come from them.
    pub passages: usize,
}

/// A file, a line or a passage that is not served.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Skip {
    /// Where.
    pub place: Place,
    /// Why, and what to do; says nothing of the text.
    pub reason: String,
}

impl fmt::Display for Skip {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place, self.reason)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{:<8}{:>10}{:>10}", "format", "files", "passages")?;
        for Count { format, files, passages } in &self.formats {
            writeln!(f, "{:<8}{files:>10}{passages:>10}", format.name())?;
        }
        writeln!(f, "ignored: {} files of other formats", self.ignored)?;
        write!(f, "skipped: {}", self.skipped.len())?;
        self.skipped.iter().try_for_each(|skip| write!(f, "\n  {skip}"))
    }
}

impl Report {
    /// For programs.
    pub fn json(&self) -> Value {
        let formats = self.formats.iter().map(|Count { format, files, passages }| {
            json!({ "format": format.name(), "files": files, "passages": passages })
        });
        let skipped = self.skipped.iter().map(|Skip { place, reason }| {
            let line = (place.line > 0).then_some(place.line);
            json!({ "file": place.file.to_string_lossy(), "line": line, "reason": reason })
        });
        json!({
            "formats": formats.collect::<Vec<_>>(),
            "ignored": self.ignored,
            "skipped": skipped.collect::<Vec<_>>(),
        })
    }

    /// How many files were looked at.
    pub fn files(&self) -> usize {
        self.formats.iter().map(|count| count.files).sum()
    }

    /// The first that were skipped, as the end of an error; empty where nothing was.
    pub(super) fn first(&self) -> String {
        let first = self.skipped.iter().take(FIRST).map(|skip| format!("; skipped {skip}"));
        let more = self.skipped.len().saturating_sub(FIRST);
        let more = (more > 0).then(|| format!("; and {more} more"));
        first.chain(more).collect()
    }
}
