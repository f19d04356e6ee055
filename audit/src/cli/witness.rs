//! `audit witness`: a cosignature for a log that only grew.

use std::{
    io::{self, Write as _},
    path::PathBuf,
    time::{SystemTime, UNIX_EPOCH},
};

use audit::{SecretKey, Witness, log::Reader};
use clap::Args;

use super::{Failure, Keys};

/// Sign a log's checkpoint, if the log only grew since the last time.
#[derive(Args)]
pub(crate) struct Sign {
    /// The log: a folder, or an `http://` URL.
    #[arg(value_name = "DIR|URL")]
    log: String,
    /// The witness's key, as `keygen` made it.
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The witness's name, as `keygen` was told.
    #[arg(long)]
    name: String,
    /// Folder where the witness keeps how far each log had grown. Lost, a fork can pass once.
    #[arg(long, value_name = "DIR")]
    state: PathBuf,
    /// File with the keys of a router's logs.
    #[arg(long, value_name = "FILE", required_unless_present = "log_key", conflicts_with = "log_key")]
    trust: Option<PathBuf>,
    /// The log's key, as `name+hash+base64`.
    #[arg(long, value_name = "VKEY")]
    log_key: Option<String>,
    /// The log's `http://` URL, where the cosignature is sent to as `URL/cosignatures`.
    #[arg(long, value_name = "URL")]
    post: Option<String>,
}

impl Sign {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let reader = Reader::new(&self.log)?;
        let post = self.post.as_deref().map(Reader::new).transpose()?;
        let keys = Keys::new(self.trust.clone(), self.log_key.clone());
        let (log, _) = keys.of(&reader.note()?)?;
        let witness = Witness::new(&self.name, SecretKey::load(&self.key)?, self.state.clone())?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let note = witness.cosign(&reader, &log, now.as_secs())?;
        if let Some(post) = post {
            post.send(&note.to_string())?;
        }
        let mut out = io::stdout().lock();
        for line in note.lines.iter().skip(1) {
            write!(out, "{line}")?;
        }
        Ok(out.flush()?)
    }
}
