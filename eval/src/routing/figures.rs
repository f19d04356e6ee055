//! What is said of the questions that were routed.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Routed,
    detection::{auroc, fpr95, mean},
    is_nobodys,
};
use crate::statistics::Estimate;

/// As many characters of a question fit into a line of the table.
const QUESTION_SHOWN_MAX: usize = 100;

/// How often questions found the specialist that they belong to.
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
    /// The share whose best candidate is the right one, whether or not it would be asked.
    pub(crate) accuracy: Estimate,
    /// The share on which the router would abstain.
    pub(crate) abstained: Estimate,
    /// How often a question that belongs to somebody has more confidence than one that does not.
    pub(crate) auroc: Estimate,
    /// The share of nobody's questions that is accepted where 95 % of the others are.
    pub(crate) fpr95: Estimate,
    /// The share of all questions that is right and accepted, or nobody's and refused.
    pub(crate) total: Estimate,
    /// Of the accepted: the share whose specialist is among those asked at once.
    pub(crate) coverage: Estimate,
    /// Of the accepted: how many are asked at once on average.
    pub(crate) mean_asked: Estimate,
    pub(crate) by_domain: BTreeMap<String, Part>,
    pub(crate) by_kind: BTreeMap<String, Part>,
    /// Those that went wrong, the farthest from the right one first; perhaps not all.
    pub(crate) wrong: Vec<Wrong>,
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
}

/// A question that went wrong.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Wrong {
    pub(crate) question: String,
    pub(crate) kind: String,
    pub(crate) domain: String,
    /// Absent where nobody has a score.
    pub(crate) went_to: Option<String>,
    /// How much nearer that one is than the right one, in cosine units; absent where the right one has
    /// no prototype among the nearest.
    pub(crate) margin: Option<f32>,
}

impl Part {
    fn of<'a>(routed: impl IntoIterator<Item = &'a Routed>) -> Self {
        let (mut questions, mut right) = (0, 0);
        for routed in routed {
            questions += 1;
            right += usize::from(routed.is_right());
        }
        Self { questions, right, accuracy: Estimate::share(right, questions) }
    }
}

impl Figures {
    /// `wrong_max` bounds how many of those that went wrong are kept.
    pub(super) fn of(
        engine: String,
        size: Size,
        left_out: usize,
        routed: Vec<Routed>,
        wrong_max: usize,
    ) -> Self {
        let (outside, routed): (Vec<Routed>, Vec<Routed>) =
            routed.into_iter().partition(|routed| is_nobodys(&routed.asked));
        let by = |name: fn(&Routed) -> &str| {
            let mut parts: BTreeMap<String, Vec<&Routed>> = BTreeMap::new();
            for routed in &routed {
                parts.entry(name(routed).to_owned()).or_default().push(routed);
            }
            parts.into_iter().map(|(name, routed)| (name, Part::of(routed))).collect()
        };
        let abstained = routed.iter().filter(|routed| routed.abstained()).count();
        let confidence = |routed: &Routed| routed.confidence;
        let inside_confidences: Vec<f32> = routed.iter().map(confidence).collect();
        let outside_confidences: Vec<f32> = outside.iter().map(confidence).collect();
        let detection = |statistic: fn(&[f32], &[f32]) -> f64| {
            Estimate::bootstrap(&inside_confidences, &outside_confidences, statistic)
        };
        let well = routed.iter().filter(|routed| routed.is_right() && !routed.abstained()).count()
            + outside.iter().filter(|routed| routed.abstained()).count();
        let accepted: Vec<&Routed> = routed.iter().filter(|routed| !routed.abstained()).collect();
        let covered = accepted.iter().filter(|routed| routed.right_asked).count();
        let counts: Vec<usize> = accepted.iter().map(|routed| routed.asked_count).collect();
        Self {
            out_of_domain: outside.len(),
            auroc: detection(auroc),
            fpr95: detection(fpr95),
            total: Estimate::share(well, routed.len() + outside.len()),
            coverage: Estimate::share(covered, accepted.len()),
            mean_asked: Estimate::bootstrap(&counts, &[], |counts, _: &[()]| mean(counts)),
            engine,
            size,
            questions: routed.len(),
            left_out,
            accuracy: Part::of(&routed).accuracy,
            abstained: Estimate::share(abstained, routed.len()),
            by_domain: by(|routed| &routed.asked.domain),
            by_kind: by(|routed| &routed.asked.kind),
            wrong: wrong(routed, wrong_max),
        }
    }

    pub(super) fn table(&self) -> String {
        let Self { engine, size, questions, out_of_domain, left_out, accuracy, abstained, .. } = self;
        let Self { auroc, fpr95, total, coverage, mean_asked, by_domain, by_kind, wrong, .. } = self;
        let Size { passages, specialists, prototypes, prototypes_max } = size;
        let mut out = format!(
            "{engine}: {specialists} specialists, {passages} passages, {prototypes} prototypes (at most \
             {prototypes_max} each)\n\
             top-1 of {questions} questions: {} (95 % interval)\n\
             of them nobody would be asked: {}\n\
             where somebody is, the right one is among {mean_asked} asked: {}\n\
             {out_of_domain} questions that belong to nobody: AUROC {}, FPR95 {}\n\
             right and accepted, or nobody's and refused: {}\n\
             left out, since they belong to no corpus here or might belong to one: {left_out}\n",
            accuracy.percent(),
            abstained.percent(),
            coverage.percent(),
            auroc.percent(),
            fpr95.percent(),
            total.percent(),
        );
        for (name, parts) in [("domain", by_domain), ("kind", by_kind)] {
            let width = parts.keys().map(String::len).max().unwrap_or_default().max(name.len());
            out += &format!("\n{name:width$}  questions  top-1\n");
            for (name, Part { questions, right: _, accuracy }) in parts {
                out += &format!("{name:width$}  {questions:>9}  {}\n", accuracy.percent());
            }
        }
        if !wrong.is_empty() {
            let all: usize = by_domain.values().map(|part| part.questions - part.right).sum();
            out += &format!("\n{} of {all} that went wrong, the farthest first\n", wrong.len());
        }
        out + &wrong.iter().map(Wrong::lines).collect::<String>()
    }
}

/// Those of `routed` that went wrong, at most `count`. Who is not among the nearest at all is farthest.
fn wrong(mut routed: Vec<Routed>, count: usize) -> Vec<Wrong> {
    let distance = |routed: &Routed| routed.margin.unwrap_or(f32::INFINITY);
    routed.retain(|routed| !routed.is_right());
    routed.sort_by(|a, b| distance(b).total_cmp(&distance(a)));
    routed.truncate(count);
    let wrong = |Routed { asked, went_to, margin, .. }| Wrong {
        question: asked.query,
        kind: asked.kind,
        domain: asked.domain,
        went_to,
        margin,
    };
    routed.into_iter().map(wrong).collect()
}

impl Wrong {
    fn lines(&self) -> String {
        let Self { question, kind, domain, went_to, margin } = self;
        let went_to = went_to.as_deref().unwrap_or("nobody");
        let margin = margin.map_or("which is not near".to_owned(), |margin| format!("by {margin:.3}"));
        let words = question.split_whitespace().collect::<Vec<_>>().join(" ");
        let mut shown: String = words.chars().take(QUESTION_SHOWN_MAX).collect();
        if shown.len() < words.len() {
            shown += "...";
        }
        format!("  {went_to} before {domain}, {margin} ({kind})\n    {shown}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::Asked;

    fn routed(query: &str, margin: Option<f32>) -> Routed {
        let (domain, kind) = ("a".into(), "k".into());
        let asked = Asked { query: query.into(), domain, kind, maybe_in_domain: false };
        let went_to = Some("b".into());
        Routed { asked, went_to, margin, confidence: 0.5, asked_count: 1, right_asked: false }
    }

    #[test]
    fn the_farthest_come_first() {
        let all = vec![routed("near", Some(0.1)), routed("lost", None), routed("far", Some(0.3))];
        let shown: Vec<String> = wrong(all, 2).into_iter().map(|wrong| wrong.question).collect();
        assert_eq!(shown, ["lost", "far"]);
    }

    #[test]
    fn a_long_question_is_cut_and_stays_on_its_line() {
        let [wrong] = wrong(vec![routed(&"very\nlong ".repeat(50), None)], 1).try_into().unwrap();
        let lines = wrong.lines();
        assert_eq!(lines.lines().count(), 2);
        assert!(lines.ends_with("...\n") && lines.contains("b before a, which is not near (k)"), "{lines}");
    }
}
