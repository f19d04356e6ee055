//! Both searches and the clusters against naive ones.

use std::collections::{BTreeSet, HashMap};

use proptest::prelude::*;
use proto::{UnitVector, space::dot};

use crate::{Hit, Index, IndexError, kmeans::spherical};

/// Repeatable numbers from -1 to 1 (xorshift, Marsaglia 2003).
struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        f32::from(u16::try_from(self.0 >> 16).unwrap()) / 32_768.0 - 1.0
    }

    fn near(&mut self, center: &[f32], spread: f32) -> UnitVector {
        UnitVector::scale(center.iter().map(|x| x + spread * self.next()).collect()).unwrap()
    }

    /// `count` vectors of `dimension` numbers in groups round random centers, group by group.
    fn grouped(&mut self, dimension: usize, count: usize, groups: usize, spread: f32) -> Vec<UnitVector> {
        let centers: Vec<_> = (0..groups).map(|_| self.near(&vec![0.0; dimension], 1.0)).collect();
        (0..count).map(|i| self.near(centers[i * groups / count].as_slice(), spread)).collect()
    }
}

fn unit(values: &[f32]) -> UnitVector {
    UnitVector::scale(values.to_vec()).unwrap()
}

fn keyed(vectors: &[UnitVector]) -> Vec<(usize, UnitVector)> {
    vectors.iter().cloned().enumerate().collect()
}

fn keys(hits: &[Hit<usize>]) -> BTreeSet<usize> {
    hits.iter().map(|hit| hit.key).collect()
}

/// What a search should give: every entry measured in turn, one number at a time.
fn oracle(entries: &HashMap<usize, UnitVector>, query: &UnitVector, k: usize) -> Vec<Hit<usize>> {
    let mut hits: Vec<_> =
        entries.iter().map(|(key, vector)| Hit { key: *key, similarity: vector.cosine(query) }).collect();
    hits.sort_by(|a, b| b.similarity.total_cmp(&a.similarity).then(a.key.cmp(&b.key)));
    hits.truncate(k);
    hits
}

/// `found` has the similarities of `expected` in order, and each key has the similarity it claims.
/// Keys may differ where similarities are closer than rounding.
fn assert_same(
    found: &[Hit<usize>],
    expected: &[Hit<usize>],
    entries: &HashMap<usize, UnitVector>,
    query: &UnitVector,
) {
    assert_eq!(found.len(), expected.len());
    assert_eq!(keys(found).len(), found.len(), "a key twice");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found.similarity - expected.similarity).abs() < 1e-5, "{found:?}, not {expected:?}");
        assert!((found.similarity - entries[&found.key].cosine(query)).abs() < 1e-5, "{found:?}");
    }
}

const DIMENSION: usize = 19;

fn vector() -> impl Strategy<Value = UnitVector> {
    // A small grid, so that equal vectors and equal similarities are common.
    prop::collection::vec((-2_i8..=2).prop_map(f32::from), DIMENSION)
        .prop_filter_map("only zeros", UnitVector::scale)
}

fn entries(count_max: usize) -> impl Strategy<Value = Vec<(usize, UnitVector)>> {
    prop::collection::btree_map(0_usize..32, vector(), 0..=count_max)
        .prop_map(|map| map.into_iter().collect())
}

#[derive(Debug, Clone)]
enum Step {
    Change { removed: Vec<usize>, added: Vec<(usize, UnitVector)> },
    Rebuild,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (prop::collection::vec(0_usize..32, 0..12), entries(8))
            .prop_map(|(removed, added)| Step::Change { removed, added }),
        1 => Just(Step::Rebuild),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn changes_add_up_to_what_a_map_holds(
        start in entries(30),
        steps in prop::collection::vec(step(), 0..8),
        query in vector(),
        k in 0_usize..45,
        exact_max in prop_oneof![Just(0_usize), Just(20), Just(1_000)],
    ) {
        let mut model: HashMap<_, _> = start.iter().cloned().collect();
        let mut index = Index::build_with(DIMENSION, start, exact_max).unwrap();
        for step in steps {
            match step {
                Step::Change { removed, added } => {
                    model.retain(|key, _| !removed.contains(key));
                    model.extend(added.iter().cloned());
                    index = index.with_changes(&removed, added).unwrap();
                }
                Step::Rebuild => {
                    index = index.rebuilt().unwrap();
                    prop_assert!(!index.is_worn());
                }
            }
            prop_assert_eq!(index.len(), model.len());
            let found = index.search(&query, k).unwrap();
            assert_same(&found, &oracle(&model, &query, k), &model, &query);
        }
    }

    #[test]
    fn the_inner_product_is_the_naive_one(a in vector(), b in vector()) {
        prop_assert!((dot(a.as_slice(), b.as_slice()) - a.cosine(&b)).abs() < 1e-6);
    }

    #[test]
    fn clusters_are_large_enough_and_share_out_all(
        vectors in prop::collection::vec(vector(), 0..60),
        clusters_max in 0_usize..8,
        members_min in 0_usize..12,
    ) {
        let clusters = spherical(&vectors, clusters_max, members_min);
        prop_assert!(clusters.len() <= clusters_max);
        let none = clusters_max == 0 || vectors.len() < members_min.max(1);
        prop_assert_eq!(clusters.is_empty(), none);
        prop_assert!(clusters.iter().all(|cluster| cluster.members >= members_min.max(1)));
        let members: usize = clusters.iter().map(|cluster| cluster.members).sum();
        prop_assert_eq!(members, if none { 0 } else { vectors.len() });
        for cluster in &clusters {
            prop_assert!((cluster.center.cosine(&cluster.center) - 1.0).abs() < 1e-5);
        }
        prop_assert_eq!(clusters, spherical(&vectors, clusters_max, members_min));
    }
}

/// Mean share of the scan's ten nearest that the graph found too.
fn recall(graph: &Index<usize>, scan: &Index<usize>, queries: &[UnitVector]) -> f64 {
    let mut found = 0_u32;
    let mut expected = 0_u32;
    for query in queries {
        let near = keys(&graph.search(query, 10).unwrap());
        for hit in scan.search(query, 10).unwrap() {
            expected += 1;
            found += u32::from(near.contains(&hit.key));
        }
    }
    f64::from(found) / f64::from(expected)
}

#[test]
fn the_graph_finds_what_the_scan_finds() {
    let mut numbers = Numbers(7);
    let vectors = numbers.grouped(32, 2_000, 40, 0.2);
    let queries: Vec<_> = (0..200).map(|i| numbers.near(vectors[i * 10].as_slice(), 0.1)).collect();
    let graph = Index::build_with(32, keyed(&vectors), 100).unwrap();
    let scan = Index::build(32, keyed(&vectors)).unwrap();
    assert!(graph.base.shortcuts.is_some() && scan.base.shortcuts.is_none());
    let share = recall(&graph, &scan, &queries);
    assert!(share >= 0.95, "{share}");

    // Every third is gone and every fifth has moved, a whole group among them.
    let removed: Vec<_> = (0..2_000).filter(|key| key % 3 == 0 || *key < 350).collect();
    let moved = |key: &usize| (*key, vectors[(key + 700) % 2_000].clone());
    let added: Vec<_> = (0..2_000).step_by(5).map(|key| moved(&key)).collect();
    let graph = graph.with_changes(&removed, added.clone()).unwrap();
    let scan = scan.with_changes(&removed, added).unwrap();
    let share = recall(&graph, &scan, &queries);
    assert!(share >= 0.95, "{share}");
    for query in &queries {
        for k in [1, 10, 300, 1_500] {
            let hits = graph.search(query, k).unwrap();
            assert_eq!(hits.len(), k.min(graph.len()));
            assert_eq!(keys(&hits).len(), hits.len(), "a key twice");
            assert!(hits.iter().all(|hit| hit.key % 5 == 0 || !removed.contains(&hit.key)), "a dead key");
            assert!(hits.is_sorted_by(|a, b| a.similarity >= b.similarity));
        }
    }
}

/// What `hnsw_rs` alone loses: groups that lie apart, and vectors that many entries share.
#[test]
fn no_group_is_lost() {
    for (groups, spread, copies) in [(12, 0.05, 1), (12, 0.2, 1), (40, 0.1, 60)] {
        let mut numbers = Numbers(11);
        let mut vectors = numbers.grouped(32, 2_400, groups, spread);
        let queries: Vec<_> =
            vectors.iter().step_by(12).map(|v| numbers.near(v.as_slice(), spread)).collect();
        for row in 0..vectors.len() {
            vectors[row] = vectors[row / copies * copies].clone();
        }
        let graph = Index::build_with(32, keyed(&vectors), 100).unwrap();
        let scan = Index::build(32, keyed(&vectors)).unwrap();
        for query in &queries {
            let (near, nearest) = (graph.search(query, 10).unwrap(), scan.search(query, 10).unwrap());
            assert_eq!(near[0].similarity.to_bits(), nearest[0].similarity.to_bits(), "{groups} {spread}");
        }
    }
}

#[test]
fn the_same_entries_give_the_same_graph() {
    let vectors = Numbers(3).grouped(16, 500, 5, 0.3);
    let build = || Index::build_with(16, keyed(&vectors), 10).unwrap();
    let (one, other) = (build(), build());
    for query in &vectors {
        assert_eq!(one.search(query, 5), other.search(query, 5));
    }
}

#[test]
fn equal_vectors_come_by_key() {
    let same = unit(&[0.6, 0.8]);
    let index = Index::build(2, vec![(5, same.clone()), (1, same.clone()), (9, unit(&[1.0, 0.0]))]).unwrap();
    let index = index.with_changes(&[], vec![(3, same.clone())]).unwrap();
    let order: Vec<_> = index.search(&same, 10).unwrap().iter().map(|hit| hit.key).collect();
    assert_eq!(order, [1, 3, 5, 9]);
    assert_eq!(index.search(&same, 2).unwrap().iter().map(|hit| hit.key).collect::<Vec<_>>(), [1, 3]);
}

#[test]
fn a_graph_of_equal_vectors_is_complete() {
    let vectors = vec![unit(&[0.6, 0.8]); 300];
    let index = Index::build_with(2, keyed(&vectors), 10).unwrap();
    for k in [1, 100, 300, 500] {
        assert_eq!(index.search(&vectors[0], k).unwrap().len(), k.min(300));
    }
    assert_eq!(index.search(&unit(&[-0.6, -0.8]), usize::MAX).unwrap().len(), 300);
}

#[test]
fn a_wrong_dimension_is_an_error() {
    let (two, three) = (unit(&[1.0, 0.0]), unit(&[1.0, 0.0, 0.0]));
    let wrong = IndexError::Dimension { expected: 2, found: 3 };
    assert_eq!(Index::build(2, vec![(0, three.clone())]).unwrap_err(), wrong);
    for exact_max in [0, 10] {
        let index = Index::build_with(2, vec![(0, two.clone())], exact_max).unwrap();
        assert_eq!(index.search(&three, 1).unwrap_err(), wrong);
        assert_eq!(index.with_changes(&[], vec![(1, three.clone())]).unwrap_err(), wrong);
    }
    assert_eq!(Index::<u8>::build(0, Vec::new()).unwrap_err(), IndexError::NoDimension);
}

#[test]
fn a_key_given_twice_is_an_error() {
    let twice = vec![(7, unit(&[1.0, 0.0])), (7, unit(&[0.0, 1.0]))];
    let wrong = IndexError::Duplicate("7".into());
    assert_eq!(Index::build(2, twice.clone()).unwrap_err(), wrong);
    assert_eq!(Index::build(2, Vec::new()).unwrap().with_changes(&[], twice).unwrap_err(), wrong);
}

#[test]
fn an_empty_index_finds_nothing() {
    let query = unit(&[1.0, 0.0]);
    let index = Index::build(2, Vec::<(u8, _)>::new()).unwrap();
    assert!(index.is_empty() && !index.is_worn());
    assert_eq!(index.search(&query, 3), Ok(Vec::new()));

    let index = index.with_changes(&[4], vec![(1, query.clone())]).unwrap();
    assert_eq!((index.len(), index.dimension()), (1, 2));
    assert_eq!(index.search(&query, 0), Ok(Vec::new()));
    assert_eq!(index.search(&query, 3), Ok(vec![Hit { key: 1, similarity: 1.0 }]));
    assert!(index.with_changes(&[1], Vec::new()).unwrap().is_empty());
}

#[test]
fn a_worn_index_says_so() {
    let vectors = Numbers(5).grouped(4, 1_200, 3, 0.5);
    let index = Index::build(4, keyed(&vectors[..100])).unwrap();
    let without = |count: usize| index.with_changes(&(0..count).collect::<Vec<_>>(), Vec::new()).unwrap();
    assert!(!without(10).is_worn());
    assert!(without(11).is_worn());
    assert!(!without(11).rebuilt().unwrap().is_worn());

    let with = |to: usize| index.with_changes(&[], keyed(&vectors).drain(100..to).collect()).unwrap();
    assert!(!with(1_100).is_worn());
    assert!(with(1_101).is_worn());
}

#[test]
fn snapshots_travel_between_threads() {
    fn travels<T: Clone + Send + Sync + std::fmt::Debug + 'static>() {}
    travels::<Index<(u32, u32)>>();
}

#[test]
fn separated_groups_become_clusters() {
    for seed in 1..20 {
        let vectors = Numbers(seed).grouped(24, 240, 6, 0.05);
        let clusters = spherical(&vectors, 6, 5);
        assert_eq!(clusters.iter().map(|cluster| cluster.members).collect::<Vec<_>>(), [40; 6], "{seed}");
        for group in vectors.chunks(40) {
            let near = |center: &UnitVector| group.iter().all(|vector| vector.cosine(center) > 0.95);
            assert_eq!(clusters.iter().filter(|cluster| near(&cluster.center)).count(), 1, "{seed}");
        }
    }
}

#[test]
fn a_stray_is_given_company_by_the_nearest_cluster() {
    let mut vectors = vec![unit(&[1.0, 0.0, 0.0]); 6];
    vectors.extend(vec![unit(&[0.0, 1.0, 0.0]); 5]);
    vectors.push(unit(&[0.0, 0.5, 1.0]));
    let clusters = spherical(&vectors, 3, 3);
    let mut members: Vec<_> = clusters.iter().map(|cluster| cluster.members).collect();
    members.sort_unstable();
    assert_eq!(members, [3, 3, 6]);
    let stray = vectors.last().unwrap();
    assert!(clusters.iter().any(|cluster| cluster.center.cosine(stray) > 0.7));
}

#[test]
fn vectors_that_cancel_out_still_have_a_center() {
    let clusters = spherical(&[unit(&[1.0, 0.0]), unit(&[-1.0, 0.0])], 1, 2);
    assert_eq!(clusters.iter().map(|cluster| cluster.members).collect::<Vec<_>>(), [2]);
}
