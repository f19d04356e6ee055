//! Cards: what a specialist says of itself.

use std::{fmt, str::FromStr, sync::Arc};

use prost::Message;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    Endpoint, Invalid,
    invalid::{bounded, name, text, texts, within},
    wire,
};

/// The most bytes that a card may have.
pub const CARD_BYTES_MAX: usize = 256 << 10;

/// The most of the user's earlier turns that a specialist may be shown.
pub const HISTORY_TURNS_MAX: usize = 16;

/// A specialist's name in the fleet: lower-case letters, digits and hyphens, starting with a
/// letter, 1 to 64. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SpecialistId(Arc<str>);

impl SpecialistId {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for SpecialistId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for SpecialistId {
    type Err = Invalid;

    fn from_str(id: &str) -> Result<Self, Invalid> {
        bounded("specialist_id", id.len(), (1, 64), "characters")?;
        let well_formed = id.starts_with(|c: char| c.is_ascii_lowercase())
            && id.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
        if !well_formed {
            return Err(Invalid::malformed(
                "specialist_id",
                "must start with a lower-case letter and hold only lower-case letters, digits and hyphens",
            ));
        }
        Ok(Self(id.into()))
    }
}

impl From<SpecialistId> for String {
    fn from(id: SpecialistId) -> Self {
        id.0.as_ref().to_owned()
    }
}

impl TryFrom<String> for SpecialistId {
    type Error = Invalid;

    fn try_from(id: String) -> Result<Self, Invalid> {
        id.parse()
    }
}

/// A SHA-256.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The digest of `bytes`.
    pub fn of(bytes: impl AsRef<[u8]>) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The digest of everything that `hasher` was given.
    pub fn finish(hasher: Sha256) -> Self {
        Self(hasher.finalize().into())
    }

    /// The digest whose bytes these are, if there are 32.
    pub fn read(field: &str, bytes: &[u8]) -> Result<Self, Invalid> {
        let digest =
            bytes.try_into().map_err(|_| Invalid::malformed(field, "must be a SHA-256 of 32 bytes"))?;
        Ok(Self(digest))
    }

    /// Its 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl From<[u8; 32]> for Digest {
    /// The digest whose bytes these are.
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A card within its bounds; the schema states them field by field.
#[derive(Debug, Clone, PartialEq)]
pub struct Card {
    /// Name in the fleet.
    pub id: SpecialistId,
    /// The domain.
    pub title: String,
    /// Who answers for its words.
    pub institution: String,
    /// What it covers.
    pub description: String,
    /// Questions that it answers well.
    pub example_questions: Vec<String>,
    /// Texts that the router may embed in place of prototypes.
    pub sample_texts: Vec<String>,
    /// Licence of its words.
    pub license: String,
    /// What readers must know; may be empty.
    pub notice: String,
    /// Where its owner says that it is reached.
    pub public_endpoint: Endpoint,
    /// How its answers are made.
    pub generator: String,
    /// Changes with everything that it says or says of itself.
    pub revision: String,
    /// Size of its corpus.
    pub passage_count: u64,
    /// Whether the asker must have agreed before a question goes there.
    pub asks_consent: bool,
    /// How far its index may be probed.
    pub probing: Probing,
    /// How much of where a passage lies is its heading's: 0 to 1.
    pub title_share: f32,
    /// How many of the user's earlier turns it may be shown with a question that follows up on them: 0 to
    /// [`HISTORY_TURNS_MAX`].
    pub history_turns_max: usize,
    /// The Ed25519 key with which it signs; `None` where it signs nothing.
    pub public_key: Option<[u8; 32]>,
    /// Whether its weights can be had.
    pub weights_openness: Openness,
    /// Whether its corpus can be had.
    pub data_openness: Openness,
    /// What it is meant for, and what not; may be empty.
    pub intended_use: String,
    /// What it keeps of questions; may be empty.
    pub retention: String,
    /// SHA-256 of the manifest of its weights.
    pub weights_sha256: Option<Digest>,
    /// SHA-256 of the manifest of its corpus.
    pub data_sha256: Option<Digest>,
    /// Root of the Merkle tree over its passages.
    pub passages_root: Option<Digest>,
}

/// How far others can have what an answer rests on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Openness {
    /// Not said.
    #[default]
    Unsaid,
    /// Anybody can have it.
    Open,
    /// It is described, but kept.
    Described,
    /// It is kept.
    Closed,
}

impl From<wire::Openness> for Openness {
    fn from(openness: wire::Openness) -> Self {
        match openness {
            wire::Openness::Unspecified => Self::Unsaid,
            wire::Openness::Open => Self::Open,
            wire::Openness::Described => Self::Described,
            wire::Openness::Closed => Self::Closed,
        }
    }
}

impl From<Openness> for wire::Openness {
    fn from(openness: Openness) -> Self {
        match openness {
            Openness::Unsaid => Self::Unspecified,
            Openness::Open => Self::Open,
            Openness::Described => Self::Described,
            Openness::Closed => Self::Closed,
        }
    }
}

/// What of a question a specialist's index may be shown before anybody is asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Probing {
    /// Nothing.
    Off,
    /// Its vector.
    Vector,
    /// Its vector, and the hashes of its terms.
    #[default]
    Terms,
}

impl TryFrom<wire::Card> for Card {
    type Error = Invalid;

    fn try_from(card: wire::Card) -> Result<Self, Invalid> {
        let probing = match card.probing() {
            wire::Probing::Unspecified => Probing::Off,
            wire::Probing::Vector => Probing::Vector,
            wire::Probing::Terms => Probing::Terms,
        };
        let (weights_open, data_open) = (card.weights_openness(), card.data_openness());
        // Taken apart in full, so that a new wire field fails the build here.
        let wire::Card {
            specialist_id,
            title,
            institution,
            description,
            example_questions,
            sample_texts,
            license,
            notice,
            public_endpoint,
            generator,
            revision,
            passage_count,
            asks_consent,
            probing: _,
            title_share,
            history_turns_max,
            public_key,
            weights_openness: _,
            data_openness: _,
            intended_use,
            retention,
            weights_sha256,
            data_sha256,
            passages_root,
        } = card;
        Ok(Self {
            id: specialist_id.parse()?,
            title: name("title", title, (1, 120))?,
            institution: name("institution", institution, (1, 120))?,
            description: text("description", description, (1, 2_000))?,
            example_questions: texts("example_questions", example_questions, 64, (1, 500))?,
            sample_texts: texts("sample_texts", sample_texts, 512, (1, 4_000))?,
            license: name("license", license, (1, 120))?,
            notice: text("notice", notice, (0, 500))?,
            public_endpoint: Endpoint::parse("public_endpoint", &public_endpoint)?,
            generator: name("generator", generator, (1, 64))?,
            revision: name("revision", revision, (1, 64))?,
            passage_count,
            asks_consent,
            probing,
            title_share: within("title_share", title_share, (0.0, 1.0))?,
            history_turns_max: history_turns(history_turns_max)?,
            public_key: public_key_of(&public_key)?,
            weights_openness: weights_open.into(),
            data_openness: data_open.into(),
            intended_use: text("intended_use", intended_use, (0, 1_000))?,
            retention: text("retention", retention, (0, 500))?,
            weights_sha256: digest("weights_sha256", &weights_sha256)?,
            data_sha256: digest("data_sha256", &data_sha256)?,
            passages_root: digest("passages_root", &passages_root)?,
        })
    }
}

fn public_key_of(bytes: &[u8]) -> Result<Option<[u8; 32]>, Invalid> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let key = bytes.try_into().map_err(|_| Invalid::malformed("public_key", "must have 32 bytes or none"))?;
    Ok(Some(key))
}

fn digest(field: &str, bytes: &[u8]) -> Result<Option<Digest>, Invalid> {
    if bytes.is_empty() { Ok(None) } else { Digest::read(field, bytes).map(Some) }
}

fn history_turns(count: u32) -> Result<usize, Invalid> {
    let found = count as usize;
    let problem = format!("is {found}, where 0 to {HISTORY_TURNS_MAX} is allowed");
    (found <= HISTORY_TURNS_MAX)
        .then_some(found)
        .ok_or_else(|| Invalid::malformed("history_turns_max", problem))
}

/// A card as the exact bytes that its owner published, and what they say.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishedCard {
    card: Card,
    bytes: Vec<u8>,
    digest: Digest,
}

impl PublishedCard {
    /// Encodes a card, once; from then on its bytes travel as they are.
    pub fn publish(card: &wire::Card) -> Result<Self, Invalid> {
        Self::read(card.encode_to_vec())
    }

    /// Reads a card that somebody published.
    pub fn read(bytes: Vec<u8>) -> Result<Self, Invalid> {
        bounded("card", bytes.len(), (1, CARD_BYTES_MAX), "bytes")?;
        let card = wire::Card::decode(bytes.as_slice())
            .map_err(|_| Invalid::malformed("card", "is not a serialized consilium.v1.Card"))?;
        let card = Card::try_from(card).map_err(|invalid| invalid.within("card"))?;
        Ok(Self { digest: Digest::of(&bytes), card, bytes })
    }

    /// What the card says.
    pub fn card(&self) -> &Card {
        &self.card
    }

    /// The published bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// SHA-256 of the published bytes.
    pub fn digest(&self) -> Digest {
        self.digest
    }
}
