//! `cargo eval`: measures the shipped code by driving it, and prints tables that others can check.

mod agreement;
mod answers;
mod card;
mod decide;
mod figures;
mod fleet;
mod house;
mod intents;
mod limits;
mod measures;
mod network;
mod peers;
mod plot;
mod progress;
mod receipts;
mod record;
mod report;
mod retrieval;
mod routed;
mod routing;
mod specialists;
mod speed;
mod statistics;
mod texts;
mod throughput;
mod trial;
mod turns;

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
    /// Compare this machine's own engine with candle on real text; fail where they differ too much.
    Agreement(agreement::Agreement),
    /// Measure passages encoded, questions routed and corpora indexed a second.
    Throughput(throughput::Throughput),
    /// Time score and decision, given the nearest prototypes, among a thousand specialists.
    Decide(decide::Decide),
    /// Measure how often a question finds the specialist whose corpus it belongs to.
    Routing(routing::Routing),
    /// Measure how often the turns of conversations find the domain that they belong to.
    Turns(turns::Turns),
    /// Measure routing on the published questions of CLINC150 or BANKING77.
    Intents(intents::Intents),
    /// Measure how well passages that answer a question are found inside a corpus.
    Retrieval(retrieval::Retrieval),
    /// Measure what a whole federation answers, beside one index and single specialists.
    Answers(answers::Answers),
    /// Measure what receipts add to answers: time, writes and bytes.
    Receipts(receipts::Receipts),
    /// Write docs/performance.md and its plots from the records in eval/records.
    Report(report::Report),
}

#[tokio::main]
async fn main() -> Result<()> {
    match Cli::parse().command {
        Command::Speed(speed) => speed::run(&speed).await,
        Command::Agreement(agreement) => agreement::run(&agreement).await,
        Command::Throughput(throughput) => throughput::run(&throughput),
        Command::Decide(decide) => decide::run(&decide),
        Command::Routing(routing) => routing::run(&routing).await,
        Command::Turns(turns) => turns::run(&turns).await,
        Command::Intents(intents) => intents::run(&intents).await,
        Command::Retrieval(retrieval) => retrieval::run(&retrieval).await,
        Command::Answers(answers) => answers::run(&answers).await,
        Command::Receipts(receipts) => receipts::run(&receipts).await,
        Command::Report(report) => report::run(&report),
    }
}
