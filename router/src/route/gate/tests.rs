use std::sync::Arc;

use proto::{Digest, Embedding, Pooling, Prototype, Prototypes, Space};
use registry::{Registration, Snapshot};

use super::*;

fn vector(values: [f32; 3]) -> UnitVector {
    UnitVector::scale(values.to_vec()).unwrap()
}

/// A vector with this cosine to the first axis.
fn near(cosine: f32) -> UnitVector {
    vector([cosine, (1.0 - cosine * cosine).sqrt(), 0.0])
}

#[track_caller]
fn says(question: &str, cosine: f32, expected: HistoryReason) {
    let history = Gate::default().follows(question, &near(cosine), &[near(1.0)], Some(0.05));
    assert_eq!(history.reason, expected, "{question} at {cosine}");
    assert!((history.cosine.unwrap() - cosine).abs() < 1e-6);
    assert_eq!(history.margin, Some(0.05));
}

const STANDS_ALONE: &str = "How much may the rent of my flat go up each year?";

#[test]
fn what_lies_near_follows_whatever_its_words() {
    says(STANDS_ALONE, 0.3, HistoryReason::FollowsByCosine);
    says("and for infants?", 0.3, HistoryReason::FollowsByCosine);
}

#[test]
fn what_points_back_follows_unless_it_lies_on_the_other_side() {
    for question in ["and for infants?", "When?", "What happens if I do not pay IT in time?", "儿童呢"] {
        says(question, 0.1, HistoryReason::FollowsByWords);
        says(question, -0.1, HistoryReason::Unrelated);
    }
}

#[test]
fn anything_else_is_about_something_else() {
    const BELOW: f32 = 0.14;
    says(STANDS_ALONE, BELOW, HistoryReason::Unrelated);
    // "iterate" is not "it".
    says("How do I iterate over a vector?", BELOW, HistoryReason::Unrelated);
}

#[test]
fn newer_turns_weigh_more() {
    let (old, new) = (vector([1.0, 0.0, 0.0]), vector([0.0, 1.0, 0.0]));
    let cosine = |question: &UnitVector| {
        let history = Gate::default().follows("?", question, &[old.clone(), new.clone()], None);
        history.cosine.unwrap()
    };
    assert!((cosine(&old) / cosine(&new) - DECAY).abs() < 1e-6);
}

#[test]
fn a_clear_lead_needs_no_earlier_turn() {
    let gate = Gate::default();
    assert_eq!(
        gate.clear(Some(gate.margin_min)).map(|history| (history.reason, history.used())),
        Some((HistoryReason::ClearAlone, false))
    );
    assert_eq!((gate.clear(Some(gate.margin_min - 0.01)), gate.clear(None)), (None, None));
}

/// The hits of a fleet whose specialists have prototypes with these cosines to the question.
fn hits(fleet: &[&[f32]], hits_max: usize) -> Vec<Hit<PrototypeKey>> {
    let space = Arc::new(Space {
        encoder: "test".into(),
        weights: Digest::of(b"test"),
        pooling: Pooling::Mean,
        prefix: String::new(),
        dimension: 3,
    });
    let mut snapshot = Snapshot::empty(space.clone()).unwrap();
    for (at, cosines) in fleet.iter().enumerate() {
        let point = |cosine: &f32| Prototype { vector: near(*cosine), passage_count: 5 };
        let points = cosines.iter().map(point).collect();
        let prototypes = Prototypes { space: Space::clone(&space), points, revision: "1".into() };
        let registration = Registration::made_up(&format!("specialist-{at}"), prototypes).unwrap();
        snapshot = snapshot.with(Arc::new(registration)).unwrap();
    }
    snapshot.nearest(&Embedding { space, vector: near(1.0) }, hits_max).unwrap()
}

#[test]
fn the_margin_is_that_of_the_best_two() {
    let margin_of = |fleet: &[&[f32]], hits_max| margin(&hits(fleet, hits_max), hits_max);
    let two = margin_of(&[&[0.2], &[0.5], &[0.4]], 9).unwrap();
    assert!((two - 0.1).abs() < 1e-5, "{two}");
    assert_eq!(margin_of(&[&[0.5, 0.4]], 9), None, "nobody else is there");
    assert_eq!(margin_of(&[], 9), None);
    let others_are_far = margin_of(&[&[0.9, 0.8], &[0.1]], 2).unwrap();
    assert!(others_are_far >= 0.1, "{others_are_far}");
}
