use axum::{Json, Router, extract::State, http::StatusCode, routing::post};
use rand_chacha::{
    ChaCha8Rng,
    rand_core::{RngCore, SeedableRng},
};
use serde_json::Value;
use std::sync::{Arc, Mutex, PoisonError};
use tokio::{net::TcpListener, task::JoinHandle};

/// Of so many posts one is refused, at random.
const REFUSES: u32 = 50;

/// Another system that the desk tells of every message, and that is not always well.
pub(crate) struct Sink {
    url: String,
    heard: Heard,
    serving: JoinHandle<()>,
}

/// Ids, conversations and numbers of what was taken, in the order in which it came.
type Heard = Arc<Mutex<(ChaCha8Rng, Vec<Told>)>>;

/// A message that the system was told of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Told {
    pub(crate) post: String,
    pub(crate) conversation: String,
    pub(crate) number: i64,
}

impl Sink {
    pub(crate) async fn open(seed: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap());
        let heard: Heard = Arc::new(Mutex::new((ChaCha8Rng::seed_from_u64(seed), Vec::new())));
        let routes = Router::new().route("/", post(hear)).with_state(heard.clone());
        let serving = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, heard, serving }
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Returns all that was taken, repetitions too.
    pub(crate) fn heard(&self) -> Vec<Told> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).1.clone()
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

async fn hear(State(heard): State<Heard>, Json(told): Json<Value>) -> StatusCode {
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    if heard.0.next_u32() % REFUSES == 0 {
        return StatusCode::SERVICE_UNAVAILABLE;
    }
    let text = |value: &Value| value.as_str().unwrap().to_string();
    heard.1.push(Told {
        post: text(&told["id"]),
        conversation: text(&told["conversation"]["id"]),
        number: told["data"]["number"].as_i64().unwrap(),
    });
    StatusCode::OK
}
