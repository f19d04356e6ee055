//! A tree's hashes, read from its files and held to its root: whatever comes out is in the tree.

use std::{
    cell::RefCell,
    collections::{HashMap, hash_map::Entry},
    rc::Rc,
};

use proto::Digest;
use tlog_tiles::{Error, Hash, HashReader, split_stored_hash_index};

use super::{
    LogError,
    edge::Edge,
    tile::{self, Row, Tile, WIDTH, holding, subtree},
};
use crate::checkpoint::Checkpoint;

/// How many complete tiles are kept; what is dropped is read again.
const TILES_MAX: usize = 1_024;

/// Reads a tile's bytes.
pub(crate) type Fetch<'a> = Box<dyn Fn(Tile) -> Result<Vec<u8>, LogError> + 'a>;

/// A tile's hashes by level and index.
type Tiles = HashMap<(u8, u64), Rc<[Hash]>>;

/// The hashes of the tree of one checkpoint. `fetch` gives a tile's bytes, of the right length but otherwise
/// whatever they are.
pub(crate) struct Hashes<'a> {
    fetch: Fetch<'a>,
    edge: Edge,
    tiles: RefCell<Tiles>,
    failure: RefCell<Option<LogError>>,
}

impl<'a> Hashes<'a> {
    /// The tree of `checkpoint`, whose incomplete tiles are read and held to its root.
    pub(crate) fn open(checkpoint: &Checkpoint, fetch: Fetch<'a>) -> Result<Self, LogError> {
        let mut edge = Edge { size: checkpoint.size, rows: Vec::new() };
        let mut names = Vec::new();
        for level in 0..8_u8 {
            let length = checkpoint.size.checked_shr(8 * u32::from(level)).unwrap_or_default();
            if length == 0 {
                break;
            }
            let width = usize::from(length.to_le_bytes()[0]);
            let mut row = Vec::new();
            if width > 0 {
                let tile = edge.tile(level, width);
                row = tile::hashes(&fetch(tile)?);
                names.push(tile.path());
            }
            edge.rows.push(row);
        }
        if edge.root() != checkpoint.root {
            // Of no entries there are no tiles either.
            let names = if names.is_empty() { "checkpoint".to_owned() } else { names.join(" or ") };
            return Err(LogError::Torn(names));
        }
        Ok(Self { fetch, edge, tiles: RefCell::default(), failure: RefCell::default() })
    }

    /// The hashes beside the way of leaf `index` to the root, from the leaf up.
    pub(crate) fn path(&self, index: u64) -> Result<Vec<Digest>, LogError> {
        let path = tlog_tiles::prove_record(self.edge.size, index, self);
        let path = path.map_err(|_| self.failed().unwrap_or(LogError::Unpublished(index)))?;
        Ok(path.into_iter().map(|hash| Digest::from(hash.0)).collect())
    }

    /// The root that the tree had at `size`, which is not more than it has.
    pub(crate) fn root(&self, size: u64) -> Result<Digest, LogError> {
        let root = tlog_tiles::tree_hash(size, self);
        root.map(|root| Digest::from(root.0))
            .map_err(|_| self.failed().unwrap_or(LogError::Unpublished(size)))
    }

    fn failed(&self) -> Option<LogError> {
        self.failure.take()
    }

    /// The leaves' hashes in the tile with this index.
    pub(crate) fn leaves(&self, index: u64) -> Result<Rc<[Hash]>, LogError> {
        self.tile(0, index)
    }

    fn tile(&self, level: u8, index: u64) -> Result<Rc<[Hash]>, LogError> {
        let length = self.edge.size >> (8 * u32::from(level));
        let (tile, _) = holding(Row::Hashes(level), index * WIDTH as u64, length);
        if let Some(hashes) = self.edge.hashes(tile) {
            return Ok(hashes.into());
        }
        if let Some(hashes) = self.tiles.borrow().get(&(level, index)) {
            return Ok(Rc::clone(hashes));
        }
        let hashes: Rc<[Hash]> = tile::hashes(&(self.fetch)(tile)?).into();
        let (parent, place) = (self.tile(level + 1, index / WIDTH as u64)?, index % WIDTH as u64);
        let expected = usize::try_from(place).ok().and_then(|place| parent.get(place));
        if hashes.len() != WIDTH || expected != Some(&subtree(&hashes)) {
            return Err(LogError::Torn(tile.path()));
        }
        let mut tiles = self.tiles.borrow_mut();
        if tiles.len() >= TILES_MAX {
            tiles.clear();
        }
        if let Entry::Vacant(vacant) = tiles.entry((level, index)) {
            vacant.insert(Rc::clone(&hashes));
        }
        Ok(hashes)
    }

    /// The root of the whole subtree of 2^level leaves that is the `n`th of its kind.
    fn hash(&self, level: u8, n: u64) -> Result<Hash, LogError> {
        let (level, height) = (level / 8, u32::from(level % 8));
        let first = n << height;
        let tile = self.tile(level, first / WIDTH as u64)?;
        let start = usize::try_from(first % WIDTH as u64).unwrap_or(WIDTH);
        let hashes = tile.get(start..start + (1 << height)).ok_or(LogError::Unpublished(n))?;
        Ok(subtree(hashes))
    }
}

impl HashReader for Hashes<'_> {
    fn read_hashes(&self, indexes: &[u64]) -> Result<Vec<Hash>, Error> {
        let read = |index: &u64| {
            let (level, n) = split_stored_hash_index(*index);
            self.hash(level, n)
        };
        let hashes: Result<Vec<Hash>, LogError> = indexes.iter().map(read).collect();
        hashes.map_err(|error| {
            self.failure.replace(Some(error));
            Error::InvalidTile
        })
    }
}
