//! Logs in folders, as they are written, torn, mended, read and watched.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod altered;
mod commands;
mod killed;
mod oracle;
mod registry;
mod served;
mod torn;
mod writing;

use std::{convert::Infallible, path::Path};

use audit::{
    Proof, SecretKey, Vkey,
    log::{LogError, OpenError, Reader, Repair, Settings, Writer},
    note::Algorithm,
};
use tempfile::TempDir;

const RECEIPTS: &str = "r/receipts";

/// A log, its key and what was told to it.
struct Log {
    origin: &'static str,
    folder: TempDir,
    key: SecretKey,
    witnesses: Vec<Vkey>,
    entries: Vec<Vec<u8>>,
}

impl Log {
    fn new(origin: &'static str) -> Self {
        let key = SecretKey::generate().unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self { origin, folder, key, witnesses: Vec::new(), entries: Vec::new() }
    }

    /// A published log of so many entries.
    fn of(size: u32) -> Self {
        let mut log = Self::new(RECEIPTS);
        log.entries = (0..size).map(entry).collect();
        log.open().unwrap().0.publish().unwrap();
        log
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn vkey(&self) -> Vkey {
        Vkey::new(self.origin, Algorithm::Ed25519, self.key.public()).unwrap()
    }

    fn settings(&self) -> Settings {
        Settings {
            folder: self.path().to_owned(),
            origin: self.origin.to_owned(),
            key: self.key.clone(),
            witnesses: self.witnesses.clone(),
        }
    }

    fn open(&self) -> Result<(Writer, Vec<Repair>), LogError> {
        self.open_with(&self.entries)
    }

    fn open_with(&self, entries: &[Vec<u8>]) -> Result<(Writer, Vec<Repair>), LogError> {
        let entries = entries.iter().cloned().map(Ok::<_, Infallible>);
        Writer::open(self.settings(), entries).map_err(|error| match error {
            OpenError::Log(error) => error,
            OpenError::Entries(never) => match never {},
        })
    }

    fn append(&mut self, writer: &mut Writer, entry: Vec<u8>) {
        assert_eq!(writer.append(&entry).unwrap(), self.entries.len() as u64);
        self.entries.push(entry);
    }

    fn reader(&self) -> Reader {
        Reader::folder(self.path())
    }

    /// Looks at the whole log; the entries must be those that were told to it.
    fn audit(&self) -> Result<u64, LogError> {
        let opened = self.reader().audit(&self.vkey(), &self.witnesses, |index, entry| {
            assert_eq!(entry, self.entries[usize::try_from(index).unwrap()]);
            Ok::<_, LogError>(())
        })?;
        Ok(opened.checkpoint.size)
    }

    /// The proof's checkpoint's size.
    fn check(&self, proof: &Proof) -> u64 {
        let proof: Proof = proof.to_string().parse().unwrap();
        let entry = &self.entries[usize::try_from(proof.index).unwrap()];
        proof.verify(entry, &self.vkey(), &self.witnesses).unwrap().checkpoint.size
    }
}

/// Entries of many lengths, also of none.
fn entry(index: u32) -> Vec<u8> {
    let length = usize::try_from(index * 7 % 13).unwrap();
    index.to_be_bytes().into_iter().cycle().take(length).collect()
}

/// All files of a log, by name.
fn files(folder: &Path) -> Vec<String> {
    let mut names = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(next) = folders.pop() {
        for file in std::fs::read_dir(next).unwrap() {
            let path = file.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if !path.ends_with(".lock") {
                names.push(path.strip_prefix(folder).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    names.sort_unstable();
    names
}
