//! What is said of the passages that were found.

use std::collections::BTreeMap;

use serde::Serialize;
use specialist::bench::{Quality, Shares};

use crate::{
    statistics::Estimate,
    trial::{FOLDS, SEED},
};

/// How one question's passages were found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    /// With fitted or given shares.
    pub(super) mixed: Quality,
    /// With the default ones.
    pub(super) default: Quality,
    /// By the points alone, with the default title share.
    pub(super) meaning: Quality,
    /// By BM25 alone.
    pub(super) words: Quality,
}

/// What was found in one corpus.
pub(super) struct Domain {
    pub(super) passages: usize,
    pub(super) judged: Vec<Judged>,
    /// Those that all questions together choose, or that were given.
    pub(super) shares: Shares,
}

/// How well passages are found.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    version: &'static str,
    /// What decides which part a question falls into, and how many parts there are.
    seed: u64,
    folds: usize,
    engine: String,
    /// Whether the shares were fitted to the other parts of a corpus's questions, or given.
    pub(super) fitted: bool,
    /// Those with questions that were judged.
    pub(super) corpora: usize,
    pub(super) passages: usize,
    pub(super) questions: usize,
    /// Questions without known passages in one of the corpora.
    pub(super) left_out: usize,
    #[serde(flatten)]
    pub(super) measures: Measures,
    pub(super) default: Measures,
    pub(super) meaning_alone: Measures,
    pub(super) words_alone: Measures,
    pub(super) by_domain: BTreeMap<String, Part>,
    corpora_sha256: BTreeMap<String, String>,
    queries_sha256: BTreeMap<String, String>,
}

/// The means over some questions.
#[derive(Debug, Serialize)]
pub(super) struct Measures {
    pub(super) ndcg10: Estimate,
    pub(super) mrr10: Estimate,
    pub(super) recall5: Estimate,
    mean_of_domains: Means,
}

/// The means over the corpora of their means.
#[derive(Debug, Serialize)]
struct Means {
    ndcg10: f64,
    mrr10: f64,
    recall5: f64,
}

/// The questions of one corpus.
#[derive(Debug, Serialize)]
pub(super) struct Part {
    pub(super) questions: usize,
    ndcg10: Estimate,
    mrr10: Estimate,
    recall5: Estimate,
    /// Those that all of its questions together choose, or that were given.
    pub(super) title_share: f32,
    pub(super) lexical_share: f32,
}

impl Figures {
    /// `asked` counts all questions; `files` are the digests of passages and questions.
    pub(super) fn of(
        engine: String,
        fitted: bool,
        asked: usize,
        files: (BTreeMap<String, String>, BTreeMap<String, String>),
        domains: &BTreeMap<String, Domain>,
    ) -> Self {
        let questions = domains.values().map(|domain| domain.judged.len()).sum();
        let way = |way: fn(&Judged) -> Quality| {
            let of = |domain: &Domain| domain.judged.iter().map(way).collect();
            Measures::of(&domains.values().map(of).collect::<Vec<_>>())
        };
        Self {
            version: env!("CARGO_PKG_VERSION"),
            seed: SEED,
            folds: FOLDS,
            engine,
            fitted,
            corpora: domains.len(),
            passages: domains.values().map(|domain| domain.passages).sum(),
            questions,
            left_out: asked - questions,
            measures: way(|judged| judged.mixed),
            default: way(|judged| judged.default),
            meaning_alone: way(|judged| judged.meaning),
            words_alone: way(|judged| judged.words),
            by_domain: domains.iter().map(|(name, domain)| (name.clone(), Part::of(domain))).collect(),
            corpora_sha256: files.0,
            queries_sha256: files.1,
        }
    }

    pub(super) fn table(&self) -> String {
        let Self { engine, fitted, corpora, passages, questions, left_out, .. } = self;
        let shares = if *fitted {
            "shares fitted to the other parts of a corpus's questions"
        } else {
            "the same shares for all questions"
        };
        let mut out = format!(
            "{engine}: {corpora} corpora, {passages} passages, {questions} questions, {left_out} left out \
             without known passages\n{shares}; 95 % intervals\n\n{:17}{:26}{:26}{:26}mean of domains: nDCG@10\n",
            "", "nDCG@10", "MRR@10", "recall@5"
        );
        let own = if *fitted { "fitted" } else { "given" };
        let rows = [
            (own, &self.measures),
            ("default shares", &self.default),
            ("meaning alone", &self.meaning_alone),
            ("words alone", &self.words_alone),
        ];
        for (name, Measures { ndcg10, mrr10, recall5, mean_of_domains }) in rows {
            let means = [ndcg10, mrr10, recall5].map(shown).concat();
            out += &format!("{name:17}{means}{:.3}\n", mean_of_domains.ndcg10);
        }
        let width = self.by_domain.keys().map(String::len).max().unwrap_or_default().max("domain".len());
        let head = ["nDCG@10", "MRR@10", "recall@5"].map(|name| format!("{name:26}")).concat();
        out += &format!("\n{:width$}  questions  {head}title  lexical share\n", "domain");
        for (name, Part { questions, ndcg10, mrr10, recall5, title_share, lexical_share }) in &self.by_domain
        {
            let means = [ndcg10, mrr10, recall5].map(shown).concat();
            out += &format!("{name:width$}  {questions:>9}  {means}{title_share:<7}{lexical_share}\n");
        }
        out
    }
}

fn shown(Estimate { value, low, high }: &Estimate) -> String {
    format!("{:26}", format!("{value:.3} ({low:.3} to {high:.3})"))
}

impl Measures {
    /// Of each corpus's questions.
    fn of(domains: &[Vec<Quality>]) -> Self {
        let all = domains.concat();
        let over = |value: fn(&Quality) -> f64| {
            mean(&domains.iter().map(|domain| mean(&values(domain, value))).collect::<Vec<_>>())
        };
        Self {
            ndcg10: estimate(&all, |quality| quality.ndcg10),
            mrr10: estimate(&all, |quality| quality.mrr10),
            recall5: estimate(&all, |quality| quality.recall5),
            mean_of_domains: Means {
                ndcg10: over(|quality| quality.ndcg10),
                mrr10: over(|quality| quality.mrr10),
                recall5: over(|quality| quality.recall5),
            },
        }
    }
}

impl Part {
    fn of(domain: &Domain) -> Self {
        let mixed: Vec<Quality> = domain.judged.iter().map(|judged| judged.mixed).collect();
        Self {
            questions: mixed.len(),
            ndcg10: estimate(&mixed, |quality| quality.ndcg10),
            mrr10: estimate(&mixed, |quality| quality.mrr10),
            recall5: estimate(&mixed, |quality| quality.recall5),
            title_share: domain.shares.title,
            lexical_share: domain.shares.lexical,
        }
    }
}

fn values(qualities: &[Quality], value: fn(&Quality) -> f64) -> Vec<f64> {
    qualities.iter().map(value).collect()
}

fn estimate(qualities: &[Quality], value: fn(&Quality) -> f64) -> Estimate {
    Estimate::bootstrap(&values(qualities, value), &[], |values, _: &[()]| mean(values))
}

#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
