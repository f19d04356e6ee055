//! One key follows another where the old one says so.

use proto::wire::{Signed, Succession};

use crate::{
    key::PublicKey,
    signed::{self, Kind},
};

/// The most successions that lead from one key to another at a time.
pub const SUCCESSIONS_MAX: usize = 16;

/// The key of `specialist_id` that `signed` appoints another after, and that other one; `None` where it is no such
/// thing, or not signed with the old key.
pub fn step(specialist_id: &str, signed: &Signed) -> Option<(PublicKey, PublicKey)> {
    let claimed: Succession = signed::canonical(&signed.payload).ok()?;
    let (old, new) = (PublicKey::read(&claimed.old_public_key)?, PublicKey::read(&claimed.new_public_key)?);
    signed::verify(&old, Kind::Succession, &signed.payload, &signed.signature).ok()?;
    (claimed.specialist_id == specialist_id && old != new).then_some((old, new))
}

/// The first and the last key of `specialist_id` in `steps`, the oldest first: at least one and at most
/// [`SUCCESSIONS_MAX`]; `None` where one of them does not follow from the one before.
pub fn chain(specialist_id: &str, steps: &[Signed]) -> Option<(PublicKey, PublicKey)> {
    let (first, rest) = steps.split_first().filter(|_| steps.len() <= SUCCESSIONS_MAX)?;
    rest.iter().try_fold(step(specialist_id, first)?, |(first, last), signed| {
        let (old, new) = step(specialist_id, signed)?;
        (old == last).then_some((first, new))
    })
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::key::SecretKey;

    fn appointed(signer: &SecretKey, old: &SecretKey, new: &SecretKey) -> Signed {
        let says = Succession {
            specialist_id: "a".into(),
            old_public_key: old.public().as_bytes().to_vec(),
            new_public_key: new.public().as_bytes().to_vec(),
        };
        signed::sign(signer, Kind::Succession, says.encode_to_vec())
    }

    #[test]
    fn keys_follow_one_another_step_by_step() {
        let [a, b, c] = [(); 3].map(|()| SecretKey::generate().unwrap());
        let (ab, bc) = (appointed(&a, &a, &b), appointed(&b, &b, &c));
        assert_eq!(chain("a", &[ab.clone(), bc.clone()]), Some((a.public(), c.public())));
        assert_eq!(chain("a", std::slice::from_ref(&ab)), Some((a.public(), b.public())));
        assert_eq!(chain("a", &[]), None);
        assert_eq!(chain("a", &[bc.clone(), ab.clone()]), None, "out of order");
        assert_eq!(chain("b", std::slice::from_ref(&ab)), None, "another's");
        assert_eq!(chain("a", &[appointed(&b, &a, &b)]), None, "the new key appoints itself");
        assert_eq!(chain("a", &[appointed(&a, &a, &a)]), None, "nothing changes");
        assert_eq!(chain("a", &vec![ab; SUCCESSIONS_MAX + 1]), None);
    }
}
