//! What is asked, and of whom: folds of conversations, and changes of subject that are made of them.

use std::collections::{BTreeMap, BTreeSet};

use super::mtrag::Asked;

/// So many parts of the conversations: each is asked of specialists that know the others.
pub(super) const FOLDS: usize = 5;

/// Changes of subject that are made of each conversation.
const SWITCHES: usize = 4;

/// What sort of turn a question is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The first that the user says.
    Opening,
    /// It has turns before it, of its own conversation.
    FollowUp,
    /// It has turns before it, of another domain's conversation.
    Switch,
}

/// A question, and whom it is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Case {
    pub(super) kind: Kind,
    /// Whose the question is.
    pub(super) domain: String,
    pub(super) fold: usize,
    /// The conversation that the earlier turns are of.
    pub(super) conversation: String,
    /// What the user said, oldest first; the last is the question.
    pub(super) turns: Vec<String>,
    /// The question so that it can be understood alone; none for a change of subject, which is.
    pub(super) rewrite: Option<String>,
}

/// The fold of each conversation, drawn with `seed`.
pub(super) fn folds(asked: &[Asked], seed: u64) -> BTreeMap<&str, usize> {
    let names: BTreeSet<&str> = asked.iter().map(|asked| asked.conversation.as_str()).collect();
    let mut names: Vec<&str> = names.into_iter().collect();
    fastrand::Rng::with_seed(seed).shuffle(&mut names);
    names.into_iter().enumerate().map(|(at, name)| (name, at % FOLDS)).collect()
}

/// Every turn, and hard changes of subject: some of a conversation's first turns, then the opening of
/// another domain's conversation of the same fold. Drawn with `seed`.
pub(super) fn cases(asked: &[Asked], folds: &BTreeMap<&str, usize>, seed: u64) -> Vec<Case> {
    let fold = |asked: &Asked| folds[asked.conversation.as_str()];
    let turns = asked.iter().map(|asked| Case {
        kind: if asked.turns.len() == 1 { Kind::Opening } else { Kind::FollowUp },
        domain: asked.domain.clone(),
        fold: fold(asked),
        conversation: asked.conversation.clone(),
        turns: asked.turns.clone(),
        rewrite: Some(asked.rewrite.clone()),
    });
    let mut cases: Vec<Case> = turns.collect();
    let mut longest: BTreeMap<&str, &Asked> = BTreeMap::new();
    for asked in asked {
        let known = longest.entry(&asked.conversation).or_insert(asked);
        if asked.turns.len() > known.turns.len() {
            *known = asked;
        }
    }
    let mut random = fastrand::Rng::with_seed(seed);
    for before in longest.values() {
        let others = longest.values().filter(|other| fold(other) == fold(before));
        let others: Vec<_> = others.filter(|other| other.domain != before.domain).collect();
        for _ in 0..SWITCHES {
            let Some(next) = random.choice(&others) else { continue };
            let said = 1 + random.usize(..before.turns.len());
            cases.push(Case {
                kind: Kind::Switch,
                domain: next.domain.clone(),
                fold: fold(before),
                conversation: before.conversation.clone(),
                turns: before.turns[..said].iter().chain(&next.turns[..1]).cloned().collect(),
                rewrite: None,
            });
        }
    }
    cases
}
