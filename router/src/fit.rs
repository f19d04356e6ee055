//! Fits the routing thresholds on CLINC150's training questions (Larson et al. 2019), by driving the
//! same functions that route. Half of the questions make prototypes, the other half are routed.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use embedding::{Embedder, Model};
use index::kmeans;
use proto::{
    AskOptions, Embedding, Prototype, Prototypes, Space, SpecialistId, UnitVector,
    prototypes::PASSAGES_PER_PROTOTYPE_MIN,
};
use registry::{Registration, Snapshot};
use serde::{Deserialize, de::DeserializeOwned};

use crate::route::{self, Background, Decision, Policy};

/// Share of in-domain questions whose specialist may be missing from the conformal set.
const ALPHA: f32 = 0.01;

/// Share of in-domain questions that the threshold may refuse. Small: CLINC150's questions lie nearer
/// to one another than people's do, so that more of theirs are refused than of these.
const LOST_MAX: f32 = 0.02;

/// Prototypes of a domain; its training questions are its passages here.
const PROTOTYPES_MAX: usize = 64;

/// What to fit on.
#[derive(Debug, clap::Args)]
pub struct Fitting {
    /// Folder with CLINC150's `data_oos_plus.json` and `domains.json`.
    #[arg(long)]
    clinc150: PathBuf,
    /// Folder of the encoder's weights.
    #[arg(long, default_value = "models/all-MiniLM-L6-v2")]
    model: PathBuf,
}

/// A question and its intent.
type Labelled = (String, String);

#[derive(Deserialize)]
struct Questions {
    train: Vec<Labelled>,
    oos_train: Vec<Labelled>,
}

/// Fits, and prints the settings with what they achieve on the questions that they were fitted on.
pub async fn run(fitting: &Fitting) -> Result<()> {
    let domains: BTreeMap<String, Vec<String>> = read(&fitting.clinc150.join("domains.json"))?;
    let domain_of: BTreeMap<&str, SpecialistId> = domains
        .iter()
        .map(|(domain, intents)| Ok((domain.replace('_', "-").parse::<SpecialistId>()?, intents)))
        .collect::<Result<Vec<_>, proto::Invalid>>()?
        .into_iter()
        .flat_map(|(id, intents)| intents.iter().map(move |intent| (intent.as_str(), id.clone())))
        .collect();
    let Questions { train, oos_train } = read(&fitting.clinc150.join("data_oos_plus.json"))?;

    let (embedder, _ends_with_its_handles) = Embedder::start(Model::load(&fitting.model)?)?;
    let background = Background::new(embed(&embedder, Background::questions()).await?);
    let vectors = embed(&embedder, train.iter().map(|(text, _)| text.clone()).collect()).await?;
    let outside = embed(&embedder, oos_train.into_iter().map(|(text, _)| text).collect()).await?;

    let mut halves: [Vec<(&SpecialistId, UnitVector)>; 2] = Default::default();
    for (at, ((_, intent), vector)) in train.iter().zip(vectors).enumerate() {
        let domain = domain_of.get(intent.as_str());
        let domain = domain.with_context(|| format!("domains.json names no domain of {intent:?}"))?;
        halves[at % 2].push((domain, vector));
    }
    let [known, routed] = halves;
    ensure!(!routed.is_empty() && !outside.is_empty(), "there are no questions to fit on");
    let fleet = fleet(embedder.space(), &known)?;
    report(&routed, &outside, |vector| decide(&fleet, &background, vector))
}

/// A specialist for each domain, with prototypes of `known`.
fn fleet(space: &Arc<Space>, known: &[(&SpecialistId, UnitVector)]) -> Result<Snapshot> {
    let mut by_domain: BTreeMap<&SpecialistId, Vec<UnitVector>> = BTreeMap::new();
    for (domain, vector) in known {
        by_domain.entry(domain).or_default().push(vector.clone());
    }
    let mut snapshot = Snapshot::empty(space.clone())?;
    for (domain, vectors) in by_domain {
        let clusters = kmeans::spherical(&vectors, PROTOTYPES_MAX, PASSAGES_PER_PROTOTYPE_MIN as usize);
        let points = clusters.into_iter().map(|cluster| Prototype {
            vector: cluster.center,
            passage_count: u32::try_from(cluster.members).unwrap_or(u32::MAX),
        });
        let prototypes =
            Prototypes { space: Space::clone(space), points: points.collect(), revision: "1".to_owned() };
        snapshot = snapshot.with(Arc::new(Registration::made_up(domain.as_str(), prototypes)?))?;
    }
    Ok(snapshot)
}

fn decide(fleet: &Snapshot, background: &Background, vector: &UnitVector) -> Result<Decision> {
    let (policy, options) = (Policy::default(), AskOptions::default());
    let question = Embedding { space: fleet.space().clone(), vector: vector.clone() };
    let hits = route::nearest(&policy, &options, fleet, &question)?;
    let scores = route::score(&hits, policy.temperature);
    let background = background.score(vector, policy.temperature);
    Ok(route::decide(&policy, &options, fleet, &scores, background, &BTreeSet::new()))
}

fn report(
    routed: &[(&SpecialistId, UnitVector)],
    outside: &[UnitVector],
    decide: impl Fn(&UnitVector) -> Result<Decision>,
) -> Result<()> {
    let (mut inside, mut misses, mut right) = (Vec::new(), Vec::new(), 0_usize);
    for (domain, vector) in routed {
        let decision = decide(vector)?;
        let own = decision.candidates.iter().position(|c| c.registration.id() == *domain);
        right += usize::from(own == Some(0));
        misses.push(1.0 - own.map_or(0.0, |at| decision.candidates[at].probability));
        inside.push(decision.confidence);
    }
    let outside = outside.iter().map(|vector| Ok(decide(vector)?.confidence)).collect::<Result<Vec<_>>>()?;
    let refused = |threshold: f32| share(outside.iter().filter(|c| **c < threshold).count(), outside.len());

    let mut out = io::stdout().lock();
    writeln!(out, "[route]\nconfidence_min = {:.3}", lowest_kept(&inside, LOST_MAX))?;
    writeln!(out, "miss_max = {:.3}\n", conformal_quantile(misses, ALPHA))?;
    writeln!(
        out,
        "# {} questions in domain, {} outside; all of them were fitted on",
        inside.len(),
        outside.len()
    )?;
    writeln!(out, "# best specialist right {:.3}", share(right, routed.len()))?;
    for lost_max in [0.05, LOST_MAX, 0.01, 0.005] {
        let threshold = lowest_kept(&inside, lost_max);
        let kept = 1.0 - lost_max;
        writeln!(
            out,
            "# kept in domain {kept:.3}, refused outside {:.3}: {threshold:.3}",
            refused(threshold)
        )?;
    }
    Ok(())
}

#[expect(clippy::cast_precision_loss, reason = "counts of questions, far below 2^24")]
fn share(part: usize, whole: usize) -> f32 {
    part as f32 / whole as f32
}

/// The threshold that refuses a share of at most `lost_max` of `inside`.
fn lowest_kept(inside: &[f32], lost_max: f32) -> f32 {
    let mut inside = inside.to_vec();
    inside.sort_by(f32::total_cmp);
    let lost = (1..=inside.len()).take_while(|lost| share(*lost, inside.len()) <= lost_max).count();
    inside.get(lost).or(inside.last()).copied().unwrap_or_default()
}

/// The finite-sample quantile of `misses` at level `1 - alpha` (Vovk, Gammerman & Shafer 2005).
fn conformal_quantile(mut misses: Vec<f32>, alpha: f32) -> f32 {
    misses.sort_by(f32::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among few questions"
    )]
    let rank = ((misses.len() + 1) as f32 * (1.0 - alpha)).ceil() as usize;
    misses.get(rank.saturating_sub(1)).or(misses.last()).copied().unwrap_or(1.0)
}

async fn embed(embedder: &Embedder, texts: Vec<String>) -> Result<Vec<UnitVector>> {
    let shows = io::stderr().is_terminal();
    let done = |done: usize| {
        if shows && (done.is_multiple_of(100) || done == texts.len()) {
            // A closed terminal is no reason to stop.
            let _ = write!(io::stderr(), "\rembedded {done} of {}", texts.len());
        }
    };
    let vectors = embedder.embed_all(&texts, done).await?;
    if shows {
        writeln!(io::stderr())?;
    }
    Ok(vectors)
}

fn read<T: DeserializeOwned>(path: &Path) -> Result<T> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    serde_json::from_str(&text).with_context(|| format!("{} is not as expected", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_threshold_loses_no_more_than_it_may() {
        let inside: Vec<f32> = (1..=100_u8).map(f32::from).collect();
        assert!((lowest_kept(&inside, 0.05) - 6.0).abs() < 1e-6);
        assert!((lowest_kept(&inside, 0.001) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn the_quantile_leaves_alpha_out() {
        let misses: Vec<f32> = (1..=100_u8).map(|n| f32::from(n) / 100.0).collect();
        assert!((conformal_quantile(misses, 0.1) - 0.91).abs() < 1e-6);
        assert!((conformal_quantile(vec![0.3], 0.1) - 0.3).abs() < 1e-6);
    }
}
