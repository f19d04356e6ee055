//! Which code does the arithmetic.

use std::{
    fmt::{self, Display},
    str::FromStr,
};

/// What runs a network.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// candle: every processor, CUDA, every network of the BERT family.
    Candle,
    /// Our own: x86-64 with AVX-512 or AVX2, and networks whose sizes are multiples of 32.
    Packed,
}

/// A name that no engine has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no engine {0:?}: there are candle and packed")]
pub struct UnknownEngine(String);

impl FromStr for Engine {
    type Err = UnknownEngine;

    fn from_str(name: &str) -> Result<Self, UnknownEngine> {
        match name {
            "candle" => Ok(Self::Candle),
            "packed" => Ok(Self::Packed),
            _ => Err(UnknownEngine(name.to_owned())),
        }
    }
}

impl Display for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Candle => "candle",
            Self::Packed => "packed",
        })
    }
}
