//! `cargo eval`: measures the shipped code by driving it, and prints tables that others can check.

mod fleet;
mod peers;
mod speed;
mod statistics;

use anyhow::Result;
use clap::{Parser, Subcommand};

/// Measures Consilium by driving its shipped code.
#[derive(Parser)]
#[command(name = "cargo eval", version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Time the stages of a route, interleaved in one run, with each engine that this machine has.
    Speed(speed::Speed),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Speed(speed) => speed::run(&speed).await,
    }
}
