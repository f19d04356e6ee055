//! `.docx`: the text of a Word document in its order. Headings are found by their styles, whatever
//! language these are named in; headers, footers, comments and deleted words are left out.

use std::{
    collections::HashMap,
    io::{Cursor, Read as _},
};

use quick_xml::{
    Reader, XmlVersion,
    escape::resolve_predefined_entity,
    events::{BytesStart, Event},
};
use zip::ZipArchive;

use super::{
    Draft, Fault,
    plain::stem,
    sections::{Document, drafts},
    writer::{Gap, Writer},
};

/// The most bytes that one part of a document may have once it is unpacked.
const PART_BYTES_MAX: u64 = 64 << 20;

/// Elements whose words stand elsewhere too, or stood there once.
const LEFT_OUT: [&str; 2] = ["Fallback", "moveFrom"];

/// The passages of a document: titled by its properties, or else its file's name.
pub(super) fn read(name: &str, bytes: &[u8]) -> Result<Vec<Draft>, Fault> {
    let fault = |problem: String| Fault { line: 0, problem };
    let mut parts = ZipArchive::new(Cursor::new(bytes)).map_err(|_| fault(BROKEN.to_owned()))?;
    let mut part = |name| unpack(&mut parts, name).map_err(fault);
    let styles = part("word/styles.xml")?.map(|xml| styles(&xml)).unwrap_or_default();
    let title = part("docProps/core.xml")?.map(|xml| title(&xml)).unwrap_or_default();
    let body = part("word/document.xml")?.ok_or_else(|| fault(BROKEN.to_owned()))?;
    let mut text = Text::new(styles);
    each(&body, |event| text.take(&event)).map_err(fault)?;
    let sections = text.writer.sections();
    let outermost = sections.iter().flat_map(|section| &section.path).find(|heading| heading.level <= 1);
    let heading = outermost.map(|heading| heading.text.clone());
    let title = Some(title).filter(|title| !title.is_empty()).or(heading).unwrap_or_else(|| stem(name));
    Ok(drafts(&Document { name, title, url: String::new() }, &sections))
}

const BROKEN: &str = "is no .docx document, or a broken one";

/// The part of this name as text, if there is one.
fn unpack(parts: &mut ZipArchive<Cursor<&[u8]>>, name: &str) -> Result<Option<String>, String> {
    let Ok(part) = parts.by_name(name) else { return Ok(None) };
    let mut xml = Vec::new();
    part.take(PART_BYTES_MAX + 1).read_to_end(&mut xml).map_err(|_| BROKEN)?;
    if xml.len() as u64 > PART_BYTES_MAX {
        return Err(format!("unpacks to more than {PART_BYTES_MAX} bytes"));
    }
    Ok(Some(String::from_utf8(xml).map_err(|_| BROKEN)?))
}

/// Hands each event of `xml` to `take`.
fn each<'a>(xml: &'a str, mut take: impl FnMut(Event<'a>)) -> Result<(), String> {
    let mut reader = Reader::from_str(xml);
    reader.config_mut().expand_empty_elements = true;
    loop {
        match reader.read_event().map_err(|_| BROKEN)? {
            Event::Eof => return Ok(()),
            event => take(event),
        }
    }
}

/// The name of an element without its prefix.
fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

/// The words that a text or a reference to a character stands for.
fn words(event: &Event) -> Option<String> {
    match event {
        Event::Text(text) => Some(text.to_string()),
        Event::CData(text) => Some(text.to_string()),
        Event::GeneralRef(name) => match name.resolve_char_ref() {
            Ok(Some(character)) => Some(character.to_string()),
            _ => resolve_predefined_entity(name).map(str::to_owned),
        },
        _ => None,
    }
}

fn attribute(element: &BytesStart, name: &str) -> Option<String> {
    let mut attributes = element.attributes();
    let mut attributes = attributes.with_checks(false).filter_map(Result::ok);
    let found = attributes.find(|attribute| local(attribute.key.as_ref()) == name)?;
    Some(found.normalized_value(XmlVersion::Implicit1_0).ok()?.into_owned())
}

/// What a style makes of a paragraph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Style {
    /// 0 for the document's title, 1 for the outermost heading.
    Heading(usize),
    Item,
}

/// The styles that matter, by their ids, which are named in the author's language. Their names are not.
fn styles(xml: &str) -> HashMap<String, Style> {
    let (mut styles, mut id) = (HashMap::new(), None);
    // What comes before the fault is good; a document without styles is only plainer.
    let _ = each(xml, |event| {
        let Event::Start(element) = event else { return };
        match local(element.name().as_ref()) {
            "style" => id = attribute(&element, "styleId"),
            "name" => {
                let name = attribute(&element, "val").unwrap_or_default().to_lowercase();
                let level = name.strip_prefix("heading ").and_then(|level| level.parse().ok());
                let style = match name.as_str() {
                    "title" => Some(Style::Heading(0)),
                    name if name.starts_with("list bullet") || name.starts_with("list number") => {
                        Some(Style::Item)
                    }
                    _ => level.map(Style::Heading),
                };
                styles.extend(id.take().zip(style));
            }
            _ => {}
        }
    });
    styles
}

/// The title in a document's properties; empty where there is none.
fn title(xml: &str) -> String {
    let (mut title, mut inside) = (String::new(), false);
    // As above: what can be read is enough.
    let _ = each(xml, |event| match &event {
        Event::Start(element) => inside = local(element.name().as_ref()) == "title",
        Event::End(_) => inside = false,
        event if inside => title.extend(words(event)),
        _ => {}
    });
    title.trim().to_owned()
}

/// Follows the elements of a document.
struct Text {
    styles: HashMap<String, Style>,
    writer: Writer,
    /// How deep in cells of tables.
    cells: usize,
    /// How deep in what is left out.
    left_out: usize,
    /// Whether words are the document's.
    inside: bool,
    /// What this paragraph is, and the one before.
    style: Option<Style>,
    before: Option<Style>,
    /// Whether the paragraph has no words yet.
    begins: bool,
}

impl Text {
    fn new(styles: HashMap<String, Style>) -> Self {
        Self {
            styles,
            writer: Writer::new(),
            cells: 0,
            left_out: 0,
            inside: false,
            style: None,
            before: None,
            begins: false,
        }
    }

    fn take(&mut self, event: &Event) {
        match event {
            Event::Start(element) => self.start(local(element.name().as_ref()), element),
            Event::End(element) => self.end(local(element.name().as_ref())),
            event if self.inside && self.left_out == 0 => self.write(&words(event).unwrap_or_default()),
            _ => {}
        }
    }

    fn start(&mut self, name: &str, element: &BytesStart) {
        let number = || attribute(element, "val").and_then(|value| value.parse::<usize>().ok());
        match name {
            "p" => (self.style, self.begins) = (None, true),
            "pStyle" => {
                let style = attribute(element, "val").and_then(|id| self.styles.get(&id).copied());
                self.begin(style);
            }
            "outlineLvl" => {
                self.begin(number().filter(|level| *level < 9).map(|level| Style::Heading(level + 1)));
            }
            "numPr" if self.style.is_none() => self.begin(Some(Style::Item)),
            "ilvl" if self.style == Some(Style::Item) => self.writer.begin_item(number().unwrap_or(0).min(9)),
            "numId" if self.style == Some(Style::Item) && number() == Some(0) => self.begin(None),
            "t" => self.inside = true,
            "tab" => self.writer.gap(Gap::Space),
            "br" | "cr" | "tr" => self.writer.gap(Gap::Line),
            "tbl" if self.cells == 0 => self.writer.gap(Gap::Paragraph),
            "tc" => {
                self.cells += 1;
                self.writer.gap(Gap::Cell);
            }
            name if LEFT_OUT.contains(&name) => self.left_out += 1,
            _ => {}
        }
    }

    /// Makes the paragraph what `style` says.
    fn begin(&mut self, style: Option<Style>) {
        self.writer.end_item();
        match style {
            Some(Style::Heading(level)) => self.writer.begin_heading(level),
            Some(Style::Item) => self.writer.begin_item(0),
            None => {}
        }
        self.style = style;
    }

    fn write(&mut self, words: &str) {
        if std::mem::take(&mut self.begins) {
            let items = self.style == Some(Style::Item) && self.before == Some(Style::Item);
            self.writer.gap(match (self.cells, items) {
                (0, true) => Gap::Line,
                (0, false) => Gap::Paragraph,
                _ => Gap::Space,
            });
        }
        self.writer.text(words);
    }

    fn end(&mut self, name: &str) {
        match name {
            "p" => {
                self.writer.end_heading();
                self.writer.end_item();
                self.before = self.style.take();
            }
            "t" => self.inside = false,
            "tc" => self.cells = self.cells.saturating_sub(1),
            name if LEFT_OUT.contains(&name) => self.left_out = self.left_out.saturating_sub(1),
            _ => {}
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::io::Write as _;

    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    /// A document of these parts.
    pub(crate) fn document(parts: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, content) in parts {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(content).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    /// A document with this body.
    pub(crate) fn body(body: &str) -> Vec<u8> {
        let xml = format!("<?xml version=\"1.0\"?><w:document><w:body>{body}</w:body></w:document>");
        let styles = "<w:styles><w:style w:styleId=\"berschrift1\"><w:name w:val=\"heading 1\"/></w:style>\
            <w:style w:styleId=\"berschrift2\"><w:name w:val=\"heading 2\"/></w:style>\
            <w:style w:styleId=\"Liste\"><w:name w:val=\"List Bullet\"/></w:style></w:styles>";
        document(&[("word/styles.xml", styles.as_bytes()), ("word/document.xml", xml.as_bytes())])
    }

    fn paragraph(style: &str, text: &str) -> String {
        format!("<w:p><w:pPr><w:pStyle w:val=\"{style}\"/></w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>")
    }

    #[test]
    fn styles_make_sections_lists_and_nothing_else() {
        let cell = |text: &str| format!("<w:tc>{}</w:tc>", paragraph("", text));
        let xml = [
            paragraph("berschrift1", "Fever guide"),
            "<w:p><w:r><w:t xml:space=\"preserve\">Keep </w:t></w:r><w:r><w:t>ca</w:t></w:r><w:r><w:t>lm &amp; drink.</w:t></w:r>\
             <w:del><w:r><w:delText>Gone.</w:delText></w:r></w:del></w:p>"
                .to_owned(),
            paragraph("berschrift2", "Dose"),
            paragraph("", "Signs:"),
            paragraph("Liste", "fever"),
            "<w:p><w:pPr><w:numPr><w:ilvl w:val=\"1\"/><w:numId w:val=\"3\"/></w:numPr></w:pPr><w:r><w:t>at night</w:t></w:r></w:p>"
                .to_owned(),
            format!("<w:tbl><w:tr>{}{}</w:tr><w:tr>{}{}</w:tr></w:tbl>", cell("Age"), cell("Dose"), cell("1"), cell("5 ml")),
        ];
        let drafts = read("a/b.docx", &body(&xml.concat())).unwrap();
        let seen: Vec<_> =
            drafts.iter().map(|d| (d.id.as_str(), d.section.as_str(), d.text.as_str())).collect();
        let dose = "Signs:\n\n- fever\n  - at night\n\nAge | Dose\n1 | 5 ml";
        assert_eq!(
            seen,
            [("a/b.docx#fever-guide", "", "Keep calm & drink."), ("a/b.docx#dose", "Dose", dose)]
        );
        assert!(drafts.iter().all(|d| d.title == "Fever guide"));
    }

    #[test]
    fn the_title_of_the_properties_comes_first() {
        let xml = b"<w:document><w:p><w:r><w:t>One.</w:t></w:r></w:p></w:document>";
        let core = b"<cp:coreProperties><dc:title>A &amp; B</dc:title><dc:creator>N</dc:creator></cp:coreProperties>";
        let bytes = document(&[("word/document.xml", xml), ("docProps/core.xml", core)]);
        assert_eq!(read("x.docx", &bytes).unwrap()[0].title, "A & B");
    }

    #[test]
    fn what_is_no_document_is_a_fault() {
        #[track_caller]
        fn fails(bytes: &[u8], problem: &str) {
            assert_eq!(read("x.docx", bytes).unwrap_err().problem, problem);
        }
        fails(b"PK secret", BROKEN);
        fails(&document(&[("other.xml", b"")]), BROKEN);
        fails(&document(&[("word/document.xml", b"<w:p><w:t>x</w:p>")]), BROKEN);
        fails(&document(&[("word/document.xml", b"\xff")]), BROKEN);
        let whole = body(&paragraph("", "One."));
        fails(&whole[..whole.len() / 2], BROKEN);
        // 65 MiB that are packed into some kilobytes.
        let bomb = vec![b' '; usize::try_from(PART_BYTES_MAX).unwrap() + 1];
        fails(&document(&[("word/document.xml", &bomb)]), "unpacks to more than 67108864 bytes");
    }
}
