//! The numbers that were fitted on questions with known answers, and what they were fitted on.

use std::collections::BTreeMap;

use proto::{Evidence, SpecialistId, Wording};
use serde::{Deserialize, Serialize};

/// The most that readers' thumbs move a specialist, in log-odds either way: enough to decide between two that are
/// about as likely, too little to take a clear question from its owner.
pub const OFFSET_MAX: f32 = 0.5;

/// The numbers that turn what is seen of a question into probabilities. `router calibrate` fits them to a
/// fleet; the defaults are what it printed for all-MiniLM-L6-v2 and fifteen public corpora, and a decision
/// that was made with them says "uncalibrated".
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Calibration {
    /// Softness T of the maximum over a specialist's prototypes, in cosine units: above 0.
    pub temperature: f32,
    /// Confidence below this is "nobody covers the question": 0 to 1.
    pub confidence_min: f32,
    /// Whoever's share of the softmax over strengths is at least `1 - miss_max` is asked: the conformal
    /// quantile, 0 to 1.
    pub miss_max: f32,
    /// Confidence in whoever was not probed.
    pub by_prototypes: ByPrototypes,
    /// Confidence in whoever was.
    pub by_evidence: ByEvidence,
    /// How strongly each kind of evidence speaks for one specialist rather than another.
    pub strength: Strength,
    /// What is put in the place of evidence that is missing.
    pub filled_in: FilledIn,
    /// What readers' thumbs add to the strength of a specialist, as `router learn` fitted it: log-odds, at most
    /// [`OFFSET_MAX`] either way, nothing for whoever is not named.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub offsets: BTreeMap<SpecialistId, f32>,
    /// What the numbers were fitted on; absent for the defaults.
    pub fitted: Option<Fitted>,
}

/// Confidence is the logistic function of `slope * (score - background_weight * background) + offset`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByPrototypes {
    /// How fast confidence grows, for 1 of cosine.
    pub slope: f32,
    /// Share of the background's score that is taken off.
    pub background_weight: f32,
    /// Where it begins.
    pub offset: f32,
}

/// Confidence is the logistic function of the weighted sum of all of these and `offset`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByEvidence {
    /// Of [`Evidence::nearness`].
    pub nearness: f32,
    /// Of [`Wording::covered`].
    pub covered: f32,
    /// Of [`Wording::titled`].
    pub titled: f32,
    /// Of [`Wording::familiar`].
    pub familiar: f32,
    /// Of the background's score.
    pub background: f32,
    /// Of the logarithm of one more than the question's terms.
    pub terms: f32,
    /// Where it begins.
    pub offset: f32,
}

/// A strength is the sum of these, each times its evidence; probabilities are the softmax of strengths.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Strength {
    /// Of [`Evidence::nearness`].
    pub nearness: f32,
    /// Of [`Wording::covered`].
    pub covered: f32,
    /// Of [`Wording::titled`].
    pub titled: f32,
    /// Of [`Wording::familiar`].
    pub familiar: f32,
}

/// Lines along which missing evidence is guessed: nearness from the score of the prototypes, the others
/// from nearness.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FilledIn {
    /// [`Evidence::nearness`], from the score.
    pub nearness: Line,
    /// [`Wording::covered`], from nearness.
    pub covered: Line,
    /// [`Wording::titled`], from nearness.
    pub titled: Line,
    /// [`Wording::familiar`], from nearness.
    pub familiar: Line,
}

/// A straight line.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Line {
    /// At 0.
    pub offset: f32,
    /// For 1 more.
    pub slope: f32,
}

/// What numbers were fitted on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fitted {
    /// The day in UTC, as `2026-11-21`.
    pub date: String,
    /// The assumed share of questions that nobody covers, as it was given: between 0 and 1.
    pub prior: String,
    /// Questions that somebody covers.
    pub questions: usize,
    /// Questions that nobody covers.
    pub outside: usize,
    /// SHA-256 of the questions, file by file, in hexadecimal.
    pub questions_sha256: String,
    /// SHA-256 of the fleet: ids, cards' digests and prototypes.
    pub fleet_sha256: String,
    /// SHA-256 of the encoder's weights: with another encoder the numbers mean nothing.
    pub weights_sha256: String,
}

/// What is seen of the question itself, whoever is asked.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Seen {
    /// The background's score, in cosine units.
    pub background: f32,
    /// How many terms the question has.
    pub terms: usize,
}

impl Calibration {
    /// The probability that a specialist covers the question, given the score of its prototypes and what
    /// its index showed: 0 to 1.
    pub fn confidence(&self, seen: Seen, score: f32, evidence: Option<Evidence>) -> f32 {
        if evidence.is_none() {
            let ByPrototypes { slope, background_weight, offset } = self.by_prototypes;
            return logistic(slope * (score - background_weight * seen.background) + offset);
        }
        let ByEvidence { nearness, covered, titled, familiar, background, terms, offset } = self.by_evidence;
        let (near, wording) = self.filled_in.fill(score, evidence);
        #[expect(clippy::cast_precision_loss, reason = "at most some hundreds")]
        let many = (seen.terms as f32).ln_1p();
        logistic(
            nearness * near
                + covered * wording.covered
                + titled * wording.titled
                + familiar * wording.familiar
                + background * seen.background
                + terms * many
                + offset,
        )
    }

    /// How strongly it is spoken for: the logarithm of its share of the softmax, up to a constant.
    pub fn strength(&self, score: f32, evidence: Option<Evidence>) -> f32 {
        let Strength { nearness, covered, titled, familiar } = self.strength;
        let (near, wording) = self.filled_in.fill(score, evidence);
        nearness * near + covered * wording.covered + titled * wording.titled + familiar * wording.familiar
    }

    /// What is added to the strength of `id`. Its confidence has no such part: thumbs say who is preferred of
    /// those who may cover a question, never whether anybody does.
    pub fn offset(&self, id: &SpecialistId) -> f32 {
        self.offsets.get(id).copied().unwrap_or_default()
    }

    /// Whether every number is one, and in its range; if not, which is not.
    pub fn check(&self) -> Result<(), &'static str> {
        if !(self.temperature.is_finite() && self.temperature > 0.0) {
            return Err("temperature must be above 0");
        }
        if !(0.0..=1.0).contains(&self.confidence_min) {
            return Err("confidence_min must lie between 0 and 1");
        }
        if !(0.0..=1.0).contains(&self.miss_max) {
            return Err("miss_max must lie between 0 and 1");
        }
        if !self.offsets.values().all(|offset| offset.abs() <= OFFSET_MAX) {
            return Err("every offset must lie between -0.5 and 0.5");
        }
        let FilledIn { nearness, covered, titled, familiar } = self.filled_in;
        let lines = [nearness, covered, titled, familiar];
        let ByPrototypes { slope, background_weight, offset } = self.by_prototypes;
        let ByEvidence { nearness, covered, titled, familiar, background, terms, offset: from } =
            self.by_evidence;
        let Strength { nearness: n, covered: c, titled: t, familiar: f } = self.strength;
        let numbers = [slope, background_weight, offset, nearness, covered, titled, familiar, background];
        let mut numbers = numbers.into_iter().chain([terms, from, n, c, t, f]);
        let lines = lines.iter().flat_map(|line| [line.offset, line.slope]);
        if !numbers.by_ref().chain(lines).all(f32::is_finite) {
            return Err("every number must be finite");
        }
        Ok(())
    }
}

impl FilledIn {
    /// Nearness and wording, with what is missing guessed from what is there.
    pub fn fill(&self, score: f32, evidence: Option<Evidence>) -> (f32, Wording) {
        let near = evidence.map_or_else(|| self.nearness.at(score), |evidence| evidence.nearness);
        let guess = || Wording {
            covered: self.covered.at(near),
            titled: self.titled.at(near),
            familiar: self.familiar.at(near),
        };
        (near, evidence.and_then(|evidence| evidence.wording).unwrap_or_else(guess))
    }
}

impl Line {
    fn at(self, x: f32) -> f32 {
        self.offset + self.slope * x
    }
}

fn logistic(x: f32) -> f32 {
    1.0 / (1.0 + (-x).exp())
}

impl Default for Calibration {
    fn default() -> Self {
        let line = |offset, slope| Line { offset, slope };
        Self {
            temperature: 0.03,
            confidence_min: 0.5,
            miss_max: 0.969,
            by_prototypes: ByPrototypes { slope: 19.4, background_weight: 0.364, offset: -5.25 },
            by_evidence: ByEvidence {
                nearness: 16.2,
                covered: 3.01,
                titled: 2.88,
                familiar: -0.272,
                background: -6.0,
                terms: 1.93,
                offset: -10.8,
            },
            strength: Strength { nearness: 12.6, covered: 5.52, titled: 6.46, familiar: 0.864 },
            filled_in: FilledIn {
                nearness: line(0.0129, 0.937),
                covered: line(0.0792, 0.923),
                titled: line(-0.196, 0.904),
                familiar: line(-5.36, 3.18),
            },
            offsets: BTreeMap::new(),
            fitted: None,
        }
    }
}
