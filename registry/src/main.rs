//! `registry`: who is in a router's fleet.

mod commands;
mod failure;
mod print;

use std::{path::PathBuf, process::ExitCode};

use clap::{Args, Parser, Subcommand, ValueEnum};

/// Who is in a router's fleet: look at specialists, admit them, take them out.
///
/// Data goes to standard output, everything else to standard error.
/// Exit codes: 0 done, 1 failed, 2 usage, 3 unreachable, 4 refused by verification.
#[derive(Parser)]
#[command(name = "registry", version, max_term_width = 100)]
struct Cli {
    /// The router, as http://host:port.
    #[arg(long, global = true, env = "CONSILIUM_ROUTER", default_value = "http://127.0.0.1:8080")]
    router: String,
    /// How data is printed.
    #[arg(short, long, global = true, value_enum, default_value_t)]
    output: Output,
    #[command(subcommand)]
    command: Command,
}

/// How data is printed.
#[derive(Clone, Copy, Default, PartialEq, ValueEnum)]
enum Output {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

#[derive(Subcommand)]
enum Command {
    /// Have the router look at a specialist and examine it, show what it finds, ask, and admit it.
    Add {
        #[command(flatten)]
        target: Target,
        /// Admit without asking.
        #[arg(long)]
        yes: bool,
        /// Show what would be admitted, and stop.
        #[arg(long)]
        dry_run: bool,
        /// Never ask; without --yes nothing is admitted.
        #[arg(long)]
        no_input: bool,
        /// Admit it even where its exam refuses it, and so each of its new revisions.
        #[arg(long)]
        despite_exam: bool,
    },
    /// Have the router look at a specialist and examine it, and show what it finds.
    Test {
        #[command(flatten)]
        target: Target,
        /// Have it examined against the whole contract, and show every rule; takes up to four minutes.
        #[arg(long)]
        conformance: bool,
    },
    /// All registrations.
    List,
    /// One registration, with its card.
    Show {
        /// Its id.
        id: String,
    },
    /// Take a specialist out of routing from the next question on.
    Disable {
        /// Its id.
        id: String,
    },
    /// Put a disabled specialist back.
    Enable {
        /// Its id.
        id: String,
    },
    /// Forget a registration.
    Remove {
        /// Its id.
        id: String,
    },
    /// Let a specialist's key count no more, for good, say because it was stolen: ask first.
    Revoke {
        /// Its id.
        id: String,
        /// Revoke without asking.
        #[arg(long)]
        yes: bool,
    },
    /// Every change from now on, one a line.
    Watch,
}

/// Where a specialist is.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Target {
    /// Where the router reaches it, as http://host:port.
    endpoint: Option<String>,
    /// Its specialist.toml, whose public endpoint is taken.
    #[arg(short, long)]
    file: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match commands::run(Cli::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure @ failure::Failure::EnoughRead) => failure.exit_code(),
        Err(failure) => {
            print::message(format_args!("registry: {failure:#}"));
            failure.exit_code()
        }
    }
}
