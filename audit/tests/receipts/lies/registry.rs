//! What registries lie about.

use audit::{Kind, SecretKey, merkle::Tree, signed};
use prost::Message as _;
use proto::wire::{RegistryChange, RegistryEntry, Signed, Succession};

use super::{Lie::Made as Before, Named};
use crate::samples::{Made, world::secret};

pub(crate) const REGISTRY: &[Named] = &[
    (
        "card withheld",
        Before(|_, made| {
            made.institutions
                .pop()
                .filter(|_| made.receipt.calls.iter().all(|call| call.statement.is_none()))
                .map(|_| ())
        }),
        &["institutions_differ"],
    ),
    (
        "card too many",
        Before(|_, made| {
            let one = made.institutions.first()?.clone();
            made.institutions.push(one);
            Some(())
        }),
        &["institutions_differ"],
    ),
    (
        "cards swapped",
        Before(|_, made| (made.institutions.len() > 1).then(|| made.institutions.swap(0, 1))),
        &["institutions_differ"],
    ),
    (
        "rolled back",
        Before(|_, made| {
            made.receipt
                .registry
                .as_mut()
                .map(|state| state.size += 9)
                .filter(|()| !made.institutions.is_empty())
        }),
        &["registry_rolled_back"],
    ),
    (
        "forked",
        Before(|_, made| {
            let state = made.receipt.registry.as_mut()?;
            state.root = vec![0; 32];
            (state.size == made.entries.len() as u64 && !made.institutions.is_empty()).then_some(())
        }),
        &["registry_forked"],
    ),
    (
        "card's signature",
        Before(|_, made| {
            entry(made, |entry| {
                let sign = !entry.signature.is_empty();
                entry.signature = vec![1; 64];
                sign
            })
        }),
        &["card_signature_wrong"],
    ),
    (
        "card's signature dropped",
        Before(|_, made| entry(made, |entry| !std::mem::take(&mut entry.signature).is_empty())),
        &["card_signature_wrong"],
    ),
    (
        "revoked",
        Before(|_, made| {
            entry(made, |entry| {
                entry.change = RegistryChange::Revoked.into();
                true
            })
        }),
        &["entry_wrong"],
    ),
    (
        "entry of another",
        Before(|_, made| {
            entry(made, |entry| {
                entry.specialist_id = "x".into();
                true
            })
        }),
        &["entry_wrong"],
    ),
    (
        "rewritten card",
        Before(|_, made| {
            entry(made, |entry| {
                entry.content_sha256 = vec![0; 32];
                true
            })
        }),
        &["entry_wrong"],
    ),
    (
        "entry's key",
        Before(|_, made| {
            entry(made, |entry| {
                entry.public_key = vec![2; 32];
                true
            })
        }),
        &["entry_wrong"],
    ),
    (
        "rotated by nobody",
        Before(|_, made| {
            entry(made, |entry| {
                entry.change = RegistryChange::Rotated.into();
                true
            })
        }),
        &["succession_wrong"],
    ),
    (
        "rotated by another",
        Before(|_, made| {
            entry(made, |entry| {
                entry.successions = vec![Signed { payload: vec![10, 1, 120], signature: vec![0; 64] }];
                true
            })
        }),
        &["succession_wrong"],
    ),
    (
        "appointed as another",
        Before(|_, made| entry(made, |entry| appointed(entry, "x", entry.public_key.clone()))),
        &["succession_wrong"],
    ),
    (
        "another appointed",
        Before(|_, made| entry(made, |entry| appointed(entry, &entry.specialist_id.clone(), vec![9; 32]))),
        &["succession_wrong"],
    ),
    (
        "more successions than there may be",
        Before(|_, made| {
            entry(made, |entry| {
                let steps = (1..=17).map(|step| {
                    let next = if step == 17 {
                        entry.public_key.clone()
                    } else {
                        secret([step + 1; 32]).public().as_bytes().to_vec()
                    };
                    succession(&secret([step; 32]), &entry.specialist_id, next)
                });
                entry.successions = steps.collect();
                true
            })
        }),
        &["succession_wrong"],
    ),
    (
        "entry with more in it",
        Before(|_, made| {
            let at = made.institutions.first()?.1;
            made.entries[at].extend([0xf8, 0x06, 1]);
            unforked(made);
            Some(())
        }),
        &["entry_not_canonical"],
    ),
    (
        "unreadable card",
        Before(|_, made| {
            made.institutions.first_mut()?.0 = vec![0xff];
            Some(())
        }),
        &["institutions_differ", "card_malformed"],
    ),
];

/// Changes the first entry that is named, and the state of the registry with it.
fn entry(made: &mut Made, change: fn(&mut RegistryEntry) -> bool) -> Option<()> {
    let at = made.institutions.first()?.1;
    let mut entry = RegistryEntry::decode(made.entries[at].as_slice()).unwrap();
    let changed = change(&mut entry);
    made.entries[at] = entry.encode_to_vec();
    unforked(made);
    changed.then_some(())
}

/// Gives `entry` a succession that somebody signed: of `specialist_id` to the key `new`.
fn appointed(entry: &mut RegistryEntry, specialist_id: &str, new: Vec<u8>) -> bool {
    entry.successions = vec![succession(&secret([1; 32]), specialist_id, new)];
    true
}

fn succession(old: &SecretKey, specialist_id: &str, new: Vec<u8>) -> Signed {
    let says = Succession {
        specialist_id: specialist_id.to_owned(),
        old_public_key: old.public().as_bytes().to_vec(),
        new_public_key: new,
    };
    signed::sign(old, Kind::Succession, says.encode_to_vec())
}

/// Makes the state that the receipt names one of the changed log.
fn unforked(made: &mut Made) {
    let Some(state) = &mut made.receipt.registry else { return };
    let mut tree = Tree::default();
    for entry in &made.entries[..usize::try_from(state.size).unwrap()] {
        tree.push(entry).unwrap();
    }
    state.root = tree.root().unwrap().as_bytes().to_vec();
}
