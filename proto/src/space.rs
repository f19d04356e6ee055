//! Spaces and the vectors that live in them.

use std::sync::Arc;

use crate::{
    Digest, Invalid,
    invalid::{bounded, text},
    wire,
};

/// How token vectors become the vector of a text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// Mean over all tokens.
    Mean,
    /// The first token's vector.
    Cls,
}

/// The space in which vectors may be compared. Equality leaves out the encoder's name, which is for
/// people.
#[derive(Debug, Clone)]
pub struct Space {
    /// Name of the encoder.
    pub encoder: String,
    /// SHA-256 of the weights file.
    pub weights: Digest,
    /// How token vectors become one.
    pub pooling: Pooling,
    /// Text put before each input.
    pub prefix: String,
    /// Length of a vector, 1 to 4,096.
    pub dimension: usize,
}

impl PartialEq for Space {
    fn eq(&self, other: &Self) -> bool {
        let Self { encoder: _, weights, pooling, prefix, dimension } = self;
        *weights == other.weights
            && *pooling == other.pooling
            && *prefix == other.prefix
            && *dimension == other.dimension
    }
}

impl TryFrom<wire::Space> for Space {
    type Error = Invalid;

    fn try_from(space: wire::Space) -> Result<Self, Invalid> {
        let pooling = match space.pooling() {
            wire::Pooling::Mean => Pooling::Mean,
            wire::Pooling::Cls => Pooling::Cls,
            wire::Pooling::Unspecified => return Err(Invalid::missing("pooling")),
        };
        let wire::Space { encoder, weights_sha256, pooling: _, prefix, dimension } = space;
        let dimension = dimension as usize;
        bounded("dimension", dimension, (1, 4_096), "numbers")?;
        Ok(Self {
            encoder: text("encoder", encoder, (1, 120))?,
            weights: Digest::read("weights_sha256", &weights_sha256)?,
            pooling,
            prefix: {
                bounded("prefix", prefix.chars().count(), (0, 200), "characters")?;
                prefix
            },
            dimension,
        })
    }
}

impl From<&Space> for wire::Space {
    fn from(space: &Space) -> Self {
        let pooling = match space.pooling {
            Pooling::Mean => wire::Pooling::Mean,
            Pooling::Cls => wire::Pooling::Cls,
        };
        Self {
            encoder: space.encoder.clone(),
            weights_sha256: space.weights.as_bytes().to_vec(),
            pooling: pooling.into(),
            prefix: space.prefix.clone(),
            dimension: u32::try_from(space.dimension).unwrap_or(u32::MAX),
        }
    }
}

/// A vector of length one. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct UnitVector(Arc<[f32]>);

impl UnitVector {
    /// `values` scaled to length one; `None` where that has no meaning (no numbers, only zeros, NaN
    /// or infinity among them).
    pub fn scale(mut values: Vec<f32>) -> Option<Self> {
        let length = values.iter().map(|x| f64::from(*x) * f64::from(*x)).sum::<f64>().sqrt();
        if !length.is_finite() || length < 1e-12 {
            return None;
        }
        // What was scaled before stays as it is, bit for bit: digests of stored vectors depend on it.
        if (length - 1.0).abs() < 1e-7 {
            return Some(Self(values.into()));
        }
        #[expect(clippy::cast_possible_truncation, reason = "vectors are f32 throughout")]
        for x in &mut values {
            *x = (f64::from(*x) / length) as f32;
        }
        Some(Self(values.into()))
    }

    /// Checks a vector from the wire: `dimension` finite numbers, of length one within 0.1 %.
    pub fn read(field: &str, values: Vec<f32>, dimension: usize) -> Result<Self, Invalid> {
        bounded(field, values.len(), (dimension, dimension), "numbers")?;
        let square: f32 = values.iter().map(|x| x * x).sum();
        if !square.is_finite() {
            return Err(Invalid::malformed(field, "holds a number that is not finite"));
        }
        if (square.sqrt() - 1.0).abs() > 1e-3 {
            return Err(Invalid::malformed(field, "is not of length one"));
        }
        Self::scale(values).ok_or_else(|| Invalid::malformed(field, "is not of length one"))
    }

    /// The numbers.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// The direction of `(1 - share) * self + share * other`, for a share from 0 to 1; its own where the two
    /// cancel out.
    #[must_use]
    pub fn towards(&self, other: &Self, share: f32) -> Self {
        let pairs = self.0.iter().zip(&*other.0);
        let between = pairs.map(|(own, other)| (1.0 - share) * own + share * other).collect();
        Self::scale(between).unwrap_or_else(|| self.clone())
    }

    /// Cosine with a vector of the same space: -1 to 1.
    pub fn cosine(&self, other: &Self) -> f32 {
        dot(&self.0, &other.0)
    }
}

/// Independent sums: without them each addition waits for the one before, since the compiler may not
/// reorder additions of floats.
const LANES: usize = 16;

/// The inner product of two vectors of the same length; for unit vectors their cosine, up to
/// rounding. Written so that the compiler turns it into vector instructions.
pub fn dot(a: &[f32], b: &[f32]) -> f32 {
    debug_assert_eq!(a.len(), b.len(), "vectors of different spaces");
    let (a_chunks, a_rest) = a.as_chunks::<LANES>();
    let (b_chunks, b_rest) = b.as_chunks::<LANES>();
    let mut sums = [0.0_f32; LANES];
    for (a, b) in a_chunks.iter().zip(b_chunks) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}

/// What a text becomes: a unit vector, and the space that it may be compared in.
#[derive(Debug, Clone)]
pub struct Embedding {
    /// Where the vector means something.
    pub space: Arc<Space>,
    /// The vector.
    pub vector: UnitVector,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_from_the_wire_is_checked() {
        let read = |values: &[f32]| UnitVector::read("v", values.to_vec(), 2).map_err(|e| e.to_string());
        assert!(read(&[0.6, 0.8]).is_ok());
        assert_eq!(read(&[0.6, f32::NAN]), Err("v: holds a number that is not finite".into()));
        assert_eq!(read(&[f32::INFINITY, 0.0]), Err("v: holds a number that is not finite".into()));
        assert_eq!(read(&[0.6, 0.6]), Err("v: is not of length one".into()));
        assert_eq!(read(&[0.0, 0.0]), Err("v: is not of length one".into()));
        assert_eq!(read(&[1.0]), Err("v: has 1 numbers, where 2 to 2 are allowed".into()));
    }

    #[test]
    fn what_is_scaled_is_not_scaled_again() {
        for length in [1_u16, 2, 384, 4_096] {
            let values: Vec<f32> = (0..length).map(|n| (f32::from(n) * 0.7).sin() + 0.01).collect();
            let once = UnitVector::scale(values).unwrap();
            assert_eq!(UnitVector::scale(once.as_slice().to_vec()), Some(once));
        }
    }

    #[test]
    fn nothing_is_scaled_from_nothing() {
        for values in [vec![], vec![0.0, 0.0], vec![f32::NAN, 1.0], vec![f32::INFINITY]] {
            assert_eq!(UnitVector::scale(values), None);
        }
    }
}
