//! Who is in the fleet: registrations, and immutable snapshots over them.
//!
//! This crate writes nothing down and dials nobody; the router admits, persists and replaces
//! snapshots. The `registry` binary beside it is a client of the router.

pub mod exam;
pub mod registration;
pub mod snapshot;

pub use exam::Exam;
pub use registration::{PrototypeOrigin, Registration};
pub use snapshot::{LogState, PrototypeKey, Slot, Snapshot, SnapshotError};
