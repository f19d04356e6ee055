//! `audit diff`: what a log gained between two checkpoints.

use std::{
    io::{self, Write as _},
    path::Path,
};

use audit::{
    Change, Checkpoint,
    log::{self, LogError, Reader},
};
use clap::Args;
use proto::wire::RegistryChange;

use super::{Failure, Keys, time};

/// Say what a log gained between two checkpoints.
#[derive(Args)]
pub(crate) struct Diff {
    /// The log as it was: a folder, an `http://` URL, or a file with its checkpoint.
    #[arg(value_name = "EARLIER")]
    earlier: String,
    /// The log as it is: likewise.
    #[arg(value_name = "LATER")]
    later: String,
    #[command(flatten)]
    keys: Keys,
}

/// A checkpoint, and the log around it where there is one.
struct Place {
    checkpoint: Checkpoint,
    reader: Option<Reader>,
}

impl Diff {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let (earlier, later) = (self.place(&self.earlier)?, self.place(&self.later)?);
        let (was, is) = (&earlier.checkpoint, &later.checkpoint);
        if was.origin != is.origin {
            return Err(Failure::TwoLogs(was.origin.clone(), is.origin.clone()));
        }
        // Of one size, or of the wrong order, they need no tiles.
        let reader = match &later.reader {
            Some(reader) => reader,
            None if is.size > was.size => {
                return Err(LogError::NoTiles { from: was.size, to: is.size }.into());
            }
            None => &Reader::folder(Path::new(&self.later)),
        };
        reader.grown(was, is)?;
        let mut out = io::stdout().lock();
        if was.size == is.size {
            writeln!(out, "{} has the same {} entries", is.origin, is.size)?;
            return Ok(());
        }
        writeln!(out, "{} grew from {} to {} entries, and only grew", is.origin, was.size, is.size)?;
        if is.origin.ends_with("/registry") {
            reader.entries(is, was.size, |index, entry| {
                let change = Change::read(entry).map_err(|error| Failure::Rule(index, error))?;
                Ok::<_, Failure>(writeln!(out, "{}", words(reader, index, &change)?)?)
            })?;
        }
        Ok(out.flush()?)
    }

    fn place(&self, place: &str) -> Result<Place, Failure> {
        let (note, reader) = if Path::new(place).is_file() {
            (log::note(Path::new(place))?, None)
        } else {
            let reader = Reader::new(place)?;
            (reader.note()?, Some(reader))
        };
        let (key, witnesses) = self.keys.of(&note)?;
        let opened = Checkpoint::open(&note, &key, &witnesses).map_err(LogError::from)?;
        Ok(Place { checkpoint: opened.checkpoint, reader })
    }
}

/// A change as a sentence, with what its card says where the log has it.
fn words(reader: &Reader, index: u64, change: &Change) -> Result<String, Failure> {
    let time = time(change.time_s);
    let Some(specialist) = &change.specialist else {
        return Ok(format!("{time}  the router's policy is new: {}", change.content));
    };
    let did = match change.what {
        RegistryChange::Admitted => "was admitted",
        RegistryChange::Updated => "has a new card",
        RegistryChange::Rotated => "has a new card and a new key, which the old key appointed",
        RegistryChange::Disabled => "was taken out of routing",
        RegistryChange::Enabled => "was put back into routing",
        RegistryChange::Removed => "was removed",
        RegistryChange::Revoked => "has a key that counts no more, and was taken out of routing",
        RegistryChange::Policy | RegistryChange::Unspecified => "changed",
    };
    let card = match reader.content(change.content)? {
        Some(card) => {
            let card = change.check_card(&card).map_err(|error| Failure::Rule(index, error))?;
            format!(", {} of {}", card.card().title, card.card().institution)
        }
        None => String::new(),
    };
    let key = change.key.map_or_else(|| "no key".to_owned(), |key| format!("key {key}"));
    Ok(format!("{time}  {specialist}{card}, {did}: card {}, {key}", change.content))
}
