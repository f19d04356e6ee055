//! `audit`: checks what a router signed and logged, with keys that the reader brings.

mod cli;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks what a router signed and logged. Exits with 0 where all is as it was signed, with 1 where something is
/// refused, with 2 where it cannot be checked.
#[derive(Parser)]
#[command(version)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Check a receipt: who signed it, what was asked, whose words the answer has.
    Verify(cli::verify::Verify),
    /// Check a whole log: its signatures, every entry and every tile, and what the registry's entries may do.
    Log(cli::log::Log),
    /// Say what a log gained between two checkpoints, and whether it only grew.
    Diff(cli::diff::Diff),
    /// Sign a log's checkpoint, if the log only grew since the last time.
    Witness(cli::witness::Sign),
    /// Make a witness's key, and print the line that others trust it by.
    Keygen(cli::keygen::Keygen),
}

fn main() -> ExitCode {
    let run = match Cli::parse().command {
        Command::Verify(verify) => return verify.run().unwrap_or_else(|failure| failure.report()),
        Command::Log(log) => log.run(),
        Command::Diff(diff) => diff.run(),
        Command::Witness(sign) => sign.run(),
        Command::Keygen(keygen) => keygen.run(),
    };
    match run {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
