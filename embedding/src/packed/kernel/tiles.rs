//! Products of tiles of bf16, summed in `f32` (Intel AMX; Intel 64 and IA-32 Architectures Software
//! Developer's Manual, volume 1, chapter 18).
//!
//! A number of `f32` is kept as the sum of two of bf16, and a product as the sum of three products:
//! what is left out is about 2 to the power of -16 of it, where bf16 alone would lose 2 to the power
//! of -9 and change which passages are nearest (G. Henry, P. T. P. Tang, A. Heinecke, "Leveraging the
//! bfloat16 artificial intelligence datatype for higher-precision computations", 2019).

/// Sixteen rows of 32 numbers; on the right side of a product 32 rows of sixteen numbers, of which the
/// two of a pair of rows lie side by side.
#[derive(Clone, PartialEq, Debug)]
#[repr(C, align(64))]
pub(in super::super) struct Tile(pub(in super::super) [[u16; 32]; 16]);

/// A tile of `f32` in two parts whose sum it is.
#[derive(Clone, PartialEq, Debug)]
#[repr(C)]
pub(in super::super) struct Split {
    pub(in super::super) high: Tile,
    pub(in super::super) low: Tile,
}

impl Split {
    pub(in super::super) const ZERO: Self = Self { high: Tile([[0; 32]; 16]), low: Tile([[0; 32]; 16]) };
}

/// Both halves of 32 columns.
pub(in super::super) type Halves = [Split; 2];

/// A row of 32 sums.
pub(in super::super) type Row = [[f32; 16]; 2];

/// Rows of a tile.
pub(in super::super) const ROWS: usize = 16;

/// That this process may use the registers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Tiles(());

#[cfg(all(target_arch = "x86_64", target_os = "linux"))]
mod registers {
    use std::{
        arch::{asm, x86_64::__cpuid_count},
        sync::LazyLock,
    };

    use super::{Halves, ROWS, Row, Split, Tile, Tiles};

    /// The operand of LDTILECFG: eight registers of sixteen rows of 64 bytes.
    #[repr(C, align(64))]
    struct Configuration {
        palette: u8,
        start_row: u8,
        reserved: [u8; 14],
        row_bytes: [u16; 16],
        rows: [u8; 16],
    }

    static CONFIGURATION: Configuration = {
        let (mut row_bytes, mut rows) = ([0; 16], [0; 16]);
        let mut register = 0;
        while register < 8 {
            row_bytes[register] = 64;
            rows[register] = 16;
            register += 1;
        }
        Configuration { palette: 1, start_row: 0, reserved: [0; 14], row_bytes, rows }
    };

    /// Whether the processor has them, and Linux saves them for this process.
    static PERMITTED: LazyLock<bool> = LazyLock::new(|| {
        const AMX_BF16: u32 = 1 << 22;
        const AMX_TILE: u32 = 1 << 24;
        const REQUEST_PERMISSION: i32 = 0x1023;
        const TILE_DATA: i32 = 18;
        let features = __cpuid_count(7, 0).edx;
        features & AMX_BF16 != 0
            && features & AMX_TILE != 0
            // SAFETY: the call takes two numbers, and touches no memory of ours.
            && unsafe { libc::syscall(libc::SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) } == 0
    });

    impl Tiles {
        pub(in super::super) fn available() -> Option<Self> {
            // A processor with AVX-512 has the leaf that is asked for its features.
            (is_x86_feature_detected!("avx512f") && *PERMITTED).then_some(Self(()))
        }

        /// `out = left * right`: groups of sixteen rows, each of `right.len()` tiles, by 32 columns.
        ///
        /// # Panics
        /// `left` and `out` are not of the same number of groups.
        #[expect(clippy::unused_self, reason = "who has one has asked whether the registers are there")]
        pub(in super::super::super) fn multiply(self, left: &[Split], right: &[Halves], out: &mut [Row]) {
            let depth = right.len();
            assert!(depth > 0 && left.len() / depth * ROWS == out.len() && left.len().is_multiple_of(depth));
            // SAFETY: `self` says that the processor has the instruction and that Linux lets this
            // process use it; it reads 64 bytes, which the static has.
            unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const CONFIGURATION, options(nostack, readonly)) };
            let mut pairs = left.chunks_exact(2 * depth);
            let (blocks, rest) = out.as_chunks_mut::<{ 2 * ROWS }>();
            for (pair, out) in pairs.by_ref().zip(blocks) {
                let (first, second) = pair.split_at(depth);
                // SAFETY: the registers are set up, and all three have `depth` elements.
                unsafe { two(first, second, right, out) };
            }
            if let Some(out) = rest.as_chunks_mut::<ROWS>().0.first_mut() {
                // SAFETY: as above; the remainder is one group.
                unsafe { one(pairs.remainder(), right, out) };
            }
            // SAFETY: as for the set-up; what the registers hold has been stored.
            unsafe { asm!("tilerelease", options(nomem, nostack)) };
        }
    }

    /// In bytes: from one tile to the next, where the parts of [`Split`] and of [`Halves`] begin.
    const TILE: usize = size_of::<Tile>();
    const _: () = assert!(TILE == 1024 && size_of::<Split>() == 2048 && size_of::<Halves>() == 4096);
    const _: () = assert!(size_of::<Row>() == 128);

    /// # Safety
    /// The registers of this thread are set up; `first`, `second` and `right` are of the same length, at
    /// least 1.
    unsafe fn two(first: &[Split], second: &[Split], right: &[Halves], out: &mut [Row; 2 * ROWS]) {
        // SAFETY: each turn reads one element of each slice and goes on to the next, `right.len()`
        // times; the stores are 32 rows of 128 bytes.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "tilezero tmm2",
                "tilezero tmm3",
                "2:",
                // High by high.
                "tileloadd tmm4, [{first} + {row}*1]",
                "tileloadd tmm6, [{right} + {row}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{right} + {row}*1 + 2048]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{second} + {row}*1]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                // High by low.
                "tileloadd tmm6, [{right} + {row}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{right} + {row}*1 + 3072]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                // Low by high.
                "tileloadd tmm4, [{first} + {row}*1 + 1024]",
                "tileloadd tmm6, [{right} + {row}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{right} + {row}*1 + 2048]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{second} + {row}*1 + 1024]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                "add {first}, 2048",
                "add {second}, 2048",
                "add {right}, 4096",
                "dec {depth}",
                "jnz 2b",
                "tilestored [{out} + {row}*2], tmm0",
                "tilestored [{out} + {row}*2 + 64], tmm1",
                "tilestored [{out} + {row}*2 + 2048], tmm2",
                "tilestored [{out} + {row}*2 + 2112], tmm3",
                first = inout(reg) first.as_ptr() => _,
                second = inout(reg) second.as_ptr() => _,
                right = inout(reg) right.as_ptr() => _,
                depth = inout(reg) right.len() => _,
                row = in(reg) 64_usize,
                out = in(reg) out.as_mut_ptr(),
                out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }

    /// # Safety
    /// The registers of this thread are set up; `left` and `right` are of the same length, at least 1.
    unsafe fn one(left: &[Split], right: &[Halves], out: &mut [Row; ROWS]) {
        // SAFETY: each turn reads one element of each slice and goes on to the next, `right.len()`
        // times; the stores are sixteen rows of 128 bytes.
        unsafe {
            asm!(
                "tilezero tmm0",
                "tilezero tmm1",
                "2:",
                "tileloadd tmm4, [{left} + {row}*1]",
                "tileloadd tmm5, [{left} + {row}*1 + 1024]",
                "tileloadd tmm6, [{right} + {row}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{right} + {row}*1 + 2048]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tdpbf16ps tmm0, tmm5, tmm6",
                "tdpbf16ps tmm1, tmm5, tmm7",
                "tileloadd tmm6, [{right} + {row}*1 + 1024]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{right} + {row}*1 + 3072]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "add {left}, 2048",
                "add {right}, 4096",
                "dec {depth}",
                "jnz 2b",
                "tilestored [{out} + {row}*2], tmm0",
                "tilestored [{out} + {row}*2 + 64], tmm1",
                left = inout(reg) left.as_ptr() => _,
                right = inout(reg) right.as_ptr() => _,
                depth = inout(reg) right.len() => _,
                row = in(reg) 64_usize,
                out = in(reg) out.as_mut_ptr(),
                out("tmm0") _, out("tmm1") _, out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                options(nostack),
            );
        }
    }
}
