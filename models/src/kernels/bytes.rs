//! Products of 8-bit numbers: weights per output column, activations per row as they come.
//!
//! Both are symmetric, −127 to 127 times a scale of their own, as in "Q8BERT" (Zafrir et al. 2019)
//! but finer: one scale a column and one a row rather than one a matrix.

use super::{Bytes, DOT_COLUMNS, Processor, ROWS_AT_ONCE, tiles};

/// The largest quantised magnitude.
const LIMIT: f32 = 127.0;

/// Weights and bias of a layer, `[out, in]`, packed once.
pub(crate) struct ByteWeights {
    inner: usize,
    n_quads: usize,
    panels: Vec<Panel>,
}

/// 64 output columns; those beyond the last are 0.
struct Panel {
    /// `[n_quads, 64, 4]`
    values: Vec<i8>,
    /// Minus 128 times the sum of a column, for processors that want rows shifted by 128.
    starts: [i32; DOT_COLUMNS],
    scales: [f32; DOT_COLUMNS],
    bias: [f32; DOT_COLUMNS],
    n_columns: usize,
}

/// Rows of activations in 8 bits, with room that is used again.
#[derive(Default)]
pub(crate) struct ByteRows {
    values: Vec<u8>,
    wide: Vec<i16>,
    scales: Vec<f32>,
}

impl ByteWeights {
    /// Quantises `weight`, `[bias.len(), inner]`.
    pub(crate) fn new(weight: &[f32], bias: &[f32]) -> Self {
        let inner = weight.len() / bias.len().max(1);
        let n_quads = inner.div_ceil(4);
        let panels = weight
            .chunks(DOT_COLUMNS * inner.max(1))
            .zip(bias.chunks(DOT_COLUMNS))
            .map(|(weight, bias)| Panel::new(weight, bias, inner))
            .collect();
        Self { inner, n_quads, panels }
    }

    /// Returns the number of values that a row has to have.
    pub(crate) fn inner(&self) -> usize {
        self.inner
    }

    /// Multiplies the rows into `out`, `[rows, out]`, and adds the bias.
    pub(crate) fn multiply(&self, processor: Processor, rows: &ByteRows, out: &mut [f32]) {
        let n_columns = self.panels.iter().map(|panel| panel.n_columns).sum::<usize>();
        let row_bytes = self.n_quads * 4;
        let mut sums = [[0; DOT_COLUMNS]; 6];
        let blocks = rows.scales.chunks(ROWS_AT_ONCE).zip(out.chunks_mut(ROWS_AT_ONCE * n_columns));
        for (block, (scales, out)) in blocks.enumerate() {
            for (p, panel) in self.panels.iter().enumerate() {
                for (first, n_rows) in tiles(scales.len(), processor.dot.len()) {
                    let from = (block * ROWS_AT_ONCE + first) * row_bytes;
                    let values = from..from + n_rows * row_bytes;
                    processor.dot(
                        Bytes {
                            n_rows,
                            n_quads: self.n_quads,
                            wide: rows.wide.get(values.clone()).unwrap_or_default(),
                            rows: &rows.values[values],
                            panel: &panel.values,
                            starts: &panel.starts,
                        },
                        &mut sums,
                    );
                    let out = out[first * n_columns..].chunks_mut(n_columns);
                    let done = sums.iter().zip(&scales[first..first + n_rows]).zip(out);
                    processor.run(|| {
                        done.for_each(|((sums, scale), out)| {
                            panel.finish(sums, *scale, &mut out[p * DOT_COLUMNS..]);
                        });
                    });
                }
            }
        }
    }
}

impl Panel {
    fn new(weight: &[f32], bias: &[f32], inner: usize) -> Self {
        let mut panel = Self {
            values: vec![0; inner.div_ceil(4) * 4 * DOT_COLUMNS],
            starts: [0; DOT_COLUMNS],
            scales: [0.0; DOT_COLUMNS],
            bias: [0.0; DOT_COLUMNS],
            n_columns: bias.len(),
        };
        for (c, (column, bias)) in weight.chunks_exact(inner.max(1)).zip(bias).enumerate() {
            let (scale, inverse) = scales(column);
            panel.scales[c] = scale;
            panel.bias[c] = *bias;
            for (k, value) in column.iter().enumerate() {
                let value = quantise(*value, inverse);
                panel.values[(k / 4 * DOT_COLUMNS + c) * 4 + k % 4] = value;
                panel.starts[c] -= 128 * i32::from(value);
            }
        }
        panel
    }

    #[inline(always)]
    fn finish(&self, sums: &[i32; DOT_COLUMNS], scale: f32, out: &mut [f32]) {
        let mut whole = [0.0; DOT_COLUMNS];
        for c in 0..DOT_COLUMNS {
            whole[c] = sums[c] as f32 * (scale * self.scales[c]) + self.bias[c];
        }
        out[..self.n_columns].copy_from_slice(&whole[..self.n_columns]);
    }
}

impl ByteRows {
    /// Quantises `rows`, `[n, inner]`, in place of what was here.
    pub(crate) fn fill(&mut self, processor: Processor, rows: &[f32], inner: usize) {
        let n_rows = rows.len() / inner.max(1);
        let row_bytes = inner.div_ceil(4) * 4;
        let shift = if processor.is_shifted() { 128 } else { 0 };
        self.values.resize(n_rows * row_bytes, 0);
        self.scales.resize(n_rows, 0.0);
        let Self { values, wide, scales: into } = self;
        processor.run(|| {
            let rows = rows.chunks_exact(inner.max(1)).zip(values.chunks_exact_mut(row_bytes));
            for ((row, bytes), into) in rows.zip(into) {
                let (scale, inverse) = scales(row);
                *into = scale;
                let (bytes, rest) = bytes.split_at_mut(inner);
                for (byte, value) in bytes.iter_mut().zip(row) {
                    *byte = quantise(*value, inverse).cast_unsigned() ^ shift;
                }
                rest.fill(shift);
            }
            wide.clear();
            if processor.is_wide() {
                wide.extend(values.iter().map(|byte| i16::from(byte.cast_signed())));
            }
        });
    }
}

/// Returns the scale of some values and its inverse; both 0 where all values are.
#[inline(always)]
fn scales(values: &[f32]) -> (f32, f32) {
    let mut lanes = [0.0_f32; 16];
    let (blocks, rest) = values.as_chunks::<16>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane = larger(*lane, value.abs());
        }
    }
    let largest = lanes.iter().chain(rest).fold(0.0, |a, b| larger(a, b.abs()));
    // Below, the inverse would not be finite.
    if largest < 1e-30 { (0.0, 0.0) } else { (largest / LIMIT, LIMIT / largest) }
}

/// As `max`, but one instruction: a value that is not a number is passed over.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// Rounds to the nearest integer, halves to even.
#[inline(always)]
fn quantise(value: f32, inverse: f32) -> i8 {
    // Adding 1.5 * 2^23 leaves the nearest integer in the lowest bits; −127 to 127 fits in eight.
    const ROUND: f32 = 12_582_912.0;
    (value * inverse + ROUND).to_bits() as i8
}
