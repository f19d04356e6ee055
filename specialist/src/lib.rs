//! One institution's domain model behind gRPC: a corpus of passages, retrieval over it, and answers
//! that cite it. Nothing of the corpus leaves the process but centroids of at least five passages and
//! the passages that an answer cites. It knows nothing of other specialists or of the router.

pub mod bench;
pub mod cache;
pub mod card;
pub mod config;
pub mod corpus;
pub mod error;
pub mod fit;
pub mod generator;
pub mod identity;
pub mod indexing;
pub mod lexical;
pub mod library;
pub mod provenance;
pub mod replay;
pub mod server;

mod evidence;
mod heartbeat;
mod points;
mod progress;
mod prototypes;
mod ranking;
mod rescan;
mod service;
mod vouching;

pub use config::Settings;
pub use error::Error;
pub use server::Server;
