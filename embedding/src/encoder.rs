//! What every encoder does, and how it fails.

use std::{
    fmt::{self, Display},
    sync::Arc,
};

use proto::{Space, UnitVector};

use crate::Tokens;

/// Turns tokens into vectors. Owned by one thread, so it may keep scratch space of its own.
pub trait Encoder: Send {
    /// Where its vectors may be compared.
    fn space(&self) -> &Arc<Space>;

    /// What computes its vectors at present.
    fn backend(&self) -> Backend;

    /// The batches that it is quick with.
    fn batch_limits(&self) -> BatchLimits;

    /// One vector of the space's dimension for each text of `batch`, in its order. A text gets the
    /// same vector whatever else is in the batch, within rounding.
    fn encode(&mut self, batch: &[Tokens]) -> Result<Vec<UnitVector>, EncodeError>;
}

/// What computes vectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backend {
    /// What does the arithmetic: `candle`, `packed avx512`, `packed avx2` or `hashed`.
    pub engine: &'static str,
    /// What it runs on: `cpu` or `cuda`.
    pub device: &'static str,
}

impl Display for Backend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.engine, self.device)
    }
}

/// How much an encoder takes at once: enough to be quick, little enough that a question which comes
/// meanwhile does not wait long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BatchLimits {
    /// The most tokens. A longer text goes alone.
    pub tokens_max: usize,
    /// Whether each text of a batch is filled up to the longest, and counts so.
    pub padded: bool,
}

/// Why a batch has no vectors. All its callers get the same reason.
#[derive(Debug, Clone, thiserror::Error)]
pub enum EncodeError {
    /// The device or the arithmetic failed.
    #[error("encoder failed: {0}")]
    Failed(String),
    /// The encoder gave numbers that have no direction: all zero, or not finite.
    #[error("encoder gave a vector without direction")]
    NoDirection,
    /// The encoder gave too many or too few vectors.
    #[error("encoder gave {vectors} vectors for {texts} texts")]
    Miscounted {
        /// How many it was given.
        texts: usize,
        /// How many it gave.
        vectors: usize,
    },
    /// The encoder panicked; its thread goes on.
    #[error("encoder panicked")]
    Panicked,
}

impl From<candle_core::Error> for EncodeError {
    fn from(error: candle_core::Error) -> Self {
        Self::Failed(error.to_string())
    }
}
