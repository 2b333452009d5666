//! Inner loops for 64-bit Arm with the dot product instructions (Armv8.2 and later).

#![expect(unsafe_code, reason = "vector instructions read through pointers")]

use super::{Bytes, DOT_COLUMNS, Floats, SUM_COLUMNS};
use std::arch::{aarch64::*, asm};

/// Adds up `R` rows by 64 columns, 16 products an instruction (`sdot`), 16 columns at a time.
///
/// # Safety
/// The processor has the feature; `tile` has `R` rows.
#[target_feature(enable = "neon,dotprod")]
pub(super) unsafe fn dot_neon<const R: usize>(tile: Bytes<'_>, sums: &mut [[i32; DOT_COLUMNS]; 6]) {
    for first in (0..DOT_COLUMNS).step_by(16) {
        // SAFETY: `Bytes` promises the rows and the panel; `sums` is an array, and 16 columns from
        // `first` on are within 64.
        unsafe {
            let mut lanes = [[vdupq_n_s32(0); 4]; R];
            for quad in 0..tile.n_quads {
                let panel = tile.panel.as_ptr().add((quad * DOT_COLUMNS + first) * 4);
                let weights: [int8x16_t; 4] = std::array::from_fn(|c| vld1q_s8(panel.add(c * 16)));
                for (r, lanes) in lanes.iter_mut().enumerate() {
                    let four = tile.rows.as_ptr().add(r * tile.n_quads * 4 + quad * 4);
                    let four = vdupq_n_s32(four.cast::<i32>().read_unaligned());
                    let four = vreinterpretq_s8_s32(four);
                    for (sum, weights) in lanes.iter_mut().zip(weights) {
                        *sum = dot(*sum, four, weights);
                    }
                }
            }
            for (sums, lanes) in sums.iter_mut().zip(lanes) {
                for (c, lane) in lanes.into_iter().enumerate() {
                    vst1q_s32(sums.as_mut_ptr().add(first + c * 4), lane);
                }
            }
        }
    }
}

/// `sdot` by its own name: its intrinsic is not stable.
#[target_feature(enable = "neon,dotprod")]
fn dot(mut sum: int32x4_t, left: int8x16_t, right: int8x16_t) -> int32x4_t {
    // SAFETY: the instruction reads and writes these three registers alone.
    unsafe {
        asm!(
            "sdot {sum:v}.4s, {left:v}.16b, {right:v}.16b",
            sum = inout(vreg) sum,
            left = in(vreg) left,
            right = in(vreg) right,
            options(pure, nomem, nostack, preserves_flags)
        );
    }
    sum
}

/// Adds up `R` rows by 32 columns of f32, 16 columns at a time.
///
/// # Safety
/// `tile` has `R` rows.
#[target_feature(enable = "neon")]
pub(super) unsafe fn sum_neon<const R: usize>(
    tile: Floats<'_>,
    sums: &mut [[f32; SUM_COLUMNS]; 12],
) {
    for first in (0..SUM_COLUMNS).step_by(16) {
        // SAFETY: `Floats` promises the rows and the panel; `sums` is an array, and 16 columns from
        // `first` on are within 32.
        unsafe {
            let mut lanes = [[vdupq_n_f32(0.0); 4]; R];
            for k in 0..tile.inner {
                let panel = tile.panel.as_ptr().add(k * SUM_COLUMNS + first);
                let weights: [float32x4_t; 4] =
                    std::array::from_fn(|c| vld1q_f32(panel.add(c * 4)));
                for (r, lanes) in lanes.iter_mut().enumerate() {
                    let value = *tile.rows.as_ptr().add(r * tile.step + k);
                    for (sum, weights) in lanes.iter_mut().zip(weights) {
                        *sum = vfmaq_n_f32(*sum, weights, value);
                    }
                }
            }
            for (sums, lanes) in sums.iter_mut().zip(lanes) {
                for (c, lane) in lanes.into_iter().enumerate() {
                    vst1q_f32(sums.as_mut_ptr().add(first + c * 4), lane);
                }
            }
        }
    }
}
