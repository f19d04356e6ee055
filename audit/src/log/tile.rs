//! Names and contents of a log's files.

use tlog_tiles::Hash;

use super::ENTRY_BYTES_MAX;

/// How many hashes or entries a file has when it is complete.
pub(crate) const WIDTH: usize = 256;

/// The bytes of a hash.
pub(crate) const HASH_BYTES: usize = 32;

/// The most bytes of a bundle.
pub(crate) const BUNDLE_BYTES_MAX: usize = WIDTH * (2 + ENTRY_BYTES_MAX);

/// What a row of files holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Row {
    /// The entries.
    Entries,
    /// The roots of subtrees of 256^level entries; of level 0 the leaves' hashes.
    Hashes(u8),
}

/// A file of a log: hashes, or a bundle of entries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Tile {
    pub(crate) row: Row,
    /// Its place in its row.
    pub(crate) index: u64,
    /// How much it holds: 1 to [`WIDTH`].
    pub(crate) width: usize,
}

impl Tile {
    /// The same file when it is complete.
    pub(crate) fn complete(self) -> Self {
        Self { width: WIDTH, ..self }
    }

    pub(crate) fn is_complete(self) -> bool {
        self.width == WIDTH
    }

    /// Where it lies in the log's folder.
    pub(crate) fn path(self) -> String {
        if self.is_complete() { self.stem() } else { format!("{}/{}", self.partials(), self.width) }
    }

    /// The folder of what it was before it was complete.
    pub(crate) fn partials(self) -> String {
        format!("{}.p", self.stem())
    }

    fn stem(self) -> String {
        let mut number = format!("{:03}", self.index % 1_000);
        let mut rest = self.index / 1_000;
        while rest > 0 {
            number = format!("x{:03}/{number}", rest % 1_000);
            rest /= 1_000;
        }
        match self.row {
            Row::Entries => format!("tile/entries/{number}"),
            Row::Hashes(level) => format!("tile/{level}/{number}"),
        }
    }

    /// The most bytes that it may have.
    pub(crate) fn bytes_max(self) -> usize {
        match self.row {
            Row::Entries => BUNDLE_BYTES_MAX,
            Row::Hashes(_) => self.width * HASH_BYTES,
        }
    }
}

/// The file that holds place `at` of `row`, which has `length` of them, and the place in it.
pub(crate) fn holding(row: Row, at: u64, length: u64) -> (Tile, usize) {
    let index = at / WIDTH as u64;
    let left = length.saturating_sub(index * WIDTH as u64);
    let width = usize::try_from(left).unwrap_or(WIDTH).min(WIDTH);
    let place = usize::try_from(at % WIDTH as u64).unwrap_or_default();
    (Tile { row, index, width }, place)
}

/// The file with `hashes`.
pub(crate) fn bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| hash.0).collect()
}

/// The hashes in a file.
pub(crate) fn hashes(bytes: &[u8]) -> Vec<Hash> {
    let (hashes, _) = bytes.as_chunks::<HASH_BYTES>();
    hashes.iter().copied().map(Hash).collect()
}

/// Adds an entry of at most [`ENTRY_BYTES_MAX`] bytes to a bundle.
pub(crate) fn bundle(bundle: &mut Vec<u8>, entry: &[u8]) {
    debug_assert!(entry.len() <= ENTRY_BYTES_MAX, "its length is two bytes");
    bundle.extend(u16::try_from(entry.len()).unwrap_or(u16::MAX).to_be_bytes());
    bundle.extend(entry);
}

/// The first entry of a bundle and the rest, where it has one.
pub(crate) fn unbundle(bundle: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bundle.split_first_chunk::<2>()?;
    rest.split_at_checked(u16::from_be_bytes(*length).into())
}

/// The root over hashes whose number is a power of two.
pub(crate) fn subtree(hashes: &[Hash]) -> Hash {
    if let [hash] = hashes {
        return *hash;
    }
    let (left, right) = hashes.split_at(hashes.len() / 2);
    tlog_tiles::node_hash(subtree(left), subtree(right))
}

#[cfg(test)]
mod tests {
    use super::*;

    // The examples of the specification.
    #[test]
    fn files_have_the_names_of_the_specification() {
        let path = |row, index, width| Tile { row, index, width }.path();
        assert_eq!(path(Row::Hashes(3), 1_234_067, WIDTH), "tile/3/x001/x234/067");
        assert_eq!(path(Row::Hashes(0), 273, 112), "tile/0/273.p/112");
        assert_eq!(path(Row::Entries, 1_234_067, WIDTH), "tile/entries/x001/x234/067");
        assert_eq!(path(Row::Entries, 0, 1), "tile/entries/000.p/1");
    }

    #[test]
    fn a_place_is_found_in_its_file() {
        let tile = |index, width| Tile { row: Row::Entries, index, width };
        assert_eq!(holding(Row::Entries, 255, 256), (tile(0, 256), 255));
        assert_eq!(holding(Row::Entries, 256, 300), (tile(1, 44), 0));
        assert_eq!(holding(Row::Entries, 3, 300), (tile(0, 256), 3));
    }

    #[test]
    fn entries_come_back_from_a_bundle() {
        let mut bytes = Vec::new();
        bundle(&mut bytes, b"one");
        bundle(&mut bytes, b"");
        let (one, rest) = unbundle(&bytes).unwrap();
        assert_eq!((one, unbundle(rest)), (b"one".as_slice(), Some((b"".as_slice(), b"".as_slice()))));
        assert_eq!(unbundle(&bytes[..4]), None);
        assert_eq!(unbundle(&[0]), None);
    }
}
