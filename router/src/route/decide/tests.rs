//! The decision as a table.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroUsize,
};

use prost::Message;
use proto::{
    AskOptions, Digest, Embedding, Pooling, Prototype, Prototypes, PublishedCard, Space, SpecialistId,
    UnitVector, wire,
};
use registry::Snapshot;

use super::{
    super::{ByEvidence, ByPrototypes, Calibration, FilledIn, Line, OFFSET_MAX, Policy, Seen, Strength},
    *,
};

const POLICY: Policy = Policy {
    specialists_max: 3,
    hits_max: 64,
    probes_max: 4,
    probe_window: 0.2,
    probe_ms: 50,
    general: None,
    languages: Vec::new(),
};

const FLAT: Line = Line { offset: 0.0, slope: 0.0 };

/// Refused is who is less than 0.3 above half of the background; a probe's nearness stands for the score.
static CALIBRATION: Calibration = Calibration {
    temperature: 0.05,
    confidence_min: 0.5,
    miss_max: 0.8,
    by_prototypes: ByPrototypes { slope: 1_000.0, background_weight: 0.5, offset: -300.0 },
    by_evidence: ByEvidence {
        nearness: 100.0,
        covered: 0.0,
        titled: 0.0,
        familiar: 0.0,
        background: -50.0,
        terms: 0.0,
        offset: -30.0,
    },
    strength: Strength { nearness: 20.0, covered: 0.0, titled: 0.0, familiar: 0.0 },
    filled_in: FilledIn {
        nearness: Line { offset: 0.0, slope: 1.0 },
        covered: FLAT,
        titled: FLAT,
        familiar: FLAT,
    },
    offsets: BTreeMap::new(),
    fitted: None,
};

/// Specialists a, b, c ... as many as `count`, all at one point; those in `disabled` are.
fn fleet(count: usize, disabled: &str) -> Snapshot {
    let space = Space {
        encoder: "test".into(),
        weights: Digest::of("test"),
        pooling: Pooling::Mean,
        prefix: String::new(),
        dimension: 1,
    };
    let mut snapshot = Snapshot::empty(Arc::new(space.clone())).unwrap();
    for name in ('a'..='z').take(count) {
        let vector = UnitVector::scale(vec![1.0]).unwrap();
        let points = vec![Prototype { vector, passage_count: 5 }];
        let prototypes = Prototypes { space: space.clone(), points, revision: "1".into() };
        let registration = Registration::made_up(&name.to_string(), prototypes).unwrap();
        let registration = Registration { enabled: !disabled.contains(name), ..registration };
        snapshot = snapshot.with(Arc::new(registration)).unwrap();
    }
    snapshot
}

fn ids(ids: &str) -> Vec<SpecialistId> {
    ids.chars().map(|id| id.to_string().parse().unwrap()).collect()
}

/// Decides over specialists a, b, c ... with `scores` and a background at 0.2, and says what becomes
/// of each, best first.
#[track_caller]
fn decides(scores: &[f32], options: &AskOptions, disabled: &str, expected: &str) {
    decides_among(&fleet(scores.len(), disabled), scores, options, "", expected);
}

#[track_caller]
fn decides_among(snapshot: &Snapshot, scores: &[f32], options: &AskOptions, ejected: &str, expected: &str) {
    decides_by(&POLICY, snapshot, scores, options, ejected, expected);
}

/// What a question at the one point finds, had the prototypes of a, b, c ... these `scores`.
fn survey(case: &Case<'_>, scores: &[f32]) -> Survey {
    let space = case.snapshot.space().clone();
    let everywhere = Embedding { space, vector: UnitVector::scale(vec![1.0]).unwrap() };
    let hits = case.nearest(&everywhere).unwrap();
    let score = |slot: Slot| {
        let id = case.snapshot.owner(slot).unwrap().id();
        scores[usize::from(id.as_str().as_bytes()[0] - b'a')]
    };
    let scores = hits.into_iter().map(|hit| (hit.key.slot, score(hit.key.slot))).collect();
    Survey { scores, seen: Seen { background: 0.2, terms: 3 } }
}

#[track_caller]
fn decides_by(
    policy: &Policy,
    snapshot: &Snapshot,
    scores: &[f32],
    options: &AskOptions,
    ejected: &str,
    expected: &str,
) {
    let ejected = ids(ejected).into_iter().collect();
    let case = Case { policy, calibration: &CALIBRATION, options, snapshot, ejected: &ejected };
    let decision = case.decide(&survey(&case, scores), &Shown::new());
    let verdict = match &decision.verdict {
        Verdict::Ask { .. } if decision.general => "general".to_owned(),
        Verdict::Ask { asked, reserves } => format!("{asked:?} {reserves:?}"),
        Verdict::Abstain => "abstain".to_owned(),
    };
    let statuses = decision.candidates.iter().map(|c| format!(" {}={:?}", c.registration.id(), c.status));
    assert_eq!(format!("{verdict}:{}", statuses.collect::<String>()), expected);
}

fn any() -> AskOptions {
    AskOptions::default()
}

#[test]
fn nobody_is_there() {
    decides(&[], &any(), "", "abstain:");
}

#[test]
fn nobody_is_near() {
    decides(&[0.39, 0.38], &any(), "", "abstain: a=BelowThreshold b=BelowThreshold");
}

#[test]
fn one_is_clearly_the_nearest() {
    decides(&[0.41, 0.9], &any(), "", "[0] [1]: b=Asked a=Outranked");
}

/// A score of 0.4 has a confidence of 0.5 here, and 0.403 one of 0.95.
#[test]
fn nobody_stands_in_who_hardly_covers_it() {
    decides(&[0.401, 0.9], &any(), "", "[0] []: b=Asked a=Outranked");
}

#[test]
fn two_are_close() {
    decides(&[0.8, 0.81, 0.3], &any(), "", "[0, 1] []: b=Asked a=Asked c=BelowThreshold");
}

#[test]
fn no_more_are_asked_than_the_policy_allows() {
    let expected = "[0, 1, 2] []: a=Asked b=Asked c=Asked d=Outranked e=Outranked";
    decides(&[0.8, 0.8, 0.8, 0.8, 0.8], &any(), "", expected);
}

#[test]
fn no_more_are_asked_than_the_asker_wants_not_even_in_turn() {
    let one = AskOptions { specialists_max: NonZeroUsize::new(1), ..any() };
    decides(&[0.8, 0.81], &one, "", "[0] []: b=Asked a=Outranked");
    let many = AskOptions { specialists_max: NonZeroUsize::new(9), ..any() };
    decides(&[0.8; 4], &many, "", "[0, 1, 2] []: a=Asked b=Asked c=Asked d=Outranked");
}

#[test]
fn who_is_disabled_or_excluded_is_listed_and_not_asked() {
    decides(&[0.9, 0.8], &any(), "a", "[0] []: b=Asked a=Disabled");
    let exclude = AskOptions { exclude: ids("a"), ..any() };
    decides(&[0.9, 0.8], &exclude, "", "[0] []: b=Asked a=Excluded");
}

#[test]
fn who_is_pinned_is_asked_whatever_its_score() {
    let pinned = AskOptions { only: ids("b"), ..any() };
    decides(&[0.9, 0.0], &pinned, "", "[0] []: b=Asked a=Excluded");
    decides(&[0.9, 0.0], &pinned, "b", "abstain: a=Excluded b=Disabled");
    // Two are a choice, not a pin.
    decides(
        &[0.9, 0.0, 0.0],
        &AskOptions { only: ids("bc"), ..any() },
        "",
        "abstain: b=BelowThreshold c=BelowThreshold a=Excluded",
    );
}

#[test]
fn who_failed_too_often_is_passed_over_unless_nobody_else_is_likely() {
    let fleet = fleet(3, "");
    decides_among(&fleet, &[0.8, 0.81, 0.6], &any(), "b", "[1] [2]: b=CircuitOpen a=Asked c=Outranked");
    // The last of its domain is asked all the same, and the others stay in reserve.
    decides_among(&fleet, &[0.42, 0.9, 0.42], &any(), "b", "[0] [1, 2]: b=Asked a=Outranked c=Outranked");
    decides_among(&fleet, &[0.5, 0.9, 0.5], &any(), "bc", "[0] [1]: b=Asked a=Outranked c=CircuitOpen");
    decides_among(&fleet, &[0.8, 0.81, 0.3], &any(), "ab", "[0, 1] []: b=Asked a=Asked c=BelowThreshold");
}

/// A fleet of three in which the cards of those in `ids` are changed.
fn changed(snapshot: &Snapshot, names: &str, change: impl Fn(&mut wire::Card)) -> Snapshot {
    let mut snapshot = snapshot.clone();
    for id in ids(names) {
        let registration = snapshot.get(&id).unwrap();
        let mut card = wire::Card::decode(registration.card.bytes()).unwrap();
        change(&mut card);
        let card = Arc::new(PublishedCard::publish(&card).unwrap());
        let registration = Registration { card, ..Registration::clone(registration) };
        snapshot = snapshot.with(Arc::new(registration)).unwrap();
    }
    snapshot
}

/// A fleet of three in which those in `asking` ask for consent.
fn asking(asking: &str) -> Snapshot {
    changed(&fleet(3, ""), asking, |card| card.asks_consent = true)
}

/// Whom a question probes that gives these `scores` to a fleet whose indexes may all be probed, but `off`'s.
#[track_caller]
fn probes(scores: &[f32], options: &AskOptions, off: &str, ejected: &str, expected: &str) {
    let snapshot =
        changed(&fleet(scores.len(), ""), off, |card| card.set_probing(wire::Probing::Unspecified));
    let snapshot = changed(&snapshot, "b", |card| card.asks_consent = true);
    let ejected: BTreeSet<SpecialistId> = ids(ejected).into_iter().collect();
    let case =
        Case { policy: &POLICY, calibration: &CALIBRATION, options, snapshot: &snapshot, ejected: &ejected };
    let slots = case.probes(&survey(&case, scores));
    let probed: Vec<&str> = slots.iter().map(|slot| snapshot.owner(*slot).unwrap().id().as_str()).collect();
    assert_eq!(probed.concat(), expected);
}

#[test]
fn who_is_near_the_best_is_probed() {
    let agreed = AskOptions { consent: ids("b"), ..any() };
    probes(&[0.5, 0.6, 0.45], &agreed, "", "", "bac");
    // The last one is too far from the best, and five are one too many.
    probes(&[0.5, 0.6, 0.35], &agreed, "", "", "ba");
    probes(&[0.5; 5], &agreed, "", "", "abcd");
}

#[test]
fn nobody_is_probed_where_nothing_is_in_doubt_or_to_be_shown() {
    let agreed = AskOptions { consent: ids("b"), ..any() };
    // One is alone, and surely covers it; or it is not so sure.
    probes(&[0.9, 0.6], &agreed, "", "", "");
    probes(&[0.401, 0.1], &agreed, "", "", "a");
    // Surely nobody covers it.
    probes(&[0.2, 0.2], &agreed, "", "", "");
    // Without consent, whose card says no, who failed too often, and where the asker has chosen.
    probes(&[0.5, 0.6, 0.45], &any(), "", "", "ac");
    probes(&[0.5, 0.6, 0.45], &agreed, "c", "a", "b");
    probes(&[0.5, 0.6, 0.45], &AskOptions { only: ids("a"), ..any() }, "", "", "");
}

#[test]
fn what_a_probe_shows_counts_in_place_of_the_score() {
    let snapshot = fleet(3, "");
    let (options, ejected) = (any(), BTreeSet::new());
    let case = Case {
        policy: &POLICY,
        calibration: &CALIBRATION,
        options: &options,
        snapshot: &snapshot,
        ejected: &ejected,
    };
    let survey = survey(&case, &[0.6, 0.5, 0.45]);
    let slots: Vec<Slot> = snapshot.placed().map(|(slot, _)| slot).collect();
    let near = |nearness| Some(Evidence { nearness, wording: None });
    let shown = Shown::from([(slots[0], near(0.3)), (slots[1], near(0.9)), (slots[2], None)]);
    let decision = case.decide(&survey, &shown);
    let became = decision.candidates.iter().map(|c| (c.registration.id().as_str(), c.status, c.probed));
    let became: Vec<(&str, Status, Probed)> = became.collect();
    let expected = [
        ("b", Status::Asked, Probed::Showed(near(0.9).unwrap())),
        ("c", Status::Outranked, Probed::InVain),
        ("a", Status::BelowThreshold, Probed::Showed(near(0.3).unwrap())),
    ];
    assert_eq!(became, expected);
    assert!(decision.confidence > 0.99, "{}", decision.confidence);
}

#[test]
fn thumbs_decide_between_two_that_are_about_as_likely_and_nothing_else() {
    let snapshot = fleet(2, "");
    let (options, ejected) = (any(), BTreeSet::new());
    let decides = |scores: [f32; 2], offset: f32| {
        let b = ids("b").pop().unwrap();
        let calibration = Calibration { offsets: BTreeMap::from([(b, offset)]), ..CALIBRATION.clone() };
        let case = Case {
            policy: &POLICY,
            calibration: &calibration,
            options: &options,
            snapshot: &snapshot,
            ejected: &ejected,
        };
        let decision = case.decide(&survey(&case, &scores), &Shown::new());
        let best = decision.candidates[0].registration.id().to_string();
        let of = |id: &str| decision.candidates.iter().find(|c| c.registration.id().as_str() == id).unwrap();
        (best, (of("b").probability / of("a").probability).ln(), of("b").confidence, decision.verdict)
    };
    // The strength of 0.02 is 0.4.
    assert_eq!((decides([0.52, 0.5], 0.0).0, decides([0.52, 0.5], OFFSET_MAX).0), ("a".into(), "b".into()));
    assert_eq!(decides([0.55, 0.5], OFFSET_MAX).0, "a");
    assert!((decides([0.55, 0.5], 0.3).1 - decides([0.55, 0.5], 0.0).1 - 0.3).abs() < 1e-4);
    // What nobody covers is refused all the same, and what somebody covers is not.
    for scores in [[0.52, 0.5], [0.3, 0.35]] {
        let (_, _, confidence, verdict) = decides(scores, 0.0);
        for offset in [-OFFSET_MAX, OFFSET_MAX] {
            let (_, _, same, moved) = decides(scores, offset);
            assert!((same - confidence).abs() < f32::EPSILON);
            assert_eq!(moved == Verdict::Abstain, verdict == Verdict::Abstain);
        }
    }
}

#[test]
fn who_asks_for_consent_is_not_asked_without_it_not_even_in_reserve() {
    let scores = [0.9, 0.5, 0.5];
    let agreed = AskOptions { consent: ids("a"), ..any() };
    let pinned = AskOptions { only: ids("a"), ..any() };
    decides_among(&asking("a"), &scores, &any(), "", "[1] [2]: a=ConsentMissing b=Asked c=Outranked");
    decides_among(&asking("a"), &scores, &agreed, "", "[0] [1, 2]: a=Asked b=Outranked c=Outranked");
    decides_among(&asking("b"), &scores, &any(), "", "[0] [2]: a=Asked b=ConsentMissing c=Outranked");
    let all = "abstain: a=ConsentMissing b=ConsentMissing c=ConsentMissing";
    decides_among(&asking("abc"), &scores, &any(), "", all);
    // To name somebody is not to agree.
    decides_among(&asking("a"), &scores, &pinned, "", "abstain: a=ConsentMissing b=Excluded c=Excluded");
}

#[test]
fn the_general_specialist_is_asked_what_nobody_covers_and_nothing_else() {
    let policy = Policy { general: ids("c").pop(), ..POLICY };
    let decides = |snapshot: &Snapshot, scores: &[f32], options: &AskOptions, expected: &str| {
        decides_by(&policy, snapshot, scores, options, "", expected);
    };
    let far = [0.3, 0.2, 0.9];
    decides(&fleet(3, ""), &far, &any(), "general: a=BelowThreshold b=BelowThreshold c=Asked");
    // It takes no question from anybody, however near it is.
    decides(&fleet(3, ""), &[0.5, 0.2, 0.9], &any(), "[0] []: a=Asked b=BelowThreshold c=BelowThreshold");
    // Who is near but disabled does not cover it.
    decides(&fleet(3, "a"), &[0.5, 0.2, 0.9], &any(), "general: b=BelowThreshold a=Disabled c=Asked");
    let without = AskOptions { exclude: ids("c"), ..any() };
    decides(&fleet(3, ""), &far, &without, "abstain: a=BelowThreshold b=BelowThreshold c=Excluded");
    decides(&fleet(3, "c"), &far, &any(), "abstain: a=BelowThreshold b=BelowThreshold c=Disabled");
    // Pinned, it is asked like any other; another one that is pinned is not replaced by it.
    let pinned = |id| AskOptions { only: ids(id), ..any() };
    decides(&fleet(3, ""), &far, &pinned("c"), "[0] []: c=Asked a=Excluded b=Excluded");
    decides(&fleet(3, "a"), &far, &pinned("a"), "abstain: a=Disabled b=Excluded c=Excluded");
    // It asks for consent itself, or somebody who covers the question does.
    decides(&asking("c"), &far, &any(), "abstain: a=BelowThreshold b=BelowThreshold c=ConsentMissing");
    decides(
        &asking("a"),
        &[0.9, 0.2, 0.9],
        &any(),
        "abstain: a=ConsentMissing b=BelowThreshold c=BelowThreshold",
    );
}
