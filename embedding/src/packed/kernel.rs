//! Sixteen numbers at a time, on the instruction sets that a processor may have; the only unsafe code
//! of this crate.
//!
//! Nothing here is arithmetic of its own: a [`Kernel`] is written once, over [`Lanes`], in safe code
//! elsewhere. Two things make that sound. A value that implements [`Lanes`] is made only by
//! [`Isa::run`], below a function compiled for its instructions, and an [`Isa`] comes only from
//! [`Isa::available`], which asks the processor. Memory is read and written only as arrays of sixteen
//! behind references, so that there is no pointer to get wrong. (The intrinsics that load and store
//! would, in builds with debug assertions, check their pointers in every step.)
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "intrinsics are unsafe to call from code compiled for any processor"),
    expect(clippy::inline_always, reason = "lanes must melt into code compiled for their instructions")
)]
#![cfg_attr(not(target_arch = "x86_64"), allow(unused, reason = "there is no instruction set to run on"))]

#[cfg(target_arch = "x86_64")]
use std::{
    arch::x86_64::{
        __m256, __m512, _CMP_LT_OQ, _MM_FROUND_NO_EXC, _MM_FROUND_TO_NEAREST_INT, _mm_add_ps, _mm_cvtss_f32,
        _mm_max_ps, _mm_movehl_ps, _mm_shuffle_ps, _mm256_add_epi32, _mm256_add_ps, _mm256_blendv_ps,
        _mm256_castps256_ps128, _mm256_castsi256_ps, _mm256_cmp_ps, _mm256_cvtps_epi32,
        _mm256_extractf128_ps, _mm256_fmadd_ps, _mm256_max_ps, _mm256_min_ps, _mm256_mul_ps, _mm256_round_ps,
        _mm256_set1_epi32, _mm256_set1_ps, _mm256_slli_epi32, _mm256_sub_ps, _mm512_add_ps,
        _mm512_cmp_ps_mask, _mm512_fmadd_ps, _mm512_mask_blend_ps, _mm512_max_ps, _mm512_min_ps,
        _mm512_mul_ps, _mm512_reduce_add_ps, _mm512_reduce_max_ps, _mm512_roundscale_ps, _mm512_scalef_ps,
        _mm512_set1_ps, _mm512_sub_ps,
    },
    mem::transmute,
};

pub(super) mod tiles;

use self::tiles::Tiles;

/// How many numbers a vector holds.
pub(super) const LANES: usize = 16;

/// Vectors of sixteen numbers. Every method is lane by lane unless it says otherwise.
pub(super) trait Lanes: Copy {
    /// One vector.
    type V: Copy;
    /// The most rows of a tile of a matrix product whose sums stay in registers.
    const ROWS: usize;
    /// Whether such a tile is two vectors wide rather than one.
    const WIDE: bool;

    fn splat(self, value: f32) -> Self::V;
    fn load(self, from: &[f32; LANES]) -> Self::V;
    fn store(self, to: &mut [f32; LANES], v: Self::V);
    fn add(self, a: Self::V, b: Self::V) -> Self::V;
    fn sub(self, a: Self::V, b: Self::V) -> Self::V;
    fn mul(self, a: Self::V, b: Self::V) -> Self::V;
    fn min(self, a: Self::V, b: Self::V) -> Self::V;
    fn max(self, a: Self::V, b: Self::V) -> Self::V;
    /// `a * b + c`, rounded once.
    fn mul_add(self, a: Self::V, b: Self::V, c: Self::V) -> Self::V;
    /// To the nearest integer.
    fn round(self, v: Self::V) -> Self::V;
    /// `v` times two to the power of `n`, an integer between -126 and 127.
    fn times_two_to(self, v: Self::V, n: Self::V) -> Self::V;
    /// `yes` where `a < b`, else `no`.
    fn if_less(self, a: Self::V, b: Self::V, yes: Self::V, no: Self::V) -> Self::V;
    /// Of all lanes.
    fn sum(self, v: Self::V) -> f32;
    /// Of all lanes.
    fn highest(self, v: Self::V) -> f32;
}

/// Work written over [`Lanes`]. `run` and all that it calls with lanes must be `#[inline(always)]`,
/// or it is compiled for no instruction set in particular: still right, but very slow.
pub(super) trait Kernel {
    fn run<L: Lanes>(self, lanes: L);
}

/// An instruction set that this processor has.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Isa(Set);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Set {
    #[cfg(target_arch = "x86_64")]
    Amx(Tiles),
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
}

impl Isa {
    /// Those that this processor has, fastest first.
    pub(super) fn available() -> Vec<Self> {
        let mut sets = Vec::new();
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
            if avx2 && is_x86_feature_detected!("avx512f") {
                sets.extend(Tiles::available().map(|tiles| Self(Set::Amx(tiles))));
                sets.push(Self(Set::Avx512));
            }
            if avx2 {
                sets.push(Self(Set::Avx2));
            }
        }
        sets
    }

    /// What an engine on it is called.
    pub(super) fn engine(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Amx(_) => "packed amx",
            #[cfg(target_arch = "x86_64")]
            Set::Avx512 => "packed avx512",
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => "packed avx2",
        }
    }

    /// For the products of layers, where it has them.
    pub(super) fn tiles(self) -> Option<Tiles> {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Set::Amx(tiles) => Some(tiles),
            _ => None,
        }
    }

    /// Runs `kernel` on it.
    pub(super) fn run(self, kernel: impl Kernel) {
        match self.0 {
            // SAFETY: `available` made this value, having found avx512f, avx2 and fma.
            #[cfg(target_arch = "x86_64")]
            Set::Amx(_) | Set::Avx512 => unsafe { avx512(kernel) },
            // SAFETY: `available` made this value, having found avx2 and fma.
            #[cfg(target_arch = "x86_64")]
            Set::Avx2 => unsafe { avx2(kernel) },
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx512f,avx2,fma")]
fn avx512(kernel: impl Kernel) {
    kernel.run(Avx512(()));
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2(kernel: impl Kernel) {
    kernel.run(Avx2(()));
}

/// Proof of being below [`avx512`].
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx512(());

/// Proof of being below [`avx2`].
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy)]
struct Avx2(());

/// Methods that are one intrinsic on the whole vector.
#[cfg(target_arch = "x86_64")]
macro_rules! whole {
    ($($name:ident($($arg:ident),+) $(-> $out:ty)?: $intrinsic:expr;)+) => { $(
        #[inline(always)]
        fn $name(self, $($arg: Self::V),+) -> whole!(@out $($out)?) {
            // SAFETY: `self` exists only where the processor has the instructions.
            unsafe { $intrinsic($($arg),+) }
        }
    )+ };
    (@out) => { Self::V };
    (@out $out:ty) => { $out };
}

/// Methods that are one intrinsic on each half of the vector.
#[cfg(target_arch = "x86_64")]
macro_rules! halves {
    ($($name:ident($($arg:ident),+): $intrinsic:expr;)+) => { $(
        #[inline(always)]
        fn $name(self, $($arg: Self::V),+) -> Self::V {
            // SAFETY: `self` exists only where the processor has the instructions.
            unsafe { [$intrinsic($($arg[0]),+), $intrinsic($($arg[1]),+)] }
        }
    )+ };
}

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx512 {
    type V = __m512;
    // 24 of 32 registers hold sums.
    const ROWS: usize = 12;
    const WIDE: bool = true;

    whole! {
        add(a, b): _mm512_add_ps;
        sub(a, b): _mm512_sub_ps;
        mul(a, b): _mm512_mul_ps;
        min(a, b): _mm512_min_ps;
        max(a, b): _mm512_max_ps;
        mul_add(a, b, c): _mm512_fmadd_ps;
        round(v): _mm512_roundscale_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>;
        times_two_to(v, n): _mm512_scalef_ps;
        if_less(a, b, yes, no): whole_if_less;
        sum(v) -> f32: _mm512_reduce_add_ps;
        highest(v) -> f32: _mm512_reduce_max_ps;
    }

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        // SAFETY: `self` exists only where the processor has the instructions.
        unsafe { _mm512_set1_ps(value) }
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> __m512 {
        // SAFETY: both are sixteen `f32` in order, and all bits are numbers.
        unsafe { transmute::<[f32; LANES], __m512>(*from) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; LANES], v: __m512) {
        // SAFETY: both are sixteen `f32` in order, and all bits are numbers.
        *to = unsafe { transmute::<__m512, [f32; LANES]>(v) };
    }
}

#[cfg(target_arch = "x86_64")]
impl Lanes for Avx2 {
    type V = [__m256; 2];
    // 12 of 16 registers hold sums.
    const ROWS: usize = 6;
    const WIDE: bool = false;

    halves! {
        add(a, b): _mm256_add_ps;
        sub(a, b): _mm256_sub_ps;
        mul(a, b): _mm256_mul_ps;
        min(a, b): _mm256_min_ps;
        max(a, b): _mm256_max_ps;
        mul_add(a, b, c): _mm256_fmadd_ps;
        round(v): _mm256_round_ps::<{ _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC }>;
        times_two_to(v, n): half_times_two_to;
        if_less(a, b, yes, no): half_if_less;
    }

    #[inline(always)]
    fn splat(self, value: f32) -> [__m256; 2] {
        // SAFETY: `self` exists only where the processor has the instructions.
        [unsafe { _mm256_set1_ps(value) }; 2]
    }

    #[inline(always)]
    fn load(self, from: &[f32; LANES]) -> [__m256; 2] {
        // SAFETY: both are sixteen `f32` in order, and all bits are numbers.
        unsafe { transmute::<[f32; LANES], [__m256; 2]>(*from) }
    }

    #[inline(always)]
    fn store(self, to: &mut [f32; LANES], v: [__m256; 2]) {
        // SAFETY: both are sixteen `f32` in order, and all bits are numbers.
        *to = unsafe { transmute::<[__m256; 2], [f32; LANES]>(v) };
    }

    #[inline(always)]
    fn sum(self, [low, high]: [__m256; 2]) -> f32 {
        // SAFETY: `self` exists only where the processor has the instructions.
        unsafe { half_sum(_mm256_add_ps(low, high)) }
    }

    #[inline(always)]
    fn highest(self, [low, high]: [__m256; 2]) -> f32 {
        // SAFETY: `self` exists only where the processor has the instructions.
        unsafe { half_highest(_mm256_max_ps(low, high)) }
    }
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx512f")]
fn whole_if_less(a: __m512, b: __m512, yes: __m512, no: __m512) -> __m512 {
    _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LT_OQ>(a, b), no, yes)
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn half_if_less(a: __m256, b: __m256, yes: __m256, no: __m256) -> __m256 {
    _mm256_blendv_ps(no, yes, _mm256_cmp_ps::<_CMP_LT_OQ>(a, b))
}

/// Adds `n` to the exponent, through the bits of two to the power of `n`.
#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn half_times_two_to(v: __m256, n: __m256) -> __m256 {
    let exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
    _mm256_mul_ps(v, _mm256_castsi256_ps(_mm256_slli_epi32::<23>(exponent)))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn half_sum(v: __m256) -> f32 {
    let four = _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_add_ps(two, _mm_shuffle_ps::<1>(two, two)))
}

#[cfg(target_arch = "x86_64")]
#[inline]
#[target_feature(enable = "avx2,fma")]
fn half_highest(v: __m256) -> f32 {
    let four = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps::<1>(v));
    let two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    _mm_cvtss_f32(_mm_max_ps(two, _mm_shuffle_ps::<1>(two, two)))
}
