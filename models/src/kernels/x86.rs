//! Inner loops for x86-64: AVX-512 VNNI, AVX-VNNI, and AVX2 for the rest of the last decade.

#![expect(unsafe_code, reason = "vector instructions read through pointers")]

use super::{Bytes, DOT_COLUMNS, Floats, SUM_COLUMNS};
use std::arch::x86_64::*;

/// Adds up `R` rows by 64 columns, 64 products an instruction (`vpdpbusd`, unsigned by signed).
///
/// # Safety
/// The processor has the features; `tile` has `R` rows.
#[target_feature(enable = "avx512f,avx512vnni")]
pub(super) unsafe fn dot_avx512<const R: usize>(
    tile: Bytes<'_>,
    sums: &mut [[i32; DOT_COLUMNS]; 6],
) {
    // SAFETY: `Bytes` promises the rows and the panel; the starts and `sums` are arrays.
    unsafe {
        let start: [__m512i; 4] =
            std::array::from_fn(|c| _mm512_loadu_si512(tile.starts.as_ptr().add(c * 16).cast()));
        let mut lanes = [start; R];
        for quad in 0..tile.n_quads {
            let panel = tile.panel.as_ptr().add(quad * DOT_COLUMNS * 4);
            let weights: [__m512i; 4] =
                std::array::from_fn(|c| _mm512_loadu_si512(panel.add(c * 64).cast()));
            for (r, lanes) in lanes.iter_mut().enumerate() {
                let four = tile.rows.as_ptr().add(r * tile.n_quads * 4 + quad * 4);
                let four = _mm512_set1_epi32(four.cast::<i32>().read_unaligned());
                for (sum, weights) in lanes.iter_mut().zip(weights) {
                    *sum = _mm512_dpbusd_epi32(*sum, four, weights);
                }
            }
        }
        for (sums, lanes) in sums.iter_mut().zip(lanes) {
            for (c, lane) in lanes.into_iter().enumerate() {
                _mm512_storeu_si512(sums.as_mut_ptr().add(c * 16).cast(), lane);
            }
        }
    }
}

/// As [`dot_avx512`], 32 products an instruction, 16 columns at a time.
///
/// # Safety
/// The processor has the features; `tile` has `R` rows.
#[target_feature(enable = "avx2,avxvnni")]
pub(super) unsafe fn dot_avx_vnni<const R: usize>(
    tile: Bytes<'_>,
    sums: &mut [[i32; DOT_COLUMNS]; 6],
) {
    for first in (0..DOT_COLUMNS).step_by(16) {
        // SAFETY: `Bytes` promises the rows and the panel; the starts and `sums` are arrays, and
        // 16 columns from `first` on are within 64.
        unsafe {
            let start: [__m256i; 2] = std::array::from_fn(|c| {
                _mm256_loadu_si256(tile.starts.as_ptr().add(first + c * 8).cast())
            });
            let mut lanes = [start; R];
            for quad in 0..tile.n_quads {
                let panel = tile.panel.as_ptr().add((quad * DOT_COLUMNS + first) * 4);
                let weights: [__m256i; 2] =
                    std::array::from_fn(|c| _mm256_loadu_si256(panel.add(c * 32).cast()));
                for (r, lanes) in lanes.iter_mut().enumerate() {
                    let four = tile.rows.as_ptr().add(r * tile.n_quads * 4 + quad * 4);
                    let four = _mm256_set1_epi32(four.cast::<i32>().read_unaligned());
                    for (sum, weights) in lanes.iter_mut().zip(weights) {
                        *sum = _mm256_dpbusd_avx_epi32(*sum, four, weights);
                    }
                }
            }
            for (sums, lanes) in sums.iter_mut().zip(lanes) {
                for (c, lane) in lanes.into_iter().enumerate() {
                    _mm256_storeu_si256(sums.as_mut_ptr().add(first + c * 8).cast(), lane);
                }
            }
        }
    }
}

/// Adds up `R` rows by 64 columns over values widened to 16 bits, 8 columns at a time. The
/// instruction for bytes (`vpmaddubsw`) would be a third faster, but saturates at 16 bits.
///
/// # Safety
/// The processor has AVX2; `tile` has `R` rows, wide ones too.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn dot_avx2<const R: usize>(tile: Bytes<'_>, sums: &mut [[i32; DOT_COLUMNS]; 6]) {
    for first in (0..DOT_COLUMNS).step_by(8) {
        // SAFETY: `Bytes` promises the wide rows and the panel; `sums` is an
        // array, and 8 columns from `first` on are within 64.
        unsafe {
            let mut lanes = [[_mm256_setzero_si256(); 2]; R];
            for quad in 0..tile.n_quads {
                let panel = tile.panel.as_ptr().add((quad * DOT_COLUMNS + first) * 4);
                // Each holds four columns of four values.
                let weights: [__m256i; 2] = std::array::from_fn(|c| {
                    _mm256_cvtepi8_epi16(_mm_loadu_si128(panel.add(c * 16).cast()))
                });
                for (r, lanes) in lanes.iter_mut().enumerate() {
                    let four = tile.wide.as_ptr().add(r * tile.n_quads * 4 + quad * 4);
                    let four = _mm256_set1_epi64x(four.cast::<i64>().read_unaligned());
                    for (sum, weights) in lanes.iter_mut().zip(weights) {
                        *sum = _mm256_add_epi32(*sum, _mm256_madd_epi16(four, weights));
                    }
                }
            }
            for (sums, [low, high]) in sums.iter_mut().zip(lanes) {
                // Pairs are added within halves: columns 0 1 4 5 and 2 3 6 7.
                let pairs = _mm256_hadd_epi32(low, high);
                let ordered = _mm256_permute4x64_epi64::<0b11_01_10_00>(pairs);
                _mm256_storeu_si256(sums.as_mut_ptr().add(first).cast(), ordered);
            }
        }
    }
}

/// Adds up `R` rows by 32 columns of f32.
///
/// # Safety
/// The processor has AVX-512; `tile` has `R` rows.
#[target_feature(enable = "avx512f")]
pub(super) unsafe fn sum_avx512<const R: usize>(
    tile: Floats<'_>,
    sums: &mut [[f32; SUM_COLUMNS]; 12],
) {
    // SAFETY: `Floats` promises the rows and the panel; `sums` is an array.
    unsafe {
        let mut lanes = [[_mm512_setzero_ps(); 2]; R];
        for k in 0..tile.inner {
            let panel = tile.panel.as_ptr().add(k * SUM_COLUMNS);
            let weights = [_mm512_loadu_ps(panel), _mm512_loadu_ps(panel.add(16))];
            for (r, lanes) in lanes.iter_mut().enumerate() {
                let value = _mm512_set1_ps(*tile.rows.as_ptr().add(r * tile.step + k));
                for (sum, weights) in lanes.iter_mut().zip(weights) {
                    *sum = _mm512_fmadd_ps(value, weights, *sum);
                }
            }
        }
        for (sums, [low, high]) in sums.iter_mut().zip(lanes) {
            _mm512_storeu_ps(sums.as_mut_ptr(), low);
            _mm512_storeu_ps(sums.as_mut_ptr().add(16), high);
        }
    }
}

/// As [`sum_avx512`], 16 columns at a time.
///
/// # Safety
/// The processor has the features; `tile` has `R` rows.
#[target_feature(enable = "avx2,fma")]
pub(super) unsafe fn sum_avx2<const R: usize>(
    tile: Floats<'_>,
    sums: &mut [[f32; SUM_COLUMNS]; 12],
) {
    for first in (0..SUM_COLUMNS).step_by(16) {
        // SAFETY: `Floats` promises the rows and the panel; `sums` is an array, and 16 columns
        // from `first` on are within 32.
        unsafe {
            let mut lanes = [[_mm256_setzero_ps(); 2]; R];
            for k in 0..tile.inner {
                let panel = tile.panel.as_ptr().add(k * SUM_COLUMNS + first);
                let weights = [_mm256_loadu_ps(panel), _mm256_loadu_ps(panel.add(8))];
                for (r, lanes) in lanes.iter_mut().enumerate() {
                    let value = _mm256_set1_ps(*tile.rows.as_ptr().add(r * tile.step + k));
                    for (sum, weights) in lanes.iter_mut().zip(weights) {
                        *sum = _mm256_fmadd_ps(value, weights, *sum);
                    }
                }
            }
            for (sums, [low, high]) in sums.iter_mut().zip(lanes) {
                _mm256_storeu_ps(sums.as_mut_ptr().add(first), low);
                _mm256_storeu_ps(sums.as_mut_ptr().add(first + 8), high);
            }
        }
    }
}

/// Runs loops over slices with the vectors of AVX-512.
///
/// # Safety
/// The processor has the features.
#[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq")]
pub(super) unsafe fn run_avx512<T>(work: impl FnOnce() -> T) -> T {
    work()
}

/// Runs loops over slices with the vectors of AVX2.
///
/// # Safety
/// The processor has the features.
#[target_feature(enable = "avx2")]
pub(super) unsafe fn run_avx2<T>(work: impl FnOnce() -> T) -> T {
    work()
}
