//! A corpus as points that may be published: centroids of at least five passages each.

use index::kmeans;
use proto::{
    Prototype, UnitVector,
    prototypes::{PASSAGES_PER_PROTOTYPE_MIN, PROTOTYPES_MAX},
};

/// How many centroids a corpus of so many passages gives at the most.
pub(crate) fn count_max(passages: usize) -> usize {
    (passages / PASSAGES_PER_PROTOTYPE_MIN as usize).min(PROTOTYPES_MAX)
}

/// At most `count` centroids of `vectors`; none where there are fewer than five. Takes long for a
/// large corpus.
pub(crate) fn make(vectors: &[UnitVector], count: usize) -> Vec<Prototype> {
    let count = count.min(count_max(vectors.len()));
    if count == 0 {
        return Vec::new();
    }
    let clusters = kmeans::spherical(vectors, count, PASSAGES_PER_PROTOTYPE_MIN as usize);
    let prototypes = clusters.into_iter().filter_map(|cluster| {
        let passage_count = u32::try_from(cluster.members).ok()?;
        // The promise is kept here, whatever the clustering does.
        (passage_count >= PASSAGES_PER_PROTOTYPE_MIN)
            .then_some(Prototype { vector: cluster.center, passage_count })
    });
    prototypes.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vectors(count: usize) -> Vec<UnitVector> {
        #[expect(clippy::cast_precision_loss, reason = "small numbers")]
        let vector = |at: usize| UnitVector::scale(vec![1.0 + at as f32, (at % 7) as f32, 3.0]).unwrap();
        (0..count).map(vector).collect()
    }

    #[test]
    fn no_centroid_is_of_fewer_than_five() {
        for passages in [0, 4, 5, 9, 10, 33, 60] {
            let prototypes = make(&vectors(passages), 8);
            assert_eq!(prototypes.is_empty(), passages < 5, "{passages} passages");
            assert!(prototypes.len() <= (passages / 5).min(8));
            assert!(prototypes.iter().all(|prototype| prototype.passage_count >= 5));
            let total: u32 = prototypes.iter().map(|prototype| prototype.passage_count).sum();
            assert_eq!(total as usize, if passages < 5 { 0 } else { passages });
        }
    }
}
