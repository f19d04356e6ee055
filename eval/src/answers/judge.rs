//! What an answer is worth: held to the passages that are known to answer, and to the corpus that it cites.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    fs,
    path::PathBuf,
};

use anyhow::{Context, Result};
use embedding::Embedder;
use serde::Deserialize;

use super::{Case, federation::Told};
use crate::{routing, texts::Asked};

/// The passages of all corpora, read again from their files.
pub(super) struct Texts {
    /// By the name of the corpus: ids and texts, in the order of the file.
    passages: BTreeMap<String, Vec<(String, String)>>,
    /// By the name of the corpus and the id.
    places: HashMap<(String, String), usize>,
}

impl Texts {
    /// Of the `.jsonl` files `corpora`.
    pub(super) fn read(corpora: &[PathBuf]) -> Result<Self> {
        #[derive(Deserialize)]
        struct Line {
            id: String,
            text: String,
        }
        let (mut passages, mut places) = (BTreeMap::new(), HashMap::new());
        for path in corpora {
            let content =
                fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            let name = routing::name(path);
            let lines = content.lines().filter(|line| !line.trim().is_empty());
            let own = lines.map(|line| {
                let Line { id, text } = serde_json::from_str(line)?;
                Ok((id, text.trim().to_owned()))
            });
            let own: Vec<(String, String)> =
                own.collect::<Result<_>>().with_context(|| format!("{} has a line amiss", path.display()))?;
            places.extend(own.iter().enumerate().map(|(at, (id, _))| ((name.clone(), id.clone()), at)));
            passages.insert(name, own);
        }
        Ok(Self { passages, places })
    }

    /// How many there are.
    pub(super) fn passage_count(&self) -> usize {
        self.places.len()
    }

    /// Those of one corpus.
    pub(super) fn of(&self, corpus: &str) -> &[(String, String)] {
        self.passages.get(corpus).map_or(&[], Vec::as_slice)
    }

    fn text(&self, corpus: &str, id: &str) -> Option<&str> {
        let place = self.places.get(&(corpus.to_owned(), id.to_owned()))?;
        self.of(corpus).get(*place).map(|(_, text)| text.as_str())
    }

    /// The passages that answer `asked`; none where they are not known, or not all there.
    pub(super) fn gold(&self, asked: &Asked) -> Vec<&str> {
        let gold: Option<Vec<&str>> = asked.gold_ids.iter().map(|id| self.text(&asked.domain, id)).collect();
        gold.unwrap_or_default()
    }
}

/// What an answer is worth.
#[derive(Debug, Clone)]
pub(super) struct Judged {
    /// Where passages are known that answer.
    pub(super) held: Option<Held>,
    /// Characters of the answer that a citation traces to bytes of the corpus, and all characters; of an
    /// answer with a specialist's words.
    pub(super) traced: Option<(usize, usize)>,
}

/// An answer held to the passages that are known to answer.
#[derive(Debug, Clone)]
pub(super) struct Held {
    pub(super) rouge_l: f64,
    /// The largest cosine of the answer with one of the passages; 0 without an answer.
    pub(super) similarity: f64,
    /// The share of the cited passages that answer; `None` where nothing is cited.
    pub(super) citation_precision: Option<f64>,
    /// The share of the passages that answer that are cited.
    pub(super) citation_recall: f64,
}

impl Judged {
    /// Of what was `told`; similarities are still to be filled in.
    pub(super) fn of(texts: &Texts, asked: &Asked, told: &Told) -> Self {
        let gold = texts.gold(asked);
        let held = (!gold.is_empty()).then(|| held(asked, told, &gold));
        let spoke = told.spans.iter().any(|span| span.specialist().is_some());
        Self { held, traced: spoke.then(|| traced(texts, told)) }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of passages")]
fn held(asked: &Asked, told: &Told, gold: &[&str]) -> Held {
    let right: BTreeSet<&str> = asked.gold_ids.iter().map(String::as_str).collect();
    let cited = |source: &&router::merge::Source| {
        source.specialist.as_str() == asked.domain && right.contains(source.passage.id.as_str())
    };
    let found = told.sources.iter().filter(cited).count() as f64;
    Held {
        rouge_l: rouge_l(&told.words(), gold),
        similarity: 0.0,
        citation_precision: (!told.sources.is_empty()).then(|| found / told.sources.len() as f64),
        citation_recall: found / right.len() as f64,
    }
}

/// Characters whose citation leads to the same bytes of the corpus, and all.
fn traced(texts: &Texts, told: &Told) -> (usize, usize) {
    let is_traced = |span: &&router::merge::Span| {
        let (Some((number, range)), Some(owner)) = (&span.citation, span.specialist()) else { return false };
        let Some(source) = told.sources.iter().find(|source| source.number == *number) else { return false };
        let text = texts.text(owner.as_str(), &source.passage.id);
        text.and_then(|text| text.get(range.clone())) == Some(span.text.as_str())
    };
    let characters = |span: &router::merge::Span| span.text.chars().count();
    let traced = told.spans.iter().filter(is_traced).map(characters).sum();
    (traced, told.spans.iter().map(characters).sum())
}

/// The largest ROUGE-L of `answer` with one of `references`: the harmonic mean of precision and recall of the
/// longest common subsequence of their words (Lin 2004), which are runs of letters and digits in lower case.
/// 0 where either is empty.
pub(super) fn rouge_l(answer: &str, references: &[&str]) -> f64 {
    let answer = words(answer);
    let score = |reference: &&str| {
        let reference = words(reference);
        #[expect(clippy::cast_precision_loss, reason = "counts of words")]
        let (common, both) =
            (common_subsequence(&answer, &reference) as f64, (answer.len() + reference.len()) as f64);
        if both > 0.0 { 2.0 * common / both } else { 0.0 }
    };
    references.iter().map(score).fold(0.0, f64::max)
}

/// The one of `references` with the largest ROUGE-L.
pub(super) fn nearest(references: &[&str], answer: &str) -> Option<String> {
    let score = |reference: &&&str| rouge_l(answer, &[**reference]);
    references.iter().max_by(|a, b| score(a).total_cmp(&score(b))).map(|text| (*text).to_owned())
}

fn words(text: &str) -> Vec<String> {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect()
}

/// The length of the longest common subsequence.
fn common_subsequence(a: &[String], b: &[String]) -> usize {
    let mut lengths = vec![0; b.len() + 1];
    for word in a {
        let mut diagonal = 0;
        for (at, other) in b.iter().enumerate() {
            let above = lengths[at + 1];
            lengths[at + 1] = if word == other { diagonal + 1 } else { above.max(lengths[at]) };
            diagonal = above;
        }
    }
    lengths.last().copied().unwrap_or_default()
}

/// Fills in how near each answer lies to the passages that answer.
pub(super) async fn similarities(embedder: &Embedder, texts: &Texts, cases: &mut [Case]) -> Result<()> {
    for case in cases {
        let Some(held) = &mut case.judged.held else { continue };
        let words = case.told.words();
        if words.trim().is_empty() {
            continue;
        }
        let gold = texts.gold(&case.asked).into_iter().map(str::to_owned);
        let all: Vec<String> = std::iter::once(words).chain(gold).collect();
        let vectors = embedder.embed_all(&all, |_| {}).await?;
        let Some((answer, gold)) = vectors.split_first() else { continue };
        let nearest = gold.iter().map(|gold| gold.cosine(answer)).fold(0.0, f32::max);
        held.similarity = f64::from(nearest);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rouge_l_is_the_harmonic_mean_over_the_longest_common_subsequence() {
        let close = |value: f64, expected: f64| assert!((value - expected).abs() < 1e-9, "{value}");
        // "police the gunman" against "police killed the gunman": 3 of 3 and 3 of 4.
        close(rouge_l("Police, the gunman!", &["police killed the gunman"]), 2.0 * 3.0 / 7.0);
        close(rouge_l("the gunman kill police", &["police killed the gunman"]), 0.5);
        close(rouge_l("a b", &["x", "a b"]), 1.0);
        close(rouge_l("", &["x"]), 0.0);
        close(rouge_l("a", &[]), 0.0);
    }
}
