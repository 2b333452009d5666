use crate::{Embedder, Embedding, Error};
use async_trait::async_trait;
use sha2::{Digest, Sha256};

/// Embeds words and character trigrams by hashing (Weinberger et al. 2009, "Feature Hashing"):
/// no model, no network, the same vector everywhere. Texts that share words come close, texts
/// that share meaning alone do not: it is for tests and for machines without a model.
#[derive(Debug, Clone, Copy, Default)]
pub struct HashedEmbedder;

const DIMENSION: usize = 256;

#[async_trait]
impl Embedder for HashedEmbedder {
    fn id(&self) -> &str {
        "hashed-1"
    }

    fn dimension(&self) -> usize {
        DIMENSION
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        texts.iter().map(|text| hash(text)).collect()
    }

    async fn embed_query(&self, text: &str) -> Result<Embedding, Error> {
        hash(text)
    }
}

fn hash(text: &str) -> Result<Embedding, Error> {
    let mut vector = vec![0.0_f32; DIMENSION];
    // A text without a word still needs a direction; this one is its own.
    add(&mut vector, "", 1e-3);
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        let word = word.to_lowercase();
        add(&mut vector, &word, 1.0);
        let marked: Vec<char> = format!("^{word}$").chars().collect();
        for gram in marked.windows(3) {
            add(&mut vector, &gram.iter().collect::<String>(), 0.3);
        }
    }
    Embedding::new(vector)
}

fn add(vector: &mut [f32], feature: &str, weight: f32) {
    let digest = Sha256::digest(feature.as_bytes());
    let place = usize::from(digest[0]) % vector.len();
    let sign = if digest[1] & 1 == 0 { 1.0 } else { -1.0 };
    vector[place] += sign * weight;
}
