//! A fleet with a specialist for each corpus, and questions that are put to it. The shipped code reads and
//! embeds the passages, makes prototypes of them, and shows evidence. What specialists answer is not asked.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use embedding::Embedder;
use proto::{Digest, Embedding, Evidence, Prototype, Prototypes, Space, Terms, UnitVector, config};
use rayon::iter::{IntoParallelIterator, IntoParallelRefIterator, ParallelIterator};
use registry::{Registration, Slot, Snapshot};
use router::{fleet::Limits, route::Background};
use serde::Serialize;
use specialist::{
    Settings,
    library::{Collection, Librarian},
};

use crate::{
    fleet::{Fleet, Question},
    progress,
    texts::Asked,
    trial::Known,
};

/// What a specialist is made of.
pub(crate) struct Holding {
    /// Its name in the fleet.
    pub(crate) id: String,
    /// Its passages, as a file of lines.
    pub(crate) corpus: PathBuf,
    /// The example questions of its card.
    pub(crate) examples: Vec<String>,
}

/// How all of them are made.
pub(crate) struct Making<'a> {
    pub(crate) embedder: &'a Embedder,
    /// Folder of the encoder's weights.
    pub(crate) model: &'a Path,
    /// Where embeddings are kept.
    pub(crate) data: &'a Path,
    pub(crate) points: Points,
}

/// How passages become points.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Points {
    /// How many prototypes a specialist is asked for.
    #[arg(long, value_name = "N", default_value_t = Limits::default().prototypes_max)]
    pub(crate) prototypes: usize,
    /// How much of where a passage lies is its title's: 0 to 1; by default as in specialist.toml.
    #[arg(long, value_name = "SHARE")]
    pub(crate) title_share: Option<f32>,
}

/// What questions were routed over.
#[derive(Debug, Serialize)]
pub(crate) struct Size {
    pub(crate) passages: usize,
    pub(crate) specialists: usize,
    pub(crate) prototypes: usize,
    /// How many each specialist was asked for.
    pub(crate) prototypes_max: usize,
}

/// Those of several corpora, in a fleet.
pub(crate) struct Specialists {
    embedder: Embedder,
    collections: BTreeMap<String, Collection>,
    pub(crate) fleet: Fleet,
    pub(crate) size: Size,
}

impl Specialists {
    pub(crate) async fn make(making: &Making<'_>, holdings: &[Holding]) -> Result<Self> {
        let Making { embedder, data, points, .. } = *making;
        let mut collections = BTreeMap::new();
        let mut examples = BTreeMap::new();
        for holding in holdings {
            let Holding { id, corpus, .. } = holding;
            let settings = making.settings(id, corpus, data)?;
            let collection = Librarian::new(settings, Some(embedder.clone()))?.collect().await?;
            collections.insert(id.clone(), collection);
            examples.insert(id.as_str(), embedder.embed_all(&holding.examples, |_| {}).await?);
        }
        let snapshot = register(&collections, &examples, embedder.space(), points.prototypes)?;
        let size = Size {
            passages: collections.values().map(Collection::passage_count).sum(),
            specialists: collections.len(),
            prototypes: snapshot.members().map(|member| member.prototypes.points.len()).sum(),
            prototypes_max: points.prototypes,
        };
        let background = embedder.embed_all(&Background::questions(), |_| {}).await?;
        Ok(Self { embedder: embedder.clone(), collections, fleet: Fleet::new(snapshot, background), size })
    }

    /// Whether anybody has this name.
    pub(crate) fn has(&self, id: &str) -> bool {
        self.collections.contains_key(id)
    }

    /// How many passages each has.
    pub(crate) fn passage_counts(&self) -> impl Iterator<Item = (&str, usize)> {
        self.collections.iter().map(|(id, collection)| (id.as_str(), collection.passage_count()))
    }

    /// The one centroid of all passages of each.
    pub(crate) fn centroids<'a>(&'a self) -> Vec<(&'a str, UnitVector)> {
        let centroid = |(id, collection): (&'a String, &Collection)| {
            Some((id.as_str(), collection.prototypes(1).pop()?.vector))
        };
        self.collections.iter().filter_map(centroid).collect()
    }

    /// What is known of each of `asked`.
    pub(crate) async fn know(&self, asked: &[Asked]) -> Result<Vec<Known>> {
        let progress = progress::bar("questions", asked.len())?;
        let texts: Vec<String> = asked.iter().map(|asked| asked.query.clone()).collect();
        let vectors = self.embedder.embed_all(&texts, |_| progress.inc(1)).await?;
        progress.finish_and_clear();
        let members = self.fleet.snapshot.placed();
        let places: BTreeMap<&str, Slot> =
            members.map(|(slot, registration)| (registration.id().as_str(), slot)).collect();
        let know = |(asked, vector): (&Asked, UnitVector)| {
            let embedding = Embedding { space: self.embedder.space().clone(), vector };
            let question = Question { embedding, terms: Terms::of(&asked.query) };
            let evidence = self.evidence(&places, &question)?;
            let right = places.get(asked.domain.as_str()).copied();
            Known::new(&self.fleet, question, evidence, (right, &asked.kind))
        };
        let pairs: Vec<(&Asked, UnitVector)> = asked.iter().zip(vectors).collect();
        pairs.into_par_iter().map(know).collect()
    }

    /// What everybody's index holds near a question.
    fn evidence(
        &self,
        places: &BTreeMap<&str, Slot>,
        question: &Question,
    ) -> Result<BTreeMap<Slot, Evidence>> {
        let mut shown = BTreeMap::new();
        for (id, collection) in &self.collections {
            let evidence = collection.evidence(&question.embedding.vector, &question.terms)?;
            if let Some((slot, evidence)) = places.get(id.as_str()).zip(evidence) {
                shown.insert(*slot, evidence);
            }
        }
        Ok(shown)
    }
}

impl Making<'_> {
    pub(crate) fn settings(&self, id: &str, corpus: &Path, data: &Path) -> Result<Settings> {
        let card = format!(
            "title = {id:?}\ninstitution = {id:?}\ndescription = \"-\"\nlicense = \"-\"\nlisten = \"-\""
        );
        let share = self.points.title_share.map(|share| format!("title_share = {share:?}"));
        // The card tells the digest of the weights; hashed vectors have none.
        let kind = if self.embedder.space().encoder == "hashed" { "hashed" } else { "model" };
        let encoder = format!("encoder = {{ kind = {kind:?} }}");
        let config = format!("id = {id:?}\n{card}\n{encoder}\n{}", share.unwrap_or_default());
        Ok(Settings {
            config: config::parse(&config)?,
            corpus: Some(corpus.to_owned()),
            data: data.join(id),
            model: self.model.to_owned(),
            engine: None,
            identity: None,
        })
    }
}

/// The fleet of all of them, each with at most `count` centroids, and its examples.
fn register(
    collections: &BTreeMap<String, Collection>,
    examples: &BTreeMap<&str, Vec<UnitVector>>,
    space: &Arc<Space>,
    count: usize,
) -> Result<Snapshot> {
    let make = |(id, collection): (&String, &Collection)| {
        let mut points = collection.prototypes(count);
        ensure!(!points.is_empty(), "{id} has no prototypes: give it 5 passages, and ask for 1 at least");
        let examples = examples.get(id.as_str()).into_iter().flatten();
        points.extend(examples.map(|vector| Prototype { vector: vector.clone(), passage_count: 0 }));
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

/// The SHA-256 of each file, by its name.
pub(crate) fn digests(files: &[PathBuf]) -> Result<BTreeMap<String, String>> {
    let digest = |path: &PathBuf| {
        let content = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok((name, Digest::of(content).to_string()))
    };
    files.iter().map(digest).collect()
}
