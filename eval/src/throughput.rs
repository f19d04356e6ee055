//! Measures how much the engine that this machine gets by itself does in a second: passages encoded,
//! questions routed, corpora indexed.

mod callers;
mod figures;

use std::{
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::Result;
use embedding::{Embedder, Model, Tokens};
use index::Index;
use proto::Embedding;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use router::route::Background;

pub(crate) use self::figures::{Figures, Indexed, Rates};
use crate::{fleet::Fleet, progress, record::Output, statistics::Estimate, texts};

/// Specialists of the fleet that is searched, and prototypes of each.
const FLEET: (usize, usize) = (15, 64);

/// Texts that take turns.
const TEXTS: usize = 256;

/// Stretches of time that each rate is the median of.
const WINDOWS: u32 = 20;

/// Stretches before them that are not counted.
const WARM_UP: u32 = 2;

/// How long to measure, and on what.
#[derive(Debug, clap::Args)]
pub(crate) struct Throughput {
    /// Folder of the encoder's weights.
    #[arg(long, default_value = "models/all-MiniLM-L6-v2")]
    model: PathBuf,
    /// How long each rate is measured; there are four.
    #[arg(long, default_value_t = 40)]
    seconds: u32,
    /// Callers that wait for an answer at the same time.
    #[arg(long, default_value_t = 64)]
    callers: usize,
    /// Index the corpora of this folder too: .jsonl files whose lines have a `text`.
    #[arg(long, value_name = "DIR")]
    corpora: Option<PathBuf>,
    #[command(flatten)]
    output: Output,
}

/// Texts of one length, as text and as tokens.
struct Texts {
    texts: Vec<String>,
    /// As many as are encoded at once.
    batch: Vec<Tokens>,
}

/// A corpus, and how many tokens of it the encoder reads.
struct Corpus {
    texts: Vec<String>,
    tokens: usize,
}

/// Measures, and prints one table.
pub(crate) fn run(throughput: &Throughput) -> Result<()> {
    let mut model = Model::load(&throughput.model)?;
    let space = model.space().clone();
    let (passages, questions) = (texts(&model, 128)?, texts(&model, 12)?);
    let corpora = throughput.corpora.as_deref().map(|folder| corpora(folder, &model)).transpose()?;
    let background = tokens(&model, &Background::questions())?;
    let fleet = Fleet::made_up(&space, model.encode(&background)?, FLEET)?;

    let passages_tokenized =
        throughput.rate("passages from tokens", |_| Ok(model.encode(&passages.batch)?.len()))?;
    let questions_tokenized = throughput.rate("questions from tokens", |_| {
        let route = |vector| fleet.route(&Embedding { space: space.clone(), vector }).map(drop);
        let vectors = model.encode(&questions.batch)?;
        Ok(vectors.into_par_iter().map(route).collect::<Result<Vec<()>>>()?.len())
    })?;

    let (embedder, _) = Embedder::start(model)?;
    let callers = throughput.callers;
    let passages_end_to_end = throughput.rate("passages from text", |until| {
        callers::until(until, &embedder, callers, &passages.texts, |_| Ok(()))
    })?;
    let questions_end_to_end = throughput.rate("questions from text", |until| {
        callers::until(until, &embedder, callers, &questions.texts, |question| {
            fleet.route(question).map(drop)
        })
    })?;
    let figures = Figures {
        engine: embedder.backend().engine.to_owned(),
        device: embedder.backend().device.to_owned(),
        callers,
        passages_per_s: Rates { tokenized: passages_tokenized, end_to_end: passages_end_to_end },
        questions_per_s: Rates { tokenized: questions_tokenized, end_to_end: questions_end_to_end },
        specialists: FLEET.0,
        prototypes: FLEET.0 * FLEET.1,
        indexed: corpora.map(|corpora| index_all(&corpora, &embedder)).transpose()?,
    };
    throughput.output.put(figures, Figures::table)
}

impl Throughput {
    /// How many texts a second, where `work` does some and is to end at the instant that it is given.
    fn rate(&self, name: &str, mut work: impl FnMut(Instant) -> Result<usize>) -> Result<Estimate> {
        let progress = progress::bar(name, (WARM_UP + WINDOWS) as usize)?;
        let window = Duration::from_secs(self.seconds.into()) / WINDOWS;
        let mut rates = Vec::new();
        for _ in 0..WARM_UP + WINDOWS {
            let began = Instant::now();
            let mut count = 0;
            while count == 0 || began.elapsed() < window {
                count += work(began + window)?;
            }
            rates.push(rate(count, began.elapsed()));
            progress.inc(1);
        }
        progress.finish_and_clear();
        Ok(Estimate::median(rates.split_off(WARM_UP as usize)))
    }
}

fn texts(model: &Model, length: usize) -> Result<Texts> {
    let texts = texts::of_tokens(length, TEXTS, |text| Ok(model.tokens(text)?.len()))?;
    let count = (model.batch_limits().tokens_max / length).max(1);
    let batch = tokens(model, &texts)?.into_iter().cycle().take(count).collect();
    Ok(Texts { texts, batch })
}

fn tokens(model: &Model, texts: &[String]) -> Result<Vec<Tokens>> {
    texts.iter().map(|text| Ok(model.tokens(text)?)).collect()
}

fn corpora(folder: &Path, model: &Model) -> Result<Vec<Corpus>> {
    let count = |texts: Vec<String>| {
        let tokens = tokens(model, &texts)?.iter().map(Tokens::len).sum();
        Ok(Corpus { texts, tokens })
    };
    texts::corpora(folder)?.into_iter().map(count).collect()
}

/// From text to an index, one corpus after another, as their specialists would each do.
fn index_all(corpora: &[Corpus], embedder: &Embedder) -> Result<Indexed> {
    let passages = corpora.iter().map(|corpus| corpus.texts.len()).sum();
    let progress = progress::bar("passages indexed", passages)?;
    let mut times = Vec::new();
    for corpus in corpora {
        let began = Instant::now();
        let vectors = callers::embed_all(embedder, &corpus.texts)?;
        let index = Index::build(embedder.space().dimension, (0_usize..).zip(vectors).collect())?;
        times.push(began.elapsed());
        progress.inc(index.len() as u64);
    }
    progress.finish_and_clear();
    let per_s = |count: fn(&Corpus) -> usize| {
        Estimate::median(corpora.iter().zip(&times).map(|(corpus, time)| rate(count(corpus), *time)))
    };
    Ok(Indexed {
        corpora: corpora.len(),
        passages,
        tokens: corpora.iter().map(|corpus| corpus.tokens).sum(),
        seconds: times.iter().sum::<Duration>().as_secs_f64(),
        passages_per_s: per_s(|corpus| corpus.texts.len()),
        tokens_per_s: per_s(|corpus| corpus.tokens),
    })
}

#[expect(clippy::cast_precision_loss, reason = "counts of texts")]
fn rate(count: usize, time: Duration) -> f64 {
    count as f64 / time.as_secs_f64()
}
