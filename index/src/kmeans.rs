//! Spherical k-means: few unit vectors that stand for many.

use std::cmp::Reverse;

use proto::{UnitVector, space::dot};

/// Rounds after which assignments are taken as they are. Most inputs settle in fewer than 20.
const ROUNDS_MAX: usize = 50;

/// How often clusters are filled up and their centers moved. What the last filling gives is taken as it is.
const FILLINGS_MAX: usize = 8;

/// The golden ratio's fraction: its multiples spread evenly over 0 to 1, which serves for the random
/// draws of the seeding and is the same every time.
const GOLDEN: f32 = 0.618_034;

/// Vectors that lie together.
#[derive(Debug, Clone, PartialEq)]
pub struct Cluster {
    /// Mean direction of the members.
    pub center: UnitVector,
    /// Number of members.
    pub members: usize,
}

/// At most `clusters_max` clusters of at least `members_min` of `vectors`, which are all of one
/// dimension; each vector is a member of one. None where there are fewer than `members_min` vectors.
/// The same vectors in the same order give the same clusters.
///
/// Spherical k-means (Dhillon & Modha 2001) from k-means++ seeds (Arthur & Vassilvitskii 2007). Then
/// clusters that are too small are filled up from those that can spare members, the nearest first: a
/// greedy form of constrained k-means (Bradley, Bennett & Demiriz 2000). To dissolve them instead would
/// leave about half as many.
pub fn spherical(vectors: &[UnitVector], clusters_max: usize, members_min: usize) -> Vec<Cluster> {
    let members_min = members_min.max(1);
    // More could not all be large enough.
    let clusters_max = clusters_max.min(vectors.len() / members_min);
    if clusters_max == 0 {
        return Vec::new();
    }
    let mut centers = seeds(vectors, clusters_max);
    let mut assigned = assign(vectors, &centers);
    for _ in 0..ROUNDS_MAX {
        centers = recenter(vectors, &assigned, centers);
        let reassigned = assign(vectors, &centers);
        if reassigned == assigned {
            break;
        }
        assigned = reassigned;
    }

    for _ in 0..FILLINGS_MAX {
        if !fill(vectors, &mut assigned, &centers, members_min) {
            break;
        }
        centers = recenter(vectors, &assigned, centers);
        assigned = assign(vectors, &centers);
    }
    fill(vectors, &mut assigned, &centers, members_min);
    let members = sizes(&assigned, centers.len());
    let centers = recenter(vectors, &assigned, centers);
    centers.into_iter().zip(members).map(|(center, members)| Cluster { center, members }).collect()
}

/// Up to `count` (at least 1) of `vectors` (at least 1), far from each other; fewer where fewer
/// differ. A vector is drawn in proportion to its squared distance to the nearest seed, which on the
/// sphere is twice one minus the cosine.
fn seeds(vectors: &[UnitVector], count: usize) -> Vec<UnitVector> {
    let mut seeds = Vec::with_capacity(count);
    let mut distances = vec![1.0_f32; vectors.len()];
    let mut draw = 0.0_f32;
    while seeds.len() < count {
        draw = (draw + GOLDEN).fract();
        let Some(seed) = weighted(&distances, draw) else { break };
        let seed = &vectors[seed];
        for (distance, vector) in distances.iter_mut().zip(vectors) {
            let to_seed = 1.0 - dot(vector.as_slice(), seed.as_slice());
            // What rounding leaves between equal vectors is no distance.
            *distance = distance.min(if to_seed > 1e-6 { to_seed } else { 0.0 });
        }
        seeds.push(seed.clone());
    }
    seeds
}

/// The position at which the running sum of `weights` (none negative) passes the share `draw` (0 to
/// 1) of their total; none where all are 0.
fn weighted(weights: &[f32], draw: f32) -> Option<usize> {
    let total: f32 = weights.iter().sum();
    let mut left = total * draw;
    let mut positive = weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0);
    let passed = positive.clone().find(|(_, weight)| {
        left -= **weight;
        left < 0.0
    });
    // Rounding can keep the sum from reaching a share close to 1.
    passed.or_else(|| positive.next_back()).map(|(position, _)| position)
}

/// For each vector the position of its nearest center.
fn assign(vectors: &[UnitVector], centers: &[UnitVector]) -> Vec<usize> {
    vectors.iter().map(|vector| nearest(vector.as_slice(), centers)).collect()
}

/// The position of the center (at least 1) nearest to `vector`, the first of equals.
pub(crate) fn nearest(vector: &[f32], centers: &[UnitVector]) -> usize {
    let mut nearest = (0, f32::NEG_INFINITY);
    for (position, center) in centers.iter().enumerate() {
        let similarity = dot(vector, center.as_slice());
        if similarity > nearest.1 {
            nearest = (position, similarity);
        }
    }
    nearest.0
}

/// The mean direction of each center's members. A center stays where it is while it has none, or
/// while they cancel out.
fn recenter(vectors: &[UnitVector], assigned: &[usize], centers: Vec<UnitVector>) -> Vec<UnitVector> {
    let mut sums: Vec<_> = centers.iter().map(|center| vec![0.0_f32; center.as_slice().len()]).collect();
    for (vector, center) in vectors.iter().zip(assigned) {
        for (sum, value) in sums[*center].iter_mut().zip(vector.as_slice()) {
            *sum += value;
        }
    }
    sums.into_iter().zip(centers).map(|(sum, center)| UnitVector::scale(sum).unwrap_or(center)).collect()
}

/// Gives each center `members_min` members, if there are so many vectors for each; whether any had fewer.
/// The one that lacks least goes first, and takes the vectors that lose the least cosine by it.
fn fill(vectors: &[UnitVector], assigned: &mut [usize], centers: &[UnitVector], members_min: usize) -> bool {
    let mut sizes = sizes(assigned, centers.len());
    let mut lacking: Vec<usize> = (0..centers.len()).filter(|at| sizes[*at] < members_min).collect();
    lacking.sort_by_key(|at| Reverse(sizes[*at]));
    let to_own: Vec<f32> = assigned
        .iter()
        .zip(vectors)
        .map(|(own, vector)| dot(vector.as_slice(), centers[*own].as_slice()))
        .collect();
    for &center in &lacking {
        let loss = |at: usize| to_own[at] - dot(vectors[at].as_slice(), centers[center].as_slice());
        let spare = (0..vectors.len()).filter(|at| sizes[assigned[*at]] > members_min);
        let mut nearest: Vec<(f32, usize)> = spare.map(|at| (loss(at), at)).collect();
        nearest.sort_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
        for (_, at) in nearest {
            if sizes[center] >= members_min {
                break;
            }
            // An earlier one may have taken all that its center could spare.
            if sizes[assigned[at]] > members_min {
                sizes[assigned[at]] -= 1;
                sizes[center] += 1;
                assigned[at] = center;
            }
        }
    }
    !lacking.is_empty()
}

/// Members of each of `count` centers.
fn sizes(assigned: &[usize], count: usize) -> Vec<usize> {
    let mut sizes = vec![0; count];
    for center in assigned {
        sizes[*center] += 1;
    }
    sizes
}
