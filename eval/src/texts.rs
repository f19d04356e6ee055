//! Texts to measure with: made to a length, or read from folders.

use std::{
    cmp::Ordering,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use router::route::Background;
use serde::Deserialize;

/// `count` texts of exactly `tokens` tokens, as `counted` counts them, of the words of the
/// background's questions.
pub(crate) fn of_tokens(
    tokens: usize,
    count: usize,
    counted: impl Fn(&str) -> Result<usize>,
) -> Result<Vec<String>> {
    let questions = Background::questions();
    let words = questions.iter().flat_map(|question| question.split_whitespace());
    let (mut texts, mut text) = (Vec::new(), String::new());
    for word in words.cycle() {
        if texts.len() == count {
            break;
        }
        let longer = format!("{text} {word}");
        match counted(&longer)?.cmp(&tokens) {
            Ordering::Less => text = longer,
            Ordering::Equal => {
                texts.push(longer);
                text.clear();
            }
            Ordering::Greater => text.clear(),
        }
    }
    Ok(texts)
}

/// The passages of a folder of corpora, file by file, each as one text: `title: text`.
pub(crate) fn corpora(folder: &Path) -> Result<Vec<Vec<String>>> {
    let titled = |(title, text): (String, String)| titled(&title, &text);
    Ok(passages(folder)?.into_iter().map(|passages| passages.into_iter().map(titled).collect()).collect())
}

/// A passage as one text.
pub(crate) fn titled(title: &str, text: &str) -> String {
    if title.is_empty() { text.to_owned() } else { format!("{title}: {text}") }
}

/// The titles, perhaps empty, and texts of a folder of corpora, file by file.
pub(crate) fn passages(folder: &Path) -> Result<Vec<Vec<(String, String)>>> {
    #[derive(Deserialize)]
    struct Passage {
        #[serde(default)]
        title: String,
        text: String,
    }
    files(folder, |Passage { title, text }| (title, text))
}

/// The questions of a folder, each the `query` of a line.
pub(crate) fn questions(folder: &Path) -> Result<Vec<String>> {
    #[derive(Deserialize)]
    struct Question {
        query: String,
    }
    Ok(files(folder, |Question { query }| query)?.concat())
}

/// The `domain` of what belongs to no corpus.
pub(crate) const NOBODYS: &str = "none";

/// A question, and who is to answer it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Asked {
    pub(crate) query: String,
    /// The corpus that it belongs to, by the name of its file.
    pub(crate) domain: String,
    /// What sort of question it is.
    pub(crate) kind: String,
    /// Of one that belongs to no corpus: whether one might answer it all the same.
    #[serde(default)]
    pub(crate) maybe_in_domain: bool,
    /// The ids of the passages that answer it; empty where they are not known.
    #[serde(default)]
    pub(crate) gold_ids: Vec<String>,
}

impl Asked {
    /// Whom it belongs to; `None` is nobody.
    pub(crate) fn own(&self) -> Option<&str> {
        (self.domain != NOBODYS).then_some(self.domain.as_str())
    }
}

/// The questions of a folder with what is known of them.
pub(crate) fn asked(folder: &Path) -> Result<Vec<Asked>> {
    Ok(files(folder, |asked: Asked| asked)?.into_iter().flatten().collect())
}

/// A question, and the passages of a corpus that answer it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Cited {
    pub(crate) query: String,
    /// The corpus, by the name of its file.
    #[serde(default)]
    pub(crate) domain: String,
    /// The ids of the passages; empty where they are not known.
    #[serde(default)]
    pub(crate) gold_ids: Vec<String>,
}

/// The questions of a folder with the passages that answer them.
pub(crate) fn cited(folder: &Path) -> Result<Vec<Cited>> {
    Ok(files(folder, |cited: Cited| cited)?.into_iter().flatten().collect())
}

/// The `.jsonl` files in `folder`, by their names.
pub(crate) fn jsonl(folder: &Path) -> Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    ensure!(!paths.is_empty(), "{} holds no .jsonl file: name a folder that does", folder.display());
    Ok(paths)
}

/// What `kept` keeps of the lines of all `.jsonl` files in `folder`, by the names of the files.
fn files<L: for<'a> Deserialize<'a>, T>(folder: &Path, kept: impl Fn(L) -> T) -> Result<Vec<Vec<T>>> {
    let read = |path: PathBuf| {
        let content = fs::read_to_string(&path)?;
        let lines = content.lines().filter(|line| !line.trim().is_empty());
        let lines = lines.map(|line| Ok(kept(serde_json::from_str(line)?))).collect::<Result<_>>();
        lines.with_context(|| format!("{} has a line amiss", path.display()))
    };
    jsonl(folder)?.into_iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_texts_have_their_length() {
        let texts = of_tokens(7, 5, |text| Ok(text.split_whitespace().count())).unwrap();
        assert_eq!(texts.len(), 5);
        assert!(texts.iter().all(|text| text.split_whitespace().count() == 7));
    }
}
