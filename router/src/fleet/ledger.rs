//! The registry log, as the fleet's one writer knows it: how everybody stands by it, which keys count no
//! more, and the tree over its entries. What a change adds to it follows from where it stands and from the
//! registration after the change. This room writes nothing down.

use std::collections::{BTreeMap, HashSet};

use audit::{merkle::Tree, signed};
use prost::Message;
use proto::{
    Card, Digest, SpecialistId,
    wire::{RegistryChange, RegistryEntry, Signed},
};
use registry::{LogState, Registration, Snapshot};
use store::{LogEntry, Store};

use super::FleetError;
use crate::clock::now_ms;

/// An entry of the registry log that is not what was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("entry {0} of the registry log cannot be read: restore the router's database from a backup")]
pub struct Unreadable(u64);

/// All that the registry log says.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    tree: Tree,
    standing: BTreeMap<String, Standing>,
    revoked: HashSet<Vec<u8>>,
    policy: Vec<u8>,
}

/// How somebody stands by the log.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Standing {
    card_sha256: Vec<u8>,
    public_key: Vec<u8>,
    signature: Vec<u8>,
    enabled: bool,
    revoked: bool,
}

impl Ledger {
    /// The log that `store` holds.
    pub(super) async fn read(store: &Store) -> Result<Self, FleetError> {
        let mut ledger = Self::default();
        loop {
            let entries = store.registry_entries(ledger.size()).await?;
            if entries.is_empty() {
                return Ok(ledger);
            }
            for entry in &entries {
                ledger.take(entry)?;
            }
        }
    }

    /// How many entries it has.
    pub(super) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// How far it has grown.
    pub(super) fn state(&self) -> Result<LogState, Unreadable> {
        let root = self.tree.root().map_err(|_| Unreadable(self.size()))?;
        Ok(LogState { size: self.size(), root })
    }

    /// Whether `key` counts no more.
    pub(super) fn is_revoked(&self, key: &[u8; 32]) -> bool {
        self.revoked.contains(key.as_slice())
    }

    /// Why `card` cannot take part: its key counts no more.
    pub(super) fn refusal(&self, card: &Card) -> Option<FleetError> {
        let revoked = card.public_key.is_some_and(|key| self.is_revoked(&key));
        revoked.then(|| FleetError::Revoked(card.id.clone()))
    }

    /// What the log is to say once `id` stands as in `after`, or not at all; `successions` lead to its key
    /// where that is another one. Nothing where it says so already.
    pub(super) fn due(
        &self,
        id: &SpecialistId,
        after: Option<&Registration>,
        successions: Vec<Signed>,
    ) -> Vec<Vec<u8>> {
        let before = self.standing.get(id.as_str());
        let Some(next) = after.map(Standing::of) else {
            let removed = before.map(|before| before.entry(RegistryChange::Removed, id));
            return removed.iter().map(Message::encode_to_vec).collect();
        };
        let mut entries = Vec::new();
        match before {
            None => entries.push(next.entry(RegistryChange::Admitted, id)),
            Some(before) if before.card_sha256 == next.card_sha256 => {}
            Some(_) if successions.is_empty() => entries.push(next.entry(RegistryChange::Updated, id)),
            Some(_) => {
                entries.push(RegistryEntry { successions, ..next.entry(RegistryChange::Rotated, id) });
            }
        }
        let (enabled, revoked) = before.map_or((true, false), |before| {
            (before.enabled, before.revoked && before.card_sha256 == next.card_sha256)
        });
        let turned = match (next.revoked && !revoked, next.enabled == enabled, next.enabled) {
            (true, _, _) => Some(RegistryChange::Revoked),
            (false, true, _) => None,
            (false, false, true) => Some(RegistryChange::Enabled),
            (false, false, false) => Some(RegistryChange::Disabled),
        };
        entries.extend(turned.map(|turned| next.entry(turned, id)));
        entries.iter().map(Message::encode_to_vec).collect()
    }

    /// What the log is to say so that it fits `snapshot`: of those who were registered before there was a
    /// log, and of those who no longer take part since the router has another encoder.
    pub(super) fn due_for<'a>(&self, snapshot: &'a Snapshot) -> Vec<LogEntry<'a>> {
        let entries = snapshot.members().flat_map(|member| {
            let content = Some(member.card.bytes());
            let due = self.due(member.id(), Some(member), Vec::new());
            due.into_iter().map(move |entry| LogEntry { entry, content })
        });
        let gone = self.standing.keys().filter_map(|id| id.parse().ok());
        let gone = gone.filter(|id| snapshot.get(id).is_none());
        let gone = gone.flat_map(|id| self.due(&id, None, Vec::new()));
        entries.chain(gone.map(|entry| LogEntry { entry, content: None })).collect()
    }

    /// What the log is to say so that the router's policy is the one with the text of `sha256`.
    pub(super) fn due_policy(&self, sha256: Digest) -> Option<Vec<u8>> {
        let content_sha256 = sha256.as_bytes().to_vec();
        let change = RegistryChange::Policy.into();
        let entry = RegistryEntry { time_s: now_s(), change, content_sha256, ..Default::default() };
        (entry.content_sha256 != self.policy).then(|| entry.encode_to_vec())
    }

    /// Takes over the next entry, which is written down.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<(), Unreadable> {
        let unreadable = || Unreadable(self.size());
        let entry: RegistryEntry = signed::canonical(bytes).map_err(|_| unreadable())?;
        if entry.change() == RegistryChange::Unspecified {
            return Err(unreadable());
        }
        self.tree.push(bytes).map_err(|_| Unreadable(self.tree.size()))?;
        self.fold(entry);
        Ok(())
    }

    fn fold(&mut self, entry: RegistryEntry) {
        let change = entry.change();
        let RegistryEntry { specialist_id: id, content_sha256, public_key, signature, .. } = entry;
        let (enabled, revoked) = match change {
            RegistryChange::Policy => {
                self.policy = content_sha256;
                return;
            }
            RegistryChange::Removed => {
                self.standing.remove(&id);
                return;
            }
            RegistryChange::Updated | RegistryChange::Rotated => {
                (self.standing.get(&id).is_none_or(|before| before.enabled), false)
            }
            RegistryChange::Admitted | RegistryChange::Enabled | RegistryChange::Unspecified => (true, false),
            RegistryChange::Disabled => (false, self.standing.get(&id).is_some_and(|before| before.revoked)),
            RegistryChange::Revoked => {
                self.revoked.insert(public_key.clone());
                (false, true)
            }
        };
        let standing = Standing { card_sha256: content_sha256, public_key, signature, enabled, revoked };
        self.standing.insert(id, standing);
    }
}

impl Standing {
    fn of(registration: &Registration) -> Self {
        Self {
            card_sha256: registration.card.digest().as_bytes().to_vec(),
            public_key: registration.key().map(Vec::from).unwrap_or_default(),
            signature: registration.signature.map(Vec::from).unwrap_or_default(),
            enabled: registration.enabled,
            revoked: registration.key_revoked,
        }
    }

    fn entry(&self, change: RegistryChange, id: &SpecialistId) -> RegistryEntry {
        RegistryEntry {
            time_s: now_s(),
            change: change.into(),
            specialist_id: id.to_string(),
            content_sha256: self.card_sha256.clone(),
            public_key: self.public_key.clone(),
            signature: self.signature.clone(),
            successions: Vec::new(),
        }
    }
}

fn now_s() -> u64 {
    now_ms() / 1_000
}

#[cfg(test)]
mod tests;
