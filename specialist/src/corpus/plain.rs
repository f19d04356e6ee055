//! `.txt`: paragraphs, gathered into passages.

use super::{
    Draft,
    cut::{Lines, passages},
};

/// The passages of a file; their title is its name, their ids `file.txt#1` and on.
pub(super) fn read(name: &str, text: &str) -> Vec<Draft> {
    let title = stem(name);
    let mut lines = Lines::of(text);
    let drafts = passages(text).into_iter().enumerate().map(|(at, range)| Draft {
        id: format!("{name}#{}", at + 1),
        title: title.clone(),
        line: lines.at(range.start),
        text: text[range].to_owned(),
        ..Draft::default()
    });
    drafts.collect()
}

/// A file's name as a title: no folder, no extension, spaces for hyphens and underscores.
pub(super) fn stem(name: &str) -> String {
    let file = name.rsplit('/').next().unwrap_or(name);
    file.rsplit_once('.').map_or(file, |(stem, _)| stem).replace(['-', '_'], " ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_becomes_passages_with_lines() {
        let paragraph = "Nine words stand here, and the tenth ends it. ".repeat(20);
        let drafts = read("drugs/vin_cristine-a.txt", &format!("\n{paragraph}\n\n{paragraph}"));
        let seen: Vec<_> = drafts.iter().map(|d| (d.id.as_str(), d.title.as_str(), d.line)).collect();
        let title = "vin cristine a";
        assert_eq!(
            seen,
            [("drugs/vin_cristine-a.txt#1", title, 2), ("drugs/vin_cristine-a.txt#2", title, 4)]
        );
    }
}
