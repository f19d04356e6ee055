//! Holds the engine that this machine gets by itself to candle, on real text.

use std::path::PathBuf;

use anyhow::{Result, bail, ensure};
use embedding::{Embedder, Model};
use proto::UnitVector;
use rayon::iter::{IntoParallelIterator, ParallelIterator};
use serde::{Deserialize, Serialize};

use crate::{progress, record::Output, statistics::Estimate, texts};

/// The least cosine that any passage may have.
const COSINE_MIN: f32 = 0.9999;

/// The least share of questions that have the same nearest passages.
const SAME_NEAREST_MIN: f64 = 0.999;

/// How many nearest passages of a question are compared.
const NEAREST: usize = 10;

/// Passages nearer to the tenth than this, in cosine, may stand on either side of it.
const TIE: f32 = 1e-5;

/// What to compare on.
#[derive(Debug, clap::Args)]
pub(crate) struct Agreement {
    /// Folder of the encoder's weights.
    #[arg(long, default_value = "models/all-MiniLM-L6-v2")]
    model: PathBuf,
    /// Folder of .jsonl files whose lines have a `text` and perhaps a `title`.
    #[arg(long, value_name = "DIR")]
    corpora: PathBuf,
    /// Folder of .jsonl files whose lines have a `query`.
    #[arg(long, value_name = "DIR")]
    queries: PathBuf,
    /// How many passages are compared, spread evenly over the corpora.
    #[arg(long, default_value_t = 10_000)]
    passages: usize,
    #[command(flatten)]
    output: Output,
}

/// How near two engines are to each other.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Which engine is held to which.
    pub(crate) engine: String,
    pub(crate) reference: String,
    pub(crate) passages: usize,
    pub(crate) questions: usize,
    /// Of a passage's two vectors.
    pub(crate) cosine: Cosine,
    /// The share of questions whose ten nearest passages are the same, but for ties within 1e-5; with
    /// Wilson's interval.
    pub(crate) same_nearest: Estimate,
}

/// The cosines of all passages.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Cosine {
    pub(crate) least: f32,
    pub(crate) first_percentile: f32,
    pub(crate) median: f32,
}

/// The texts' vectors of one engine.
struct Vectors {
    engine: String,
    passages: Vec<UnitVector>,
    questions: Vec<UnitVector>,
}

/// Compares, and fails where the engines are too far apart.
pub(crate) async fn run(agreement: &Agreement) -> Result<()> {
    let passages = spread(&texts::corpora(&agreement.corpora)?.concat(), agreement.passages);
    let questions = texts::questions(&agreement.queries)?;
    ensure!(passages.len() > NEAREST, "{NEAREST} nearest passages need more than as many: add some");
    let mut models = Model::load_each(&agreement.model)?.into_iter();
    let (Some(candle), Some(ours)) = (models.next(), models.next_back()) else {
        bail!("candle is the only engine that this machine has: there is nothing to compare");
    };
    let ours = vectors(ours, &passages, &questions).await?;
    let candle = vectors(candle, &passages, &questions).await?;
    let figures = Figures::of(&ours, &candle);
    let Figures { cosine: Cosine { least, .. }, same_nearest: Estimate { value: same, .. }, .. } = figures;
    agreement.output.put(figures, Figures::table)?;
    ensure!(least >= COSINE_MIN, "the least cosine is {least}, where {COSINE_MIN} is needed");
    ensure!(same >= SAME_NEAREST_MIN, "{same} have the same nearest, where {SAME_NEAREST_MIN} must");
    Ok(())
}

/// `count` of `texts`, or all where there are fewer: every so many-th, then by length, so that little
/// is padded where an engine pads.
fn spread(texts: &[String], count: usize) -> Vec<String> {
    let count = count.min(texts.len());
    let mut chosen: Vec<String> = (0..count).map(|at| texts[at * texts.len() / count].clone()).collect();
    chosen.sort_by_key(String::len);
    chosen
}

async fn vectors(model: Model, passages: &[String], questions: &[String]) -> Result<Vectors> {
    let (embedder, _) = Embedder::start(model)?;
    let engine = embedder.backend().to_string();
    let progress = progress::bar(&engine, passages.len() + questions.len())?;
    let questions = embedder.embed_all(questions, |_| progress.inc(1)).await?;
    let passages = embedder.embed_all(passages, |_| progress.inc(1)).await?;
    progress.finish_and_clear();
    Ok(Vectors { engine, passages, questions })
}

impl Figures {
    fn of(ours: &Vectors, reference: &Vectors) -> Self {
        let pairs = ours.passages.iter().zip(&reference.passages);
        let mut cosines: Vec<f32> = pairs.map(|(one, other)| one.cosine(other)).collect();
        cosines.sort_by(f32::total_cmp);
        let at = |rank: usize| cosines.get(rank).copied().unwrap_or(f32::NAN);
        let questions = reference.questions.len();
        let same = (0..questions).into_par_iter().filter(|question| {
            let cosines = |vectors: &Vectors| -> Vec<f32> {
                let question = &vectors.questions[*question];
                vectors.passages.iter().map(|passage| passage.cosine(question)).collect()
            };
            same_nearest(&cosines(ours), &cosines(reference))
        });
        Self {
            engine: ours.engine.clone(),
            reference: reference.engine.clone(),
            passages: cosines.len(),
            questions,
            cosine: Cosine {
                least: at(0),
                first_percentile: at(cosines.len() / 100),
                median: at(cosines.len() / 2),
            },
            same_nearest: Estimate::share(same.count(), questions),
        }
    }

    fn table(&self) -> String {
        let Self { engine, reference, passages, questions, cosine, same_nearest } = self;
        let Cosine { least, first_percentile, median } = cosine;
        format!(
            "{engine} beside {reference}\n\
             cosine, of {passages} passages: least {least:.7}, first percentile {first_percentile:.7}, \
             median {median:.7}\n\
             same {NEAREST} nearest, of {questions} questions: {}\n",
            same_nearest.percent()
        )
    }
}

/// Whether the ten nearest by `one` are also the ten nearest by `other`, but for ties.
fn same_nearest(one: &[f32], other: &[f32]) -> bool {
    let (one_min, other_min) = (last_of_nearest(one), last_of_nearest(other));
    one.iter().zip(other).all(|(one, other)| {
        let tied = (one - one_min).abs() <= TIE;
        tied || (*one >= one_min) == (*other >= other_min)
    })
}

fn last_of_nearest(cosines: &[f32]) -> f32 {
    let mut cosines = cosines.to_vec();
    *cosines.select_nth_unstable_by(NEAREST - 1, |a, b| b.total_cmp(a)).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_chosen_from_everywhere() {
        let texts = ["a", "bb", "ccc", "dddd", "eeeee", "ffffff"].map(str::to_owned);
        assert_eq!(spread(&texts, 3), ["a", "ccc", "eeeee"]);
        assert_eq!(spread(&texts, 100), texts);
    }

    #[test]
    fn nearest_are_the_same_but_for_ties() {
        let cosines: Vec<f32> = (0..20_u8).map(|at| 1.0 - f32::from(at) / 100.0).collect();
        assert!(same_nearest(&cosines, &cosines));
        let with = |eleventh: f32| {
            let mut other = cosines.clone();
            other[10] = eleventh;
            other
        };
        assert!(!same_nearest(&cosines, &with(0.95)));
        assert!(same_nearest(&with(0.909_995), &with(0.910_005)));
    }
}
