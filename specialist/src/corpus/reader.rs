//! A corpus that is looked at again and again: what has not changed is not read again, and what was
//! read once is not lost to a file that cannot be read now.

use std::{
    collections::{HashMap, hash_map::Entry},
    fs, mem,
    ops::Range,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    Corpus, CorpusError, Fault, Faults, Format, PASSAGES_MAX, Passage, Place, Source,
    file::{self, Contents},
    files::{self, File, Listing},
    report::{Count, Report},
};

/// Reads one corpus, as often as it changes.
#[derive(Debug)]
pub struct Reader {
    root: PathBuf,
    license: String,
    /// What the last look saw; `None` before the first.
    listing: Option<Listing>,
    held: Vec<Held>,
    corpus: Corpus,
}

/// What one file gave when it was read.
#[derive(Debug)]
struct Held {
    file: File,
    /// Its passages among all.
    passages: Range<usize>,
    /// The line of each.
    lines: Vec<usize>,
    faults: Faults,
    /// Whether the system, and not the file's content, kept it from being read.
    unreadable: bool,
    /// Whether other files, as they were, kept some of it out.
    crowded: bool,
    /// The file as its passages were read from it.
    source: Option<Source>,
}

impl Reader {
    /// A reader of the file or folder at `root` that has not looked yet; passages without a licence
    /// get `license`.
    pub fn new(root: &Path, license: &str) -> Self {
        Self {
            root: root.to_owned(),
            license: license.to_owned(),
            listing: None,
            held: Vec::new(),
            corpus: Corpus::default(),
        }
    }

    /// The corpus as the last look left it.
    pub fn corpus(&self) -> &Corpus {
        &self.corpus
    }

    /// Reads what has changed since the last look; whether anything has. A corpus without passages is
    /// an error at the look that finds it so, and unchanged at the next one.
    pub fn look(&mut self) -> Result<bool, CorpusError> {
        let mut listing = files::list(&self.root)?;
        if !self.differs(&listing) {
            return Ok(false);
        }
        let mut known: HashMap<PathBuf, Held> =
            self.held.drain(..).map(|held| (held.file.path.clone(), held)).collect();
        let mut files = mem::take(&mut listing.files);
        let hidden = known.values().map(|held| &held.file).filter(|file| listing.hides(&file.path));
        files.extend(hidden.cloned());
        files.sort_by(|a, b| a.name.cmp(&b.name));

        let mut shelf = Shelf::default();
        for file in files {
            let held = known.remove(&file.path);
            let contents = contents(&file, held, &self.corpus.passages, &self.license);
            shelf.put(file, contents);
        }
        self.held = shelf.held;
        let sources = self.held.iter().filter(|held| !held.passages.is_empty());
        self.corpus = Corpus {
            passages: shelf.passages.into(),
            files: sources.filter_map(|held| held.source.clone()).collect(),
            report: report(&self.held, &listing).into(),
        };
        self.listing = Some(listing);
        if self.corpus.passages.is_empty() {
            let (path, report) = (self.root.clone(), self.corpus.report.clone());
            return Err(CorpusError::Empty { path, report });
        }
        Ok(true)
    }

    /// Whether anything is not as it was when it was last read.
    fn differs(&self, listing: &Listing) -> bool {
        let Some(last) = &self.listing else { return true };
        let there = self.held.iter().map(|held| &held.file).filter(|file| !listing.hides(&file.path));
        let readable = |held: &Held| held.unreadable && fs::File::open(&held.file.path).is_ok();
        !there.eq(&listing.files)
            || (&listing.skipped, listing.ignored) != (&last.skipped, last.ignored)
            || self.held.iter().any(readable)
    }
}

/// A corpus half read.
#[derive(Default)]
struct Shelf {
    passages: Vec<Passage>,
    held: Vec<Held>,
    /// Where each id was first met: which file, and which line of it.
    places: HashMap<String, (Arc<Path>, usize)>,
}

impl Shelf {
    /// Puts what `file` holds behind the others.
    fn put(&mut self, file: File, contents: Contents) {
        let path: Arc<Path> = file.path.as_path().into();
        let Contents { passages, lines, mut faults, unreadable, source } = contents;
        let (begin, mut kept, mut crowded) = (self.passages.len(), Vec::new(), false);
        for (passage, line) in passages.into_iter().zip(lines) {
            match self.take(passage, (&path, line)) {
                Ok(()) => kept.push(line),
                Err(problem) => {
                    crowded = true;
                    faults.push(Fault { line, problem });
                }
            }
        }
        let passages = begin..self.passages.len();
        self.held.push(Held { file, passages, lines: kept, faults, unreadable, crowded, source });
    }

    /// Takes a passage, or says why there is no place for it.
    fn take(&mut self, passage: Passage, (path, line): (&Arc<Path>, usize)) -> Result<(), String> {
        if self.passages.len() == PASSAGES_MAX {
            return Err(format!("comes after {PASSAGES_MAX} passages"));
        }
        match self.places.entry(passage.id.clone()) {
            Entry::Occupied(first) => {
                let (file, line) = first.get().clone();
                Err(format!("the id {:?} is taken by {}", passage.id, Place { file, line }))
            }
            Entry::Vacant(free) => {
                free.insert((path.clone(), line));
                self.passages.push(passage);
                Ok(())
            }
        }
    }
}

/// What `file` holds. It gave `held` at the look before, whose passages stand in `before`.
fn contents(file: &File, held: Option<Held>, before: &[Passage], license: &str) -> Contents {
    let again = |held: Held, faults: Faults, unreadable: bool| {
        let passages = before.get(held.passages).unwrap_or_default().to_vec();
        Contents { passages, lines: held.lines, faults, unreadable, source: held.source }
    };
    let held = match held {
        Some(mut held) if held.file == *file && !held.crowded && !held.unreadable => {
            let faults = mem::take(&mut held.faults);
            return again(held, faults, false);
        }
        held => held.filter(|held| !held.passages.is_empty()),
    };
    let mut now = file::read(file, license);
    match held {
        Some(held) if now.passages.is_empty() && !now.faults.is_empty() => {
            let problem = format!("its {} passages as read before are served on", held.passages.len());
            now.faults.push(Fault { line: 0, problem });
            again(held, now.faults, now.unreadable)
        }
        _ => now,
    }
}

fn report(held: &[Held], listing: &Listing) -> Report {
    let mut report =
        Report { skipped: listing.skipped.clone(), ignored: listing.ignored, ..Report::default() };
    for format in Format::ALL {
        let files = held.iter().filter(|held| held.file.format == format);
        let passages = files.clone().map(|held| held.passages.len()).sum();
        report.formats.push(Count { format, files: files.count(), passages });
    }
    report.formats.retain(|count| count.files > 0);
    for held in held {
        report.skipped.extend(held.faults.skips(&held.file.path));
    }
    report
}
