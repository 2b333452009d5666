use super::{Key, Shelf, key};
use crate::{Embedder, Embedding, Error};
use async_trait::async_trait;
use std::sync::Arc;

/// An embedder that embeds a text once. Questions and what [`Embedder::embed_now`] asks for are
/// kept; batches that an index is made of are not, as the index keeps them.
pub struct KeptEmbedder {
    inner: Arc<dyn Embedder>,
    shelf: Arc<Shelf>,
}

impl KeptEmbedder {
    /// Stands before `inner` and keeps its vectors on `shelf`.
    pub fn new(inner: Arc<dyn Embedder>, shelf: Arc<Shelf>) -> Self {
        Self { inner, shelf }
    }

    fn key(&self, kind: &str, text: &str) -> Key {
        key([kind, self.inner.id(), text].map(str::as_bytes))
    }

    fn find(&self, key: &Key) -> Option<Embedding> {
        self.shelf.find(key, |bytes| {
            let (numbers, rest) = bytes.as_chunks::<4>();
            let fits = rest.is_empty() && numbers.len() == self.inner.dimension();
            let values = numbers.iter().map(|number| f32::from_le_bytes(*number)).collect();
            Embedding::restored(values).filter(|_| fits)
        })
    }

    fn keep(&self, key: Key, vector: &Embedding) {
        let bytes = vector.as_slice().iter().flat_map(|value| value.to_le_bytes()).collect();
        self.shelf.keep(key, bytes);
    }
}

#[async_trait]
impl Embedder for KeptEmbedder {
    fn id(&self) -> &str {
        self.inner.id()
    }

    fn dimension(&self) -> usize {
        self.inner.dimension()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        self.inner.embed(texts).await
    }

    async fn embed_now(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        let keys: Vec<Key> = texts.iter().map(|text| self.key("text", text)).collect();
        let mut vectors: Vec<Option<Embedding>> = keys.iter().map(|key| self.find(key)).collect();
        let absent = texts.iter().zip(&vectors).filter(|(_, vector)| vector.is_none());
        let absent: Vec<String> = absent.map(|(text, _)| text.clone()).collect();
        if !absent.is_empty() {
            let computed = self.inner.embed_now(&absent).await?;
            let places = vectors.iter_mut().zip(&keys).filter(|(vector, _)| vector.is_none());
            for ((place, key), vector) in places.zip(computed) {
                self.keep(*key, &vector);
                *place = Some(vector);
            }
        }
        let n_texts = texts.len();
        let vectors: Vec<Embedding> = vectors.into_iter().flatten().collect();
        if vectors.len() == n_texts {
            return Ok(vectors);
        }
        Err(Error::Model(format!(
            "the embedder returned {} vectors too few",
            n_texts - vectors.len()
        )))
    }

    async fn embed_query(&self, text: &str) -> Result<Embedding, Error> {
        let key = self.key("question", text);
        if let Some(vector) = self.find(&key) {
            return Ok(vector);
        }
        let vector = self.inner.embed_query(text).await?;
        self.keep(key, &vector);
        Ok(vector)
    }
}
