//! What a newcomer would do to the routing of the fleet. Pure: it asks nobody and reads no clock.
//!
//! Questions are what is there without anybody's conversations: the example questions and titles of the
//! cards, and prototypes in the place of more. What stands among the prototypes of its owner meets them
//! without itself, newcomer and standing ones alike; otherwise everybody would know their own by heart.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use proto::{AskOptions, Embedding, Prototype, SpecialistId, UnitVector};
use registry::{
    Exam, PrototypeOrigin, Registration, Snapshot, SnapshotError,
    exam::{OVERLAPS_MAX, Overlap, Own, Share, Unrelated},
};

use crate::route::{Candidate, Rules, Shown, Status};

/// The most questions of standing specialists that are tried, over the whole fleet: some seconds.
const QUESTIONS_MAX: usize = 4_096;

/// The most prototypes of one specialist that stand in for questions.
const STAND_INS_MAX: usize = 256;

/// A prototype at this cosine or nearer is the question itself.
const ITSELF_MIN: f32 = 0.999;

/// A neighbour fits at least one in so many of a newcomer's own example questions, so that who lists a
/// question of every field has none.
const NEIGHBOUR_ONE_IN: usize = 4;

/// Who has at least one in so many of the best one's share of the softmax fits nearly as well: where
/// several institutions have one field, each is the best for a few questions only.
const RIVAL_ONE_IN: f32 = 4.0;

/// Prototypes say less than example questions of what a newcomer means to answer, so that more than one
/// in so many must lie at a neighbour.
const NEIGHBOUR_BY_STAND_INS_ONE_IN: usize = 2;

/// Who covers `question`, which may stand among the prototypes of `owner`, in `snapshot` and fits about as
/// well as the best one, who comes first and would lead. Whoever was left alone lately counts, and so does
/// whoever asks for consent. All that an exam knows of routing stands here.
fn fitting(
    rules: &Rules,
    snapshot: &Snapshot,
    question: &UnitVector,
    owner: &SpecialistId,
) -> Result<Vec<SpecialistId>, SnapshotError> {
    let (options, ejected) = (AskOptions::default(), BTreeSet::new());
    let case = rules.case(&options, snapshot, &ejected);
    let question = Embedding { space: snapshot.space().clone(), vector: question.clone() };
    let mut hits = case.nearest(&question)?;
    hits.retain(|hit| {
        let own = || snapshot.owner(hit.key.slot).is_some_and(|registration| registration.id() == owner);
        hit.similarity < ITSELF_MIN || !own()
    });
    let survey = case.survey(&question, 0, &hits, &rules.background);
    let decision = case.decide(&survey, &Shown::new());
    let best = decision.candidates.first().map_or(0.0, |best| best.probability);
    let fits = |candidate: &Candidate| {
        candidate.score.is_some()
            && candidate.status != Status::BelowThreshold
            && candidate.probability * RIVAL_ONE_IN >= best
    };
    let fitting = decision.candidates.iter().filter(|candidate| fits(candidate));
    Ok(fitting.map(|candidate| candidate.registration.id().clone()).collect())
}

/// Whom it goes to, if anybody covers it.
fn goes_to(
    rules: &Rules,
    snapshot: &Snapshot,
    question: &UnitVector,
    owner: &SpecialistId,
) -> Result<Option<SpecialistId>, SnapshotError> {
    Ok(fitting(rules, snapshot, question, owner)?.into_iter().next())
}

/// Where the titles of standing specialists' cards lie.
pub(super) type Titles = BTreeMap<SpecialistId, UnitVector>;

/// The fleet with and without a newcomer.
struct Trial<'a> {
    rules: &'a Rules,
    newcomer: &'a Registration,
    without: Snapshot,
    with: Snapshot,
}

impl Trial<'_> {
    /// What the newcomer takes of `questions`, which are `owner`'s.
    fn taken<'q>(
        &self,
        owner: &SpecialistId,
        questions: impl Iterator<Item = &'q UnitVector>,
    ) -> Result<Share, SnapshotError> {
        let mut share = Share::default();
        for question in questions {
            share.asked += 1;
            // Few are taken, so most are routed once.
            if goes_to(self.rules, &self.with, question, owner)?.as_ref() == Some(self.newcomer.id())
                && goes_to(self.rules, &self.without, question, owner)?.as_ref() == Some(owner)
            {
                share.taken += 1;
            }
        }
        Ok(share)
    }
}

/// What `newcomer` would do to the fleet of `snapshot`, in which an earlier revision of its own does not
/// count. Its answers are examined elsewhere.
pub(super) fn examine(
    rules: &Rules,
    snapshot: &Snapshot,
    titles: &Titles,
    newcomer: &Registration,
) -> Result<Exam, SnapshotError> {
    let id = newcomer.id();
    if is_general(rules, id) {
        return Ok(Exam { general: true, ..Exam::default() });
    }
    let without = snapshot.without(id)?;
    let with = without.with(Arc::new(Registration { enabled: true, ..newcomer.clone() }))?;
    let trial = Trial { rules, newcomer, without, with };
    let (own, lost) = own(&trial)?;
    let neighbours = neighbours(&trial)?;

    let standing = standing(rules, &trial.without);
    let each_max = (QUESTIONS_MAX / standing.len().max(1)).max(1);
    let mut unrelated = Unrelated::default();
    let mut overlaps = Vec::new();
    // In the largest fleets not everybody is tried.
    for member in standing.iter().step_by(standing.len().div_ceil(QUESTIONS_MAX).max(1)) {
        let owner = member.id();
        let (examples, stand_ins) = questions(member, each_max);
        let questions = trial.taken(owner, vectors(&examples).chain(titles.get(owner)))?;
        let prototypes = trial.taken(owner, vectors(&stand_ins))?;
        let neighbour = neighbours.contains(owner);
        if !neighbour {
            unrelated.specialists += 1;
            add(&mut unrelated.questions, questions);
            add(&mut unrelated.prototypes, prototypes);
        }
        let mut both = questions;
        add(&mut both, prototypes);
        let lost = lost.get(owner).copied().unwrap_or_default();
        if neighbour || both.taken > 0 || lost > 0 {
            let Share { asked, taken } = both;
            overlaps.push(Overlap { id: owner.clone(), neighbour, asked, taken, lost });
        }
    }
    overlaps.sort_by_key(|overlap| (overlap.neighbour, Reverse(overlap.taken), Reverse(overlap.lost)));
    overlaps.truncate(OVERLAPS_MAX);
    Ok(Exam { own, overlaps, unrelated, ..Exam::default() })
}

fn is_general(rules: &Rules, id: &SpecialistId) -> bool {
    rules.policy.general.as_ref() == Some(id)
}

/// Those that have questions to lose.
pub(super) fn standing<'a>(rules: &Rules, snapshot: &'a Snapshot) -> Vec<&'a Arc<Registration>> {
    snapshot.members().filter(|member| member.enabled && !is_general(rules, member.id())).collect()
}

fn vectors<'a>(points: &[&'a Prototype]) -> impl Iterator<Item = &'a UnitVector> {
    points.iter().map(|point| &point.vector)
}

fn add(to: &mut Share, more: Share) {
    to.asked += more.asked;
    to.taken += more.taken;
}

/// Where the newcomer's example questions go once it stands, and how many each of the others gets.
fn own(trial: &Trial<'_>) -> Result<(Own, BTreeMap<SpecialistId, usize>), SnapshotError> {
    let id = trial.newcomer.id();
    let (examples, _) = parts(trial.newcomer);
    let mut own = Own { asked: examples.len(), ..Own::default() };
    let mut lost = BTreeMap::new();
    for question in examples {
        match goes_to(trial.rules, &trial.with, &question.vector, id)? {
            None => own.uncovered += 1,
            Some(to) if to == *id => own.led += 1,
            Some(to) => *lost.entry(to).or_default() += 1,
        }
    }
    Ok((own, lost))
}

/// Who already covers enough of what the newcomer means to answer, without it.
fn neighbours(trial: &Trial<'_>) -> Result<BTreeSet<SpecialistId>, SnapshotError> {
    let (examples, stand_ins) = questions(trial.newcomer, usize::MAX);
    let (tried, stand_in) = if examples.is_empty() { (stand_ins, true) } else { (examples, false) };
    let mut covered: BTreeMap<SpecialistId, usize> = BTreeMap::new();
    for question in vectors(&tried) {
        for fitting in fitting(trial.rules, &trial.without, question, trial.newcomer.id())? {
            *covered.entry(fitting).or_default() += 1;
        }
    }
    let enough = |count: usize| {
        if stand_in {
            count * NEIGHBOUR_BY_STAND_INS_ONE_IN > tried.len()
        } else {
            count * NEIGHBOUR_ONE_IN >= tried.len()
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

/// At most `max` prototypes of `of` to be tried: its example questions first, then others, evenly taken.
fn questions(of: &Registration, max: usize) -> (Vec<&Prototype>, Vec<&Prototype>) {
    let (examples, others) = parts(of);
    let room = max.saturating_sub(examples.len()).min(STAND_INS_MAX).min(others.len());
    let spread = (0..room).map(|n| &others[n * others.len() / room]);
    (examples.iter().take(max).collect(), spread.collect())
}
