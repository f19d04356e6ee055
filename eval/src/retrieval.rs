//! Measures how well the right passages are found inside one corpus. The shipped code reads, embeds and
//! ranks. Of each corpus the shares of title and words are fitted to some of its questions and judged on the
//! others; beside it stand the default shares, meaning alone and words alone.

mod figures;
mod scifact;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use embedding::{Embedder, Model};
use proto::UnitVector;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use specialist::{
    bench::{Bench, Quality, Shares},
    fit,
    library::Librarian,
};

use self::figures::{Domain, Figures, Judged};
use crate::{
    record::Output,
    routing,
    specialists::{Making, Points, digests},
    texts::{self, Cited},
    trial::{self, FOLDS},
};

/// Where the questions and passages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Data {
    /// The test questions of `SciFact`, as BEIR lays them out.
    Scifact,
}

/// What to search, and for what.
#[derive(Debug, clap::Args)]
pub(crate) struct Retrieval {
    /// Folder of .jsonl files, each a corpus.
    #[arg(long, value_name = "DIR", requires = "queries", required_unless_present = "data")]
    corpora: Option<PathBuf>,
    /// Folder of .jsonl files whose lines have a `query`, as `domain` the name of a corpus, and as
    /// `gold_ids` the ids of the passages that answer it; lines without are left out.
    #[arg(long, value_name = "DIR", requires = "corpora")]
    queries: Option<PathBuf>,
    /// A published data set instead.
    #[arg(long, value_enum, requires = "folder", conflicts_with = "corpora")]
    data: Option<Data>,
    /// Folder of the data set's files.
    #[arg(value_name = "DIR", requires = "data")]
    folder: Option<PathBuf>,
    /// Folder of the encoder's weights.
    #[arg(long, value_name = "DIR", default_value = "models/all-MiniLM-L6-v2")]
    model: PathBuf,
    /// Where embeddings of passages are kept, as `make fleet` keeps them.
    #[arg(long, value_name = "DIR", default_value = ".consilium/fleet")]
    data_cache: PathBuf,
    /// The title share of all corpora, 0 to 1: nothing is fitted then.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    title_share: Option<f32>,
    /// The lexical share of all corpora, 0 to 1: nothing is fitted then.
    #[arg(long, value_name = "SHARE", value_parser = share)]
    lexical_share: Option<f32>,
    #[command(flatten)]
    output: Output,
}

fn share(text: &str) -> Result<f32, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "a number from 0 to 1 is expected".to_owned())
}

/// Measures, and prints one table.
pub(crate) async fn run(retrieval: &Retrieval) -> Result<()> {
    let figures = measure(retrieval, Model::load(&retrieval.model)?).await?;
    retrieval.output.put(figures, Figures::table)
}

/// Corpora, and questions to them by the names of the corpora.
struct Given {
    corpora: Vec<PathBuf>,
    questions: Vec<PathBuf>,
    cited: Vec<Cited>,
}

async fn measure(retrieval: &Retrieval, model: Model) -> Result<Figures> {
    let given = match (&retrieval.folder, &retrieval.corpora, &retrieval.queries) {
        (Some(folder), ..) => scifact::read(folder, &retrieval.data_cache)?,
        (None, Some(corpora), Some(queries)) => Given {
            corpora: texts::jsonl(corpora)?,
            questions: texts::jsonl(queries)?,
            cited: texts::cited(queries)?,
        },
        _ => anyhow::bail!("name --corpora and --queries, or --data and its folder"),
    };
    let (embedder, _) = Embedder::start(model)?;
    let mut domains = BTreeMap::new();
    for corpus in &given.corpora {
        let name = routing::name(corpus);
        let own: Vec<&Cited> = given.cited.iter().filter(|its| routing::id(&its.domain) == name).collect();
        if let Some(domain) = retrieval.domain(&embedder, corpus, &own).await? {
            domains.insert(name, domain);
        }
    }
    ensure!(
        !domains.is_empty(),
        "no question can be judged: `domain` is to name a corpus and `gold_ids` its passages"
    );
    let files = (digests(&given.corpora)?, digests(&given.questions)?);
    Ok(Figures::of(embedder.backend().to_string(), retrieval.is_fitted(), given.cited.len(), files, &domains))
}

/// A question whose right passages are known.
struct Known<'a> {
    query: &'a str,
    right: BTreeSet<usize>,
    vector: UnitVector,
}

impl Retrieval {
    /// Whether shares are fitted.
    fn is_fitted(&self) -> bool {
        self.title_share.is_none() && self.lexical_share.is_none()
    }

    /// What is found in one corpus; `None` where no question has known passages.
    async fn domain(&self, embedder: &Embedder, corpus: &Path, cited: &[&Cited]) -> Result<Option<Domain>> {
        let points = Points { prototypes: 0, title_share: None };
        let making = Making { embedder, model: &self.model, data: &self.data_cache, points };
        let settings = making.settings(&routing::name(corpus), corpus, &self.data_cache)?;
        let default = Shares { title: settings.config.title_share, lexical: settings.config.lexical_share };
        let bench = Librarian::new(settings, Some(embedder.clone()))?.bench().await?;
        let rights = cited.iter().filter_map(|its| Some((its.query.as_str(), bench.right(&its.gold_ids)?)));
        let (queries, rights): (Vec<&str>, Vec<BTreeSet<usize>>) = rights.unzip();
        if queries.is_empty() {
            return Ok(None);
        }
        let texts: Vec<String> = queries.iter().map(|query| (*query).to_owned()).collect();
        let vectors = embedder.embed_all(&texts, |_| {}).await?;
        let parts = queries.into_iter().zip(rights).zip(vectors);
        let known: Vec<Known> =
            parts.map(|((query, right), vector)| Known { query, right, vector }).collect();
        let shipped = Shares {
            title: self.title_share.unwrap_or(default.title),
            lexical: self.lexical_share.unwrap_or(default.lexical),
        };
        let tried = Tried::new(shipped, default, self.is_fitted());
        let (judged, shares) = tried.judge(&bench, &known)?;
        Ok(Some(Domain { passages: bench.passage_count(), judged, shares }))
    }
}

/// The settings that a corpus is judged with: the first are there to choose from, the last three to compare
/// with.
struct Tried {
    settings: Vec<Shares>,
    choices: usize,
    /// The place of the one that is kept where no other is better.
    current: usize,
}

impl Tried {
    fn new(shipped: Shares, default: Shares, fitted: bool) -> Self {
        let (mut settings, current) = if fitted { fit::grid(shipped) } else { (vec![shipped], 0) };
        let choices = settings.len();
        let alone = |lexical| Shares { title: default.title, lexical };
        settings.extend([default, alone(0.0), alone(1.0)]);
        Self { settings, choices, current }
    }

    /// What is found of each of `known` with the setting that the other parts chose, and the one that all
    /// together choose.
    fn judge(&self, bench: &Bench, known: &[Known<'_>]) -> Result<(Vec<Judged>, Shares)> {
        let judge = |known: &Known<'_>| {
            let qualities = bench.judge(known.query, &known.vector, &known.right, &self.settings);
            qualities.context("a corpus cannot be searched")
        };
        let qualities = known.into_par_iter().map(judge).collect::<Result<Vec<Vec<Quality>>>>()?;
        let vectors: Vec<&UnitVector> = known.iter().map(|known| &known.vector).collect();
        let folds = trial::parts(&vectors, |_| true);
        let chosen: Vec<usize> = (0..FOLDS)
            .map(|fold| {
                let others = qualities.iter().zip(&folds).filter(|(_, its)| **its != fold);
                self.choose(others.map(|(qualities, _)| qualities))
            })
            .collect();
        let judged = qualities.iter().zip(&folds).map(|(its, fold)| {
            let [default, meaning, words] = [0, 1, 2].map(|at| its[self.choices + at]);
            Judged { mixed: its[chosen[*fold]], default, meaning, words }
        });
        Ok((judged.collect(), self.settings[self.choose(qualities.iter())]))
    }

    fn choose<'a>(&self, qualities: impl Iterator<Item = &'a Vec<Quality>>) -> usize {
        let choices: Vec<&[Quality]> = qualities.map(|its| &its[..self.choices]).collect();
        if choices.is_empty() { self.current } else { fit::choose(&choices, self.current).setting }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::{Cli, Command};

    fn retrieval(args: &[&str]) -> Result<Retrieval, clap::Error> {
        let all = ["eval", "retrieval"].into_iter().chain(args.iter().copied());
        let Command::Retrieval(retrieval) = Cli::try_parse_from(all)?.command else {
            panic!("another command");
        };
        Ok(retrieval)
    }

    fn write(folder: &Path, name: &str, lines: &[String]) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, lines.join("\n")).unwrap();
    }

    /// Titles that tell passages apart, and texts that mislead: only the heading finds the right one.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let (here, count) = (folder.path(), 20);
        let passages: Vec<String> = (0..count)
            .map(|at| {
                let text = format!("topic{} again and again", (at + 1) % count);
                format!(r#"{{"id": "p{at}", "title": "topic{at}", "text": "{text}"}}"#)
            })
            .collect();
        write(here, "corpora/red_wine.jsonl", &passages);
        write(here, "corpora/moon.jsonl", &passages);
        let mut asked: Vec<String> = (0..count)
            .map(|at| format!(r#"{{"query": "topic{at}", "domain": "red_wine", "gold_ids": ["p{at}"]}}"#))
            .collect();
        asked.push(r#"{"query": "a", "domain": "red_wine", "gold_ids": ["nowhere"]}"#.to_owned());
        asked.push(r#"{"query": "b", "domain": "moon"}"#.to_owned());
        write(here, "queries/all.jsonl", &asked);
        folder
    }

    fn arguments(folder: &Path) -> Vec<String> {
        let path = |name: &str| folder.join(name).display().to_string();
        let (corpora, queries, cache) = (path("corpora"), path("queries"), path("cache"));
        ["--corpora", &corpora, "--queries", &queries, "--data-cache", &cache].map(str::to_owned).into()
    }

    #[tokio::test]
    async fn shares_are_fitted_to_other_questions() {
        let folder = folder();
        let arguments = arguments(folder.path());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let figures = measure(&retrieval(&arguments).unwrap(), Model::hashed()).await.unwrap();
        assert_eq!((figures.corpora, figures.passages, figures.questions, figures.left_out), (1, 20, 20, 2));
        let (mixed, default) = (&figures.measures, &figures.default);
        assert!(mixed.ndcg10.value > 0.99 && mixed.mrr10.value > 0.99, "{}", figures.table());
        assert!(mixed.recall5.value > 0.99 && mixed.ndcg10.value >= default.ndcg10.value);
        assert!(figures.meaning_alone.ndcg10.value < 0.9, "{}", figures.table());
        let wine = &figures.by_domain["red-wine"];
        assert!(wine.questions == 20 && wine.title_share > 0.4, "{}", figures.table());
        assert!(figures.table().contains("fitted"), "{}", figures.table());

        let all = [arguments.as_slice(), &["--title-share", "0.0", "--lexical-share", "0"]].concat();
        let fixed = measure(&retrieval(&all).unwrap(), Model::hashed()).await.unwrap();
        assert!(!fixed.fitted && fixed.measures.ndcg10.value < 0.8, "{}", fixed.table());
    }

    #[tokio::test]
    async fn scifact_is_read_as_published() {
        let folder = tempfile::tempdir().unwrap();
        let passage = |at| format!(r#"{{"_id": "{at}", "title": "t", "text": "claim{at} holds"}}"#);
        write(folder.path(), "corpus.jsonl", &(0..12).map(passage).collect::<Vec<_>>());
        let asked = |at| format!(r#"{{"_id": "{at}", "text": "claim{at}"}}"#);
        write(folder.path(), "queries.test.jsonl", &(0..3).map(asked).collect::<Vec<_>>());
        let lines = ["0 0 0 1", "1 0 1 1", "1 0 2 0"].map(str::to_owned);
        write(folder.path(), "qrels.test.txt", &lines);
        let cache = folder.path().join("cache").display().to_string();
        let here = folder.path().display().to_string();
        let given = retrieval(&["--data", "scifact", &here, "--data-cache", &cache]).unwrap();
        let figures = measure(&given, Model::hashed()).await.unwrap();
        assert_eq!((figures.passages, figures.questions, figures.fitted), (12, 2, true));
        assert!(figures.measures.mrr10.value > 0.99, "{}", figures.table());

        write(folder.path(), "qrels.test.txt", &["0 0".to_owned()]);
        let said = measure(&given, Model::hashed()).await.unwrap_err().to_string();
        assert!(said.contains("line 1"), "{said}");
    }

    #[tokio::test]
    async fn what_is_missing_is_said() {
        assert!(retrieval(&[]).is_err() && retrieval(&["--corpora", "a"]).is_err());
        assert!(retrieval(&["--data", "scifact", "a", "--lexical-share", "2"]).is_err());
        let folder = folder();
        write(folder.path(), "queries/all.jsonl", &[r#"{"query": "a"}"#.to_owned()]);
        let arguments = arguments(folder.path());
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let said = measure(&retrieval(&arguments).unwrap(), Model::hashed()).await.unwrap_err().to_string();
        assert!(said.starts_with("no question can be judged"), "{said}");
    }
}
