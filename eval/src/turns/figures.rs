//! What is said of the turns that were routed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Outcome,
    cases::{FOLDS, Kind},
    fit::OutOfFold,
};
use crate::statistics::Estimate;

/// How often a turn found the domain that it belongs to.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Whose vectors these are.
    pub(crate) engine: String,
    /// The weights behind them.
    pub(crate) encoder: String,
    /// Of the programs that were driven.
    pub(crate) version: String,
    /// The SHA-256 of every file that was read.
    pub(crate) files: BTreeMap<String, String>,
    /// What folds and changes of subject were drawn with.
    pub(crate) seed: u64,
    pub(crate) folds: usize,
    pub(crate) conversations: usize,
    /// With the router's gate, which decides whether earlier turns count.
    #[serde(flatten)]
    pub(crate) gate: Way,
    /// With a gate whose numbers the other folds choose: what can be expected of other conversations.
    pub(crate) out_of_fold: OutOfFold,
    /// Each turn by its own words alone.
    pub(crate) never: Way,
    /// Each turn with all that was said before it.
    pub(crate) always: Way,
    /// How often the turns find their domain as people rewrote them.
    pub(crate) rewritten: Estimate,
    /// Of the turns that follow another one: the share in which the gate used these.
    pub(crate) follow_ups_used: Estimate,
    /// The same of the changes of subject.
    pub(crate) switches_used: Estimate,
}

/// One way to deal with earlier turns. Intervals are over conversations, drawn with replacement.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Way {
    /// Of all turns of the conversations: the share whose best candidate is their domain.
    pub(crate) accuracy: Estimate,
    /// Of those among them that have a turn before them.
    pub(crate) follow_ups: Estimate,
    /// Of the openings of one domain's conversations behind turns of another one's.
    pub(crate) switches: Estimate,
    pub(crate) by_domain: BTreeMap<String, Part>,
    pub(crate) by_kind: BTreeMap<String, Share>,
}

/// A domain's turns.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    /// Of all its turns.
    #[serde(flatten)]
    pub(crate) all: Share,
    pub(crate) follow_ups: Share,
    pub(crate) switches: Share,
}

/// Some of the turns.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Share {
    pub(crate) questions: usize,
    pub(crate) right: usize,
    pub(crate) accuracy: Estimate,
}

impl Share {
    /// Of those of `outcomes` that count, where `right` says whether one is.
    pub(super) fn of<'a>(
        outcomes: impl IntoIterator<Item = &'a Outcome>,
        right: impl Fn(&Outcome) -> Option<bool>,
    ) -> Self {
        let mut tallies: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        for outcome in outcomes {
            let Some(right) = right(outcome) else { continue };
            let tally = tallies.entry(&outcome.case.conversation).or_default();
            *tally = (tally.0 + usize::from(right), tally.1 + 1);
        }
        let tallies: Vec<(usize, usize)> = tallies.into_values().collect();
        let (right, questions) = sum(&tallies);
        let accuracy = Estimate::bootstrap(&tallies, &[], |tallies, _: &[()]| share(tallies));
        Self { questions, right, accuracy }
    }
}

fn sum(tallies: &[(usize, usize)]) -> (usize, usize) {
    tallies.iter().fold((0, 0), |(right, all), tally| (right + tally.0, all + tally.1))
}

#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
fn share(tallies: &[(usize, usize)]) -> f64 {
    let (right, all) = sum(tallies);
    right as f64 / all as f64
}

impl Way {
    fn of(outcomes: &[Outcome], went_to: impl Fn(&Outcome) -> &Option<String>) -> Self {
        let right = |outcome: &Outcome| Some(went_to(outcome).as_ref() == Some(&outcome.case.domain));
        let among = |kinds: &[Kind], domain: Option<&str>| {
            let counts = |outcome: &&Outcome| {
                kinds.contains(&outcome.case.kind)
                    && domain.is_none_or(|domain| domain == outcome.case.domain)
            };
            Share::of(outcomes.iter().filter(counts), right)
        };
        let turns = [Kind::Opening, Kind::FollowUp];
        let part = |domain: &str| Part {
            all: among(&turns, Some(domain)),
            follow_ups: among(&[Kind::FollowUp], Some(domain)),
            switches: among(&[Kind::Switch], Some(domain)),
        };
        let domains = outcomes.iter().map(|outcome| outcome.case.domain.as_str());
        let by_domain: BTreeMap<&str, Part> = domains.map(|domain| (domain, part(domain))).collect();
        let kinds = [("opening", Kind::Opening), ("follow_up", Kind::FollowUp), ("switch", Kind::Switch)];
        Self {
            accuracy: among(&turns, None).accuracy,
            follow_ups: among(&[Kind::FollowUp], None).accuracy,
            switches: among(&[Kind::Switch], None).accuracy,
            by_domain: by_domain.into_iter().map(|(domain, part)| (domain.to_owned(), part)).collect(),
            by_kind: kinds.map(|(name, kind)| (name.to_owned(), among(&[kind], None))).into(),
        }
    }
}

impl Figures {
    pub(super) fn of(
        (engine, encoder): (String, String),
        files: BTreeMap<String, String>,
        seed: u64,
        outcomes: &[Outcome],
    ) -> Self {
        let mut conversations: Vec<&str> = outcomes.iter().map(|o| o.case.conversation.as_str()).collect();
        conversations.sort_unstable();
        conversations.dedup();
        let used = |kind: Kind| {
            let of_kind = outcomes.iter().filter(|outcome| outcome.case.kind == kind);
            Share::of(of_kind, |outcome| Some(outcome.used)).accuracy
        };
        let rewritten = |outcome: &Outcome| {
            let counts = outcome.case.kind == Kind::FollowUp;
            counts.then(|| outcome.rewritten.as_ref() == Some(&outcome.case.domain))
        };
        Self {
            engine,
            encoder,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            files,
            seed,
            folds: FOLDS,
            conversations: conversations.len(),
            gate: Way::of(outcomes, |outcome| &outcome.gate),
            out_of_fold: OutOfFold::of(outcomes),
            never: Way::of(outcomes, |outcome| &outcome.never),
            always: Way::of(outcomes, |outcome| &outcome.always),
            rewritten: Share::of(outcomes, rewritten).accuracy,
            follow_ups_used: used(Kind::FollowUp),
            switches_used: used(Kind::Switch),
        }
    }

    pub(super) fn table(&self) -> String {
        let Self { engine, conversations, folds, seed, gate, never, always, rewritten, .. } = self;
        let count = |kind: &str| gate.by_kind[kind].questions;
        let mut out = format!(
            "{engine}: {conversations} conversations in {} domains, {folds} folds, seed {seed}\n\
             {} openings, {} follow-ups, {} changes of subject; 95 % intervals over conversations\n\
             earlier turns are used in {} of the follow-ups and {} of the changes of subject\n\
             follow-ups as people rewrote them: {}\n\
             with numbers that the other folds choose: follow-ups {}, switches {}\n\
             all folds choose a margin of {} and a cosine of {}\n\n",
            gate.by_domain.len(),
            count("opening"),
            count("follow_up"),
            count("switch"),
            self.follow_ups_used.percent(),
            self.switches_used.percent(),
            rewritten.percent(),
            self.out_of_fold.follow_ups.percent(),
            self.out_of_fold.switches.percent(),
            self.out_of_fold.margin_min,
            self.out_of_fold.cosine_min,
        );
        let name_width = gate.by_domain.keys().map(String::len).max().unwrap_or_default() + " switches".len();
        let name_width = name_width.max("follow-ups".len()) + 3;
        let mut line = |name: &str, cells: [String; 3]| {
            let [never, gate, always] = cells;
            out += &format!("{name:name_width$}{never:26}{gate:26}{always}\n");
        };
        line("", ["never", "gate", "always"].map(str::to_owned));
        let ways = [never, gate, always];
        line("turns", ways.map(|way| way.accuracy.percent()));
        line("follow-ups", ways.map(|way| way.follow_ups.percent()));
        line("switches", ways.map(|way| way.switches.percent()));
        for domain in gate.by_domain.keys() {
            let parts = ways.map(|way| &way.by_domain[domain]);
            line(&format!("{domain} follow-ups"), parts.map(|part| part.follow_ups.accuracy.percent()));
            line(&format!("{domain} switches"), parts.map(|part| part.switches.accuracy.percent()));
        }
        out
    }
}
