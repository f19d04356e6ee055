//! Rows by the nearest of a few centers (an inverted file, Jégou, Douze & Schmid 2011).
//!
//! The graph of `hnsw_rs` enters from one point and takes one hop a layer, so that it can miss a group
//! of rows that lies apart: all the prototypes of one domain, say, or a text that many share. Such a
//! group is what cells find best. Rows between the centers are what the graph finds best.

use proto::{UnitVector, space::dot};

use crate::{
    kmeans::{nearest, spherical},
    rows::Rows,
};

/// Rows that the centers are learned from, for each center.
const SAMPLE: usize = 32;

/// Cells looked into at a search: with half as many, rows in groups lose some of their nearest.
const PROBES: usize = 8;

/// The rows, each in one cell, about as many cells as rows in each.
pub(crate) struct Cells {
    centers: Vec<UnitVector>,
    /// Rows of each center's cell.
    members: Vec<Vec<usize>>,
}

impl Cells {
    /// The cells of all rows, the same for the same rows.
    pub(crate) fn build(rows: &Rows) -> Self {
        let count = rows.len().isqrt();
        let stride = (rows.len() / (SAMPLE * count).max(1)).max(1);
        let sample: Vec<_> = (0..rows.len())
            .step_by(stride)
            .filter_map(|row| UnitVector::scale(rows.get(row).to_vec()))
            .collect();
        let clusters = spherical(&sample, count, 1);
        let centers: Vec<_> = clusters.into_iter().map(|cluster| cluster.center).collect();
        let mut members = vec![Vec::new(); centers.len()];
        for row in 0..rows.len() {
            members[nearest(rows.get(row), &centers)].push(row);
        }
        Self { centers, members }
    }

    /// The rows of the cells nearest to `query`.
    pub(crate) fn near(&self, query: &UnitVector) -> impl Iterator<Item = usize> {
        let similarities = self.centers.iter().map(|center| dot(query.as_slice(), center.as_slice()));
        let mut cells: Vec<_> = similarities.zip(&self.members).collect();
        cells.sort_by(|a, b| b.0.total_cmp(&a.0));
        cells.into_iter().take(PROBES).flat_map(|(_, members)| members.iter().copied())
    }
}
