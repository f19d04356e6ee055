//! The contract between router, specialists and clients: the `consilium.v1` schema, the wire types
//! generated from it, and the checked types that they become.
//!
//! Inside the house only checked types travel: nothing past an edge is absent, empty, out of bounds
//! or unnormalised, so nothing inside checks it again. This crate does no I/O.

pub mod answer;
pub mod card;
pub mod config;
pub mod conversation;
pub mod endpoint;
pub mod evidence;
pub mod invalid;
pub mod prototypes;
pub mod sentences;
pub mod space;
pub mod support;
pub mod terms;

pub use answer::{AnswerBounds, AnswerCheck, AnswerEvent, Citation, Outcome, Passage, Words};
pub use card::{Card, Digest, Openness, Probing, PublishedCard, SpecialistId};
pub use conversation::{AskOptions, Conversation, Role, Turn};
pub use endpoint::Endpoint;
pub use evidence::{Evidence, Probe, Wording};
pub use invalid::{Invalid, Problem};
pub use prototypes::{Prototype, Prototypes};
pub use sentences::sentences;
pub use space::{Embedding, Pooling, Space, UnitVector};
pub use terms::Terms;

/// The generated wire types, clients and servers of `consilium.v1`.
#[allow(clippy::all, clippy::pedantic, reason = "generated")]
pub mod wire {
    tonic::include_proto!("consilium.v1");
}

/// The schema as a serialized `FileDescriptorSet`, for reflection.
pub const DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/consilium.bin"));
