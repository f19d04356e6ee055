//! Whether something stands in a log that the trusted router signed and enough witnesses have seen.

use proto::{Digest, wire::LogState};

use super::{Failure, Remark, Report};
use crate::{
    checkpoint::Checkpoint,
    merkle,
    note::{Note, Vkey},
    proof::Proof,
    trust::Trust,
};

/// A log, and what is said where something is wrong with it.
pub(super) struct Log<'a> {
    /// Its key; `None` where nobody is trusted.
    key: Option<&'a Vkey>,
    witnesses: &'a [Vkey],
    witnesses_min: usize,
    malformed: Failure,
    not_included: Failure,
    origin: Failure,
    signature: Failure,
    witness: Failure,
    witnesses_missing: Failure,
}

/// What was shown to be in a log.
pub(super) struct Shown {
    pub(super) index: u64,
    pub(super) checkpoint: Checkpoint,
    /// How many known witnesses signed it.
    pub(super) witnesses: usize,
}

impl<'a> Log<'a> {
    /// The log of receipts.
    pub(super) fn receipts(trust: Option<&'a Trust>) -> Self {
        Self {
            key: trust.map(Trust::receipts),
            witnesses: trust.map(Trust::witnesses).unwrap_or_default(),
            witnesses_min: trust.map(Trust::witnesses_min).unwrap_or_default(),
            malformed: Failure::LogProofMalformed,
            not_included: Failure::ReceiptNotInLog,
            origin: Failure::LogOriginWrong,
            signature: Failure::LogSignatureWrong,
            witness: Failure::LogWitnessWrong,
            witnesses_missing: Failure::LogWitnessesMissing,
        }
    }

    /// The registry's log.
    pub(super) fn registry(trust: Option<&'a Trust>) -> Self {
        Self {
            key: trust.map(Trust::registry),
            malformed: Failure::RegistryProofMalformed,
            not_included: Failure::EntryNotInRegistry,
            origin: Failure::RegistryOriginWrong,
            signature: Failure::RegistrySignatureWrong,
            witness: Failure::RegistryWitnessWrong,
            witnesses_missing: Failure::RegistryWitnessesMissing,
            ..Self::receipts(trust)
        }
    }

    /// Checks that the log's `key` signed `note`, whose text is `checkpoint`. The number of witnesses who did.
    fn signed(
        &self,
        key: &Vkey,
        note: &Note,
        checkpoint: &Checkpoint,
        place: &str,
        report: &mut Report,
    ) -> usize {
        let is_origin = report.demand(checkpoint.origin == key.name(), self.origin, place);
        if !report.demand(note.check(key).is_ok(), self.signature, place) || !is_origin {
            return 0;
        }
        let Ok(opened) = Checkpoint::open(&note.to_string(), key, self.witnesses) else {
            report.fail(self.witness, place);
            return 0;
        };
        if opened.unknown > 0 {
            report.remark(Remark::UnknownWitness, place);
        }
        let witnesses = opened.cosignatures.len();
        report.demand(witnesses >= self.witnesses_min, self.witnesses_missing, place);
        witnesses
    }
}

/// Checks that `entry` stands in `log` as `proof` says; `None` where the proof cannot be read.
pub(super) fn check(
    proof: &str,
    entry: &[u8],
    log: &Log<'_>,
    place: &str,
    report: &mut Report,
) -> Option<Shown> {
    let read = || {
        let proof: Proof = proof.parse().ok()?;
        let note: Note = proof.checkpoint.parse().ok()?;
        let checkpoint: Checkpoint = note.text.parse().ok()?;
        Some((proof, note, checkpoint))
    };
    let Some((Proof { index, path, .. }, note, checkpoint)) = read() else {
        report.fail(log.malformed, place);
        return None;
    };
    let included = merkle::includes(checkpoint.root, checkpoint.size, index, entry, &path);
    report.demand(included, log.not_included, place);
    let witnesses = log.key.map_or(0, |key| log.signed(key, &note, &checkpoint, place, report));
    Some(Shown { index, checkpoint, witnesses })
}

/// The states of the registry that a receipt shows.
pub(super) struct States(Vec<(u64, Vec<u8>)>);

impl States {
    /// The state that the router worked by.
    pub(super) fn new(state: Option<&LogState>) -> Self {
        Self(state.map(|state| (state.size, state.root.clone())).into_iter().collect())
    }

    /// Adds a state, which has to agree with those before it.
    pub(super) fn add(&mut self, shown: &Shown, place: &str, report: &mut Report) {
        let Checkpoint { size, root, .. } = &shown.checkpoint;
        let rolled_back = self.0.first().is_some_and(|(first, _)| size < first);
        report.demand(!rolled_back, Failure::RegistryRolledBack, place);
        let root = Digest::as_bytes(root).to_vec();
        let forked = self.0.iter().any(|(other, other_root)| other == size && *other_root != root);
        report.demand(!forked, Failure::RegistryForked, place);
        self.0.push((*size, root));
    }
}
