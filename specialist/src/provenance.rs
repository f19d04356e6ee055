//! What a specialist's answers rest on, as digests: the files of its weights and of its corpus, and the Merkle
//! tree over its passages.

use std::{
    fs::{self, File},
    io::{self, Read as _},
    path::Path,
};

use audit::{merkle::Tree, transcript::passage_bytes};
use proto::{Digest, wire};
use sha2::{Digest as _, Sha256};

use crate::{
    Error,
    corpus::{Corpus, Passage},
};

/// The deepest that files of weights may lie in folders.
const DEPTH_MAX: usize = 8;

/// The most files that an encoder may consist of.
const FILES_MAX: usize = 1_000;

/// How much of a file is read at a time.
const BUFFER_BYTES: usize = 1 << 20;

/// What answers rest on.
#[derive(Debug, Default)]
pub struct Provenance {
    /// Digest of the manifest of the encoder's files; `None` where it has none.
    pub weights: Option<Digest>,
    /// Digest of the manifest of the files that passages come from; `None` where there are none.
    pub data: Option<Digest>,
    /// How many passages there are.
    pub passage_count: usize,
    /// The tree over them; `None` where there are none.
    pub tree: Option<PassageTree>,
}

impl Provenance {
    /// Of `corpus`, with an encoder whose manifest has this digest. Hashes every passage.
    pub fn of(weights: Option<Digest>, corpus: &Corpus) -> Result<Self, Error> {
        let passages = &corpus.passages;
        let tree = (!passages.is_empty()).then(|| PassageTree::of(passages)).transpose()?;
        let data = manifest(corpus.files.iter().map(|file| &file.digest));
        Ok(Self { weights, data, passage_count: passages.len(), tree })
    }
}

/// The Merkle tree over the passages of a corpus, in their order: each as an answer sends it, but without its
/// similarity.
#[derive(Debug)]
pub struct PassageTree {
    tree: Tree,
    root: Digest,
    /// The places of the passages, in the order of their ids.
    by_id: Vec<u32>,
}

impl PassageTree {
    fn of(passages: &[Passage]) -> Result<Self, Error> {
        let unhashed = |error| Error::Tree(format!("{error}"));
        let mut tree = Tree::default();
        for passage in passages {
            tree.push(&passage_bytes(&passage.cited(0.0).into())).map_err(unhashed)?;
        }
        let mut by_id: Vec<u32> = (0..).take(passages.len()).collect();
        by_id.sort_unstable_by_key(|at| id(passages, *at));
        Ok(Self { root: tree.root().map_err(unhashed)?, tree, by_id })
    }

    /// Its root.
    pub fn root(&self) -> Digest {
        self.root
    }

    /// What leads from the one of `passages`, which it was made of, that is called `passage_id` to the root;
    /// `None` where there is no such passage.
    pub fn path(&self, passages: &[Passage], passage_id: &str) -> Option<wire::MerklePath> {
        let found = self.by_id.binary_search_by_key(&passage_id, |at| id(passages, *at)).ok()?;
        let index = u64::from(*self.by_id.get(found)?);
        let hashes = self.tree.path(index).ok()?;
        Some(wire::MerklePath { index, hashes: hashes.iter().map(|hash| hash.as_bytes().to_vec()).collect() })
    }
}

fn id(passages: &[Passage], at: u32) -> &str {
    passages.get(at as usize).map_or("", |passage| &passage.id)
}

/// The digest of the files with these digests, in the order of their paths: the subject digest of model
/// signing by the OSSF. `None` for no files. <https://github.com/ossf/model-signing-spec>
pub fn manifest<'a>(digests: impl Iterator<Item = &'a Digest>) -> Option<Digest> {
    let digests: Vec<u8> = digests.flat_map(Digest::as_bytes).copied().collect();
    (!digests.is_empty()).then(|| Digest::of(digests))
}

/// The digest of the manifest of all files in the encoder's `folder`; names that start with a dot are passed over.
pub fn weights(folder: &Path) -> Result<Option<Digest>, Error> {
    let failed = |source| Error::Weights { path: folder.to_owned(), source };
    let mut files = Vec::new();
    list(folder, "", 0, &mut files).map_err(failed)?;
    files.sort();
    let digest = |name: &String| hash(&folder.join(name));
    let digests = files.iter().map(digest).collect::<io::Result<Vec<_>>>().map_err(failed)?;
    Ok(manifest(digests.iter()))
}

/// Adds the names of all files in `folder`, which is called `name`, with `/` between folders.
fn list(folder: &Path, name: &str, depth: usize, files: &mut Vec<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(own) = entry.file_name().into_string() else {
            return Err(io::Error::other("a file's name is not UTF-8"));
        };
        if own.starts_with('.') {
            continue;
        }
        let name = if name.is_empty() { own } else { format!("{name}/{own}") };
        if fs::metadata(entry.path())?.is_dir() {
            if depth == DEPTH_MAX {
                return Err(io::Error::other(format!("lies in more than {DEPTH_MAX} folders")));
            }
            list(&entry.path(), &name, depth + 1, files)?;
        } else {
            files.push(name);
        }
        if files.len() > FILES_MAX {
            return Err(io::Error::other(format!("has more than {FILES_MAX} files")));
        }
    }
    Ok(())
}

fn hash(path: &Path) -> io::Result<Digest> {
    let (mut file, mut hasher) = (File::open(path)?, Sha256::default());
    let mut buffer = vec![0; BUFFER_BYTES];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(Digest::finish(hasher)),
            count => hasher.update(&buffer[..count]),
        }
    }
}

#[cfg(test)]
mod tests {
    use audit::merkle::leads;

    use super::*;

    fn passages(count: usize) -> Vec<Passage> {
        let passage = |at: usize| Passage {
            id: format!("p{}", count - at),
            text: format!("Text {at}."),
            ..Passage::default()
        };
        (0..count).map(passage).collect()
    }

    #[test]
    fn every_passage_is_shown_to_be_in_its_corpus() {
        for count in [1, 2, 5, 33] {
            let passages = passages(count);
            let tree = PassageTree::of(&passages).unwrap();
            for (at, passage) in passages.iter().enumerate() {
                let path = tree.path(&passages, &passage.id).unwrap();
                assert_eq!(path.index, at as u64);
                let sent = passage_bytes(&passage.cited(0.7).into());
                assert!(leads(tree.root(), count as u64, &sent, &path));
            }
            assert_eq!(tree.path(&passages, "another"), None);
        }
    }

    // The digest that `model-signing` gives a folder: that of its files' digests, by path.
    #[test]
    fn a_manifest_is_that_of_the_files_in_the_order_of_their_paths() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("b", "two");
        write("a/c", "one");
        write("a.txt", "three");
        write(".git/x", "passed over");
        let expected = ["three", "one", "two"].map(|text| *Digest::of(text).as_bytes()).concat();
        assert_eq!(weights(folder.path()).unwrap(), Some(Digest::of(expected)), "a.txt, a/c, b");
        assert!(weights(&folder.path().join("none")).is_err());
    }
}
