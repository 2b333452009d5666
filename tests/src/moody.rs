use async_trait::async_trait;
use models::{Embedder, Embedding, Error, HashedEmbedder};

/// The embedder of a bench, with something that comes before each question: a wait, or a failure.
pub(crate) struct Moody<F>(pub(crate) F);

#[async_trait]
impl<F, T> Embedder for Moody<F>
where
    F: Fn() -> T + Send + Sync,
    T: Future<Output = Result<(), Error>> + Send,
{
    fn id(&self) -> &str {
        HashedEmbedder.id()
    }

    fn dimension(&self) -> usize {
        HashedEmbedder.dimension()
    }

    async fn embed(&self, texts: &[String]) -> Result<Vec<Embedding>, Error> {
        HashedEmbedder.embed(texts).await
    }

    async fn embed_query(&self, text: &str) -> Result<Embedding, Error> {
        (self.0)().await?;
        HashedEmbedder.embed_query(text).await
    }
}
