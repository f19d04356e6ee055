//! Times score and decision, given the nearest prototypes, in a fleet of a thousand specialists.

use std::{
    collections::BTreeMap,
    hint::black_box,
    sync::Arc,
    time::{Duration, Instant},
};

use anyhow::Result;
use proto::{Digest, Embedding, Pooling, Space, Terms};
use serde::{Deserialize, Serialize};

use crate::{
    fleet::{self, Fleet, Question, Rules},
    record::Output,
    statistics::Estimate,
};

/// Specialists, and prototypes of each.
const FLEET: (usize, usize) = (1_000, 64);

/// Numbers of a vector, and questions of the background, as the shipped encoder and list have them.
const DIMENSION: usize = 384;
const BACKGROUND: usize = 250;

/// How often it is done before it counts.
const WARM_UP: usize = 100;

/// How often to decide.
#[derive(Debug, clap::Args)]
pub(crate) struct Decide {
    /// Decisions that are timed.
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    rounds: usize,
    #[command(flatten)]
    output: Output,
}

/// What decisions take.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    specialists: usize,
    prototypes: usize,
    /// Microseconds.
    decide_us_p50: Estimate,
    decide_us_p95: f64,
    decide_us_p99: f64,
}

/// Measures, and prints one table.
pub(crate) fn run(decide: &Decide) -> Result<()> {
    let space = Arc::new(Space {
        encoder: "made up".to_owned(),
        weights: Digest::of("made up"),
        pooling: Pooling::Mean,
        prefix: String::new(),
        dimension: DIMENSION,
    });
    let background = fleet::vectors(&space, BACKGROUND)?;
    // Searched a few times only, so that an index does not pay.
    let fleet = Fleet::new(fleet::scattered(&space, FLEET.0, FLEET.1)?, background);
    let rules = Rules::default();
    let mut questions = Vec::new();
    for vector in fleet::vectors(&space, 64)? {
        let embedding = Embedding { space: space.clone(), vector };
        let hits = fleet.search(&rules, &embedding)?;
        questions.push((Question { embedding, terms: Terms::of("five terms are in here") }, hits));
    }
    let mut took = Vec::new();
    for (question, hits) in questions.iter().cycle().take(WARM_UP + decide.rounds) {
        let began = Instant::now();
        black_box(fleet.decide(&rules, question, hits, &BTreeMap::new()));
        took.push(began.elapsed());
    }
    let mut took: Vec<Duration> = took.split_off(WARM_UP);
    took.sort_unstable();
    let at = |share: usize| {
        let place = (took.len() * share / 100).min(took.len().saturating_sub(1));
        took.get(place).map_or(f64::NAN, |took| took.as_secs_f64() * 1e6)
    };
    let figures = Figures {
        specialists: FLEET.0,
        prototypes: FLEET.0 * FLEET.1,
        decide_us_p50: Estimate::median_time(&took, Duration::from_micros(1)),
        decide_us_p95: at(95),
        decide_us_p99: at(99),
    };
    decide.output.put(figures, Figures::table)
}

impl Figures {
    fn table(&self) -> String {
        let Self { specialists, prototypes, decide_us_p50, decide_us_p95, decide_us_p99 } = self;
        format!(
            "{specialists} specialists, {prototypes} prototypes: score and decide, given the nearest\n\
             p50 {decide_us_p50} us, p95 {decide_us_p95:.1} us, p99 {decide_us_p99:.1} us\n"
        )
    }
}
