//! Whether a specialist vouches for what it said: what it signed is held to what was heard.

use audit::{Kind, PublicKey, SignatureError, Transcript, merkle, signed, transcript::Mismatch};
use proto::{Digest, PublishedCard, wire::Statement};

/// How a specialist whose card has a key fails to vouch for its answer.
#[derive(Debug, thiserror::Error)]
pub enum Unvouched {
    /// There is nothing signed.
    #[error("it did not sign its answer, though its card has a key")]
    Unsigned,
    /// Its key cannot be one.
    #[error("the key in its card is none")]
    NoKey,
    /// Somebody else signed it, or other bytes.
    #[error("its statement is not in order: {0}")]
    Signature(#[from] SignatureError),
    /// It signed something else.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// It signed in another's name.
    #[error("its statement is in another specialist's name")]
    Name,
    /// It signed another corpus or other weights than its card shows.
    #[error("its statement names another {0} than its card")]
    Card(&'static str),
    /// A passage is none of its corpus.
    #[error("a passage that it sent is not in the corpus of its card")]
    Passage,
}

/// Whether what was heard is what the specialist with the registered `card` signed; nothing is asked of one
/// without a key. It may have a newer card already, of the same key.
pub(super) fn vouched(heard: &Transcript, card: &PublishedCard) -> Result<(), Unvouched> {
    let says = card.card();
    let Some(key) = &says.public_key else { return Ok(()) };
    let key = PublicKey::read(key).ok_or(Unvouched::NoKey)?;
    let signed = heard.signed().ok_or(Unvouched::Unsigned)?;
    let statement: Statement = signed::open(&key, Kind::Statement, signed)?;
    heard.check(&statement)?;
    if statement.specialist_id != says.id.as_str() {
        return Err(Unvouched::Name);
    }
    if statement.card_sha256 == card.digest().as_bytes() {
        let same = |signed: &[u8], shown: Option<Digest>| {
            signed == shown.as_ref().map_or(&[][..], |digest| digest.as_bytes())
        };
        let checks = [
            ("weights", same(&statement.weights_sha256, says.weights_sha256)),
            ("data", same(&statement.data_sha256, says.data_sha256)),
            ("passages", same(&statement.passages_root, says.passages_root)),
            ("number of passages", statement.passage_count == says.passage_count),
        ];
        if let Some((what, _)) = checks.iter().find(|(_, same)| !same) {
            return Err(Unvouched::Card(what));
        }
    }
    if cites_only_its_own(heard, &statement) { Ok(()) } else { Err(Unvouched::Passage) }
}

/// Whether every passage that was sent leads to the root of its corpus, where it tells one.
fn cites_only_its_own(heard: &Transcript, statement: &Statement) -> bool {
    let Ok(root) = Digest::read("passages_root", &statement.passages_root) else {
        return heard.paths().is_empty();
    };
    let paths = heard.paths();
    let led = |(passage, path)| merkle::leads(root, statement.passage_count, passage, path);
    paths.len() == heard.passages().count() && heard.passages().zip(paths).all(led)
}
