//! What a specialist knows, ready to be searched: built from the corpus through the cache, never
//! changed, only replaced.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex as Lock, PoisonError},
};

use embedding::Embedder;
use index::{Index, IndexError};
use proto::{Digest, Evidence, Probe, Prototype, PublishedCard, Space, Terms, UnitVector, wire};
use tokio::sync::Mutex;

use crate::{
    Error, Settings,
    bench::Bench,
    cache::Cache,
    card,
    corpus::{Corpus, CorpusError, Passage, Reader, Skip},
    error::CallError,
    evidence::{self, Lexicon},
    identity::Identity,
    lexical::Bm25,
    points, prototypes,
    provenance::Provenance,
    ranking::{CANDIDATES_MAX, Ranked, rank},
};

/// The most skips that are logged one by one after a look at the corpus.
const SKIPS_LOGGED_MAX: usize = 20;

/// All passages and, where there is an encoder, where they lie.
#[derive(Clone)]
pub struct Collection {
    passages: Arc<[Passage]>,
    vectors: Arc<[UnitVector]>,
    search: Option<Arc<Search>>,
    embedded: usize,
    provenance: Arc<Provenance>,
}

/// What passages that are embedded are searched with.
struct Search {
    index: Index<usize>,
    words: Bm25,
    lexicon: Lexicon,
}

impl Search {
    fn build(passages: &[Passage], vectors: &[UnitVector], dimension: usize) -> Result<Self, Error> {
        let entries = vectors.iter().cloned().enumerate().collect();
        let (index, words) = (Index::build(dimension, entries)?, Bm25::of(passages)?);
        Ok(Self { index, words, lexicon: Lexicon::of(passages) })
    }
}

impl Collection {
    /// How many passages there are.
    pub fn passage_count(&self) -> usize {
        self.passages.len()
    }

    /// How many texts had to be embedded for it: those that the cache did not hold.
    pub fn embedded(&self) -> usize {
        self.embedded
    }

    /// At most `count` points that stand for its passages, each a centroid of at least five; none where
    /// there are fewer passages, or no encoder. Takes seconds for thousands of passages.
    pub fn prototypes(&self, count: usize) -> Vec<Prototype> {
        prototypes::make(&self.vectors, count)
    }

    /// What its passages hold near a question; `None` where there is no encoder.
    pub fn evidence(&self, question: &UnitVector, terms: &Terms) -> Result<Option<Evidence>, IndexError> {
        let gather = |search: &Arc<Search>| evidence::gather(&search.index, &search.lexicon, question, terms);
        self.search.as_ref().map(gather).transpose()
    }
}

/// A collection under the card that describes it.
pub struct Library {
    collection: Collection,
    card: PublishedCard,
    /// The card's, where there is a key.
    signature: Option<[u8; 64]>,
    identity: Option<Identity>,
    lexical_share: f32,
    prototypes: Arc<Mutex<Option<Made>>>,
}

/// A passage that a question found.
#[derive(Debug, Clone, Copy)]
pub struct Found<'a> {
    /// Its place in the corpus: those of one document follow one another.
    pub place: usize,
    /// It.
    pub passage: &'a Passage,
    /// Cosine with the question, -1 to 1.
    pub similarity: f32,
}

/// Prototypes that were made, and how many of them were wanted.
struct Made {
    count: usize,
    response: wire::PrototypesResponse,
}

impl Library {
    /// The library of a specialist with `settings` that is reached at `endpoint`.
    pub fn publish(settings: &Settings, endpoint: &str, collection: Collection) -> Result<Self, Error> {
        let Settings { config, identity, .. } = settings;
        let card = card::publish(config, settings.public_key().as_ref(), endpoint, &collection.provenance)?;
        Ok(Self {
            signature: card::signature(identity.as_ref(), &card),
            collection,
            card,
            identity: identity.clone(),
            lexical_share: config.lexical_share,
            prototypes: Arc::default(),
        })
    }

    /// What it says of itself, signed where it has a key.
    pub(crate) fn description(&self) -> wire::DescribeResponse {
        let successions = self.identity.as_ref().map(|identity| identity.successions().to_vec());
        wire::DescribeResponse {
            card: self.card.bytes().to_vec(),
            signature: self.signature.map(|signature| signature.to_vec()).unwrap_or_default(),
            successions: successions.unwrap_or_default(),
        }
    }

    /// Its card.
    pub fn card(&self) -> &PublishedCard {
        &self.card
    }

    /// The key, where it has one.
    pub(crate) fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// What leads from the passage called `id` to the root in the card; `None` where the card has none, or the
    /// corpus no such passage.
    pub(crate) fn path(&self, id: &str) -> Option<wire::MerklePath> {
        let Collection { passages, provenance, .. } = &self.collection;
        self.card.card().passages_root.and(provenance.tree.as_ref())?.path(passages, id)
    }

    /// What its passages hold near a question.
    pub(crate) async fn evidence(&self, probe: Probe) -> Result<Evidence, CallError> {
        let collection = self.collection.clone();
        let work = move || collection.evidence(&probe.vector, &probe.terms);
        let evidence = tokio::task::spawn_blocking(work).await.map_err(|_| CallError::Interrupted)??;
        evidence.ok_or(CallError::CannotEmbed)
    }

    /// The passages nearest to `question`, which lies at `vector`, by meaning and by words: at most `count`,
    /// each with its cosine, best first.
    pub fn retrieve(
        &self,
        question: &str,
        vector: &UnitVector,
        count: usize,
    ) -> Result<Vec<Found<'_>>, CallError> {
        let Collection { passages, vectors, search: Some(search), .. } = &self.collection else {
            return Ok(Vec::new());
        };
        let near = search.index.search(vector, count.max(CANDIDATES_MAX))?;
        let near: Vec<_> = near.into_iter().map(|hit| (hit.key, hit.similarity)).collect();
        let worded = search.words.search(question, CANDIDATES_MAX)?;
        let cosine = |passage: usize| Some(vectors.get(passage)?.cosine(vector));
        let covered = search.lexicon.covered(&Terms::of(question));
        let ranked = rank(&near, &worded, &covered, self.lexical_share, cosine).into_iter().take(count);
        let found = ranked.filter_map(|ranked| {
            let Ranked { passage: place, similarity, .. } = ranked;
            Some(Found { place, passage: passages.get(place)?, similarity })
        });
        Ok(found.collect())
    }

    /// At most `count` prototypes in `space`, which is the library's. They are made once and
    /// remembered; a caller that leaves does not stop the making, and a second one waits for it.
    pub(crate) async fn prototypes(
        &self,
        space: &Space,
        count: usize,
    ) -> Result<wire::PrototypesResponse, CallError> {
        let count = count.min(prototypes::count_max(self.collection.vectors.len()));
        let mut made = self.prototypes.clone().lock_owned().await;
        if let Some(made) = made.as_ref().filter(|made| made.count == count) {
            return Ok(made.response.clone());
        }
        let collection = self.collection.clone();
        let (space, revision) = (space.clone(), self.card.card().revision.clone());
        let work = move || {
            let points = collection.prototypes(count);
            if points.is_empty() {
                return Err(CallError::FewPassages);
            }
            let response = wire::PrototypesResponse::from(&proto::Prototypes { space, points, revision });
            *made = Some(Made { count, response: response.clone() });
            Ok(response)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| CallError::Interrupted)?
    }
}

/// Makes collections of one corpus, as often as it changes.
pub struct Librarian {
    settings: Settings,
    encoder: Option<(Embedder, Cache)>,
    reader: Option<Arc<Lock<Reader>>>,
    /// Whether the last corpus became a collection.
    collected: bool,
    /// What the last collection left out.
    skipped: HashSet<Skip>,
    /// The digest of the encoder's files, once they were read.
    weights: Option<Digest>,
}

impl Librarian {
    /// Opens the cache, if there is an encoder.
    pub fn new(settings: Settings, embedder: Option<Embedder>) -> Result<Self, Error> {
        let with_cache = |embedder: Embedder| -> Result<_, Error> {
            let cache = Cache::open(&settings.data, embedder.space())?;
            Ok((embedder, cache))
        };
        let encoder = embedder.map(with_cache).transpose()?;
        let reader = settings.reader().map(|reader| Arc::new(Lock::new(reader)));
        Ok(Self { settings, encoder, reader, collected: false, skipped: HashSet::new(), weights: None })
    }

    /// The settings that it works by.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// A new collection if a file of the corpus has changed since the last one. A corpus without
    /// passages is an error once, until it changes again; anything else that fails is tried again at
    /// the next call.
    pub async fn refresh(&mut self) -> Result<Option<Collection>, Error> {
        let Some(corpus) = self.look().await? else { return Ok(None) };
        let collection = self.collection(corpus).await?;
        self.collected = true;
        Ok(Some(collection))
    }

    /// Reads and embeds the whole corpus; what the cache holds is not embedded again.
    pub async fn collect(&mut self) -> Result<Collection, Error> {
        self.collected = false;
        let corpus = self.look().await?.unwrap_or_default();
        self.collection(corpus).await
    }

    /// The whole corpus, ready to be judged by questions; what the cache holds is not embedded again.
    pub async fn bench(&mut self) -> Result<Bench, Error> {
        self.collected = false;
        let Corpus { passages, report, .. } = self.look().await?.unwrap_or_default();
        self.log_skips(&report.skipped);
        let Some((embedder, cache)) = &mut self.encoder else { return Err(Error::NothingToIndex) };
        let (parts, _) = points::parts(embedder, cache, &passages, true).await?;
        tokio::task::spawn_blocking(move || Bench::new(&passages, parts)).await?
    }

    /// Embeds `corpus` into the cache; how many of its texts were not there.
    pub(crate) async fn embed(&mut self, corpus: &Corpus) -> Result<usize, Error> {
        let Some((embedder, cache)) = &mut self.encoder else { return Err(Error::NothingToIndex) };
        let title_share = self.settings.config.title_share;
        let (_, fresh) = points::locate(embedder, cache, &corpus.passages, title_share).await?;
        self.collected = true;
        Ok(fresh)
    }

    /// The corpus, if it has changed or what became of it was lost.
    pub(crate) async fn look(&mut self) -> Result<Option<Corpus>, Error> {
        let Some(reader) = self.reader.clone() else {
            return Ok((!self.collected).then(Corpus::default));
        };
        let look = move || {
            let mut reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            let looked = reader.look();
            (looked, reader.corpus().clone())
        };
        let (looked, corpus) = tokio::task::spawn_blocking(look).await?;
        if matches!(looked, Err(CorpusError::Empty { .. })) {
            self.collected = true;
        }
        self.collected &= !looked?;
        Ok((!self.collected).then_some(corpus))
    }

    /// `corpus`, embedded.
    async fn collection(&mut self, corpus: Corpus) -> Result<Collection, Error> {
        self.log_skips(&corpus.report.skipped);
        let weights = self.weights().await?;
        let hashed = corpus.clone();
        let provenance = tokio::task::spawn_blocking(move || Provenance::of(weights, &hashed)).await??;
        let (provenance, Corpus { passages, report, .. }) = (Arc::new(provenance), corpus);
        let Some((embedder, cache)) = &mut self.encoder else {
            return Ok(Collection {
                passages,
                vectors: Arc::default(),
                search: None,
                embedded: 0,
                provenance,
            });
        };
        let title_share = self.settings.config.title_share;
        let (vectors, fresh) = points::locate(embedder, cache, &passages, title_share).await?;
        let (files, skipped) = (report.files(), report.skipped.len());
        tracing::info!(files, passages = passages.len(), embedded = fresh, skipped, "corpus is read");
        let dimension = embedder.space().dimension;
        let vectors: Arc<[UnitVector]> = vectors.into();
        let (texts, points) = (passages.clone(), vectors.clone());
        let make = move || Search::build(&texts, &points, dimension);
        let search = Some(Arc::new(tokio::task::spawn_blocking(make).await??));
        Ok(Collection { passages, vectors, search, embedded: fresh, provenance })
    }

    /// The digest of the encoder's files, which are read once.
    async fn weights(&mut self) -> Result<Option<Digest>, Error> {
        if self.weights.is_none() {
            let settings = self.settings.clone();
            self.weights = tokio::task::spawn_blocking(move || settings.weights()).await??;
        }
        Ok(self.weights)
    }

    /// Logs what was not skipped the last time.
    fn log_skips(&mut self, skipped: &[Skip]) {
        let mut fresh = skipped.iter().filter(|skip| !self.skipped.contains(skip));
        for Skip { place, reason } in fresh.by_ref().take(SKIPS_LOGGED_MAX) {
            tracing::warn!(%place, %reason, "skipped");
        }
        let more = fresh.count();
        if more > 0 {
            tracing::warn!(more, "skipped: `specialist index --report` lists all");
        }
        self.skipped = skipped.iter().cloned().collect();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::fs;

    use embedding::Model;

    use super::*;
    use crate::config::Overrides;

    /// A librarian of the folder `corpus` in `folder`, with hashed vectors.
    pub(crate) fn librarian(folder: &std::path::Path) -> Librarian {
        let toml = "id = \"a\"\ntitle = \"A\"\ninstitution = \"B\"\ndescription = \"C\"\nlicense = \"MIT\"\n\
            listen = \"127.0.0.1:0\"\ncorpus = \"corpus\"\nencoder = { kind = \"hashed\" }";
        fs::write(folder.join("specialist.toml"), toml).unwrap();
        let settings = Settings::load(&folder.join("specialist.toml"), Overrides::default()).unwrap();
        let (embedder, _thread) = Embedder::start(Model::hashed()).unwrap();
        Librarian::new(settings, Some(embedder)).unwrap()
    }

    #[tokio::test]
    async fn only_what_changed_is_embedded_again() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = folder.path().join("corpus");
        fs::create_dir(&corpus).unwrap();
        fs::write(corpus.join("a.md"), "# Moon\nx\n# Sun\ny\n").unwrap();
        fs::write(corpus.join("b.txt"), "Mars is red.").unwrap();
        let mut first = librarian(folder.path());
        let collection = first.refresh().await.unwrap().unwrap();
        assert_eq!((collection.passage_count(), collection.embedded()), (3, 6), "texts and headings");
        assert!(first.refresh().await.unwrap().is_none());

        fs::write(corpus.join("b.txt"), "Mars is very red.").unwrap();
        assert_eq!(first.refresh().await.unwrap().unwrap().embedded(), 1);

        // Another process finds it all in the cache.
        assert_eq!(librarian(folder.path()).collect().await.unwrap().embedded(), 0);
    }

    #[tokio::test]
    async fn a_broken_corpus_is_reported_once() {
        let folder = tempfile::tempdir().unwrap();
        let corpus = folder.path().join("corpus");
        fs::create_dir(&corpus).unwrap();
        fs::write(corpus.join("a.jsonl"), "{").unwrap();
        let mut librarian = librarian(folder.path());
        assert!(matches!(librarian.refresh().await, Err(Error::Corpus(_))));
        assert!(matches!(librarian.refresh().await, Ok(None)));
        fs::write(corpus.join("a.jsonl"), "{\"id\":\"a\",\"text\":\"x\"}").unwrap();
        assert_eq!(librarian.refresh().await.unwrap().unwrap().passage_count(), 1);
    }
}
