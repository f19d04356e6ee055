//! What is said of the questions that were routed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Routed,
    detection::{auroc, brier, ece, fpr95, mean},
    is_nobodys,
};
use crate::statistics::Estimate;

/// As many characters of a question fit into a line of the table.
const QUESTION_SHOWN_MAX: usize = 100;

/// How well questions find the specialist that they belong to.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// Whose vectors these are.
    pub(crate) engine: String,
    #[serde(flatten)]
    pub(crate) size: Size,
    pub(crate) questions: usize,
    /// Questions that belong to nobody, and are to be refused.
    pub(crate) out_of_domain: usize,
    /// Questions of other corpora, or that might belong to one: not routed.
    pub(crate) left_out: usize,
    /// The assumed share of questions that nobody covers.
    pub(crate) prior: f64,
    /// With probing, as far as it was allowed.
    #[serde(flatten)]
    pub(crate) measures: Measures,
    /// The same without.
    pub(crate) prototypes_alone: Measures,
    pub(crate) by_domain: BTreeMap<String, Part>,
    pub(crate) by_kind: BTreeMap<String, Part>,
    /// Those that went wrong, the most surely wrong first; perhaps not all.
    pub(crate) wrong: Vec<Wrong>,
}

/// What is measured of one way to route.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Measures {
    /// The share whose best candidate is the right one, whether or not it would be asked.
    pub(crate) accuracy: Estimate,
    /// The mean of the domains' shares.
    pub(crate) macro_accuracy: Estimate,
    /// The share whose right one is among the two best.
    pub(crate) recall_at_2: Estimate,
    /// The share on which the router would abstain.
    pub(crate) abstained: Estimate,
    /// How often a question that belongs to somebody has more confidence than one that does not.
    pub(crate) auroc: Estimate,
    /// The share of nobody's questions that is accepted where 95 % of the others are.
    pub(crate) fpr95: Estimate,
    /// The share of nobody's questions that is accepted.
    pub(crate) false_accepted: Estimate,
    /// The share of all questions that is right and accepted, or nobody's and refused.
    pub(crate) total: Estimate,
    /// Expected calibration error of the confidence at the prior.
    pub(crate) ece: Estimate,
    /// Brier score of the confidence at the prior.
    pub(crate) brier: Estimate,
    /// Of the accepted: the share whose specialist is among those asked at once.
    pub(crate) coverage: Estimate,
    /// Of the accepted: how many are asked at once on average.
    pub(crate) mean_asked: Estimate,
    /// How many are probed for a question of somebody's on average.
    pub(crate) mean_probed: Estimate,
    /// The same for nobody's.
    pub(crate) mean_probed_outside: Estimate,
}

/// What questions were routed over.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Size {
    pub(crate) passages: usize,
    pub(crate) specialists: usize,
    pub(crate) prototypes: usize,
    /// How many each specialist was asked for.
    pub(crate) prototypes_max: usize,
}

/// Some of the questions.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) questions: usize,
    pub(crate) right: usize,
    pub(crate) accuracy: Estimate,
    /// The share that is not refused.
    pub(crate) accepted: Estimate,
    /// How often one of these has more confidence than one of nobody's.
    pub(crate) auroc: f64,
}

/// A question that went wrong.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wrong {
    pub(crate) question: String,
    pub(crate) kind: String,
    pub(crate) domain: String,
    /// Absent where nobody has a score.
    pub(crate) went_to: Option<String>,
    /// What the router gives to the right one: 0 to 1.
    pub(crate) probability: f32,
}

impl Part {
    fn of(routed: &[&Routed], outside: &[f32]) -> Self {
        let right = routed.iter().filter(|routed| routed.is_right()).count();
        let accepted = routed.iter().filter(|routed| !routed.abstained()).count();
        let confidences: Vec<f32> = routed.iter().map(|routed| routed.confidence).collect();
        Self {
            questions: routed.len(),
            right,
            accuracy: Estimate::share(right, routed.len()),
            accepted: Estimate::share(accepted, routed.len()),
            auroc: auroc(&confidences, outside),
        }
    }
}

impl Measures {
    fn of(inside: &[&Routed], outside: &[&Routed], prior: f64) -> Self {
        let share = |counts: fn(&Routed) -> bool| {
            Estimate::share(inside.iter().filter(|routed| counts(routed)).count(), inside.len())
        };
        let both = |statistic: &dyn Fn(&[&Routed], &[&Routed]) -> f64| {
            Estimate::bootstrap(inside, outside, statistic)
        };
        let confidences = |routed: &[&Routed]| routed.iter().map(|r| r.confidence).collect::<Vec<f32>>();
        let detection = |statistic: fn(&[f32], &[f32]) -> f64| {
            both(&|inside, outside| statistic(&confidences(inside), &confidences(outside)))
        };
        let refused = outside.iter().filter(|routed| routed.abstained()).count();
        let well = inside.iter().filter(|routed| routed.is_right() && !routed.abstained()).count() + refused;
        let accepted: Vec<&Routed> = inside.iter().filter(|routed| !routed.abstained()).copied().collect();
        let covered = accepted.iter().filter(|routed| routed.right_asked).count();
        let average = |routed: &[&Routed], count: fn(&Routed) -> usize| {
            let counts: Vec<usize> = routed.iter().map(|routed| count(routed)).collect();
            Estimate::bootstrap(&counts, &[], |counts, _: &[()]| mean(counts))
        };
        Self {
            accuracy: share(Routed::is_right),
            macro_accuracy: both(&|inside, _| macro_accuracy(inside)),
            recall_at_2: share(|routed| routed.is_among(2)),
            abstained: share(Routed::abstained),
            auroc: detection(auroc),
            fpr95: detection(fpr95),
            false_accepted: Estimate::share(outside.len() - refused, outside.len()),
            total: Estimate::share(well, inside.len() + outside.len()),
            ece: both(&|inside, outside| ece(&confidences(inside), &confidences(outside), prior)),
            brier: both(&|inside, outside| brier(&confidences(inside), &confidences(outside), prior)),
            coverage: Estimate::share(covered, accepted.len()),
            mean_asked: average(&accepted, |routed| routed.asked_count),
            mean_probed: average(inside, |routed| routed.probed),
            mean_probed_outside: average(outside, |routed| routed.probed),
        }
    }

    fn lines(&self) -> String {
        let Self { accuracy, macro_accuracy, recall_at_2, abstained, auroc, fpr95, false_accepted, .. } =
            self;
        let Self { total, ece, brier, coverage, mean_asked, mean_probed, mean_probed_outside, .. } = self;
        let percents = [
            ("top-1", accuracy),
            ("mean of the domains' top-1", macro_accuracy),
            ("the right one among the two best", recall_at_2),
            ("refused, of somebody's", abstained),
            ("accepted, of nobody's", false_accepted),
            ("AUROC", auroc),
            ("FPR95", fpr95),
            ("right and accepted, or nobody's and refused", total),
            ("calibration error", ece),
            ("Brier score", brier),
            ("the right one among those asked", coverage),
        ];
        let percents = percents.map(|(name, estimate)| format!("  {name:45} {}\n", estimate.percent()));
        let means = [
            ("asked at once, on average", mean_asked),
            ("probed, on average, for somebody's", mean_probed),
            ("probed, on average, for nobody's", mean_probed_outside),
        ];
        let means = means.map(|(name, estimate)| format!("  {name:45} {estimate}\n"));
        percents.concat() + &means.concat()
    }
}

/// The mean over the domains of the share whose best candidate is the right one.
fn macro_accuracy(routed: &[&Routed]) -> f64 {
    let mut domains: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for routed in routed {
        let (right, all) = domains.entry(&routed.asked.domain).or_default();
        *right += usize::from(routed.is_right());
        *all += 1;
    }
    let shares = domains.values().map(|(right, all)| Estimate::share(*right, *all).value);
    #[expect(clippy::cast_precision_loss, reason = "a few domains")]
    let mean = shares.sum::<f64>() / domains.len() as f64;
    mean
}

impl Figures {
    /// `ways` are with probing and without; `wrong_max` bounds how many of those that went wrong are kept.
    pub(super) fn of(
        engine: String,
        size: Size,
        left_out: usize,
        prior: f64,
        ways: (Vec<Routed>, Vec<Routed>),
        wrong_max: usize,
    ) -> Self {
        let (probed, alone) = ways;
        let (outside, inside): (Vec<usize>, Vec<usize>) =
            (0..probed.len()).partition(|at| is_nobodys(&probed[*at].asked));
        let of = |routed: &[Routed]| {
            let chosen = |places: &[usize]| places.iter().map(|at| &routed[*at]).collect::<Vec<_>>();
            Measures::of(&chosen(&inside), &chosen(&outside), prior)
        };
        let (measures, prototypes_alone) = (of(&probed), of(&alone));
        let outside_confidences: Vec<f32> = outside.iter().map(|at| probed[*at].confidence).collect();
        let by = |name: fn(&Routed) -> &str| {
            let mut parts: BTreeMap<String, Vec<&Routed>> = BTreeMap::new();
            for at in &inside {
                parts.entry(name(&probed[*at]).to_owned()).or_default().push(&probed[*at]);
            }
            let part =
                |(name, routed): (String, Vec<&Routed>)| (name, Part::of(&routed, &outside_confidences));
            parts.into_iter().map(part).collect()
        };
        Self {
            by_domain: by(|routed| &routed.asked.domain),
            by_kind: by(|routed| &routed.asked.kind),
            engine,
            size,
            questions: inside.len(),
            out_of_domain: outside.len(),
            left_out,
            prior,
            measures,
            prototypes_alone,
            wrong: wrong(probed, wrong_max),
        }
    }

    pub(super) fn table(&self) -> String {
        let Self { engine, size, questions, out_of_domain, left_out, prior, .. } = self;
        let Self { measures, prototypes_alone, by_domain, by_kind, wrong, .. } = self;
        let Size { passages, specialists, prototypes, prototypes_max } = size;
        let mut out = format!(
            "{engine}: {specialists} specialists, {passages} passages, {prototypes} prototypes (at most \
             {prototypes_max} each)\n\
             {questions} questions of somebody's, {out_of_domain} of nobody's (a share of {prior} is assumed); \
             {left_out} left out, of other corpora or perhaps of one of these\n\
             each routed with numbers that were fitted on others; 95 % intervals\n\n\
             with probing\n{}\nprototypes alone\n{}",
            measures.lines(),
            prototypes_alone.lines(),
        );
        for (name, parts) in [("domain", by_domain), ("kind", by_kind)] {
            let width = parts.keys().map(String::len).max().unwrap_or_default().max(name.len());
            out += &format!("\n{name:width$}  questions  AUROC    {:28}accepted\n", "top-1");
            for (name, Part { questions, right: _, accuracy, accepted, auroc }) in parts {
                let (accuracy, accepted) = (accuracy.percent(), accepted.percent());
                let auroc = 100.0 * auroc;
                out += &format!("{name:width$}  {questions:>9}  {auroc:5.2} %  {accuracy:28}{accepted}\n");
            }
        }
        if !wrong.is_empty() {
            let all: usize = by_domain.values().map(|part| part.questions - part.right).sum();
            out += &format!("\n{} of {all} that went wrong, the most surely wrong first\n", wrong.len());
        }
        out + &wrong.iter().map(Wrong::lines).collect::<String>()
    }
}

/// Those of `routed` that went wrong, at most `count`.
fn wrong(mut routed: Vec<Routed>, count: usize) -> Vec<Wrong> {
    routed.retain(|routed| !is_nobodys(&routed.asked) && !routed.is_right());
    routed.sort_by(|a, b| a.probability.total_cmp(&b.probability));
    routed.truncate(count);
    let wrong = |routed: Routed| Wrong {
        went_to: routed.went_to().map(str::to_owned),
        question: routed.asked.query,
        kind: routed.asked.kind,
        domain: routed.asked.domain,
        probability: routed.probability,
    };
    routed.into_iter().map(wrong).collect()
}

impl Wrong {
    fn lines(&self) -> String {
        let Self { question, kind, domain, went_to, probability } = self;
        let went_to = went_to.as_deref().unwrap_or("nobody");
        let words = question.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut shown: String = words.chars().take(QUESTION_SHOWN_MAX).collect();
        if shown.len() < words.len() {
            shown += "...";
        }
        format!("  {went_to} before {domain}, which is given {probability:.3} ({kind})\n    {shown}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Asked;

    fn routed(query: &str, probability: f32) -> Routed {
        let (domain, kind) = ("a".into(), "k".into());
        let asked = Asked { query: query.into(), domain, kind, maybe_in_domain: false };
        let (ranked, right_asked) = (vec!["b".into()], false);
        Routed { asked, ranked, probability, confidence: 0.5, asked_count: 1, right_asked, probed: 0 }
    }

    #[test]
    fn the_most_surely_wrong_come_first() {
        let all = vec![routed("near", 0.4), routed("lost", 0.0), routed("far", 0.1)];
        let shown: Vec<String> = wrong(all, 2).into_iter().map(|wrong| wrong.question).collect();
        assert_eq!(shown, ["lost", "far"]);
    }

    #[test]
    fn a_long_question_is_cut_and_stays_on_its_line() {
        let [wrong] = wrong(vec![routed(&"very\nlong ".repeat(50), 0.25)], 1).try_into().unwrap();
        let lines = wrong.lines();
        assert_eq!(lines.lines().count(), 2);
        assert!(
            lines.ends_with("...\n") && lines.contains("b before a, which is given 0.250 (k)"),
            "{lines}"
        );
    }
}
