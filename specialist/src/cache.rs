//! Embeddings kept across starts: a file to which records are only appended. A record is the SHA-256
//! of the embedded text, 32 bytes, and its unit vector, `dimension` little-endian f32. The file holds
//! no text. Losing it costs time and nothing else, so whatever looks torn is cut off.
//!
//! Two processes may share a file: the worst is that a text is embedded twice.

use std::{
    collections::{HashMap, HashSet},
    fs::{self, File, OpenOptions},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use proto::{Digest, Pooling, Space, UnitVector};

/// Why embeddings cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// The file cannot be opened or read.
    #[error("cannot open {}", path.display())]
    Open {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The file cannot be written, as on a full disk. What it held before stays good.
    #[error("cannot write {}", path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// The vectors of one space, by the digest of their text.
#[derive(Debug)]
pub struct Cache {
    path: PathBuf,
    file: File,
    vectors: HashMap<Digest, UnitVector>,
    /// Records in the file, of which some may repeat a digest.
    records: usize,
}

impl Cache {
    /// Opens the file for `space` in `folder`; makes both where they are missing.
    pub fn open(folder: &Path, space: &Space) -> Result<Self, CacheError> {
        let path = folder.join(file_name(space));
        let open = || {
            fs::create_dir_all(folder)?;
            let bytes = match fs::read(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
                read => read?,
            };
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            let mut vectors = HashMap::new();
            let good = bytes.chunks_exact(record_bytes(space.dimension)).map_while(read_record);
            let mut records = 0;
            for (digest, vector) in good {
                vectors.insert(digest, vector);
                records += 1;
            }
            if records * record_bytes(space.dimension) < bytes.len() {
                file.set_len((records * record_bytes(space.dimension)) as u64)?;
            }
            Ok(Self { path: path.clone(), file, vectors, records })
        };
        open().map_err(|source| CacheError::Open { path: path.clone(), source })
    }

    /// The vector of the text with this digest.
    pub fn get(&self, digest: &Digest) -> Option<&UnitVector> {
        self.vectors.get(digest)
    }

    /// Keeps new vectors, all of them or none.
    pub fn append(&mut self, entries: &[(Digest, UnitVector)]) -> Result<(), CacheError> {
        let bytes = entries.iter().flat_map(|(digest, vector)| record(digest, vector)).collect::<Vec<_>>();
        let length = self.file.metadata().map_err(|source| self.unwritten(source))?.len();
        if let Err(source) = self.file.write_all(&bytes) {
            if let Err(error) = self.file.set_len(length) {
                tracing::warn!(%error, file = %self.path.display(), "torn record stays, until the next start");
            }
            return Err(self.unwritten(source));
        }
        self.records += entries.len();
        self.vectors.extend(entries.iter().cloned());
        Ok(())
    }

    /// Lets go of what is not in `live`, once that is more than half of the file.
    pub fn retain(&mut self, live: &HashSet<Digest>) -> Result<(), CacheError> {
        let alive = self.vectors.keys().filter(|digest| live.contains(digest)).count();
        if self.records <= 2 * alive {
            return Ok(());
        }
        let kept: HashMap<_, _> = self
            .vectors
            .iter()
            .filter(|(digest, _)| live.contains(digest))
            .map(|(digest, vector)| (*digest, vector.clone()))
            .collect();
        self.file = self.rewrite(&kept).map_err(|source| self.unwritten(source))?;
        self.records = kept.len();
        self.vectors = kept;
        Ok(())
    }

    /// Replaces the file at once, so that there is never a moment without one.
    fn rewrite(&self, kept: &HashMap<Digest, UnitVector>) -> io::Result<File> {
        let folder = self.path.parent().unwrap_or(Path::new("."));
        let mut file = io::BufWriter::new(tempfile::NamedTempFile::new_in(folder)?);
        for (digest, vector) in kept {
            file.write_all(&record(digest, vector))?;
        }
        let file = file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.as_file().sync_all()?;
        file.persist(&self.path).map_err(|error| error.error)?;
        OpenOptions::new().append(true).open(&self.path)
    }

    fn unwritten(&self, source: io::Error) -> CacheError {
        CacheError::Write { path: self.path.clone(), source }
    }
}

/// Spaces that may not be compared never share a file.
fn file_name(space: &Space) -> String {
    let Space { encoder: _, weights, pooling, prefix, dimension } = space;
    let pooling = match pooling {
        Pooling::Mean => "mean",
        Pooling::Cls => "cls",
    };
    let name = Digest::of(format!("{weights} {pooling} {dimension} {prefix}")).to_string();
    format!("embeddings-{}.bin", name.get(..16).unwrap_or(&name))
}

fn record_bytes(dimension: usize) -> usize {
    32 + 4 * dimension
}

fn record(digest: &Digest, vector: &UnitVector) -> Vec<u8> {
    let numbers = vector.as_slice().iter().flat_map(|number| number.to_le_bytes());
    digest.as_bytes().iter().copied().chain(numbers).collect()
}

/// The record, unless it is none: a vector that is not of length one was never written by us.
fn read_record(bytes: &[u8]) -> Option<(Digest, UnitVector)> {
    let (digest, numbers) = bytes.split_at_checked(32)?;
    let numbers: Vec<f32> =
        numbers.chunks_exact(4).filter_map(|number| number.try_into().ok().map(f32::from_le_bytes)).collect();
    let dimension = numbers.len();
    let digest = Digest::read("digest", digest).ok()?;
    Some((digest, UnitVector::read("vector", numbers, dimension).ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn space() -> Space {
        Space {
            encoder: "test".into(),
            weights: Digest::of("weights"),
            pooling: Pooling::Mean,
            prefix: String::new(),
            dimension: 2,
        }
    }

    fn entry(text: &str) -> (Digest, UnitVector) {
        (Digest::of(text), UnitVector::scale(vec![1.0, f32::from(text.as_bytes()[0])]).unwrap())
    }

    /// A folder with a cache of these texts, and the cache's file.
    fn kept(texts: &[&str]) -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let mut cache = Cache::open(folder.path(), &space()).unwrap();
        cache.append(&texts.iter().map(|text| entry(text)).collect::<Vec<_>>()).unwrap();
        (folder, cache.path)
    }

    #[track_caller]
    fn holds(folder: &Path, texts: &[&str]) -> Cache {
        let cache = Cache::open(folder, &space()).unwrap();
        assert_eq!(cache.vectors.len(), texts.len());
        for text in texts {
            let (digest, vector) = entry(text);
            assert!(cache.get(&digest).unwrap().cosine(&vector) > 0.999_99);
        }
        cache
    }

    #[test]
    fn what_was_kept_is_there_again() {
        let (folder, _) = kept(&["a", "b"]);
        let mut cache = holds(folder.path(), &["a", "b"]);
        cache.append(&[entry("c")]).unwrap();
        holds(folder.path(), &["a", "b", "c"]);
    }

    #[test]
    fn a_torn_tail_is_cut_off() {
        let (folder, path) = kept(&["a", "b", "c"]);
        let bytes = fs::read(&path).unwrap();
        fs::write(&path, &bytes[..bytes.len() - 3]).unwrap();
        let mut cache = holds(folder.path(), &["a", "b"]);
        assert_eq!(fs::metadata(&path).unwrap().len(), 80);
        cache.append(&[entry("c")]).unwrap();
        holds(folder.path(), &["a", "b", "c"]);
    }

    #[test]
    fn what_is_no_record_is_cut_off() {
        let (folder, path) = kept(&["a", "b", "c"]);
        let mut bytes = fs::read(&path).unwrap();
        bytes[40 + 32..80].fill(0);
        fs::write(&path, bytes).unwrap();
        holds(folder.path(), &["a"]);
    }

    #[test]
    fn the_file_is_rewritten_when_most_of_it_is_dead() {
        let (folder, path) = kept(&["a", "b", "c", "d"]);
        let mut cache = holds(folder.path(), &["a", "b", "c", "d"]);
        let live = |texts: &[&str]| texts.iter().map(Digest::of).collect::<HashSet<_>>();
        cache.retain(&live(&["a", "b"])).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 160);
        cache.retain(&live(&["a"])).unwrap();
        cache.append(&[entry("e")]).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().len(), 80);
        holds(folder.path(), &["a", "e"]);
    }

    #[test]
    fn spaces_do_not_share_a_file() {
        let (folder, _) = kept(&["a"]);
        let other = Space { prefix: "query: ".into(), ..space() };
        assert!(Cache::open(folder.path(), &other).unwrap().vectors.is_empty());
    }

    #[test]
    fn a_failed_write_leaves_what_was_there() {
        let (folder, path) = kept(&["a"]);
        let mut cache = holds(folder.path(), &["a"]);
        // A handle without the right to write stands in for a full disk.
        cache.file = File::open(&path).unwrap();
        assert!(matches!(cache.append(&[entry("b")]), Err(CacheError::Write { .. })));
        assert!(cache.get(&Digest::of("b")).is_none());
        holds(folder.path(), &["a"]);
    }
}
