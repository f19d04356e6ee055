//! Measures how often a question finds the specialist whose corpus it belongs to, in a fleet that has
//! one for each file of a folder. The shipped code reads and embeds the passages, makes prototypes of
//! them and decides. The cards hold no questions, so none of those that are asked can be in one.
//! Questions of the domain `none` belong to nobody, and are to be refused. What specialists answer is not
//! measured.

mod detection;
mod figures;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use embedding::{Embedder, Model};
use proto::{Embedding, Prototypes, Space, UnitVector, config};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use registry::{Registration, Snapshot};
use router::{
    fleet::Limits,
    route::{Background, Decision, Verdict},
};
use specialist::{
    Settings,
    library::{Collection, Librarian},
};

use self::figures::{Figures, Size};
use crate::{
    fleet::Fleet,
    progress,
    record::Output,
    texts::{self, Asked},
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
    /// How many prototypes a specialist is asked for.
    #[arg(long, value_name = "N", default_value_t = Limits::default().prototypes_max)]
    prototypes: usize,
    /// How many of the questions that went wrong are shown; they are written to --out as well.
    #[arg(long, value_name = "N", default_value_t = 20)]
    wrong: usize,
    #[command(flatten)]
    output: Output,
}

/// What became of a question.
struct Routed {
    asked: Asked,
    /// The best candidate, where anybody has a score.
    went_to: Option<String>,
    /// How much nearer that one is than the right one, in cosine units; 0 for the right one itself,
    /// `None` where no prototype of the right one is among the nearest.
    margin: Option<f32>,
    /// How sure the router is that somebody covers it, in cosine units.
    confidence: f32,
    /// How many would be asked at once; 0 where nobody is near enough.
    asked_count: usize,
    /// Whether the right one would be among them.
    right_asked: bool,
}

/// Measures, and prints one table.
pub(crate) async fn run(routing: &Routing) -> Result<()> {
    let figures = measure(routing, Model::load(&routing.model)?).await?;
    routing.output.put(figures, Figures::table)
}

async fn measure(routing: &Routing, model: Model) -> Result<Figures> {
    let asked = texts::asked(&routing.queries)?;
    let corpora = texts::jsonl(&routing.corpora)?;
    let (embedder, _) = Embedder::start(model)?;
    let collections = collect(routing, &corpora, &embedder).await?;
    let snapshot = register(&collections, embedder.space(), routing.prototypes)?;
    let size = Size {
        passages: collections.values().map(Collection::passage_count).sum(),
        specialists: collections.len(),
        prototypes: snapshot.members().map(|member| member.prototypes.points.len()).sum(),
        prototypes_max: routing.prototypes,
    };

    let total = asked.len();
    let asked = asked.into_iter().map(|asked| Asked { domain: id(&asked.domain), ..asked });
    let counts = |asked: &Asked| collections.contains_key(&asked.domain) || is_nobodys(asked);
    let asked: Vec<Asked> = asked.filter(counts).collect();
    let belong = asked.iter().any(|asked| !is_nobodys(asked));
    ensure!(belong, "no question belongs to a corpus: `domain` is to be the name of its file");
    let left_out = total - asked.len();
    let background = embedder.embed_all(&Background::questions(), |_| {}).await?;
    let fleet = Fleet::new(snapshot, background);
    let vectors = embed(&embedder, &asked).await?;
    let route = |(asked, vector)| {
        let decision = fleet.route(&Embedding { space: embedder.space().clone(), vector })?;
        Ok(Routed::new(asked, &decision))
    };
    let pairs: Vec<(Asked, UnitVector)> = asked.into_iter().zip(vectors).collect();
    let routed = pairs.into_par_iter().map(route).collect::<Result<Vec<_>>>()?;
    Ok(Figures::of(embedder.backend().to_string(), size, left_out, routed, routing.wrong))
}

/// Whether the question belongs to nobody, beyond doubt.
fn is_nobodys(asked: &Asked) -> bool {
    asked.domain == "none" && !asked.maybe_in_domain
}

/// What each specialist knows, by its name in the fleet.
async fn collect(
    routing: &Routing,
    corpora: &[PathBuf],
    embedder: &Embedder,
) -> Result<BTreeMap<String, Collection>> {
    let mut collections = BTreeMap::new();
    for corpus in corpora {
        let settings = settings(routing, corpus)?;
        let id = settings.config.id.clone();
        let collection = Librarian::new(settings, Some(embedder.clone()))?.collect().await?;
        collections.insert(id, collection);
    }
    Ok(collections)
}

/// Those of a specialist of `corpus`.
fn settings(routing: &Routing, corpus: &Path) -> Result<Settings> {
    let name = corpus.file_stem().unwrap_or_default().to_string_lossy();
    let id = id(&name);
    let card = "title = \"-\"\ninstitution = \"-\"\ndescription = \"-\"\nlicense = \"-\"\nlisten = \"-\"";
    Ok(Settings {
        config: config::parse(&format!("id = {id:?}\n{card}"))?,
        corpus: Some(corpus.to_owned()),
        data: routing.data.join(&id),
        model: routing.model.clone(),
        engine: None,
    })
}

/// The name in the fleet of the specialist whose corpus has this name.
fn id(name: &str) -> String {
    name.replace('_', "-")
}

/// The fleet of all of them, each with at most `count` prototypes.
fn register(
    collections: &BTreeMap<String, Collection>,
    space: &Arc<Space>,
    count: usize,
) -> Result<Snapshot> {
    let make = |(id, collection): (&String, &Collection)| {
        let points = collection.prototypes(count);
        ensure!(!points.is_empty(), "{id} has no prototypes: give it 5 passages, and ask for 1 at least");
        let prototypes = Prototypes { space: Space::clone(space), points, revision: "1".to_owned() };
        Registration::made_up(id, prototypes).with_context(|| format!("{id} cannot be registered: rename it"))
    };
    let registrations = collections.par_iter().map(make).collect::<Result<Vec<_>>>()?;
    let mut snapshot = Snapshot::empty(space.clone())?;
    for registration in registrations {
        snapshot = snapshot.with(Arc::new(registration))?;
    }
    Ok(snapshot.rebuilt()?)
}

async fn embed(embedder: &Embedder, asked: &[Asked]) -> Result<Vec<UnitVector>> {
    let progress = progress::bar("questions", asked.len())?;
    let questions: Vec<String> = asked.iter().map(|asked| asked.query.clone()).collect();
    let vectors = embedder.embed_all(&questions, |_| progress.inc(1)).await?;
    progress.finish_and_clear();
    Ok(vectors)
}

impl Routed {
    fn new(asked: Asked, decision: &Decision) -> Self {
        // Who has no score comes last, and nothing led the question there.
        let scored =
            || decision.candidates.iter().filter_map(|candidate| Some((candidate, candidate.score?)));
        let best = scored().next();
        let own = scored().find(|(candidate, _)| candidate.registration.id().as_str() == asked.domain);
        let id = |at: usize| decision.candidates[at].registration.id();
        let at_once: &[usize] = match &decision.verdict {
            Verdict::Ask { asked, .. } => asked,
            Verdict::Abstain => &[],
        };
        Self {
            confidence: decision.confidence,
            asked_count: at_once.len(),
            right_asked: at_once.iter().any(|&at| id(at).as_str() == asked.domain),
            asked,
            went_to: best.map(|(candidate, _)| candidate.registration.id().to_string()),
            margin: best.zip(own).map(|((_, best), (_, own))| best - own),
        }
    }

    fn abstained(&self) -> bool {
        self.asked_count == 0
    }

    fn is_right(&self) -> bool {
        self.went_to.as_ref() == Some(&self.asked.domain)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use clap::Parser;

    use super::*;
    use crate::{Cli, Command};

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
        let questions = vec![
            asked("grapes vineyard", "red_wine", "short"),
            asked("lunar eclipse", "moon", "short"),
            asked("which cellar barrels", "red_wine", "long"),
            asked("crater orbit", "red_wine", "long"),
        ];
        write("queries/all.jsonl", questions);
        let doubtful = r#"{"query": "a", "domain": "none", "kind": "short", "maybe_in_domain": true}"#;
        write("queries/_none.jsonl", vec![asked("tie a bowline", "none", "short"), doubtful.to_owned()]);
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
        assert_eq!((figures.questions, figures.out_of_domain, figures.left_out), (4, 1, 1));
        assert!((figures.auroc.value - 1.0).abs() < 1e-9, "{:?}", figures.auroc);
        assert!((figures.total.value - 0.8).abs() < 1e-9, "one of five went wrong: {:?}", figures.total);
        assert!((figures.mean_asked.value - 1.0).abs() < 1e-9, "{:?}", figures.mean_asked);
        assert_eq!((figures.size.specialists, figures.size.passages, figures.size.prototypes), (2, 24, 2));
        let right = |part: &figures::Part| (part.right, part.questions);
        assert_eq!(right(&figures.by_domain["red-wine"]), (2, 3));
        assert_eq!(right(&figures.by_domain["moon"]), (1, 1));
        assert_eq!(right(&figures.by_kind["short"]), (2, 2));
        assert_eq!(right(&figures.by_kind["long"]), (1, 2));
        let [wrong] = figures.wrong.as_slice() else { panic!("{:?}", figures.wrong) };
        assert_eq!((wrong.question.as_str(), wrong.went_to.as_deref()), ("crater orbit", Some("moon")));
        assert!(figures.table().contains("top-1 of 4 questions: 75.00 %"), "{}", figures.table());

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
