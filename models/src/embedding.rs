use crate::Error;
use async_trait::async_trait;

/// A direction in meaning space: `[dimension]` f32 of unit length.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedding(Vec<f32>);

impl Embedding {
    /// Scales `values` to unit length.
    ///
    /// # Errors
    /// [`Error::Model`] when the vector is empty, has no length, or holds a number that is not
    /// finite: such a vector would poison every ranking that it takes part in.
    pub fn new(mut values: Vec<f32>) -> Result<Self, Error> {
        let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        if !norm.is_finite() || norm < 1e-12 {
            return Err(Error::Model("the embedder returned a vector without direction".into()));
        }
        for value in &mut values {
            *value = (f64::from(*value) / norm) as f32;
        }
        Ok(Self(values))
    }

    /// Takes back the components that [`Embedding::as_slice`] returned, to the last digit; `None`
    /// for what cannot have come from there.
    pub(crate) fn restored(values: Vec<f32>) -> Option<Self> {
        let norm = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>().sqrt();
        ((norm - 1.0).abs() < 1e-3).then_some(Self(values))
    }

    /// Returns the components, `[dimension]`.
    pub fn as_slice(&self) -> &[f32] {
        &self.0
    }

    /// Returns the components by value, `[dimension]`.
    pub fn into_vec(self) -> Vec<f32> {
        self.0
    }

    /// Returns the cosine with `other`, −1..=1; 0 when the dimensions differ.
    pub fn cosine(&self, other: &Self) -> f32 {
        if self.0.len() != other.0.len() {
            return 0.0;
        }
        self.0.iter().zip(&other.0).map(|(a, b)| a * b).sum()
    }
}

/// Turns text into [`Embedding`]s. Vectors of two embedders are comparable only when their ids
/// are equal.
///
/// Every implementation promises: one vector a text, in the order of the texts; the same vector
/// for a text whether it is embedded alone or in a batch (cosine > 0.9999); an empty text is a
/// text like any other; no panic on any input.
#[async_trait]
pub trait Embedder: Send + Sync {
    /// Names model and weights; changes whenever the vectors would.
    fn id(&self) -> &str;

    /// Number of components of every vector.
    fn dimension(&self) -> usize;

    /// Embeds texts that will be searched.
    ///
    /// # Errors
    /// See [`Error`]; nothing is returned for part of a batch.
    async fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error>;

    /// Embeds a handful of texts as [`Embedder::embed`] does, without waiting behind batches: for
    /// a customer who waits. A model in this process computes each text by itself, so that its
    /// vector is the same to the last digit whatever stands beside it.
    ///
    /// # Errors
    /// See [`Error`].
    async fn embed_now(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        self.embed(texts).await
    }

    /// Embeds one text that searches; some models mark questions and passages differently.
    ///
    /// # Errors
    /// See [`Error`].
    async fn embed_query(&self, text: &str) -> Result<Embedding, Error>;
}
