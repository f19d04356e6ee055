//! Questions with known answers, routed without offsets and with them by the code that decides.

use std::{path::Path, sync::Arc};

use anyhow::{Result, ensure};
use registry::Snapshot;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::Store;

use super::Offsets;
use crate::{
    app::{rules, start_encoder},
    calibrate::{Gathering, Sample, owned},
    config::Config,
    dial::{Dialler, Policy},
    dispatch::Dispatch,
    fleet,
    route::{Calibration, Rules, Seen, Survey, log_sum_exp, score},
};

/// How many questions come first to the right specialist.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Answered {
    /// Of so many.
    pub(super) count: usize,
    /// Without offsets.
    pub(super) without: usize,
    /// With them.
    pub(super) with: usize,
}

/// Routes the questions in `file` to the fleet in `store`, without offsets and with `offsets`.
pub(super) async fn route(
    config: &Config,
    store: &Store,
    calibration: &Calibration,
    offsets: &Offsets,
    file: &Path,
) -> Result<Answered> {
    let embedder = start_encoder(config)?;
    let dialler = Dialler::new(Policy::new(config.dispatch.allow_private, [127, 0, 0, 1].into()));
    let dispatch = Arc::new(Dispatch::new(config.dispatch.clone(), dialler));
    let snapshot = fleet::remembered(store, embedder.space().clone()).await?;
    let lines = owned(file, &snapshot, &mut Sha256::new())?;
    ensure!(
        !lines.is_empty(),
        "no question in {} names a registered specialist as its domain",
        file.display()
    );
    let plain = Calibration { offsets: Offsets::new(), ..calibration.clone() };
    let mut rules = rules(config, plain.clone(), &embedder).await?;
    let gathering =
        Gathering { rules: &rules, embedder: &embedder, dispatch: &dispatch, snapshot: &snapshot };
    let samples = gathering.samples(&lines).await?;
    let without = right(&rules, &snapshot, &samples);
    rules.calibration = Arc::new(Calibration { offsets: offsets.clone(), ..plain });
    Ok(Answered { count: samples.len(), without, with: right(&rules, &snapshot, &samples) })
}

/// How many of `samples` come first to the right specialist.
fn right(rules: &Rules, snapshot: &Snapshot, samples: &[Sample]) -> usize {
    let (options, ejected) = Default::default();
    let case = rules.case(&options, snapshot, &ejected);
    let temperature = rules.calibration.temperature;
    let is_right = |sample: &&Sample| {
        let background = log_sum_exp(&sample.background, temperature);
        let survey = Survey {
            scores: score(&sample.hits, temperature),
            seen: Seen { background, terms: sample.terms },
        };
        let probed = case.probes(&survey).into_iter();
        let shown = probed.map(|slot| (slot, sample.evidence.get(&slot).copied())).collect();
        let decision = case.decide(&survey, &shown);
        let best = decision.candidates.first().map(|candidate| candidate.registration.id());
        let owner = sample.right.and_then(|slot| snapshot.owner(slot)).map(|owner| owner.id());
        best.is_some() && best == owner
    };
    samples.iter().filter(is_right).count()
}
