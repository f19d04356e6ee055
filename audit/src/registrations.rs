//! The registry as its log tells it: who is registered after each entry, and what no entry may do.

use std::collections::{BTreeMap, BTreeSet};

use proto::{
    Digest, PublishedCard, SpecialistId,
    wire::{RegistryChange, RegistryEntry, Signed},
};

use crate::{
    key::PublicKey,
    signed::{Kind, canonical, verify},
    succession,
};

/// What an entry of the registry's log may not do.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RuleError {
    /// It is no entry.
    #[error("it is no `RegistryEntry` in its canonical form")]
    Entry,
    /// A field is not of its form.
    #[error("its {0} is not of its form")]
    Field(&'static str),
    /// It is about somebody who is not registered.
    #[error("{0} is not registered")]
    Unregistered(SpecialistId),
    /// It admits somebody who is registered.
    #[error("{0} is registered already")]
    Registered(SpecialistId),
    /// The key is another, and nobody appointed it.
    #[error("{0} has another key, which the old one did not appoint")]
    OtherKey(SpecialistId),
    /// The card is another than the one that stands.
    #[error("{0} has another card than the one that stands")]
    OtherCard(SpecialistId),
    /// The key was revoked.
    #[error("{0} has a key that was revoked")]
    Revoked(SpecialistId),
    /// What the old key signed does not appoint the new one.
    #[error("the old key of {0} did not appoint the new one")]
    Succession(SpecialistId),
    /// The card is not what the entry says.
    #[error("the card of {specialist} has another {what}")]
    Card {
        /// Whose.
        specialist: SpecialistId,
        /// What differs.
        what: &'static str,
    },
    /// The card's signature does not fit.
    #[error("the card of {0} is not signed with its key")]
    Signature(SpecialistId),
}

/// One change, well formed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// When: seconds since 1970-01-01 UTC.
    pub time_s: u64,
    /// What.
    pub what: RegistryChange,
    /// Whose registration; `None` for a policy.
    pub specialist: Option<SpecialistId>,
    /// SHA-256 of the card or the policy.
    pub content: Digest,
    /// The key in the card.
    pub key: Option<PublicKey>,
    /// The card's signature with that key.
    pub signature: Vec<u8>,
    /// What leads to that key from the one before.
    successions: Vec<Signed>,
}

/// How one specialist is registered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registration {
    /// SHA-256 of its card.
    pub card: Digest,
    /// The key in its card.
    pub key: Option<PublicKey>,
    /// Whether it takes part in routing.
    pub enabled: bool,
}

/// Who is registered, and which keys count no more.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Registrations {
    specialists: BTreeMap<SpecialistId, Registration>,
    revoked: BTreeSet<[u8; 32]>,
    policy: Option<Digest>,
}

impl Change {
    /// The change in an entry's bytes.
    pub fn read(entry: &[u8]) -> Result<Self, RuleError> {
        let entry: RegistryEntry = canonical(entry).map_err(|_| RuleError::Entry)?;
        let what = entry.change();
        let RegistryEntry {
            time_s,
            change,
            specialist_id,
            content_sha256,
            public_key,
            signature,
            successions,
        } = entry;
        if what == RegistryChange::Unspecified || i32::from(what) != change {
            return Err(RuleError::Field("change"));
        }
        let content = Digest::read("content_sha256", &content_sha256);
        let content = content.map_err(|_| RuleError::Field("content"))?;
        let is_policy = what == RegistryChange::Policy;
        let specialist = if is_policy && specialist_id.is_empty() {
            None
        } else if is_policy {
            return Err(RuleError::Field("specialist"));
        } else {
            Some(specialist_id.parse().map_err(|_| RuleError::Field("specialist"))?)
        };
        let key = match public_key.as_slice() {
            [] => None,
            bytes => Some(PublicKey::read(bytes).ok_or(RuleError::Field("key"))?),
        };
        if is_policy && key.is_some() {
            return Err(RuleError::Field("key"));
        }
        if signature.len() != if key.is_some() { 64 } else { 0 } {
            return Err(RuleError::Field("signature"));
        }
        if successions.is_empty() == (what == RegistryChange::Rotated) {
            return Err(RuleError::Field("successions"));
        }
        Ok(Self { time_s, what, specialist, content, key, signature, successions })
    }

    /// Whether `card` is the one that the entry names, of the same specialist, with the same key, and signed
    /// with it. Not for a policy.
    pub fn check_card(&self, card: &[u8]) -> Result<PublishedCard, RuleError> {
        let specialist = self.specialist.clone().ok_or(RuleError::Field("specialist"))?;
        let wrong = |what| RuleError::Card { specialist: specialist.clone(), what };
        let card = PublishedCard::read(card.to_vec()).map_err(|_| wrong("form"))?;
        if card.digest() != self.content {
            return Err(wrong("digest"));
        }
        if card.card().id != specialist {
            return Err(wrong("specialist"));
        }
        if card.card().public_key != self.key.map(|key| *key.as_bytes()) {
            return Err(wrong("key"));
        }
        let signed = self.key.map_or(Ok(()), |key| verify(&key, Kind::Card, card.bytes(), &self.signature));
        signed.map(|()| card).map_err(|_| RuleError::Signature(specialist))
    }
}

impl Registrations {
    /// Goes on to the next change; where it breaks a rule, nothing changes.
    pub fn apply(&mut self, change: &Change) -> Result<(), RuleError> {
        use RegistryChange as What;
        let Some(id) = &change.specialist else {
            self.policy = Some(change.content);
            return Ok(());
        };
        let stands = self.specialists.get(id).copied();
        let registered = || stands.ok_or_else(|| RuleError::Unregistered(id.clone()));
        let live = || registered().and_then(|stands| self.not_revoked(id, stands.key).map(|()| stands));
        let enabled = match change.what {
            What::Admitted => {
                // Whose key was revoked is gone: it may be admitted with another.
                if stands.is_some_and(|stands| self.not_revoked(id, stands.key).is_ok()) {
                    return Err(RuleError::Registered(id.clone()));
                }
                true
            }
            What::Updated => {
                let stands = live()?;
                // A card without a key may get its first one: nobody's word is lost by it.
                if stands.key.is_some() && stands.key != change.key {
                    return Err(RuleError::OtherKey(id.clone()));
                }
                stands.enabled
            }
            What::Rotated => {
                let stands = live()?;
                appointed(id, stands.key, change)?;
                stands.enabled
            }
            What::Disabled | What::Enabled => {
                unchanged(id, live()?, change)?;
                change.what == What::Enabled
            }
            What::Removed => {
                unchanged(id, registered()?, change)?;
                self.specialists.remove(id);
                return Ok(());
            }
            What::Revoked => {
                // A key that several have is revoked for each of them.
                unchanged(id, registered()?, change)?;
                let key = change.key.ok_or(RuleError::Field("key"))?;
                self.revoked.insert(*key.as_bytes());
                false
            }
            What::Policy | What::Unspecified => return Err(RuleError::Field("change")),
        };
        if change.what != What::Revoked {
            self.not_revoked(id, change.key)?;
        }
        let registration = Registration { card: change.content, key: change.key, enabled };
        self.specialists.insert(id.clone(), registration);
        Ok(())
    }

    /// Everybody who is registered, in the order of their ids; those whose key was revoked, too.
    pub fn iter(&self) -> impl Iterator<Item = (&SpecialistId, &Registration)> {
        self.specialists.iter()
    }

    /// How this specialist is registered.
    pub fn get(&self, id: &SpecialistId) -> Option<&Registration> {
        self.specialists.get(id)
    }

    /// Whether `key` counts no more.
    pub fn is_revoked(&self, key: &PublicKey) -> bool {
        self.revoked.contains(key.as_bytes())
    }

    /// SHA-256 of the policy in force.
    pub fn policy(&self) -> Option<Digest> {
        self.policy
    }

    fn not_revoked(&self, id: &SpecialistId, key: Option<PublicKey>) -> Result<(), RuleError> {
        if key.is_some_and(|key| self.is_revoked(&key)) {
            Err(RuleError::Revoked(id.clone()))
        } else {
            Ok(())
        }
    }
}

/// The entry names the card and the key that stand.
fn unchanged(id: &SpecialistId, stands: Registration, change: &Change) -> Result<(), RuleError> {
    if stands.key != change.key {
        return Err(RuleError::OtherKey(id.clone()));
    }
    if stands.card == change.content { Ok(()) } else { Err(RuleError::OtherCard(id.clone())) }
}

/// The old key leads to the new one.
fn appointed(id: &SpecialistId, old: Option<PublicKey>, change: &Change) -> Result<(), RuleError> {
    let leads = succession::chain(id.as_str(), &change.successions);
    if leads.is_some() && leads == old.zip(change.key) {
        Ok(())
    } else {
        Err(RuleError::Succession(id.clone()))
    }
}
