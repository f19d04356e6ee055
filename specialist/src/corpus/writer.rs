//! Words of a document that has markup become sections: gaps between them, headings, items of lists.

use super::sections::{Heading, Section, below};

/// What stands between two words, the wider one last.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Gap {
    #[default]
    None,
    Space,
    /// Between cells of a table.
    Cell,
    Line,
    Paragraph,
}

/// Writes words into sections.
#[derive(Debug)]
pub(super) struct Writer {
    /// At least one.
    sections: Vec<Section>,
    /// A heading whose words are being read.
    heading: Option<Heading>,
    gap: Gap,
    /// How deep the item lies whose first word comes next.
    item: Option<usize>,
}

impl Writer {
    pub(super) fn new() -> Self {
        Self { sections: vec![Section::default()], heading: None, gap: Gap::None, item: None }
    }

    /// All that was written.
    pub(super) fn sections(mut self) -> Vec<Section> {
        self.end_heading();
        self.sections
    }

    /// Keeps at least this gap before the next word.
    pub(super) fn gap(&mut self, gap: Gap) {
        self.gap = self.gap.max(gap);
    }

    /// Makes the next word the first of an item, inside of `depth` other lists.
    pub(super) fn begin_item(&mut self, depth: usize) {
        self.item = Some(depth);
    }

    /// Leaves out an item that has no words.
    pub(super) fn end_item(&mut self) {
        self.item = None;
    }

    /// Takes the next words for a heading; 1 is the outermost level.
    pub(super) fn begin_heading(&mut self, level: usize) {
        self.end_heading();
        self.heading = Some(Heading { level, text: String::new() });
    }

    /// Begins a section under the heading, if it has words.
    pub(super) fn end_heading(&mut self) {
        if let Some(heading) = self.heading.take().filter(|heading| !heading.text.is_empty()) {
            let above = self.sections.last().map(|section| section.path.as_slice()).unwrap_or_default();
            let path = below(above, &heading);
            self.sections.push(Section { path, text: String::new() });
            self.gap = Gap::None;
        }
    }

    /// Writes running text, whose white space is one space at the most.
    pub(super) fn text(&mut self, text: &str) {
        if text.starts_with(char::is_whitespace) {
            self.gap(Gap::Space);
        }
        for (at, word) in text.split_whitespace().enumerate() {
            self.gap(if at > 0 { Gap::Space } else { Gap::None });
            self.word(word);
        }
        if text.ends_with(char::is_whitespace) {
            self.gap(Gap::Space);
        }
    }

    /// Writes `word` as it is.
    pub(super) fn word(&mut self, word: &str) {
        let gap = std::mem::take(&mut self.gap);
        let (into, gap) = match (&mut self.heading, self.sections.last_mut()) {
            (Some(heading), _) => (&mut heading.text, gap.min(Gap::Space)),
            (None, Some(section)) => (&mut section.text, gap),
            (None, None) => return,
        };
        if !into.is_empty() {
            into.push_str(match gap {
                Gap::None => "",
                Gap::Space => " ",
                Gap::Cell => " | ",
                Gap::Line => "\n",
                Gap::Paragraph => "\n\n",
            });
        }
        if let Some(depth) = self.item.take() {
            into.push_str(&"  ".repeat(depth));
            into.push_str("- ");
        }
        into.push_str(word);
    }
}
