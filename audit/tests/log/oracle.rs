//! Another implementation of the same trees agrees.

use audit::{Checkpoint, Proof};
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash, mem_backed_tree::MemoryBackedTree};
use proptest::prelude::*;
use sha2::{Sha256, digest::Output};

use crate::Log;

fn root(checkpoint: &Checkpoint) -> RootHash<Sha256> {
    RootHash::new(Output::<Sha256>::from(*checkpoint.root.as_bytes()), checkpoint.size)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn it_agrees_on_roots_inclusion_and_growth(
        old in 1..700_u32,
        more in 0..700_u32,
        at in any::<prop::sample::Index>(),
    ) {
        let mut log = Log::of(old);
        let (mut writer, _) = log.open().unwrap();
        let before = writer.publish().unwrap();
        for index in old..old + more {
            log.append(&mut writer, crate::entry(index));
        }
        let after = writer.publish().unwrap();

        let mut tree = MemoryBackedTree::<Sha256, Vec<u8>>::new();
        log.entries.iter().for_each(|entry| tree.push(entry.clone()));
        prop_assert!(tree.root() == root(&after));
        let growth = tree.prove_consistency(more.try_into().unwrap());
        let growth = ConsistencyProof::<Sha256>::try_from_bytes(growth.as_bytes().to_vec()).unwrap();
        prop_assert!(root(&after).verify_consistency(&root(&before), &growth).is_ok());
        prop_assert_eq!(log.reader().root_at(&after, old.into()).unwrap(), before.root);

        let index = at.index(log.entries.len());
        let proof: Proof = writer.prove(index as u64).unwrap();
        let path: Vec<u8> = proof.path.iter().flat_map(|hash| *hash.as_bytes()).collect();
        let theirs = tree.prove_inclusion(index);
        prop_assert_eq!(theirs.as_bytes(), path.as_slice());
        let path = InclusionProof::<Sha256>::try_from_bytes(path).unwrap();
        prop_assert!(root(&after).verify_inclusion(&log.entries[index], index as u64, &path).is_ok());
        prop_assert_eq!(log.check(&proof), u64::from(old + more));
    }
}
