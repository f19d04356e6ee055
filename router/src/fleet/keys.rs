//! Whose card it is: its signature, what shows that a specialist holds its key, and which key follows which.
//! Pure: a look asks, whoever has the registrations decides.

use audit::{Kind, PublicKey, signed, succession};
use proto::{Card, PublishedCard, SpecialistId, wire};

/// The most bytes that one of them has on the wire.
pub(super) const SUCCESSION_BYTES_MAX: usize = 256;

/// A card as it is shown, with what is said to make it its owner's; only its bounds were checked.
#[derive(Debug)]
pub(super) struct Shown {
    /// The card.
    pub(super) card: PublishedCard,
    /// Its signature, or nothing.
    pub(super) signature: Vec<u8>,
    /// Where its key was another before, the oldest change first.
    pub(super) successions: Vec<wire::Signed>,
}

/// What is wrong with a card's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// There is none.
    #[error("has a key and no signature")]
    Missing,
    /// It is not that key's over that card.
    #[error("is not signed with the key in it")]
    Mismatch,
    /// Nobody can check it.
    #[error("has a signature and no key")]
    Keyless,
    /// No signature can fit.
    #[error("has a key that is none of Ed25519")]
    NoKey,
}

/// The signature of `shown`'s card with the key in it; `None` where it has neither.
pub(super) fn signature(shown: &Shown) -> Result<Option<[u8; 64]>, SignatureFault> {
    let Shown { card, signature, successions: _ } = shown;
    let Some(key) = card.card().public_key else {
        return if signature.is_empty() { Ok(None) } else { Err(SignatureFault::Keyless) };
    };
    let key = PublicKey::read(&key).ok_or(SignatureFault::NoKey)?;
    if signature.is_empty() {
        return Err(SignatureFault::Missing);
    }
    signed::verify(&key, Kind::Card, card.bytes(), signature).map_err(|_| SignatureFault::Mismatch)?;
    signature.as_slice().try_into().map(Some).map_err(|_| SignatureFault::Mismatch)
}

/// Whether `answer` shows that whoever was challenged with `request` holds `key`, which is that of `id`.
pub(super) fn is_proof(
    request: &wire::ProveRequest,
    id: &SpecialistId,
    key: &[u8; 32],
    answer: &wire::ProveResponse,
) -> bool {
    let expected = wire::Possession {
        nonce: request.nonce.clone(),
        router: request.router.clone(),
        specialist_id: id.to_string(),
        public_key: key.to_vec(),
    };
    let opened = PublicKey::read(key)
        .zip(answer.possession.as_ref())
        .and_then(|(key, signed)| signed::open::<wire::Possession>(&key, Kind::Possession, signed).ok());
    opened.is_some_and(|possession| possession == expected)
}

/// What leads from the key of the registered card `old` to that of `new`: nothing where the key is the same,
/// or the first one. `None` where `new` is not that specialist's: it has another id or institution, another
/// key that the old one did not appoint, or none any more. A key that `is_revoked` appoints nobody.
pub(super) fn follows(
    old: &Card,
    new: &Card,
    successions: &[wire::Signed],
    is_revoked: impl Fn(&[u8; 32]) -> bool,
) -> Option<Vec<wire::Signed>> {
    if (&new.id, &new.institution) != (&old.id, &old.institution) {
        return None;
    }
    let (Some(pinned), key) = (old.public_key, new.public_key) else { return Some(Vec::new()) };
    let (mut at, mut steps) = (pinned, Vec::new());
    for signed in successions {
        if Some(at) == key || is_revoked(&at) {
            break;
        }
        // Those from before the key that is registered lead nowhere from there.
        let step = succession::step(new.id.as_str(), signed).filter(|(old, _)| *old.as_bytes() == at);
        let Some((_, next)) = step else { continue };
        steps.push(signed.clone());
        at = *next.as_bytes();
    }
    (Some(at) == key).then_some(steps)
}

#[cfg(test)]
mod tests {
    use audit::SecretKey;
    use prost::Message;

    use super::*;

    fn card(id: &str, institution: &str, key: Option<&SecretKey>) -> PublishedCard {
        let card = wire::Card {
            specialist_id: id.into(),
            title: id.into(),
            institution: institution.into(),
            description: id.into(),
            license: "none".into(),
            public_endpoint: "http://127.0.0.1:1".into(),
            generator: "none".into(),
            revision: "1".into(),
            public_key: key.map(|key| key.public().as_bytes().to_vec()).unwrap_or_default(),
            ..Default::default()
        };
        PublishedCard::publish(&card).unwrap()
    }

    fn keys<const N: usize>() -> [SecretKey; N] {
        std::array::from_fn(|_| SecretKey::generate().unwrap())
    }

    fn succession(id: &str, signer: &SecretKey, from: &SecretKey, to: &SecretKey) -> wire::Signed {
        let succession = wire::Succession {
            specialist_id: id.into(),
            old_public_key: from.public().as_bytes().to_vec(),
            new_public_key: to.public().as_bytes().to_vec(),
        };
        signed::sign(signer, Kind::Succession, succession.encode_to_vec())
    }

    #[test]
    fn a_card_with_a_key_is_signed_with_it_and_one_without_is_not() {
        let [key, other] = keys();
        let signature_of = |card: &PublishedCard, bytes: &[u8]| {
            let shown = Shown { card: card.clone(), signature: bytes.to_vec(), successions: Vec::new() };
            signature(&shown)
        };
        let (keyed, plain) = (card("a", "i", Some(&key)), card("a", "i", None));
        let good = signed::signature(&key, Kind::Card, keyed.bytes());
        assert_eq!(signature_of(&keyed, &good), Ok(Some(good)));
        assert_eq!(signature_of(&plain, &[]), Ok(None));
        assert_eq!(signature_of(&plain, &good), Err(SignatureFault::Keyless));
        assert_eq!(signature_of(&keyed, &[]), Err(SignatureFault::Missing));
        let others = signed::signature(&other, Kind::Card, keyed.bytes());
        assert_eq!(signature_of(&keyed, &others), Err(SignatureFault::Mismatch));
        assert_eq!(signature_of(&keyed, &good[..63]), Err(SignatureFault::Mismatch));
        let other_kind = signed::signature(&key, Kind::Statement, keyed.bytes());
        assert_eq!(signature_of(&keyed, &other_kind), Err(SignatureFault::Mismatch));
        let unkeyed = wire::Card { public_key: vec![2; 32], ..Message::decode(keyed.bytes()).unwrap() };
        let unkeyed = PublishedCard::publish(&unkeyed).unwrap();
        assert_eq!(signature_of(&unkeyed, &good), Err(SignatureFault::NoKey));
    }

    #[test]
    fn only_the_answer_to_just_this_challenge_shows_possession() {
        let [key, other] = keys();
        let id: SpecialistId = "a".parse().unwrap();
        let public = *key.public().as_bytes();
        let request = wire::ProveRequest { nonce: vec![7; 32], router: "here".into() };
        let possession = wire::Possession {
            nonce: vec![7; 32],
            router: "here".into(),
            specialist_id: "a".into(),
            public_key: public.to_vec(),
        };
        let proves = |signer: &SecretKey, kind, possession: &wire::Possession| {
            let signed = signed::sign(signer, kind, possession.encode_to_vec());
            is_proof(&request, &id, &public, &wire::ProveResponse { possession: Some(signed) })
        };
        assert!(proves(&key, Kind::Possession, &possession));
        assert!(!proves(&other, Kind::Possession, &possession));
        assert!(!proves(&key, Kind::Statement, &possession));
        for replayed in [
            wire::Possession { nonce: vec![8; 32], ..possession.clone() },
            wire::Possession { router: "elsewhere".into(), ..possession.clone() },
            wire::Possession { specialist_id: "b".into(), ..possession.clone() },
            wire::Possession { public_key: other.public().as_bytes().to_vec(), ..possession.clone() },
        ] {
            assert!(!proves(&key, Kind::Possession, &replayed));
        }
        assert!(!is_proof(&request, &id, &public, &wire::ProveResponse { possession: None }));
    }

    #[test]
    fn a_key_is_followed_by_the_one_that_it_appoints() {
        let [a, b, c, d] = keys();
        let of = |key: Option<&SecretKey>| card("x", "i", key);
        let steps = |old: Option<&SecretKey>, new: Option<&SecretKey>, shown: &[wire::Signed]| {
            follows(of(old).card(), of(new).card(), shown, |_| false).map(|steps| steps.len())
        };
        let step = |from: &SecretKey, to: &SecretKey| succession("x", from, from, to);
        assert_eq!(steps(None, None, &[]), Some(0));
        assert_eq!(steps(None, Some(&a), &[]), Some(0), "the first key");
        assert_eq!(steps(Some(&a), Some(&a), &[]), Some(0));
        assert_eq!(steps(Some(&a), None, &[]), None, "a key is not given up");
        assert_eq!(steps(Some(&a), Some(&b), &[]), None);
        assert_eq!(steps(Some(&a), Some(&b), &[step(&a, &b)]), Some(1));
        let all = [step(&a, &b), step(&b, &c), step(&c, &d)];
        assert_eq!(steps(Some(&a), Some(&d), &all), Some(3));
        assert_eq!(steps(Some(&c), Some(&d), &all), Some(1));
        assert_eq!(steps(Some(&b), Some(&c), &all), Some(1), "no further than to the key of the card");
        assert_eq!(steps(Some(&a), Some(&d), &[all[0].clone(), all[2].clone()]), None, "a gap");
        assert_eq!(steps(Some(&b), Some(&a), &all), None, "the way back");
        assert_eq!(steps(Some(&a), Some(&b), &[succession("x", &b, &a, &b)]), None, "signed by the new");
        assert_eq!(steps(Some(&a), Some(&b), &[succession("y", &a, &a, &b)]), None, "another's");
        assert_eq!(steps(Some(&a), Some(&b), &[succession("x", &a, &c, &b)]), None, "another old key");
    }

    #[test]
    fn neither_a_revoked_key_nor_another_institution_is_followed() {
        let [a, b, c] = keys();
        let shown = [succession("x", &a, &a, &b), succession("x", &b, &b, &c)];
        let (old, new) = (card("x", "i", Some(&a)), card("x", "i", Some(&c)));
        let without = |revoked: &SecretKey| {
            let revoked = *revoked.public().as_bytes();
            follows(old.card(), new.card(), &shown, |key| *key == revoked)
        };
        assert_eq!((without(&a), without(&b)), (None, None));
        for other in [card("y", "i", Some(&a)), card("x", "j", Some(&a))] {
            assert_eq!(follows(old.card(), other.card(), &shown, |_| false), None);
        }
    }
}
