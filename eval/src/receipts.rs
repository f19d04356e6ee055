//! Measures what receipts add to answers: the real router and a specialist that signs, both in this process, over
//! gRPC and a database on a real disk, whose own time to write is measured between the turns.

use std::{
    fs::File,
    io::Write as _,
    path::{Path, PathBuf},
    pin::pin,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, bail, ensure};
use audit::Bundle;
use embedding::{Embedder, Model};
use futures_util::{StreamExt as _, future::try_join_all};
use router::{
    ask::{self, Answering, Event},
    config::Config,
    receipt::Capability,
};
use serde::{Deserialize, Serialize};
use specialist::{Server, Settings, config::Overrides, identity};

use crate::{house::House, progress, record::Output};

/// Turns at once, where many are.
const AT_ONCE: usize = 200;

/// How many bytes are written before each flush that is timed: a page of the database.
const PAGE: [u8; 4_096] = [1; 4_096];

/// How many flushes are timed in each round.
const FLUSHES: usize = 20;

const QUESTION: &str = "why do soap bubbles shimmer";

const SPECIALIST: &str = r#"
id = "soap"
title = "Soap"
institution = "Institute of soap"
description = "Soap bubbles."
license = "CC0-1.0"
listen = "127.0.0.1:0"
key = "specialist.key"
encoder = { kind = "none" }
example_questions = ["why do soap bubbles shimmer"]

[generator]
kind = "scripted"
steps = [
    { passage = "The film of a soap bubble is thin. Light from its two sides interferes." },
    { say = "The film of a soap bubble is thin." },
    { say = " Light from its two sides interferes." },
]
"#;

/// What to measure.
#[derive(Debug, clap::Args)]
pub(crate) struct Receipts {
    /// Rounds, each of 200 turns at once and 200 one by one.
    #[arg(long, value_name = "N", default_value_t = 10)]
    rounds: usize,
    /// Folder on the disk that is measured; that of the system's temporary files where absent.
    #[arg(long, value_name = "DIR")]
    disk: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Times in milliseconds.
#[derive(Debug, Serialize, Deserialize)]
struct Spread {
    p50: f64,
    p95: f64,
    p99: f64,
}

/// What receipts add.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// How the programs were built.
    profile: String,
    rounds: usize,
    at_once: usize,
    /// A page written and flushed, with nothing else under way.
    flush_ms: Spread,
    /// From the last word to the end, receipt signed and written: one turn at a time.
    alone_ms: Spread,
    /// The same of many turns at once.
    together_ms: Spread,
    /// Writes that as many turns shared, on average.
    writes: f64,
    /// The signed receipt.
    receipt_bytes: usize,
    /// With all that is needed to check it.
    bundle_bytes: usize,
}

/// A turn that came to its end.
struct Ended {
    request_id: String,
    capability: Capability,
    /// From the last word to the end.
    added: Duration,
}

/// Measures, and prints one table.
pub(crate) async fn run(receipts: &Receipts) -> Result<()> {
    ensure!(receipts.rounds > 0, "nothing is measured in no rounds: choose --rounds");
    let folder = receipts.disk.as_deref().map_or_else(tempfile::tempdir, tempfile::tempdir_in)?;
    let house = start(folder.path()).await?;
    let (mut flushes, mut alone, mut together) = (Vec::new(), Vec::new(), Vec::new());
    let mut writes = 0;
    let progress = progress::bar("rounds", receipts.rounds)?;
    // The first round is not counted.
    for round in 0..=receipts.rounds {
        if round == 1 {
            (flushes, alone, together, writes) = (Vec::new(), Vec::new(), Vec::new(), 0);
        }
        flush(folder.path(), &mut flushes)?;
        for _ in 0..AT_ONCE {
            alone.push(ask(&house).await?.added);
        }
        let before = house.app.receipts.writes();
        let turns = try_join_all((0..AT_ONCE).map(|_| ask(&house))).await?;
        writes += house.app.receipts.writes() - before;
        together.extend(turns.iter().map(|ended| ended.added));
        progress.inc(u64::from(round > 0));
    }
    progress.finish_and_clear();
    let ended = ask(&house).await?;
    let bundle = house.app.receipts.bundle(&ended.request_id, &ended.capability).await?;
    let receipt = Bundle::read(bundle.as_bytes())?.receipt();
    #[expect(clippy::cast_precision_loss, reason = "counts of a short run")]
    let writes = writes as f64 / receipts.rounds as f64;
    let figures = Figures {
        profile: if cfg!(debug_assertions) { "dev" } else { "release" }.to_owned(),
        rounds: receipts.rounds,
        at_once: AT_ONCE,
        flush_ms: Spread::of(flushes),
        alone_ms: Spread::of(alone),
        together_ms: Spread::of(together),
        writes,
        receipt_bytes: receipt.payload.len() + receipt.signature.len(),
        bundle_bytes: bundle.len(),
    };
    house.stop().await;
    receipts.output.put(figures, Figures::table)
}

/// Times how long the disk of `folder` takes for a page.
fn flush(folder: &Path, took: &mut Vec<Duration>) -> Result<()> {
    let mut file = File::create(folder.join("page"))?;
    for _ in 0..FLUSHES {
        let began = Instant::now();
        file.write_all(&PAGE)?;
        file.sync_data()?;
        took.push(began.elapsed());
    }
    Ok(())
}

/// A router and the specialist, whose files are in `folder`.
async fn start(folder: &Path) -> Result<House> {
    let (data, file) = (folder.join("router"), folder.join("specialist.toml"));
    std::fs::write(&file, SPECIALIST)?;
    identity::keygen(&file, None)?;
    let (embedder, _ends_with_its_handles) = Embedder::start(Model::hashed())?;
    let mut config = Config { data, ..Config::default() };
    config.dispatch.in_flight_max = AT_ONCE;
    let house = House::start(embedder, &config).await?;
    house.admit(Server::serve(Settings::load(&file, Overrides::default())?, None).await?).await?;
    Ok(house)
}

/// Asks as a client does, and reads to the end.
async fn ask(house: &House) -> Result<Ended> {
    let Answering { routed, capability, events } = house.ask(QUESTION).await?;
    let (mut events, mut last) = (pin!(events), None);
    while let Some(event) = events.next().await {
        match event? {
            Event::Part(_) => last = Some(Instant::now()),
            Event::Finish(finish) => {
                ensure!(finish.reason == ask::Reason::Answered, "it was not answered");
                let added = last.context("an answer without a word")?.elapsed();
                return Ok(Ended { request_id: routed.request_id.clone(), capability, added });
            }
        }
    }
    bail!("an answer without an end")
}

impl Spread {
    fn of(mut took: Vec<Duration>) -> Self {
        took.sort_unstable();
        let at = |share: usize| {
            let place = (took.len() * share / 100).min(took.len().saturating_sub(1));
            took.get(place).map_or(f64::NAN, |took| took.as_secs_f64() * 1e3)
        };
        Self { p50: at(50), p95: at(95), p99: at(99) }
    }

    fn row(&self, name: &str) -> String {
        let Self { p50, p95, p99 } = self;
        format!("{name:<44}{p50:>9.2}{p95:>9.2}{p99:>9.2}\n")
    }
}

impl Figures {
    fn table(&self) -> String {
        let Self { profile, rounds, at_once, writes, receipt_bytes, bundle_bytes, .. } = self;
        let mut table = format!("{rounds} rounds, {profile} profile\n{:<44}", "milliseconds");
        table += &format!("{:>9}{:>9}{:>9}\n", "p50", "p95", "p99");
        table += &self.flush_ms.row("a page written and flushed");
        table += &self.alone_ms.row("from the last word to the end, one turn");
        table += &self.together_ms.row(&format!("from the last word to the end, {at_once} turns"));
        table += &format!("{at_once} turns at once shared {writes:.1} writes\n");
        table += &format!("a receipt has {receipt_bytes} bytes, receipt.json {bundle_bytes}\n");
        table
    }
}
