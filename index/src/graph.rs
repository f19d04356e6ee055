//! A navigable small-world graph over rows (Malkov & Yashunin 2018), as `hnsw_rs` builds it.

use std::sync::Arc;

use hnsw_rs::prelude::{Distance, Hnsw};
use proto::{UnitVector, space::dot};

use crate::rows::Rows;

/// Links of a point in each layer (M).
const LINKS_MAX: usize = 16;

/// Candidates looked at for the links of a new point (efConstruction).
const BUILD_CANDIDATES: usize = 200;

/// Least number of candidates kept during a search (ef).
const SEARCH_CANDIDATES_MIN: usize = 64;

/// Layers, as many as `hnsw_rs` allows.
const LAYERS_MAX: usize = 16;

// `hnsw_rs` ends the process where there are more.
const _: () = assert!(LINKS_MAX <= 256);

/// The rows' neighbourhoods.
pub(crate) struct Graph(Hnsw<'static, Point, Angle>);

impl Graph {
    /// The graph of all rows. They are inserted one by one in order: in parallel, no two builds would
    /// be alike.
    pub(crate) fn build(rows: &Arc<Rows>) -> Self {
        let angle = Angle(Arc::clone(rows));
        let graph = Hnsw::new(LINKS_MAX, rows.len(), LAYERS_MAX, BUILD_CANDIDATES, angle);
        for row in 0..rows.len() {
            graph.insert((&[Point::Row(row)], row));
        }
        Self(graph)
    }

    /// About the `k` rows nearest to `query`, best first; seldom fewer.
    pub(crate) fn nearest(&self, query: &UnitVector, k: usize) -> Vec<usize> {
        let candidates = (2 * k).max(SEARCH_CANDIDATES_MIN);
        let found = self.0.search(&[Point::Query(query.clone())], k, candidates);
        found.into_iter().map(|neighbour| neighbour.d_id).collect()
    }
}

/// What `hnsw_rs` copies into its points. It gets row numbers in place of numbers, so that the
/// vectors are in memory once.
#[derive(Clone)]
enum Point {
    Row(usize),
    Query(UnitVector),
}

/// One minus the cosine: 0 to 2.
struct Angle(Arc<Rows>);

impl Angle {
    fn values<'a>(&'a self, point: &'a [Point]) -> &'a [f32] {
        match point {
            [Point::Row(row)] => self.0.get(*row),
            [Point::Query(query)] => query.as_slice(),
            _ => &[],
        }
    }
}

impl Distance<Point> for Angle {
    fn eval(&self, a: &[Point], b: &[Point]) -> f32 {
        // `hnsw_rs` asserts that no distance is negative, as rounding would make some.
        (1.0 - dot(self.values(a), self.values(b))).max(0.0)
    }
}
