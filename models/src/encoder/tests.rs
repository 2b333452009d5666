use super::*;
use candle_core::{DType, Device, Tensor};
use serde::Deserialize;
use std::path::PathBuf;

#[derive(Deserialize)]
struct Reference {
    text: String,
    embedding: Vec<f32>,
}

/// The default model, which `./test` puts below the workspace.
fn model() -> Option<PathBuf> {
    let folder =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../.frontdesk/models/all-minilm-l6-v2");
    if folder.join("model.safetensors").is_file() {
        return Some(folder);
    }
    eprintln!("skipped: {} is absent; run ./test", folder.display());
    None
}

/// Vectors made by the model's own library.
fn references() -> Option<Vec<Reference>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/data/reference/all-minilm-l6-v2.jsonl");
    let Ok(lines) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is absent", path.display());
        return None;
    };
    Some(lines.lines().map(|l| serde_json::from_str(l).unwrap()).collect())
}

fn encoder() -> Option<Encoder> {
    model().map(|folder| Encoder::open(&folder, 2).unwrap())
}

fn mixed_texts() -> Vec<String> {
    let words = "billing refund invoice single sign on api limit export mobile sync error plan";
    (0..40)
        .map(|i| {
            words.split(' ').cycle().skip(i).take(1 + (i * 7) % 90).collect::<Vec<_>>().join(" ")
        })
        .collect()
}

#[tokio::test]
async fn vectors_equal_the_reference_library() {
    let Some(encoder) = encoder() else { return };
    let Some(references) = references() else { return };
    assert!(references.len() >= 30);
    let texts: Vec<String> = references.iter().map(|r| r.text.clone()).collect();
    let batch = encoder.embed(&texts).await.unwrap();
    for (reference, ours) in references.into_iter().zip(batch) {
        let expected = Embedding::new(reference.embedding).unwrap();
        assert!(ours.cosine(&expected) > 0.9999, "{}: {}", reference.text, ours.cosine(&expected));
        let alone = encoder.embed_query(&reference.text).await.unwrap();
        assert!(ours.cosine(&alone) > 0.99999, "batch and single differ: {}", reference.text);
    }
}

#[tokio::test]
async fn packed_states_equal_candles_bert() {
    let Some(folder) = model() else { return };
    let encoder = Encoder::open(&folder, 2).unwrap();
    let config = std::fs::read_to_string(folder.join("config.json")).unwrap();
    let config = serde_json::from_str(&config).unwrap();
    let weights = std::fs::read(folder.join("model.safetensors")).unwrap();
    let vars = candle_nn::VarBuilder::from_buffered_safetensors(weights, DType::F32, &Device::Cpu)
        .unwrap();
    let candle = candle_transformers::models::bert::BertModel::load(vars, &config).unwrap();
    for text in mixed_texts() {
        let tokens = encoder.pipeline.tokenise("", &text).unwrap();
        let ids = Tensor::new(tokens.as_slice(), &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        let kinds = ids.zeros_like().unwrap();
        let states = candle.forward(&ids, &kinds, None).unwrap();
        let pooled = states.mean(1).unwrap().squeeze(0).unwrap().to_vec1().unwrap();
        let ours = encoder.pipeline.encode(&[&tokens]).unwrap().remove(0);
        assert!(ours.cosine(&Embedding::new(pooled).unwrap()) > 0.999_99, "{text}");
    }
}

#[tokio::test]
async fn fast_vectors_lie_close_to_the_exact_ones_and_do_not_depend_on_the_batch() {
    let Some(folder) = model() else { return };
    let exact = Encoder::open(&folder, 2).unwrap();
    let fast = Encoder::open_at(&folder, 2, Precision::Fast).unwrap();
    let mut texts = mixed_texts();
    texts.extend(references().unwrap_or_default().into_iter().map(|r| r.text));
    let ours = fast.embed(&texts).await.unwrap();
    let theirs = exact.embed(&texts).await.unwrap();
    for ((text, ours), theirs) in texts.iter().zip(ours).zip(theirs) {
        assert!(ours.cosine(&theirs) > 0.99, "{text}: {}", ours.cosine(&theirs));
        let alone = fast.embed_query(text).await.unwrap();
        assert!(ours.cosine(&alone) > 0.9999, "{text}: {}", ours.cosine(&alone));
    }
    assert_eq!(fast.id(), format!("{}-fast", exact.id()));
}

#[tokio::test]
async fn fast_texts_of_every_length_get_vectors() {
    let Some(folder) = model() else { return };
    let fast = Encoder::open_at(&folder, 2, Precision::Fast).unwrap();
    let texts: Vec<String> = (0..300).step_by(7).map(|n| "word ".repeat(n)).collect();
    assert_eq!(fast.embed(&texts).await.unwrap().len(), texts.len());
}

#[tokio::test]
async fn a_batch_keeps_order_and_equals_single_texts() {
    let Some(encoder) = encoder() else { return };
    let texts = mixed_texts();
    let batch = encoder.embed(&texts).await.unwrap();
    assert_eq!(batch.len(), texts.len());
    for (text, vector) in texts.iter().zip(&batch) {
        let alone = encoder.embed(std::slice::from_ref(text)).await.unwrap();
        assert!(vector.cosine(&alone[0]) > 0.99999, "{text}");
    }
}

#[tokio::test]
async fn a_text_has_one_vector_whatever_is_asked_beside_it() {
    let Some(encoder) = encoder() else { return };
    let texts = mixed_texts();
    let together = encoder.embed_now(&texts).await.unwrap();
    for (text, vector) in texts.iter().zip(&together) {
        let alone = encoder.embed_now(std::slice::from_ref(text)).await.unwrap();
        assert_eq!(vector, &alone[0], "{text}");
    }
}

#[tokio::test]
async fn hostile_texts_get_vectors() {
    let Some(encoder) = encoder() else { return };
    let texts = [
        "".into(),
        " ".into(),
        "\0\u{1}\u{7f}".into(),
        "שלום עולם".into(),
        "a".repeat(1_000_000),
        "word ".repeat(100_000),
    ];
    let vectors = encoder.embed(&texts).await.unwrap();
    assert_eq!(vectors.len(), texts.len());
}

#[test]
fn absent_and_broken_files_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let check = |file: &str, content: &str, expected: &str| {
        std::fs::write(folder.path().join(file), content).unwrap();
        let error = Encoder::open(folder.path(), 1).err().map(|e| e.to_string()).unwrap();
        assert!(error.contains(expected), "{error}");
    };
    let error = Encoder::open(folder.path(), 1).err().map(|e| e.to_string()).unwrap();
    assert!(error.contains("config.json") && error.contains("models pull"), "{error}");
    check("config.json", "{", "config.json: EOF");
    let config = r#"{"model_type":"gpt2","hidden_size":8,"intermediate_size":8,"num_hidden_layers":1,
        "num_attention_heads":2,"hidden_act":"gelu","layer_norm_eps":1e-12,"max_position_embeddings":16,"vocab_size":9}"#;
    check("config.json", config, "not of the BERT family");
    check("config.json", &config.replace("gpt2", "bert"), "tokenizer.json");
    check("tokenizer.json", "[]", "tokenizer.json");
}
