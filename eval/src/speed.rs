//! Times the stages of a route: every engine on the same weights and texts, interleaved in one run,
//! so that a noisy machine is as noisy for all.

mod report;

use std::{
    cmp::Ordering,
    io::{self, Write},
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use clap::ValueEnum;
use embedding::{Embedder, Engine, Limits, Model};
use proto::AskOptions;
use registry::Snapshot;
use router::route::{self, Background, Policy};

use crate::{fleet, peers::Peers};

/// Specialists of the fleet that is searched, and prototypes of each.
const FLEET: (usize, usize) = (120, 125);

/// Texts of one length that take turns, or go at once.
const TEXTS: usize = 32;

/// What to time.
#[derive(Debug, clap::Args)]
pub(crate) struct Speed {
    /// Folder of the encoder's weights.
    #[arg(long, default_value = "models/all-MiniLM-L6-v2")]
    model: PathBuf,
    /// How many times everything is measured; the first tenth is not counted.
    #[arg(long, default_value_t = 100)]
    rounds: usize,
    /// Time other people's encoders too, with a Python that has eval/peers/requirements.txt.
    #[arg(long, value_name = "PYTHON", num_args = 0..=1, default_missing_value = "python3")]
    peers: Option<PathBuf>,
    /// How the result is printed.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Format {
    /// For people.
    #[default]
    Table,
    /// For programs.
    Json,
}

/// Texts of one length, in calls of one or of all.
struct Work {
    name: &'static str,
    texts: Vec<String>,
    at_once: bool,
}

/// Who encodes.
enum Encoder {
    Ours(Embedder),
    Peer(String),
}

/// An encoder, and what each work took, round by round.
struct Runner {
    encoder: Encoder,
    took: Vec<Vec<Duration>>,
}

/// What the stages took, round by round, with the engine that this machine gets by itself.
#[derive(Default)]
struct Stages {
    tokenize: Vec<Duration>,
    encode: Vec<Duration>,
    search: Vec<Duration>,
    decide: Vec<Duration>,
    route: Vec<Duration>,
}

/// All that was measured.
struct Measured {
    works: Vec<Work>,
    runners: Vec<Runner>,
    stages: Stages,
}

/// Measures, and prints one table.
pub(crate) async fn run(speed: &Speed) -> Result<()> {
    let engines = engines(speed)?;
    let own = engines.last().context("no engine runs here")?.clone();
    let works = works(&own)?;
    let texts: Vec<&String> = works.iter().flat_map(|work| &work.texts).collect();
    let peers = speed.peers.as_ref().map(|python| Peers::start(python, &speed.model, &texts));
    let mut peers = peers.transpose()?;
    let names = peers.iter().flat_map(Peers::names).map(Encoder::Peer);
    let encoders = engines.into_iter().map(Encoder::Ours).chain(names);
    let took = || works.iter().map(|_| Vec::new()).collect();
    let mut runners: Vec<Runner> = encoders.map(|encoder| Runner { encoder, took: took() }).collect();

    let snapshot = fleet::scattered(own.space(), FLEET.0, FLEET.1)?;
    let background = Background::new(own.embed_all(&Background::questions(), |_| {}).await?);
    let mut stages = Stages::default();
    for round in 0..speed.rounds {
        // First, since the threads of a peer go on spinning for a while.
        stages.round(&own, &snapshot, &background, &works[0].texts[round % TEXTS]).await?;
        for runner in &mut runners {
            runner.round(&works, peers.as_mut(), round).await?;
        }
    }
    report::print(speed, &Measured { works, runners, stages })
}

/// The engines that run here; the last is the one that this machine gets by itself.
fn engines(speed: &Speed) -> Result<Vec<Embedder>> {
    let mut engines = Vec::new();
    for engine in [Engine::Candle, Engine::Packed] {
        match Model::load_with(&speed.model, Some(engine)) {
            Ok(model) => engines.push(Embedder::start(model, Limits::default())?.0),
            Err(error) if engines.is_empty() => return Err(error.into()),
            Err(error) => writeln!(io::stderr(), "left out: {error}")?,
        }
    }
    Ok(engines)
}

/// Texts of exactly 12 and 128 tokens, of the words of the background's questions.
fn works(embedder: &Embedder) -> Result<Vec<Work>> {
    let questions = Background::questions();
    let words = questions.iter().flat_map(|question| question.split_whitespace());
    let of = |tokens: usize| -> Result<Vec<String>> {
        let (mut texts, mut text) = (Vec::new(), String::new());
        for word in words.clone().cycle() {
            let longer = format!("{text} {word}");
            match embedder.count_tokens(&longer)?.cmp(&tokens) {
                Ordering::Less => text = longer,
                Ordering::Equal => {
                    texts.push(longer);
                    text.clear();
                }
                Ordering::Greater => text.clear(),
            }
            if texts.len() == TEXTS {
                break;
            }
        }
        Ok(texts)
    };
    let (questions, passages) = (of(12)?, of(128)?);
    let work = |name, texts: &[String], at_once| Work { name, texts: texts.to_vec(), at_once };
    Ok(vec![
        work("1 question of 12 tokens", &questions, false),
        work("32 questions of 12 tokens", &questions, true),
        work("1 passage of 128 tokens", &passages, false),
        work("32 passages of 128 tokens", &passages, true),
    ])
}

impl Runner {
    /// Encodes each work once: a call of one takes another text in each round.
    async fn round(&mut self, works: &[Work], mut peers: Option<&mut Peers>, round: usize) -> Result<()> {
        for (at, (work, took)) in works.iter().zip(&mut self.took).enumerate() {
            let texts = if work.at_once { 0..TEXTS } else { round % TEXTS..round % TEXTS + 1 };
            took.push(match (&self.encoder, peers.as_mut()) {
                (Encoder::Ours(embedder), _) => {
                    let began = Instant::now();
                    embedder.embed_all(&work.texts[texts], |_| {}).await?;
                    began.elapsed()
                }
                (Encoder::Peer(name), Some(peers)) => {
                    let numbers: Vec<usize> = texts.map(|text| at * TEXTS + text).collect();
                    peers.encode(name, &numbers)?
                }
                (Encoder::Peer(_), None) => continue,
            });
        }
        Ok(())
    }

    fn name(&self) -> &str {
        match &self.encoder {
            Encoder::Ours(embedder) => embedder.engine(),
            Encoder::Peer(name) => name,
        }
    }
}

impl Stages {
    /// The stages of `router::ask`, one after another.
    async fn round(
        &mut self,
        embedder: &Embedder,
        snapshot: &Snapshot,
        background: &Background,
        question: &str,
    ) -> Result<()> {
        let (policy, options) = (Policy::default(), AskOptions::default());
        let arrived = Instant::now();
        let embedded = embedder.embed(question).await?;
        let began = Instant::now();
        let hits = route::nearest(snapshot, &embedded.embedding, &options, policy.hits_max)?;
        let searched = Instant::now();
        let scores = route::score(&hits, policy.temperature);
        let background = background.score(&embedded.embedding.vector, policy.temperature);
        std::hint::black_box(route::decide(&policy, &options, snapshot, &scores, background));
        let decided = Instant::now();
        self.tokenize.push(embedded.timing.tokenize);
        self.encode.push(embedded.timing.encode);
        self.search.push(searched - began);
        self.decide.push(decided - searched);
        self.route.push(decided - arrived);
        Ok(())
    }
}
