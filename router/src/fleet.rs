//! The fleet's one writer: it persists a change, then replaces the snapshot, then announces it.

mod conformance;
mod exam;
mod look;
mod refresh;

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use embedding::Embedder;
use prost::Message;
use proto::{Digest, Endpoint, Prototypes, PublishedCard, SpecialistId, wire};
use registry::{Exam, PrototypeOrigin, Registration, Snapshot, SnapshotError};
use serde::Deserialize;
use store::{RegistrationRow, Store, StoreError};
use tokio::sync::{Mutex, Semaphore, broadcast, watch};

pub use conformance::{Examined, Finding, Verdict};
pub use exam::{Foreign, Tested};
pub use look::{Found, LookError, look};
pub use refresh::refresh;

use crate::{dispatch::Dispatch, route::Rules};

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
    /// The exam broke off.
    #[error("the exam broke off, because the router is stopping: try again")]
    Unexamined,
    /// The endpoint cannot be admitted.
    #[error(transparent)]
    Look(#[from] LookError),
    /// It could not be written down.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It does not fit the snapshot.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
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
    snapshot: watch::Sender<Arc<Snapshot>>,
    changes: broadcast::Sender<Change>,
    /// Held from reading the snapshot that a change starts from until its successor stands.
    writing: Mutex<()>,
    /// Room for examinations: each may hold a long answer, and takes minutes.
    examinations: Semaphore,
    /// Room for exams: each takes a core for its routing, and holds one answer at a time.
    exams: Semaphore,
}

impl Fleet {
    /// The fleet as the database remembers it; nobody is dialled. A registration whose prototypes
    /// lie in another space than `embedder`'s is kept, but left out until it is added again.
    /// `policy` and `background` are those of every question, for exams.
    pub async fn open(
        store: Store,
        embedder: Embedder,
        dispatch: Arc<Dispatch>,
        limits: Limits,
        rules: Arc<Rules>,
    ) -> Result<Self, FleetError> {
        let mut snapshot = Snapshot::empty(embedder.space().clone())?;
        for row in store.registrations().await? {
            let id = row.specialist_id.clone();
            let registration =
                read(row).map_err(|invalid| FleetError::Corrupt { id: id.clone(), invalid })?;
            match snapshot.with(Arc::new(registration)) {
                Ok(next) => snapshot = next,
                Err(error @ SnapshotError::OtherSpace { .. }) => {
                    tracing::warn!(specialist = id, %error, "left out: add it again for this encoder");
                }
                Err(error) => return Err(error.into()),
            }
        }
        Ok(Self {
            store,
            embedder,
            dispatch,
            limits,
            rules,
            snapshot: watch::Sender::new(Arc::new(snapshot)),
            changes: broadcast::Sender::new(WATCH_BACKLOG_MAX),
            writing: Mutex::default(),
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

    /// Looks at `endpoint`, examines what stands there, and changes nothing.
    pub async fn test(&self, endpoint: &Endpoint) -> Result<Tested, FleetError> {
        let found = look(endpoint, &self.dispatch, &self.embedder, &self.limits).await?;
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
        let found = look(endpoint, &self.dispatch, &self.embedder, &self.limits).await?;
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
        let _one_at_a_time = self.writing.lock().await;
        if let Some(error) = self.no_room_for(registration.id()) {
            return Err(error);
        }
        let now = now_ms();
        let registration = Registration { registered_at_ms: now, updated_at_ms: now, ..registration };
        self.replace(registration, Kind::Added).await
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

    /// Puts `id` into routing, if its exam does not refuse it, or takes it out.
    pub async fn enable(&self, id: &SpecialistId, enabled: bool) -> Result<Arc<Registration>, FleetError> {
        let _one_at_a_time = self.writing.lock().await;
        let snapshot = self.snapshot();
        let current = snapshot.get(id).ok_or_else(|| FleetError::Unknown(id.clone()))?;
        if current.enabled == enabled {
            return Ok(current.clone());
        }
        if enabled && let Some(error) = refusal(current) {
            return Err(error);
        }
        let registration = Registration { enabled, updated_at_ms: now_ms(), ..Registration::clone(current) };
        let kind = if enabled { Kind::Enabled } else { Kind::Disabled };
        self.replace(registration, kind).await
    }

    /// Forgets `id`.
    pub async fn remove(&self, id: &SpecialistId) -> Result<(), FleetError> {
        let _one_at_a_time = self.writing.lock().await;
        let snapshot = self.snapshot();
        let registration = snapshot.get(id).ok_or_else(|| FleetError::Unknown(id.clone()))?.clone();
        let next = snapshot.without(id)?;
        self.store.remove_registration(id.as_str()).await?;
        self.publish(next, Change { kind: Kind::Removed, registration });
        Ok(())
    }

    /// Writes down, swaps, announces; only with `writing` held.
    async fn replace(&self, registration: Registration, kind: Kind) -> Result<Arc<Registration>, FleetError> {
        let registration = Arc::new(registration);
        let next = self.snapshot().with(registration.clone())?;
        self.store.put_registration(&row(&registration)).await?;
        self.publish(next, Change { kind, registration: registration.clone() });
        Ok(registration)
    }

    fn publish(&self, next: Snapshot, change: Change) {
        tracing::info!(specialist = %change.registration.id(), change = ?change.kind, "fleet");
        self.snapshot.send_replace(Arc::new(next));
        // Nobody watches: nothing to announce.
        let _ = self.changes.send(change);
    }

    /// Health by specialist, for metrics.
    pub fn health(&self) -> BTreeMap<SpecialistId, bool> {
        let snapshot = self.snapshot();
        snapshot.members().map(|member| (member.id().clone(), member.healthy)).collect()
    }
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

/// Milliseconds since 1970-01-01 UTC.
fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

fn row(registration: &Registration) -> RegistrationRow {
    let at = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    RegistrationRow {
        specialist_id: registration.id().to_string(),
        endpoint: registration.endpoint.to_string(),
        enabled: registration.enabled,
        card: registration.card.bytes().to_vec(),
        prototype_origin: match registration.origin {
            PrototypeOrigin::Specialist => "specialist".to_owned(),
            PrototypeOrigin::Router => "router".to_owned(),
        },
        prototypes: wire::PrototypesResponse::from(&*registration.prototypes).encode_to_vec(),
        registered_at_ms: at(registration.registered_at_ms),
        updated_at_ms: at(registration.updated_at_ms),
        exam: registration.exam.as_ref().map(|exam| wire::Exam::from(&**exam).encode_to_vec()),
        despite_exam: registration.despite_exam,
    }
}

fn read(row: RegistrationRow) -> Result<Registration, proto::Invalid> {
    let at = |ms: i64| u64::try_from(ms).unwrap_or_default();
    let prototypes = wire::PrototypesResponse::decode(row.prototypes.as_slice())
        .map_err(|_| proto::Invalid::malformed("prototypes", "cannot be decoded"))?;
    let exam = |bytes: Vec<u8>| {
        let exam = wire::Exam::decode(bytes.as_slice())
            .map_err(|_| proto::Invalid::malformed("exam", "cannot be decoded"))?;
        Exam::try_from(exam).map(Arc::new)
    };
    Ok(Registration {
        endpoint: Endpoint::parse("endpoint", &row.endpoint)?,
        card: Arc::new(PublishedCard::read(row.card)?),
        prototypes: Arc::new(Prototypes::try_from(prototypes)?),
        origin: match row.prototype_origin.as_str() {
            "router" => PrototypeOrigin::Router,
            _ => PrototypeOrigin::Specialist,
        },
        enabled: row.enabled,
        // Taken to serve until the first look says otherwise, so that a restart costs no question.
        healthy: true,
        registered_at_ms: at(row.registered_at_ms),
        updated_at_ms: at(row.updated_at_ms),
        exam: row.exam.map(exam).transpose()?,
        despite_exam: row.despite_exam,
    })
}
