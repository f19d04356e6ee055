//! What a flood may move, and what is learned.

use proptest::prelude::*;

use super::*;

fn id(name: &str) -> SpecialistId {
    name.parse().unwrap()
}

/// A voter of the half that its number says.
fn voter(number: u16) -> [u8; 32] {
    let mut voter = [0; 32];
    voter[..2].copy_from_slice(&number.to_le_bytes());
    voter
}

/// A thumb for `lead`, which routing gave this share of what it and the next of a, b and c have.
fn rating(number: u16, lead: usize, share: f64, right: bool) -> Rating {
    let ids = ["a", "b", "c"].map(id);
    let weights = [(ids[lead].clone(), share), (ids[(lead + 1) % 3].clone(), 1.0 - share)];
    Rating { voter: voter(number), lead: ids[lead].clone(), weights: weights.into(), right }
}

/// So many ratings, of voters below `below`.
fn ratings(below: u16, most: usize) -> impl Strategy<Value = Vec<Rating>> {
    let one = (0..below, 0..3_usize, 0.001..0.999, any::<bool>());
    prop::collection::vec(one, 0..most).prop_map(|all| {
        all.into_iter().map(|(number, lead, share, right)| rating(number, lead, share, right)).collect()
    })
}

/// Ratings in which thumbs follow the lead: each specialist has its own share of thumbs up.
fn opinionated() -> impl Strategy<Value = Vec<Rating>> {
    let one = (0..400_u16, 0..3_usize, 0.2..0.99, 0.0..1.0);
    (prop::array::uniform3(0.0..1.0), prop::collection::vec(one, 100..400)).prop_map(|(liked, all)| {
        let rated = |(number, lead, share, luck): (u16, usize, f64, f64)| {
            rating(number, lead, share, luck < liked[lead])
        };
        all.into_iter().map(rated).collect()
    })
}

fn agreed_on(ratings: &[Rating]) -> Offsets {
    learn(ratings).specialists.into_iter().map(|told| (told.id, told.offset)).collect()
}

/// Sixty voters that say that it is wrong to ask a, and sixty that it is right to ask b.
fn clear() -> Vec<Rating> {
    (0..120).map(|number| rating(number, usize::from(number >= 60), 0.7, number >= 60)).collect()
}

#[test]
fn what_many_voters_say_is_learned() {
    let learned = learn(&clear());
    let offsets = learned.offsets();
    let [before, after] = learned.held.unwrap();
    assert!(offsets[&id("a")] < -0.3 && offsets[&id("b")] > 0.0, "{offsets:?}");
    assert!(after.log_loss < before.log_loss, "{before:?} {after:?}");
    assert_eq!((learned.voters, offsets.len()), (120, 2));
    let Told { voters, up, down, .. } = learned.specialists[0];
    assert_eq!((voters, up, down), (60, 0, 60));
}

#[test]
fn what_holds_for_all_alike_moves_nobody() {
    // Everybody is liked in half of the turns, where routing expected nine in ten.
    let all: Vec<Rating> =
        (0..2_000).map(|number| rating(number, usize::from(number % 3), 0.9, number % 4 < 2)).collect();
    assert!(learn(&all).offsets().is_empty());
    // Alone it would.
    let of_a: Vec<Rating> = all.iter().filter(|rating| rating.lead == id("a")).cloned().collect();
    let half = Half::fit(of_a.iter().collect());
    assert!(half.mood < -1.0, "{}", half.mood);
}

#[test]
fn what_only_one_half_says_moves_nobody() {
    let mut all = clear();
    all.retain(|rating| rating.voter[0].is_multiple_of(2));
    let learned = learn(&all);
    assert!(learned.specialists[0].halves[0] < -0.2, "{learned:?}");
    assert!(learned.offsets().is_empty(), "{learned:?}");
}

#[test]
fn the_smaller_of_both_halves_counts() {
    let agrees = |halves: [f64; 2], expected: f64| assert!((agreed(halves) - expected).abs() < f64::EPSILON);
    agrees([-0.4, -0.1], -0.1);
    agrees([0.2, 0.3], 0.2);
    agrees([0.2, -0.3], 0.0);
    agrees([0.0, 0.3], 0.0);
}

#[test]
fn nobody_said_anything() {
    let learned = learn(&[]);
    assert!(learned.specialists.is_empty() && learned.held.is_none() && learned.offsets().is_empty());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_offset_passes_its_bound(ratings in opinionated()) {
        for offset in learn(&ratings).offsets().into_values() {
            prop_assert!(offset.abs() <= OFFSET_MAX && offset != 0.0, "{offset}");
        }
    }

    /// As many voters as are needed before anything moves move nothing, however much they say.
    #[test]
    fn a_flood_from_few_moves_nothing(ratings in ratings(3, 1_000)) {
        prop_assert!(learn(&ratings).offsets().is_empty());
    }

    /// A thousand ratings of one voter, among what others say, move as little as one may.
    #[test]
    fn one_voter_among_others_moves_little(
        others in opinionated(),
        flood in prop::collection::vec((0..3_usize, 0.001..0.999, any::<bool>()), 1..1_000),
    ) {
        let before = agreed_on(&others);
        let flood = flood.into_iter().map(|(lead, share, right)| rating(1_000, lead, share, right));
        let after = agreed_on(&others.into_iter().chain(flood).collect::<Vec<_>>());
        for (id, offset) in &after {
            let moved = (offset - before.get(id).copied().unwrap_or_default()).abs();
            prop_assert!(moved <= VOTER_EFFECT_MAX + 1e-9, "{id} moved by {moved}");
        }
    }

    /// To say one thing a thousand times is to say it once.
    #[test]
    fn repeating_changes_nothing(others in opinionated(), lead in 0..3_usize, right: bool) {
        let with = |times: usize| {
            let said = std::iter::repeat_n(rating(1_000, lead, 0.8, right), times);
            agreed_on(&others.iter().cloned().chain(said).collect::<Vec<_>>())
        };
        let (once, often) = (with(1), with(1_000));
        for (id, offset) in &once {
            prop_assert!((offset - often[id]).abs() < 1e-9);
        }
    }

    /// What both halves agree on foretells the thumbs of either one better.
    #[test]
    fn what_is_agreed_on_improves_both_halves(ratings in opinionated()) {
        let learned = learn(&ratings);
        let (first, second) = ratings.iter().partition(|rating| rating.voter[0].is_multiple_of(2));
        for half in [first, second].map(Half::fit) {
            for (id, led) in by_lead(&half.ratings) {
                let offset = learned.specialists.iter().find(|told| told.id == *id).unwrap().offset;
                let loss = |offset: f64| {
                    let odds = |rating: &&Rating| {
                        let odds = rating.log_odds(&Offsets::new()) + half.mood + offset;
                        softplus(if rating.right { -odds } else { odds })
                    };
                    by_voter(&led).values().map(|voter| mean(voter, odds)).sum::<f64>()
                };
                prop_assert!(offset == 0.0 || loss(offset) < loss(0.0), "{id} {offset}");
            }
        }
    }
}
