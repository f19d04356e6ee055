//! `audit verify`: a receipt.

use std::{
    fs::File,
    io::{self, Read as _, Write as _},
    path::PathBuf,
    process::ExitCode,
};

use audit::{Trust, bundle::BUNDLE_BYTES_MAX, log::Reader, verify};
use clap::{Args, ValueEnum};

use super::Failure;

/// The exit code of a receipt whose signers nobody knows.
const SIGNERS_UNKNOWN: u8 = 3;

/// Check a receipt. Exits with 0 where it is verified, 1 where it is refused, 2 where it cannot be checked, and 3
/// without a trust file, since then nobody knows whose keys signed it. Opens no connection but to --registry.
#[derive(Args)]
pub(crate) struct Verify {
    /// The receipt.json; `-` reads it from standard input.
    #[arg(value_name = "FILE")]
    receipt: PathBuf,
    /// File with the keys of the router's logs and of their witnesses. From elsewhere than the receipt.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
    /// The registry's log, a folder or an `http://` URL: shows who was left out, and whose key was revoked.
    #[arg(long, value_name = "DIR|URL", requires = "trust")]
    registry: Option<String>,
    /// How to say what was found.
    #[arg(long, short, value_enum, default_value_t)]
    output: Format,
}

#[derive(Clone, Copy, Default, ValueEnum)]
enum Format {
    /// In words.
    #[default]
    Text,
    /// As one JSON object.
    Json,
}

impl Verify {
    pub(crate) fn run(&self) -> Result<ExitCode, Failure> {
        let bytes = self.read().map_err(|error| Failure::Receipt(self.receipt.clone(), error))?;
        let trust = self.trust.as_deref().map(Trust::load).transpose()?;
        let report = match (&trust, &self.registry) {
            (Some(trust), Some(registry)) => verify::verify_with(&bytes, trust, &Reader::new(registry)?)?,
            _ => verify::verify(&bytes, trust.as_ref()),
        };
        let mut out = io::stdout().lock();
        match self.output {
            Format::Text => write!(out, "{report}")?,
            Format::Json => writeln!(out, "{}", report.to_json())?,
        }
        out.flush()?;
        Ok(match (report.is_verified(), report.is_sound()) {
            (true, _) => ExitCode::SUCCESS,
            (false, true) => ExitCode::from(SIGNERS_UNKNOWN),
            (false, false) => ExitCode::FAILURE,
        })
    }

    /// The file, one byte more of it than may be.
    fn read(&self) -> io::Result<Vec<u8>> {
        let (mut bytes, max) = (Vec::new(), BUNDLE_BYTES_MAX as u64 + 1);
        if self.receipt.as_os_str() == "-" {
            io::stdin().take(max).read_to_end(&mut bytes)?;
        } else {
            File::open(&self.receipt)?.take(max).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }
}
