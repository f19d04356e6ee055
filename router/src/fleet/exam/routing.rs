//! What a newcomer would do to the routing of the fleet. Pure: it asks nobody and reads no clock.
//!
//! Questions are what a snapshot holds: the example questions of the cards, and prototypes in the place
//! of more. Each stands among the prototypes of its owner, and meets them without itself, newcomer and
//! standing ones alike; otherwise everybody would know their own by heart.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proto::{AskOptions, Embedding, Prototype, SpecialistId};
use registry::{
    Exam, PrototypeOrigin, Registration, Snapshot, SnapshotError,
    exam::{OVERLAPS_MAX, Overlap, Own, Unrelated},
};

use crate::route::{self, Background, Policy, Status};

/// The most questions of standing specialists that are tried, over the whole fleet: some seconds.
const QUESTIONS_MAX: usize = 4_096;

/// The most prototypes of one specialist that stand in for questions.
const STAND_INS_MAX: usize = 256;

/// A prototype at this cosine or nearer is the question itself.
const ITSELF_MIN: f32 = 0.999;

/// A neighbour has at least one in so many of a newcomer's own example questions, so there are at most
/// four, and none for who lists a question of every field.
const NEIGHBOUR_ONE_IN: usize = 4;

/// Prototypes say less than example questions of what a newcomer means to answer, so that more than one
/// in so many must lie at a neighbour.
const NEIGHBOUR_BY_STAND_INS_ONE_IN: usize = 2;

/// The numbers that routing follows, as for every question.
pub(in crate::fleet) struct Rules {
    pub(in crate::fleet) policy: Policy,
    pub(in crate::fleet) background: Background,
}

/// Whom a question goes to.
struct Lead {
    /// Who fits best.
    id: SpecialistId,
    /// Whether it fits well enough to be asked.
    covers: bool,
}

/// Whom `question`, which stands among the prototypes of `owner`, goes to in `snapshot`. Whoever was left
/// alone lately counts, and so does whoever asks for consent.
fn lead(
    rules: &Rules,
    snapshot: &Snapshot,
    question: &Prototype,
    owner: &SpecialistId,
) -> Result<Option<Lead>, SnapshotError> {
    let Rules { policy, background } = rules;
    let options = AskOptions::default();
    let question = Embedding { space: snapshot.space().clone(), vector: question.vector.clone() };
    let mut hits = route::nearest(policy, &options, snapshot, &question)?;
    hits.retain(|hit| {
        let own = || snapshot.owner(hit.key.slot).is_some_and(|registration| registration.id() == owner);
        hit.similarity < ITSELF_MIN || !own()
    });
    let scores = route::score(&hits, policy.temperature);
    let background = background.score(&question.vector, policy.temperature);
    let decision = route::decide(policy, &options, snapshot, &scores, background, &BTreeSet::new());
    let best = decision.candidates.into_iter().next().filter(|best| best.score.is_some());
    Ok(best.map(|best| Lead {
        id: best.registration.id().clone(),
        covers: best.status != Status::BelowThreshold,
    }))
}

/// Whom it goes to, if anybody covers it.
fn goes_to(
    rules: &Rules,
    snapshot: &Snapshot,
    question: &Prototype,
    owner: &SpecialistId,
) -> Result<Option<SpecialistId>, SnapshotError> {
    let lead = lead(rules, snapshot, question, owner)?;
    Ok(lead.filter(|lead| lead.covers).map(|lead| lead.id))
}

/// What `newcomer` would do to the fleet of `snapshot`, in which an earlier revision of its own does not
/// count. Its answers are examined elsewhere.
pub(super) fn examine(
    rules: &Rules,
    snapshot: &Snapshot,
    newcomer: &Registration,
) -> Result<Exam, SnapshotError> {
    let id = newcomer.id();
    let is_general = |id: &SpecialistId| rules.policy.general.as_ref() == Some(id);
    if is_general(id) {
        return Ok(Exam { general: true, ..Exam::default() });
    }
    let without = snapshot.without(id)?;
    let with = without.with(Arc::new(Registration { enabled: true, ..newcomer.clone() }))?;
    let (own, lost) = own(rules, &with, newcomer)?;
    let neighbours = neighbours(rules, &without, newcomer)?;

    let standing = without.members().filter(|member| member.enabled && !is_general(member.id()));
    let standing: Vec<&Arc<Registration>> = standing.collect();
    let each_max = (QUESTIONS_MAX / standing.len().max(1)).max(1);
    let mut unrelated = Unrelated::default();
    let mut overlaps = Vec::new();
    // In the largest fleets not everybody is tried.
    for member in standing.iter().step_by(standing.len().div_ceil(QUESTIONS_MAX).max(1)) {
        let owner = member.id();
        let questions = questions(member, each_max);
        let mut taken = 0;
        for &question in &questions {
            // Few are taken, so most are routed once.
            if goes_to(rules, &with, question, owner)?.as_ref() == Some(id)
                && goes_to(rules, &without, question, owner)?.as_ref() == Some(owner)
            {
                taken += 1;
            }
        }
        let (asked, neighbour) = (questions.len(), neighbours.contains(owner));
        if !neighbour {
            unrelated.specialists += 1;
            unrelated.asked += asked;
            unrelated.taken += taken;
        }
        let lost = lost.get(owner).copied().unwrap_or_default();
        if neighbour || taken > 0 || lost > 0 {
            overlaps.push(Overlap { id: owner.clone(), neighbour, asked, taken, lost });
        }
    }
    overlaps.sort_by_key(|overlap| (overlap.neighbour, Reverse(overlap.taken), Reverse(overlap.lost)));
    overlaps.truncate(OVERLAPS_MAX);
    Ok(Exam { own, overlaps, unrelated, ..Exam::default() })
}

/// Where the example questions of `newcomer` go in `with`, in which it stands, and how many each of the
/// others gets.
fn own(
    rules: &Rules,
    with: &Snapshot,
    newcomer: &Registration,
) -> Result<(Own, BTreeMap<SpecialistId, usize>), SnapshotError> {
    let id = newcomer.id();
    let (examples, _) = parts(newcomer);
    let mut own = Own { asked: examples.len(), ..Own::default() };
    let mut lost = BTreeMap::new();
    for question in examples {
        match goes_to(rules, with, question, id)? {
            None => own.uncovered += 1,
            Some(to) if to == *id => own.led += 1,
            Some(to) => *lost.entry(to).or_default() += 1,
        }
    }
    Ok((own, lost))
}

/// Who already covers enough of what `newcomer` means to answer, in `without`, in which it does not
/// stand.
fn neighbours(
    rules: &Rules,
    without: &Snapshot,
    newcomer: &Registration,
) -> Result<BTreeSet<SpecialistId>, SnapshotError> {
    let (examples, _) = parts(newcomer);
    let questions = questions(newcomer, usize::MAX);
    let questions = if examples.is_empty() { &questions[..] } else { &questions[..examples.len()] };
    let mut covered: BTreeMap<SpecialistId, usize> = BTreeMap::new();
    for &question in questions {
        if let Some(to) = goes_to(rules, without, question, newcomer.id())? {
            *covered.entry(to).or_default() += 1;
        }
    }
    let asked = questions.len();
    let enough = |count: usize| {
        if examples.is_empty() {
            count * NEIGHBOUR_BY_STAND_INS_ONE_IN > asked
        } else {
            count * NEIGHBOUR_ONE_IN >= asked
        }
    };
    Ok(covered.into_iter().filter(|(_, count)| enough(*count)).map(|(id, _)| id).collect())
}

/// The prototypes of `of` that are its card's example questions, and the others. They stand where a look
/// puts them: behind what the specialist made, and before the sample texts.
fn parts(of: &Registration) -> (&[Prototype], &[Prototype]) {
    let points = &of.prototypes.points;
    let examples = of.card.card().example_questions.len().min(points.len());
    match of.origin {
        PrototypeOrigin::Router => points.split_at(examples),
        PrototypeOrigin::Specialist => {
            let (made, examples) = points.split_at(points.len() - examples);
            (examples, made)
        }
    }
}

/// At most `max` questions for `of`: its example questions first, then stand-ins, evenly taken.
fn questions(of: &Registration, max: usize) -> Vec<&Prototype> {
    let (examples, others) = parts(of);
    let room = max.saturating_sub(examples.len()).min(STAND_INS_MAX).min(others.len());
    let spread = (0..room).map(|n| &others[n * others.len() / room]);
    examples.iter().take(max).chain(spread).collect()
}
