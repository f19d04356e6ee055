//! Fits the numbers that routing follows to the registered specialists, on questions with known answers,
//! and loads them again. The router itself fits nothing while it serves.

mod fit;
mod gather;
mod regression;

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use anyhow::{Context, Result, ensure};
use proto::{Digest, Space};
use registry::{Registration, Snapshot};
use sha2::{Digest as _, Sha256};
use store::Store;

use crate::{
    app::{rules, start_encoder},
    config::Config,
    dial::{self, Dialler},
    dispatch::Dispatch,
    fleet,
    route::{Calibration, Fitted},
};
pub use fit::{Sample, fit, fit_choice};
pub(crate) use gather::{Gathering, owned};
use gather::{Line, read};

/// The name of the file in the router's data folder.
pub(crate) const FILE: &str = "calibration.toml";

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

/// The numbers in the folder `data`, for questions in `space`; the defaults where it has none.
pub fn load(data: &Path, space: &Space) -> Result<Calibration> {
    let path = data.join(FILE);
    let calibration = read_file(&path)?;
    if calibration.fitted.is_none() {
        tracing::info!("uncalibrated: `router calibrate` fits the numbers that routing follows");
    }
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

/// The numbers in the file at `path`; the defaults where there is none.
pub(crate) fn read_file(path: &Path) -> Result<Calibration> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error).with_context(|| format!("cannot read {}", path.display())),
    };
    let calibration: Calibration =
        toml::from_str(&text).with_context(|| format!("{} is not valid", path.display()))?;
    calibration.check().map_err(anyhow::Error::msg).with_context(|| format!("in {}", path.display()))?;
    Ok(calibration)
}

/// Fits, writes the file, and says what came of it.
pub async fn run(calibrating: &Calibrating) -> Result<()> {
    let config = Config::offline(calibrating.config.as_deref(), calibrating.data.as_deref())?;
    let embedder = start_encoder(&config)?;
    let store = Store::open(&config.database()).await?;
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
    let folder = &calibrating.queries;
    let entries = fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    let mut hasher = Sha256::new();
    let mut found = Vec::new();
    for path in &paths {
        found.extend(owned(path, snapshot, &mut hasher)?);
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
