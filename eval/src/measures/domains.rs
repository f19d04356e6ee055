//! Which domain a question belongs to, which one it went to, and what is lost by that.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

/// Whom a question belongs to that no domain covers, and who is asked when it is refused.
pub(crate) const NOBODY: &str = "nobody";

/// How many questions of each domain went to each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Confusion {
    /// By their letters; [`NOBODY`] comes last, where a question is nobody's or was refused.
    pub(crate) names: Vec<String>,
    /// A row for each domain that questions belong to, a column for each that they went to, in the order
    /// of the names.
    pub(crate) counts: Vec<Vec<usize>>,
}

impl Confusion {
    /// `went` has for each question the domain that it belongs to and the one that it went to; `None` is
    /// [`NOBODY`].
    pub(crate) fn of<'a>(went: impl IntoIterator<Item = (Option<&'a str>, Option<&'a str>)>) -> Self {
        let went: Vec<(Option<&str>, Option<&str>)> = went.into_iter().collect();
        let found: BTreeSet<Option<&str>> = went.iter().flat_map(|&(own, to)| [own, to]).collect();
        let mut names: Vec<Option<&str>> = found.into_iter().collect();
        if names.first() == Some(&None) {
            names.rotate_left(1);
        }
        let places: BTreeMap<Option<&str>, usize> =
            names.iter().enumerate().map(|(at, name)| (*name, at)).collect();
        let mut counts = vec![vec![0; names.len()]; names.len()];
        for (own, to) in went {
            counts[places[&own]][places[&to]] += 1;
        }
        Self { names: names.into_iter().map(|name| name.unwrap_or(NOBODY).to_owned()).collect(), counts }
    }
}

/// A question that belongs to a domain, and whether it went there.
pub(crate) type Went<D> = (D, bool);

/// The share of right ones that each domain has, averaged over the domains, so that small ones count as much
/// as large ones (macro average). NaN for none.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(crate) fn macro_average<D: Ord + Copy>(went: &[Went<D>]) -> f64 {
    let mut domains: BTreeMap<D, (usize, usize)> = BTreeMap::new();
    for &(domain, right) in went {
        let (rights, all) = domains.entry(domain).or_default();
        *rights += usize::from(right);
        *all += 1;
    }
    let shares = domains.values().map(|&(rights, all)| rights as f64 / all as f64).sum::<f64>();
    shares / domains.len() as f64
}

/// The share of questions that is lost against an oracle, which always asks the right one. NaN for none.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(crate) fn oracle_regret<D>(went: &[Went<D>]) -> f64 {
    went.iter().filter(|(_, right)| !right).count() as f64 / went.len() as f64
}

/// The share of questions that is lost against asking always the one specialist that is right most often:
/// below 0 where routing pays. NaN for none.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(crate) fn single_regret<D: Ord + Copy>(went: &[Went<D>]) -> f64 {
    let mut counts: BTreeMap<D, usize> = BTreeMap::new();
    for &(domain, _) in went {
        *counts.entry(domain).or_default() += 1;
    }
    let most = counts.into_values().max().unwrap_or_default();
    oracle_regret(went) - (1.0 - most as f64 / went.len() as f64)
}

/// Where `right` stands in `ranked`, the best first: 0 is the best, `None` is nowhere.
pub(crate) fn rank<T: PartialEq>(ranked: impl IntoIterator<Item = T>, right: &T) -> Option<usize> {
    ranked.into_iter().position(|one| one == *right)
}

/// The share of questions whose right specialist is among the first `n`. NaN for none.
#[expect(clippy::cast_precision_loss, reason = "counts of questions")]
pub(crate) fn recall_at(n: usize, ranks: &[Option<usize>]) -> f64 {
    let found = ranks.iter().filter(|rank| rank.is_some_and(|rank| rank < n)).count();
    found as f64 / ranks.len() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn near(value: f64, expected: f64) {
        assert!((value - expected).abs() < 1e-9, "{value} in place of {expected}");
    }

    #[test]
    fn questions_are_counted_by_where_they_belong_and_went() {
        let (tax, wine) = (Some("tax"), Some("wine"));
        let went = [(wine, wine), (wine, wine), (wine, tax), (tax, None), (None, wine), (None, None)];
        let Confusion { names, counts } = Confusion::of(went);
        assert_eq!(names, ["tax", "wine", NOBODY]);
        assert_eq!(counts, [[0, 0, 1], [1, 2, 0], [0, 1, 1]]);
        assert_eq!(Confusion::of([(tax, wine)]).names, ["tax", "wine"], "nobody is named where needed only");
    }

    /// Nine of ten of one domain, and none of the only one of another.
    #[test]
    fn a_small_domain_counts_as_much_as_a_large_one() {
        let went: Vec<Went<&str>> = (0..10).map(|at| ("large", at > 0)).chain([("small", false)]).collect();
        near(macro_average(&went), 0.45);
        assert!(macro_average::<&str>(&[]).is_nan());
    }

    /// Three of five are right; the one that most belong to would be right for two.
    #[test]
    fn regret_is_what_others_would_have_won() {
        let went = [("a", true), ("a", true), ("b", true), ("c", false), ("d", false)];
        near(oracle_regret(&went), 0.4);
        near(single_regret(&went), -0.2);
        near(single_regret(&[("a", true), ("a", false), ("b", true), ("a", false)]), 0.25);
        assert!(single_regret::<&str>(&[]).is_nan());
    }

    #[test]
    fn the_right_one_is_found_among_the_first() {
        let ranks = [["a", "b", "c"], ["b", "a", "c"], ["b", "c", "d"]].map(|ranked| rank(ranked, &"a"));
        assert_eq!(ranks, [Some(0), Some(1), None]);
        near(recall_at(1, &ranks), 1.0 / 3.0);
        near(recall_at(2, &ranks), 2.0 / 3.0);
        near(recall_at(9, &ranks), 2.0 / 3.0);
    }
}
