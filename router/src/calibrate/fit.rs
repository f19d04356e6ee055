//! From questions with known answers to the numbers that routing follows. Pure: it reads no file and asks
//! nobody.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use index::Hit;
use proto::Evidence;
use registry::{PrototypeKey, Slot};

use super::regression::{Features, conditional_logit, line, logistic};
use crate::route::{
    ByEvidence, ByPrototypes, Calibration, FilledIn, Line, Policy, Seen, Strength, doubtful, log_sum_exp,
    score,
};

/// Softnesses that are tried.
const TEMPERATURES: [f32; 4] = [0.01, 0.02, 0.03, 0.05];

/// Share of the questions whose specialist may be missing from the conformal set.
const ALPHA: f64 = 0.01;

/// A kind of question that has so many is watched: not less than this share of it is accepted.
const KIND_MIN: usize = 50;
const KIND_ACCEPTED_MIN: f64 = 0.8;

/// The log-odds of what is taken for certain.
const COVERED: f32 = 20.0;

/// A question with a known answer, and what everybody has near it.
#[derive(Debug, Clone)]
pub struct Sample {
    /// The nearest prototypes.
    pub hits: Vec<Hit<PrototypeKey>>,
    /// The cosine of each of the background's questions.
    pub background: Vec<f32>,
    /// How many terms the question has.
    pub terms: usize,
    /// What each index holds near it, of all who can be probed.
    pub evidence: BTreeMap<Slot, Evidence>,
    /// Who covers it; `None` where nobody does.
    pub right: Option<Slot>,
    /// What sort of question it is.
    pub kind: String,
}

/// A sample at one temperature.
struct Scored<'a> {
    sample: &'a Sample,
    /// Best first.
    scores: Vec<(Slot, f32)>,
    seen: Seen,
}

impl<'a> Scored<'a> {
    fn new(sample: &'a Sample, temperature: f32) -> Self {
        let mut scores: Vec<(Slot, f32)> = score(&sample.hits, temperature).into_iter().collect();
        scores.sort_by(|a, b| b.1.total_cmp(&a.1));
        let background = log_sum_exp(&sample.background, temperature);
        Self { sample, scores, seen: Seen { background, terms: sample.terms } }
    }

    fn best(&self) -> Option<(Slot, f32)> {
        self.scores.first().copied()
    }
}

/// Fits everything to `samples`. `prior` is the share of the deployment's questions that nobody covers,
/// between 0 and 1; probing is as `policy` says.
pub fn fit(samples: &[Sample], policy: &Policy, prior: f64) -> Result<Calibration> {
    let inside = samples.iter().filter(|sample| sample.right.is_some()).count();
    let outside = samples.len() - inside;
    ensure!(inside > 0 && outside > 0, "it takes questions that somebody covers, and some that nobody does");
    ensure!(prior > 0.0 && prior < 1.0, "the share of questions that nobody covers must lie between 0 and 1");
    #[expect(clippy::cast_precision_loss, reason = "counts of questions")]
    let shift = ((1.0 - prior) / prior).ln() - (inside as f64 / outside as f64).ln();

    let mut fitted = Calibration { temperature: best_temperature(samples), ..Calibration::default() };
    let scored: Vec<Scored> = samples.iter().map(|sample| Scored::new(sample, fitted.temperature)).collect();
    fitted.by_prototypes = by_prototypes(&scored, shift)?;
    fitted.filled_in = filled_in(&scored);
    fitted.strength = strength(&scored, &fitted.filled_in)?;
    if policy.probes_max > 0 && samples.iter().any(|sample| !sample.evidence.is_empty()) {
        fitted.by_evidence = by_evidence(&scored, policy, &fitted, shift)?;
    }
    let judged: Vec<Judged> = scored.iter().map(|scored| Judged::new(scored, policy, &fitted)).collect();
    fitted.confidence_min = confidence_min(&judged);
    fitted.miss_max = conformal_quantile(judged.iter().filter_map(|judged| judged.miss).collect(), ALPHA);
    Ok(fitted)
}

/// Fits only what chooses among specialists, on `samples` that somebody covers: for where there is no
/// question that nobody does. Every question counts as covered then.
pub fn fit_choice(samples: &[Sample], policy: &Policy) -> Result<Calibration> {
    let inside = samples.iter().filter(|sample| sample.right.is_some()).count();
    ensure!(inside > 0, "it takes questions that somebody covers");
    let temperature = best_temperature(samples);
    let scored: Vec<Scored> = samples.iter().map(|sample| Scored::new(sample, temperature)).collect();
    let filled_in = filled_in(&scored);
    let strength = strength(&scored, &filled_in)?;
    let covered = Calibration::default().by_prototypes;
    let by_prototypes = ByPrototypes { slope: 0.0, offset: COVERED, ..covered };
    let by_evidence = ByEvidence {
        nearness: 0.0,
        covered: 0.0,
        titled: 0.0,
        familiar: 0.0,
        background: 0.0,
        terms: 0.0,
        offset: COVERED,
    };
    let mut fitted = Calibration {
        temperature,
        confidence_min: 0.0,
        by_prototypes,
        by_evidence,
        strength,
        filled_in,
        ..Calibration::default()
    };
    let judged = scored.iter().map(|scored| Judged::new(scored, policy, &fitted));
    fitted.miss_max = conformal_quantile(judged.filter_map(|judged| judged.miss).collect(), ALPHA);
    Ok(fitted)
}

/// The softness at which the prototypes alone are right most often.
fn best_temperature(samples: &[Sample]) -> f32 {
    let right = |temperature: f32| {
        let scored = samples.iter().map(|sample| Scored::new(sample, temperature));
        scored.filter(|s| s.sample.right.is_some() && s.best().map(|b| b.0) == s.sample.right).count()
    };
    let tried = TEMPERATURES.map(|temperature| (right(temperature), temperature));
    tried.into_iter().max_by_key(|(right, _)| *right).map_or(TEMPERATURES[0], |(_, temperature)| temperature)
}

#[expect(clippy::cast_possible_truncation, reason = "routing computes in f32")]
fn narrow<const N: usize>(numbers: Features<N>) -> [f32; N] {
    numbers.map(|number| number as f32)
}

fn by_prototypes(scored: &[Scored], shift: f64) -> Result<ByPrototypes> {
    let row = |scored: &Scored| {
        let (_, best) = scored.best()?;
        Some(([f64::from(best), f64::from(scored.seen.background), 1.0], scored.sample.right.is_some()))
    };
    let rows: Vec<_> = scored.iter().filter_map(row).collect();
    let [slope, background, offset] = logistic(&rows)?;
    ensure!(slope > 0.0, "questions that nobody covers lie nearer to the prototypes than the others");
    let [slope, background_weight, offset] = narrow([slope, -background / slope, offset + shift]);
    Ok(ByPrototypes { slope, background_weight, offset })
}

/// Lines through what all show who can be probed; without anybody, a score stands for nearness itself.
fn filled_in(scored: &[Scored]) -> FilledIn {
    let mut nearness = Vec::new();
    let (mut covered, mut titled, mut familiar) = (Vec::new(), Vec::new(), Vec::new());
    for Scored { sample, scores, .. } in scored {
        for (slot, score) in scores {
            let Some(Evidence { nearness: near, wording }) = sample.evidence.get(slot) else { continue };
            nearness.push((f64::from(*score), f64::from(*near)));
            let Some(wording) = wording else { continue };
            covered.push((f64::from(*near), f64::from(wording.covered)));
            titled.push((f64::from(*near), f64::from(wording.titled)));
            familiar.push((f64::from(*near), f64::from(wording.familiar)));
        }
    }
    let through = |points: &[(f64, f64)]| {
        let (offset, slope) = line(points);
        let [offset, slope] = narrow([offset, slope]);
        Line { offset, slope }
    };
    FilledIn {
        nearness: if nearness.is_empty() { Line { offset: 0.0, slope: 1.0 } } else { through(&nearness) },
        covered: through(&covered),
        titled: through(&titled),
        familiar: through(&familiar),
    }
}

fn strength(scored: &[Scored], filled_in: &FilledIn) -> Result<Strength> {
    let choice = |scored: &Scored| {
        let right = scored.scores.iter().position(|(slot, _)| Some(*slot) == scored.sample.right)?;
        let features = |(slot, score): &(Slot, f32)| {
            let (near, wording) = filled_in.fill(*score, scored.sample.evidence.get(slot).copied());
            [near, wording.covered, wording.titled, wording.familiar].map(f64::from)
        };
        Some((right, scored.scores.iter().map(features).collect::<Vec<_>>()))
    };
    let choices: Vec<_> = scored.iter().filter_map(choice).collect();
    let [nearness, covered, titled, familiar] = narrow(conditional_logit(&choices)?);
    Ok(Strength { nearness, covered, titled, familiar })
}

/// Fitted on all questions as if all were in doubt: what is plain teaches too.
fn by_evidence(scored: &[Scored], policy: &Policy, fitted: &Calibration, shift: f64) -> Result<ByEvidence> {
    let row = |scored: &Scored| {
        let (_, top) = scored.best()?;
        let near = scored.scores.iter().take_while(|(_, score)| *score >= top - policy.probe_window);
        let shown = near.take(policy.probes_max).filter_map(|(slot, score)| {
            let evidence = scored.sample.evidence.get(slot).copied()?;
            Some((fitted.strength(*score, Some(evidence)), *score, evidence))
        });
        let (_, score, evidence) = shown.max_by(|a, b| a.0.total_cmp(&b.0))?;
        let (near, wording) = fitted.filled_in.fill(score, Some(evidence));
        #[expect(clippy::cast_precision_loss, reason = "at most some hundreds")]
        let terms = (scored.seen.terms as f32).ln_1p();
        let features =
            [near, wording.covered, wording.titled, wording.familiar, scored.seen.background, terms, 1.0];
        Some((features.map(f64::from), scored.sample.right.is_some()))
    };
    let rows: Vec<_> = scored.iter().filter_map(row).collect();
    let [nearness, covered, titled, familiar, background, terms, offset] = logistic(&rows)?;
    let [nearness, covered, titled, familiar, background, terms, offset] =
        narrow([nearness, covered, titled, familiar, background, terms, offset + shift]);
    Ok(ByEvidence { nearness, covered, titled, familiar, background, terms, offset })
}

/// A sample as it would be routed.
struct Judged<'a> {
    kind: &'a str,
    /// That somebody covers it.
    confidence: f32,
    /// 1 less the probability of the right one; `None` where nobody is.
    miss: Option<f64>,
}

impl<'a> Judged<'a> {
    fn new(scored: &Scored<'a>, policy: &Policy, fitted: &Calibration) -> Self {
        let probed = doubtful(policy, fitted, scored.seen, &scored.scores);
        let judge = |(slot, score): &(Slot, f32)| {
            let evidence = scored.sample.evidence.get(slot).filter(|_| probed.contains(slot)).copied();
            (*slot, fitted.strength(*score, evidence), fitted.confidence(scored.seen, *score, evidence))
        };
        let judged: Vec<(Slot, f32, f32)> = scored.scores.iter().map(judge).collect();
        let best = judged.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        let largest = best.map_or(0.0, |best| best.1);
        let confidence = judged.iter().map(|one| one.2).fold(0.0, f32::max);
        let total: f64 = judged.iter().map(|one| f64::from(one.1 - largest).exp()).sum();
        let share = |right: Slot| {
            let own = judged.iter().find(|one| one.0 == right);
            own.map_or(0.0, |own| f64::from(own.1 - largest).exp() / total)
        };
        let miss = scored.sample.right.map(|right| 1.0 - share(right));
        Self { kind: &scored.sample.kind, confidence, miss }
    }
}

/// One half makes the fewest errors, for calibrated numbers; less where it would refuse too much of a kind of
/// question.
fn confidence_min(judged: &[Judged]) -> f32 {
    let mut kinds: BTreeMap<&str, Vec<f32>> = BTreeMap::new();
    for judged in judged.iter().filter(|judged| judged.miss.is_some()) {
        kinds.entry(judged.kind).or_default().push(judged.confidence);
    }
    let keeps = |mut confidences: Vec<f32>| {
        confidences.sort_by(f32::total_cmp);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rank among few questions"
        )]
        let refused = (confidences.len() as f64 * (1.0 - KIND_ACCEPTED_MIN)) as usize;
        confidences[refused]
    };
    let watched = kinds.into_values().filter(|confidences| confidences.len() >= KIND_MIN);
    watched.map(keeps).fold(0.5, f32::min)
}

/// The finite-sample quantile of `misses` at level `1 - alpha` (Vovk, Gammerman & Shafer 2005).
fn conformal_quantile(mut misses: Vec<f64>, alpha: f64) -> f32 {
    misses.sort_by(f64::total_cmp);
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a rank among few questions"
    )]
    let rank = ((misses.len() + 1) as f64 * (1.0 - alpha)).ceil() as usize;
    let quantile = misses.get(rank.saturating_sub(1)).or(misses.last()).copied().unwrap_or(1.0);
    let [quantile] = narrow([quantile]);
    quantile
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_quantile_leaves_alpha_out() {
        let misses: Vec<f64> = (1..=100).map(|n| f64::from(n) / 100.0).collect();
        assert!((conformal_quantile(misses, 0.1) - 0.91).abs() < 1e-6);
        assert!((conformal_quantile(vec![0.3], 0.1) - 0.3).abs() < 1e-6);
    }

    #[test]
    fn the_threshold_refuses_no_kind() {
        let judged = |kind: &'static str, confidence: f32| Judged { kind, confidence, miss: Some(0.0) };
        let many = |kind, confidence| (0..KIND_MIN).map(move |_| judged(kind, confidence));
        let threshold = |judged: Vec<Judged>| confidence_min(&judged);
        assert!((threshold(many("easy", 0.9).collect()) - 0.5).abs() < 1e-6);
        assert!((threshold(many("easy", 0.9).chain(many("short", 0.3)).collect()) - 0.3).abs() < 1e-6);
        let rare = many("easy", 0.9).chain([judged("rare", 0.1)]);
        assert!((threshold(rare.collect()) - 0.5).abs() < 1e-6);
    }
}
