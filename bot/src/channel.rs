use async_trait::async_trait;
use store::Post;

/// A system that customers are written to through, or that is told of events, other than the
/// desk's own pages, which read the store.
///
/// Posts of one conversation come one after the other, in their order. A post whose attempt was
/// not noted, because this process died, comes again with `n_attempts` above 1.
#[async_trait]
pub trait Channel: Send + Sync {
    /// Whether posts for this destination are this channel's.
    fn takes(&self, destination: &str) -> bool;

    /// Whether the far side already has a post that was handed out before. Asked before every
    /// repeated [`deliver`](Self::deliver); a far side that recognises the post's id by itself may
    /// be answered for with `false`.
    ///
    /// # Errors
    /// [`DeliveryError`].
    async fn has(&self, post: &Post) -> Result<bool, DeliveryError>;

    /// Sends a post. Returns what the far side said, such as `HTTP 200`, without customer data.
    ///
    /// # Errors
    /// [`DeliveryError`].
    async fn deliver(&self, post: &Post) -> Result<String, DeliveryError>;
}

/// Why a post did not arrive; the texts hold no customer data and no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DeliveryError {
    /// It may arrive later: try again, not before so many seconds where the far side said so.
    #[error("{what}")]
    Later {
        /// What happened.
        what: String,
        /// Seconds that the far side asks to wait.
        after_s: Option<u64>,
    },
    /// It will never arrive.
    #[error("{0}")]
    Never(String),
}
