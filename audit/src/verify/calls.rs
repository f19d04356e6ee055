//! Whether what specialists signed is what the receipt says that they were asked and said.

use proto::wire::{self, Statement, Vouching};

use super::{Failure, Remark, Report, institutions::Registered};
use crate::signed::{self, Kind};

/// A call, and what is known of who was called.
pub(super) struct Called<'a> {
    pub(super) place: String,
    pub(super) call: &'a wire::Call,
    /// What it signed, where that can be read.
    pub(super) statement: Option<Statement>,
    /// The card that it is registered with.
    pub(super) registered: Option<&'a Registered>,
    /// The card that it answered under: the statement's, or that one.
    pub(super) answered: Option<&'a Registered>,
}

/// What each call's specialist signed, where that can be read.
pub(super) fn statements(receipt: &wire::Receipt) -> Vec<Option<Statement>> {
    let read = |call: &wire::Call| signed::canonical(&call.statement.as_ref()?.payload).ok();
    receipt.calls.iter().map(read).collect()
}

/// The digests of the cards that calls and statements name, in the order in which they do.
pub(super) fn named(receipt: &wire::Receipt, statements: &[Option<Statement>]) -> Vec<Vec<u8>> {
    let mut named: Vec<Vec<u8>> = Vec::new();
    for (call, statement) in receipt.calls.iter().zip(statements) {
        let statement = statement.as_ref().map(|statement| &statement.card_sha256);
        for digest in [Some(&call.card_sha256), statement].into_iter().flatten() {
            if !named.contains(digest) {
                named.push(digest.clone());
            }
        }
    }
    named
}

/// Checks all calls.
pub(super) fn check<'a>(
    receipt: &'a wire::Receipt,
    statements: Vec<Option<Statement>>,
    cards: &'a [Registered],
    report: &mut Report,
) -> Vec<Called<'a>> {
    let state = receipt.registry.as_ref().map_or(0, |state| state.size);
    let find = |digest: &[u8]| cards.iter().find(|card| card.digest.as_bytes() == digest);
    let mut calls = Vec::new();
    for (at, (call, statement)) in receipt.calls.iter().zip(statements).enumerate() {
        let place = format!("call {}", at + 1);
        let registered = find(&call.card_sha256);
        if let Some(Registered { card, index, .. }) = registered {
            report.demand(card.specialist_id == call.specialist_id, Failure::CallCardOfAnother, &place);
            report.demand(index.is_none_or(|index| index < state), Failure::CardRegisteredLater, &place);
        }
        vouching(call, registered, &place, report);
        let mut answered = registered;
        if let (Some(signed), Some(registered)) = (&call.statement, registered) {
            let key = &registered.card.public_key;
            let fits = signed::fits(key, Kind::Statement, &signed.payload, &signed.signature);
            report.demand(fits, Failure::StatementSignatureWrong, &place);
        }
        if call.statement.is_some() {
            report.demand(statement.is_some(), Failure::StatementNotCanonical, &place);
        }
        if let Some(statement) = &statement {
            answered = find(&statement.card_sha256);
            says(statement, receipt, call, &place, report);
            if let (Some(registered), Some(answered)) = (registered, answered) {
                under(statement, &registered.card, &answered.card, &place, report);
            }
        }
        calls.push(Called { place, call, statement, registered, answered });
    }
    calls
}

/// Whether there is a statement exactly where there has to be one.
fn vouching(call: &wire::Call, registered: Option<&Registered>, place: &str, report: &mut Report) {
    let vouching = Vouching::try_from(call.vouching).unwrap_or_default();
    let has_key = registered.is_some_and(|registered| !registered.card.public_key.is_empty());
    let has_statement = call.statement.is_some();
    match vouching {
        Vouching::Signed => {
            report.demand(has_statement, Failure::StatementMissing, place);
        }
        Vouching::Unspecified => report.fail(Failure::VouchingWrong, place),
        Vouching::Unsigned => {
            report.demand(!has_key && !has_statement, Failure::VouchingWrong, place);
            report.remark(Remark::UnsignedSpecialist, place);
        }
        Vouching::Unfinished => {
            report.demand(!has_statement, Failure::VouchingWrong, place);
            report.remark(Remark::UnfinishedCall, place);
        }
        Vouching::Refused => {
            report.demand(!has_statement, Failure::VouchingWrong, place);
            report.remark(Remark::RefusedCall, place);
        }
    }
}

/// Whether `statement` says what the receipt says of `call`.
fn says(statement: &Statement, receipt: &wire::Receipt, call: &wire::Call, place: &str, report: &mut Report) {
    report.demand(statement.specialist_id == call.specialist_id, Failure::StatementOfAnother, place);
    report.demand(statement.request_id == receipt.request_id, Failure::StatementRequestIdWrong, place);
    let same = statement.request == call.request
        && statement.answer == call.answer
        && statement.passages == call.passages;
    report.demand(same, Failure::StatementDiffers, place);
    let mut end = 0;
    let cites = |citation: &wire::StatementCitation| {
        let follows =
            citation.answer_start_bytes >= end && citation.answer_start_bytes < citation.answer_end_bytes;
        end = citation.answer_end_bytes;
        let there = (citation.passage as usize) < statement.passages.len();
        follows && there && citation.start_bytes < citation.end_bytes
    };
    report.demand(statement.citations.iter().all(cites), Failure::StatementCitationsWrong, place);
}

/// Whether `statement` was made under `answered`, a card of the specialist that is `registered`.
fn under(
    statement: &Statement,
    registered: &wire::Card,
    answered: &wire::Card,
    place: &str,
    report: &mut Report,
) {
    let same =
        answered.public_key == registered.public_key && answered.specialist_id == registered.specialist_id;
    report.demand(same, Failure::StatementCardWrong, place);
    let corpus = statement.weights_sha256 == answered.weights_sha256
        && statement.data_sha256 == answered.data_sha256
        && statement.passages_root == answered.passages_root
        && statement.passage_count == answered.passage_count;
    report.demand(corpus, Failure::StatementCorpusWrong, place);
}
