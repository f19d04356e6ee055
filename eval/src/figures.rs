//! What is said of the questions that were routed.

pub(crate) mod beside;
mod measures;
mod wrong;

use std::collections::BTreeMap;

use serde::Serialize;

use self::{beside::Row, measures::Measures, wrong::Wrong};
use crate::{
    measures::{detection::auroc, domains::Confusion},
    routed::Routed,
    specialists::Size,
    statistics::Estimate,
    trial::{FOLDS, SEED},
};

/// More domains make no confusion matrix that is read.
const CONFUSION_MAX: usize = 60;

/// How well questions find the specialist that they belong to.
#[derive(Debug, Serialize)]
pub(crate) struct Figures {
    #[serde(flatten)]
    pub(crate) setting: Setting,
    pub(crate) questions: usize,
    /// Questions that belong to nobody, and are to be refused.
    pub(crate) out_of_domain: usize,
    /// With probing, as far as it was allowed.
    #[serde(flatten)]
    pub(crate) measures: Measures,
    /// The same without.
    pub(crate) prototypes_alone: Measures,
    pub(crate) by_domain: BTreeMap<String, Part>,
    pub(crate) by_kind: BTreeMap<String, Part>,
    /// Where questions belong, and where they went; absent for many domains.
    pub(crate) confusion: Option<Confusion>,
    /// Ours, other people's and trivial ways to route, where they were asked as well.
    pub(crate) side_by_side: Vec<Row>,
    /// Those that went wrong, the most surely wrong first; perhaps not all.
    pub(crate) wrong: Vec<Wrong>,
}

/// What was routed, over what, and how.
#[derive(Debug, Serialize)]
pub(crate) struct Setting {
    pub(crate) version: &'static str,
    /// What decides which part a question falls into.
    pub(crate) seed: u64,
    /// Parts that the questions are cut into.
    pub(crate) folds: usize,
    /// Whose vectors these are.
    pub(crate) engine: String,
    #[serde(flatten)]
    pub(crate) size: Size,
    /// Questions of other corpora, or that might belong to one: not routed.
    pub(crate) left_out: usize,
    /// The assumed share of questions that nobody covers.
    pub(crate) prior: f64,
    /// The SHA-256 of each file of passages and of questions, by its name.
    pub(crate) corpora_sha256: BTreeMap<String, String>,
    pub(crate) queries_sha256: BTreeMap<String, String>,
}

impl Setting {
    /// Of files that need no digest yet.
    pub(crate) fn new(engine: String, size: Size, left_out: usize, prior: f64) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION"),
            seed: SEED,
            folds: FOLDS,
            engine,
            size,
            left_out,
            prior,
            corpora_sha256: BTreeMap::new(),
            queries_sha256: BTreeMap::new(),
        }
    }
}

/// The questions with probing, and without.
pub(crate) struct Ways {
    pub(crate) probed: Vec<Routed>,
    pub(crate) alone: Vec<Routed>,
}

/// Some of the questions.
#[derive(Debug, Serialize)]
pub(crate) struct Part {
    pub(crate) questions: usize,
    pub(crate) right: usize,
    pub(crate) accuracy: Estimate,
    /// The share that is not refused.
    pub(crate) accepted: Estimate,
    /// How often one of these has more confidence than one of nobody's.
    pub(crate) auroc: f64,
}

impl Part {
    fn of(routed: &[&Routed], outside: &[f64]) -> Self {
        let right = routed.iter().filter(|routed| routed.is_right()).count();
        let accepted = routed.iter().filter(|routed| !routed.abstained()).count();
        let confidences: Vec<f64> = routed.iter().map(|routed| f64::from(routed.confidence)).collect();
        Self {
            questions: routed.len(),
            right,
            accuracy: Estimate::share(right, routed.len()),
            accepted: Estimate::share(accepted, routed.len()),
            auroc: auroc(&confidences, outside),
        }
    }
}

impl Figures {
    /// `wrong_max` bounds how many of those that went wrong are kept.
    pub(crate) fn of(setting: Setting, ways: Ways, side_by_side: Vec<Row>, wrong_max: usize) -> Self {
        let Ways { probed, alone } = ways;
        let (inside, outside): (Vec<&Routed>, Vec<&Routed>) =
            probed.iter().partition(|routed| routed.asked.own().is_some());
        let confidences: Vec<f64> = outside.iter().map(|routed| f64::from(routed.confidence)).collect();
        let by = |name: fn(&Routed) -> &str| {
            let mut parts: BTreeMap<String, Vec<&Routed>> = BTreeMap::new();
            for routed in &inside {
                parts.entry(name(routed).to_owned()).or_default().push(routed);
            }
            parts.into_iter().map(|(name, routed)| (name, Part::of(&routed, &confidences))).collect()
        };
        let went = |routed: &Routed| routed.went_to().filter(|_| !routed.abstained()).map(str::to_owned);
        let went: Vec<(&Routed, Option<String>)> =
            probed.iter().map(|routed| (routed, went(routed))).collect();
        let confusion = Confusion::of(went.iter().map(|(routed, to)| (routed.asked.own(), to.as_deref())));
        Self {
            by_domain: by(|routed| &routed.asked.domain),
            by_kind: by(|routed| &routed.asked.kind),
            questions: inside.len(),
            out_of_domain: outside.len(),
            measures: Measures::of(&probed, setting.prior),
            prototypes_alone: Measures::of(&alone, setting.prior),
            confusion: (confusion.names.len() <= CONFUSION_MAX).then_some(confusion),
            setting,
            side_by_side,
            wrong: wrong::wrong(probed, wrong_max),
        }
    }

    pub(crate) fn table(&self) -> String {
        let Self { setting, questions, out_of_domain, measures, prototypes_alone, wrong, .. } = self;
        let Setting { engine, size, left_out, prior, .. } = setting;
        let Size { passages, specialists, prototypes, prototypes_max } = size;
        let mut out = format!(
            "{engine}: {specialists} specialists, {passages} passages, {prototypes} prototypes (at most \
             {prototypes_max} each, and examples)\n\
             {questions} questions of somebody's, {out_of_domain} of nobody's (a share of {prior:.3} is \
             assumed); {left_out} left out, of other corpora or perhaps of one of these\n\
             each routed with numbers that were fitted on others; 95 % intervals\n\n\
             with probing\n{}\nprototypes alone\n{}",
            measures.lines(),
            prototypes_alone.lines(),
        );
        if !self.side_by_side.is_empty() {
            out += &beside::table(&self.side_by_side);
        }
        out += &self.parts();
        if !wrong.is_empty() {
            let all: usize = self.by_domain.values().map(|part| part.questions - part.right).sum();
            out += &format!("\n{} of {all} that went wrong, the most surely wrong first\n", wrong.len());
        }
        out + &wrong.iter().map(Wrong::lines).collect::<String>()
    }

    fn parts(&self) -> String {
        let mut out = String::new();
        for (name, parts) in [("domain", &self.by_domain), ("kind", &self.by_kind)] {
            let width = parts.keys().map(String::len).max().unwrap_or_default().max(name.len());
            out += &format!("\n{name:width$}  questions  AUROC    {:28}accepted\n", "top-1");
            for (name, Part { questions, right: _, accuracy, accepted, auroc }) in parts {
                let (accuracy, accepted) = (accuracy.percent(), accepted.percent());
                let auroc = if auroc.is_nan() { "-".to_owned() } else { format!("{:.2} %", 100.0 * auroc) };
                out += &format!("{name:width$}  {questions:>9}  {auroc:7}  {accuracy:28}{accepted}\n");
            }
        }
        out
    }
}
