//! Questions that went wrong.

use serde::Serialize;

use crate::routed::Routed;

/// As many characters of a question fit into a line of the table.
const QUESTION_SHOWN_MAX: usize = 100;

/// A question that went wrong.
#[derive(Debug, Serialize)]
pub(crate) struct Wrong {
    pub(crate) question: String,
    pub(crate) kind: String,
    pub(crate) domain: String,
    /// Absent where nobody has a score.
    pub(crate) went_to: Option<String>,
    /// What the router gives to the right one: 0 to 1.
    pub(crate) probability: f32,
}

/// Those of `routed` that went wrong, at most `count`.
pub(super) fn wrong(mut routed: Vec<Routed>, count: usize) -> Vec<Wrong> {
    routed.retain(|routed| routed.asked.own().is_some() && !routed.is_right());
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
    pub(super) fn lines(&self) -> String {
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
        let asked = Asked { query: query.into(), domain, kind, maybe_in_domain: false, gold_ids: Vec::new() };
        let (ranked, right_asked) = (vec!["b".into()], false);
        Routed {
            asked,
            ranked,
            probability,
            confidence: 0.5,
            asked_count: 1,
            right_asked,
            probed: 0,
            probe_bytes: 0,
        }
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
