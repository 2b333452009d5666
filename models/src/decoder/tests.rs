use super::{Decoder, synthetic::Synthetic};
use crate::{Error, gguf::Gguf};
use candle_core::{
    Device, Tensor,
    quantized::{
        GgmlDType,
        gguf_file::{Content, Value},
    },
};
use candle_transformers::models::{quantized_llama, quantized_qwen2, quantized_qwen3};
use std::{fs::File, path::Path};

const FAMILIES: [&str; 3] = ["llama", "qwen2", "qwen3"];
const TOKENS: [u32; 12] = [256, 5, 17, 99, 3, 3, 200, 41, 77, 258, 12, 64];

type Forward = Box<dyn FnMut(&Tensor, usize) -> candle_core::Result<Tensor>>;

fn load(path: &Path) -> Result<Decoder, Error> {
    Decoder::load(&mut Gguf::open(path)?, 4096)
}

fn written(model: &Synthetic) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    model.write(file.path());
    file
}

/// Scores after each of the calls.
fn scores(decoder: &Decoder, calls: &[&[u32]]) -> Vec<Vec<f32>> {
    let mut cache = decoder.new_cache();
    calls
        .iter()
        .map(|call| decoder.score(&decoder.read(&mut cache, call).unwrap()).unwrap())
        .collect()
}

fn reference(family: &str, path: &Path, calls: &[&[u32]]) -> Vec<Vec<f32>> {
    let mut file = File::open(path).unwrap();
    let content = Content::read(&mut file).unwrap();
    let cpu = Device::Cpu;
    let mut forward: Forward = match family {
        "llama" => {
            let mut model =
                quantized_llama::ModelWeights::from_gguf(content, &mut file, &cpu).unwrap();
            Box::new(move |x, at| model.forward(x, at))
        }
        "qwen2" => {
            let mut model =
                quantized_qwen2::ModelWeights::from_gguf(content, &mut file, &cpu).unwrap();
            Box::new(move |x, at| model.forward(x, at))
        }
        _ => {
            let mut model =
                quantized_qwen3::ModelWeights::from_gguf(content, &mut file, &cpu).unwrap();
            Box::new(move |x, at| model.forward(x, at))
        }
    };
    let mut n_before = 0;
    let mut all = vec![];
    for call in calls {
        let input = Tensor::new(*call, &cpu).unwrap().unsqueeze(0).unwrap();
        let scores = forward(&input, n_before).unwrap();
        all.push(scores.flatten_all().unwrap().to_vec1().unwrap());
        n_before += call.len();
    }
    all
}

fn assert_close(ours: &[Vec<f32>], theirs: &[Vec<f32>], tolerance: f32, what: &str) {
    assert_eq!(ours.len(), theirs.len());
    for (ours, theirs) in ours.iter().zip(theirs) {
        assert_eq!(ours.len(), theirs.len(), "{what}");
        let most = theirs.iter().fold(0f32, |most, v| most.max(v.abs()));
        assert!(most > 0.5, "{what}: scores without size prove nothing");
        for (a, b) in ours.iter().zip(theirs) {
            assert!((a - b).abs() <= tolerance * most, "{what}: {a} is not {b}");
        }
    }
}

#[test]
fn scores_equal_those_of_candle_transformers() {
    // 1e-5 of the largest score with plain weights. With 8-bit weights activations are rounded to
    // 8 bits too, where the last bit of a sum can tip a rounding: 2 in a hundred.
    for (dtype, tolerance) in [(GgmlDType::F32, 1e-5), (GgmlDType::Q8_0, 2e-2)] {
        for family in FAMILIES {
            for model in [Synthetic::new(family, dtype), Synthetic::new(family, dtype).untied()] {
                let file = written(&model);
                let calls: [&[u32]; 3] = [&TOKENS[..10], &TOKENS[10..11], &TOKENS[11..]];
                let ours = scores(&load(file.path()).unwrap(), &calls);
                let theirs = reference(family, file.path(), &calls);
                assert_close(&ours, &theirs, tolerance, &format!("{family} {dtype:?}"));
            }
        }
    }
}

#[test]
fn a_text_read_in_parts_scores_as_if_read_at_once() {
    for (dtype, tolerance) in [(GgmlDType::F32, 1e-5), (GgmlDType::Q4_1, 4e-2)] {
        for family in FAMILIES {
            let decoder = load(written(&Synthetic::new(family, dtype)).path()).unwrap();
            let whole = scores(&decoder, &[&TOKENS]).remove(0);
            for cut in [1, 5, 11] {
                let parts = scores(&decoder, &[&TOKENS[..cut], &TOKENS[cut..]]).remove(1);
                assert_close(&[parts], std::slice::from_ref(&whole), tolerance, family);
            }
        }
    }
}

#[test]
fn going_back_to_a_prefix_gives_the_same_bits_as_reading_it_anew() {
    for family in FAMILIES {
        let decoder = load(written(&Synthetic::new(family, GgmlDType::Q8_0)).path()).unwrap();
        let anew = scores(&decoder, &[&TOKENS[..6], &TOKENS[6..]]).remove(1);
        let mut cache = decoder.new_cache();
        decoder.read(&mut cache, &TOKENS[..6]).unwrap();
        decoder.read(&mut cache, &[9; 300]).unwrap();
        cache.truncate(6);
        let state = decoder.read(&mut cache, &TOKENS[6..]).unwrap();
        assert_eq!(decoder.score(&state).unwrap(), anew, "{family}");
        assert_eq!(cache.tokens(), TOKENS);
    }
}

#[test]
fn tokens_beyond_the_context_or_the_vocabulary_are_errors_and_leave_the_cache_alone() {
    let decoder = load(written(&Synthetic::new("llama", GgmlDType::F32)).path()).unwrap();
    let mut cache = decoder.new_cache();
    decoder.read(&mut cache, &TOKENS).unwrap();
    for bad in [&[][..], &[259], &[u32::MAX], &[1; 512]] {
        assert!(decoder.read(&mut cache, bad).is_err());
        assert_eq!(cache.tokens(), TOKENS);
    }
    assert_eq!((decoder.n_context(), decoder.n_vocabulary()), (512, 259));
}

#[test]
fn a_file_that_is_wrong_is_refused_and_the_wrong_part_named() {
    let text = |text: &str| Some(Value::String(text.into()));
    let number = |number: u32| Some(Value::U32(number));
    for (key, value) in [
        ("general.architecture", text("mamba")),
        ("general.architecture", None),
        ("llama.block_count", None),
        ("llama.block_count", number(u32::MAX)),
        ("llama.block_count", Some(Value::I32(-1))),
        ("llama.block_count", text("two")),
        ("llama.block_count", number(3)),
        ("llama.attention.head_count", number(0)),
        ("llama.attention.head_count", number(3)),
        ("llama.attention.head_count_kv", number(0)),
        ("llama.attention.head_count_kv", number(4)),
        ("llama.attention.key_length", number(15)),
        ("llama.attention.key_length", number(32)),
        ("llama.rope.dimension_count", number(8)),
        ("llama.rope.freq_base", Some(Value::F32(f32::NAN))),
        ("llama.rope.scaling.type", text("yarn")),
        ("llama.expert_count", number(8)),
        ("llama.embedding_length", number(1 << 17)),
        ("llama.context_length", number(0)),
        ("llama.attention.layer_norm_rms_epsilon", None),
    ] {
        let model = Synthetic::new("llama", GgmlDType::F32).with(key, value.clone());
        let file = written(&model);
        match load(file.path()) {
            Err(Error::File { path, reason }) => {
                assert_eq!(path, file.path());
                assert!(!reason.is_empty());
            }
            Err(error) => panic!("{key} {value:?}: {error}"),
            Ok(_) => panic!("{key} {value:?} was accepted"),
        }
    }
    for (family, tensor) in [
        ("qwen2", "blk.1.attn_k.bias"),
        ("qwen3", "blk.0.attn_q_norm.weight"),
        ("llama", "output_norm.weight"),
        ("llama", "token_embd.weight"),
    ] {
        let file = written(&Synthetic::new(family, GgmlDType::F32).without_tensor(tensor));
        let message = load(file.path()).err().unwrap().to_string();
        assert!(message.contains(tensor), "{message}");
    }
}

#[test]
fn a_file_cut_short_anywhere_is_refused() {
    let file = written(&Synthetic::new("llama", GgmlDType::Q8_0));
    let bytes = std::fs::read(file.path()).unwrap();
    for keep in (0..bytes.len() - 32).step_by(bytes.len() / 97) {
        let cut = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(cut.path(), &bytes[..keep]).unwrap();
        assert!(matches!(load(cut.path()), Err(Error::File { .. })), "{keep} bytes");
    }
}
