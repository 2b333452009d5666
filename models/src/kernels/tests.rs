use super::{
    Processor,
    bytes::{ByteRows, ByteWeights},
    floats::{Finish, Out, Panels, Rows},
};
use proptest::prelude::*;

/// Values from a seed: ordinary ones, the largest, zeros, and rows of nothing but zeros.
fn values(n: usize, seed: u64) -> Vec<f32> {
    let mut state = seed;
    let mut draw = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 40) as f32 / (1_u64 << 24) as f32
    };
    (0..n)
        .map(|_| match (draw() * 16.0) as u32 {
            0 => 0.0,
            1 => 3.0,
            2 => -3.0,
            _ => draw() * 6.0 - 3.0,
        })
        .collect()
}

fn fast(processor: Processor, rows: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let weights = ByteWeights::new(weight, bias);
    let inner = weights.inner();
    let mut bytes = ByteRows::default();
    // Room that held something larger before must not shine through.
    bytes.fill(processor, &vec![1.0; (rows.len() / inner + 3) * (inner + 5)], inner + 5);
    bytes.fill(processor, rows, inner);
    let mut out = vec![f32::NAN; rows.len() / inner * bias.len()];
    weights.multiply(processor, &bytes, &mut out);
    out
}

fn exact(processor: Processor, rows: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let inner = weight.len() / bias.len();
    let (n, columns) = (rows.len() / inner, bias.len());
    let mut panels = Panels::default();
    panels.pack_transposed(Rows { data: &vec![9.0; 70 * 70], n: 70, step: 70 }, 70);
    panels.pack_transposed(Rows { data: weight, n: columns, step: inner }, inner);
    let mut out = vec![f32::NAN; n * columns];
    let to = &mut Out { data: &mut out, step: columns };
    panels.multiply(processor, Rows { data: rows, n, step: inner }, Finish::Biased(bias), to);
    out
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn every_processor_gives_the_same_bits_in_bytes_and_nearly_the_same_floats(
        n in 1_usize..200, inner in 1_usize..150, columns in 1_usize..140, seed: u64,
    ) {
        let (rows, weight) = (values(n * inner, seed), values(columns * inner, seed ^ 1));
        let bias = values(columns, seed ^ 2);
        let all = Processor::all();
        let (slow, slow_floats) =
            (fast(all[0], &rows, &weight, &bias), exact(all[0], &rows, &weight, &bias));
        for processor in &all[1..] {
            let bits = |v: Vec<f32>| v.into_iter().map(f32::to_bits).collect::<Vec<_>>();
            let ours = fast(*processor, &rows, &weight, &bias);
            prop_assert_eq!(bits(ours), bits(slow.clone()), "{:?}", processor);
            for (a, b) in exact(*processor, &rows, &weight, &bias).iter().zip(&slow_floats) {
                prop_assert!((a - b).abs() < 1e-3, "{:?}: {} and {}", processor, a, b);
            }
        }
        for (r, out) in slow_floats.chunks(columns).enumerate() {
            for (c, value) in out.iter().enumerate() {
                let row = &rows[r * inner..][..inner];
                let products = row.iter().zip(&weight[c * inner..]).map(|(a, b)| a * b);
                let expected = products.sum::<f32>() + bias[c];
                prop_assert!((value - expected).abs() < 1e-3, "{} and {}", value, expected);
                // Either side is off by at most half a step of 3/127 in each of its values.
                let off = (slow[r * columns + c] - value).abs();
                prop_assert!(off <= 0.0715 * inner as f32 + 1e-3, "{} and {}", off, inner);
            }
        }
    }
}

#[test]
fn extremes_neither_saturate_nor_overflow() {
    let inner = 4096;
    for (row, weight) in [(1.0, 1.0), (1.0, -1.0), (-1.0, -1.0), (0.0, 1.0), (1.0, 0.0)] {
        for processor in Processor::all() {
            let out = fast(processor, &vec![row; 7 * inner], &vec![weight; 65 * inner], &[0.5; 65]);
            let expected = row * weight * inner as f32 + 0.5;
            for value in out {
                assert!((value - expected).abs() < 1e-2, "{processor:?}: {value}, not {expected}");
            }
        }
    }
}

#[test]
fn numbers_that_are_none_stay_in_their_row() {
    for processor in Processor::all() {
        for bad in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, f32::MIN_POSITIVE] {
            let mut rows = vec![1.0; 3 * 8];
            rows[8] = bad;
            let out = fast(processor, &rows, &[1.0; 5 * 8], &[0.0; 5]);
            let sound = out.iter().enumerate().filter(|(at, _)| at / 5 != 1);
            assert!(sound.into_iter().all(|(_, v)| (v - 8.0).abs() < 1e-3), "{processor:?}: {bad}");
        }
    }
}

#[test]
fn packing_as_it_is_and_transposed_agree() {
    let right = values(40 * 70, 5);
    let turned: Vec<f32> = (0..70 * 40).map(|i| right[i % 40 * 70 + i / 40]).collect();
    let rows = values(13 * 40, 6);
    for processor in Processor::all() {
        let product = |panels: &Panels| {
            let mut out = vec![0.0; 13 * 70];
            let to = &mut Out { data: &mut out, step: 70 };
            let rows = Rows { data: &rows, n: 13, step: 40 };
            panels.multiply(processor, rows, Finish::Scaled(0.5), to);
            out
        };
        let (mut plain, mut transposed) = (Panels::default(), Panels::default());
        plain.pack(Rows { data: &right, n: 40, step: 70 }, 70);
        transposed.pack_transposed(Rows { data: &turned, n: 70, step: 40 }, 40);
        assert_eq!(product(&plain), product(&transposed), "{processor:?}");
    }
}
