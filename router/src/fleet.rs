//! The fleet's one writer: it persists a change, then replaces the snapshot, then announces it.

mod change;
mod conformance;
mod exam;
mod keys;
mod ledger;
mod look;
mod refresh;
mod rows;

use std::{collections::BTreeMap, sync::Arc};

use embedding::Embedder;
use proto::{Digest, Endpoint, Space, SpecialistId};
use registry::{LogState, Registration, Snapshot, SnapshotError};
use serde::Deserialize;
use store::{LogEntry, Store, StoreError};
use tokio::sync::{Mutex, Semaphore, broadcast, watch};

pub use conformance::{Examined, Finding, Verdict};
pub use exam::{Foreign, Tested};
pub use keys::SignatureFault;
pub use ledger::Unreadable;
pub use look::LookError;
pub use refresh::refresh;

use self::{ledger::Ledger, look::Found};
use crate::{clock::now_ms, dispatch::Dispatch, route::Rules};

/// How many changes a slow watcher may fall behind.
const WATCH_BACKLOG_MAX: usize = 1_024;

/// The limits of the fleet.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// The most registrations.
    pub specialists_max: usize,
    /// How many prototypes a specialist is asked for.
    pub prototypes_max: usize,
    /// Milliseconds for one look at a specialist.
    pub look_ms: u64,
    /// Milliseconds for the ten questions that a newcomer is asked.
    pub exam_ms: u64,
    /// Milliseconds between two looks at each specialist, for its health and its revision.
    pub refresh_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            specialists_max: 10_000,
            prototypes_max: 256,
            look_ms: 30_000,
            exam_ms: 20_000,
            refresh_ms: 5_000,
        }
    }
}

/// Why a change to the fleet was not made.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// No such registration.
    #[error("no specialist {0} is registered")]
    Unknown(SpecialistId),
    /// The id is taken.
    #[error("a specialist {0} is registered already: remove it first, or give the new one another id")]
    Duplicate(SpecialistId),
    /// What stands at the endpoint is not what was shown.
    #[error("the card at {0} is no longer the one that was shown: look at it again")]
    Changed(Endpoint),
    /// The fleet is full.
    #[error("the fleet is at its limit of {0} specialists")]
    Full(usize),
    /// As many specialists are examined as may be at a time.
    #[error("{0} specialists are being examined, and that is the limit: try again in a few minutes")]
    Examining(usize),
    /// It would take too many questions of specialists that it is not related to.
    #[error(
        "{id} would take what it is not related to, {foreign}, where 1 in 100 is allowed: keep its corpus \
         and its example questions to its field, or have it added with --despite-exam"
    )]
    Foreign {
        /// Who.
        id: SpecialistId,
        /// How many, and whose.
        foreign: Foreign,
    },
    /// Its key counts no more.
    #[error(
        "the key in the card of {0} is revoked: have its institution make a new one, and add it again with \
         that (`registry remove` it first where it is registered)"
    )]
    Revoked(SpecialistId),
    /// There is nothing to revoke.
    #[error("{0} signs nothing, so it has no key to revoke: disable or remove it")]
    Keyless(SpecialistId),
    /// The exam broke off.
    #[error("the exam broke off, because the router is stopping: try again")]
    Unexamined,
    /// The change broke off.
    #[error("the router is stopping: look whether the change was made once it is back")]
    Stopping,
    /// The endpoint cannot be admitted.
    #[error(transparent)]
    Look(#[from] LookError),
    /// It could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not fit the snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The registry log in the database is not what was written.
    #[error(transparent)]
    Log(#[from] Unreadable),
    /// What the database holds is not what was written.
    #[error("the database holds a registration of {id} that cannot be read: {invalid}")]
    Corrupt {
        /// Whose.
        id: String,
        /// What is wrong with it.
        invalid: proto::Invalid,
    },
}

/// What can happen to a registration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It was admitted.
    Added,
    /// Its card or its prototypes are new.
    Updated,
    /// It was taken out of routing.
    Disabled,
    /// It was put back.
    Enabled,
    /// Its card is new and has another key, which the old one appointed.
    Rotated,
    /// Its key counts no more, and it was taken out of routing.
    Revoked,
    /// It was forgotten.
    Removed,
    /// It began or ceased to serve.
    Health,
}

/// A change, and the registration after it.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happened.
    pub kind: Kind,
    /// To whom.
    pub registration: Arc<Registration>,
}

/// The fleet: everybody reads snapshots, one writer at a time replaces them.
pub struct Fleet {
    store: Store,
    embedder: Embedder,
    dispatch: Arc<Dispatch>,
    limits: Limits,
    rules: Arc<Rules>,
    /// The router's, as specialists are told it.
    name: String,
    snapshot: watch::Sender<Arc<Snapshot>>,
    changes: broadcast::Sender<Change>,
    /// Held from reading the snapshot that a change starts from until its successor stands.
    writing: Mutex<Ledger>,
    /// Room for examinations: each may hold a long answer, and takes minutes.
    examinations: Semaphore,
    /// Room for exams: each takes a core for its routing, and holds one answer at a time.
    exams: Semaphore,
}

impl Fleet {
    /// The fleet as the database remembers it; nobody is dialled. A registration whose prototypes
    /// lie in another space than `embedder`'s is kept, but left out until it is added again.
    /// The registry log is brought up to what takes part. `rules` are those of every question, for exams;
    /// `name` is the router's, 1 to 120 characters.
    pub async fn open(
        store: Store,
        embedder: Embedder,
        dispatch: Arc<Dispatch>,
        limits: Limits,
        rules: Arc<Rules>,
        name: String,
    ) -> Result<Self, FleetError> {
        let mut ledger = Ledger::read(&store).await?;
        let snapshot = rows::remembered(&store, embedder.space().clone(), &ledger).await?;
        let due = ledger.due_for(&snapshot);
        store.append_entries(ledger.size(), &due).await?;
        for LogEntry { entry, .. } in &due {
            ledger.take(entry)?;
        }
        drop(due);
        let snapshot = snapshot.at(ledger.state()?);
        Ok(Self {
            store,
            embedder,
            dispatch,
            limits,
            rules,
            name,
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            changes: broadcast::Sender::new(WATCH_BACKLOG_MAX),
            writing: Mutex::new(ledger),
            examinations: Semaphore::new(conformance::EXAMINATIONS_MAX),
            exams: Semaphore::new(exam::EXAMS_MAX),
        })
    }

    /// The fleet of this moment. A request takes one and keeps it to its end.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.snapshot.borrow().clone()
    }

    /// The fleet of this moment and every change after it, without a gap.
    pub async fn watch(&self) -> (Arc<Snapshot>, broadcast::Receiver<Change>) {
        let _still = self.writing.lock().await;
        (self.snapshot(), self.changes.subscribe())
    }

    /// How far the registry log had grown for the fleet of this moment. A request takes that of its snapshot.
    pub fn registry_state(&self) -> LogState {
        self.snapshot.borrow().log()
    }

    /// What stands at `endpoint`, if it can be admitted.
    async fn look(&self, endpoint: &Endpoint) -> Result<Found, FleetError> {
        let found = look::look(endpoint, &self.dispatch, &self.embedder, &self.limits, &self.name).await?;
        let refusal = self.writing.lock().await.refusal(found.card.card());
        refusal.map_or(Ok(found), Err)
    }

    /// Looks at `endpoint`, examines what stands there, and changes nothing.
    pub async fn test(&self, endpoint: &Endpoint) -> Result<Tested, FleetError> {
        let found = self.look(endpoint).await?;
        self.examined(endpoint, found).await
    }

    /// Admits what stands at `endpoint`, if its card has the digest `shown`, and its exam does not refuse
    /// it or it is wanted `despite_exam`.
    pub async fn add(
        &self,
        endpoint: &Endpoint,
        shown: Digest,
        despite_exam: bool,
    ) -> Result<Arc<Registration>, FleetError> {
        let found = self.look(endpoint).await?;
        if found.card.digest() != shown {
            return Err(FleetError::Changed(endpoint.clone()));
        }
        // An exam takes seconds, which nobody needs to wait for in vain.
        if let Some(error) = self.no_room_for(&found.card.card().id) {
            return Err(error);
        }
        let Tested { registration, .. } = self.examined(endpoint, found).await?;
        let registration = Registration { despite_exam, ..registration };
        if let Some(error) = refusal(&registration) {
            return Err(error);
        }
        let mut ledger = self.writing.lock().await;
        let refusal = ledger.refusal(registration.card.card());
        if let Some(error) = self.no_room_for(registration.id()).or(refusal) {
            return Err(error);
        }
        let now = now_ms();
        let registration = Registration { registered_at_ms: now, updated_at_ms: now, ..registration };
        self.replace(&mut ledger, registration, Kind::Added, Vec::new()).await
    }

    /// Why `id` cannot be admitted, whoever it is.
    fn no_room_for(&self, id: &SpecialistId) -> Option<FleetError> {
        let snapshot = self.snapshot();
        if snapshot.get(id).is_some() {
            return Some(FleetError::Duplicate(id.clone()));
        }
        let full = snapshot.members().len() >= self.limits.specialists_max;
        full.then_some(FleetError::Full(self.limits.specialists_max))
    }

    /// Health by specialist, for metrics.
    pub fn health(&self) -> BTreeMap<SpecialistId, bool> {
        let snapshot = self.snapshot();
        snapshot.members().map(|member| (member.id().clone(), member.healthy)).collect()
    }
}

/// The fleet as `store` remembers it, in `space`; nothing is written.
pub async fn remembered(store: &Store, space: Arc<Space>) -> Result<Snapshot, FleetError> {
    rows::remembered(store, space, &Ledger::read(store).await?).await
}

/// Why its exam keeps it out of routing.
fn refusal(registration: &Registration) -> Option<FleetError> {
    let exam = registration.exam.as_ref().filter(|exam| exam.is_refused())?;
    let (id, foreign) = (registration.id().clone(), Foreign::of(exam));
    if registration.despite_exam {
        tracing::warn!(specialist = %id, %foreign, "in routing despite its exam, as an operator wants it");
        return None;
    }
    Some(FleetError::Foreign { id, foreign })
}
