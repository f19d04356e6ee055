//! What came of checking a receipt.

use std::fmt;

use proto::wire::{Receipt, Vouching};
use serde_json::json;

use super::{
    calls::Called,
    failure::{Failure, Remark},
    institutions::Registered,
    log::Shown,
    spans::Shares,
};
use crate::{bundle::Bundle, trust::Trust};

/// All that was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Why the receipt is refused; none where it is not. In the order in which they were looked for.
    pub failures: Vec<(Failure, String)>,
    /// What is worth saying besides.
    pub remarks: Vec<(Remark, String)>,
    /// What was checked and by whom it is signed, a line each: a heading and a sentence.
    pub checked: Vec<(&'static str, String)>,
}

impl Report {
    /// Whether nothing is wrong with it, as far as can be said.
    pub fn is_sound(&self) -> bool {
        self.failures.is_empty()
    }

    /// Whether the signers are known and nothing is wrong.
    pub fn is_verified(&self) -> bool {
        self.is_sound() && !self.remarks.iter().any(|(remark, _)| *remark == Remark::SignersUnknown)
    }

    /// It as one JSON object.
    pub fn to_json(&self) -> serde_json::Value {
        let failures = self.failures.iter().map(|(failure, place)| (failure.name(), failure.says(), place));
        let remarks = self.remarks.iter().map(|(remark, place)| (remark.name(), remark.says(), place));
        let named = |(name, says, place): (&str, &str, &String)| json!({ "name": name, "says": says, "place": place });
        json!({
            "verified": self.is_verified(),
            "failures": failures.map(named).collect::<Vec<_>>(),
            "remarks": remarks.map(named).collect::<Vec<_>>(),
            "checked": self.checked.iter().map(|(what, says)| json!({ "what": what, "says": says })).collect::<Vec<_>>(),
        })
    }

    /// Takes down a failure at `place`.
    pub(super) fn fail(&mut self, failure: Failure, place: &str) {
        self.failures.push((failure, place.to_owned()));
    }

    /// Takes down `failure` unless it `holds`; says whether it does.
    pub(super) fn demand(&mut self, holds: bool, failure: Failure, place: &str) -> bool {
        if !holds {
            self.fail(failure, place);
        }
        holds
    }

    /// Takes down a remark.
    pub(super) fn remark(&mut self, remark: Remark, place: &str) {
        self.remarks.push((remark, place.to_owned()));
    }

    /// Takes down what was checked.
    pub(super) fn checked(&mut self, what: &'static str, says: String) {
        self.checked.push((what, says));
    }
}

impl fmt::Display for Report {
    /// In words, a line each.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verdict = match (self.is_sound(), self.is_verified()) {
            (false, _) => "REFUSED",
            (true, false) => "SIGNERS UNKNOWN",
            (true, true) => "VERIFIED",
        };
        writeln!(f, "{verdict}")?;
        let line = |f: &mut fmt::Formatter<'_>, mark, (name, says, place): (&str, &str, &str)| {
            let place = if place.is_empty() { String::new() } else { format!("{place}: ") };
            writeln!(f, "  {mark:<12}{place}{says} ({name})")
        };
        for (failure, place) in &self.failures {
            line(f, "wrong", (failure.name(), failure.says(), place))?;
        }
        for (what, says) in &self.checked {
            writeln!(f, "  {what:<12}{says}")?;
        }
        for (remark, place) in &self.remarks {
            line(f, "note", (remark.name(), remark.says(), place))?;
        }
        Ok(())
    }
}

/// Says whose the receipt is.
pub(super) fn receipt(receipt: &Receipt, trust: Option<&Trust>, report: &mut Report) {
    let time = i64::try_from(receipt.time_s).ok().and_then(|time| jiff::Timestamp::from_second(time).ok());
    let time = time.map(|time| format!(", made in the hour from {time}")).unwrap_or_default();
    let key = trust.map(|trust| format!(", held to the key {}", trust.receipts().key())).unwrap_or_default();
    let (router, id) = (plain(&receipt.router), plain(&receipt.request_id));
    report.checked("receipt", format!("{id} of {router}{time}{key}"));
}

/// Says where in the log it stands.
pub(super) fn logged(shown: Option<&Shown>, trust: Option<&Trust>, report: &mut Report) {
    let Some(Shown { index, checkpoint, witnesses }) = shown else { return };
    let of = trust.map_or(0, |trust| trust.witnesses().len());
    let (number, size, origin) = (index.saturating_add(1), checkpoint.size, plain(&checkpoint.origin));
    let says = format!("number {number} of {size} in {origin}, seen by {witnesses} of {of} known witnesses");
    report.checked("log", says);
}

/// Says who was called, whose words the answer is made of, and what is open.
pub(super) fn words(bundle: &Bundle, calls: &[Called<'_>], shares: &Shares, report: &mut Report) {
    for Called { call, registered, .. } in calls {
        let vouching = match call.vouching() {
            Vouching::Signed => "signed what it was asked and said",
            Vouching::Unsigned => "signs nothing",
            Vouching::Unfinished => "gave out before its end",
            Vouching::Refused => "was refused",
            Vouching::Unspecified => "is said to have done nothing that is known",
        };
        let whose = registered.map(|Registered { card, digest, index }| {
            let number = index.map(|index| format!(", number {} of the registry", index.saturating_add(1)));
            format!("; {}, card {digest}{}", plain(&card.institution), number.unwrap_or_default())
        });
        let passages = call.passages.len();
        let (id, whose) = (plain(&call.specialist_id), whose.unwrap_or_default());
        report.checked("specialist", format!("{id} {vouching}; passages sent: {passages}{whose}"));
    }
    let Shares { verbatim_bytes, rules_bytes } = shares;
    let says = format!("{verbatim_bytes} bytes are specialists' words, {rules_bytes} the router's own texts");
    report.checked("answer", says);
    let open = match bundle.opening() {
        Some(_) => "question, decision, requests, passages and answer are open, and were compared",
        None => "nothing: the opening is deleted",
    };
    report.checked("open", open.to_owned());
}

/// `text` without what would steer a terminal.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
