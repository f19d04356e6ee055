//! Whether two sentences that are about the same say the same. The router never says who is right: it shows
//! what differs. Where it is not plain that both are about the same thing, they do not conflict, since a
//! false alarm costs more trust than a conflict that nobody points at.

mod facts;
mod quantity;
mod read;
mod scan;

use std::collections::BTreeSet;

use quantity::Quantity;

pub(super) use facts::Facts;

/// Sentences at least this near to each other may say the same, or differ by a negation alone: a cosine.
const SAME_MIN: f32 = 0.88;

/// A sentence with more amounts than this is a table, and not compared.
const QUANTITIES_MAX: usize = 16;

/// Two sentences that conflict share at least this share of the words of the one that has fewer.
const SHARED_MIN: f32 = 0.5;

/// Two that differ by a negation alone share at least this share of all their words.
const SHARED_BY_NEGATION_MIN: f32 = 0.75;

/// Of a sentence that adds nothing at least this share of the words stands in the other.
const KNOWN_MIN: f32 = 0.6;

/// How two sentences about the same differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Difference {
    /// Amounts of the same.
    Numbers,
    /// The same number in units that are not the same amount.
    Units,
    /// Years, months or days.
    Dates,
    /// One denies what the other says.
    Negation,
}

/// How a sentence relates to one that stands in the answer and is near.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    /// It says something else, or something more.
    Apart,
    /// It adds nothing.
    Same,
    /// It contradicts.
    Conflict(Difference),
}

/// How the sentence of `one` relates to that of `other`, to which it has this cosine.
pub(super) fn relation(one: &Facts, other: &Facts, cosine: f32) -> Relation {
    let quantities = one.quantities.len().max(other.quantities.len());
    if quantities > QUANTITIES_MAX || !one.is_of_the_same(other) {
        return Relation::Apart;
    }
    let [known, mirrored, whole] = overlaps(&one.words, &other.words);
    let difference = match () {
        () if known.max(mirrored) < SHARED_MIN => None,
        () if units_differ(one, other) => Some(Difference::Units),
        () if numbers_differ(&one.quantities, &other.quantities) => Some(Difference::Numbers),
        () if dates_differ(one, other) => Some(Difference::Dates),
        () if one.negated != other.negated && cosine >= SAME_MIN && whole >= SHARED_BY_NEGATION_MIN => {
            Some(Difference::Negation)
        }
        () => None,
    };
    match difference {
        Some(difference) => Relation::Conflict(difference),
        None if cosine >= SAME_MIN && known >= KNOWN_MIN && adds_nothing(one, other) => Relation::Same,
        None => Relation::Apart,
    }
}

/// How many words both have, as a share of those of the one, of the other, and of all: each 0 to 1.
#[expect(clippy::cast_precision_loss, reason = "counts of words")]
fn overlaps(one: &BTreeSet<String>, other: &BTreeSet<String>) -> [f32; 3] {
    let common = one.intersection(other).count();
    let share = |of: usize| if of == 0 { 1.0 } else { common as f32 / of as f32 };
    [share(one.len()), share(other.len()), share(one.len() + other.len() - common)]
}

/// Whether the same number has units of one kind that are not the same amount ("5 mg" and "5 g"), or the
/// same amount another rhythm ("5 mg a day" and "5 mg a week").
fn units_differ(one: &Facts, other: &Facts) -> bool {
    let has = |facts: &Facts, quantity: &Quantity| facts.quantities.iter().any(|q| q.agrees(quantity));
    let mut pairs = one.quantities.iter().flat_map(|a| other.quantities.iter().map(move |b| (a, b)));
    let rhythms = !one.rhythms.is_empty()
        && !other.rhythms.is_empty()
        && one.rhythms.is_disjoint(&other.rhythms)
        && pairs.clone().any(|(a, b)| a.agrees(b));
    rhythms || pairs.any(|(a, b)| a.differs_in_unit(b) && !has(other, a) && !has(one, b))
}

/// Whether both have amounts of the same, and each has one that the other lacks.
fn numbers_differ(one: &[Quantity], other: &[Quantity]) -> bool {
    let lacks = |of: &[Quantity], quantity: &Quantity| {
        let mut same = of.iter().filter(|other| other.is_of_the_same(quantity)).peekable();
        same.peek().is_some() && !same.any(|other| other.agrees(quantity))
    };
    let lacking =
        |from: &[Quantity], of: &Quantity| from.iter().any(|q| q.is_of_the_same(of) && lacks(other, q));
    other.iter().any(|quantity| lacks(one, quantity) && lacking(one, quantity))
}

fn dates_differ(one: &Facts, other: &Facts) -> bool {
    let differ = |one: &BTreeSet<u32>, other: &BTreeSet<u32>| {
        !one.is_empty() && !other.is_empty() && !one.is_subset(other) && !other.is_subset(one)
    };
    differ(&one.years, &other.years)
        || differ(&one.months, &other.months)
        // The same day of two months is not the same day, and was found above.
        || (one.months == other.months && differ(&one.days, &other.days))
}

/// Whether all that can be counted in `one` stands in `other`, and neither denies what the other says.
fn adds_nothing(one: &Facts, other: &Facts) -> bool {
    let known = |quantity: &Quantity| other.quantities.iter().any(|q| q.agrees(quantity));
    one.negated == other.negated
        && one.quantities.iter().all(known)
        && one.rhythms.is_subset(&other.rhythms)
        && one.years.is_subset(&other.years)
        && one.months.is_subset(&other.months)
        && one.days.is_subset(&other.days)
}

#[cfg(test)]
mod tests;
