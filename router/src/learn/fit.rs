//! From thumbs to offsets. Pure: it reads no file and no clock.
//!
//! A thumb says whether the one who led was the right one to ask; routing had said how likely that was. So each
//! specialist's offset is a logistic regression with one weight, on the turns that it led. Four things keep a flood
//! from moving it: a voter counts once however often it says something, some voters have to say the same before
//! anything moves at all, a prior holds what moves near 0, and only what two halves of the voters say, each on its
//! own, counts, the smaller of both.

use std::collections::BTreeMap;

use proto::SpecialistId;
use serde::Serialize;

use crate::route::OFFSET_MAX;

/// How many voters the prior counts for: the ridge, in units of one voter.
const PRIOR_VOTERS: f64 = 20.0;

/// Nothing moves before the voters of a half differ from what routing expects by more than so many that differ
/// altogether: the lasso, in units of one voter.
const VOTERS_MIN: f64 = 3.0;

/// The most that one voter moves any offset, whatever it says and how often, in log-odds. A voter's slope is at
/// most 1 and the loss curves by [`PRIOR_VOTERS`] or more, so it moves the mood by at most the inverse of that,
/// and the offset by as much again.
pub(super) const VOTER_EFFECT_MAX: f64 = 2.0 / PRIOR_VOTERS;

/// How much more, or less, readers like answers than routing expects them to, in log-odds.
const MOOD_MAX: f64 = 5.0;

/// The log-odds of what is taken for certain, either way.
const CERTAIN: f64 = 7.0;

/// How often an interval is halved: to far below what an offset is stored with.
const HALVINGS: u32 = 60;

/// Offsets by specialist, in log-odds.
pub(super) type Offsets = BTreeMap<SpecialistId, f64>;

/// A thumb that says something of whom to ask.
#[derive(Debug, Clone)]
pub(super) struct Rating {
    /// Whom it is from: a digest, which says in which half that is.
    pub(super) voter: [u8; 32],
    /// Whose words stood first.
    pub(super) lead: SpecialistId,
    /// What routing gave to whom before any offset, up to a factor: above 0, for the lead and one more at least.
    pub(super) weights: BTreeMap<SpecialistId, f64>,
    /// Whether it was right to ask the lead.
    pub(super) right: bool,
}

/// What was learned.
#[derive(Debug)]
pub(super) struct Learned {
    /// Who led in some turn, by id.
    pub(super) specialists: Vec<Told>,
    /// How many voters said something.
    pub(super) voters: usize,
    /// How well the thumbs of each half are foretold by what the other half says, without offsets and with them;
    /// `None` where there is no thumb.
    pub(super) held: Option<[Figure; 2]>,
}

/// What was said of a specialist.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Told {
    /// Who.
    pub(super) id: SpecialistId,
    /// How many voters rated what it led.
    pub(super) voters: usize,
    /// Thumbs that say that it was right to ask it.
    pub(super) up: usize,
    /// Thumbs that say the contrary.
    pub(super) down: usize,
    /// The offset that each half of the voters asks for.
    pub(super) halves: [f64; 2],
    /// What both agree on.
    pub(super) offset: f64,
}

/// How well thumbs are foretold, every voter counting once.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(super) struct Figure {
    /// The mean logarithmic loss, in nats.
    pub(super) log_loss: f64,
    /// The share that is on the foretold side of one half.
    pub(super) right: f64,
}

/// What one half of the voters says.
struct Half<'a> {
    ratings: Vec<&'a Rating>,
    /// What holds for all that readers rate: whoever is displeased presses a thumb more often, which says nothing of
    /// whom to ask.
    mood: f64,
    offsets: Offsets,
}

/// Learns from `ratings`. Their order says nothing.
pub(super) fn learn(ratings: &[Rating]) -> Learned {
    let (first, second) = ratings.iter().partition(|rating| rating.voter[0].is_multiple_of(2));
    let halves: [Half; 2] = [first, second].map(Half::fit);
    let offset = |half: &Half, id: &SpecialistId| half.offsets.get(id).copied().unwrap_or_default();
    let told = |(id, led): (&SpecialistId, Vec<&Rating>)| {
        let up = led.iter().filter(|rating| rating.right).count();
        let both = [offset(&halves[0], id), offset(&halves[1], id)];
        Told {
            id: id.clone(),
            voters: by_voter(&led).len(),
            up,
            down: led.len() - up,
            halves: both,
            offset: agreed(both),
        }
    };
    let all: Vec<&Rating> = ratings.iter().collect();
    Learned {
        specialists: by_lead(&all).into_iter().map(told).collect(),
        voters: by_voter(&all).len(),
        held: (!all.is_empty()).then(|| [false, true].map(|moved| held(&halves, moved))),
    }
}

impl Learned {
    /// What is worth applying: nothing at all where the thumbs of voters that it was not fitted on would be
    /// foretold no better.
    pub(super) fn offsets(&self) -> BTreeMap<SpecialistId, f32> {
        let better = self.held.is_some_and(|[before, after]| after.log_loss < before.log_loss);
        let moved = self.specialists.iter().filter(|told| better && told.offset != 0.0);
        #[expect(clippy::cast_possible_truncation, reason = "routing computes in f32")]
        moved.map(|told| (told.id.clone(), told.offset as f32)).collect()
    }
}

impl Rating {
    /// The log-odds that it was right to ask the lead, had these `offsets` been in force.
    fn log_odds(&self, offsets: &Offsets) -> f64 {
        let odds = |offsets: &Offsets| {
            let moved = |(id, weight): (&SpecialistId, &f64)| {
                weight * offsets.get(id).copied().unwrap_or_default().exp()
            };
            let (lead, others): (Vec<_>, Vec<_>) = self.weights.iter().partition(|(id, _)| **id == self.lead);
            let sum = |all: Vec<_>| all.into_iter().map(moved).sum::<f64>();
            (sum(lead) / sum(others)).ln()
        };
        let plain = odds(&Offsets::new());
        // No reader is foretold with more certainty than this; what is moved counts in full.
        plain.clamp(-CERTAIN, CERTAIN) + odds(offsets) - plain
    }
}

impl<'a> Half<'a> {
    fn fit(ratings: Vec<&'a Rating>) -> Self {
        let none = Offsets::new();
        let voters = |ratings: &[&Rating], mood: f64| -> Vec<Vec<(f64, bool)>> {
            let foretold = |rating: &&Rating| (rating.log_odds(&none) + mood, rating.right);
            by_voter(ratings).values().map(|voter| voter.iter().map(foretold).collect()).collect()
        };
        let mood = shift(&voters(&ratings, 0.0), MOOD_MAX);
        let offset = |(id, led): (&SpecialistId, Vec<&Rating>)| {
            (id.clone(), shift(&voters(&led, mood), OFFSET_MAX.into()))
        };
        Self { offsets: by_lead(&ratings).into_iter().map(offset).collect(), mood, ratings }
    }
}

/// What is to be added to the log-odds that were foretold for the thumbs of `voters`, at most `most` either way: the
/// elastic net (Zou & Hastie 2005) with one weight.
fn shift(voters: &[Vec<(f64, bool)>], most: f64) -> f64 {
    let slope = |shift: f64| {
        let off = |(odds, right): &(f64, bool)| logistic(odds + shift) - f64::from(u8::from(*right));
        voters.iter().map(|voter| mean(voter, off)).sum::<f64>() + PRIOR_VOTERS * shift
    };
    let at_rest = slope(0.0);
    if at_rest.abs() <= VOTERS_MIN {
        return 0.0;
    }
    // The slope grows all the way, so it crosses this once, or beyond the bound.
    let sought = VOTERS_MIN.copysign(at_rest);
    let (mut low, mut high) = if at_rest > 0.0 { (-most, 0.0) } else { (0.0, most) };
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(low, high);
        if slope(middle) < sought { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

/// The smaller of both, where they have one direction; with it the loss of either half falls, since that is convex and
/// least beyond it.
fn agreed([one, other]: [f64; 2]) -> f64 {
    if one * other <= 0.0 {
        return 0.0;
    }
    if one.abs() < other.abs() { one } else { other }
}

/// How well the thumbs of each half are foretold by what the other one says.
fn held(halves: &[Half; 2], moved: bool) -> Figure {
    let mut voters = 0;
    let (mut loss, mut right) = (0.0, 0.0);
    for (half, other) in [(&halves[0], &halves[1]), (&halves[1], &halves[0])] {
        let none = Offsets::new();
        let offsets = if moved { &other.offsets } else { &none };
        let odds = |rating: &Rating| {
            let odds = rating.log_odds(offsets) + other.mood;
            if rating.right { odds } else { -odds }
        };
        for voter in by_voter(&half.ratings).values() {
            voters += 1;
            loss += mean(voter, |rating| softplus(-odds(rating)));
            right += mean(voter, |rating| f64::from(u8::from(odds(rating) >= 0.0)));
        }
    }
    let count = f64::from(voters);
    Figure { log_loss: loss / count, right: right / count }
}

fn by_voter<'a>(ratings: &[&'a Rating]) -> BTreeMap<&'a [u8; 32], Vec<&'a Rating>> {
    let mut voters: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for rating in ratings {
        voters.entry(&rating.voter).or_default().push(*rating);
    }
    voters
}

fn by_lead<'a>(ratings: &[&'a Rating]) -> BTreeMap<&'a SpecialistId, Vec<&'a Rating>> {
    let mut leads: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for rating in ratings {
        leads.entry(&rating.lead).or_default().push(*rating);
    }
    leads
}

/// The mean of `of` over `all`, of which there is one at least.
fn mean<T>(all: &[T], of: impl Fn(&T) -> f64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of ratings")]
    let count = all.len() as f64;
    all.iter().map(of).sum::<f64>() / count
}

fn logistic(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// ln(1 + exp(x)) without overflow.
fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

#[cfg(test)]
mod tests;
