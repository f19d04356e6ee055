//! The numbers that routing follows.

use proto::SpecialistId;
use serde::Deserialize;

/// The numbers that routing follows. `router fit` prints `confidence_min` and `miss_max` for an
/// encoder; the defaults were fitted with all-MiniLM-L6-v2 on CLINC150's training questions.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// Softness T of the maximum over a specialist's prototypes, in cosine units: above 0.
    pub temperature: f32,
    /// Share of the background's score that is taken off the best score: 0 to 1.
    pub background_weight: f32,
    /// Confidence below this is "nobody covers the question". Cosine units.
    pub confidence_min: f32,
    /// Whoever's share of the softmax is at least `1 - miss_max` is asked: the conformal quantile,
    /// 0 to 1.
    pub miss_max: f32,
    /// The most specialists asked at once.
    pub specialists_max: usize,
    /// How many of the nearest prototypes are scored: 50 or more.
    pub hits_max: usize,
    /// Who is asked what nobody covers, if anybody. It takes no part in any other decision, so nobody
    /// loses a question to it.
    pub general: Option<SpecialistId>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            temperature: 0.05,
            background_weight: 0.5,
            confidence_min: 0.283,
            miss_max: 0.726,
            specialists_max: 3,
            hits_max: 64,
            general: None,
        }
    }
}

impl Policy {
    /// Whether every number is in its range; if not, which is not.
    pub fn check(&self) -> Result<(), &'static str> {
        let Self {
            temperature,
            background_weight,
            confidence_min,
            miss_max,
            specialists_max,
            hits_max,
            general: _,
        } = self;
        if !(temperature.is_finite() && *temperature > 0.0) {
            return Err("route.temperature must be above 0");
        }
        if !(0.0..=1.0).contains(background_weight) {
            return Err("route.background_weight must lie between 0 and 1");
        }
        if !confidence_min.is_finite() {
            return Err("route.confidence_min must be a number");
        }
        if !(0.0..=1.0).contains(miss_max) {
            return Err("route.miss_max must lie between 0 and 1");
        }
        if *specialists_max == 0 {
            return Err("route.specialists_max must be at least 1");
        }
        if *hits_max == 0 {
            return Err("route.hits_max must be at least 1");
        }
        Ok(())
    }
}
