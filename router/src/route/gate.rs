//! Whether a question is to be routed together with what the user said before it: a follow-up ("and for
//! infants?") says too little by itself, and whoever has changed the subject would be drawn back by it.
//!
//! A gate in three steps. Whoever is clearly ahead for the question alone needs no help; otherwise the
//! earlier turns count where the question lies near them; otherwise where its words point back. The
//! numbers were chosen with all-MiniLM-L6-v2 on MTRAG (Katsis et al. 2025), whose conversations are in
//! English; `cargo eval turns --data mtrag DIR` chooses the two of [`Gate`] again, and measures what they
//! achieve on conversations that they were not chosen on.

use index::Hit;
use proto::UnitVector;
use registry::PrototypeKey;

use super::score;

/// So many of the user's earlier turns count, the last ones.
pub const TURNS_MAX: usize = 8;

/// So many bytes of an earlier turn count, its first ones: more than an encoder reads of a text.
pub const TURN_BYTES_MAX: usize = 4_096;

/// So many of the prototypes nearest to the question are scored for the margin.
pub const HITS_MAX: usize = 64;

/// Softness of the scores whose margin is taken. Cosine units.
const TEMPERATURE: f32 = 0.08;

/// A question whose words point back must be at least this near to the earlier turns.
const COSINE_MIN_BY_WORDS: f32 = 0.0;

/// A question of at most so many words is taken to point back.
const WORDS_MAX: usize = 4;

/// What an earlier turn weighs of what the next one does.
const DECAY: f32 = 0.9;

/// Words that point back.
const ANAPHORIC: [&str; 25] = [
    "it", "its", "they", "them", "their", "this", "that", "these", "those", "he", "she", "his", "her", "him",
    "one", "ones", "there", "such", "same", "another", "other", "else", "also", "too", "instead",
];

/// When earlier turns count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Gate {
    /// Whoever leads by this much for the question alone leads clearly. Cosine units.
    pub margin_min: f32,
    /// A question this near to the earlier turns follows them: a cosine.
    pub cosine_min: f32,
}

impl Default for Gate {
    /// Those that the router goes by.
    fn default() -> Self {
        Self { margin_min: 0.12, cosine_min: 0.15 }
    }
}

/// What the gate says of a question, and what it saw.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct History {
    /// Whether earlier turns count, and why.
    pub reason: HistoryReason,
    /// Cosine of the question with the earlier turns, -1 to 1; `None` where they were not looked at.
    pub cosine: Option<f32>,
    /// By how much the best specialist leads for the question alone, in cosine units; `None` where there
    /// was no earlier turn, or no second specialist.
    pub margin: Option<f32>,
}

/// Why earlier turns count, or do not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryReason {
    /// There is none.
    NoEarlierTurn,
    /// The question alone says clearly whom it is for.
    ClearAlone,
    /// The question is about something else.
    Unrelated,
    /// The question fills the encoder.
    NoRoom,
    /// The question is about the same.
    FollowsByCosine,
    /// The question is short or points back, and nothing speaks against it.
    FollowsByWords,
}

impl History {
    /// That of a conversation's first turn.
    pub const NONE: Self = Self { reason: HistoryReason::NoEarlierTurn, cosine: None, margin: None };

    /// Whether the question is routed together with the earlier turns.
    pub fn used(&self) -> bool {
        match self.reason {
            HistoryReason::FollowsByCosine | HistoryReason::FollowsByWords => true,
            HistoryReason::NoEarlierTurn
            | HistoryReason::ClearAlone
            | HistoryReason::Unrelated
            | HistoryReason::NoRoom => false,
        }
    }
}

/// By how much the best specialist leads the second, where `hits` are the prototypes nearest to the
/// question, best first, and at most `hits_max`; in cosine units. `None` where there is no second one.
pub fn margin(hits: &[Hit<PrototypeKey>], hits_max: usize) -> Option<f32> {
    let mut scores: Vec<f32> = score(hits, TEMPERATURE).into_values().collect();
    scores.sort_by(|a, b| b.total_cmp(a));
    match scores.as_slice() {
        [best, second, ..] => Some(best - second),
        // The second one's nearest prototype is farther than all of these.
        [best] if hits.len() >= hits_max => hits.last().map(|last| best - last.similarity),
        _ => None,
    }
}

impl Gate {
    /// The verdict of `margin` by itself, where it is so wide that nothing else needs to be known.
    pub fn clear(&self, margin: Option<f32>) -> Option<History> {
        margin.filter(|margin| *margin >= self.margin_min)?;
        Some(History { reason: HistoryReason::ClearAlone, cosine: None, margin })
    }

    /// The verdict on a question that is not clear: it lies at `vector`, and the user's turns before it at
    /// `earlier`, oldest first.
    pub fn follows(
        &self,
        question: &str,
        vector: &UnitVector,
        earlier: &[UnitVector],
        margin: Option<f32>,
    ) -> History {
        // Turns that cancel each other out have no direction to be near to.
        let cosine = decayed_mean(earlier).map_or(0.0, |mean| mean.cosine(vector));
        let reason = if cosine >= self.cosine_min {
            HistoryReason::FollowsByCosine
        } else if cosine >= COSINE_MIN_BY_WORDS && points_back(question) {
            HistoryReason::FollowsByWords
        } else {
            HistoryReason::Unrelated
        };
        History { reason, cosine: Some(cosine), margin }
    }
}

/// The direction of the sum of `earlier`, each weighing [`DECAY`] times what the next one does.
fn decayed_mean(earlier: &[UnitVector]) -> Option<UnitVector> {
    let (first, rest) = earlier.split_first()?;
    let mut sum = first.as_slice().to_vec();
    for vector in rest {
        for (sum, value) in sum.iter_mut().zip(vector.as_slice()) {
            *sum = DECAY * *sum + value;
        }
    }
    UnitVector::scale(sum)
}

/// Whether `question` is too short to stand alone, or has a word that points back.
fn points_back(question: &str) -> bool {
    let lower = question.to_lowercase();
    let split = |c: char| !(c.is_alphanumeric() || c == '\'');
    let words: Vec<&str> = lower.split(split).filter(|word| !word.is_empty()).collect();
    words.len() <= WORDS_MAX || words.iter().any(|word| ANAPHORIC.contains(word))
}

#[cfg(test)]
mod tests;
