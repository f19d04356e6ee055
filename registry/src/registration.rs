//! A specialist's place in the fleet.

use std::sync::Arc;

use proto::{Endpoint, Invalid, Prototypes, PublishedCard, SpecialistId, wire};

use crate::Exam;

/// Who made a specialist's prototypes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrototypeOrigin {
    /// The specialist, from its passages.
    Specialist,
    /// The router, from the texts of the card.
    Router,
}

/// A registered specialist.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "each is true or not whatever the others are")]
pub struct Registration {
    /// Where the router dials.
    pub endpoint: Endpoint,
    /// What it says of itself.
    pub card: Arc<PublishedCard>,
    /// Where its domain lies.
    pub prototypes: Arc<Prototypes>,
    /// Who made them.
    pub origin: PrototypeOrigin,
    /// Whether it takes part in routing.
    pub enabled: bool,
    /// Whether the router's last look found it serving.
    pub healthy: bool,
    /// When it was admitted: milliseconds since 1970-01-01 UTC.
    pub registered_at_ms: u64,
    /// When card, prototypes or state last changed: milliseconds since 1970-01-01 UTC.
    pub updated_at_ms: u64,
    /// How it does beside the others, at this revision; `None` where it was never examined.
    pub exam: Option<Arc<Exam>>,
    /// An operator wants it whatever its exam says.
    pub despite_exam: bool,
    /// The card's signature with the key in it; `None` where the card has no key.
    pub signature: Option<[u8; 64]>,
    /// That key counts no more.
    pub key_revoked: bool,
}

impl Registration {
    /// A registration of nobody, with a card that says no more than `id`, and an index that may be probed: for measuring and for
    /// tests, where nobody is asked.
    pub fn made_up(id: &str, prototypes: Prototypes) -> Result<Self, Invalid> {
        let endpoint = "http://127.0.0.1:1";
        let card = wire::Card {
            specialist_id: id.to_owned(),
            title: id.to_owned(),
            institution: id.to_owned(),
            description: id.to_owned(),
            license: "none".to_owned(),
            public_endpoint: endpoint.to_owned(),
            generator: "none".to_owned(),
            revision: prototypes.revision.clone(),
            probing: wire::Probing::Terms.into(),
            ..Default::default()
        };
        Ok(Self {
            endpoint: Endpoint::parse("endpoint", endpoint)?,
            card: Arc::new(PublishedCard::publish(&card)?),
            prototypes: Arc::new(prototypes),
            origin: PrototypeOrigin::Specialist,
            enabled: true,
            healthy: true,
            registered_at_ms: 0,
            updated_at_ms: 0,
            exam: None,
            despite_exam: false,
            signature: None,
            key_revoked: false,
        })
    }

    /// Its name in the fleet.
    pub fn id(&self) -> &SpecialistId {
        &self.card.card().id
    }

    /// The key that it must sign with; `None` where its card has none.
    pub fn key(&self) -> Option<[u8; 32]> {
        self.card.card().public_key
    }

    /// Whether its exam keeps it out of routing.
    pub fn is_refused(&self) -> bool {
        !self.despite_exam && self.exam.as_ref().is_some_and(|exam| exam.is_refused())
    }
}

impl From<PrototypeOrigin> for wire::PrototypeOrigin {
    fn from(origin: PrototypeOrigin) -> Self {
        match origin {
            PrototypeOrigin::Specialist => Self::Specialist,
            PrototypeOrigin::Router => Self::Router,
        }
    }
}

impl From<&Registration> for wire::Registration {
    fn from(registration: &Registration) -> Self {
        let state = if registration.enabled { wire::State::Enabled } else { wire::State::Disabled };
        Self {
            card: registration.card.bytes().to_vec(),
            card_sha256: registration.card.digest().as_bytes().to_vec(),
            endpoint: registration.endpoint.to_string(),
            state: state.into(),
            prototype_origin: wire::PrototypeOrigin::from(registration.origin).into(),
            prototype_count: u32::try_from(registration.prototypes.points.len()).unwrap_or(u32::MAX),
            registered_at_ms: registration.registered_at_ms,
            updated_at_ms: registration.updated_at_ms,
            healthy: registration.healthy,
            exam: registration.exam.as_deref().map(Into::into),
            despite_exam: registration.despite_exam,
            signature: registration.signature.map(Vec::from).unwrap_or_default(),
            key_revoked: registration.key_revoked,
        }
    }
}
