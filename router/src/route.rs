//! Whom to ask. Pure: the same snapshot, question and policy give the same decision.

mod background;
mod decide;
mod policy;
mod score;

use index::Hit;
use proto::{AskOptions, Embedding};
use registry::{PrototypeKey, Snapshot, SnapshotError};

pub use background::Background;
pub use decide::{Candidate, Decision, Status, Verdict, decide};
pub use policy::Policy;
pub use score::{Scores, log_sum_exp, score};

/// The prototypes nearest to `question`, best first, of the specialists that `options` allow and that
/// do not stand back: at most `policy.hits_max`.
pub fn nearest(
    policy: &Policy,
    options: &AskOptions,
    snapshot: &Snapshot,
    question: &Embedding,
) -> Result<Vec<Hit<PrototypeKey>>, SnapshotError> {
    let counts = |id| decide::allowed(options, id) && !decide::stands_back(policy, options, id);
    let hits_max = policy.hits_max;
    let left_out = snapshot.members().filter(|member| !counts(member.id()));
    // Whoever is left out must not crowd the others out of the list.
    let crowd: usize = left_out.map(|member| member.prototypes.points.len()).sum();
    let mut hits = snapshot.nearest(question, hits_max + crowd)?;
    if crowd > 0 {
        let stays =
            |hit: &Hit<PrototypeKey>| snapshot.owner(hit.key.slot).is_some_and(|owner| counts(owner.id()));
        hits.retain(stays);
        hits.truncate(hits_max);
    }
    Ok(hits)
}
