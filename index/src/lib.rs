//! The nearest of many unit vectors, and clusters of them.
//!
//! An [`Index`] is never changed: [`Index::with_changes`] makes a new one that shares the old base
//! and keeps newcomers and tombstones beside it, so that a change costs little and readers of the
//! old one notice nothing. When an index is worn, its owner rebuilds it. This crate starts no thread
//! and stores no file; it does not know what its keys stand for.

mod cells;
mod graph;
pub mod kmeans;
mod rows;
#[cfg(test)]
mod tests;

use std::{
    collections::{HashMap, HashSet},
    fmt::{self, Debug, Formatter},
    hash::Hash,
    sync::Arc,
};

use proto::{UnitVector, space::dot};

use crate::{cells::Cells, graph::Graph, rows::Rows};

/// Entries up to which the base is scanned: as fast as a graph there, and it cannot miss.
pub const EXACT_MAX: usize = 10_000;

/// Newcomers that are scanned beside any base, however small, before the index counts as worn.
const DELTA_FLOOR: usize = 1_000;

/// Rows fetched from the graph in place of dead ones. Where too few of all that was found live, the
/// scan takes over.
const OVERFETCH_MAX: usize = 256;

/// Rows fetched from the graph in all: whoever wants more waits for the scan.
const FETCH_MAX: usize = 1_024;

/// What an entry is known by.
pub trait Key: Copy + Ord + Hash + Debug + Send + Sync + 'static {}

impl<K: Copy + Ord + Hash + Debug + Send + Sync + 'static> Key for K {}

/// An entry near a query.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit<K> {
    /// Which entry.
    pub key: K,
    /// Cosine with the query, -1 to 1.
    pub similarity: f32,
}

/// Why an index could not be built, changed or searched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndexError {
    /// Vectors without numbers cannot be compared.
    #[error("an index needs a dimension of at least 1")]
    NoDimension,
    /// The vector is of another space.
    #[error("the vector has {found} numbers, where the index has {expected}")]
    Dimension {
        /// Numbers in a vector of the index.
        expected: usize,
        /// Numbers in the vector that was given.
        found: usize,
    },
    /// Two of the entries have this key.
    #[error("two entries have the key {0}")]
    Duplicate(String),
}

impl IndexError {
    fn duplicate<K: Key>(key: K) -> Self {
        Self::Duplicate(format!("{key:?}"))
    }
}

/// Vectors of one dimension under distinct keys. Cheap to clone.
#[derive(Clone)]
pub struct Index<K> {
    base: Arc<Base<K>>,
    /// Rows of the base that are no longer entries.
    dead: Arc<HashSet<usize>>,
    /// Entries that came after the base; no key lives both here and in the base.
    delta: Arc<Vec<(K, UnitVector)>>,
}

/// What snapshots share.
struct Base<K> {
    /// One for each row.
    keys: Vec<K>,
    /// The inverse of `keys`.
    positions: HashMap<K, usize>,
    rows: Arc<Rows>,
    /// Where there are more than `exact_max` rows.
    shortcuts: Option<Shortcuts>,
    exact_max: usize,
}

/// What spares the scan. Each finds what the other is prone to miss.
struct Shortcuts {
    graph: Graph,
    cells: Cells,
}

impl Shortcuts {
    fn build(rows: &Arc<Rows>) -> Self {
        Self { graph: Graph::build(rows), cells: Cells::build(rows) }
    }

    /// Rows among which are about the `k` nearest to `query`, each once, in no order.
    fn near(&self, query: &UnitVector, k: usize) -> Vec<usize> {
        let mut rows = self.graph.nearest(query, k);
        rows.extend(self.cells.near(query));
        rows.sort_unstable();
        rows.dedup();
        rows
    }
}

impl<K: Key> Index<K> {
    /// An index of `entries`, which have distinct keys and vectors of `dimension` numbers (at least
    /// 1). Up to [`EXACT_MAX`] entries are scanned at each search; above that they become a graph,
    /// which takes seconds to minutes to build. The same entries in the same order give the same
    /// index.
    pub fn build(dimension: usize, entries: Vec<(K, UnitVector)>) -> Result<Self, IndexError> {
        Self::build_with(dimension, entries, EXACT_MAX)
    }

    pub(crate) fn build_with(
        dimension: usize,
        entries: Vec<(K, UnitVector)>,
        exact_max: usize,
    ) -> Result<Self, IndexError> {
        if dimension == 0 {
            return Err(IndexError::NoDimension);
        }
        let mut keys = Vec::with_capacity(entries.len());
        let mut rows = Rows::with_capacity(dimension, entries.len());
        for (key, vector) in entries {
            keys.push(key);
            rows.push(same_dimension(dimension, &vector)?);
        }
        Self::from_rows(keys, rows, exact_max)
    }

    fn from_rows(keys: Vec<K>, rows: Rows, exact_max: usize) -> Result<Self, IndexError> {
        let mut positions = HashMap::with_capacity(keys.len());
        for (row, key) in keys.iter().enumerate() {
            if positions.insert(*key, row).is_some() {
                return Err(IndexError::duplicate(*key));
            }
        }
        let rows = Arc::new(rows);
        let shortcuts = (keys.len() > exact_max).then(|| Shortcuts::build(&rows));
        Ok(Self {
            base: Arc::new(Base { keys, positions, rows, shortcuts, exact_max }),
            dead: Arc::default(),
            delta: Arc::default(),
        })
    }

    /// The `k` nearest to `query` by cosine, best first, equal similarities by key; all of them where
    /// there are fewer. Exact while the base is scanned; above [`EXACT_MAX`] a near one may be missed.
    pub fn search(&self, query: &UnitVector, k: usize) -> Result<Vec<Hit<K>>, IndexError> {
        let values = same_dimension(self.dimension(), query)?;
        let mut hits = self.search_base(query, k);
        hits.extend(self.delta.iter().map(|(key, vector)| hit(*key, values, vector.as_slice())));
        Ok(best(hits, k))
    }

    /// Hits among the living rows of the base, in any order, the `k` best among them.
    fn search_base(&self, query: &UnitVector, k: usize) -> Vec<Hit<K>> {
        let base = &*self.base;
        let wanted = k.min(base.keys.len() - self.dead.len());
        if wanted == 0 {
            return Vec::new();
        }
        let living = |row: &usize| !self.dead.contains(row);
        let hit = |row: usize| hit(base.keys[row], query.as_slice(), base.rows.get(row));

        let fetch = wanted + self.dead.len().min(OVERFETCH_MAX);
        if let Some(shortcuts) = &base.shortcuts
            && fetch <= FETCH_MAX
        {
            let hits: Vec<_> = shortcuts.near(query, fetch).into_iter().filter(living).map(hit).collect();
            // Too few where the dead crowd round the query.
            if hits.len() >= wanted {
                return hits;
            }
        }
        (0..base.keys.len()).filter(living).map(hit).collect()
    }

    /// A new index without `removed` and with `added`; this one stays as it is. Unknown keys in
    /// `removed` are ignored, a key in `added` replaces the entry that it names, and a key in both is
    /// added. The keys in `added` are distinct. Costs as much as the delta is long, not a build.
    pub fn with_changes(&self, removed: &[K], added: Vec<(K, UnitVector)>) -> Result<Self, IndexError> {
        let mut gone = HashSet::with_capacity(removed.len() + added.len());
        for (key, vector) in &added {
            same_dimension(self.dimension(), vector)?;
            if !gone.insert(*key) {
                return Err(IndexError::duplicate(*key));
            }
        }
        gone.extend(removed);

        let mut dead = HashSet::clone(&self.dead);
        dead.extend(gone.iter().filter_map(|key| self.base.positions.get(key)));
        let kept = self.delta.iter().filter(|(key, _)| !gone.contains(key)).cloned();
        let delta = kept.chain(added).collect();
        Ok(Self { base: Arc::clone(&self.base), dead: Arc::new(dead), delta: Arc::new(delta) })
    }

    /// Whether it is time to rebuild: more than 10 % of the base is dead, or the delta is longer than
    /// 1,000 entries and 10 % of the base.
    pub fn is_worn(&self) -> bool {
        let tenth = self.base.keys.len() / 10;
        self.dead.len() > tenth || self.delta.len() > tenth.max(DELTA_FLOOR)
    }

    /// The same entries in a fresh base. Costs a build.
    pub fn rebuilt(&self) -> Result<Self, IndexError> {
        let mut keys = Vec::with_capacity(self.len());
        let mut rows = Rows::with_capacity(self.dimension(), self.len());
        for (row, key) in self.base.keys.iter().enumerate() {
            if !self.dead.contains(&row) {
                keys.push(*key);
                rows.push(self.base.rows.get(row));
            }
        }
        for (key, vector) in self.delta.iter() {
            keys.push(*key);
            rows.push(vector.as_slice());
        }
        Self::from_rows(keys, rows, self.base.exact_max)
    }

    /// Number of entries.
    pub fn len(&self) -> usize {
        self.base.keys.len() - self.dead.len() + self.delta.len()
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Numbers in a vector, at least 1.
    pub fn dimension(&self) -> usize {
        self.base.rows.dimension()
    }
}

impl<K> Debug for Index<K> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.debug_struct("Index")
            .field("dimension", &self.base.rows.dimension())
            .field("base", &self.base.keys.len())
            .field("dead", &self.dead.len())
            .field("delta", &self.delta.len())
            .finish_non_exhaustive()
    }
}

fn same_dimension(expected: usize, vector: &UnitVector) -> Result<&[f32], IndexError> {
    let values = vector.as_slice();
    if values.len() == expected {
        Ok(values)
    } else {
        Err(IndexError::Dimension { expected, found: values.len() })
    }
}

fn hit<K>(key: K, query: &[f32], values: &[f32]) -> Hit<K> {
    // Rounding can carry the product of unit vectors past one.
    Hit { key, similarity: dot(query, values).clamp(-1.0, 1.0) }
}

/// The `k` best of `hits`, best first.
fn best<K: Key>(mut hits: Vec<Hit<K>>, k: usize) -> Vec<Hit<K>> {
    let order = |a: &Hit<K>, b: &Hit<K>| b.similarity.total_cmp(&a.similarity).then(a.key.cmp(&b.key));
    if k < hits.len() {
        // Most of a scan is never returned, so only the rest is sorted.
        hits.select_nth_unstable_by(k, order);
        hits.truncate(k);
    }
    hits.sort_unstable_by(order);
    hits
}
