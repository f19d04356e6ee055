//! What is measured of one way to route.

use serde::Serialize;

use crate::{
    measures::{
        detection::mean,
        domains::{rank, recall_at},
        judged::Judgement,
    },
    routed::Routed,
    statistics::Estimate,
};

/// What is measured of one way to route.
#[derive(Debug, Serialize)]
pub(crate) struct Measures {
    /// The share whose best candidate is the right one, whether or not it would be asked.
    pub(crate) accuracy: Estimate,
    /// The mean of the domains' shares.
    pub(crate) macro_accuracy: Estimate,
    /// The share whose right one is among the two best.
    pub(crate) recall_at_2: Estimate,
    /// What is lost against an oracle.
    pub(crate) oracle_regret: Estimate,
    /// What is lost against asking always the one that is right most often; below 0 where routing pays.
    pub(crate) single_regret: Estimate,
    /// The share on which the router would abstain.
    pub(crate) abstained: Estimate,
    /// How often a question that belongs to somebody has more confidence than one that does not.
    pub(crate) auroc: Estimate,
    /// The share of nobody's questions that is accepted where 95 % of the others are.
    pub(crate) fpr95: Estimate,
    /// The share of nobody's questions that is accepted.
    pub(crate) false_accepted: Estimate,
    /// The share of all questions that is right and accepted, or nobody's and refused, at the prior.
    pub(crate) total: Estimate,
    /// Expected calibration error of the confidence at the prior.
    pub(crate) ece: Estimate,
    /// Brier score of the confidence at the prior.
    pub(crate) brier: Estimate,
    /// The mean risk over all coverages at the prior.
    pub(crate) aurc: Estimate,
    /// Of the accepted: the share whose specialist is among those asked at once.
    pub(crate) coverage: Estimate,
    /// Of the accepted: how many are asked at once on average.
    pub(crate) mean_asked: Estimate,
    /// How many are probed for a question of somebody's on average.
    pub(crate) mean_probed: Estimate,
    /// The same for nobody's.
    pub(crate) mean_probed_outside: Estimate,
    /// Calls for a question on average, probes and questions.
    pub(crate) calls: Estimate,
    /// Bytes that the probes of a question send on average.
    pub(crate) probe_bytes: Estimate,
}

impl Measures {
    pub(super) fn of(routed: &[Routed], prior: f64) -> Self {
        let (inside, outside): (Vec<&Routed>, Vec<&Routed>) =
            routed.iter().partition(|routed| routed.asked.own().is_some());
        let accepted: Vec<&Routed> = inside.iter().filter(|routed| !routed.abstained()).copied().collect();
        let covered = accepted.iter().filter(|routed| routed.right_asked).count();
        let false_accepted = outside.iter().filter(|routed| !routed.abstained()).count();
        let ranks: Vec<Option<usize>> =
            inside.iter().map(|routed| rank(&routed.ranked, &&routed.asked.domain)).collect();
        let all: Vec<&Routed> = routed.iter().collect();
        let judgement = Judgement::new(routed.iter().map(Routed::judged), prior);
        Self {
            accuracy: judgement.accuracy(),
            macro_accuracy: judgement.macro_accuracy(),
            recall_at_2: Estimate::bootstrap(&ranks, &[], |ranks, _: &[()]| recall_at(2, ranks)),
            oracle_regret: judgement.oracle_regret(),
            single_regret: judgement.single_regret(),
            abstained: Estimate::share(inside.len() - accepted.len(), inside.len()),
            auroc: judgement.auroc(),
            fpr95: judgement.fpr95(),
            false_accepted: Estimate::share(false_accepted, outside.len()),
            total: judgement.total(),
            ece: judgement.ece(),
            brier: judgement.brier(),
            aurc: judgement.aurc(),
            coverage: Estimate::share(covered, accepted.len()),
            mean_asked: average(&accepted, |routed| routed.asked_count),
            mean_probed: average(&inside, |routed| routed.probed),
            mean_probed_outside: average(&outside, |routed| routed.probed),
            calls: average(&all, |routed| routed.probed + routed.asked_count),
            probe_bytes: average(&all, |routed| routed.probe_bytes),
        }
    }

    /// A line for each that can be said.
    pub(super) fn lines(&self) -> String {
        let percents = [
            ("top-1", self.accuracy),
            ("mean of the domains' top-1", self.macro_accuracy),
            ("the right one among the two best", self.recall_at_2),
            ("lost against an oracle", self.oracle_regret),
            ("lost against the best single specialist", self.single_regret),
            ("refused, of somebody's", self.abstained),
            ("accepted, of nobody's", self.false_accepted),
            ("AUROC", self.auroc),
            ("FPR95", self.fpr95),
            ("right and accepted, or nobody's and refused", self.total),
            ("calibration error", self.ece),
            ("Brier score", self.brier),
            ("area under risk and coverage", self.aurc),
            ("the right one among those asked", self.coverage),
        ];
        let means = [
            ("asked at once, on average", self.mean_asked),
            ("probed, on average, for somebody's", self.mean_probed),
            ("probed, on average, for nobody's", self.mean_probed_outside),
            ("calls of all sorts, on average", self.calls),
            ("bytes that probes send, on average", self.probe_bytes),
        ];
        let percents = percents.map(|(name, estimate)| (name, estimate, estimate.percent()));
        let means = means.map(|(name, estimate)| (name, estimate, estimate.to_string()));
        let said = percents.into_iter().chain(means).filter(|(_, estimate, _)| !estimate.value.is_nan());
        said.map(|(name, _, shown)| format!("  {name:45} {shown}\n")).collect()
    }
}

fn average(routed: &[&Routed], count: fn(&Routed) -> usize) -> Estimate {
    let counts: Vec<usize> = routed.iter().map(|routed| count(routed)).collect();
    Estimate::bootstrap(&counts, &[], |counts, _: &[()]| mean(counts))
}
