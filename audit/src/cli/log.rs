//! `audit log`: a whole log.

use std::io::{self, Write as _};

use audit::{Change, Opened, Registrations, log::Reader};
use clap::Args;

use super::{Failure, Keys, time};

/// Check a whole log.
#[derive(Args)]
pub(crate) struct Log {
    /// The log: a folder, or an `http://` URL.
    #[arg(value_name = "DIR|URL")]
    log: String,
    #[command(flatten)]
    keys: Keys,
}

/// What a registry's log holds.
#[derive(Default)]
struct Registry {
    registrations: Registrations,
    cards: u64,
    without: u64,
}

impl Log {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let reader = Reader::new(&self.log)?;
        let (log, witnesses) = self.keys.of(&reader.note()?)?;
        let mut registry = log.name().ends_with("/registry").then(Registry::default);
        let opened = reader.audit(&log, &witnesses, |index, entry| match &mut registry {
            Some(registry) => registry.take(&reader, index, entry),
            None => Ok::<_, Failure>(()),
        })?;
        let mut out = io::stdout().lock();
        report(&mut out, &opened, witnesses.len())?;
        if let Some(registry) = registry {
            registry.report(&mut out)?;
        }
        Ok(out.flush()?)
    }
}

impl Registry {
    /// Checks the next entry, and its card where the log has it.
    fn take(&mut self, reader: &Reader, index: u64, entry: &[u8]) -> Result<(), Failure> {
        let rule = |error| Failure::Rule(index, error);
        let change = Change::read(entry).map_err(rule)?;
        self.registrations.apply(&change).map_err(rule)?;
        match reader.content(change.content)? {
            Some(card) if change.specialist.is_some() => {
                change.check_card(&card).map_err(rule)?;
                self.cards += 1;
            }
            Some(_) => {}
            None => self.without += 1,
        }
        Ok(())
    }

    fn report(&self, out: &mut impl io::Write) -> io::Result<()> {
        let (mut registered, mut routed) = (0, 0);
        for (_, registration) in self.registrations.iter() {
            registered += 1;
            routed += u32::from(registration.enabled);
        }
        writeln!(out, "registered  {registered}, of whom {routed} take part in routing")?;
        writeln!(out, "content     {} entries with their card, {} without content", self.cards, self.without)
    }
}

fn report(out: &mut impl io::Write, opened: &Opened, witnesses: usize) -> io::Result<()> {
    let checkpoint = &opened.checkpoint;
    writeln!(out, "log         {}", checkpoint.origin)?;
    writeln!(out, "entries     {}, every one as it was signed", checkpoint.size)?;
    writeln!(out, "root        {}", checkpoint.root)?;
    writeln!(out, "cosigned    by {} of {witnesses} known witnesses", opened.cosignatures.len())?;
    for cosignature in &opened.cosignatures {
        writeln!(out, "            {} at {}", cosignature.witness, time(cosignature.time_s))?;
    }
    if opened.unknown > 0 {
        writeln!(out, "unknown     {} signatures with keys that are not known here", opened.unknown)?;
    }
    Ok(())
}
