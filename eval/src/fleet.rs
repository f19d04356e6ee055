//! A fleet of made-up specialists, for timing: where they lie decides nothing here.

use std::sync::Arc;

use anyhow::{Context, Result};
use proto::{Prototype, Prototypes, Space, UnitVector};
use registry::{Registration, Snapshot};

/// `count` specialists of `prototypes` prototypes each, spread over `space` by fixed numbers.
pub(crate) fn scattered(space: &Arc<Space>, count: usize, prototypes: usize) -> Result<Snapshot> {
    let mut numbers = Numbers(1);
    let mut snapshot = Snapshot::empty(space.clone())?;
    for place in 0..count {
        let center: Vec<f32> = (0..space.dimension).map(|_| numbers.next()).collect();
        let mut point = || {
            let near = center.iter().map(|x| x + numbers.next()).collect();
            let vector = UnitVector::scale(near).context("a vector without direction")?;
            Ok(Prototype { vector, passage_count: 5 })
        };
        let points = (0..prototypes).map(|_| point()).collect::<Result<_>>()?;
        let prototypes = Prototypes { space: Space::clone(space), points, revision: "1".to_owned() };
        let registration = Registration::made_up(&format!("specialist-{place}"), prototypes)?;
        snapshot = snapshot.with(Arc::new(registration))?;
    }
    Ok(snapshot.rebuilt()?)
}

/// Numbers between -1 and 1 that are the same in every run (xorshift; Marsaglia 2003).
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        #[expect(clippy::cast_precision_loss, reason = "24 bits fit")]
        let share = (self.0 >> 40) as f32 / (1_u64 << 24) as f32;
        2.0 * share - 1.0
    }
}
