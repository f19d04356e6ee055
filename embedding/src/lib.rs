//! Text to unit vectors: tokenizer, encoder, and the thread that batches.
//!
//! A [`Model`] is an encoder with the tokenizer that belongs to it; an [`Embedder`] is the cheap
//! handle to the one thread that owns the encoder. Callers tokenize, the thread encodes.
//!
//! This crate fetches no weights, compares no vectors, and neither logs nor reports in an error any
//! word of a text.

mod bert;
// Elsewhere there is no device that it would be for; it is tested on the CPU.
#[cfg(any(feature = "cuda", test))]
mod device;
mod embedder;
mod encoder;
mod engine;
#[cfg(any(feature = "cuda", test))]
mod fallback;
mod folder;
mod hashed;
mod model;
mod names;
mod packed;
mod parts;
mod thread;
mod tokens;

pub use embedder::{EmbedError, Embedded, Embedder};
pub use encoder::{Backend, BatchLimits, EncodeError, Encoder};
pub use engine::{Engine, UnknownEngine};
pub use folder::LoadError;
pub use model::Model;
pub use thread::Timing;
pub use tokens::Tokens;
