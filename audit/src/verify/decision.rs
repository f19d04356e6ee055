//! Whether the decision agrees with who was called, and whether those might be.

use std::collections::HashSet;

use proto::wire::{AskRequest, CandidateStatus, Receipt, ReceiptDecision};

use super::{Failure, Report, calls::Called};

/// Checks the decision of `receipt`, against the asker's wishes where the question is open.
pub(super) fn check(receipt: &Receipt, calls: &[Called<'_>], ask: Option<&AskRequest>, report: &mut Report) {
    let Some(decision) = &receipt.decision else { return };
    let mut ids = HashSet::new();
    let unique = decision.candidates.iter().all(|candidate| ids.insert(&candidate.specialist_id));
    report.demand(unique, Failure::CandidateRepeated, "");
    report.demand(agrees(receipt, decision), Failure::CallsDiffer, "");
    let consent = ask.and_then(|ask| ask.options.as_ref()).map(|options| &options.consent);
    for Called { place, call, registered, .. } in calls {
        let id = &call.specialist_id;
        let candidate = decision.candidates.iter().find(|candidate| candidate.specialist_id == *id);
        if let Some(candidate) = candidate {
            report.demand(candidate.card_sha256 == call.card_sha256, Failure::CandidateCardWrong, place);
        }
        report.demand(decision.seen_by.contains(id), Failure::CallNotAnnounced, place);
        let refused = candidate.is_some_and(|one| one.status() == CandidateStatus::ConsentMissing);
        let asks = registered.is_some_and(|registered| registered.card.asks_consent);
        let agreed = ask.is_none() || consent.is_some_and(|consent| consent.contains(id));
        report.demand(!refused && (!asks || agreed), Failure::CalledWithoutConsent, place);
    }
}

/// Whether everybody was called once who is a candidate with calls, and nobody else.
fn agrees(receipt: &Receipt, decision: &ReceiptDecision) -> bool {
    let mut called = HashSet::new();
    let once = receipt.calls.iter().all(|call| called.insert(&call.specialist_id));
    let counted: HashSet<_> =
        decision.candidates.iter().filter(|one| one.calls > 0).map(|one| &one.specialist_id).collect();
    once && called == counted
}
