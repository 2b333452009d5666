//! Products of 8-bit numbers: weights per output column, activations per row as they come.
//!
//! As in "Q8BERT" (Zafrir et al. 2019), but finer: one scale for each column and row rather than one
//! for a matrix, and rows span their least to their largest value, because what an activation
//! leaves is mostly positive. A value of a row is middle + scale × byte, so that a product with a
//! column is scale × (sum of the bytes' products) + middle × (sum of the column).

use super::{Bytes, DOT_COLUMNS, Processor, ROWS_AT_ONCE, store, tiles};

/// The largest magnitude of a weight's byte.
const LIMIT: f32 = 127.0;
/// From the least to the largest value of a row.
const STEPS: f32 = 255.0;

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
    sums: [f32; DOT_COLUMNS],
    bias: [f32; DOT_COLUMNS],
    n_columns: usize,
}

/// Rows of activations in 8 bits, with room that is used again.
#[derive(Default)]
pub(crate) struct ByteRows {
    values: Vec<u8>,
    wide: Vec<i16>,
    spans: Vec<Span>,
}

/// What a row's bytes stand for: middle + scale × byte, −128 to 127.
#[derive(Clone, Copy, Default)]
struct Span {
    scale: f32,
    middle: f32,
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
        let blocks = rows.spans.chunks(ROWS_AT_ONCE).zip(out.chunks_mut(ROWS_AT_ONCE * n_columns));
        for (block, (spans, out)) in blocks.enumerate() {
            for (p, panel) in self.panels.iter().enumerate() {
                for (first, n_rows) in tiles(spans.len(), processor.dot.len()) {
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
                    let done = sums.iter().zip(&spans[first..first + n_rows]).zip(out);
                    processor.run(
                        #[inline(always)]
                        || {
                            for ((sums, span), out) in done {
                                panel.finish(sums, *span, &mut out[p * DOT_COLUMNS..]);
                            }
                        },
                    );
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
            sums: [0.0; DOT_COLUMNS],
            bias: [0.0; DOT_COLUMNS],
            n_columns: bias.len(),
        };
        for (c, (column, bias)) in weight.chunks_exact(inner.max(1)).zip(bias).enumerate() {
            let (least, largest) = range(column);
            let scale = larger(-least, largest) / LIMIT;
            let inverse = inverse(scale);
            panel.scales[c] = scale;
            panel.bias[c] = *bias;
            let mut sum = 0;
            for (k, value) in column.iter().enumerate() {
                let value = round(value * inverse) as i8;
                panel.values[(k / 4 * DOT_COLUMNS + c) * 4 + k % 4] = value;
                sum += i32::from(value);
            }
            panel.starts[c] = -128 * sum;
            panel.sums[c] = sum as f32;
        }
        panel
    }

    #[inline(always)]
    fn finish(&self, sums: &[i32; DOT_COLUMNS], span: Span, out: &mut [f32]) {
        let mut whole = [0.0; DOT_COLUMNS];
        for c in 0..DOT_COLUMNS {
            let sum = sums[c] as f32 * span.scale + self.sums[c] * span.middle;
            whole[c] = sum * self.scales[c] + self.bias[c];
        }
        store(&whole, &mut out[..self.n_columns]);
    }
}

impl ByteRows {
    /// Quantises `rows`, `[n, inner]`, in place of what was here.
    pub(crate) fn fill(&mut self, processor: Processor, rows: &[f32], inner: usize) {
        let n_rows = rows.len() / inner.max(1);
        let row_bytes = inner.div_ceil(4) * 4;
        let shift = if processor.is_shifted() { 0 } else { 128 };
        self.values.resize(n_rows * row_bytes, 0);
        self.spans.resize(n_rows, Span::default());
        let Self { values, wide, spans } = self;
        processor.run(
            #[inline(always)]
            || {
                let rows = rows.chunks_exact(inner.max(1)).zip(values.chunks_exact_mut(row_bytes));
                for ((row, bytes), span) in rows.zip(spans) {
                    let (least, largest) = range(row);
                    let scale = (largest - least) / STEPS;
                    let inverse = inverse(scale);
                    *span = Span { scale, middle: least + 128.0 * scale };
                    let (bytes, rest) = bytes.split_at_mut(inner);
                    for (byte, value) in bytes.iter_mut().zip(row) {
                        *byte = round((value - least) * inverse) as u8 ^ shift;
                    }
                    rest.fill(shift);
                }
                wide.clear();
                if processor.is_wide() {
                    wide.extend(values.iter().map(|byte| i16::from(byte.cast_signed())));
                }
            },
        );
    }
}

/// Returns the least and the largest of some values, passing over what is not a number; 0 and 0
/// where nothing is left.
#[inline(always)]
fn range(values: &[f32]) -> (f32, f32) {
    let (mut low, mut high) = ([f32::INFINITY; 32], [f32::NEG_INFINITY; 32]);
    let (blocks, rest) = values.as_chunks::<32>();
    for block in blocks {
        for ((low, high), value) in low.iter_mut().zip(&mut high).zip(block) {
            (*low, *high) = (smaller(*low, *value), larger(*high, *value));
        }
    }
    let least = low.iter().chain(rest).fold(f32::INFINITY, |a, b| smaller(a, *b));
    let largest = high.iter().chain(rest).fold(f32::NEG_INFINITY, |a, b| larger(a, *b));
    if least <= largest { (least, largest) } else { (0.0, 0.0) }
}

/// As `max`, but one instruction: a right side that is not a number is passed over.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// As `min`, in the manner of [`larger`].
#[inline(always)]
fn smaller(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

/// Returns what to multiply with instead of dividing by a scale; 0 where it would not be finite.
#[inline(always)]
fn inverse(scale: f32) -> f32 {
    if scale < 1e-35 { 0.0 } else { 1.0 / scale }
}

/// Rounds to the nearest integer, halves to even, whose bits are the lowest of what comes back.
#[inline(always)]
fn round(value: f32) -> u32 {
    // Adding 1.5 * 2^23 leaves no room for fractions.
    (value + 12_582_912.0).to_bits()
}
