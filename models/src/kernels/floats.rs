//! Products of f32.

use super::{Floats, Processor, ROWS_AT_ONCE, SUM_COLUMNS, store, tiles};

/// The right side of a product, packed in panels of 32 columns; those beyond the last are 0.
#[derive(Default)]
pub(crate) struct Panels {
    inner: usize,
    n_columns: usize,
    /// `[panels, inner, 32]`
    values: Vec<f32>,
}

/// A matrix inside a slice: `n` rows of contiguous values, `step` apart.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) data: &'a [f32],
    pub(crate) n: usize,
    pub(crate) step: usize,
}

/// Where a product goes: rows that are `step` apart.
pub(crate) struct Out<'a> {
    pub(crate) data: &'a mut [f32],
    pub(crate) step: usize,
}

/// What is done with each sum.
#[derive(Clone, Copy)]
pub(crate) enum Finish<'a> {
    /// Multiplied by a number.
    Scaled(f32),
    /// The column's bias is added.
    Biased(&'a [f32]),
}

impl Panels {
    /// Packs the first `inner` values of every row as a column each, in place of what was here.
    pub(crate) fn pack_transposed(&mut self, rows: Rows<'_>, inner: usize) {
        self.resize(inner, rows.n);
        for c in 0..rows.n {
            let from = c / SUM_COLUMNS * inner * SUM_COLUMNS + c % SUM_COLUMNS;
            let column = self.values[from..].iter_mut().step_by(SUM_COLUMNS);
            let row = &rows.data[c * rows.step..][..inner];
            column.zip(row).for_each(|(to, value)| *to = *value);
        }
    }

    /// Packs the first `n_columns` values of every row as they are, in place of what was here.
    pub(crate) fn pack(&mut self, rows: Rows<'_>, n_columns: usize) {
        self.resize(rows.n, n_columns);
        for k in 0..rows.n {
            let row = &rows.data[k * rows.step..][..n_columns];
            for (p, part) in row.chunks(SUM_COLUMNS).enumerate() {
                let at = (p * rows.n + k) * SUM_COLUMNS;
                let to = &mut self.values[at..at + part.len()];
                match part.as_array::<SUM_COLUMNS>() {
                    Some(part) => store(part, to),
                    None => to.copy_from_slice(part),
                }
            }
        }
    }

    /// Returns the number of values that a row has to have.
    pub(crate) fn inner(&self) -> usize {
        self.inner
    }

    /// Multiplies `rows` into `out`, `[rows, columns]`.
    pub(crate) fn multiply(
        &self,
        processor: Processor,
        rows: Rows<'_>,
        finish: Finish<'_>,
        out: &mut Out<'_>,
    ) {
        let mut sums = [[0.0; SUM_COLUMNS]; 12];
        for block in (0..rows.n).step_by(ROWS_AT_ONCE) {
            let n_block = ROWS_AT_ONCE.min(rows.n - block);
            for first in (0..self.n_columns).step_by(SUM_COLUMNS) {
                let n_columns = SUM_COLUMNS.min(self.n_columns - first);
                let panel = &self.values[first * self.inner..][..self.inner * SUM_COLUMNS];
                for (tile, n_rows) in tiles(n_block, processor.sum.len()) {
                    let row = block + tile;
                    processor.sum(
                        Floats {
                            n_rows,
                            inner: self.inner,
                            rows: &rows.data[row * rows.step..],
                            step: rows.step,
                            panel,
                        },
                        &mut sums,
                    );
                    let sums = &mut sums[..n_rows];
                    processor.run(
                        #[inline(always)]
                        || finish.apply(sums, first),
                    );
                    for (r, sums) in sums.iter().enumerate() {
                        let at = (row + r) * out.step + first;
                        store(sums, &mut out.data[at..at + n_columns]);
                    }
                }
            }
        }
    }

    fn resize(&mut self, inner: usize, n_columns: usize) {
        let size = n_columns.div_ceil(SUM_COLUMNS) * SUM_COLUMNS * inner;
        if (self.inner, self.n_columns) != (inner, n_columns) {
            // Columns beyond the last have to be 0 again.
            self.values.clear();
        }
        self.values.resize(size, 0.0);
        (self.inner, self.n_columns) = (inner, n_columns);
    }
}

impl Finish<'_> {
    #[inline(always)]
    fn apply(self, sums: &mut [[f32; SUM_COLUMNS]], first: usize) {
        match self {
            Self::Scaled(scale) => sums.as_flattened_mut().iter_mut().for_each(|v| *v *= scale),
            Self::Biased(bias) => {
                let bias = &bias[first..];
                for row in sums {
                    row.iter_mut().zip(bias).for_each(|(value, bias)| *value += bias);
                }
            }
        }
    }
}
