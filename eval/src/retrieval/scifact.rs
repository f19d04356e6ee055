//! `SciFact` (Wadden et al. 2020) as BEIR (Thakur et al. 2021) lays it out: abstracts, claims, and which
//! abstracts speak to which claims.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use super::Given;
use crate::texts::Cited;

/// The name of its one corpus.
const NAME: &str = "scifact";

#[derive(Deserialize)]
struct Line {
    #[serde(rename = "_id")]
    id: String,
    #[serde(default)]
    title: String,
    text: String,
}

/// The corpus, written into `cache` as specialists read it, and the test questions.
pub(super) fn read(folder: &Path, cache: &Path) -> Result<Given> {
    let [corpus, queries, judgements] =
        ["corpus.jsonl", "queries.test.jsonl", "qrels.test.txt"].map(|name| folder.join(name));
    let mut right: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (at, line) in text(&judgements)?.lines().enumerate() {
        let [query, _, passage, grade] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            anyhow::bail!("{} is amiss in line {}: four words are expected", judgements.display(), at + 1);
        };
        if grade != "0" {
            right.entry(query.to_owned()).or_default().push(passage.to_owned());
        }
    }
    let cited = lines(&queries)?.into_iter().map(|Line { id, text, .. }| Cited {
        query: text,
        domain: NAME.to_owned(),
        gold_ids: right.remove(&id).unwrap_or_default(),
    });
    let passage = |Line { id, title, text }| json!({ "id": id, "title": title, "text": text }).to_string();
    let passages: Vec<String> = lines(&corpus)?.into_iter().map(passage).collect();
    let made = cache.join("corpora").join(format!("{NAME}.jsonl"));
    fs::create_dir_all(cache.join("corpora"))
        .and_then(|()| fs::write(&made, passages.join("\n")))
        .with_context(|| format!("cannot write {}: choose another --data-cache", made.display()))?;
    Ok(Given { corpora: vec![made], cited: cited.collect(), questions: vec![queries, judgements] })
}

fn lines(path: &Path) -> Result<Vec<Line>> {
    let content = text(path)?;
    let lines = content.lines().filter(|line| !line.trim().is_empty()).map(serde_json::from_str);
    lines.collect::<Result<_, _>>().with_context(|| format!("{} has a line amiss", path.display()))
}

fn text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}
