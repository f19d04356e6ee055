//! Looking after the fleet: who serves, whose revision is new, whether the index is worn.

use std::{
    collections::HashSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use proto::{Endpoint, PublishedCard, SpecialistId, wire::Signed};
use registry::{Registration, Snapshot};
use serve::Tasks;

use super::{
    Change, Fleet, FleetError, Foreign, Kind, Tested, keys,
    keys::Shown,
    look::{Found, glance},
};
use crate::clock::now_ms;

/// How many specialists are looked at at once.
const LOOKS_MAX: usize = 16;

/// Looks at every specialist in turn until the process stops.
pub async fn refresh(fleet: Arc<Fleet>, tasks: Tasks) {
    let mut stopping = std::pin::pin!(tasks.stopping());
    let mut tick = tokio::time::interval(Duration::from_millis(fleet.limits.refresh_ms));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let complaints = Complaints::default();
    loop {
        tokio::select! {
            () = &mut stopping => return,
            _ = tick.tick() => {}
        }
        let snapshot = fleet.snapshot();
        let endpoints: Vec<&Endpoint> = snapshot.members().map(|member| &member.endpoint).collect();
        fleet.dispatch.keep_only(&endpoints);
        complaints.keep_only(&snapshot);
        let looks = stream::iter(snapshot.members().cloned())
            .for_each_concurrent(LOOKS_MAX, |member| fleet.refresh_one(member, &complaints));
        tokio::select! {
            () = &mut stopping => return,
            () = looks => {}
        }
        if let Err(error) = fleet.rebuild_if_worn().await {
            tracing::error!(%error, "the index was not rebuilt");
        }
    }
}

/// Whose new card was not taken: said once, however often it is looked at.
#[derive(Default)]
struct Complaints(Mutex<HashSet<SpecialistId>>);

impl Complaints {
    fn keep_only(&self, snapshot: &Snapshot) {
        self.ids().retain(|id| snapshot.get(id).is_some());
    }

    fn note(&self, id: &SpecialistId, refreshed: Result<(), FleetError>) {
        match refreshed {
            Ok(()) => drop(self.ids().remove(id)),
            Err(error) if self.ids().insert(id.clone()) => {
                tracing::warn!(specialist = %id, %error, "its new card was not taken; the old one stands");
            }
            Err(_) => {}
        }
    }

    fn ids(&self) -> std::sync::MutexGuard<'_, HashSet<SpecialistId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Fleet {
    async fn refresh_one(&self, member: Arc<Registration>, complaints: &Complaints) {
        let id = member.id().clone();
        let limit = Duration::from_millis(self.limits.look_ms);
        let refreshed = match tokio::time::timeout(limit, glance(&member.endpoint, &self.dispatch)).await {
            Ok(Ok(shown)) => self.seen(&member, &shown).await,
            Ok(Err(error)) => {
                tracing::debug!(specialist = %id, %error, "not serving");
                self.set_health(&id, false).await
            }
            Err(_) => self.set_health(&id, false).await,
        };
        complaints.note(&id, refreshed);
    }

    /// What a glance at `member` saw.
    async fn seen(&self, member: &Registration, shown: &Shown) -> Result<(), FleetError> {
        if shown.card.digest() == member.card.digest() {
            return self.set_health(member.id(), true).await;
        }
        match self.followed(member, &shown.card, &shown.successions).await {
            Some(_) => self.update(member).await,
            None => self.shut_out(member).await,
        }
    }

    /// What leads from the key of `member` to that of `card`, as in [`keys::follows`].
    async fn followed(
        &self,
        member: &Registration,
        card: &PublishedCard,
        successions: &[Signed],
    ) -> Option<Vec<Signed>> {
        let ledger = self.writing.lock().await;
        keys::follows(member.card.card(), card.card(), successions, |key| ledger.is_revoked(key))
    }

    /// Nobody admitted who stands at the endpoint of `member` now, and its words must not go out under this
    /// name.
    async fn shut_out(&self, member: &Registration) -> Result<(), FleetError> {
        if member.enabled {
            tracing::error!(
                specialist = %member.id(),
                "another one stands at its endpoint, or one with a key that its own did not appoint: it is disabled"
            );
        }
        self.enable(member.id(), false).await.map(drop)
    }

    /// Takes over the new card and prototypes of `member`, once they are examined. What the exam refuses
    /// is kept, so that it is not examined again, but taken out of routing.
    async fn update(&self, member: &Registration) -> Result<(), FleetError> {
        let endpoint = &member.endpoint;
        let found = self.look(endpoint).await?;
        let Found { card, successions, .. } = &found;
        let Some(successions) = self.followed(member, card, successions).await else {
            return self.shut_out(member).await;
        };
        let Tested { registration: new, .. } = self.examined(endpoint, found).await?;
        let mut ledger = self.writing.lock().await;
        let snapshot = self.snapshot();
        let unchanged =
            |current: &&Arc<Registration>| current.endpoint == *endpoint && current.key() == member.key();
        let Some(current) = snapshot.get(member.id()).filter(unchanged) else {
            return Ok(());
        };
        // Either may have been revoked while it was examined.
        let refusal = |registration: &Registration| ledger.refusal(registration.card.card());
        if let Some(error) = refusal(current).or_else(|| refusal(&new)) {
            return Err(error);
        }
        let rotated = !successions.is_empty();
        let new = Registration {
            registered_at_ms: current.registered_at_ms,
            updated_at_ms: now_ms(),
            despite_exam: current.despite_exam,
            enabled: current.enabled,
            ..new
        };
        if !(current.enabled && new.is_refused()) {
            let kind = if rotated { Kind::Rotated } else { Kind::Updated };
            return self.replace(&mut ledger, new, kind, successions).await.map(drop);
        }
        if let Some(exam) = &new.exam {
            let foreign = Foreign::of(exam);
            tracing::warn!(specialist = %new.id(), %foreign, "its new revision is refused: it is disabled");
        }
        let new = Registration { enabled: false, ..new };
        self.replace(&mut ledger, new, Kind::Disabled, successions).await.map(drop)
    }

    /// Health is seen, not stored: the next start looks again.
    async fn set_health(&self, id: &SpecialistId, healthy: bool) -> Result<(), FleetError> {
        let mut ledger = self.writing.lock().await;
        let snapshot = self.snapshot();
        let Some(current) = snapshot.get(id).filter(|current| current.healthy != healthy) else {
            return Ok(());
        };
        let registration = Arc::new(Registration { healthy, ..Registration::clone(current) });
        let next = snapshot.with(registration.clone())?;
        Ok(self.publish(&mut ledger, &[], next, Change { kind: Kind::Health, registration })?)
    }

    async fn rebuild_if_worn(&self) -> Result<(), FleetError> {
        let worn = self.snapshot();
        if !worn.is_worn() {
            return Ok(());
        }
        let built = tokio::task::spawn_blocking(move || worn.rebuilt()).await;
        let rebuilt: Snapshot = match built {
            Ok(rebuilt) => rebuilt?,
            // The runtime stops, or the build panicked; the worn index still answers.
            Err(_) => return Ok(()),
        };
        let _one_at_a_time = self.writing.lock().await;
        let next = self.snapshot().over(&rebuilt)?;
        self.snapshot.send_replace(Arc::new(next));
        Ok(())
    }
}
