//! Documents with headings: a section lies under the path of its headings, and its passages are named
//! after the last of them.

use std::collections::HashMap;

use super::{Draft, cut::passages};

/// A heading, and how deep it stands: 1 for the outermost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) level: usize,
    pub(super) text: String,
}

/// The path of headings below `above` and then `heading`.
pub(super) fn below(above: &[Heading], heading: &Heading) -> Vec<Heading> {
    let outer = above.iter().filter(|above| above.level < heading.level).cloned();
    outer.chain([heading.clone()]).collect()
}

/// What stands under one heading.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Section {
    /// From the outermost heading to its own.
    pub(super) path: Vec<Heading>,
    pub(super) text: String,
}

/// What a document says of itself.
#[derive(Debug, Default)]
pub(super) struct Document<'a> {
    /// Its file's path inside the corpus.
    pub(super) name: &'a str,
    pub(super) title: String,
    pub(super) url: String,
}

/// The passages of a document, with ids such as `file.html#slug`.
pub(super) fn drafts(document: &Document, sections: &[Section]) -> Vec<Draft> {
    let Document { name, title, url } = document;
    let mut slugs = Slugs::default();
    let mut drafts = Vec::new();
    for Section { path, text } in sections {
        let own = path.last().map_or(title, |heading| &heading.text);
        // The outermost heading mostly repeats the title.
        let shown = path.iter().filter(|heading| heading.level > 1 || !title.contains(&heading.text));
        let section = shown.map(|heading| heading.text.as_str()).collect::<Vec<_>>().join(" > ");
        for range in passages(text) {
            drafts.push(Draft {
                id: format!("{name}#{}", slugs.next(own)),
                title: title.clone(),
                text: text[range].to_owned(),
                url: url.clone(),
                section: section.clone(),
                ..Draft::default()
            });
        }
    }
    drafts
}

/// Names of passages inside one file.
#[derive(Debug, Default)]
pub(super) struct Slugs {
    /// The last number of each.
    taken: HashMap<String, usize>,
}

impl Slugs {
    /// A name after `heading` that was not given before.
    pub(super) fn next(&mut self, heading: &str) -> String {
        let slug = slug(heading);
        let mut name = slug.clone();
        while self.taken.contains_key(&name) {
            let last = self.taken.entry(slug.clone()).or_insert(1);
            *last += 1;
            name = format!("{slug}-{last}");
        }
        self.taken.insert(name.clone(), 1);
        name
    }
}

/// A heading as part of an address: lower case, hyphens for spaces, nothing else but letters.
fn slug(heading: &str) -> String {
    let heading = heading.trim().to_lowercase();
    let kept = heading.chars().filter_map(|c| match c {
        c if c.is_alphanumeric() => Some(c),
        ' ' | '-' | '_' => Some('-'),
        _ => None,
    });
    let slug: String = kept.take(100).collect();
    if slug.is_empty() { "section".into() } else { slug }
}
