//! A fleet that questions are routed in, by the shipped code and its defaults. Nobody is asked.

use std::{collections::BTreeSet, hint::black_box, sync::Arc};

use anyhow::{Context, Result};
use index::Hit;
use proto::{AskOptions, Embedding, Prototype, Prototypes, Space, UnitVector};
use registry::{PrototypeKey, Registration, Snapshot};
use router::route::{self, Background, Decision, Policy};

/// All that a question is routed with.
pub(crate) struct Fleet {
    snapshot: Snapshot,
    background: Background,
    policy: Policy,
    options: AskOptions,
}

impl Fleet {
    /// The specialists of `snapshot`. `background` are the vectors of the background's questions.
    pub(crate) fn new(snapshot: Snapshot, background: Vec<UnitVector>) -> Self {
        Self {
            snapshot,
            background: Background::new(background),
            policy: Policy::default(),
            options: AskOptions::default(),
        }
    }

    /// `count` specialists of `prototypes` prototypes each in `space`, made up for timing: where they
    /// lie decides nothing.
    pub(crate) fn made_up(
        space: &Arc<Space>,
        background: Vec<UnitVector>,
        (count, prototypes): (usize, usize),
    ) -> Result<Self> {
        Ok(Self::new(scattered(space, count, prototypes)?, background))
    }

    /// The prototypes near `question`.
    pub(crate) fn search(&self, question: &Embedding) -> Result<Vec<Hit<PrototypeKey>>> {
        Ok(route::nearest(&self.policy, &self.options, &self.snapshot, question)?)
    }

    /// Decides whom to ask. What comes of it may be thrown away by whoever measures the time.
    pub(crate) fn decide(&self, question: &Embedding, hits: &[Hit<PrototypeKey>]) -> Decision {
        let scores = route::score(hits, self.policy.temperature);
        let background = self.background.score(&question.vector, self.policy.temperature);
        black_box(route::decide(
            &self.policy,
            &self.options,
            &self.snapshot,
            &scores,
            background,
            &BTreeSet::new(),
        ))
    }

    /// Both.
    pub(crate) fn route(&self, question: &Embedding) -> Result<Decision> {
        let hits = self.search(question)?;
        Ok(self.decide(question, &hits))
    }
}

/// Spread over `space` by fixed numbers.
fn scattered(space: &Arc<Space>, count: usize, prototypes: usize) -> Result<Snapshot> {
    let mut numbers = Numbers(1);
    let mut snapshot = Snapshot::empty(space.clone())?;
    for place in 0..count {
        let center: Vec<f32> = (0..space.dimension).map(|_| numbers.next()).collect();
        let mut point = || {
            let near = center.iter().map(|x| x + numbers.next()).collect();
            let vector = UnitVector::scale(near).context("a vector without direction")?;
            Ok(Prototype { vector, passage_count: 5 })
        };
        let points = (0..prototypes).map(|_| point()).collect::<Result<_>>()?;
        let prototypes = Prototypes { space: Space::clone(space), points, revision: "1".to_owned() };
        let registration = Registration::made_up(&format!("specialist-{place}"), prototypes)?;
        snapshot = snapshot.with(Arc::new(registration))?;
    }
    Ok(snapshot.rebuilt()?)
}

/// Numbers between -1 and 1 that are the same in every run (xorshift; Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
        let share = (self.0 >> 40) as f32 / (1_u64 << 24) as f32;
        2.0 * share - 1.0
    }
}
