//! Other people's encoders, in a Python process beside this one; `eval/peers/encode.py` speaks to it.

pub(crate) mod route;

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use serde_json::json;

const SCRIPT: &str = include_str!("../peers/encode.py");

/// A running process; it ends when its standard input does.
pub(crate) struct Peers {
    names: Vec<String>,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    _process: Child,
}

impl Peers {
    /// Starts `python`, which has the packages of `eval/peers/requirements.txt`, on the weights in
    /// `model`. It encodes some of `texts` later, on as many threads as there are cores.
    pub(crate) fn start(python: &Path, model: &Path, texts: &[&String]) -> Result<Self> {
        let mut process = Command::new(python)
            .args(["-c", SCRIPT])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .with_context(|| format!("cannot run {}", python.display()))?;
        let (Some(input), Some(output)) = (process.stdin.take(), process.stdout.take()) else {
            bail!("the peers cannot be spoken to");
        };
        let mut peers = Self { names: Vec::new(), input, output: BufReader::new(output), _process: process };
        let model = model.canonicalize().with_context(|| format!("cannot find {}", model.display()))?;
        let threads = std::thread::available_parallelism()?;
        let names = peers.say(&json!({ "model": model, "threads": threads, "texts": texts }))?;
        peers.names = serde_json::from_str(&names).context("the peers did not start")?;
        Ok(peers)
    }

    /// Who is there.
    pub(crate) fn names(&self) -> Vec<String> {
        self.names.clone()
    }

    /// Has `peer` encode the texts of these numbers at once; what it took.
    pub(crate) fn encode(&mut self, peer: &str, texts: &[usize]) -> Result<Duration> {
        let seconds = self.say(&json!({ "peer": peer, "texts": texts }))?;
        Ok(Duration::from_secs_f64(seconds.trim().parse().context("the peers failed")?))
    }

    fn say(&mut self, line: &serde_json::Value) -> Result<String> {
        writeln!(self.input, "{line}")?;
        let mut answer = String::new();
        self.output.read_line(&mut answer)?;
        Ok(answer)
    }
}
