//! One file becomes passages. Whatever it holds, the worst is that it is skipped and says why.

use std::{fs, io, io::Read as _, num::NonZeroU32, thread};

use proto::{AnswerCheck, Digest, wire};

use super::{
    Draft, FILE_BYTES_MAX, Fault, Faults, Format, PASSAGES_MAX, Passage, Source, csv, docx,
    files::{File, Stamp, unreadable},
    html, jsonl, markdown, pdf, plain,
};

/// The stack of a thread that reads a file: parsers of nested formats may call themselves.
const STACK_BYTES: usize = 32 << 20;

/// The contract's bounds of what a document's file and headings name.
const ID_CHARS_MAX: usize = 200;
const TITLE_CHARS_MAX: usize = 500;
const URL_BYTES_MAX: usize = 2_000;

/// What a file gives.
#[derive(Debug, Default)]
pub(super) struct Contents {
    pub(super) passages: Vec<Passage>,
    /// The line of each passage, 0 where its format has none.
    pub(super) lines: Vec<usize>,
    /// What of it is left out.
    pub(super) faults: Faults,
    /// Whether the system, and not the file's content, kept it from being read.
    pub(super) unreadable: bool,
    /// The file as the passages were read from it; `None` where there are none.
    pub(super) source: Option<Source>,
}

impl Contents {
    /// Nothing, because of `problem`.
    fn nothing(problem: String) -> Self {
        Self { faults: Faults::from(Fault { line: 0, problem }), ..Self::default() }
    }

    /// Nothing, because of `error`.
    fn unreadable(error: &io::Error) -> Self {
        Self { unreadable: true, ..Self::nothing(unreadable(error)) }
    }

    fn add(&mut self, draft: Result<Draft, Fault>, license: &str) {
        let checked = draft.and_then(|draft| {
            let line = draft.line;
            if self.passages.len() == PASSAGES_MAX {
                return Err(Fault { line, problem: format!("comes after {PASSAGES_MAX} passages") });
            }
            let passage = check(draft, license).map_err(|problem| Fault { line, problem })?;
            Ok((passage, line))
        });
        match checked {
            Ok((passage, line)) => {
                self.passages.push(passage);
                self.lines.push(line);
            }
            Err(fault) => self.faults.push(fault),
        }
    }
}

/// The passages of `file`; those without a licence get `license`.
pub(super) fn read(file: &File, license: &str) -> Contents {
    let bytes = match load(file) {
        Ok(Ok(bytes)) => bytes,
        Ok(Err(problem)) => return Contents::nothing(problem),
        Err(error) => return Contents::unreadable(&error),
    };
    match alone(|| parse(file, &bytes, license)) {
        Ok(Some(contents)) if contents.passages.is_empty() => contents,
        Ok(Some(contents)) => Contents { source: Some(source(file, &bytes)), ..contents },
        Ok(None) => {
            Contents::nothing("cannot be read: its parser failed; save it anew, or convert it".into())
        }
        Err(error) => Contents::unreadable(&error),
    }
}

fn source(file: &File, bytes: &[u8]) -> Source {
    let File { name, format, .. } = file;
    Source { name: name.clone(), format: *format, bytes: bytes.len() as u64, digest: Digest::of(bytes) }
}

/// Does `work` on a thread of its own, which keeps a parser's panic to itself; `None` after one.
pub(super) fn alone<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<Option<T>> {
    thread::scope(|scope| {
        let thread = thread::Builder::new().stack_size(STACK_BYTES).spawn_scoped(scope, work)?;
        Ok(thread.join().ok())
    })
}

/// The bytes of `file`, or what keeps them from being used.
fn load(file: &File) -> io::Result<Result<Vec<u8>, String>> {
    let too_large = || Ok(Err(format!("has more than {FILE_BYTES_MAX} bytes")));
    if file.stamp.bytes > FILE_BYTES_MAX {
        return too_large();
    }
    let mut opened = fs::File::open(&file.path)?;
    let mut bytes = Vec::new();
    opened.by_ref().take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    // By its path, since the file may have been replaced by another one.
    if Stamp::of(&fs::metadata(&file.path)?) != file.stamp {
        return Ok(Err("changed while it was read; the next look takes it".into()));
    }
    if bytes.len() as u64 > FILE_BYTES_MAX { too_large() } else { Ok(Ok(bytes)) }
}

fn parse(file: &File, bytes: &[u8], license: &str) -> Contents {
    let mut contents = Contents::default();
    match drafts(file, bytes) {
        Ok(drafts) => drafts.for_each(|draft| contents.add(draft, license)),
        Err(fault) => contents.faults.push(fault),
    }
    contents
}

type Drafts<'a> = Box<dyn Iterator<Item = Result<Draft, Fault>> + 'a>;

fn drafts<'a>(file: &'a File, bytes: &'a [u8]) -> Result<Drafts<'a>, Fault> {
    let document = |drafts: Vec<Draft>| -> Drafts { Box::new(drafts.into_iter().map(within).map(Ok)) };
    Ok(match file.format {
        Format::JsonLines => Box::new(jsonl::read(bytes)),
        Format::Markdown => document(markdown::read(&file.name, decode(bytes)?)),
        Format::Plain => document(plain::read(&file.name, decode(bytes)?)),
        Format::Html => document(html::read(&file.name, decode(bytes)?)?),
        Format::Csv => Box::new(csv::read(&file.name, bytes)?),
        Format::Docx => document(docx::read(&file.name, bytes)?),
        Format::Pdf => Box::new(pdf::read(&file.name, bytes)?.into_iter().map(|draft| draft.map(within))),
    })
}

/// The draft with what a document's file or headings made too long cut to the contract's bounds: nobody
/// chose these names, and no text should be lost by them.
fn within(draft: Draft) -> Draft {
    let clean = |text: String, max: usize| text.chars().filter(|c| !c.is_control()).take(max).collect();
    let mut id = draft.id;
    if id.chars().count() > ID_CHARS_MAX {
        // Two long ids may end alike, so each begins with its own digest.
        let digest = Digest::of(&id).to_string();
        let end = id.char_indices().rev().nth(ID_CHARS_MAX - 20).map_or(0, |(at, _)| at);
        id = format!("{}-{}", digest.get(..16).unwrap_or(&digest), &id[end..]);
    }
    Draft {
        id: clean(id, ID_CHARS_MAX),
        title: clean(draft.title, TITLE_CHARS_MAX),
        section: clean(draft.section, TITLE_CHARS_MAX),
        url: Some(draft.url).filter(|url| url.len() <= URL_BYTES_MAX).unwrap_or_default(),
        ..draft
    }
}

/// The text of a file, without byte order mark.
pub(super) fn decode(bytes: &[u8]) -> Result<&str, Fault> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let line = bytes[..error.valid_up_to()].split(|byte| *byte == b'\n').count();
        Fault { line, problem: "is not UTF-8".into() }
    })?;
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text))
}

/// The passage, if the contract allows it.
fn check(draft: Draft, license: &str) -> Result<Passage, String> {
    let Draft { id, title, text, url, license: own, section, page, line: _ } = draft;
    let license = if own.trim().is_empty() { license } else { own.trim() };
    let passage = Passage {
        id: id.trim().to_owned(),
        title: title.trim().to_owned(),
        text: text.trim().to_owned(),
        url: url.trim().to_owned(),
        license: license.to_owned(),
        section: section.trim().to_owned(),
        page: NonZeroU32::new(page),
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
    use crate::corpus::files;

    #[test]
    fn a_file_that_changes_or_vanishes_while_it_is_read_waits_for_the_next_look() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.txt");
        fs::write(&path, "One.").unwrap();
        let seen = files::list(folder.path()).unwrap().files.remove(0);
        assert_eq!(read(&seen, "").passages.len(), 1);
        fs::write(&path, "One and more.").unwrap();
        let torn = read(&seen, "");
        assert_eq!(torn.faults.skips(&path)[0].reason, "changed while it was read; the next look takes it");
        assert!(torn.passages.is_empty());
        fs::remove_file(&path).unwrap();
        let gone = read(&seen, "");
        assert!(gone.unreadable && gone.passages.is_empty() && !gone.faults.is_empty());
    }

    #[test]
    fn long_names_cost_no_text() {
        let long = |end: &str| format!("{}/{end}", "folder".repeat(60));
        let heading = "Heading ".repeat(100);
        let html = format!(
            "<title>{heading}</title><link rel=canonical href='https://{heading}'><h2>{heading}</h2><p>x"
        );
        let mut ids = Vec::new();
        for name in [long("a.html"), long("b/a.html")] {
            let drafts = html::read(&name, &html).unwrap();
            let passage = check(within(drafts.into_iter().next().unwrap()), "").unwrap();
            assert_eq!((passage.title.chars().count(), passage.text.as_str()), (500, "x"));
            ids.push(passage.id);
        }
        assert!(ids[0] != ids[1] && ids[0].contains("a.html#heading"), "{ids:?}");
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
