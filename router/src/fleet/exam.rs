//! The admission exam: what a newcomer would do to the routing of those that stand, and how it answers.
//!
//! `routing` is pure, `answers` asks. Nothing is admitted or refused here: whoever has an exam made
//! judges by it.

mod answers;
mod routing;
#[cfg(test)]
mod tests;

use std::{fmt, sync::Arc, time::Duration};

use proto::{Endpoint, SpecialistId};
use registry::{Exam, Registration, Snapshot, exam::Share};

use self::routing::Titles;
use super::{Fleet, FleetError, Found, LookError};
use crate::clock::now_ms;

/// How many newcomers are examined at a time; others wait for their turn.
pub(super) const EXAMS_MAX: usize = 4;

/// How many titles of standing specialists are tried: embedding more would take long.
const TITLES_MAX: usize = 512;

/// How many of those that would lose questions are named.
const NAMED_MAX: usize = 3;

/// What stands at an endpoint, as it would be admitted.
#[derive(Debug)]
pub struct Tested {
    /// It, with its exam.
    pub registration: Registration,
    /// What the look took.
    pub took: Duration,
}

/// What a refused specialist would take, and of whom: for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Foreign {
    questions: Share,
    prototypes: Share,
    /// Those that would lose most, and how many of both.
    of: Vec<(SpecialistId, usize)>,
}

impl Foreign {
    pub(super) fn of(exam: &Exam) -> Self {
        let losing = exam.overlaps.iter().filter(|overlap| !overlap.neighbour && overlap.taken > 0);
        Self {
            questions: exam.unrelated.questions,
            prototypes: exam.unrelated.prototypes,
            of: losing.take(NAMED_MAX).map(|overlap| (overlap.id.clone(), overlap.taken)).collect(),
        }
    }
}

impl fmt::Display for Foreign {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { questions, prototypes, of } = self;
        let of: Vec<String> = of.iter().map(|(id, taken)| format!("{taken} of {id}")).collect();
        write!(
            f,
            "{} of {} questions and titles and {} of {} prototypes, {}",
            questions.taken,
            questions.asked,
            prototypes.taken,
            prototypes.asked,
            of.join(", ")
        )
    }
}

impl Fleet {
    /// What `found` at `endpoint` would be once it is admitted, with the exam of its routing; it is asked
    /// nothing.
    pub(super) async fn routed(&self, endpoint: &Endpoint, found: Found) -> Result<Tested, FleetError> {
        let Found { card, signature, successions: _, prototypes, origin, took } = found;
        let now = now_ms();
        let registration = Registration {
            endpoint: endpoint.clone(),
            card: Arc::new(card),
            prototypes: Arc::new(prototypes),
            origin,
            enabled: true,
            healthy: true,
            registered_at_ms: now,
            updated_at_ms: now,
            exam: None,
            despite_exam: false,
            signature,
            key_revoked: false,
        };
        let (rules, snapshot, newcomer) = (self.rules.clone(), self.snapshot(), registration.clone());
        let titles = self.titles(&snapshot).await?;
        let tried = move || routing::examine(&rules, &snapshot, &titles, &newcomer);
        let exam = match tokio::task::spawn_blocking(tried).await {
            Ok(exam) => Exam { examined_at_ms: now, ..exam? },
            Err(_) => return Err(FleetError::Unexamined),
        };
        Ok(Tested { registration: Registration { exam: Some(Arc::new(exam)), ..registration }, took })
    }

    /// Where the titles of those that stand lie; of the largest fleets only some.
    async fn titles(&self, snapshot: &Snapshot) -> Result<Titles, LookError> {
        let standing = routing::standing(&self.rules, snapshot);
        let every = standing.len().div_ceil(TITLES_MAX).max(1);
        let some: Vec<_> = standing.into_iter().step_by(every).map(|member| member.card.card()).collect();
        let titles: Vec<String> = some.iter().map(|card| card.title.clone()).collect();
        let vectors = self.embedder.embed_all(&titles, |_| {}).await?;
        Ok(some.iter().map(|card| card.id.clone()).zip(vectors).collect())
    }

    /// The same, with the exam of its answers.
    pub(super) async fn examined(&self, endpoint: &Endpoint, found: Found) -> Result<Tested, FleetError> {
        let wait = Duration::from_millis(self.limits.look_ms);
        let room = tokio::time::timeout(wait, self.exams.acquire()).await;
        let Ok(Ok(_room)) = room else { return Err(FleetError::Examining(EXAMS_MAX)) };
        let Tested { registration, took } = self.routed(endpoint, found).await?;
        let channel = self.dispatch.channel(endpoint);
        let questions = &registration.card.card().example_questions;
        let answers = answers::ask(channel, questions, Duration::from_millis(self.limits.exam_ms)).await;
        let routed = registration.exam.as_deref().cloned().unwrap_or_default();
        let exam = Some(Arc::new(Exam { answers, ..routed }));
        Ok(Tested { registration: Registration { exam, ..registration }, took })
    }
}
