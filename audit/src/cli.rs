//! The commands: what they say goes to stdout, why they end goes to stderr.

pub(crate) mod diff;
pub(crate) mod keygen;
pub(crate) mod log;
pub(crate) mod verify;
pub(crate) mod witness;

use std::{
    error::Error,
    io::{self, Write as _},
    path::{Path, PathBuf},
    process::ExitCode,
};

use audit::{
    KeyError, NoteError, RuleError, Trust, TrustError, Vkey,
    log::{CHECKPOINT, LogError},
};
use clap::Args;
use jiff::Timestamp;

/// Why a command ends before its end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// What was checked is not as it was signed.
    #[error(transparent)]
    Refused(LogError),
    /// An entry of the registry breaks a rule.
    #[error("entry {0} of the registry's log breaks a rule: {1}")]
    Rule(u64, #[source] RuleError),
    /// It cannot be checked.
    #[error(transparent)]
    Unchecked(LogError),
    /// The reader's keys.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// A key on the command line.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// A key's line on the command line.
    #[error(transparent)]
    Vkey(#[from] NoteError),
    /// Nothing is known of a log.
    #[error("the trust file has no key for the log {0}")]
    Stranger(String),
    /// Two logs instead of one.
    #[error("these are two logs, {0} and {1}, and only one log grows")]
    TwoLogs(String, String),
    /// The receipt cannot be read.
    #[error("cannot read the receipt {}", .0.display())]
    Receipt(PathBuf, #[source] io::Error),
    /// What it says cannot be written.
    #[error("cannot write the result")]
    Output(#[from] io::Error),
}

impl From<LogError> for Failure {
    fn from(error: LogError) -> Self {
        match error {
            LogError::File { .. }
            | LogError::Http { .. }
            | LogError::Https
            | LogError::Memory(_)
            | LogError::NoTiles { .. }
            | LogError::Unsendable
            | LogError::Note(_) => Self::Unchecked(error),
            // Nothing is there that anybody signed.
            LogError::Missing(ref name) if name == CHECKPOINT => Self::Unchecked(error),
            error => Self::Refused(error),
        }
    }
}

impl Failure {
    /// Says why, and gives the exit code.
    pub(crate) fn report(&self) -> ExitCode {
        if let Self::Output(error) = self
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            // Whoever read it had enough.
            return ExitCode::SUCCESS;
        }
        let mut text = self.to_string();
        let mut source = self.source();
        while let Some(error) = source {
            let why = error.to_string();
            if !text.ends_with(&why) {
                text = format!("{text}: {why}");
            }
            source = error.source();
        }
        let _ = writeln!(io::stderr(), "audit: {text}");
        ExitCode::from(if matches!(self, Self::Refused(_) | Self::Rule(..)) { 1 } else { 2 })
    }
}

/// Whose signature counts.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Keys {
    /// File with the keys of a router's logs and of their witnesses.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// The log's key, as `name+hash+base64`.
    #[arg(long, value_name = "VKEY")]
    key: Option<String>,
}

impl Keys {
    pub(crate) fn new(trust: Option<PathBuf>, key: Option<String>) -> Self {
        Self { trust, key }
    }

    /// The keys of the log and of its witnesses. `note` is the log's checkpoint, unchecked: its first line
    /// chooses among the keys that are trusted.
    pub(crate) fn of(&self, note: &str) -> Result<(Vkey, Vec<Vkey>), Failure> {
        if let Some(key) = &self.key {
            return Ok((key.parse()?, Vec::new()));
        }
        let trust = Trust::load(self.trust.as_deref().unwrap_or(Path::new("")))?;
        let origin = note.lines().next().unwrap_or_default();
        let log = trust.log(origin).ok_or_else(|| Failure::Stranger(printable(origin)))?;
        Ok((log.clone(), trust.witnesses().to_vec()))
    }
}

/// `text` as a terminal may show it, the first 100 characters.
fn printable(text: &str) -> String {
    text.chars().take(100).flat_map(char::escape_debug).collect()
}

/// A time as people write it.
pub(crate) fn time(time_s: u64) -> String {
    let time = i64::try_from(time_s).ok().and_then(|time_s| Timestamp::from_second(time_s).ok());
    time.map_or_else(|| format!("{time_s} s"), |time| time.to_string())
}
