use proto::wire::{Call, ReceiptDecision, ReceiptSpan, Verbatim};
use store::ReceiptRow;

use super::*;

/// A turn whose candidates are `(id, has a score, status)`, best first, in which `calls` were asked, and whose
/// answer has the words of those at these places among them.
fn receipt(candidates: &[(&str, bool, CandidateStatus)], calls: &[&str], words: &[u32]) -> Receipt {
    let candidate = |(id, scored, status): &(&str, bool, CandidateStatus)| ReceiptCandidate {
        specialist_id: (*id).to_owned(),
        score_e6: scored.then_some(1),
        status: (*status).into(),
        ..Default::default()
    };
    let verdict = if calls.is_empty() { Verdict::Abstain } else { Verdict::Ask };
    let span = |call: &u32| ReceiptSpan {
        length_bytes: 1,
        origin: Some(Origin::Verbatim(Verbatim { call: *call, ..Default::default() })),
    };
    Receipt {
        decision: Some(ReceiptDecision {
            verdict: verdict.into(),
            candidates: candidates.iter().map(candidate).collect(),
            ..Default::default()
        }),
        calls: calls
            .iter()
            .map(|id| Call { specialist_id: (*id).to_owned(), ..Default::default() })
            .collect(),
        spans: words.iter().map(span).collect(),
        ..Default::default()
    }
}

fn tally(receipts: &[Receipt]) -> Tally {
    let mut tally = Tally::default();
    tally.count(receipts, 1);
    tally
}

fn pair(tally: &Tally, winner: &str, other: &str) -> (i64, i64) {
    let pair = tally.pairs.get(&(winner.to_owned(), other.to_owned())).copied().unwrap_or_default();
    (pair.asked, pair.second)
}

#[test]
fn who_speaks_first_and_to_the_end_wins() {
    use CandidateStatus::{Answered, BelowThreshold, Failed};
    let both = [("a", true, Answered), ("b", true, Answered), ("c", true, BelowThreshold)];
    let broken = [("a", true, Failed), ("b", true, Answered), ("c", false, BelowThreshold)];
    let tally = tally(&[receipt(&both, &["a", "b"], &[0, 1]), receipt(&broken, &["a", "b"], &[0, 1])]);
    assert_eq!((tally.turns, tally.asked, tally.abstained), (2, 2, 0));
    let a = Counts { considered: 2, asked: 2, answered: 1, failed: 1, won: 1, ..Default::default() };
    assert_eq!(tally.specialists["a"], a, "what it said before it broke off wins nothing");
    assert_eq!((tally.specialists["b"].won, tally.specialists["c"].asked), (1, 0));
    assert_eq!(tally.specialists["c"].considered, 1);
    assert_eq!((pair(&tally, "a", "b"), pair(&tally, "b", "a")), ((1, 1), (1, 1)));
    assert_eq!((pair(&tally, "a", "c"), pair(&tally, "b", "c")), ((0, 0), (0, 0)));
}

#[test]
fn nobody_wins_an_abstention_or_an_answer_that_nobody_gave() {
    use CandidateStatus::{Asked, BelowThreshold, NoAnswer};
    let far = receipt(&[("a", true, BelowThreshold)], &[], &[]);
    let mute = receipt(&[("a", true, NoAnswer)], &["a"], &[]);
    let left = receipt(&[("a", true, Asked)], &["a"], &[0]);
    let tally = tally(&[far, mute, left]);
    assert_eq!((tally.turns, tally.asked, tally.abstained), (3, 2, 1));
    let a = Counts { considered: 3, asked: 2, no_answer: 1, ..Default::default() };
    assert_eq!((tally.specialists["a"], tally.pairs.len()), (a, 0));
}

#[test]
fn whoever_is_left_out_is_no_second() {
    use CandidateStatus::{Answered, Excluded, Outranked};
    let turn = [("a", true, Excluded), ("b", true, Answered), ("c", true, Outranked)];
    let tally = tally(&[receipt(&turn, &["b"], &[0])]);
    assert_eq!((pair(&tally, "b", "a"), pair(&tally, "b", "c")), ((0, 0), (0, 1)));
}

#[tokio::test]
async fn a_window_that_moved_counts_as_one_that_began_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("router.db")).await.unwrap();
    let ids: Vec<String> = (0..7).map(|id| format!("s{id}")).collect();
    let row = |turn: usize| {
        let (a, b) = (ids[turn % 7].as_str(), ids[turn / 40].as_str());
        let asked = [(a, true, CandidateStatus::Answered), (b, a == b, CandidateStatus::Timeout)];
        ReceiptRow {
            request_id: format!("r{turn}"),
            payload: receipt(&asked, &[a, b], &[0]).encode_to_vec(),
            signature: vec![0; 64],
            leaf_salt: vec![0; 32],
            leaf: vec![0; 73],
            capability_sha256: vec![0; 32],
            sealed: None,
        }
    };
    let rows: Vec<ReceiptRow> = (0..280).map(row).collect();
    store.put_receipts(0, &rows).await.unwrap();
    let mut moved = Window::default();
    for written in [1, 90, 130, 131, 280] {
        moved.follow(&store, written, 100).await.unwrap();
    }
    let mut late = Window::default();
    late.follow(&store, 280, 100).await.unwrap();
    assert_eq!(moved.tally, late.tally);
    assert_eq!((late.tally.turns, late.tally.specialists.contains_key("s0")), (100, true));
    // Only turns before the window asked it beside others.
    assert!(!late.tally.pairs.keys().any(|(_, other)| other == "s1"), "{:?}", late.tally.pairs);
}
