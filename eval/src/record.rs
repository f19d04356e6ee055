//! What a command found, with all that a reader needs to check it: command, date, commit, machine.

use std::{
    fs,
    io::{self, Write},
    path::{MAIN_SEPARATOR, Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};
use clap::ValueEnum;
use serde::{Deserialize, Serialize};

/// Of a processor's features, those that decide how fast arithmetic can be.
const FEATURES: [&str; 7] = ["avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile", "amx_bf16"];

/// Where a command's result goes.
#[derive(Debug, clap::Args)]
pub(crate) struct Output {
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// File that the result is also written to, as JSON.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// A command's figures under a head that all commands share.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Record<F> {
    pub(crate) record: Head,
    #[serde(flatten)]
    pub(crate) figures: F,
}

/// Where the figures come from.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Head {
    /// The command line, where `PATH` stands for each path: paths say nothing to others.
    pub(crate) command: String,
    /// The day in UTC, as `2026-11-21`.
    pub(crate) date: String,
    /// What git calls the commit, where git can tell.
    pub(crate) commit: Option<String>,
    pub(crate) machine: Machine,
}

/// What the figures depend on.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Machine {
    /// The processor's name, family and model.
    pub(crate) cpu: String,
    /// As Linux calls them, of [`FEATURES`].
    pub(crate) features: Vec<String>,
    /// How many threads run at once.
    pub(crate) threads: usize,
    /// The graphics card's name and its driver's version, where there is one.
    pub(crate) card: Option<String>,
}

impl Output {
    /// Prints `figures`, in `table` for people, and keeps them where they are to be kept.
    pub(crate) fn put<F: Serialize>(&self, figures: F, table: impl FnOnce(&F) -> String) -> Result<()> {
        let record = Record { record: Head::here()?, figures };
        let json = serde_json::to_string_pretty(&record)? + "\n";
        let text = match self.format {
            Format::Json => json.clone(),
            Format::Table => table(&record.figures),
        };
        io::stdout().lock().write_all(text.as_bytes())?;
        let Some(out) = &self.out else { return Ok(()) };
        fs::write(out, json).with_context(|| format!("cannot write {}: choose another --out", out.display()))
    }
}

impl<F: for<'a> Deserialize<'a>> Record<F> {
    pub(crate) fn read(path: &Path) -> Result<Self> {
        let read = || Ok::<_, anyhow::Error>(serde_json::from_str(&fs::read_to_string(path)?)?);
        read().with_context(|| format!("{} is no record: write it again with --out", path.display()))
    }
}

impl Head {
    fn here() -> Result<Self> {
        let shown = |argument: String| {
            if argument.contains(MAIN_SEPARATOR) { "PATH".to_owned() } else { argument }
        };
        let arguments = std::env::args().skip(1).map(shown);
        let command = ["cargo".to_owned(), "eval".to_owned()].into_iter().chain(arguments);
        Ok(Self {
            command: command.collect::<Vec<_>>().join(" "),
            date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
            commit: commit(),
            machine: Machine::here()?,
        })
    }
}

/// With `-dirty` behind it where files differ from it, other than records.
fn commit() -> Option<String> {
    let name = git(&["rev-parse", "--short=12", "HEAD"])?;
    let changes =
        git(&["status", "--porcelain", "--untracked-files=no", ":/", ":(exclude,top)eval/records"])?;
    Some(if changes.is_empty() { name } else { name + "-dirty" })
}

fn git(arguments: &[&str]) -> Option<String> {
    said(Command::new("git").args(arguments))
}

/// What `command` prints, where there is such a command and it succeeds.
fn said(command: &mut Command) -> Option<String> {
    let said = command.output().ok().filter(|said| said.status.success())?;
    Some(String::from_utf8(said.stdout).ok()?.trim().to_owned())
}

impl Machine {
    fn here() -> Result<Self> {
        let threads = std::thread::available_parallelism()?.get();
        // Other systems have no such file, and other processors other lines in it.
        let card = said(
            Command::new("nvidia-smi").args(["--query-gpu=name,driver_version", "--format=csv,noheader"]),
        );
        Ok(Self { card, ..Self::read(&fs::read_to_string("/proc/cpuinfo").unwrap_or_default(), threads) })
    }

    /// `cpuinfo` is what Linux says of its processors.
    fn read(cpuinfo: &str, threads: usize) -> Self {
        let value = |key: &str| {
            let mut lines = cpuinfo.lines().filter_map(|line| line.split_once(':'));
            lines.find(|(name, _)| name.trim() == key).map(|(_, value)| value.trim())
        };
        let cpu = match (value("model name"), value("cpu family"), value("model")) {
            (Some(name), Some(family), Some(model)) => format!("{name} (family {family}, model {model})"),
            _ => format!("unknown processor ({})", std::env::consts::ARCH),
        };
        let flags: Vec<&str> = value("flags").unwrap_or_default().split_whitespace().collect();
        let features = FEATURES.into_iter().filter(|feature| flags.contains(feature));
        Self { cpu, features: features.map(str::to_owned).collect(), threads, card: None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_is_read_from_what_linux_says() {
        let text =
            "processor\t: 0\ncpu family\t: 25\nmodel\t\t: 1\nmodel name\t: AMD EPYC\nflags\t: fpu avx2 fma\n";
        let machine = Machine::read(text, 2);
        assert_eq!(machine.cpu, "AMD EPYC (family 25, model 1)");
        assert_eq!(machine.features, ["avx2", "fma"]);
        assert!(Machine::read("", 2).cpu.starts_with("unknown processor"));
    }
}
