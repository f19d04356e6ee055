//! Checking a receipt away from the router that made it: whose signatures it carries, that it is in the log,
//! that specialists were asked what the user asked, and that the answer's words are theirs.
//!
//! Trust comes from outside: no key inside a receipt counts. All that is wrong is looked for, so that one
//! thing hides no other. It opens no connection but to a registry's log that it is given.

mod calls;
mod decision;
mod failure;
mod institutions;
mod log;
mod opening;
mod registry;
mod report;
mod spans;

use proto::wire::Receipt;

use self::{calls::Called, log::Log};
pub use self::{
    failure::{Failure, Remark},
    report::Report,
};
use crate::{
    bundle::{self, Bundle},
    log::{LogError, Reader},
    signed::{self, Kind},
    trust::Trust,
};

/// What the origin of the log of receipts ends with.
const RECEIPTS: &str = "/receipts";

/// Checks the receipt.json in `bytes`; without `trust` as far as that goes without knowing anybody's key.
pub fn verify(bytes: &[u8], trust: Option<&Trust>) -> Report {
    let mut report = Report::default();
    if trust.is_none() {
        report.remark(Remark::SignersUnknown, "");
    }
    match Bundle::read(bytes) {
        Ok(bundle) => receipt(&bundle, trust, &mut report),
        Err(_) => report.fail(Failure::BundleNotCanonical, ""),
    }
    report
}

/// Checks the receipt.json in `bytes`, and holds it to the registry's whole log at `registry`: that shows who was
/// left out, and whose key was revoked. An error where the log cannot be read.
pub fn verify_with(bytes: &[u8], trust: &Trust, registry: &Reader) -> Result<Report, LogError> {
    let mut report = verify(bytes, Some(trust));
    report.remarks.retain(|(remark, _)| *remark != Remark::RevocationsUnchecked);
    if let Ok(bundle) = Bundle::read(bytes)
        && let Ok(receipt) = signed::canonical(&bundle.receipt().payload)
    {
        registry::check(&bundle, &receipt, trust, registry, &mut report)?;
    }
    Ok(report)
}

fn receipt(bundle: &Bundle, trust: Option<&Trust>, report: &mut Report) {
    let signed = bundle.receipt();
    if let Some(key) = trust.map(Trust::receipts) {
        report.demand(bundle.keyid() == hex::encode(key.id()), Failure::ReceiptKeyWrong, "");
        let fits = signed::verify(key.key(), Kind::Receipt, &signed.payload, &signed.signature);
        report.demand(fits.is_ok(), Failure::ReceiptSignatureWrong, "");
    }
    let Ok(receipt) = signed::canonical::<Receipt>(&signed.payload) else {
        report.fail(Failure::ReceiptNotCanonical, "");
        return;
    };
    report.demand(is_complete(&receipt), Failure::ReceiptIncomplete, "");
    let router = trust.and_then(|trust| trust.receipts().name().strip_suffix(RECEIPTS));
    report.demand(router.is_none_or(|router| router == receipt.router), Failure::RouterWrong, "");
    report::receipt(&receipt, trust, report);
    let leaf = bundle::leaf(&bundle.leaf_salt(), &signed, &receipt.router);
    let shown = log::check(bundle.proof(), &leaf, &Log::receipts(trust), "", report);
    report::logged(shown.as_ref(), trust, report);
    let statements = calls::statements(&receipt);
    let named = calls::named(&receipt, &statements);
    let cards = institutions::check(bundle, &receipt, &named, &Log::registry(trust), report);
    let calls = calls::check(&receipt, statements, &cards, report);
    words(bundle, &receipt, &calls, report);
    report.remark(Remark::RevocationsUnchecked, "");
}

/// Checks what was asked and said, as far as it is open.
fn words(bundle: &Bundle, receipt: &Receipt, calls: &[Called<'_>], report: &mut Report) {
    let (mut ask, mut opened) = (None, Vec::new());
    match bundle.opening() {
        Some(opening) => (ask, opened) = opening::check(opening, receipt, calls, report),
        None => report.remark(Remark::OpeningDeleted, ""),
    }
    let text = bundle.opening().map(|opening| opening.text.as_str());
    let shares = spans::check(receipt, calls, text, &opened, report);
    decision::check(receipt, calls, ask.as_ref(), report);
    report::words(bundle, calls, &shares, report);
}

/// Whether `receipt` has what every receipt has.
fn is_complete(receipt: &Receipt) -> bool {
    let digests = [&receipt.question, &receipt.derivation, &receipt.text];
    let of_calls = receipt.calls.iter().flat_map(|call| [&call.card_sha256, &call.request, &call.answer]);
    let of_passages = receipt.calls.iter().flat_map(|call| &call.passages);
    let root = receipt.registry.as_ref().map(|state| &state.root);
    !receipt.request_id.is_empty()
        && receipt.decision.is_some()
        && root.is_some()
        && [0, 32].contains(&receipt.previous_sha256.len())
        && digests.into_iter().chain(of_calls).chain(of_passages).chain(root).all(|digest| digest.len() == 32)
}
