//! Measures routing on published questions of short intents. Each domain, or each intent, is a specialist
//! whose passages are the questions for training: the shipped code makes prototypes of them, searches them
//! when it is probed, and decides. The numbers that it follows are fitted on questions that are not judged.

mod published;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result};
use clap::ValueEnum;
use embedding::{Embedder, Model};
use router::route::{Decision, Policy};
use serde_json::json;

use self::published::{Published, own};
use crate::{
    figures::{Figures, Setting, Ways},
    peers::route::spread,
    record::Output,
    routed::Routed,
    specialists::{Holding, Making, Points, Size, Specialists, digests},
    texts::Asked,
    trial::{self, FOLDS, Known},
};

/// Example questions that a card may hold, and how many of them count for one intent.
const EXAMPLES_MAX: usize = 64;
const EXAMPLES_PER_INTENT_MAX: usize = 8;

/// The names of BANKING77's intents are more alike than its questions: what `--title-share` found best on
/// those for training.
const BANKING77_TITLE_SHARE: f32 = 0.1;

/// Which published questions.
#[derive(Debug, Clone, Copy, PartialEq, ValueEnum)]
enum Data {
    Clinc150,
    Banking77,
}

/// What a specialist stands for.
#[derive(Debug, Clone, Copy, Default, PartialEq, ValueEnum)]
enum Level {
    #[default]
    Domains,
    Intents,
}

/// Which of the questions are judged.
#[derive(Debug, Clone, Copy, Default, PartialEq, ValueEnum)]
enum Split {
    /// Those for validation; of BANKING77, which has none, those for training in five parts.
    #[default]
    Val,
    Test,
}

/// Whom to ask, and what.
#[derive(Debug, clap::Args)]
pub(crate) struct Intents {
    /// Which data set lies in the folder.
    #[arg(long, value_enum)]
    data: Data,
    /// Folder of its files, as published.
    #[arg(value_name = "DIR")]
    folder: PathBuf,
    /// Whether a specialist stands for a domain or for one intent; BANKING77 has intents only.
    #[arg(long, value_enum)]
    level: Option<Level>,
    /// Which questions are judged.
    #[arg(long, value_enum, default_value_t)]
    split: Split,
    /// Folder of the encoder's weights.
    #[arg(long, value_name = "DIR", default_value = "models/all-MiniLM-L6-v2")]
    model: PathBuf,
    /// Where the specialists' corpora and the embeddings are kept.
    #[arg(long, value_name = "DIR", default_value = ".consilium/intents")]
    data_cache: PathBuf,
    #[command(flatten)]
    points: Points,
    /// How many of the questions that went wrong are shown; they are written to --out as well.
    #[arg(long, value_name = "N", default_value_t = 0)]
    wrong: usize,
    #[command(flatten)]
    output: Output,
}

/// A specialist's questions for training, by its name and by their intents.
type Train = BTreeMap<String, BTreeMap<String, Vec<String>>>;

/// Measures, and prints one table.
pub(crate) async fn run(intents: &Intents) -> Result<()> {
    let figures = measure(intents, Model::load(&intents.model)?).await?;
    intents.output.put(figures, Figures::table)
}

async fn measure(intents: &Intents, model: Model) -> Result<Figures> {
    let level = intents.level.unwrap_or(match intents.data {
        Data::Clinc150 => Level::Domains,
        Data::Banking77 => Level::Intents,
    });
    let published = published::read(intents.data, &intents.folder, level, intents.split)?;
    let (embedder, _) = Embedder::start(model)?;
    let bench = Bench { intents, level, embedder: &embedder };
    let files = digests(&published.files)?;
    let prior = published.prior;
    let (ways, size) = match (prior, intents.split) {
        (Some(prior), _) => bench.with_nobodys(published, prior).await?,
        (None, Split::Val) => bench.in_parts(&published.train).await?,
        (None, Split::Test) => bench.of_others(published).await?,
    };
    let setting = Setting::new(embedder.backend().to_string(), size, 0, prior.unwrap_or_default());
    let setting = Setting { corpora_sha256: files.clone(), queries_sha256: files, ..setting };
    Ok(Figures::of(setting, ways, Vec::new(), intents.wrong))
}

struct Bench<'a> {
    intents: &'a Intents,
    level: Level,
    embedder: &'a Embedder,
}

impl Bench<'_> {
    /// A specialist for each of `train`, whose files lie under `part`.
    async fn specialists(&self, train: &Train, part: &str) -> Result<Specialists> {
        let Intents { data, data_cache, model, points, .. } = self.intents;
        let data = data_cache.join(format!("{data:?}-{:?}-{part}", self.level).to_lowercase());
        let own = (self.intents.data == Data::Banking77).then_some(BANKING77_TITLE_SHARE);
        let points = Points { title_share: points.title_share.or(own), ..*points };
        let making = Making { embedder: self.embedder, model, data: &data, points };
        let corpora = data.join("corpora");
        let holding = |(id, intents): (&String, &BTreeMap<String, Vec<String>>)| hold(&corpora, id, intents);
        let holdings = train.iter().map(holding).collect::<Result<Vec<Holding>>>()?;
        Specialists::make(&making, &holdings).await
    }

    /// Judges where some questions are nobody's: on the questions for validation each with numbers fitted on
    /// the other parts of them, or on those for testing with numbers fitted on all that are not.
    async fn with_nobodys(&self, published: Published, prior: f64) -> Result<(Ways, Size)> {
        let Published { train, asked, fit, .. } = published;
        let specialists = self.specialists(&train, "all").await?;
        let (known, others) = (specialists.know(&asked).await?, specialists.know(&fit).await?);
        let (count, fleet) = (known.len(), &specialists.fleet);
        let ways = match self.intents.split {
            Split::Val => {
                let known: Vec<Known> = known.into_iter().chain(others).collect();
                ways(&asked, &known[..count], |policy| {
                    Ok(trial::route(fleet, &known, policy, Some(prior))?.into_iter().take(count).collect())
                })?
            }
            Split::Test => ways(&asked, &known, |policy| {
                let rules = trial::fit(&others, policy, Some(prior))?;
                Ok(trial::apply(fleet, &rules, &known))
            })?,
        };
        Ok((ways, specialists.size))
    }

    /// Judges each part of `train` in a fleet of the other parts, with numbers fitted on the rest of the part.
    async fn in_parts(&self, train: &Train) -> Result<(Ways, Size)> {
        let mut all = Ways { probed: Vec::new(), alone: Vec::new() };
        let mut size = None;
        for fold in 0..FOLDS {
            let (asked, specialists) = self.part(train, fold).await?;
            let known = specialists.know(&asked).await?;
            let of = ways(&asked, &known, |policy| trial::route(&specialists.fleet, &known, policy, None))?;
            all.probed.extend(of.probed);
            all.alone.extend(of.alone);
            size = Some(specialists.size);
        }
        Ok((all, size.context("there are no parts")?))
    }

    /// Judges others than those for training, with numbers fitted on each part of these in a fleet of the
    /// other parts. The same specialist has the same place in every fleet.
    async fn of_others(&self, published: Published) -> Result<(Ways, Size)> {
        let Published { train, asked, .. } = published;
        let mut others = Vec::new();
        for fold in 0..FOLDS {
            let (asked, specialists) = self.part(&train, fold).await?;
            others.extend(specialists.know(&asked).await?);
        }
        let specialists = self.specialists(&train, "all").await?;
        let known = specialists.know(&asked).await?;
        let ways = ways(&asked, &known, |policy| {
            Ok(trial::apply(&specialists.fleet, &trial::fit(&others, policy, None)?, &known))
        })?;
        Ok((ways, specialists.size))
    }

    /// The questions of one part, and a fleet that has all others for training.
    async fn part(&self, train: &Train, fold: usize) -> Result<(Vec<Asked>, Specialists)> {
        let mut asked = Vec::new();
        let mut rest = Train::new();
        for (id, intents) in train {
            for (intent, questions) in intents {
                for (at, question) in questions.iter().enumerate() {
                    if at % FOLDS == fold {
                        asked.push(own(question.clone(), id));
                    } else {
                        let intents = rest.entry(id.clone()).or_default();
                        intents.entry(intent.clone()).or_default().push(question.clone());
                    }
                }
            }
        }
        let specialists = self.specialists(&rest, &format!("without-{fold}")).await?;
        Ok((asked, specialists))
    }
}

/// What becomes of `asked` with probing and without, as `decide` decides.
fn ways(asked: &[Asked], known: &[Known], decide: impl Fn(&Policy) -> Result<Vec<Decision>>) -> Result<Ways> {
    let way = |probes_max| -> Result<Vec<Routed>> {
        let decisions = decide(&Policy { probes_max, ..Policy::default() })?;
        Ok(Routed::all(asked, known, &decisions))
    };
    Ok(Ways { probed: way(Policy::default().probes_max)?, alone: way(0)? })
}

/// Writes the corpus of a specialist: each question is a passage in the section of its intent.
fn hold(folder: &Path, id: &str, intents: &BTreeMap<String, Vec<String>>) -> Result<Holding> {
    let labelled = intents.iter().flat_map(|(intent, questions)| questions.iter().map(move |q| (intent, q)));
    let line = |(at, (intent, question)): (usize, (&String, &String))| {
        let section = intent.replace('_', " ");
        json!({ "id": at.to_string(), "section": section, "text": question }).to_string()
    };
    let lines = labelled.enumerate().map(line);
    let corpus = folder.join(format!("{id}.jsonl"));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(&corpus, lines.collect::<Vec<_>>().join("\n")))
        .with_context(|| format!("cannot write {}: choose another --data-cache", corpus.display()))?;
    let each = (EXAMPLES_MAX / intents.len().max(1)).min(EXAMPLES_PER_INTENT_MAX);
    let examples = intents.values().flat_map(|questions| spread(questions, each)).collect();
    Ok(Holding { id: id.to_owned(), corpus, examples })
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::{Cli, Command};

    fn intents(folder: &Path, more: &[&str]) -> Intents {
        let (data, cache) = (folder.display().to_string(), folder.join("cache").display().to_string());
        let args = ["eval", "intents", &data, "--data-cache", &cache];
        let Command::Intents(intents) =
            Cli::try_parse_from(args.into_iter().chain(more.iter().copied())).unwrap().command
        else {
            panic!("another command");
        };
        intents
    }

    /// Two domains of two intents each, and nobody's.
    fn clinc150() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, content: serde_json::Value| {
            fs::write(folder.path().join(name), content.to_string()).unwrap();
        };
        let intents = [
            ("red_wine", "grapes barrels"),
            ("white_wine", "cellar vineyard"),
            ("moon", "crater lunar"),
            ("sun", "eclipse corona"),
        ];
        let inside = |numbers: std::ops::Range<usize>| -> Vec<[String; 2]> {
            let of = |(intent, words): (&str, &str)| {
                let question = |at| [format!("{words} {at}"), intent.to_owned()];
                numbers.clone().map(question).collect::<Vec<_>>()
            };
            intents.into_iter().flat_map(of).collect()
        };
        let outside = |numbers: std::ops::Range<usize>| -> Vec<[String; 2]> {
            numbers.map(|at| [format!("tie bowline {at}"), "oos".to_owned()]).collect()
        };
        write(
            "data_full.json",
            json!({ "train": inside(0..10), "val": inside(10..15), "oos_val": outside(0..8) }),
        );
        write(
            "with-test.json",
            json!({
                "train": inside(0..10),
                "val": inside(10..15),
                "oos_val": outside(0..8),
                "test": inside(15..17),
                "oos_test": outside(16..19),
            }),
        );
        write("data_oos_plus.json", json!({ "oos_train": outside(8..16) }));
        write("domains.json", json!({ "wine": ["red_wine", "white_wine"], "sky": ["moon", "sun"] }));
        folder
    }

    #[tokio::test]
    async fn domains_and_intents_are_specialists() {
        let folder = clinc150();
        let clinc = ["--data", "clinc150"];
        let domains = measure(&intents(folder.path(), &clinc), Model::hashed()).await.unwrap();
        assert_eq!((domains.questions, domains.out_of_domain), (20, 8));
        assert_eq!((domains.setting.size.specialists, domains.setting.size.passages), (2, 40));
        assert_eq!(domains.setting.size.prototypes, 2 * (4 + 16), "centroids of five, and examples");
        let alone = &domains.prototypes_alone;
        assert!(alone.accuracy.value > 0.99, "{}", domains.table());
        assert!(domains.by_domain.contains_key("sky") && domains.by_kind.contains_key("red-wine"));

        let level = [clinc.as_slice(), &["--level", "intents"]].concat();
        let intents = measure(&self::intents(folder.path(), &level), Model::hashed()).await.unwrap();
        assert_eq!(intents.setting.size.specialists, 4);
        assert!(intents.prototypes_alone.accuracy.value > 0.99, "{}", intents.table());

        let test = [clinc.as_slice(), &["--split", "test"]].concat();
        let said = measure(&self::intents(folder.path(), &test), Model::hashed()).await.unwrap_err();
        assert!(said.to_string().contains("no `test` questions"), "{said}");
        fs::rename(folder.path().join("with-test.json"), folder.path().join("data_full.json")).unwrap();
        let tested = measure(&self::intents(folder.path(), &test), Model::hashed()).await.unwrap();
        assert_eq!((tested.questions, tested.out_of_domain), (8, 3));
        assert!(tested.prototypes_alone.accuracy.value > 0.99, "{}", tested.table());
    }

    #[tokio::test]
    async fn questions_for_training_are_judged_in_parts() {
        let folder = tempfile::tempdir().unwrap();
        let lines = |words: &str, intent: &str, numbers: std::ops::Range<usize>| -> String {
            numbers.map(|at| format!("\"{words}, {at}\",{intent}\n")).collect()
        };
        let table = |numbers: std::ops::Range<usize>| {
            let cards = lines("lost card", "Lost_card?", numbers.clone());
            format!("text,category\n{cards}{}", lines("exchange rate", "rate", numbers))
        };
        fs::write(folder.path().join("train.csv"), table(0..20)).unwrap();
        let banking = ["--data", "banking77"];
        let parts = measure(&intents(folder.path(), &banking), Model::hashed()).await.unwrap();
        assert_eq!((parts.questions, parts.out_of_domain), (40, 0));
        assert!(parts.measures.accuracy.value > 0.99, "{}", parts.table());
        assert_eq!(parts.by_domain["lost-card"].questions, 20);
        assert!(!parts.table().contains("NaN"), "{}", parts.table());

        let test = [banking.as_slice(), &["--split", "test"]].concat();
        let said = measure(&intents(folder.path(), &test), Model::hashed()).await.unwrap_err();
        assert!(said.to_string().contains("test.csv"), "{said}");
        fs::write(folder.path().join("test.csv"), table(20..25)).unwrap();
        let tested = measure(&intents(folder.path(), &test), Model::hashed()).await.unwrap();
        assert!(tested.questions == 10 && tested.measures.accuracy.value > 0.99, "{}", tested.table());
    }
}
