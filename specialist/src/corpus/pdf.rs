//! `.pdf`: the text of each page. Paragraphs go on over the end of a page; what stands at the head or
//! the foot of most pages is left out. Pictures are not read.

use std::{
    collections::HashMap,
    io::{self, Read as _},
};

use flate2::read::ZlibDecoder;
use pdf_extract::{Dictionary, Document, Object, PlainTextOutput, decode_text_string, output_doc_page};

use super::{Draft, Fault, cut::passages, file::alone, plain::stem, sections::Slugs};

/// The most bytes of text that one document may have.
const TEXT_BYTES_MAX: usize = 64 << 20;

/// The most bytes that one stream of a document may unpack to.
const STREAM_BYTES_MAX: u64 = 64 << 20;

/// From how many pages on a line that most of them have is none of the text.
const PAGES_MIN: usize = 3;

/// The passages of a document, and the pages that are left out. Passages are titled by the document's
/// properties or else its file's name, and named after the page that they begin on.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<Result<Draft, Fault>>, Fault> {
    let fault = |problem: &str| Fault { line: 0, problem: problem.into() };
    let mut document = Document::load_mem(bytes).map_err(|_| fault("is no PDF, or a broken one"))?;
    if document.is_encrypted() && document.decrypt("").is_err() {
        return Err(fault("asks for a password: save it without one"));
    }
    if document.objects.values().any(is_too_large) {
        return Err(fault(&format!("unpacks to more than {STREAM_BYTES_MAX} bytes")));
    }
    let (mut pages, mut faults, mut room) = (Vec::new(), Vec::new(), TEXT_BYTES_MAX);
    for number in document.get_pages().into_keys() {
        // A page that breaks the parser costs only itself, and is read without its layout where that goes.
        let text = try_alone(|| page(&document, number, room));
        match text.or_else(|| try_alone(|| document.extract_text(&[number]).ok())) {
            Some(text) if text.len() <= room => {
                room -= text.len();
                pages.push((number, text));
            }
            _ => faults.push(fault(&format!("page {number} cannot be read"))),
        }
    }
    let title = title(&document).unwrap_or_else(|| stem(name));
    let drafts = drafts(name, &title, pages);
    if drafts.is_empty() && faults.is_empty() {
        return Err(fault("no text (scanned?): have its text recognised first"));
    }
    Ok(drafts.into_iter().map(Ok).chain(faults.into_iter().map(Err)).collect())
}

/// Whether `object` is a stream that unpacks to more than it may: the parser sets no bound. Pictures are
/// never unpacked.
fn is_too_large(object: &Object) -> bool {
    let Ok(stream) = object.as_stream() else { return false };
    let is_picture = stream.dict.get(b"Subtype").and_then(Object::as_name).is_ok_and(|name| name == b"Image");
    let is_packed = stream.filters().is_ok_and(|filters| filters.first() == Some(&b"FlateDecode".as_slice()));
    let mut unpacked = ZlibDecoder::new(stream.content.as_slice()).take(STREAM_BYTES_MAX + 1);
    !is_picture
        && is_packed
        && io::copy(&mut unpacked, &mut io::sink()).is_ok_and(|bytes| bytes > STREAM_BYTES_MAX)
}

fn try_alone<T: Send>(work: impl FnOnce() -> Option<T> + Send) -> Option<T> {
    alone(work).ok().flatten().flatten()
}

/// The text of one page, of at most `room` bytes.
fn page(document: &Document, number: u32, room: usize) -> Option<String> {
    let mut written = Bounded { bytes: Vec::new(), room };
    let out: &mut dyn io::Write = &mut written;
    output_doc_page(document, &mut PlainTextOutput::new(out), number).ok()?;
    Some(String::from_utf8_lossy(&written.bytes).into_owned())
}

/// Takes no more than there is room for.
struct Bounded {
    bytes: Vec<u8>,
    room: usize,
}

impl io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > self.room {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The title in a document's properties.
fn title(document: &Document) -> Option<String> {
    let info = document.trailer.get(b"Info").ok()?;
    let info: &Dictionary = document.dereference(info).ok()?.1.as_dict().ok()?;
    let title: &Object = document.dereference(info.get(b"Title").ok()?).ok()?.1;
    let title = decode_text_string(title).ok()?;
    let title: String = title.chars().filter(|c| !c.is_control()).collect();
    Some(title.trim().to_owned()).filter(|title| !title.is_empty())
}

/// The passages of these pages.
fn drafts(name: &str, title: &str, pages: Vec<(u32, String)>) -> Vec<Draft> {
    let frame = frame(&pages);
    let (mut text, mut begins) = (String::new(), Vec::new());
    for (number, page) in pages {
        let page: String = page.chars().filter(|c| *c == '\n' || !c.is_control()).collect();
        let lines: Vec<&str> = page.trim().lines().collect();
        let last = lines.len().saturating_sub(1);
        let framed = |at: usize| (at == 0 || at == last) && frame.contains_key(&shape(lines[at]));
        let kept = (0..lines.len()).filter(|at| !framed(*at)).map(|at| lines[at].trim_end());
        let kept = kept.collect::<Vec<_>>().join("\n");
        for paragraph in kept.split("\n\n").map(str::trim).filter(|paragraph| !paragraph.is_empty()) {
            join(&mut text, paragraph);
            begins.push((text.len() - paragraph.len(), number));
        }
    }
    let mut slugs = Slugs::default();
    let draft = |range: std::ops::Range<usize>| {
        let at = begins.partition_point(|(begin, _)| *begin <= range.start).saturating_sub(1);
        let page = begins.get(at).map_or(0, |(_, number)| *number);
        let id = format!("{name}#{}", slugs.next(&format!("p{page}")));
        Draft { id, title: title.to_owned(), text: text[range].to_owned(), page, ..Draft::default() }
    };
    passages(&text).into_iter().map(draft).collect()
}

/// Puts `paragraph` behind `text`. One that goes on in mid-sentence, as after the end of a page or with wide
/// lines, begins no new one.
fn join(text: &mut String, paragraph: &str) {
    let ended = text.trim_end().ends_with(['.', '!', '?', ':', ';', '…', '。', '”', '"', ')']);
    if !text.is_empty() {
        text.push_str(if !ended && paragraph.starts_with(char::is_lowercase) { "\n" } else { "\n\n" });
    }
    text.push_str(paragraph);
}

/// The first and last lines that more than half of the pages have, but for their numbers.
fn frame(pages: &[(u32, String)]) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    for (_, page) in pages {
        let lines = || page.trim().lines();
        for line in lines().next().into_iter().chain(lines().next_back().filter(|_| lines().count() > 1)) {
            *counts.entry(shape(line)).or_default() += 1;
        }
    }
    counts.retain(|_, count| pages.len() >= PAGES_MIN && *count * 2 > pages.len());
    counts
}

/// A line without its numbers.
fn shape(line: &str) -> String {
    line.chars().filter(|c| !c.is_numeric()).collect::<String>().trim().to_owned()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A document with these pages, each of lines; an empty line makes a paragraph.
    pub(crate) fn document(title: &str, pages: &[&[&str]]) -> Vec<u8> {
        let kids: String = (0..pages.len()).map(|at| format!("{} 0 R ", 5 + 2 * at)).collect();
        let mut objects = vec![
            "<</Type/Catalog/Pages 2 0 R>>".to_owned(),
            format!("<</Type/Pages/Kids[{kids}]/Count {}>>", pages.len()),
            "<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>".to_owned(),
            format!("<</Title({title})>>"),
        ];
        for (at, lines) in pages.iter().enumerate() {
            let shown: String = lines.iter().map(|line| format!("({line}) Tj 0 -14 Td ")).collect();
            let content = format!("BT /F1 12 Tf 72 720 Td {shown}ET");
            objects.push(format!(
                "<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Resources<</Font<</F1 3 0 R>>>>/Contents {} 0 R>>",
                6 + 2 * at
            ));
            objects.push(format!("<</Length {}>>stream\n{content}\nendstream", content.len()));
        }
        let mut bytes = "%PDF-1.4\n".to_owned();
        let mut table = String::new();
        for (at, object) in objects.iter().enumerate() {
            table.push_str(&format!("{:010} 00000 n \n", bytes.len()));
            bytes.push_str(&format!("{} 0 obj\n{object}\nendobj\n", at + 1));
        }
        let (start, count) = (bytes.len(), objects.len() + 1);
        bytes.push_str(&format!("xref\n0 {count}\n0000000000 65535 f \n{table}"));
        bytes.push_str(&format!(
            "trailer<</Size {count}/Root 1 0 R/Info 4 0 R>>\nstartxref\n{start}\n%%EOF\n"
        ));
        bytes.into_bytes()
    }

    /// Each passage as (id after `#`, page, text).
    #[track_caller]
    fn reads(bytes: &[u8], expected: &[(&str, u32, &str)]) {
        let drafts =
            read("a/leaflet.pdf", bytes).unwrap().into_iter().collect::<Result<Vec<_>, _>>().unwrap();
        let seen: Vec<_> = drafts
            .iter()
            .map(|d| (d.id.trim_start_matches("a/leaflet.pdf#"), d.page, d.text.as_str()))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn pages_become_passages_and_sentences_go_on_over_their_end() {
        let long = ["Ten words stand in this line, and none is cut."; 12];
        let mut first = vec!["Hospital leaflet"];
        first.extend(long);
        first.extend(["", "", "This sentence goes on", "Page 1 of 3"]);
        let second = ["Hospital leaflet", "on the next page.", "", "", "A new one.", "Page 2 of 3"];
        let third = ["Hospital leaflet", "The end.", "Page 3 of 3"];
        let text = long.join("\n");
        reads(
            &document("Fever", &[&first, &second, &third]),
            &[(
                "p1",
                1,
                &format!("{text}\n\nThis sentence goes on\non the next page.\n\nA new one.\n\nThe end."),
            )],
        );
        let pages = [long.as_slice(), &["", "", "x"], &long, &["Another frame"], &long];
        let drafts = read("a.pdf", &document("Fever", &pages)).unwrap();
        let places: Vec<_> =
            drafts.into_iter().map(|d| d.map(|d| (d.id, d.page, d.title)).unwrap()).collect();
        assert_eq!(places[0], ("a.pdf#p1".into(), 1, "Fever".into()));
        assert!(places.len() > 1 && places.iter().any(|(_, page, _)| *page > 1), "{places:?}");
    }

    #[test]
    fn a_page_that_breaks_the_parser_is_read_without_its_layout() {
        let bytes = String::from_utf8(document("", &[&["Words of old."]])).unwrap();
        let old = bytes.replace("Helvetica/Encoding/WinAnsiEncoding", "Helvetic/Encoding/StandardEncoding");
        let drafts = read("x.pdf", old.as_bytes()).unwrap();
        assert_eq!(drafts[0].as_ref().unwrap().text, "Words of old.");
    }

    #[test]
    fn a_stream_that_unpacks_to_too_much_is_not_unpacked() {
        let stream = |bytes: u64| {
            let mut packed = Vec::new();
            let zeros = io::repeat(0).take(bytes);
            flate2::read::ZlibEncoder::new(zeros, flate2::Compression::fast())
                .read_to_end(&mut packed)
                .unwrap();
            let mut dict = Dictionary::new();
            dict.set("Filter", Object::Name(b"FlateDecode".to_vec()));
            Object::Stream(pdf_extract::Stream::new(dict, packed))
        };
        assert!(!is_too_large(&stream(1_000)));
        assert!(is_too_large(&stream(STREAM_BYTES_MAX + 1)));
    }

    #[test]
    fn what_has_no_text_or_is_broken_is_a_fault() {
        #[track_caller]
        fn fails(bytes: &[u8], problem: &str) {
            assert_eq!(read("x.pdf", bytes).unwrap_err().problem, problem);
        }
        fails(&document("", &[&[], &[]]), "no text (scanned?): have its text recognised first");
        fails(b"%PDF-1.4 secret", "is no PDF, or a broken one");
        fails(b"", "is no PDF, or a broken one");
    }

    #[test]
    fn a_document_without_a_title_is_named_by_its_file() {
        let drafts = read("a/fever_leaflet.pdf", &document("", &[&["One."]])).unwrap();
        assert_eq!(drafts[0].as_ref().unwrap().title, "fever leaflet");
    }
}
