//! `audit keygen`: a witness's key.

use std::{
    io::{self, Write as _},
    path::PathBuf,
};

use audit::{SecretKey, Vkey, note::Algorithm};
use clap::Args;

use super::Failure;

/// Make a witness's key.
#[derive(Args)]
pub(crate) struct Keygen {
    /// Where the key is kept, readable for its owner alone; never over another file.
    file: PathBuf,
    /// The witness's name, such as `witness.example.org`.
    #[arg(long)]
    name: String,
}

impl Keygen {
    pub(crate) fn run(&self) -> Result<(), Failure> {
        let key = SecretKey::generate()?;
        let vkey = Vkey::new(&self.name, Algorithm::Cosignature, key.public())?;
        key.save(&self.file)?;
        Ok(writeln!(io::stdout(), "{vkey}")?)
    }
}
