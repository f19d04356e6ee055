//! Prototypes: a domain as points.

use prost::Message;

use crate::{Digest, Invalid, Space, UnitVector, invalid::bounded, wire};

/// The fewest passages that a published centroid may average, so that it is no single record's.
pub const PASSAGES_PER_PROTOTYPE_MIN: u32 = 5;

/// The most prototypes that a specialist may publish.
pub const PROTOTYPES_MAX: usize = 4_096;

/// A point that stands for a part of a domain.
#[derive(Debug, Clone, PartialEq)]
pub struct Prototype {
    /// Where it lies.
    pub vector: UnitVector,
    /// How many passages it averages; 0 for a published text.
    pub passage_count: u32,
}

/// The points of one specialist: 1 to 4,096, all in one space.
#[derive(Debug, Clone)]
pub struct Prototypes {
    /// The space.
    pub space: Space,
    /// The points.
    pub points: Vec<Prototype>,
    /// The card's revision that they were made from.
    pub revision: String,
}

impl Prototypes {
    /// The digest of their serialization, a `PrototypesResponse`. The same points read again have the same.
    pub fn digest(&self) -> Digest {
        Digest::of(wire::PrototypesResponse::from(self).encode_to_vec())
    }
}

impl TryFrom<wire::PrototypesResponse> for Prototypes {
    type Error = Invalid;

    fn try_from(response: wire::PrototypesResponse) -> Result<Self, Invalid> {
        let wire::PrototypesResponse { space, prototypes, revision } = response;
        let space = space.ok_or_else(|| Invalid::missing("space"))?;
        let space = Space::try_from(space).map_err(|invalid| invalid.within("space"))?;
        bounded("prototypes", prototypes.len(), (1, PROTOTYPES_MAX), "entries")?;
        let points = prototypes.into_iter().enumerate().map(|(at, prototype)| {
            let wire::Prototype { vector, passage_count } = prototype;
            if (1..PASSAGES_PER_PROTOTYPE_MIN).contains(&passage_count) {
                return Err(Invalid::malformed(
                    format!("prototypes[{at}].passage_count"),
                    "must be at least 5, so that no vector is one record's",
                ));
            }
            let vector = UnitVector::read(&format!("prototypes[{at}].vector"), vector, space.dimension)?;
            Ok(Prototype { vector, passage_count })
        });
        let points = points.collect::<Result<_, _>>()?;
        Ok(Self { space, points, revision })
    }
}

impl From<&Prototypes> for wire::PrototypesResponse {
    fn from(prototypes: &Prototypes) -> Self {
        let points = prototypes.points.iter().map(|point| wire::Prototype {
            vector: point.vector.as_slice().to_vec(),
            passage_count: point.passage_count,
        });
        Self {
            space: Some((&prototypes.space).into()),
            prototypes: points.collect(),
            revision: prototypes.revision.clone(),
        }
    }
}
