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
use proto::{Embedding, Evidence, Prototypes, Space, Terms, UnitVector, config};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use registry::{Registration, Slot, Snapshot};
use router::{
    fleet::Limits,
    route::{Background, Candidate, Decision, Policy, Probed, Verdict},
};
use specialist::{
    Settings,
    library::{Collection, Librarian},
};

use self::figures::{Figures, Size};
use crate::{
    fleet::{Fleet, Question},
    progress,
    record::Output,
    texts::{self, Asked},
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
    /// How many prototypes a specialist is asked for.
    #[arg(long, value_name = "N", default_value_t = Limits::default().prototypes_max)]
    prototypes: usize,
    /// How many specialists are probed at the most.
    #[arg(long, value_name = "N", default_value_t = Policy::default().probes_max)]
    probes: usize,
    /// The assumed share of questions that nobody covers.
    #[arg(long, value_name = "SHARE", default_value_t = 0.1)]
    prior: f64,
    /// How many of the questions that went wrong are shown; they are written to --out as well.
    #[arg(long, value_name = "N", default_value_t = 20)]
    wrong: usize,
    #[command(flatten)]
    output: Output,
}

/// What became of a question.
struct Routed {
    asked: Asked,
    /// Everybody who has a score, best first.
    ranked: Vec<String>,
    /// The probability that the router gives to the right one; 0 where it has no score.
    probability: f32,
    /// How sure the router is that somebody covers it: 0 to 1.
    confidence: f32,
    /// How many would be asked at once; 0 where the router is not sure enough.
    asked_count: usize,
    /// Whether the right one would be among them.
    right_asked: bool,
    /// How many were probed.
    probed: usize,
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
    let places: BTreeMap<&str, Slot> =
        fleet.snapshot.placed().map(|(slot, registration)| (registration.id().as_str(), slot)).collect();
    let know = |(asked, vector): (&Asked, UnitVector)| {
        let embedding = Embedding { space: embedder.space().clone(), vector };
        let question = Question { embedding, terms: Terms::of(&asked.query) };
        let evidence = evidence(&collections, &places, &question)?;
        Known::new(&fleet, question, evidence, (places.get(asked.domain.as_str()).copied(), &asked.kind))
    };
    let pairs: Vec<(&Asked, UnitVector)> = asked.iter().zip(vectors).collect();
    let known = pairs.into_par_iter().map(know).collect::<Result<Vec<Known>>>()?;
    let decide = |probes_max| -> Result<Vec<Routed>> {
        let policy = Policy { probes_max, ..Policy::default() };
        let decisions = trial::route(&fleet, &known, &policy, routing.prior)?;
        Ok(asked
            .iter()
            .cloned()
            .zip(decisions)
            .map(|(asked, decision)| Routed::new(asked, &decision))
            .collect())
    };
    let (probed, alone) = (decide(routing.probes)?, decide(0)?);
    Ok(Figures::of(
        embedder.backend().to_string(),
        size,
        left_out,
        routing.prior,
        (probed, alone),
        routing.wrong,
    ))
}

/// What everybody's index holds near a question.
fn evidence(
    collections: &BTreeMap<String, Collection>,
    places: &BTreeMap<&str, Slot>,
    question: &Question,
) -> Result<BTreeMap<Slot, Evidence>> {
    let mut shown = BTreeMap::new();
    for (id, collection) in collections {
        let evidence = collection.evidence(&question.embedding.vector, &question.terms)?;
        if let Some((slot, evidence)) = places.get(id.as_str()).zip(evidence) {
            shown.insert(*slot, evidence);
        }
    }
    Ok(shown)
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
        let Decision { verdict, candidates, confidence, .. } = decision;
        let id = |candidate: &Candidate| candidate.registration.id().to_string();
        let scored: Vec<&Candidate> =
            candidates.iter().filter(|candidate| candidate.score.is_some()).collect();
        let own = scored.iter().find(|candidate| id(candidate) == asked.domain);
        let at_once: &[usize] = match verdict {
            Verdict::Ask { asked, .. } => asked,
            Verdict::Abstain => &[],
        };
        Self {
            confidence: *confidence,
            asked_count: at_once.len(),
            right_asked: at_once.iter().any(|&at| id(&candidates[at]) == asked.domain),
            probed: candidates.iter().filter(|candidate| candidate.probed != Probed::Not).count(),
            probability: own.map_or(0.0, |own| own.probability),
            ranked: scored.into_iter().map(id).collect(),
            asked,
        }
    }

    /// The best candidate, where anybody has a score.
    fn went_to(&self) -> Option<&str> {
        self.ranked.first().map(String::as_str)
    }

    fn abstained(&self) -> bool {
        self.asked_count == 0
    }

    fn is_right(&self) -> bool {
        self.is_among(1)
    }

    /// Whether the right one is among the `count` best.
    fn is_among(&self, count: usize) -> bool {
        self.ranked.iter().take(count).any(|id| *id == self.asked.domain)
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
        assert_eq!((figures.questions, figures.out_of_domain, figures.left_out), (31, 10, 1));
        for measures in [&figures.measures, &figures.prototypes_alone] {
            assert!((measures.auroc.value - 1.0).abs() < 1e-9, "{:?}", measures.auroc);
            assert!((measures.accuracy.value - 30.0 / 31.0).abs() < 1e-9, "{:?}", measures.accuracy);
            assert!((measures.recall_at_2.value - 1.0).abs() < 1e-9, "{:?}", measures.recall_at_2);
        }
        assert!(figures.prototypes_alone.mean_probed.value.abs() < 1e-9);
        assert_eq!((figures.size.specialists, figures.size.passages, figures.size.prototypes), (2, 24, 2));
        let right = |part: &figures::Part| (part.right, part.questions);
        assert_eq!(right(&figures.by_domain["red-wine"]), (20, 21));
        assert_eq!(right(&figures.by_domain["moon"]), (10, 10));
        assert_eq!(right(&figures.by_kind["short"]), (20, 20));
        assert_eq!(right(&figures.by_kind["long"]), (10, 11));
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
