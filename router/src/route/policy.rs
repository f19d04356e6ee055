//! What an operator decides about routing.

use proto::SpecialistId;
use serde::{Deserialize, Serialize};

use super::Language;

/// What an operator decides about routing. The numbers that were fitted are a
/// [`Calibration`](super::Calibration).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Policy {
    /// The most specialists asked at once.
    pub specialists_max: usize,
    /// How many of the nearest prototypes are scored: 50 or more.
    pub hits_max: usize,
    /// The most specialists whose index is probed for one question; 0: none, the prototypes decide alone.
    pub probes_max: usize,
    /// Whoever's score is at most so much less than the best one's is in doubt. Cosine units, from 0.
    pub probe_window: f32,
    /// Milliseconds for a probe; whoever is later is judged by its prototypes.
    pub probe_ms: u64,
    /// Who is asked what nobody covers, if anybody. It takes no part in any other decision, so nobody
    /// loses a question to it.
    pub general: Option<SpecialistId>,
    /// What the encoder covers: whose question nobody covers and is in another language is told so. Empty:
    /// every language.
    pub languages: Vec<Language>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            specialists_max: 3,
            hits_max: 256,
            probes_max: 16,
            probe_window: 0.2,
            probe_ms: 50,
            general: None,
            languages: vec![Language::ENGLISH],
        }
    }
}

impl Policy {
    /// Whether every number is in its range; if not, which is not.
    pub fn check(&self) -> Result<(), &'static str> {
        let Self {
            specialists_max,
            hits_max,
            probes_max: _,
            probe_window,
            probe_ms,
            general: _,
            languages: _,
        } = self;
        if *specialists_max == 0 {
            return Err("route.specialists_max must be at least 1");
        }
        if *hits_max == 0 {
            return Err("route.hits_max must be at least 1");
        }
        if !(0.0..=2.0).contains(probe_window) {
            return Err("route.probe_window must lie between 0 and 2");
        }
        if *probe_ms == 0 {
            return Err("route.probe_ms must be at least 1: to probe nobody, set route.probes_max to 0");
        }
        Ok(())
    }
}
