//! `.md`: sections become passages, titled by the path of their headings.

use std::ops::Range;

use super::{
    Draft,
    cut::{Fence, Lines, passages},
    plain::stem,
    sections::{Heading, Slugs, below},
};

/// The passages of a file: `title` is "document - heading - heading", ids are `file.md#slug`.
/// Front matter may state `title`, `url` and `license`. Sections without text give nothing.
pub(super) fn read(name: &str, text: &str) -> Vec<Draft> {
    let front = Front::read(text);
    let sections = sections(text, front.end);
    let first = sections.iter().flat_map(|section| &section.path).find(|heading| heading.level == 1);
    let document = Some(front.title).filter(|title| !title.is_empty());
    let document = document.or(first.map(|heading| heading.text.clone())).unwrap_or_else(|| stem(name));
    let (mut slugs, mut lines) = (Slugs::default(), Lines::of(text));
    let mut drafts = Vec::new();
    for Section { path, body } in sections {
        let headings = path.iter().map(|heading| heading.text.as_str()).filter(|text| *text != document);
        let title = [document.as_str()].into_iter().chain(headings).collect::<Vec<_>>().join(" - ");
        let own = path.last().map_or(&document, |heading| &heading.text);
        for range in passages(&text[body.clone()]) {
            let range = body.start + range.start..body.start + range.end;
            drafts.push(Draft {
                id: format!("{name}#{}", slugs.next(own)),
                title: title.clone(),
                line: lines.at(range.start),
                text: text[range].to_owned(),
                url: front.url.clone(),
                license: front.license.clone(),
                ..Draft::default()
            });
        }
    }
    drafts
}

/// What the lines between `---` at the head of a file say.
#[derive(Default)]
struct Front {
    title: String,
    url: String,
    license: String,
    /// Where the text begins.
    end: usize,
}

impl Front {
    fn read(text: &str) -> Self {
        let mut lines = text.split_inclusive('\n');
        let mut front = Self::default();
        let mut at = lines.next().filter(|line| line.trim_end() == "---").map_or(0, str::len);
        if at == 0 {
            return front;
        }
        for line in lines {
            at += line.len();
            if matches!(line.trim_end(), "---" | "...") {
                front.end = at;
                return front;
            }
            let (key, value) = line.split_once(':').unwrap_or((line, ""));
            let value = value.trim().trim_matches(['"', '\'']).to_owned();
            match key {
                "title" => front.title = value,
                "url" => front.url = value,
                "license" => front.license = value,
                _ => {}
            }
        }
        // Never closed: a rule at the head of the text, not front matter.
        Self::default()
    }
}

struct Section {
    /// From the outermost heading to its own.
    path: Vec<Heading>,
    body: Range<usize>,
}

/// The sections of `text` from byte `start` on, in order.
fn sections(text: &str, start: usize) -> Vec<Section> {
    let mut sections = vec![Section { path: Vec::new(), body: start..start }];
    let (mut at, mut fence) = (start, Fence::default());
    // The line before, while it is the only one of its paragraph: an underline makes it a heading.
    let mut lone: Option<Range<usize>> = None;
    let mut in_paragraph = false;
    for line in text[start..].split_inclusive('\n') {
        let range = at..at + line.len();
        at = range.end;
        let code = fence.read(line);
        let underlined = lone.take().filter(|_| !code).zip(underline(line));
        let heading = match &underlined {
            Some((above, level)) => Some((above.start, *level, text[above.clone()].trim())),
            None if code => None,
            None => hashes(line).map(|(level, title)| (range.start, level, title)),
        };
        let Some(current) = sections.last_mut() else { break };
        current.body.end = range.end;
        let blank = line.trim().is_empty();
        if let Some((border, level, title)) = heading {
            current.body.end = border;
            let path = below(&current.path, &Heading { level, text: title.to_owned() });
            sections.push(Section { path, body: range.end..range.end });
        } else if !code && !in_paragraph && line.contains(char::is_alphanumeric) {
            lone = Some(range);
        }
        in_paragraph = !blank && underlined.is_none() && hashes(line).is_none();
    }
    sections
}

/// Level and text of a heading with `#`.
fn hashes(line: &str) -> Option<(usize, &str)> {
    let line = line.trim();
    let text = line.trim_start_matches('#');
    let level = line.len() - text.len();
    let heading = (1..=6).contains(&level) && (text.is_empty() || text.starts_with([' ', '\t']));
    heading.then(|| (level, text.trim_end_matches('#').trim()))
}

/// Level of the heading that `line` underlines.
fn underline(line: &str) -> Option<usize> {
    let line = line.trim_end();
    let of = |mark: char| line.len() >= 3 && line.chars().all(|c| c == mark);
    if of('=') { Some(1) } else { of('-').then_some(2) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each passage as (id after `#`, title, text, line).
    #[track_caller]
    fn splits(text: &str, expected: &[(&str, &str, &str, usize)]) {
        let drafts = read("a/my-notes.md", text);
        let seen: Vec<_> = drafts
            .iter()
            .map(|d| (d.id.trim_start_matches("a/my-notes.md#"), d.title.as_str(), d.text.as_str(), d.line))
            .collect();
        assert_eq!(seen, expected);
    }

    #[test]
    fn headings_split_and_name() {
        splits(
            "# Moon\nIt shines.\n\n## Phases\n\n### New moon\nDark.\n## Tides ##\nRise.\n",
            &[
                ("moon", "Moon", "It shines.", 2),
                ("new-moon", "Moon - Phases - New moon", "Dark.", 7),
                ("tides", "Moon - Tides", "Rise.", 9),
            ],
        );
    }

    #[test]
    fn a_file_without_headings_is_named_by_its_file() {
        splits("Just text.", &[("my-notes", "my notes", "Just text.", 1)]);
        splits("", &[]);
    }

    #[test]
    fn slugs_are_unique() {
        splits(
            "# A\nx\n# A\ny\n# !\nz",
            &[("a", "A", "x", 2), ("a-2", "A", "y", 4), ("section", "A - !", "z", 6)],
        );
    }

    #[test]
    fn code_holds_no_headings() {
        splits(
            "# A\n```sh\n# not one\n\n---\n```\nafter",
            &[("a", "A", "```sh\n# not one\n\n---\n```\nafter", 2)],
        );
    }

    #[test]
    fn underlines_make_headings_and_rules_do_not() {
        splits(
            "Title\n=====\nx\n\nPart\n---\ny\n\n---\nz\n#nospace",
            &[("title", "Title", "x", 3), ("part", "Title - Part", "y\n\n---\nz\n#nospace", 7)],
        );
    }

    #[test]
    fn front_matter_is_honoured() {
        let text = "---\nurl: \"https://x.org/a\"\nlicense: MIT\ntags: [a]\n---\n# A\nx";
        splits(text, &[("a", "A", "x", 7)]);
        let draft = read("a.md", text).remove(0);
        assert_eq!((draft.url.as_str(), draft.license.as_str()), ("https://x.org/a", "MIT"));
    }

    #[test]
    fn a_long_section_becomes_several_passages() {
        let text = format!("# A\n{}\n\n{}\n", "a ".repeat(200), "b ".repeat(200));
        let drafts = read("n.md", &text);
        let ids: Vec<_> = drafts.iter().map(|draft| draft.id.as_str()).collect();
        assert_eq!(ids, ["n.md#a", "n.md#a-2"]);
    }
}
