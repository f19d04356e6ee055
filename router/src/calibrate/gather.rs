//! Questions with known answers, and what everybody in the fleet has near them.

use std::{
    collections::BTreeMap,
    fs,
    io::{self, IsTerminal, Write},
    path::Path,
    time::Duration,
};

use anyhow::{Context, Result};
use embedding::Embedder;
use futures_util::{StreamExt, stream};
use proto::{Embedding, Probe, Probing, Space, Terms, UnitVector};
use registry::{Slot, Snapshot};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::Sample;
use crate::{dispatch::Dispatch, route::Rules};

/// How long a probe may take here, where nobody waits.
const PROBE_MAX: Duration = Duration::from_secs(5);

/// Questions probed at a time.
const PROBED_AT_ONCE: usize = 8;

/// A line of a file of questions.
#[derive(Debug, Deserialize)]
pub(crate) struct Line {
    /// It.
    query: String,
    /// Whose it is; an underscore counts as a hyphen.
    #[serde(default)]
    domain: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    pub(super) maybe_in_domain: bool,
    /// Who covers it, by its `domain`.
    #[serde(skip)]
    pub(super) right: Option<Slot>,
}

/// The questions in the file at `path` that belong to somebody in `snapshot`.
pub(crate) fn owned(path: &Path, snapshot: &Snapshot, hasher: &mut Sha256) -> Result<Vec<Line>> {
    let places: BTreeMap<&str, Slot> =
        snapshot.placed().map(|(slot, registration)| (registration.id().as_str(), slot)).collect();
    let lines = read(path, hasher)?.into_iter().filter_map(|line| {
        let right = places.get(line.domain.replace('_', "-").as_str()).copied();
        right.map(|slot| Line { right: Some(slot), ..line })
    });
    Ok(lines.collect())
}

/// The questions in the file at `path`; its bytes go through `hasher`.
pub(super) fn read(path: &Path, hasher: &mut Sha256) -> Result<Vec<Line>> {
    let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    hasher.update(&text);
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    let parse = |(at, line)| {
        serde_json::from_str(line).with_context(|| format!("{}, line {}", path.display(), at + 1))
    };
    lines.map(parse).collect()
}

/// Whom and what the samples come from.
pub(crate) struct Gathering<'a> {
    pub(crate) rules: &'a Rules,
    pub(crate) embedder: &'a Embedder,
    pub(crate) dispatch: &'a Dispatch,
    pub(crate) snapshot: &'a Snapshot,
}

impl Gathering<'_> {
    /// A sample of each of `lines`, in their order.
    pub(crate) async fn samples(&self, lines: &[Line]) -> Result<Vec<Sample>> {
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
