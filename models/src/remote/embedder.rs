use super::{
    RemoteOptions,
    transport::{Endpoint, Failure},
};
use crate::{Embedder, Embedding, Error};
use async_openai::types::embeddings::{CreateEmbeddingRequest, EmbeddingInput, EncodingFormat};
use async_trait::async_trait;
use serde::Deserialize;
use std::sync::atomic::{AtomicBool, Ordering};

/// Bounds of one request. OpenAI takes 2048 texts and 300,000 tokens; local services work through
/// a request in one go and would run into the time limit.
const MOST_TEXTS: usize = 64;
const MOST_BYTES: usize = 256 << 10;

/// An embedding model behind an OpenAI-compatible endpoint.
pub struct RemoteEmbedder {
    id: String,
    dimension: usize,
    /// Tests make its waits short.
    pub(super) endpoint: Endpoint,
    /// Whether the service is told the dimension. Few services know the parameter, so it is sent
    /// only once vectors of another length have come.
    asks_dimension: AtomicBool,
}

impl RemoteEmbedder {
    /// Prepares requests; the service is not asked anything yet.
    ///
    /// # Errors
    /// [`Error::Refused`] for options that can never work, a missing `dimension` among them.
    pub fn new(options: RemoteOptions) -> Result<Self, Error> {
        let endpoint = Endpoint::new(options, "/embeddings")?;
        let Some(dimension) = endpoint.options().dimension.filter(|dimension| *dimension > 0)
        else {
            let reason = "dimension is missing; set it to the length of the model's vectors";
            let service = endpoint.service().to_owned();
            return Err(Error::Refused { service, reason: reason.into() });
        };
        let id = format!("{}@{}#{dimension}", endpoint.options().model, endpoint.service());
        Ok(Self { id, dimension, endpoint, asks_dimension: AtomicBool::new(false) })
    }

    async fn embed_batch(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        let mut asks = self.asks_dimension.load(Ordering::Relaxed);
        loop {
            let body = self.ask(texts, asks).await?;
            let fault =
                |reason: String| Error::Model(format!("{} {reason}", self.endpoint.service()));
            let vectors = read_vectors(&body, texts.len()).map_err(|e| fault(e.to_owned()))?;
            let other = vectors.iter().map(Vec::len).find(|n| *n != self.dimension);
            match other {
                None => return vectors.into_iter().map(Embedding::new).collect(),
                Some(_) if !asks => {
                    asks = true;
                    self.asks_dimension.store(true, Ordering::Relaxed);
                }
                Some(n) => {
                    return Err(fault(format!(
                        "returns vectors of {n} components; set dimension to {n} instead of {}",
                        self.dimension
                    )));
                }
            }
        }
    }

    async fn ask(&self, texts: &[String], asks_dimension: bool) -> Result<Vec<u8>, Error> {
        // Services refuse an empty text, which the trait does not.
        let filled = |text: &String| match text.trim().is_empty() {
            true => " ".to_owned(),
            false => text.clone(),
        };
        let dimension = u32::try_from(self.dimension).ok();
        let request = CreateEmbeddingRequest {
            model: self.endpoint.options().model.clone(),
            input: EmbeddingInput::StringArray(texts.iter().map(filled).collect()),
            encoding_format: Some(EncodingFormat::Float),
            user: None,
            dimensions: dimension.filter(|_| asks_dimension),
        };
        match self.endpoint.post(&request).await {
            Ok(body) => Ok(body),
            Err(Failure::Final(error)) => Err(error),
            Err(Failure::Rejected(rejection)) if rejection.is_too_long() => {
                let longest = texts.iter().map(|text| text.len() / 4).max().unwrap_or(0);
                Err(rejection.too_long(longest))
            }
            Err(Failure::Rejected(rejection)) => Err(self.endpoint.refuse(&rejection)),
        }
    }
}

#[async_trait]
impl Embedder for RemoteEmbedder {
    fn id(&self) -> &str {
        &self.id
    }

    fn dimension(&self) -> usize {
        self.dimension
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        let mut vectors = Vec::with_capacity(texts.len());
        let mut rest = texts;
        while !rest.is_empty() {
            let (batch, later) = rest.split_at(batch_len(rest));
            vectors.extend(self.embed_batch(batch).await?);
            rest = later;
        }
        Ok(vectors)
    }

    async fn embed_query(&self, text: &str) -> Result<Embedding, Error> {
        let vectors = self.embed_batch(&[text.to_owned()]).await?;
        vectors.into_iter().next().ok_or_else(|| Error::Model("no vector came back".into()))
    }
}

/// Counts the texts that go into one request: at least one, and as many as the bounds allow.
fn batch_len(texts: &[String]) -> usize {
    let mut n_bytes = 0;
    let fitting = texts.iter().take(MOST_TEXTS).take_while(|text| {
        n_bytes += text.len();
        n_bytes <= MOST_BYTES
    });
    fitting.count().max(1).min(texts.len())
}

#[derive(Deserialize)]
struct Answer {
    data: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    /// Place of its text; services that leave it out answer in order.
    index: Option<usize>,
    embedding: Vec<f32>,
}

fn read_vectors(body: &[u8], n_texts: usize) -> Result<Vec<Vec<f32>>, &'static str> {
    let answer: Answer =
        serde_json::from_slice(body).map_err(|_| "answers with something that is no embedding")?;
    let mut places: Vec<Option<Vec<f32>>> = vec![None; n_texts];
    for (order, vector) in answer.data.into_iter().enumerate() {
        let place = places.get_mut(vector.index.unwrap_or(order));
        place.ok_or("returns more vectors than texts")?.replace(vector.embedding);
    }
    places.into_iter().collect::<Option<_>>().ok_or("returns fewer vectors than texts")
}
