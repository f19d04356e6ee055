//! What of a sentence can be compared: amounts, dates, whether it denies something, and what it is about.

use std::collections::{BTreeMap, BTreeSet};

use super::{quantity::Quantity, read::read, scan::tokens};

/// What a sentence says that can be compared.
#[derive(Debug, Default)]
pub(in crate::merge) struct Facts {
    pub(super) quantities: Vec<Quantity>,
    /// "a day", "weekly": how often.
    pub(super) rhythms: BTreeSet<&'static str>,
    pub(super) years: BTreeSet<u32>,
    /// From 1.
    pub(super) months: BTreeSet<u32>,
    /// Of a month, from 1.
    pub(super) days: BTreeSet<u32>,
    /// It holds a "not" or the like.
    pub(super) negated: bool,
    /// Its words without those that stand anywhere, without plural endings.
    pub(super) words: BTreeSet<String>,
    /// The first of `words`, which mostly names what the sentence is about.
    pub(super) first: Option<String>,
    /// Words that are names by their capitals.
    pub(super) names: BTreeSet<String>,
    /// Which side of each of [`CONTRASTS`] it mentions.
    sides: [[bool; 2]; CONTRASTS.len()],
    /// "stage 2", "type A", "the first": what tells one thing from others of its sort.
    pub(super) labels: BTreeMap<String, BTreeSet<String>>,
}

/// Of each two, a sentence about the one is not about the other.
const CONTRASTS: [[&str; 2]; 16] = [
    [
        " child children childhood infant baby babies newborn neonate toddler adolescent teenager kid pediatric ",
        " adult elderly ",
    ],
    [" woman women girl female mother ", " man men boy male father "],
    [" low ", " high "],
    [" lower ", " upper "],
    [" minimum least ", " maximum most "],
    [" early ", " late "],
    [" acute ", " chronic "],
    [" benign ", " malignant "],
    [" left ", " right "],
    [" oral orally mouth ", " intravenous intravenously injection infusion "],
    [" morning ", " evening "],
    [" summer ", " winter "],
    [" day daytime ", " night nighttime "],
    [" landlord lessor ", " tenant lessee "],
    [" before ", " after "],
    [" buyer ", " seller "],
];

impl Facts {
    pub(in crate::merge) fn of(sentence: &str) -> Self {
        let mut facts = read(&tokens(sentence));
        let mentions = |side: &str| facts.words.iter().any(|word| holds(side, word));
        facts.sides = CONTRASTS.map(|sides| sides.map(mentions));
        facts
    }

    /// Whether nothing speaks against it that both are about the same thing.
    pub(super) fn is_of_the_same(&self, other: &Self) -> bool {
        let labels = self
            .labels
            .iter()
            .any(|(sort, names)| other.labels.get(sort).is_some_and(|others| others.is_disjoint(names)));
        let mut sides = self.sides.iter().zip(&other.sides);
        let contrast = sides.any(|(one, other)| {
            matches!((one, other), ([true, false], [false, true]) | ([false, true], [true, false]))
        });
        let names = !self.names.is_subset(&other.words) && !other.names.is_subset(&self.words);
        let lacks =
            |one: &Self, other: &Self| one.first.as_ref().is_some_and(|word| !other.words.contains(word));
        let first = lacks(self, other) && lacks(other, self);
        !(labels || contrast || names || first)
    }
}

/// Whether `word` is one of a list whose words stand between spaces.
pub(super) fn holds(list: &str, word: &str) -> bool {
    list.split(' ').any(|one| one == word)
}
