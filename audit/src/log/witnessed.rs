//! The checkpoints that witnesses signed and that are still worth a proof: of each number of cosignatures the
//! newest, unless a newer one has more.

use std::path::Path;

use super::{
    LogError,
    files::{Folder, read},
};
use crate::{
    checkpoint::{Checkpoint, WITNESSES_MAX, cosignature},
    note::{NOTE_BYTES_MAX, Note, NoteError, Vkey},
};

/// Where they lie: a file by the number of cosignatures.
const FOLDER: &str = "witnessed";

/// A checkpoint of one's own, with the lines of known witnesses.
#[derive(Debug, Clone)]
pub(crate) struct Cosigned {
    pub(crate) checkpoint: Checkpoint,
    /// The log's line first, and then a line a witness.
    pub(crate) note: Note,
}

impl Cosigned {
    /// The checkpoint in `bytes`, if `log` signed it; without the lines that no known witness signed.
    pub(crate) fn read(bytes: Vec<u8>, log: &Vkey, witnesses: &[Vkey]) -> Option<Self> {
        let note: Note = String::from_utf8(bytes).ok()?.parse().ok()?;
        note.check(log).ok()?;
        let checkpoint: Checkpoint = note.text.parse().ok()?;
        let own = note.line(log).ok()??.clone();
        let lines = witnesses.iter().filter_map(|witness| {
            let line = note.line(witness).ok()??;
            cosignature(&note.text, line, witness).is_ok().then(|| line.clone())
        });
        let lines = [own].into_iter().chain(lines).collect();
        (checkpoint.origin == log.name())
            .then_some(Self { checkpoint, note: Note { text: note.text, lines } })
    }

    /// `note`, whose signatures are checked, with the witnesses' lines that `held`, of the same checkpoint, has
    /// besides.
    pub(crate) fn merged(
        checkpoint: Checkpoint,
        note: &Note,
        held: Option<&Self>,
        log: &Vkey,
        witnesses: &[Vkey],
    ) -> Result<Self, NoteError> {
        let mut lines: Vec<_> = note.line(log)?.cloned().into_iter().collect();
        for witness in witnesses {
            let line = match (note.line(witness)?, held) {
                (None, Some(held)) => held.note.line(witness)?,
                (line, _) => line,
            };
            lines.extend(line.cloned());
        }
        Ok(Self { checkpoint, note: Note { text: note.text.clone(), lines } })
    }

    /// How many witnesses signed it.
    pub(crate) fn count(&self) -> usize {
        self.note.lines.len() - 1
    }

    /// Whether `other` is of no more use than this.
    fn covers(&self, other: &Self) -> bool {
        self.count() >= other.count() && self.checkpoint.size >= other.checkpoint.size
    }
}

/// The cosigned checkpoints of a log, at most one a witness.
#[derive(Debug)]
pub(crate) struct Witnessed {
    witnesses: Vec<Vkey>,
    held: Vec<Cosigned>,
}

impl Witnessed {
    /// Those that lie in the log's folder. Files that are no such checkpoints are passed over.
    pub(crate) fn read(folder: &Path, log: &Vkey, mut witnesses: Vec<Vkey>) -> Self {
        witnesses.truncate(WITNESSES_MAX);
        let files = (1..=WITNESSES_MAX).map(|count| folder.join(FOLDER).join(count.to_string()));
        let notes = files.filter_map(|file| read(&file, NOTE_BYTES_MAX).ok().flatten());
        let held = notes.filter_map(|note| Cosigned::read(note, log, &witnesses)).collect();
        Self { witnesses, held }
    }

    pub(crate) fn witnesses(&self) -> &[Vkey] {
        &self.witnesses
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cosigned> {
        self.held.iter()
    }

    /// Keeps `cosigned`, if nothing that is held is as good, and forgets what it makes useless.
    pub(crate) fn keep(&mut self, cosigned: Cosigned, folder: &Folder) -> Result<(), LogError> {
        if self.held.iter().any(|held| held.covers(&cosigned) && held.note != cosigned.note) {
            return Ok(());
        }
        let file = |cosigned: &Cosigned| format!("{FOLDER}/{}", cosigned.count());
        folder.write(&file(&cosigned), cosigned.note.to_string().as_bytes())?;
        let (useless, mut held): (Vec<_>, Vec<_>) =
            self.held.drain(..).partition(|held| cosigned.covers(held));
        for useless in useless.iter().filter(|useless| useless.count() != cosigned.count()) {
            folder.remove(&file(useless))?;
        }
        held.push(cosigned);
        self.held = held;
        Ok(())
    }
}
