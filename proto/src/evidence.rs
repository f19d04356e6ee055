//! Probes: what a specialist's index holds near a question whose text it does not see.

use crate::{
    Invalid, Space, Terms, UnitVector,
    invalid::{bounded, within},
    terms::TERMS_MAX,
    wire,
};

/// A question without its text.
#[derive(Debug, Clone)]
pub struct Probe {
    /// The space of the vector.
    pub space: Space,
    /// Where it lies.
    pub vector: UnitVector,
    /// Its terms; none where the specialist takes none.
    pub terms: Terms,
}

impl TryFrom<wire::ProbeRequest> for Probe {
    type Error = Invalid;

    fn try_from(request: wire::ProbeRequest) -> Result<Self, Invalid> {
        let wire::ProbeRequest { space, vector, terms } = request;
        let space = space.ok_or_else(|| Invalid::missing("space"))?;
        let space = Space::try_from(space).map_err(|invalid| invalid.within("space"))?;
        bounded("terms", terms.len(), (0, TERMS_MAX), "entries")?;
        let vector = UnitVector::read("vector", vector, space.dimension)?;
        Ok(Self { space, vector, terms: Terms::from_hashes(terms) })
    }
}

impl From<Probe> for wire::ProbeRequest {
    fn from(probe: Probe) -> Self {
        let Probe { space, vector, terms } = probe;
        let terms = terms.hashes().iter().copied().take(TERMS_MAX).collect();
        Self { space: Some((&space).into()), vector: vector.as_slice().to_vec(), terms }
    }
}

/// What an index holds near a question.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Evidence {
    /// Mean of the three best cosines of question and passage: -1 to 1.
    pub nearness: f32,
    /// What the terms say, where there are any.
    pub wording: Option<Wording>,
}

/// What the terms of a question say of a corpus.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Wording {
    /// Largest share of the question's weight whose terms stand in one passage: 0 to 1.
    pub covered: f32,
    /// Largest weighted Jaccard similarity of the question's terms and a title's: 0 to 1.
    pub titled: f32,
    /// Mean of `ln(df / n + 0.002)` over the question's terms: -6.3 to 0.1.
    pub familiar: f32,
}

impl TryFrom<wire::ProbeResponse> for Evidence {
    type Error = Invalid;

    fn try_from(response: wire::ProbeResponse) -> Result<Self, Invalid> {
        let wire::ProbeResponse { nearness, wording } = response;
        let wording = wording.map(|wording| {
            let wire::Wording { covered, titled, familiar } = wording;
            Ok::<_, Invalid>(Wording {
                covered: within("wording.covered", covered, (0.0, 1.0))?,
                titled: within("wording.titled", titled, (0.0, 1.0))?,
                familiar: within("wording.familiar", familiar, (-6.3, 0.1))?,
            })
        });
        Ok(Self { nearness: within("nearness", nearness, (-1.0, 1.0))?, wording: wording.transpose()? })
    }
}

impl From<Evidence> for wire::ProbeResponse {
    fn from(evidence: Evidence) -> Self {
        let Evidence { nearness, wording } = evidence;
        let wording =
            wording.map(|Wording { covered, titled, familiar }| wire::Wording { covered, titled, familiar });
        Self { nearness, wording }
    }
}
