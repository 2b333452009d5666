//! The arithmetic of one encoder layer over row-major f32 slices.
//!
//! Loops are written so that the compiler vectorises them for any processor, and inlined so that
//! [`Processor::run`](crate::kernels::Processor::run) can do so for the one at hand; the products are
//! those of [`crate::kernels`].

/// Adds `residual` to every row and normalises it to mean 0 and variance 1, then applies gain and
/// shift (Ba et al. 2016, "Layer Normalization").
#[inline(always)]
pub(super) fn add_and_normalise(rows: &mut [f32], residual: &[f32], norm: &Norm) {
    let width = norm.gain.len();
    for (row, before) in rows.chunks_exact_mut(width).zip(residual.chunks_exact(width)) {
        row.iter_mut().zip(before).for_each(|(value, before)| *value += before);
        normalise(row, norm);
    }
}

/// Gain, shift and floor of a layer normalisation.
pub(super) struct Norm {
    pub(super) gain: Vec<f32>,
    pub(super) shift: Vec<f32>,
    pub(super) epsilon: f32,
}

/// Normalises one row in place.
#[inline(always)]
pub(super) fn normalise(row: &mut [f32], norm: &Norm) {
    let n = row.len() as f32;
    let mean = sum(row, |v| v) / n;
    let variance = sum(row, |v| (v - mean) * (v - mean)) / n;
    let scale = 1.0 / (variance + norm.epsilon).sqrt();
    for ((value, gain), shift) in row.iter_mut().zip(&norm.gain).zip(&norm.shift) {
        *value = (*value - mean) * scale * gain + shift;
    }
}

/// Turns every row of `columns` scores into shares that sum to 1.
#[inline(always)]
pub(super) fn softmax(rows: &mut [f32], columns: usize) {
    for row in rows.chunks_exact_mut(columns) {
        let largest = largest(row);
        row.iter_mut().for_each(|v| *v = exp(*v - largest));
        let scale = 1.0 / sum(row, |v| v);
        row.iter_mut().for_each(|v| *v *= scale);
    }
}

/// The activation of the feed-forward part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    /// x Φ(x) (Hendrycks and Gimpel 2016).
    Gelu,
    /// Its approximation by tanh.
    GeluTanh,
    /// max(x, 0).
    Relu,
}

impl Activation {
    /// Applies the activation to every value.
    #[inline(always)]
    pub(super) fn apply(self, values: &mut [f32]) {
        match self {
            Self::Gelu => values.iter_mut().for_each(|v| *v = gelu(*v)),
            Self::GeluTanh => values.iter_mut().for_each(|v| *v = gelu_tanh(*v)),
            Self::Relu => values.iter_mut().for_each(|v| *v = v.max(0.0)),
        }
    }
}

/// erf by Abramowitz and Stegun 7.1.26; its absolute error stays below 1.5e-7.
#[inline(always)]
fn gelu(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let series = 0.254_829_6
        + t * (-0.284_496_72 + t * (1.421_413_8 + t * (-1.453_152_1 + t * 1.061_405_4)));
    let tail = 0.5 * t * series * exp(-z * z);
    x * if x < 0.0 { tail } else { 1.0 - tail }
}

#[inline(always)]
fn gelu_tanh(x: f32) -> f32 {
    let inner = 0.797_884_6 * (x + 0.044_715 * x * x * x);
    let e = exp(2.0 * inner.clamp(-10.0, 10.0));
    0.5 * x * (1.0 + (e - 1.0) / (e + 1.0))
}

/// e^x without a branch or a call, so that loops over it vectorise; relative error below 2e-7.
/// The argument is split as n ln 2 + r; e^r is a polynomial (Cephes `expf`), 2^n is put together
/// from its bits.
#[inline(always)]
fn exp(x: f32) -> f32 {
    // Adding and taking away 1.5 * 2^23 rounds to the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 0.5
        + r * (1.666_666_5e-1
            + r * (4.166_579_6e-2
                + r * (8.333_452e-3 + r * (1.398_199_9e-3 + r * 1.987_569_2e-4))));
    // Its lowest bits are n, so that no conversion is needed, which would look for overflow.
    let power = f32::from_bits(rounded.to_bits().wrapping_add(127) << 23);
    (1.0 + r + r * r * p) * power
}

/// Sums `map(value)` in 16 lanes: floating-point sums are not reordered by the compiler.
#[inline(always)]
fn sum(row: &[f32], map: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0_f32; 16];
    let blocks = row.chunks_exact(16);
    let tail: f32 = blocks.remainder().iter().map(|v| map(*v)).sum();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane += map(*value);
        }
    }
    lanes.iter().sum::<f32>() + tail
}

/// The largest value of a row, in 16 lanes.
#[inline(always)]
fn largest(row: &[f32]) -> f32 {
    let larger = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; 16];
    let (blocks, rest) = row.as_chunks::<16>();
    for block in blocks {
        for (lane, value) in lanes.iter_mut().zip(block) {
            *lane = larger(*lane, *value);
        }
    }
    lanes.iter().chain(rest).fold(f32::NEG_INFINITY, |a, b| larger(a, *b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_and_gelu_agree_with_double_precision() {
        for step in -8_000..8_000 {
            let x = step as f32 * 0.01;
            let exact = f64::from(x).exp();
            assert!(((f64::from(exp(x)) - exact) / exact).abs() < 3e-7, "exp({x})");
        }
        // 0.5 (1 + erf(x / sqrt 2)) to six places, from tables.
        for (x, phi) in
            [(-3.0, 0.001_35), (-1.0, 0.158_655), (0.0, 0.5), (0.5, 0.691_462), (2.0, 0.977_25)]
        {
            assert!((gelu(x) - x * phi).abs() < 3e-6, "gelu({x})");
            assert!((gelu_tanh(x) - x * phi).abs() < 2e-3, "gelu_tanh({x})");
        }
    }

    #[test]
    fn softmax_rows_sum_to_one_even_for_large_scores() {
        let mut rows = [1000.0, 1000.0, -1000.0, 0.0, 1.0, 2.0];
        softmax(&mut rows, 3);
        for row in rows.chunks(3) {
            assert!((row.iter().sum::<f32>() - 1.0).abs() < 1e-6, "{row:?}");
        }
    }
}
