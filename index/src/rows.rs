//! Vectors one after another in memory, as a scan wants them.

/// A matrix that grows by rows, each of `dimension` numbers.
pub(crate) struct Rows {
    dimension: usize,
    values: Vec<f32>,
}

impl Rows {
    /// No rows yet, and room for `rows` of them.
    pub(crate) fn with_capacity(dimension: usize, rows: usize) -> Self {
        Self { dimension, values: Vec::with_capacity(dimension * rows) }
    }

    /// Appends `row`, of `dimension` numbers.
    pub(crate) fn push(&mut self, row: &[f32]) {
        debug_assert_eq!(row.len(), self.dimension, "a row of another dimension");
        self.values.extend_from_slice(row);
    }

    /// Row number `row`, counted from 0, which has been pushed.
    pub(crate) fn get(&self, row: usize) -> &[f32] {
        &self.values[row * self.dimension..][..self.dimension]
    }

    /// Numbers in a row.
    pub(crate) fn dimension(&self) -> usize {
        self.dimension
    }

    /// Number of rows.
    pub(crate) fn len(&self) -> usize {
        self.values.len() / self.dimension
    }
}
