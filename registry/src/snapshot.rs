//! The fleet as one request sees it: immutable, replaced whole.

use std::{
    collections::BTreeMap,
    sync::{Arc, OnceLock},
};

use index::{Hit, Index, IndexError};
use proto::{Digest, Embedding, Space, SpecialistId};

use crate::Registration;

/// Why a snapshot cannot be searched or made.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The vectors cannot be compared.
    #[error("the vector lies in the space of {found}, the fleet's prototypes in that of {expected}")]
    OtherSpace {
        /// Encoder of the vector.
        found: String,
        /// Encoder of the fleet.
        expected: String,
    },
    /// The index refused.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// The place of one set of prototypes in the index. A registration gets a new one whenever its
/// prototypes or its part in routing change, so equal slots mean equal prototypes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot(u32);

/// One prototype of the fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrototypeKey {
    /// Whose.
    pub slot: Slot,
    /// Which of them.
    pub ordinal: u32,
}

/// How far the registry log, which holds every change of the fleet, had grown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogState {
    /// How many entries.
    pub size: u64,
    /// Root of the Merkle tree over them (RFC 9162).
    pub root: Digest,
}

/// The registered specialists and the index over the prototypes of the enabled ones.
#[derive(Debug, Clone)]
pub struct Snapshot {
    version: u64,
    space: Arc<Space>,
    members: BTreeMap<SpecialistId, (Slot, Arc<Registration>)>,
    slots: BTreeMap<Slot, Arc<Registration>>,
    /// Of the prototypes of every member, once somebody asked.
    digests: BTreeMap<Slot, Arc<OnceLock<Digest>>>,
    slot_next: u32,
    index: Index<PrototypeKey>,
    log: LogState,
}

impl Snapshot {
    /// Nobody yet, in `space`, with nothing in the log.
    pub fn empty(space: Arc<Space>) -> Result<Self, SnapshotError> {
        let index = Index::build(space.dimension, Vec::new())?;
        Ok(Self {
            version: 0,
            space,
            members: BTreeMap::new(),
            slots: BTreeMap::new(),
            digests: BTreeMap::new(),
            slot_next: 0,
            index,
            log: LogState { size: 0, root: Digest::of("") },
        })
    }

    /// Grows by one with every change.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// The state of the registry log that this fleet follows from.
    pub fn log(&self) -> LogState {
        self.log
    }

    /// The same fleet, as it follows from the registry log at `log`.
    #[must_use]
    pub fn at(self, log: LogState) -> Self {
        Self { log, ..self }
    }

    /// The space that questions must be in.
    pub fn space(&self) -> &Arc<Space> {
        &self.space
    }

    /// All registrations, by id.
    pub fn members(&self) -> impl ExactSizeIterator<Item = &Arc<Registration>> {
        self.members.values().map(|(_, registration)| registration)
    }

    /// All registrations with their slots, by id. A disabled one's slot holds nothing.
    pub fn placed(&self) -> impl ExactSizeIterator<Item = (Slot, &Arc<Registration>)> {
        self.members.values().map(|(slot, registration)| (*slot, registration))
    }

    /// All registrations with the digests of their prototypes, by slot: a snapshot to which they are added
    /// in this order decides alike. What nobody asked for before is computed, about a millisecond each.
    pub fn digests(&self) -> impl Iterator<Item = (&Arc<Registration>, Digest)> {
        let mut placed: Vec<_> = self.placed().collect();
        placed.sort_by_key(|(slot, _)| *slot);
        placed.into_iter().map(|(slot, registration)| {
            let compute = || registration.prototypes.digest();
            (registration, self.digests.get(&slot).map_or_else(compute, |known| *known.get_or_init(compute)))
        })
    }

    /// The registration of `id`.
    pub fn get(&self, id: &SpecialistId) -> Option<&Arc<Registration>> {
        self.members.get(id).map(|(_, registration)| registration)
    }

    /// Whose prototypes stand in `slot`.
    pub fn owner(&self, slot: Slot) -> Option<&Arc<Registration>> {
        self.slots.get(&slot)
    }

    /// The `k` prototypes nearest to `question`, best first, of enabled specialists.
    pub fn nearest(&self, question: &Embedding, k: usize) -> Result<Vec<Hit<PrototypeKey>>, SnapshotError> {
        self.same_space(&question.space)?;
        Ok(self.index.search(&question.vector, k)?)
    }

    /// The fleet with `registration` in the place of the one with its id, if there is one.
    pub fn with(&self, registration: Arc<Registration>) -> Result<Self, SnapshotError> {
        self.same_space(&registration.prototypes.space)?;
        let mut next = self.clone();
        next.version += 1;
        let id = registration.id().clone();
        let kept = self.members.get(&id).filter(|(_, old)| {
            Arc::ptr_eq(&old.prototypes, &registration.prototypes) && old.enabled == registration.enabled
        });
        let slot = kept.map_or(Slot(self.slot_next), |(slot, _)| *slot);
        if kept.is_none() {
            next.slot_next += 1;
        }
        let digest = self.digests.get(&slot).cloned().unwrap_or_default();
        next.forget(&id);
        next.digests.insert(slot, digest);
        if registration.enabled {
            next.slots.insert(slot, registration.clone());
        }
        next.members.insert(id, (slot, registration));
        next.index = next.reindexed(self, &self.index)?;
        Ok(next)
    }

    /// The fleet without `id`.
    pub fn without(&self, id: &SpecialistId) -> Result<Self, SnapshotError> {
        let mut next = self.clone();
        next.version += 1;
        next.forget(id);
        next.index = next.reindexed(self, &self.index)?;
        Ok(next)
    }

    /// Whether a background rebuild of the index would pay.
    pub fn is_worn(&self) -> bool {
        self.index.is_worn()
    }

    /// The same fleet over a fresh index. Costs a build.
    pub fn rebuilt(&self) -> Result<Self, SnapshotError> {
        Ok(Self { index: self.index.rebuilt()?, ..self.clone() })
    }

    /// This fleet over the index of `rebuilt`, which was made from an earlier snapshot.
    pub fn over(&self, rebuilt: &Self) -> Result<Self, SnapshotError> {
        Ok(Self { index: self.reindexed(rebuilt, &rebuilt.index)?, ..self.clone() })
    }

    fn forget(&mut self, id: &SpecialistId) {
        if let Some((slot, _)) = self.members.remove(id) {
            self.slots.remove(&slot);
            self.digests.remove(&slot);
        }
    }

    /// `index`, which stands for the slots of `from`, brought to the slots of this snapshot.
    fn reindexed(
        &self,
        from: &Self,
        index: &Index<PrototypeKey>,
    ) -> Result<Index<PrototypeKey>, SnapshotError> {
        let keys = |(slot, registration): (&Slot, &Arc<Registration>)| {
            let slot = *slot;
            (0..registration.prototypes.points.len())
                .filter_map(move |ordinal| Some(PrototypeKey { slot, ordinal: u32::try_from(ordinal).ok()? }))
        };
        let gone = from.slots.iter().filter(|(slot, _)| !self.slots.contains_key(slot));
        let removed: Vec<_> = gone.flat_map(keys).collect();
        let new = self.slots.iter().filter(|(slot, _)| !from.slots.contains_key(slot));
        let added = new.flat_map(|(slot, registration)| {
            let vectors = registration.prototypes.points.iter().map(|point| point.vector.clone());
            keys((slot, registration)).zip(vectors)
        });
        let added: Vec<_> = added.collect();
        if removed.is_empty() && added.is_empty() {
            return Ok(index.clone());
        }
        Ok(index.with_changes(&removed, added)?)
    }

    fn same_space(&self, space: &Space) -> Result<(), SnapshotError> {
        if *space == *self.space {
            return Ok(());
        }
        Err(SnapshotError::OtherSpace { found: space.encoder.clone(), expected: self.space.encoder.clone() })
    }
}

#[cfg(test)]
mod tests;
