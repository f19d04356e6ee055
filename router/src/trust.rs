//! Claims held to what was cited: whoever shows more in probes than its answers bear out is believed less.
//!
//! A probe's evidence cannot be checked when it comes. But whoever is asked cites passages, and these the
//! router can measure itself. What a specialist claimed beyond them, on average over its answers, is taken
//! off its later claims.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use embedding::Embedder;
use proto::{Evidence, Passage, SpecialistId, Terms, UnitVector, Wording, answer::heading};
use tokio::sync::mpsc;

use crate::cited;

/// Claims that wait to be checked; more are let go.
const CLAIMS_MAX: usize = 256;

/// The most passages of an answer that are measured, the first ones.
pub const PASSAGES_MAX: usize = 3;

/// A claim may exceed what is cited by so much: the best passage for an answer need not be the nearest one,
/// and weights of words differ from corpus to corpus.
const NEARNESS_SLACK: f32 = 0.1;
const WORDING_SLACK: f32 = 0.3;

/// What the latest answer weighs in the average.
const RATE: f32 = 0.1;

/// What a specialist showed before it was asked, and what it cited then.
#[derive(Debug)]
pub struct Claim {
    /// Who.
    pub specialist: SpecialistId,
    /// Where the question lies.
    pub question: UnitVector,
    /// Its terms.
    pub terms: Terms,
    /// What was claimed.
    pub evidence: Evidence,
    /// What was cited: 1 to [`PASSAGES_MAX`].
    pub passages: Vec<Passage>,
    /// How much of where these lie is their headings': 0 to 1, by its card.
    pub title_share: f32,
}

/// How far each specialist's claims have exceeded what it cited.
#[derive(Debug)]
pub struct Trust {
    claims: mpsc::Sender<Claim>,
    excess: Mutex<HashMap<SpecialistId, f32>>,
}

impl Trust {
    /// Everybody is believed at first. The receiver is for [`check`].
    pub fn new() -> (Arc<Self>, mpsc::Receiver<Claim>) {
        let (claims, received) = mpsc::channel(CLAIMS_MAX);
        (Arc::new(Self { claims, excess: Mutex::default() }), received)
    }

    /// Has a claim checked when there is time.
    pub fn claim(&self, claim: Claim) {
        // Where too many wait, later ones will tell.
        let _ = self.claims.try_send(claim);
    }

    /// What `specialist` shows, as far as it is believed.
    pub fn believed(&self, specialist: &SpecialistId, evidence: Evidence) -> Evidence {
        let excess = self.excess().get(specialist).copied().unwrap_or_default();
        less(evidence, excess)
    }

    /// By how much the claims of each exceed what it cites, on average: 0 to 1. For metrics.
    pub fn excesses(&self) -> BTreeMap<SpecialistId, f32> {
        self.excess().iter().map(|(id, excess)| (id.clone(), *excess)).collect()
    }

    fn record(&self, specialist: SpecialistId, excess: f32) {
        let mut excesses = self.excess();
        let mean = excesses.entry(specialist).or_default();
        *mean += RATE * (excess - *mean);
    }

    fn excess(&self) -> MutexGuard<'_, HashMap<SpecialistId, f32>> {
        self.excess.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Checks claims as they come, until the router is `stopping`; passages are embedded behind all questions.
pub async fn check(
    trust: Arc<Trust>,
    mut claims: mpsc::Receiver<Claim>,
    embedder: Embedder,
    stopping: impl Future<Output = ()>,
) {
    tokio::pin!(stopping);
    loop {
        let claim = tokio::select! {
            claim = claims.recv() => claim,
            () = &mut stopping => return,
        };
        let Some(claim) = claim else { return };
        let cited: Vec<(&Passage, f32)> =
            claim.passages.iter().map(|passage| (passage, claim.title_share)).collect();
        // Without the encoder nothing is known of it.
        let Ok(cosines) = cited::cosines(&embedder, &claim.question, &cited).await else { continue };
        let nearest = cosines.into_iter().fold(f32::NEG_INFINITY, f32::max);
        let excess = excess(&claim.evidence, nearest, &claim.terms, &claim.passages);
        trust.record(claim.specialist, excess);
    }
}

/// By how much `claimed` exceeds what `passages` show of a question with `terms`, of which the nearest has
/// cosine `nearest`; 0 where it does not.
fn excess(claimed: &Evidence, nearest: f32, terms: &Terms, passages: &[Passage]) -> f32 {
    let near = claimed.nearness - nearest - NEARNESS_SLACK;
    let largest = |of: &dyn Fn(&Passage) -> f32| passages.iter().map(of).fold(0.0, f32::max);
    let wording = claimed.wording.map_or(0.0, |Wording { covered, titled, .. }| {
        let shown = largest(&|passage| shared(terms, &Terms::of(&passage.titled()), false));
        let title = largest(&|passage| {
            shared(terms, &Terms::of(&heading(&passage.title, &passage.section, None)), true)
        });
        (covered - shown).max(titled - title) - WORDING_SLACK
    });
    near.max(wording).clamp(0.0, 1.0)
}

/// The share of `terms` that stands in `text`; where `both`, of the terms of both together.
#[expect(clippy::cast_precision_loss, reason = "counts of terms")]
fn shared(terms: &Terms, text: &Terms, both: bool) -> f32 {
    let common = terms.hashes().iter().filter(|term| text.hashes().binary_search(term).is_ok()).count();
    let whole = terms.hashes().len() + if both { text.hashes().len() - common } else { 0 };
    common as f32 / whole.max(1) as f32
}

/// `evidence` with `excess` taken off each claim.
fn less(evidence: Evidence, excess: f32) -> Evidence {
    let Evidence { nearness, wording } = evidence;
    let wording = wording.map(|wording| Wording {
        covered: (wording.covered - excess).max(0.0),
        titled: (wording.titled - excess).max(0.0),
        ..wording
    });
    Evidence { nearness: (nearness - excess).max(-1.0), wording }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn passage(title: &str, text: &str) -> Passage {
        Passage {
            id: "1".into(),
            title: title.into(),
            text: text.into(),
            url: String::new(),
            license: String::new(),
            section: String::new(),
            page: None,
            similarity: 0.0,
        }
    }

    fn claims(nearness: f32, covered: f32, titled: f32) -> Evidence {
        Evidence { nearness, wording: Some(Wording { covered, titled, familiar: -3.0 }) }
    }

    #[test]
    fn an_honest_claim_exceeds_nothing() {
        let terms = Terms::of("red dust of Mars");
        let cited = [passage("Mars", "Its dust is red."), passage("Moon", "It is grey.")];
        assert!(excess(&claims(0.6, 1.0, 0.33), 0.62, &terms, &cited).abs() < 1e-6);
        // The best passage for an answer need not be the nearest.
        assert!(excess(&claims(0.6, 0.9, 0.3), 0.52, &terms, &cited).abs() < 1e-6);
    }

    #[test]
    fn what_is_claimed_and_not_cited_is_an_excess() {
        let terms = Terms::of("red dust of Mars");
        let cited = [passage("Bread", "Rye rises slowly.")];
        let close = |value: f32, expected: f32| assert!((value - expected).abs() < 1e-6, "{value}");
        close(excess(&claims(0.9, 0.0, 0.0), 0.2, &terms, &cited), 0.6);
        close(excess(&claims(0.2, 1.0, 0.0), 0.2, &terms, &cited), 0.7);
        close(excess(&claims(0.2, 0.0, 1.0), 0.2, &terms, &cited), 0.7);
    }

    #[test]
    fn who_exaggerates_is_believed_less_and_less_until_it_stops() {
        let (trust, _claims) = Trust::new();
        let id: SpecialistId = "boaster".parse().unwrap();
        let believed = || trust.believed(&id, claims(0.9, 0.9, 0.9)).nearness;
        let mut before = believed();
        assert!((before - 0.9).abs() < 1e-6);
        for _ in 0..20 {
            trust.record(id.clone(), 0.6);
            let now = believed();
            assert!(now < before, "{now}");
            before = now;
        }
        assert!(before < 0.4, "{before}");
        (0..50).for_each(|_| trust.record(id.clone(), 0.0));
        assert!(believed() > 0.89);
    }
}
