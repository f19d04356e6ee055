//! Merkle trees (RFC 9162): that one thing is among many, shown by a few hashes. The arithmetic is
//! `tlog_tiles`'.

use proto::{Digest, wire::MerklePath};
use tlog_tiles::{Error, Hash, HashReader};

/// A tree in memory that grows at its end: two hashes a leaf.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    hashes: Hashes,
    size: u64,
}

#[derive(Debug, Clone, Default)]
struct Hashes(Vec<Hash>);

impl HashReader for Hashes {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let hash = |index: &u64| self.0.get(usize::try_from(*index).ok()?).copied();
        indexes.iter().map(hash).collect::<Option<_>>().ok_or(Error::IndexesNotInTree)
    }
}

impl Tree {
    /// Adds a leaf.
    pub fn push(&mut self, leaf: &[u8]) -> Result<(), Error> {
        let hashes = tlog_tiles::stored_hashes(self.size, leaf, &self.hashes)?;
        self.hashes.0.extend(hashes);
        self.size += 1;
        Ok(())
    }

    /// How many leaves it has.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Its root; of no leaves the digest of nothing.
    pub fn root(&self) -> Result<Digest, Error> {
        Ok(Digest::from(tlog_tiles::tree_hash(self.size, &self.hashes)?.0))
    }

    /// What leads from leaf `index` to the root: the hashes beside its way, from the leaf up.
    pub fn path(&self, index: u64) -> Result<Vec<Digest>, Error> {
        let path = tlog_tiles::prove_record(self.size, index, &self.hashes)?;
        Ok(path.into_iter().map(|hash| Digest::from(hash.0)).collect())
    }
}

/// Whether `leaf` is leaf `index` of the tree of `size` leaves with `root`, as `path` says.
pub fn includes(root: Digest, size: u64, index: u64, leaf: &[u8], path: &[Digest]) -> bool {
    let path = path.iter().map(|hash| Hash(*hash.as_bytes())).collect();
    let (root, leaf) = (Hash(*root.as_bytes()), tlog_tiles::record_hash(leaf));
    tlog_tiles::check_record(&path, size, root, index, leaf).is_ok()
}

/// The same for a path as it was sent; one whose hashes have not 32 bytes each shows nothing.
pub fn leads(root: Digest, size: u64, leaf: &[u8], path: &MerklePath) -> bool {
    let hashes = path.hashes.iter().map(|hash| Digest::read("hash", hash));
    hashes.collect::<Result<Vec<_>, _>>().is_ok_and(|hashes| includes(root, size, path.index, leaf, &hashes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(size: u8) -> Tree {
        let mut tree = Tree::default();
        for leaf in 0..size {
            tree.push(&[leaf]).unwrap();
        }
        tree
    }

    #[test]
    fn every_leaf_is_shown_to_be_there_and_no_other() {
        for size in 1..20 {
            let tree = tree(size);
            let root = tree.root().unwrap();
            for leaf in 0..size {
                let path = tree.path(leaf.into()).unwrap();
                let includes = |index: u8, leaf| includes(root, size.into(), index.into(), &[leaf], &path);
                for index in 0..size {
                    assert_eq!(includes(index, leaf), index == leaf);
                    assert_eq!(includes(leaf, index), index == leaf);
                }
            }
        }
    }

    #[test]
    fn the_empty_tree_is_the_digest_of_nothing() {
        assert_eq!(tree(0).root().unwrap(), Digest::of(b""));
        assert!(tree(3).path(3).is_err());
        assert!(!includes(tree(3).root().unwrap(), 3, 3, &[3], &[]));
    }
}
