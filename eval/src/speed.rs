//! Times the stages of a route: every engine on the same weights and texts, interleaved in one run
//! with the machine's limits, so that a noisy machine is as noisy for all.

mod figures;

use std::{
    collections::BTreeMap,
    hint::black_box,
    path::PathBuf,
    time::{Duration, Instant},
};

use anyhow::{Context, Result};
use embedding::{Embedder, Model};
use proto::Terms;
use router::route::Background;

pub(crate) use self::figures::{Encode, Figures, Limit};
use crate::{
    card::Card,
    fleet::{Fleet, Question, Rules},
    limits::{Memory, Pace},
    network::Network,
    peers::Peers,
    progress,
    record::Output,
    texts,
};

/// Specialists of the fleet that is searched, and prototypes of each.
const FLEET: (usize, usize) = (120, 125);

/// Texts of one length that take turns, or go at once.
const TEXTS: usize = 32;

/// As many at once as a card is busy with.
const CARD_TEXTS: usize = 1_024;

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
    #[command(flatten)]
    output: Output,
}

/// Texts of one length, in calls of one or of all.
struct Work {
    name: &'static str,
    tokens: u32,
    texts: Vec<String>,
    /// Texts in a call: one, another in each round, or all.
    at_once: usize,
    /// The first text's place among those of all works.
    first: usize,
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

/// What the machine can do at most, round by round.
#[derive(Default)]
struct Paces {
    one_thread: Vec<Pace>,
    all_threads: Vec<Pace>,
    /// Empty where no card encodes.
    card: Vec<Pace>,
}

/// All that was measured.
struct Measured {
    network: Network,
    works: Vec<Work>,
    runners: Vec<Runner>,
    stages: Stages,
    paces: Paces,
}

/// Measures, and prints one table.
pub(crate) async fn run(speed: &Speed) -> Result<()> {
    let start = |model| Ok(Embedder::start(model)?.0);
    let engines: Vec<_> = Model::load_each(&speed.model)?.into_iter().map(start).collect::<Result<_>>()?;
    let own = engines.last().context("no engine runs here")?.clone();
    let works = works(&own)?;
    let texts: Vec<&String> = works.iter().flat_map(|work| &work.texts).collect();
    let peers = speed.peers.as_ref().map(|python| Peers::start(python, &speed.model, &texts));
    let mut peers = peers.transpose()?;
    let names = peers.iter().flat_map(Peers::names).map(Encoder::Peer);
    let encoders = engines.into_iter().map(Encoder::Ours).chain(names);
    let took = || works.iter().map(|_| Vec::new()).collect();
    let mut runners: Vec<Runner> = encoders.map(|encoder| Runner { encoder, took: took() }).collect();

    let background = own.embed_all(&Background::questions(), |_| {}).await?;
    let fleet = Fleet::made_up(own.space(), background, FLEET)?;
    let network = Network::read(&speed.model)?;
    let memory = Memory::of(network.weight_bytes());
    let card = (own.backend().device == "cuda").then(Card::open).transpose()?;
    let (mut stages, mut paces) = (Stages::default(), Paces::default());
    let progress = progress::bar("rounds", speed.rounds)?;
    for round in 0..speed.rounds {
        for (at, runner) in runners.iter_mut().enumerate() {
            runner.round(&works, peers.as_mut(), round).await?;
            if at > 0 {
                continue;
            }
            // Here, since the threads of the peers go on spinning for a while after their turn: the
            // first engine has taken long enough for them to become quiet.
            stages.round(&own, &fleet, &works[0].texts[round % TEXTS]).await?;
            paces.one_thread.push(memory.one_thread());
            paces.all_threads.push(memory.all_threads());
            if let Some(card) = &card {
                paces.card.push(card.pace()?);
            }
        }
        progress.inc(1);
    }
    progress.finish_and_clear();
    let measured = Measured { network, works, runners, stages, paces };
    speed.output.put(Figures::of(&measured, speed.rounds / 10), Figures::table)
}

fn works(embedder: &Embedder) -> Result<Vec<Work>> {
    let mut kinds = vec![
        ("1 question of 12 tokens", 12, 1),
        ("32 questions of 12 tokens", 12, TEXTS),
        ("1 passage of 128 tokens", 128, 1),
        ("32 passages of 128 tokens", 128, TEXTS),
    ];
    if embedder.backend().device == "cuda" {
        kinds.push(("1024 passages of 128 tokens", 128, CARD_TEXTS));
    }
    let mut first = 0;
    let work = |(name, tokens, at_once): (_, u32, _)| {
        let count = |text: &str| Ok(embedder.count_tokens(text)?);
        let texts = texts::of_tokens(tokens as usize, TEXTS.max(at_once), count)?;
        let work = Work { name, tokens, texts, at_once, first };
        first += work.texts.len();
        Ok(work)
    };
    kinds.into_iter().map(work).collect()
}

impl Runner {
    /// Encodes each work once: a call of one takes another text in each round.
    async fn round(&mut self, works: &[Work], mut peers: Option<&mut Peers>, round: usize) -> Result<()> {
        for (work, took) in works.iter().zip(&mut self.took) {
            let from = if work.at_once == 1 { round % TEXTS } else { 0 };
            let texts = from..from + work.at_once;
            took.push(match (&self.encoder, peers.as_mut()) {
                (Encoder::Ours(embedder), _) => {
                    let began = Instant::now();
                    embedder.embed_all(&work.texts[texts], |_| {}).await?;
                    began.elapsed()
                }
                (Encoder::Peer(name), Some(peers)) => {
                    let numbers: Vec<usize> = texts.map(|text| work.first + text).collect();
                    peers.encode(name, &numbers)?
                }
                (Encoder::Peer(_), None) => continue,
            });
        }
        Ok(())
    }

    fn name(&self) -> String {
        match &self.encoder {
            Encoder::Ours(embedder) => embedder.backend().to_string(),
            Encoder::Peer(name) => name.clone(),
        }
    }

    /// Whether it is one of ours.
    fn is_ours(&self) -> bool {
        matches!(self.encoder, Encoder::Ours(_))
    }

    /// Whether a card does the arithmetic.
    fn on_card(&self) -> bool {
        match &self.encoder {
            Encoder::Ours(embedder) => embedder.backend().device == "cuda",
            Encoder::Peer(name) => name.ends_with(" on cuda"),
        }
    }
}

impl Stages {
    /// The stages of `router::ask`, one after another.
    async fn round(&mut self, embedder: &Embedder, fleet: &Fleet, question: &str) -> Result<()> {
        let arrived = Instant::now();
        let embedded = embedder.embed(question).await?;
        let began = Instant::now();
        let rules = Rules::default();
        let hits = fleet.search(&rules, &embedded.embedding)?;
        let searched = Instant::now();
        let question = Question { embedding: embedded.embedding, terms: Terms::of(question) };
        black_box(fleet.decide(&rules, &question, &hits, &BTreeMap::new()));
        let decided = Instant::now();
        self.tokenize.push(embedded.timing.tokenize);
        self.encode.push(embedded.timing.encode);
        self.search.push(searched - began);
        self.decide.push(decided - searched);
        self.route.push(decided - arrived);
        Ok(())
    }
}
