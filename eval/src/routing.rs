//! Measures how often a question finds the specialist whose corpus it belongs to, in a fleet that has
//! one for each file of a folder. The shipped code reads and embeds the passages, makes prototypes of
//! them and decides. The cards hold no questions, so none of those that are asked can be in one.
//! Questions of the domain `none` belong to nobody, and are to be refused. What specialists answer is not
//! measured.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    time::Instant,
};

use anyhow::{Result, ensure};
use embedding::{Embedder, Model};
use router::route::Policy;

use crate::{
    figures::{Figures, Setting, Ways, beside, beside::Row},
    peers::route::{self as peers, Labelled},
    plot,
    record::Output,
    routed::Routed,
    specialists::{Holding, Making, Points, Specialists, digests},
    texts::{self, Asked, NOBODYS},
    trial::{self, Known},
};

/// Whom to ask, and what.
#[derive(Debug, clap::Args)]
pub(crate) struct Routing {
    /// Folder of the encoder's weights.
    #[arg(long, default_value = "models/all-MiniLM-L6-v2")]
    model: PathBuf,
    /// Folder of .jsonl files, each the corpus of one specialist.
    #[arg(long, value_name = "DIR")]
    corpora: PathBuf,
    /// Folder of .jsonl files whose lines have a `query`, a `kind` and as `domain` the name of a
    /// corpus, or `none`; questions of other domains are left out.
    #[arg(long, value_name = "DIR")]
    queries: PathBuf,
    /// Where embeddings of passages are kept, as `make fleet` keeps them.
    #[arg(long, value_name = "DIR", default_value = ".consilium/fleet")]
    data: PathBuf,
    #[command(flatten)]
    points: Points,
    /// How many specialists are probed at the most.
    #[arg(long, value_name = "N", default_value_t = Policy::default().probes_max)]
    probes: usize,
    /// Whoever's score is at most so much less than the best one's is probed.
    #[arg(long, value_name = "COSINE", default_value_t = Policy::default().probe_window)]
    probe_window: f32,
    /// The assumed share of questions that nobody covers.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    prior: f64,
    /// How many of the questions that went wrong are shown; they are written to --out as well.
    #[arg(long, value_name = "N", default_value_t = 20)]
    wrong: usize,
    /// A Python that has the packages of eval/peers/requirements.txt: their routers are asked as well, which
    /// takes some minutes.
    #[arg(long, value_name = "PYTHON")]
    peers: Option<PathBuf>,
    /// Folder for the plots confusion and risk-coverage, each as .svg and as .png.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Measures, and prints one table.
pub(crate) async fn run(routing: &Routing) -> Result<()> {
    let figures = measure(routing, Model::load(&routing.model)?).await?;
    if let Some(folder) = &routing.plots {
        plot::routing(folder, &figures)?;
    }
    routing.output.put(figures, Figures::table)
}

async fn measure(routing: &Routing, model: Model) -> Result<Figures> {
    let asked = texts::asked(&routing.queries)?;
    let corpora = texts::jsonl(&routing.corpora)?;
    let (embedder, _) = Embedder::start(model)?;
    let making =
        Making { embedder: &embedder, model: &routing.model, data: &routing.data, points: routing.points };
    let specialists = Specialists::make(&making, &holdings(&corpora)).await?;
    let total = asked.len();
    let asked: Vec<Asked> = asked
        .into_iter()
        .map(|asked| Asked { domain: id(&asked.domain), ..asked })
        .filter(|asked| specialists.has(&asked.domain) || is_nobodys(asked))
        .collect();
    ensure!(
        asked.iter().any(|asked| asked.own().is_some()),
        "no question belongs to a corpus: `domain` is to be the name of its file"
    );

    let began = Instant::now();
    let known = specialists.know(&asked).await?;
    let known_s = began.elapsed().as_secs_f64();
    let decide = |probes_max| -> Result<(Vec<Routed>, f64)> {
        let began = Instant::now();
        let policy = Policy { probes_max, probe_window: routing.probe_window, ..Policy::default() };
        let decisions = trial::route(&specialists.fleet, &known, &policy, Some(routing.prior))?;
        let routed = Routed::all(&asked, &known, &decisions);
        Ok((routed, known_s + began.elapsed().as_secs_f64()))
    };
    let ((probed, probed_s), (alone, alone_s)) = (decide(routing.probes)?, decide(0)?);
    let mut rows = vec![
        Row::ours("with probing", &probed, routing.prior, probed_s),
        Row::ours("prototypes alone", &alone, routing.prior, alone_s),
    ];
    if let Some(python) = &routing.peers {
        rows.extend(rivals(routing, python, &asked, &known)?);
    }
    rows.extend(beside::trivial(&specialists, &asked, &known, routing.prior));
    let left_out = total - asked.len();
    let setting = Setting::new(embedder.backend().to_string(), specialists.size, left_out, routing.prior);
    let setting = Setting {
        corpora_sha256: digests(&corpora)?,
        queries_sha256: digests(&texts::jsonl(&routing.queries)?)?,
        ..setting
    };
    Ok(Figures::of(setting, Ways { probed, alone }, rows, routing.wrong))
}

/// Other people's routers, asked the same questions, with settings chosen on the same other questions.
fn rivals(routing: &Routing, python: &Path, asked: &[Asked], known: &[Known]) -> Result<Vec<Row>> {
    let names = texts::jsonl(&routing.corpora)?.into_iter().map(|path| name(&path));
    let passages: BTreeMap<String, Vec<(String, String)>> =
        names.zip(texts::passages(&routing.corpora)?).collect();
    let route = |(name, passages): (&String, &Vec<(String, String)>)| {
        let texts = peers::spread(passages, routing.points.prototypes);
        (name.clone(), texts.iter().map(|(title, text)| texts::titled(title, text)).collect())
    };
    let labelled = |asked: &Asked| -> Labelled { (asked.query.clone(), asked.own().map(str::to_owned)) };
    let questions: Vec<Labelled> = asked.iter().map(labelled).collect();
    let folds = trial::folds(known);
    let input = peers::Input {
        model: routing.model.canonicalize()?,
        routes: passages.iter().map(route).collect(),
        passages,
        outside_share: Some(routing.prior),
        rounds: peers::out_of_fold(&questions, &folds),
    };
    let outcomes = peers::run(python, &input)?;
    let row = |outcome: peers::Outcome| {
        let answers = outcome.answers(&folds)?;
        Ok(Row::peer(&outcome, &answers, asked, routing.prior))
    };
    let rows = outcomes.peers.into_iter().map(row).collect::<Result<Vec<Row>>>()?;
    let left_out = outcomes.left_out.into_iter().map(|(name, why)| Row::left_out(&name, why));
    Ok(rows.into_iter().chain(left_out).collect())
}

/// Whether the question belongs to nobody, beyond doubt.
pub(crate) fn is_nobodys(asked: &Asked) -> bool {
    asked.domain == NOBODYS && !asked.maybe_in_domain
}

/// A specialist of each corpus. Its card has no examples.
fn holdings(corpora: &[PathBuf]) -> Vec<Holding> {
    let holding = |path: &PathBuf| Holding { id: name(path), corpus: path.clone(), examples: Vec::new() };
    corpora.iter().map(holding).collect()
}

/// The name in the fleet of the specialist of `corpus`.
pub(crate) fn name(corpus: &Path) -> String {
    id(&corpus.file_stem().unwrap_or_default().to_string_lossy())
}

/// The same, of what the file is called.
pub(crate) fn id(name: &str) -> String {
    name.replace('_', "-")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::{Cli, Command, figures::Part};

    /// A folder with corpora about wine and the Moon, and questions about both and about nothing.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let write = |path: &str, lines: Vec<String>| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, lines.join("\n")).unwrap();
        };
        let corpus = |about: &str| {
            let passage =
                |at| format!(r#"{{"id": "{at}", "title": "{about}", "text": "{about} number {at}"}}"#);
            (0..12).map(passage).collect()
        };
        write("corpora/red_wine.jsonl", corpus("grapes barrels cellar vineyard"));
        write("corpora/moon.jsonl", corpus("crater orbit eclipse lunar"));
        let asked = |query: &str, domain: &str, kind: &str| {
            format!(r#"{{"query": "{query}", "domain": "{domain}", "kind": "{kind}"}}"#)
        };
        let many = |words: &str, domain: &str, kind: &str| -> Vec<String> {
            (10..20).map(|at| asked(&format!("{words} {at}"), domain, kind)).collect()
        };
        let wine = many("grapes vineyard", "red_wine", "short");
        let moon = many("lunar eclipse", "moon", "short");
        let long = many("which cellar barrels", "red_wine", "long");
        let amiss = vec![asked("crater orbit", "red_wine", "long")];
        write("queries/all.jsonl", [wine, moon, long, amiss].concat());
        let doubtful = r#"{"query": "a", "domain": "none", "kind": "short", "maybe_in_domain": true}"#;
        let mut none = many("tie bowline", "none", "short");
        none.push(doubtful.to_owned());
        write("queries/_none.jsonl", none);
        folder
    }

    fn routing(folder: &Path, more: &[&str]) -> Routing {
        let path = |name: &str| folder.join(name).display().to_string();
        let (corpora, queries, data) = (path("corpora"), path("queries"), path("data"));
        let args = [
            "eval",
            "routing",
            "--corpora",
            &corpora,
            "--queries",
            &queries,
            "--data",
            &data,
            "--prototypes",
        ];
        let Command::Routing(routing) =
            Cli::try_parse_from(args.into_iter().chain(more.iter().copied())).unwrap().command
        else {
            panic!("another command");
        };
        routing
    }

    #[tokio::test]
    async fn questions_are_counted_by_domain_and_kind() {
        let folder = folder();
        let figures = measure(&routing(folder.path(), &["1"]), Model::hashed()).await.unwrap();
        assert_eq!((figures.questions, figures.out_of_domain, figures.setting.left_out), (31, 10, 1));
        for measures in [&figures.measures, &figures.prototypes_alone] {
            assert!((measures.auroc.value - 1.0).abs() < 1e-9, "{:?}", measures.auroc);
            assert!((measures.accuracy.value - 30.0 / 31.0).abs() < 1e-9, "{:?}", measures.accuracy);
            assert!((measures.recall_at_2.value - 1.0).abs() < 1e-9, "{:?}", measures.recall_at_2);
        }
        assert!(figures.prototypes_alone.mean_probed.value.abs() < 1e-9);
        let size = &figures.setting.size;
        assert_eq!((size.specialists, size.passages, size.prototypes), (2, 24, 2));
        let right = |part: &Part| (part.right, part.questions);
        assert_eq!(right(&figures.by_domain["red-wine"]), (20, 21));
        assert_eq!(right(&figures.by_domain["moon"]), (10, 10));
        assert_eq!(right(&figures.by_kind["short"]), (20, 20));
        assert_eq!(right(&figures.by_kind["long"]), (10, 11));
        let rows: Vec<&str> = figures.side_by_side.iter().map(|row| row.name.as_str()).collect();
        let trivial = ["nearest centroid", "the largest always", "chance", "everybody"];
        assert_eq!(rows, [["with probing", "prototypes alone"].as_slice(), &trivial].concat());
        let everybody = figures.side_by_side.last().unwrap();
        assert!((everybody.mean_asked - 2.0).abs() < 1e-9 && everybody.accuracy.value.is_nan());
        assert_eq!(figures.confusion.as_ref().unwrap().names, ["moon", "red-wine", "nobody"]);
        assert_eq!(figures.setting.queries_sha256.len(), 2);
        let plots = folder.path().join("plots");
        plot::routing(&plots, &figures).unwrap();
        assert!(
            ["confusion", "risk-coverage"].iter().all(|name| plots.join(name).with_extension("svg").exists())
        );
        let [wrong] = figures.wrong.as_slice() else { panic!("{:?}", figures.wrong) };
        assert_eq!((wrong.question.as_str(), wrong.went_to.as_deref()), ("crater orbit", Some("moon")));
        assert!(figures.table().contains("96.77 %"), "{}", figures.table());

        let none = measure(&routing(folder.path(), &["1", "--wrong", "0"]), Model::hashed()).await.unwrap();
        assert!(none.wrong.is_empty() && !none.table().contains("crater"));
    }

    #[tokio::test]
    async fn what_is_missing_is_said() {
        let folder = folder();
        let said = async |more: &[&str]| {
            measure(&routing(folder.path(), more), Model::hashed()).await.unwrap_err().to_string()
        };
        assert!(said(&["0"]).await.contains("has no prototypes"));
        fs::remove_file(folder.path().join("queries/all.jsonl")).unwrap();
        assert!(said(&["1"]).await.starts_with("no question belongs to a corpus"));
    }
}
