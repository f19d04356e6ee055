//! What the registry's whole log says of a receipt: whether its state was one of that log's, whether nobody was
//! left out, and whether keys were revoked since.

use std::collections::HashMap;

use proto::{SpecialistId, wire::Receipt};

use super::{Failure, Report};
use crate::{
    bundle::Bundle,
    checkpoint::Checkpoint,
    key::PublicKey,
    log::{LogError, Reader},
    proof::Proof,
    registrations::{Change, Registrations},
    trust::Trust,
};

/// Why going through the log ended.
enum Stop {
    Log(LogError),
    /// An entry breaks a rule.
    Rule,
}

impl From<LogError> for Stop {
    fn from(error: LogError) -> Self {
        Self::Log(error)
    }
}

/// Who was registered, in the state that the receipt names, and by now.
struct History {
    then: Registrations,
    now: Registrations,
    checkpoint: Checkpoint,
}

/// Checks `receipt` against the log at `reader`; an error where that cannot be read.
pub(super) fn check(
    bundle: &Bundle,
    receipt: &Receipt,
    trust: &Trust,
    reader: &Reader,
    report: &mut Report,
) -> Result<(), LogError> {
    let state = receipt.registry.clone().unwrap_or_default();
    let history = match history(trust, reader, state.size) {
        Ok(history) => history,
        Err(Stop::Log(
            error @ (LogError::File { .. } | LogError::Http { .. } | LogError::Https | LogError::Memory(_)),
        )) => return Err(error),
        Err(Stop::Log(_) | Stop::Rule) => {
            report.fail(Failure::RegistryLogWrong, "");
            return Ok(());
        }
    };
    let checkpoint = &history.checkpoint;
    let root = |size| (size <= checkpoint.size).then(|| reader.root_at(checkpoint, size)).transpose();
    let had = root(state.size)?.is_some_and(|root| root.as_bytes() == state.root.as_slice());
    report.demand(had, Failure::RegistryStateWrong, "");
    for (at, institution) in bundle.institutions().iter().enumerate() {
        let proof: Option<Proof> = institution.proof.parse().ok();
        let note = proof.and_then(|proof| proof.checkpoint.parse::<crate::Note>().ok());
        let Some(shown) = note.and_then(|note| note.text.parse::<Checkpoint>().ok()) else { continue };
        let same = root(shown.size)?.is_none_or(|root| root == shown.root);
        report.demand(same, Failure::RegistryForked, &format!("institution {}", at + 1));
    }
    if had {
        candidates(receipt, &history.then, report);
    }
    revoked(receipt, &history, report);
    Ok(())
}

/// Goes through the whole log.
fn history(trust: &Trust, reader: &Reader, size: u64) -> Result<History, Stop> {
    let (mut then, mut now) = (Registrations::default(), Registrations::default());
    let opened = reader.audit(trust.registry(), trust.witnesses(), |index, entry| {
        let change = Change::read(entry).map_err(|_| Stop::Rule)?;
        now.apply(&change).map_err(|_| Stop::Rule)?;
        if index + 1 == size {
            then.clone_from(&now);
        }
        Ok::<_, Stop>(())
    })?;
    Ok(History { then, now, checkpoint: opened.checkpoint })
}

/// Whether the candidates are exactly those who were registered, each with its card.
fn candidates(receipt: &Receipt, then: &Registrations, report: &mut Report) {
    let candidates = receipt.decision.iter().flat_map(|decision| &decision.candidates);
    let named: HashMap<&str, &[u8]> =
        candidates.map(|one| (one.specialist_id.as_str(), one.card_sha256.as_slice())).collect();
    for (id, registration) in then.iter() {
        match named.get(id.as_str()) {
            Some(card) => {
                let same = *card == registration.card.as_bytes();
                report.demand(same, Failure::CandidateCardWrong, &format!("candidate {id}"));
            }
            None => report.fail(Failure::CandidateMissing, &format!("candidate {id}")),
        }
    }
    let registered = |id: &&str| id.parse().is_ok_and(|id: SpecialistId| then.get(&id).is_some());
    let strangers = named.keys().filter(|id| !registered(id)).count();
    report.demand(strangers == 0, Failure::CandidateUnregistered, "");
}

/// Whether the keys that signed for the calls still count.
fn revoked(receipt: &Receipt, history: &History, report: &mut Report) {
    for (at, call) in receipt.calls.iter().enumerate().filter(|(_, call)| call.statement.is_some()) {
        let id: Option<SpecialistId> = call.specialist_id.parse().ok();
        let key = id.and_then(|id| history.then.get(&id)?.key);
        let counts = key.is_none_or(|key: PublicKey| !history.now.is_revoked(&key));
        report.demand(counts, Failure::KeyRevoked, &format!("call {}", at + 1));
    }
}
