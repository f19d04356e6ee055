//! Fits the numbers that routing follows to the registered specialists, on questions with known answers,
//! and loads them again. The router itself fits nothing while it serves.

mod fit;
mod regression;

use std::{
    collections::BTreeMap,
    fs,
    io::{self, IsTerminal, Write},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use anyhow::{Context, Result, ensure};
use embedding::Embedder;
use futures_util::{StreamExt, stream};
use proto::{Digest, Embedding, Probe, Probing, Space, Terms, UnitVector};
use registry::{Registration, Slot, Snapshot};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use store::Store;

use crate::{
    app::{rules, start_encoder},
    config::Config,
    dial::{self, Dialler},
    dispatch::Dispatch,
    fleet,
    route::{Calibration, Fitted, Rules},
};
pub use fit::{Sample, fit, fit_choice};

/// The name of the file in the router's data folder.
const FILE: &str = "calibration.toml";

/// How long a probe may take here, where nobody waits.
const PROBE_MAX: Duration = Duration::from_secs(5);

/// Questions probed at a time.
const PROBED_AT_ONCE: usize = 8;

/// What to fit on.
#[derive(Debug, clap::Args)]
pub struct Calibrating {
    /// The router's settings; every one has a default. Its data folder names the fleet.
    #[arg(long)]
    config: Option<PathBuf>,
    /// Folder of the database, in place of the settings'.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Folder of .jsonl files whose lines have a `query`, as `domain` the id of a specialist and perhaps a
    /// `kind`. An underscore counts as a hyphen; questions of others are left out.
    #[arg(long, value_name = "DIR")]
    queries: PathBuf,
    /// .jsonl file of questions that nobody covers: lines with a `query`. Those marked `maybe_in_domain` are
    /// left out.
    #[arg(long, value_name = "FILE")]
    out_of_domain: PathBuf,
    /// The share of the questions asked here that nobody covers: between 0 and 1.
    #[arg(long, value_name = "SHARE")]
    prior: f64,
    /// File to write in place of calibration.toml in the data folder, where the router looks for it.
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
}

/// A line of a file of questions.
#[derive(Debug, Deserialize)]
struct Line {
    query: String,
    #[serde(default)]
    domain: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    maybe_in_domain: bool,
    /// Who covers it, by its `domain`.
    #[serde(skip)]
    right: Option<Slot>,
}

/// The numbers in the folder `data`, for questions in `space`; the defaults where it has none.
pub fn load(data: &Path, space: &Space) -> Result<Calibration> {
    let path = data.join(FILE);
    let text = match fs::read_to_string(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            tracing::info!("uncalibrated: `router calibrate` fits the numbers that routing follows");
            return Ok(Calibration::default());
        }
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let calibration: Calibration =
        toml::from_str(&text).with_context(|| format!("{} is not valid", path.display()))?;
    calibration.check().map_err(anyhow::Error::msg).with_context(|| format!("in {}", path.display()))?;
    if let Some(Fitted { date, prior, questions, outside, weights_sha256, .. }) = &calibration.fitted {
        ensure!(
            *weights_sha256 == space.weights.to_string(),
            "{} was fitted for another encoder: fit it again with `router calibrate`, or remove it",
            path.display()
        );
        tracing::info!(date, prior, questions, outside, "calibrated");
    }
    Ok(calibration)
}

/// Fits, writes the file, and says what came of it.
pub async fn run(calibrating: &Calibrating) -> Result<()> {
    let path = calibrating.config.as_deref();
    let mut config: Config = path.map(serve::config::load).transpose()?.unwrap_or_default();
    config.data = calibrating.data.clone().unwrap_or(config.data);
    config.check().map_err(anyhow::Error::msg)?;
    let database = config.data.join("router.db");
    ensure!(database.exists(), "{} does not exist: name the router's folder with --data", database.display());
    let embedder = start_encoder(&config)?;
    let store = Store::open(&database).await?;
    let dialler = Dialler::new(dial::Policy::new(config.dispatch.allow_private, [127, 0, 0, 1].into()));
    let dispatch = Arc::new(Dispatch::new(config.dispatch.clone(), dialler));
    let rules = Arc::new(rules(&config, Calibration::default(), &embedder).await?);
    let snapshot = fleet::remembered(&store, embedder.space().clone()).await?;

    let (lines, digest) = questions(calibrating, &snapshot)?;
    let gathering =
        Gathering { rules: &rules, embedder: &embedder, dispatch: &dispatch, snapshot: &snapshot };
    let samples = gathering.samples(&lines).await?;
    let mut calibration = fit(&samples, &config.route, calibrating.prior)?;
    let outside = samples.iter().filter(|sample| sample.right.is_none()).count();
    calibration.fitted = Some(Fitted {
        date: jiff::Timestamp::now().strftime("%Y-%m-%d").to_string(),
        prior: calibrating.prior.to_string(),
        questions: samples.len() - outside,
        outside,
        questions_sha256: digest.to_string(),
        fleet_sha256: fleet_digest(&snapshot).to_string(),
        weights_sha256: embedder.space().weights.to_string(),
    });
    let out = calibrating.out.clone().unwrap_or_else(|| config.data.join(FILE));
    let text = format!("# Written by `router calibrate`.\n{}", toml::to_string(&calibration)?);
    fs::write(&out, text).with_context(|| format!("cannot write {}", out.display()))?;
    report(&calibration, &samples, &out)
}

/// The questions of `calibrating` that belong to somebody in `snapshot`, or to nobody.
fn questions(calibrating: &Calibrating, snapshot: &Snapshot) -> Result<(Vec<Line>, Digest)> {
    let places: BTreeMap<&str, Slot> =
        snapshot.placed().map(|(slot, registration)| (registration.id().as_str(), slot)).collect();
    let folder = &calibrating.queries;
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    let mut hasher = Sha256::new();
    let mut found = Vec::new();
    for path in &paths {
        found.extend(read(path, &mut hasher)?.into_iter().filter_map(|line| {
            let right = places.get(line.domain.replace('_', "-").as_str()).copied();
            right.map(|slot| Line { right: Some(slot), ..line })
        }));
    }
    ensure!(
        !found.is_empty(),
        "no question in {} names a registered specialist as its domain",
        folder.display()
    );
    let nobodys = read(&calibrating.out_of_domain, &mut hasher)?;
    found.extend(nobodys.into_iter().filter(|line| !line.maybe_in_domain));
    Ok((found, Digest::finish(hasher)))
}

fn read(path: &Path, hasher: &mut Sha256) -> Result<Vec<Line>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    hasher.update(&text);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parse = |(at, line)| {
        serde_json::from_str(line).with_context(|| format!("{}, line {}", path.display(), at + 1))
    };
    lines.map(parse).collect()
}

/// Whom and what the samples come from.
struct Gathering<'a> {
    rules: &'a Rules,
    embedder: &'a Embedder,
    dispatch: &'a Dispatch,
    snapshot: &'a Snapshot,
}

impl Gathering<'_> {
    async fn samples(&self, lines: &[Line]) -> Result<Vec<Sample>> {
        let texts: Vec<String> = lines.iter().map(|line| line.query.clone()).collect();
        let vectors = self.embedder.embed_all(&texts, |_| {}).await?;
        let shows = io::stderr().is_terminal();
        let samples = lines.iter().zip(vectors).map(|(line, vector)| self.sample(line, vector));
        let mut samples = stream::iter(samples).buffered(PROBED_AT_ONCE);
        let mut gathered = Vec::new();
        while let Some(sample) = samples.next().await {
            gathered.push(sample?);
            if shows && (gathered.len().is_multiple_of(100) || gathered.len() == lines.len()) {
                // A closed terminal is no reason to stop.
                let _ = write!(io::stderr(), "\rprobed for {} of {} questions", gathered.len(), lines.len());
            }
        }
        if shows {
            writeln!(io::stderr())?;
        }
        Ok(gathered)
    }

    async fn sample(&self, line: &Line, vector: UnitVector) -> Result<Sample> {
        let (options, ejected) = Default::default();
        let case = self.rules.case(&options, self.snapshot, &ejected);
        let question = Embedding { space: self.embedder.space().clone(), vector };
        let terms = Terms::of(&line.query);
        let probes = self.snapshot.placed().filter(|(_, registration)| {
            self.rules.policy.probes_max > 0
                && registration.enabled
                && registration.card.card().probing != Probing::Off
        });
        let mut evidence = BTreeMap::new();
        for (slot, registration) in probes {
            let terms = match registration.card.card().probing {
                Probing::Terms => terms.clone(),
                Probing::Vector | Probing::Off => Terms::default(),
            };
            let probe =
                Probe { space: Space::clone(&question.space), vector: question.vector.clone(), terms };
            let endpoint = &registration.endpoint;
            let shown = self.dispatch.probe(endpoint, probe.into(), PROBE_MAX).await;
            evidence.insert(slot, shown.with_context(|| format!("cannot probe {}", registration.id()))?);
        }
        Ok(Sample {
            hits: case.nearest(&question)?,
            background: self.rules.background.cosines(&question.vector),
            terms: terms.hashes().len(),
            evidence,
            right: line.right,
            kind: line.kind.clone(),
        })
    }
}

/// Of what the fleet is routed by.
fn fleet_digest(snapshot: &Snapshot) -> Digest {
    let mut hasher = Sha256::new();
    for Registration { card, prototypes, .. } in snapshot.members().map(Arc::as_ref) {
        hasher.update(card.digest().as_bytes());
        for point in &prototypes.points {
            point.vector.as_slice().iter().for_each(|number| hasher.update(number.to_le_bytes()));
        }
    }
    Digest::finish(hasher)
}

/// What was fitted, for the person at the terminal.
fn report(calibration: &Calibration, samples: &[Sample], out: &Path) -> Result<()> {
    let outside = samples.iter().filter(|sample| sample.right.is_none()).count();
    let Calibration { temperature, confidence_min, miss_max, by_prototypes, .. } = calibration;
    let mut said = io::stdout().lock();
    writeln!(
        said,
        "fitted on {} questions of somebody's and {outside} of nobody's",
        samples.len() - outside
    )?;
    writeln!(said, "temperature {temperature}, background weight {:.2}", by_prototypes.background_weight)?;
    writeln!(said, "asked is whose probability is at least {:.3}", 1.0 - miss_max)?;
    writeln!(said, "refused is what has less confidence than {confidence_min:.2}")?;
    writeln!(said, "written to {}: start the router again", out.display())?;
    Ok(())
}
