//! What became of the latest turns, counted from their receipts. Nothing else is kept, so that a router that was
//! started again counts the same; and somebody counts only when somebody asks.

use std::{collections::BTreeMap, sync::Arc};

use prost::Message as _;
use proto::wire::{CandidateStatus, Receipt, ReceiptCandidate, Verdict, receipt_span::Origin};
use store::{Store, StoreError};

/// How many turns are counted at the most: the latest.
pub const TALLY_TURNS_MAX: u64 = 10_000;

/// How many receipts are read from the database at a time: each may list a whole fleet.
const PAGE: u32 = 64;

/// What became of the turns that are counted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tally {
    /// How many they are.
    pub turns: i64,
    /// Those in which somebody was asked.
    pub asked: i64,
    /// Those in which the router decided that nobody covers the question.
    pub abstained: i64,
    /// What became of each specialist, by id.
    pub specialists: BTreeMap<String, Counts>,
    /// How often the first won a turn, and how the second stood in it.
    pub pairs: BTreeMap<(String, String), Pair>,
}

/// In how many turns something became of a specialist.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// It had a score, or was asked.
    pub considered: i64,
    /// The question went to it.
    pub asked: i64,
    /// It answered to its end.
    pub answered: i64,
    /// It said that its corpus holds no answer.
    pub no_answer: i64,
    /// It said nothing within its time.
    pub timeout: i64,
    /// It broke off or refused.
    pub failed: i64,
    /// Of those who answered to their end, the answer began with its words.
    pub won: i64,
}

/// How one specialist stood in the turns that another won.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pair {
    /// It was asked too.
    pub asked: i64,
    /// It was the best candidate but for the winner.
    pub second: i64,
}

impl Tally {
    /// Counts the turns with these receipts, or takes them back: `by` is 1 or -1.
    fn count(&mut self, receipts: &[Receipt], by: i64) {
        for receipt in receipts {
            self.count_one(receipt, by);
        }
        self.specialists.retain(|_, counts| *counts != Counts::default());
        self.pairs.retain(|_, pair| *pair != Pair::default());
    }

    fn count_one(&mut self, receipt: &Receipt, by: i64) {
        self.turns += by;
        let Some(decision) = &receipt.decision else { return };
        self.asked += if receipt.calls.is_empty() { 0 } else { by };
        self.abstained += if decision.verdict() == Verdict::Abstain { by } else { 0 };
        let asked = |id: &str| receipt.calls.iter().any(|call| call.specialist_id == id);
        let winner = winner(receipt);
        for candidate in &decision.candidates {
            let id = candidate.specialist_id.as_str();
            if candidate.score_e6.is_some() || asked(id) {
                let counts = self.specialists.entry(id.to_owned()).or_default();
                counts.count(candidate, asked(id), by);
                counts.won += if winner == Some(id) { by } else { 0 };
            }
        }
        let Some(winner) = winner else { return };
        let pair = |other: &str| (winner.to_owned(), other.to_owned());
        for call in receipt.calls.iter().filter(|call| call.specialist_id != winner) {
            self.pairs.entry(pair(&call.specialist_id)).or_default().asked += by;
        }
        let mut others = decision.candidates.iter().filter(|other| other.specialist_id != winner);
        if let Some(second) = others.find(|other| takes_part(other)) {
            self.pairs.entry(pair(&second.specialist_id)).or_default().second += by;
        }
    }
}

impl Counts {
    fn count(&mut self, candidate: &ReceiptCandidate, asked: bool, by: i64) {
        self.considered += by;
        if !asked {
            return;
        }
        self.asked += by;
        match candidate.status() {
            CandidateStatus::Answered => self.answered += by,
            CandidateStatus::NoAnswer => self.no_answer += by,
            CandidateStatus::Timeout => self.timeout += by,
            CandidateStatus::Failed => self.failed += by,
            // Its reader left first.
            _ => {}
        }
    }
}

fn takes_part(candidate: &ReceiptCandidate) -> bool {
    let out = matches!(candidate.status(), CandidateStatus::Disabled | CandidateStatus::Excluded);
    candidate.score_e6.is_some() && !out
}

/// Whose words come first, of those who answered to their end.
fn winner(receipt: &Receipt) -> Option<&str> {
    let candidates = || receipt.decision.iter().flat_map(|decision| &decision.candidates);
    let answered = |id: &str| {
        candidates().any(|one| one.specialist_id == id && one.status() == CandidateStatus::Answered)
    };
    let speakers = receipt.spans.iter().filter_map(|span| match &span.origin {
        Some(Origin::Verbatim(words)) => receipt.calls.get(words.call as usize),
        _ => None,
    });
    speakers.map(|call| call.specialist_id.as_str()).find(|id| answered(id))
}

/// The latest turns, as far as they are counted: those of the receipts from one place up to another.
#[derive(Debug, Default)]
pub(super) struct Window {
    from: u64,
    to: u64,
    tally: Arc<Tally>,
}

impl Window {
    /// What became of the latest of the `written` turns in `store`, [`TALLY_TURNS_MAX`] at the most.
    pub(super) async fn tally(&mut self, store: &Store, written: u64) -> Result<Arc<Tally>, StoreError> {
        self.follow(store, written, TALLY_TURNS_MAX).await?;
        Ok(self.tally.clone())
    }

    /// Between two reads everything stands as it was counted, so that a reader may leave at any time.
    async fn follow(&mut self, store: &Store, written: u64, turns_max: u64) -> Result<(), StoreError> {
        let start = written.saturating_sub(turns_max);
        if start >= self.to {
            *self = Self { from: start, to: start, tally: Arc::default() };
        }
        while self.to < written {
            let receipts = page(store, self.to, written).await?;
            Arc::make_mut(&mut self.tally).count(&receipts, 1);
            self.to = written.min(self.to + u64::from(PAGE));
        }
        while self.from < start {
            let receipts = page(store, self.from, start).await?;
            Arc::make_mut(&mut self.tally).count(&receipts, -1);
            self.from = start.min(self.from + u64::from(PAGE));
        }
        Ok(())
    }
}

/// The receipts from `place` on, but none from `end` on. What cannot be read counts for nothing.
async fn page(store: &Store, place: u64, end: u64) -> Result<Vec<Receipt>, StoreError> {
    let count = u32::try_from(end - place).unwrap_or(PAGE).min(PAGE);
    let payloads = store.receipt_payloads(place, count).await?;
    Ok(payloads.iter().filter_map(|payload| Receipt::decode(payload.as_slice()).ok()).collect())
}

#[cfg(test)]
mod tests;
