//! The right edge of a tree: all that is needed to add leaves to it and to know its root.

use proto::Digest;
use tlog_tiles::{EMPTY_HASH, Hash, node_hash};

use super::tile::{Row, Tile, WIDTH, subtree};

/// The hashes of the files that are not complete: fewer than 256 a level, whatever the size.
#[derive(Debug, Clone, Default)]
pub(crate) struct Edge {
    pub(crate) size: u64,
    /// From the leaves' level up.
    pub(crate) rows: Vec<Vec<Hash>>,
}

impl Edge {
    /// Adds a leaf's hash. What that completes goes to `complete`, from the leaves' level up.
    pub(crate) fn push(&mut self, leaf: Hash, mut complete: impl FnMut(Tile, Vec<Hash>)) {
        let mut hash = leaf;
        let mut index = self.size;
        self.size += 1;
        for level in 0.. {
            let at = usize::from(level);
            if at == self.rows.len() {
                self.rows.push(Vec::with_capacity(WIDTH));
            }
            self.rows[at].push(hash);
            if self.rows[at].len() < WIDTH {
                return;
            }
            let row = std::mem::replace(&mut self.rows[at], Vec::with_capacity(WIDTH));
            hash = subtree(&row);
            index /= WIDTH as u64;
            complete(Tile { row: Row::Hashes(level), index, width: WIDTH }, row);
        }
    }

    /// The tree's root.
    pub(crate) fn root(&self) -> Digest {
        let mut root = None;
        for mut row in self.rows.iter().map(Vec::as_slice) {
            // The right end of a row is where its smallest whole subtree lies.
            while !row.is_empty() {
                let (left, right) = row.split_at(row.len() - (1 << row.len().trailing_zeros()));
                let right = subtree(right);
                root = Some(root.map_or(right, |root| node_hash(right, root)));
                row = left;
            }
        }
        Digest::from(root.unwrap_or(EMPTY_HASH).0)
    }

    /// The files that are not complete, from the leaves' level up.
    pub(crate) fn tiles(&self) -> impl Iterator<Item = (Tile, &[Hash])> {
        let rows = (0..).zip(&self.rows).filter(|(_, row)| !row.is_empty());
        rows.map(|(level, row)| (self.tile(level, row.len()), row.as_slice()))
    }

    /// The file at the end of a level, when it has `width` hashes.
    pub(crate) fn tile(&self, level: u8, width: usize) -> Tile {
        Tile { row: Row::Hashes(level), index: self.size >> (8 * (u32::from(level) + 1)), width }
    }

    /// The hashes of `tile`, where it lies at the edge.
    pub(crate) fn hashes(&self, tile: Tile) -> Option<&[Hash]> {
        let Row::Hashes(level) = tile.row else { return None };
        let row = self.rows.get(usize::from(level)).filter(|_| self.tile(level, tile.width) == tile)?;
        row.get(..tile.width)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::Tree;

    #[test]
    fn its_root_is_that_of_the_whole_tree() {
        let (mut edge, mut tree) = (Edge::default(), Tree::default());
        for leaf in 0_u32..70_000 {
            if leaf < 600 || leaf > 65_500 && leaf < 65_600 || leaf % 997 == 0 {
                assert_eq!(edge.root(), tree.root().unwrap(), "{leaf}");
            }
            edge.push(tlog_tiles::record_hash(&leaf.to_be_bytes()), |_, _| {});
            tree.push(&leaf.to_be_bytes()).unwrap();
        }
        assert_eq!(edge.rows.iter().map(Vec::len).collect::<Vec<_>>(), [112, 17, 1]);
    }
}
