//! How does the encoder multiply, and loop over slices, as fast as this processor can?
//!
//! [`Processor`] is found once, at run time, so that one program runs everywhere: AVX-512 VNNI,
//! AVX-VNNI and AVX2 on x86-64 (`x86`), dot products on 64-bit Arm (`neon`), and plain loops
//! elsewhere (`portable`). [`bytes`] holds the products of 8-bit numbers, [`floats`] those of f32.
//! Integer products are the same to the last bit on all of them; those of f32 differ in rounding,
//! because some processors multiply and add in one step.
//!
//! **Why not a crate.** `rten-gemm` 0.27 is well kept, packs weights once and is about as fast: on one
//! core of Zen 5 it made 470 to 690 Gop/s in 8 bits without scales and bias, ours 480 to 800 with them;
//! in f32 both made 130 to 220 GFLOP/s, and the `gemm` crate 50 to 110. It was left out for three
//! reasons. Every call shares its work among rayon's threads unless the calling thread belongs to a
//! pool of one for good, which would slow whatever else uses rayon on a thread that serves
//! questions. Without VNNI its products saturate at 16 bits, so that weights would need 7 bits there and
//! vectors would depend on the processor. And it has no kernel for AVX-VNNI.

#![cfg_attr(
    any(target_arch = "x86_64", target_arch = "aarch64"),
    expect(unsafe_code, reason = "kernels for a processor's features have to be called so")
)]

pub(crate) mod bytes;
pub(crate) mod floats;
#[cfg(target_arch = "aarch64")]
mod neon;
mod portable;
#[cfg(test)]
mod tests;
#[cfg(target_arch = "x86_64")]
mod x86;

/// Columns of one panel of 8-bit weights: four vectors of AVX-512.
const DOT_COLUMNS: usize = 64;
/// Columns of one panel of f32 weights: two vectors of AVX-512, and the width of a common head.
const SUM_COLUMNS: usize = 32;
/// Rows whose values stay in the second-level cache while all panels pass by.
const ROWS_AT_ONCE: usize = 96;

/// The instructions that this processor has.
#[derive(Clone, Copy)]
pub(crate) struct Processor {
    level: Level,
    /// The kernel for one row, for two, and so on.
    dot: &'static [Dot],
    sum: &'static [Sum],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Level {
    Portable,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    #[cfg(target_arch = "x86_64")]
    AvxVnni,
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "aarch64")]
    Neon,
}

/// Adds up a tile of 8-bit products. Unsafe to call where the processor lacks its instructions or
/// the tile is smaller than it says.
type Dot = unsafe fn(Bytes<'_>, &mut [[i32; DOT_COLUMNS]; 6]);
type Sum = unsafe fn(Floats<'_>, &mut [[f32; SUM_COLUMNS]; 12]);

/// A few rows of bytes and 64 columns of weights, four values of a column side by side.
#[derive(Clone, Copy)]
struct Bytes<'a> {
    n_rows: usize,
    n_quads: usize,
    /// `[n_rows, 4 n_quads]`: signed, or shifted by 128 where the processor wants them unsigned.
    rows: &'a [u8],
    /// The same as 16-bit numbers, where the processor wants them so; else empty.
    wide: &'a [i16],
    /// `[n_quads, 64, 4]`
    panel: &'a [i8],
    /// What takes back the shift of the rows.
    starts: &'a [i32; DOT_COLUMNS],
}

/// A few rows of f32, `step` apart, and 32 columns of weights, `[inner, 32]`.
#[derive(Clone, Copy)]
struct Floats<'a> {
    n_rows: usize,
    inner: usize,
    rows: &'a [f32],
    step: usize,
    panel: &'a [f32],
}

impl Processor {
    /// Finds out what this processor can do.
    pub(crate) fn detect() -> Self {
        Self::all().pop().unwrap_or(PORTABLE)
    }

    /// Returns every set of kernels that runs here, the slowest first.
    pub(crate) fn all() -> Vec<Self> {
        let mut all = vec![PORTABLE];
        #[cfg(target_arch = "x86_64")]
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            all.push(AVX2);
            if is_x86_feature_detected!("avxvnni") {
                all.push(AVX_VNNI);
            }
            let has_all = is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512vnni");
            if has_all {
                all.push(AVX512);
            }
        }
        #[cfg(target_arch = "aarch64")]
        if std::arch::is_aarch64_feature_detected!("dotprod") {
            all.push(NEON);
        }
        all
    }

    /// Runs `work`, whose loops the compiler turns into this processor's widest vectors as far as
    /// it can inline them. Results are the same everywhere: nothing is reordered or fused.
    pub(crate) fn run<T>(self, work: impl FnOnce() -> T) -> T {
        match self.level {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the level exists only where its features were detected.
            Level::Avx512 => unsafe { x86::run_avx512(work) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Level::Avx2 | Level::AvxVnni => unsafe { x86::run_avx2(work) },
            _ => work(),
        }
    }

    /// Tells whether the kernels want the bytes of the rows unsigned.
    fn is_shifted(self) -> bool {
        match self.level {
            #[cfg(target_arch = "x86_64")]
            Level::AvxVnni | Level::Avx512 => true,
            _ => false,
        }
    }

    /// Tells whether the kernels want the bytes of the rows as 16-bit numbers.
    fn is_wide(self) -> bool {
        match self.level {
            #[cfg(target_arch = "x86_64")]
            Level::Avx2 => true,
            _ => false,
        }
    }

    /// # Panics
    /// When the shapes do not fit, which no input can bring about.
    fn dot(self, tile: Bytes<'_>, sums: &mut [[i32; DOT_COLUMNS]; 6]) {
        let n_values = tile.n_rows * tile.n_quads * 4;
        assert!(tile.rows.len() == n_values, "the tile has other rows");
        assert!(!self.is_wide() || tile.wide.len() == n_values, "the tile has other wide rows");
        assert!(tile.panel.len() == tile.n_quads * DOT_COLUMNS * 4, "the panel has another size");
        let kernel = self.dot[tile.n_rows - 1];
        // SAFETY: the table holds kernels whose features were detected, and the asserts above keep
        // what they read inside the slices.
        unsafe { kernel(tile, sums) }
    }

    /// # Panics
    /// As [`Processor::dot`].
    fn sum(self, tile: Floats<'_>, sums: &mut [[f32; SUM_COLUMNS]; 12]) {
        let needed = (tile.n_rows - 1) * tile.step + tile.inner;
        assert!(tile.rows.len() >= needed, "the tile has other rows");
        assert!(tile.panel.len() == tile.inner * SUM_COLUMNS, "the panel has another size");
        let kernel = self.sum[tile.n_rows - 1];
        // SAFETY: as in `dot`.
        unsafe { kernel(tile, sums) }
    }
}

impl std::fmt::Debug for Processor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.level.fmt(f)
    }
}

/// Shares `n` rows among the fewest tiles of at most `at_most`, evenly, and visits each as (first
/// row, number of rows).
fn tiles(n: usize, at_most: usize) -> impl Iterator<Item = (usize, usize)> {
    let size = n.div_ceil(n.div_ceil(at_most).max(1)).max(1);
    (0..n).step_by(size).map(move |first| (first, size.min(n - first)))
}

/// Copies as many values as `out` takes; all of them without a call.
#[inline(always)]
fn store<const N: usize>(values: &[f32; N], out: &mut [f32]) {
    match out.as_mut_array() {
        Some(all) => *all = *values,
        None => out.copy_from_slice(&values[..out.len()]),
    }
}

const PORTABLE: Processor = Processor {
    level: Level::Portable,
    dot: &[portable::dot as Dot; 6],
    sum: &[portable::sum as Sum; 6],
};

#[cfg(target_arch = "x86_64")]
const SUM_AVX2: &[Sum] = &[
    x86::sum_avx2::<1>,
    x86::sum_avx2::<2>,
    x86::sum_avx2::<3>,
    x86::sum_avx2::<4>,
    x86::sum_avx2::<5>,
    x86::sum_avx2::<6>,
];

#[cfg(target_arch = "x86_64")]
const AVX2: Processor = Processor {
    level: Level::Avx2,
    dot: &[
        x86::dot_avx2::<1>,
        x86::dot_avx2::<2>,
        x86::dot_avx2::<3>,
        x86::dot_avx2::<4>,
        x86::dot_avx2::<5>,
        x86::dot_avx2::<6>,
    ],
    sum: SUM_AVX2,
};

#[cfg(target_arch = "x86_64")]
const AVX_VNNI: Processor = Processor {
    level: Level::AvxVnni,
    dot: &[
        x86::dot_avx_vnni::<1>,
        x86::dot_avx_vnni::<2>,
        x86::dot_avx_vnni::<3>,
        x86::dot_avx_vnni::<4>,
        x86::dot_avx_vnni::<5>,
        x86::dot_avx_vnni::<6>,
    ],
    sum: SUM_AVX2,
};

#[cfg(target_arch = "x86_64")]
const AVX512: Processor = Processor {
    level: Level::Avx512,
    dot: &[
        x86::dot_avx512::<1>,
        x86::dot_avx512::<2>,
        x86::dot_avx512::<3>,
        x86::dot_avx512::<4>,
        x86::dot_avx512::<5>,
        x86::dot_avx512::<6>,
    ],
    sum: &[
        x86::sum_avx512::<1>,
        x86::sum_avx512::<2>,
        x86::sum_avx512::<3>,
        x86::sum_avx512::<4>,
        x86::sum_avx512::<5>,
        x86::sum_avx512::<6>,
        x86::sum_avx512::<7>,
        x86::sum_avx512::<8>,
        x86::sum_avx512::<9>,
        x86::sum_avx512::<10>,
        x86::sum_avx512::<11>,
        x86::sum_avx512::<12>,
    ],
};

#[cfg(target_arch = "aarch64")]
const NEON: Processor = Processor {
    level: Level::Neon,
    dot: &[
        neon::dot_neon::<1>,
        neon::dot_neon::<2>,
        neon::dot_neon::<3>,
        neon::dot_neon::<4>,
        neon::dot_neon::<5>,
        neon::dot_neon::<6>,
    ],
    sum: &[
        neon::sum_neon::<1>,
        neon::sum_neon::<2>,
        neon::sum_neon::<3>,
        neon::sum_neon::<4>,
        neon::sum_neon::<5>,
        neon::sum_neon::<6>,
    ],
};
