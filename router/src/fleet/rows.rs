//! Registrations as the database keeps them.

use std::sync::Arc;

use prost::Message;
use proto::{Endpoint, Invalid, Prototypes, PublishedCard, Space, wire};
use registry::{Exam, PrototypeOrigin, Registration, Snapshot, SnapshotError};
use store::{RegistrationRow, Store};

use super::{FleetError, ledger::Ledger};

pub(super) fn row(registration: &Registration) -> RegistrationRow {
    let at = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    RegistrationRow {
        specialist_id: registration.id().to_string(),
        endpoint: registration.endpoint.to_string(),
        enabled: registration.enabled,
        card: registration.card.bytes().to_vec(),
        prototype_origin: match registration.origin {
            PrototypeOrigin::Specialist => "specialist".to_owned(),
            PrototypeOrigin::Router => "router".to_owned(),
        },
        prototypes: wire::PrototypesResponse::from(&*registration.prototypes).encode_to_vec(),
        registered_at_ms: at(registration.registered_at_ms),
        updated_at_ms: at(registration.updated_at_ms),
        exam: registration.exam.as_ref().map(|exam| wire::Exam::from(&**exam).encode_to_vec()),
        despite_exam: registration.despite_exam,
        signature: registration.signature.map(Vec::from),
    }
}

/// The registrations that `store` holds, as `ledger` leaves them. Those whose prototypes lie in another
/// space are left out.
pub(super) async fn remembered(
    store: &Store,
    space: Arc<Space>,
    ledger: &Ledger,
) -> Result<Snapshot, FleetError> {
    let mut snapshot = Snapshot::empty(space)?;
    for row in store.registrations().await? {
        let id = row.specialist_id.clone();
        let mut registration =
            read(row).map_err(|invalid| FleetError::Corrupt { id: id.clone(), invalid })?;
        if ledger.refusal(registration.card.card()).is_some() {
            registration = Registration { enabled: false, key_revoked: true, ..registration };
        }
        match snapshot.with(Arc::new(registration)) {
            Ok(next) => snapshot = next,
            Err(error @ SnapshotError::OtherSpace { .. }) => {
                tracing::warn!(specialist = id, %error, "left out: add it again for this encoder");
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(snapshot)
}

fn read(row: RegistrationRow) -> Result<Registration, Invalid> {
    let at = |ms: i64| u64::try_from(ms).unwrap_or_default();
    let prototypes = wire::PrototypesResponse::decode(row.prototypes.as_slice())
        .map_err(|_| Invalid::malformed("prototypes", "cannot be decoded"))?;
    let exam = |bytes: Vec<u8>| {
        let exam = wire::Exam::decode(bytes.as_slice())
            .map_err(|_| Invalid::malformed("exam", "cannot be decoded"))?;
        Exam::try_from(exam).map(Arc::new)
    };
    let signature =
        |bytes: Vec<u8>| bytes.try_into().map_err(|_| Invalid::malformed("signature", "must have 64 bytes"));
    Ok(Registration {
        endpoint: Endpoint::parse("endpoint", &row.endpoint)?,
        card: Arc::new(PublishedCard::read(row.card)?),
        prototypes: Arc::new(Prototypes::try_from(prototypes)?),
        origin: match row.prototype_origin.as_str() {
            "router" => PrototypeOrigin::Router,
            _ => PrototypeOrigin::Specialist,
        },
        enabled: row.enabled,
        // Taken to serve until the first look says otherwise, so that a restart costs no question.
        healthy: true,
        registered_at_ms: at(row.registered_at_ms),
        updated_at_ms: at(row.updated_at_ms),
        exam: row.exam.map(exam).transpose()?,
        despite_exam: row.despite_exam,
        signature: row.signature.map(signature).transpose()?,
        // The log says whose is.
        key_revoked: false,
    })
}
