//! Changes of the fleet: each is written down, together with its entries of the registry log, then seen,
//! then announced.

use std::sync::Arc;

use proto::{Digest, SpecialistId, wire::Signed};
use registry::{Registration, Snapshot};
use store::LogEntry;

use super::{
    Change, Fleet, FleetError, Kind,
    ledger::{Ledger, Unreadable},
    refusal,
    rows::row,
};
use crate::clock::now_ms;

impl Fleet {
    /// Puts `id` into routing, if neither its exam nor its key refuses it, or takes it out.
    pub async fn enable(&self, id: &SpecialistId, enabled: bool) -> Result<Arc<Registration>, FleetError> {
        let mut ledger = self.writing.lock().await;
        let snapshot = self.snapshot();
        let current = snapshot.get(id).ok_or_else(|| FleetError::Unknown(id.clone()))?;
        if current.enabled == enabled {
            return Ok(current.clone());
        }
        if enabled && let Some(error) = ledger.refusal(current.card.card()).or_else(|| refusal(current)) {
            return Err(error);
        }
        let registration = Registration { enabled, updated_at_ms: now_ms(), ..Registration::clone(current) };
        let kind = if enabled { Kind::Enabled } else { Kind::Disabled };
        self.replace(&mut ledger, registration, kind, Vec::new()).await
    }

    /// Lets the key of `id` count no more, for good, and takes out of routing whoever has it.
    pub async fn revoke(&self, id: &SpecialistId) -> Result<Arc<Registration>, FleetError> {
        let mut ledger = self.writing.lock().await;
        let snapshot = self.snapshot();
        let current = snapshot.get(id).ok_or_else(|| FleetError::Unknown(id.clone()))?;
        let key = current.key().ok_or_else(|| FleetError::Keyless(id.clone()))?;
        let mut revoked = current.clone();
        let holders = snapshot.members().filter(|member| member.key() == Some(key) && !member.key_revoked);
        for holder in holders {
            let registration = Registration {
                enabled: false,
                key_revoked: true,
                updated_at_ms: now_ms(),
                ..Registration::clone(holder)
            };
            let done = self.replace(&mut ledger, registration, Kind::Revoked, Vec::new()).await?;
            if done.id() == id {
                revoked = done;
            }
        }
        Ok(revoked)
    }

    /// Forgets `id`.
    pub async fn remove(&self, id: &SpecialistId) -> Result<(), FleetError> {
        let mut ledger = self.writing.lock().await;
        let snapshot = self.snapshot();
        let registration = snapshot.get(id).ok_or_else(|| FleetError::Unknown(id.clone()))?.clone();
        let next = snapshot.without(id)?;
        let entries = logged(ledger.due(id, None, Vec::new()), None);
        self.store.remove_registration(id.as_str(), ledger.size(), &entries).await?;
        Ok(self.publish(&mut ledger, &entries, next, Change { kind: Kind::Removed, registration })?)
    }

    /// Whether the policy with this text is the one that stands in the registry log.
    pub async fn lists_policy(&self, text: &[u8]) -> bool {
        self.writing.lock().await.due_policy(Digest::of(text)).is_none()
    }

    /// Writes the router's policy into the registry log, unless it is the one that stands there; its digest.
    pub async fn adopt_policy(&self, text: &[u8]) -> Result<Digest, FleetError> {
        let mut ledger = self.writing.lock().await;
        let sha256 = Digest::of(text);
        let entries = logged(ledger.due_policy(sha256).into_iter().collect(), Some(text));
        if !entries.is_empty() {
            self.store.append_entries(ledger.size(), &entries).await?;
            self.see(&mut ledger, &entries, Snapshot::clone(&self.snapshot()))?;
        }
        Ok(sha256)
    }

    /// Puts `registration` in the place of the one with its id; `successions` lead to its key where that is
    /// another one.
    pub(super) async fn replace(
        &self,
        ledger: &mut Ledger,
        registration: Registration,
        kind: Kind,
        successions: Vec<Signed>,
    ) -> Result<Arc<Registration>, FleetError> {
        let registration = Arc::new(registration);
        let next = self.snapshot().with(registration.clone())?;
        let due = ledger.due(registration.id(), Some(&registration), successions);
        let entries = logged(due, Some(registration.card.bytes()));
        self.store.put_registration(&row(&registration), ledger.size(), &entries).await?;
        self.publish(ledger, &entries, next, Change { kind, registration: registration.clone() })?;
        Ok(registration)
    }

    /// Lets `next` be seen, with the `entries` that led to it, and announces it.
    pub(super) fn publish(
        &self,
        ledger: &mut Ledger,
        entries: &[LogEntry<'_>],
        next: Snapshot,
        change: Change,
    ) -> Result<(), Unreadable> {
        self.see(ledger, entries, next)?;
        tracing::info!(specialist = %change.registration.id(), change = ?change.kind, "fleet");
        // Nobody watches: nothing to announce.
        let _ = self.changes.send(change);
        Ok(())
    }

    /// Snapshot and log are replaced together, so that a question sees the one that the other led to.
    fn see(&self, ledger: &mut Ledger, entries: &[LogEntry<'_>], next: Snapshot) -> Result<(), Unreadable> {
        for LogEntry { entry, .. } in entries {
            ledger.take(entry)?;
        }
        self.snapshot.send_replace(Arc::new(next.at(ledger.state()?)));
        Ok(())
    }
}

/// `entries`, all about `content`.
fn logged(entries: Vec<Vec<u8>>, content: Option<&[u8]>) -> Vec<LogEntry<'_>> {
    entries.into_iter().map(|entry| LogEntry { entry, content }).collect()
}
