//! The two logs that others can watch: of receipts, of which they hold hidden leaves, and of the registry, which is
//! public. The database is the truth; the files follow it, at most a second behind, and never run ahead.

use std::{
    collections::HashMap,
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use audit::{
    Proof, SecretKey, Vkey,
    log::{self, Damage, LogError, OpenError, Repair, Writer},
};
use prost::Message as _;
use proto::{
    Digest,
    wire::{RegistryChange, RegistryEntry},
};
use store::{Store, StoreError};
use tokio::{runtime::Handle, sync::watch, task::JoinError, time::timeout};

/// How often checkpoints are cut at the most.
const PAUSE: Duration = Duration::from_secs(1);

/// How long somebody waits for a checkpoint that covers what was just written down.
const CHECKPOINT_WAIT: Duration = Duration::from_secs(10);

/// How many entries are read from the database at a time.
const PAGE: u32 = 4_096;

/// Why a log cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum LogsError {
    /// Its files.
    #[error("the log's files: {0}")]
    Log(#[from] LogError),
    /// Its files do not follow from the database.
    #[error("the log in {}: {source}", folder.display())]
    Open {
        /// Where.
        folder: PathBuf,
        /// Why.
        source: OpenError<StoreError>,
    },
    /// Its entries.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// What the registry's log names.
    #[error("cannot write what the registry's log names")]
    Content(#[from] std::io::Error),
    /// The router stops.
    #[error("the router is stopping")]
    Stopping(#[from] JoinError),
    /// Nothing new was published in time.
    #[error("the log is not published at present: try again later")]
    Late,
}

/// Which log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Of the receipts' leaves.
    Receipts,
    /// Of the registry's changes.
    Registry,
}

impl Which {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Receipts, Self::Registry];

    /// Its name, in paths and origins.
    pub fn name(self) -> &'static str {
        match self {
            Self::Receipts => "receipts",
            Self::Registry => "registry",
        }
    }
}

/// Both logs. Cheap to clone.
#[derive(Clone)]
pub struct Logs(Arc<Inner>);

struct Inner {
    store: Store,
    folder: PathBuf,
    witnesses: Vec<Vkey>,
    receipts: Mutex<Writer>,
    registry: Mutex<Writer>,
    /// Where the registry's log first named a card.
    cards: Mutex<HashMap<Digest, u64>>,
    /// How many receipts are published.
    published: watch::Sender<u64>,
}

impl Logs {
    /// The logs in `folder` of the router with this `name` and `key`, brought up to what `store` holds. What had to
    /// be put right is said in the process's log.
    pub async fn open(
        folder: &Path,
        name: &str,
        key: &SecretKey,
        witnesses: &[Vkey],
        store: Store,
    ) -> Result<Self, LogsError> {
        let open = async |which: Which| {
            let settings = log::Settings {
                folder: folder.join(which.name()),
                origin: format!("{name}/{}", which.name()),
                key: key.clone(),
                witnesses: witnesses.to_vec(),
            };
            let entries = Entries { which, store: store.clone(), at: 0, page: Vec::new().into_iter() };
            tokio::task::spawn_blocking(move || opened(which, settings, entries)).await?
        };
        let logs = Self(Arc::new(Inner {
            receipts: Mutex::new(open(Which::Receipts).await?),
            registry: Mutex::new(open(Which::Registry).await?),
            cards: Mutex::default(),
            published: watch::Sender::new(0),
            folder: folder.to_owned(),
            witnesses: witnesses.to_vec(),
            store,
        }));
        let all = logs.0.store.registry_entries(0).await?;
        logs.note(&all, 0).await?;
        logs.publish().await?;
        Ok(logs)
    }

    /// Who watches both.
    pub fn witnesses(&self) -> &[Vkey] {
        &self.0.witnesses
    }

    /// Where the files of both are.
    pub fn folder(&self) -> &Path {
        &self.0.folder
    }

    /// Publishes what is new once a second until `stop` ends, and what is left then.
    pub async fn follow(self, stop: impl Future<Output = ()>) {
        let mut stop = std::pin::pin!(stop);
        loop {
            let stopping = timeout(PAUSE, &mut stop).await.is_ok();
            if let Err(error) = self.publish().await {
                tracing::error!(%error, "the logs were not published");
            }
            if stopping {
                return;
            }
        }
    }

    /// The proof that the receipt at `place` is in its log; waits until a checkpoint covers it.
    pub async fn prove_receipt(&self, place: u64) -> Result<Proof, LogsError> {
        let mut published = self.0.published.subscribe();
        let covered = timeout(CHECKPOINT_WAIT, published.wait_for(|size| *size > place)).await;
        covered.ok().and_then(Result::ok).map(drop).ok_or(LogsError::Late)?;
        self.prove(Which::Receipts, place, 0).await
    }

    /// The registry's entry that brought the card with `digest`, and the proof that it is in its log, which had
    /// `size_min` entries at least: a receipt that names so many is not held to fewer.
    pub async fn prove_card(
        &self,
        digest: Digest,
        size_min: u64,
    ) -> Result<Option<(Vec<u8>, Proof)>, LogsError> {
        let place = self.0.cards.lock().unwrap_or_else(PoisonError::into_inner).get(&digest).copied();
        let Some(place) = place else { return Ok(None) };
        let entry = self.0.store.registry_entries(place).await?.into_iter().next();
        let Some(entry) = entry else { return Ok(None) };
        Ok(Some((entry, self.prove(Which::Registry, place, size_min).await?)))
    }

    /// Takes a witness's cosignature of a checkpoint; how many that has now.
    pub async fn cosign(&self, which: Which, note: String) -> Result<usize, LogsError> {
        let logs = self.clone();
        Ok(tokio::task::spawn_blocking(move || logs.writer(which).cosign(&note)).await??)
    }

    async fn prove(&self, which: Which, place: u64, size_min: u64) -> Result<Proof, LogsError> {
        let logs = self.clone();
        Ok(tokio::task::spawn_blocking(move || logs.writer(which).prove_since(place, size_min)).await??)
    }

    /// Publishes what is new. Receipts are read before the registry and published after it, so that whatever a
    /// published receipt names is published.
    async fn publish(&self) -> Result<(), LogsError> {
        self.append(Which::Receipts).await?;
        self.append(Which::Registry).await?;
        self.cut(Which::Registry).await?;
        let size = self.cut(Which::Receipts).await?;
        self.0.published.send_replace(size);
        Ok(())
    }

    /// Adds what the database has and the log does not.
    async fn append(&self, which: Which) -> Result<(), LogsError> {
        loop {
            let size = self.writer(which).size();
            let new = page(&self.0.store, which, size).await?;
            if new.is_empty() {
                return Ok(());
            }
            if which == Which::Registry {
                self.note(&new, size).await?;
            }
            let logs = self.clone();
            let append = move || new.iter().try_for_each(|entry| logs.writer(which).append(entry).map(drop));
            tokio::task::spawn_blocking(append).await??;
        }
    }

    /// Cuts a checkpoint of all that was added; its size.
    async fn cut(&self, which: Which) -> Result<u64, LogsError> {
        let logs = self.clone();
        Ok(tokio::task::spawn_blocking(move || logs.writer(which).publish()).await??.size)
    }

    /// Puts what registry entries from `first` on name beside their log, before the log names it.
    async fn note(&self, entries: &[Vec<u8>], first: u64) -> Result<(), LogsError> {
        let content = self.0.folder.join(Which::Registry.name()).join("content");
        for (place, entry) in (first..).zip(entries) {
            let Ok(entry) = RegistryEntry::decode(entry.as_slice()) else { continue };
            let Ok(digest) = Digest::read("content_sha256", &entry.content_sha256) else { continue };
            if entry.change() != RegistryChange::Policy {
                self.0.cards.lock().unwrap_or_else(PoisonError::into_inner).entry(digest).or_insert(place);
            }
            let path = content.join(digest.to_string());
            let found = fs::read(&path).ok();
            if found.as_ref().is_some_and(|bytes| Digest::of(bytes) == digest) {
                continue;
            }
            if let Some(bytes) = self.0.store.registry_content(digest.as_bytes()).await? {
                fs::create_dir_all(&content)?;
                let unfinished = path.with_extension("new");
                fs::write(&unfinished, bytes)?;
                fs::rename(unfinished, path)?;
                if found.is_some() {
                    let repair = Repair { file: format!("content/{digest}"), was: Damage::Altered };
                    tracing::warn!(log = Which::Registry.name(), %repair, "put right");
                }
            }
        }
        Ok(())
    }

    fn writer(&self, which: Which) -> MutexGuard<'_, Writer> {
        let writer = match which {
            Which::Receipts => &self.0.receipts,
            Which::Registry => &self.0.registry,
        };
        writer.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn opened(which: Which, settings: log::Settings, entries: Entries) -> Result<Writer, LogsError> {
    let folder = settings.folder.clone();
    let (writer, repairs) =
        Writer::open(settings, entries).map_err(|source| LogsError::Open { folder, source })?;
    for repair in repairs {
        tracing::warn!(log = which.name(), %repair, "put right");
    }
    Ok(writer)
}

async fn page(store: &Store, which: Which, from: u64) -> Result<Vec<Vec<u8>>, StoreError> {
    match which {
        Which::Receipts => store.leaves(from, PAGE).await,
        Which::Registry => store.registry_entries(from).await,
    }
}

/// A log's entries as the database has them, read page by page where blocking is allowed.
struct Entries {
    which: Which,
    store: Store,
    at: u64,
    page: std::vec::IntoIter<Vec<u8>>,
}

impl Iterator for Entries {
    type Item = Result<Vec<u8>, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.page.len() == 0 {
            match Handle::current().block_on(page(&self.store, self.which, self.at)) {
                Ok(page) => self.page = page.into_iter(),
                Err(error) => return Some(Err(error)),
            }
        }
        let entry = self.page.next()?;
        self.at += 1;
        Some(Ok(entry))
    }
}
