//! Whether the cards that a receipt names are registered, and theirs who hold the keys in them.

use proto::{
    Digest,
    wire::{self, RegistryChange, RegistryEntry},
};

use super::{
    Failure, Report,
    log::{self, Log, Shown},
};
use crate::{
    bundle::{Bundle, Institution},
    signed::{self, Kind},
    succession,
};

/// A card that stands in the registry.
pub(super) struct Registered {
    pub(super) digest: Digest,
    pub(super) card: wire::Card,
    /// Where its entry stands in the log.
    pub(super) index: Option<u64>,
}

/// Checks the institutions of `bundle`, which have to be those with the cards `named`. Those that can be read.
pub(super) fn check(
    bundle: &Bundle,
    receipt: &wire::Receipt,
    named: &[Vec<u8>],
    log: &Log<'_>,
    report: &mut Report,
) -> Vec<Registered> {
    let digests = bundle.institutions().iter().map(|institution| Digest::of(&institution.card.0));
    report.demand(
        digests.map(|digest| digest.as_bytes().to_vec()).eq(named.iter().cloned()),
        Failure::InstitutionsDiffer,
        "",
    );
    let mut states = log::States::new(receipt.registry.as_ref());
    let mut registered = Vec::new();
    for (at, institution) in bundle.institutions().iter().enumerate() {
        let place = format!("institution {}", at + 1);
        let shown = log::check(&institution.proof, &institution.entry.0, log, &place, report);
        if let Some(shown) = &shown {
            states.add(shown, &place, report);
        }
        registered.extend(card(institution, shown.as_ref(), &place, report));
    }
    registered
}

/// The card of `institution`, if it can be read.
fn card(
    institution: &Institution,
    shown: Option<&Shown>,
    place: &str,
    report: &mut Report,
) -> Option<Registered> {
    let bytes = &institution.card.0;
    let entry = signed::canonical::<RegistryEntry>(&institution.entry.0).ok();
    report.demand(entry.is_some(), Failure::EntryNotCanonical, place);
    let Ok(card) = <wire::Card as prost::Message>::decode(bytes.as_slice()) else {
        report.fail(Failure::CardMalformed, place);
        return None;
    };
    let digest = Digest::of(bytes);
    if let Some(entry) = entry {
        report.demand(registers(&entry, &card, digest), Failure::EntryWrong, place);
        let unsigned = card.public_key.is_empty() && entry.signature.is_empty();
        let is_signed = unsigned || signed::fits(&card.public_key, Kind::Card, bytes, &entry.signature);
        report.demand(is_signed, Failure::CardSignatureWrong, place);
        report.demand(succeeds(&entry), Failure::SuccessionWrong, place);
    }
    Some(Registered { digest, card, index: shown.map(|shown| shown.index) })
}

/// Whether `entry` makes this card one that stands.
fn registers(entry: &RegistryEntry, card: &wire::Card, digest: Digest) -> bool {
    use RegistryChange::{Admitted, Disabled, Enabled, Rotated, Updated};
    [Admitted, Updated, Rotated, Disabled, Enabled].contains(&entry.change())
        && entry.specialist_id == card.specialist_id
        && entry.content_sha256 == digest.as_bytes()
        && entry.public_key == card.public_key
}

/// Whether the key of `entry`, where it follows others, was appointed by the one before it, step by step.
fn succeeds(entry: &RegistryEntry) -> bool {
    if entry.successions.is_empty() {
        return entry.change() != RegistryChange::Rotated;
    }
    let chain = succession::chain(&entry.specialist_id, &entry.successions);
    chain.is_some_and(|(_, last)| last.as_bytes().as_slice() == entry.public_key)
}
