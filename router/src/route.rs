//! Whom to ask. Pure: the same snapshot, question, evidence and numbers give the same decision.
//!
//! [`Case::survey`] says how near the prototypes are, [`Case::probes`] whose index is to be probed before the
//! decision, and [`Case::decide`] decides.

mod background;
mod calibration;
mod decide;
mod doubt;
pub mod gate;
mod language;
mod policy;
mod score;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use index::Hit;
use proto::{AskOptions, Embedding, Evidence, SpecialistId};
use registry::{PrototypeKey, Slot, Snapshot, SnapshotError};

pub use background::Background;
pub use calibration::{
    ByEvidence, ByPrototypes, Calibration, FilledIn, Fitted, Line, OFFSET_MAX, Seen, Strength,
};
pub use decide::{Candidate, Decision, Probed, Status, Verdict};
pub use doubt::doubtful;
pub use gate::{History, HistoryReason};
pub use language::{Foreign, Language, UnknownLanguage, foreign};
pub use policy::Policy;
pub use score::{Scores, log_sum_exp, score};

/// All that routing follows, from one start of the router to the next.
#[derive(Debug)]
pub struct Rules {
    /// What the operator decided.
    pub policy: Policy,
    /// What was fitted; decisions keep it.
    pub calibration: Arc<Calibration>,
    /// Questions that belong to nobody.
    pub background: Background,
}

impl Rules {
    /// The case of somebody who wants what `options` say of the fleet in `snapshot`, of which `ejected` failed
    /// too often lately.
    pub fn case<'a>(
        &'a self,
        options: &'a AskOptions,
        snapshot: &'a Snapshot,
        ejected: &'a BTreeSet<SpecialistId>,
    ) -> Case<'a> {
        Case { policy: &self.policy, calibration: &self.calibration, options, snapshot, ejected }
    }
}

/// All that a decision depends on but the question.
#[derive(Debug, Clone, Copy)]
pub struct Case<'a> {
    /// What the operator decided.
    pub policy: &'a Policy,
    /// What was fitted.
    pub calibration: &'a Calibration,
    /// What the asker wants.
    pub options: &'a AskOptions,
    /// Who is there.
    pub snapshot: &'a Snapshot,
    /// Who failed too often lately.
    pub ejected: &'a BTreeSet<SpecialistId>,
}

/// What the prototypes say of a question.
#[derive(Debug, Clone)]
pub struct Survey {
    /// Of those who own one of the nearest prototypes.
    pub scores: Scores,
    /// Of the question itself.
    pub seen: Seen,
}

/// What those showed who were probed; `None` for whoever did not answer.
pub type Shown = BTreeMap<Slot, Option<Evidence>>;

impl Case<'_> {
    /// The prototypes nearest to `question`, best first, of the specialists that the asker allows and that
    /// do not stand back: at most `policy.hits_max`.
    pub fn nearest(&self, question: &Embedding) -> Result<Vec<Hit<PrototypeKey>>, SnapshotError> {
        let counts = |id| self.allows(id) && !self.stands_back(id);
        let hits_max = self.policy.hits_max;
        let left_out = self.snapshot.members().filter(|member| !counts(member.id()));
        // Whoever is left out must not crowd the others out of the list.
        let crowd: usize = left_out.map(|member| member.prototypes.points.len()).sum();
        let mut hits = self.snapshot.nearest(question, hits_max.saturating_add(crowd))?;
        if crowd > 0 {
            let stays = |hit: &Hit<PrototypeKey>| {
                self.snapshot.owner(hit.key.slot).is_some_and(|owner| counts(owner.id()))
            };
            hits.retain(stays);
            hits.truncate(hits_max);
        }
        Ok(hits)
    }

    /// What `hits`, from [`Case::nearest`], say of a question of so many `terms`.
    pub fn survey(
        &self,
        question: &Embedding,
        terms: usize,
        hits: &[Hit<PrototypeKey>],
        background: &Background,
    ) -> Survey {
        let temperature = self.calibration.temperature;
        let background = background.score(&question.vector, temperature);
        Survey { scores: score(hits, temperature), seen: Seen { background, terms } }
    }

    /// Whose index is to be probed, best first. Nobody is who asks for a consent that is missing, and nobody
    /// where the asker has chosen.
    pub fn probes(&self, survey: &Survey) -> Vec<Slot> {
        if self.pinned() {
            return Vec::new();
        }
        let mut scores: Vec<(Slot, f32)> =
            survey.scores.iter().map(|(slot, score)| (*slot, *score)).collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut slots = doubtful(self.policy, self.calibration, survey.seen, &scores);
        slots.retain(|slot| self.snapshot.owner(*slot).is_some_and(|owner| self.may_probe(owner)));
        slots
    }

    /// Whether the asker named one specialist, which is then asked whatever its score.
    fn pinned(&self) -> bool {
        self.options.only.len() == 1
    }

    /// Whether the asker's wishes leave `id` in.
    fn allows(&self, id: &SpecialistId) -> bool {
        let AskOptions { only, exclude, .. } = self.options;
        (only.is_empty() || only.contains(id)) && !exclude.contains(id)
    }

    /// Whether `id` is the general specialist, which has no score. Who pins it asks it like any other.
    fn stands_back(&self, id: &SpecialistId) -> bool {
        self.policy.general.as_ref() == Some(id) && !self.pinned()
    }
}
