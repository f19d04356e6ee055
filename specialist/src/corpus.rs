//! The corpus: files of an institution become passages. One bad line is an error that names its file
//! and line, and never quotes the text. This module only reads; it neither embeds nor remembers.

mod files;
mod jsonl;
mod markdown;
mod plain;

use std::{
    collections::HashMap,
    fmt, fs, io,
    path::{Path, PathBuf},
    sync::Arc,
};

use proto::{AnswerCheck, Digest, wire};

pub use files::{Stamp, stamps};

/// The most bytes that one file may have.
pub const FILE_BYTES_MAX: u64 = 64 << 20;

/// The most bytes that one line of a `.jsonl` file may have.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// The most passages that a corpus may have.
pub const PASSAGES_MAX: usize = 1_000_000;

/// The most files that a corpus may have.
pub const FILES_MAX: usize = 100_000;

/// The deepest that folders may lie in folders.
pub const DEPTH_MAX: usize = 32;

/// A passage within the contract's bounds.
#[derive(Debug, Clone, PartialEq, Eq)]
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
}

impl Passage {
    /// What is embedded: "title: text".
    pub fn titled(&self) -> String {
        if self.title.is_empty() { self.text.clone() } else { format!("{}: {}", self.title, self.text) }
    }

    /// The digest of everything that it says.
    pub fn digest(&self) -> Digest {
        let Self { id, title, text, url, license } = self;
        let mut bytes = Vec::new();
        for field in [id, title, text, url, license] {
            // Lengths keep the fields apart: "ab" + "c" is not "a" + "bc".
            bytes.extend_from_slice(&field.len().to_le_bytes());
            bytes.extend_from_slice(field.as_bytes());
        }
        Digest::of(bytes)
    }

    /// The passage as an answer to a question at cosine `similarity` sends it.
    pub fn cited(&self, similarity: f32) -> proto::Passage {
        let Self { id, title, text, url, license } = self.clone();
        proto::Passage { id, title, text, url, license, similarity: similarity.clamp(-1.0, 1.0) }
    }
}

/// All passages, in the order of their files and lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corpus {
    /// At least one.
    pub passages: Vec<Passage>,
    /// How many files they come from.
    pub files: usize,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub file: Arc<Path>,
    /// Counted from 1.
    pub line: usize,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file.display(), self.line)
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
    /// A line breaks the rules.
    #[error("{place}: {problem}")]
    Line {
        /// Where.
        place: Place,
        /// How; says nothing of the text.
        problem: String,
    },
    /// A file or the whole is larger than its limit.
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
    #[error("{} holds no passages (.jsonl, .md or .txt)", path.display())]
    Empty {
        /// Which.
        path: PathBuf,
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
    line: usize,
}

/// What is wrong with a file, and in which line.
#[derive(Debug, PartialEq, Eq)]
struct Fault {
    line: usize,
    problem: String,
}

/// Reads the file or folder at `root`; passages without a licence get `license`.
pub fn read(root: &Path, license: &str) -> Result<Corpus, CorpusError> {
    let files = files::list(root)?;
    let mut reading = Reading { license, passages: Vec::new(), places: HashMap::new() };
    for file in &files {
        reading.file(file)?;
        if reading.passages.len() > PASSAGES_MAX {
            let path = root.to_owned();
            return Err(CorpusError::TooLarge { path, max: PASSAGES_MAX as u64, unit: "passages" });
        }
    }
    if reading.passages.is_empty() {
        return Err(CorpusError::Empty { path: root.to_owned() });
    }
    Ok(Corpus { passages: reading.passages, files: files.len() })
}

/// A corpus half read.
struct Reading<'a> {
    license: &'a str,
    passages: Vec<Passage>,
    places: HashMap<String, Place>,
}

impl Reading<'_> {
    fn file(&mut self, file: &files::File) -> Result<(), CorpusError> {
        let path: Arc<Path> = file.path.as_path().into();
        if file.stamp.bytes > FILE_BYTES_MAX {
            let path = file.path.clone();
            return Err(CorpusError::TooLarge { path, max: FILE_BYTES_MAX, unit: "bytes" });
        }
        let bytes =
            fs::read(&path).map_err(|source| CorpusError::Read { path: file.path.clone(), source })?;
        let drafts = decode(&bytes).and_then(|text| match file.format {
            files::Format::JsonLines => jsonl::read(text),
            files::Format::Markdown => Ok(markdown::read(&file.name, text)),
            files::Format::Plain => Ok(plain::read(&file.name, text)),
        });
        let at = |line| Place { file: path.clone(), line };
        let drafts =
            drafts.map_err(|Fault { line, problem }| CorpusError::Line { place: at(line), problem })?;
        drafts.into_iter().try_for_each(|draft| self.passage(at(draft.line), draft))
    }

    fn passage(&mut self, place: Place, draft: Draft) -> Result<(), CorpusError> {
        let passage = check(draft, self.license)
            .map_err(|problem| CorpusError::Line { place: place.clone(), problem })?;
        if let Some(first) = self.places.insert(passage.id.clone(), place.clone()) {
            let problem = format!("the id {:?} is taken by {first}", passage.id);
            return Err(CorpusError::Line { place, problem });
        }
        self.passages.push(passage);
        Ok(())
    }
}

/// The text of a file, without byte order mark.
fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        Fault { line, problem: "is not UTF-8".into() }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The passage, if the contract allows it.
fn check(draft: Draft, license: &str) -> Result<Passage, String> {
    let Draft { id, title, text, url, license: own, line: _ } = draft;
    let license = if own.trim().is_empty() { license } else { own.trim() };
    let passage = Passage {
        id: id.trim().to_owned(),
        title: title.trim().to_owned(),
        text: text.trim().to_owned(),
        url: url.trim().to_owned(),
        license: license.to_owned(),
    };
    // The router's own check, so that nothing is served that it would refuse.
    let event = wire::answer_response::Event::Passage(passage.cited(0.0).into());
    AnswerCheck::default().read(wire::AnswerResponse { event: Some(event) }).map_err(|invalid| {
        let field = invalid.field.trim_start_matches("passage.").trim_start_matches("passage_");
        format!("{field} {}", invalid.problem)
    })?;
    Ok(passage)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a folder of these files; gives the ids, or the error with the folder's name cut out.
    fn reads(files: &[(&str, &[u8])]) -> Result<Vec<String>, String> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let root = format!("{}/", folder.path().display());
        let corpus = read(folder.path(), "CC0-1.0").map_err(|error| error.to_string().replace(&root, ""))?;
        Ok(corpus.passages.into_iter().map(|passage| passage.id).collect())
    }

    #[test]
    fn folders_are_read_in_order_and_strangers_skipped() {
        let files: [(&str, &[u8]); 6] = [
            ("b.txt", b"Last."),
            ("a/z.jsonl", b"{\"id\":\"one\",\"text\":\"x\"}\n\n{\"id\":\"two\",\"text\":\"y\"}"),
            ("a/b.md", b"# Title\nText."),
            (".hidden.txt", b"no"),
            (".git/c.txt", b"no"),
            ("picture.png", b"\xff"),
        ];
        assert_eq!(reads(&files).unwrap(), ["a/b.md#title", "one", "two", "b.txt#1"]);
    }

    #[test]
    fn errors_name_file_and_line() {
        #[track_caller]
        fn refused(bytes: &[u8], error: &str) {
            assert_eq!(reads(&[("c/a.jsonl", bytes)]).unwrap_err(), error);
        }
        refused(b"{\"id\":\"a\",\"text\":\"x\"}\n{\"id\":", "c/a.jsonl:2: is not JSON (column 6)");
        refused(b"\n\"secret\"", "c/a.jsonl:2: is not a JSON object");
        refused(b"{\"id\":5,\"text\":\"x\"}", "c/a.jsonl:1: id must be a string");
        refused(b"{\"text\":\"x\"}", "c/a.jsonl:1: id has 0 characters, where 1 to 200 are allowed");
        refused(
            b"{\"id\":\"a\",\"text\":\" \"}",
            "c/a.jsonl:1: text has 0 bytes, where 1 to 32768 are allowed",
        );
        refused(
            b"{\"id\":\"a\",\"text\":\"x\",\"url\":\"ftp://x\"}",
            "c/a.jsonl:1: url must be an http or https address",
        );
        refused(b"{}\n\xff", "c/a.jsonl:2: is not UTF-8");
        let long = format!("{{\"id\":\"a\",\"text\":\"{}\"}}", "x".repeat(LINE_BYTES_MAX));
        refused(long.as_bytes(), "c/a.jsonl:1: has more than 1048576 bytes");
    }

    #[test]
    fn an_id_taken_twice_names_both_places() {
        let line = b"{\"id\":\"x\",\"text\":\"x\"}";
        let error = reads(&[("a.jsonl", line), ("b.jsonl", line)]).unwrap_err();
        assert_eq!(error, "b.jsonl:1: the id \"x\" is taken by a.jsonl:1");
    }

    #[test]
    fn nothing_to_serve_is_an_error() {
        assert!(reads(&[("a.png", b"x")]).unwrap_err().ends_with("holds no passages (.jsonl, .md or .txt)"));
        let missing = read(Path::new("nowhere/at/all"), "").unwrap_err();
        assert_eq!(missing.to_string(), "cannot read nowhere/at/all");
    }

    #[test]
    fn the_corpus_lends_its_licence() {
        let license = |own: &str| {
            let draft = Draft { id: "a".into(), text: "x".into(), license: own.into(), ..Draft::default() };
            check(draft, "CC0-1.0").unwrap().license
        };
        assert_eq!((license(""), license("MIT")), ("CC0-1.0".into(), "MIT".into()));
    }
}
