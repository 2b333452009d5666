//! Inner loops for any processor; what the others are compared with.

use super::{Bytes, DOT_COLUMNS, Floats, SUM_COLUMNS};

/// Adds up the rows by 64 columns; the rows' bytes are signed here.
pub(super) fn dot(tile: Bytes<'_>, sums: &mut [[i32; DOT_COLUMNS]; 6]) {
    let rows = tile.rows.chunks_exact(tile.n_quads * 4);
    for (row, sums) in rows.zip(sums) {
        *sums = [0; DOT_COLUMNS];
        let quads = row.as_chunks::<4>().0.iter();
        for (four, panel) in quads.zip(tile.panel.chunks_exact(DOT_COLUMNS * 4)) {
            let four = four.map(|byte| i32::from(byte.cast_signed()));
            for (sum, weights) in sums.iter_mut().zip(panel.as_chunks::<4>().0) {
                for (value, weight) in four.iter().zip(weights) {
                    *sum += value * i32::from(*weight);
                }
            }
        }
    }
}

/// Adds up the rows by 32 columns of f32.
pub(super) fn sum(tile: Floats<'_>, sums: &mut [[f32; SUM_COLUMNS]; 12]) {
    for (r, sums) in sums.iter_mut().enumerate().take(tile.n_rows) {
        *sums = [0.0; SUM_COLUMNS];
        let row = &tile.rows[r * tile.step..][..tile.inner];
        for (value, panel) in row.iter().zip(tile.panel.as_chunks::<SUM_COLUMNS>().0) {
            sums.iter_mut().zip(panel).for_each(|(sum, weight)| *sum += value * weight);
        }
    }
}
