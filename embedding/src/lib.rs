//! Text to unit vectors: tokenizer, encoder, and the thread that batches.
//!
//! A [`Model`] is an encoder with the tokenizer that belongs to it; an [`Embedder`] is the cheap
//! handle to the one thread that owns the encoder. Callers tokenize, the thread encodes.
//!
//! This crate fetches no weights, compares no vectors, and neither logs nor reports in an error any
//! word of a text.

mod bert;
mod embedder;
mod encoder;
mod engine;
mod folder;
mod hashed;
mod model;
mod packed;
mod thread;
mod tokens;

pub use embedder::{EmbedError, Embedded, Embedder};
pub use encoder::{EncodeError, Encoder};
pub use engine::{Engine, UnknownEngine};
pub use folder::LoadError;
pub use model::Model;
pub use thread::{Limits, Timing};
pub use tokens::Tokens;
