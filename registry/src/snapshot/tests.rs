//! A snapshot that was changed is the one that would have been made anew.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proto::{Digest, Pooling, Prototype, Prototypes, UnitVector};

use super::*;

fn space(name: &str) -> Arc<Space> {
    let weights = Digest::of(name);
    Arc::new(Space {
        encoder: name.into(),
        weights,
        pooling: Pooling::Mean,
        prefix: String::new(),
        dimension: 2,
    })
}

/// A direction in the plane.
fn vector(degrees: u16) -> UnitVector {
    let angle = f32::from(degrees).to_radians();
    UnitVector::scale(vec![angle.cos(), angle.sin()]).unwrap()
}

fn registration(id: &str, space: &Space, degrees: &[u16], enabled: bool) -> Arc<Registration> {
    let point = |degrees: &u16| Prototype { vector: vector(*degrees), passage_count: 5 };
    let points = degrees.iter().map(point).collect();
    let prototypes = Prototypes { space: space.clone(), points, revision: "1".into() };
    Arc::new(Registration { enabled, ..Registration::made_up(id, prototypes).unwrap() })
}

/// Who is near, with cosines, best first.
fn near(snapshot: &Snapshot, degrees: u16) -> Vec<(String, f32)> {
    let question = Embedding { space: snapshot.space().clone(), vector: vector(degrees) };
    let hits = snapshot.nearest(&question, 100).unwrap();
    hits.iter().map(|hit| (snapshot.owner(hit.key.slot).unwrap().id().to_string(), hit.similarity)).collect()
}

#[test]
fn vectors_of_another_space_are_refused() {
    let snapshot = Snapshot::empty(space("a")).unwrap();
    let other = space("b");
    let question = Embedding { space: other.clone(), vector: vector(0) };
    assert!(matches!(snapshot.nearest(&question, 1), Err(SnapshotError::OtherSpace { .. })));
    let foreign = registration("x", &other, &[0], true);
    assert!(matches!(snapshot.with(foreign), Err(SnapshotError::OtherSpace { .. })));
}

#[test]
fn a_change_of_health_costs_no_new_slot() {
    let here = space("a");
    let one = registration("x", &here, &[0], true);
    let before = Snapshot::empty(here).unwrap().with(one.clone()).unwrap();
    let after = before.with(Arc::new(Registration { healthy: false, ..Registration::clone(&one) })).unwrap();
    assert_eq!(after.slot_next, before.slot_next);
    assert!(!after.get(one.id()).unwrap().healthy);
    assert_eq!(near(&after, 0), near(&before, 0));
}

#[derive(Debug, Clone)]
enum Step {
    With { id: usize, degrees: Vec<u16>, enabled: bool },
    Without { id: usize },
    Rebuild,
}

fn step() -> impl Strategy<Value = Step> {
    let with = (0..4_usize, prop::collection::vec(0..360_u16, 1..4), any::<bool>());
    prop_oneof![
        4 => with.prop_map(|(id, degrees, enabled)| Step::With { id, degrees, enabled }),
        1 => (0..4_usize).prop_map(|id| Step::Without { id }),
        1 => Just(Step::Rebuild),
    ]
}

proptest! {
    #[test]
    fn whatever_happened_only_the_last_state_counts(steps in prop::collection::vec(step(), 0..20)) {
        let here = space("a");
        let mut snapshot = Snapshot::empty(here.clone()).unwrap();
        let mut standing = BTreeMap::new();
        // A rebuild is made of an older snapshot, as it is in the background.
        let mut older = snapshot.clone();
        for step in steps {
            match step {
                Step::With { id, degrees, enabled } => {
                    let one = registration(&format!("s{id}"), &here, &degrees, enabled);
                    older = snapshot.clone();
                    snapshot = snapshot.with(one.clone()).unwrap();
                    standing.insert(one.id().clone(), one);
                }
                Step::Without { id } => {
                    let id = format!("s{id}").parse().unwrap();
                    snapshot = snapshot.without(&id).unwrap();
                    standing.remove(&id);
                }
                Step::Rebuild => snapshot = snapshot.over(&older.rebuilt().unwrap()).unwrap(),
            }
        }
        let mut anew = Snapshot::empty(here).unwrap();
        for one in standing.values() {
            anew = anew.with(one.clone()).unwrap();
        }
        prop_assert_eq!(snapshot.members().len(), standing.len());
        let sorted = |mut near: Vec<(String, f32)>| {
            near.sort_by(|a, b| b.1.total_cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
            near
        };
        prop_assert_eq!(sorted(near(&snapshot, 17)), sorted(near(&anew, 17)));
    }
}
