//! A fleet that questions are routed in, by the shipped code and its defaults. Nobody is asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    hint::black_box,
    sync::Arc,
};

use anyhow::{Context, Result};
use index::Hit;
use prost::Message;
use proto::{
    AskOptions, Embedding, Evidence, Probe, Prototype, Prototypes, Space, SpecialistId, Terms, UnitVector,
    wire::ProbeRequest,
};
use registry::{PrototypeKey, Registration, Slot, Snapshot};
use router::{
    calibrate::Sample,
    route::{Background, Calibration, Case, Decision, Policy},
};

/// All that questions are routed with.
pub(crate) struct Fleet {
    pub(crate) snapshot: Snapshot,
    background: Background,
    options: AskOptions,
    ejected: BTreeSet<SpecialistId>,
}

/// The numbers that questions are routed by.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rules {
    pub(crate) policy: Policy,
    pub(crate) calibration: Calibration,
}

/// What is known of a question before it is routed.
#[derive(Debug, Clone)]
pub(crate) struct Question {
    pub(crate) embedding: Embedding,
    pub(crate) terms: Terms,
}

impl Question {
    /// How many bytes a probe sends of it.
    pub(crate) fn request_bytes(&self) -> usize {
        let Self { embedding, terms } = self;
        let space = Space::clone(&embedding.space);
        let probe = Probe { space, vector: embedding.vector.clone(), terms: terms.clone() };
        ProbeRequest::from(probe).encoded_len()
    }
}

impl Fleet {
    /// The specialists of `snapshot`. `background` are the vectors of the background's questions.
    pub(crate) fn new(snapshot: Snapshot, background: Vec<UnitVector>) -> Self {
        let background = Background::new(background);
        Self { snapshot, background, options: AskOptions::default(), ejected: BTreeSet::new() }
    }

    /// `count` specialists of `prototypes` prototypes each in `space`, made up for timing: where they
    /// lie decides nothing.
    pub(crate) fn made_up(
        space: &Arc<Space>,
        background: Vec<UnitVector>,
        (count, prototypes): (usize, usize),
    ) -> Result<Self> {
        Ok(Self::new(scattered(space, count, prototypes)?.rebuilt()?, background))
    }

    /// What decisions depend on but the question.
    pub(crate) fn case<'a>(&'a self, rules: &'a Rules) -> Case<'a> {
        Case {
            policy: &rules.policy,
            calibration: &rules.calibration,
            options: &self.options,
            snapshot: &self.snapshot,
            ejected: &self.ejected,
        }
    }

    /// The prototypes near `question`.
    pub(crate) fn search(&self, rules: &Rules, question: &Embedding) -> Result<Vec<Hit<PrototypeKey>>> {
        Ok(self.case(rules).nearest(question)?)
    }

    /// Decides whom to ask, with the `evidence` of those whom it would probe.
    pub(crate) fn decide(
        &self,
        rules: &Rules,
        question: &Question,
        hits: &[Hit<PrototypeKey>],
        evidence: &BTreeMap<Slot, Evidence>,
    ) -> Decision {
        let case = self.case(rules);
        let terms = question.terms.hashes().len();
        let survey = case.survey(&question.embedding, terms, hits, &self.background);
        let probes = case.probes(&survey);
        let shown = probes.into_iter().map(|slot| (slot, evidence.get(&slot).copied())).collect();
        case.decide(&survey, &shown)
    }

    /// Finds and decides by the defaults; nobody is probed.
    pub(crate) fn route(&self, question: &Embedding) -> Result<Decision> {
        let rules = Rules::default();
        let hits = self.search(&rules, question)?;
        let question = Question { embedding: question.clone(), terms: Terms::default() };
        Ok(black_box(self.decide(&rules, &question, &hits, &BTreeMap::new())))
    }

    /// What numbers can be fitted on, of a question that `right` covers.
    pub(crate) fn sample(
        &self,
        rules: &Rules,
        question: &Question,
        evidence: BTreeMap<Slot, Evidence>,
        (right, kind): (Option<Slot>, &str),
    ) -> Result<Sample> {
        Ok(Sample {
            hits: self.search(rules, &question.embedding)?,
            background: self.background.cosines(&question.embedding.vector),
            terms: question.terms.hashes().len(),
            evidence,
            right,
            kind: kind.to_owned(),
        })
    }
}

/// `count` vectors of `space` by fixed numbers.
pub(crate) fn vectors(space: &Space, count: usize) -> Result<Vec<UnitVector>> {
    let mut numbers = Numbers(2);
    let mut vector = || UnitVector::scale((0..space.dimension).map(|_| numbers.next()).collect());
    (0..count).map(|_| vector().context("a vector without direction")).collect()
}

/// `count` specialists with so many `prototypes` each, spread over `space` by fixed numbers. Its index is
/// still to be rebuilt.
pub(crate) fn scattered(space: &Arc<Space>, count: usize, prototypes: usize) -> Result<Snapshot> {
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
    Ok(snapshot)
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
