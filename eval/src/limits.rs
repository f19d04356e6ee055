//! What the processor can do at most, measured: multiply-adds in registers, and reads of memory.

use std::{hint::black_box, time::Instant};

use pulp::{Arch, Simd, WithSimd};

/// Sums that grow side by side, so that no addition waits for the one before it: processors finish
/// two multiply-adds a cycle, each four cycles after it began.
const SUMS: usize = 12;

/// Multiply-adds of each sum in one measurement: a few milliseconds.
const STEPS: u32 = 1 << 20;

/// Times that each is measured at once: the best counts, since whatever disturbs it makes it slower.
const TRIES: usize = 5;

/// How fast some threads were, at best.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Additions and multiplications of `f32` a second.
    pub(crate) flops: f64,
    /// Bytes read a second.
    pub(crate) bytes: f64,
}

/// What is read.
pub(crate) struct Memory(Vec<f32>);

impl Memory {
    /// As large as the weights of a network: where a processor's cache holds these, it holds that.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole, positive number")]
    pub(crate) fn of(bytes: f64) -> Self {
        Self(vec![1.0; (bytes / 4.0) as usize])
    }

    /// Measures one thread.
    pub(crate) fn one_thread(&self) -> Pace {
        Pace {
            flops: best(|| Arch::new().dispatch(Multiply)),
            bytes: best(|| {
                read(&self.0);
                self.bytes()
            }),
        }
    }

    /// Measures all threads at once.
    pub(crate) fn all_threads(&self) -> Pace {
        let each = self.0.len().div_ceil(rayon::current_num_threads()).max(1);
        Pace {
            flops: best(|| rayon::broadcast(|_| Arch::new().dispatch(Multiply)).iter().sum()),
            bytes: best(|| {
                rayon::broadcast(|thread| self.0.chunks(each).nth(thread.index()).into_iter().for_each(read));
                self.bytes()
            }),
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
    fn bytes(&self) -> f64 {
        size_of_val(self.0.as_slice()) as f64
    }
}

/// How much of what `work` counts is done in a second.
fn best(work: impl Fn() -> f64) -> f64 {
    let once = |_| {
        let began = Instant::now();
        work() / began.elapsed().as_secs_f64()
    };
    (0..TRIES).map(once).fold(0.0, f64::max)
}

fn read(numbers: &[f32]) {
    black_box(Arch::new().dispatch(Sum(numbers)));
}

/// Multiplies and adds in registers; how many operations that was.
struct Multiply;

impl WithSimd for Multiply {
    type Output = f64;

    #[expect(clippy::inline_always, reason = "must melt into code compiled for the instructions")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f64 {
        let [factor, summand] = [0.999, 0.001].map(|number| simd.splat_f32s(black_box(number)));
        let mut sums = [simd.splat_f32s(black_box(0.5)); SUMS];
        for _ in 0..STEPS {
            for sum in &mut sums {
                *sum = simd.mul_add_e_f32s(*sum, factor, summand);
            }
        }
        let total = sums.into_iter().fold(simd.splat_f32s(0.0), |a, b| simd.add_f32s(a, b));
        black_box(simd.reduce_sum_f32s(total));
        #[expect(clippy::cast_precision_loss, reason = "tens of numbers")]
        let numbers = (SUMS * S::F32_LANES) as f64;
        2.0 * f64::from(STEPS) * numbers
    }
}

/// Adds numbers up, which takes no time beside reading them.
struct Sum<'a>(&'a [f32]);

impl WithSimd for Sum<'_> {
    type Output = f32;

    #[expect(clippy::inline_always, reason = "must melt into code compiled for the instructions")]
    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> f32 {
        let (vectors, rest) = S::as_simd_f32s(self.0);
        let mut sums = [simd.splat_f32s(0.0); SUMS];
        let (blocks, others) = vectors.as_chunks::<SUMS>();
        for block in blocks {
            for (sum, vector) in sums.iter_mut().zip(block) {
                *sum = simd.add_f32s(*sum, *vector);
            }
        }
        let total = sums.iter().chain(others).fold(simd.splat_f32s(0.0), |a, b| simd.add_f32s(a, *b));
        simd.reduce_sum_f32s(total) + rest.iter().sum::<f32>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_numbers_are_read_and_all_operations_counted() {
        for count in [0, 1, 1_000, 1_003] {
            let sum = Arch::new().dispatch(Sum(&vec![1.0; count]));
            assert!((sum - f32::from(u16::try_from(count).unwrap())).abs() < 0.5, "{count}: {sum}");
        }
        assert!(Arch::new().dispatch(Multiply) >= 2.0 * 12.0 * f64::from(1 << 20));
    }
}
