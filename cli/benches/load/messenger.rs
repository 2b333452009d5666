use anyhow::Context;
use serde_json::{Value, json};
use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::{Duration, Instant},
};

/// A messenger in an open page: a visit, and a stream of the conversation that was written last.
pub(crate) struct Messenger {
    client: reqwest::Client,
    address: String,
    token: String,
    stream: Option<Stream>,
}

/// How long a customer waited, in milliseconds.
pub(crate) struct Waited {
    stored: f64,
    answered: f64,
}

/// Server-sent events as they come in.
struct Stream {
    answer: reqwest::Response,
    text: String,
}

/// Messages so far. Each comes from an address of its own, as customers do: what one address may
/// ask is limited.
static SENT: AtomicUsize = AtomicUsize::new(0);

/// Whoever is not answered in this time makes the measurement void.
const PATIENCE: Duration = Duration::from_secs(60);

impl Messenger {
    /// Opens a visit.
    pub(crate) async fn open(address: &str, n: usize) -> anyhow::Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build()?;
        let mut new = Self { client, address: address.into(), token: String::new(), stream: None };
        let answer = new.post("visits", &json!({"name": format!("Customer {n}")})).await?;
        new.token = answer["token"].as_str().context("a visit without a token")?.to_string();
        Ok(new)
    }

    /// Asks something in a new conversation, and waits for the bot's words on its stream, which
    /// stays open until the next question.
    pub(crate) async fn ask(&mut self, question: &str) -> anyhow::Result<Waited> {
        let client_id = format!("message-{}", SENT.load(Ordering::Relaxed));
        let start = Instant::now();
        let body = json!({"client_id": client_id, "text": question});
        let posted = self.post("messages", &body).await?;
        let stored = start.elapsed();
        let id = posted["conversation"].as_str().context("a message without a conversation")?;
        self.stream = None;
        let url = format!("{}/messenger/v1/conversations/{id}/events", self.address);
        let asked = self.client.get(url).bearer_auth(&self.token).header("x-forwarded-for", from());
        let answer = asked.send().await?.error_for_status()?;
        let mut stream = Stream { answer, text: String::new() };
        let said = tokio::time::timeout(PATIENCE, stream.bot_says()).await;
        said.with_context(|| format!("nobody answered {question:?}"))??;
        self.stream = Some(stream);
        let ms = |time: Duration| time.as_secs_f64() * 1e3;
        Ok(Waited { stored: ms(stored), answered: ms(start.elapsed()) })
    }

    async fn post(&self, what: &str, body: &Value) -> anyhow::Result<Value> {
        let url = format!("{}/messenger/v1/{what}", self.address);
        let mut request = self.client.post(url).header("x-forwarded-for", from()).json(body);
        if !self.token.is_empty() {
            request = request.bearer_auth(&self.token);
        }
        Ok(request.send().await?.error_for_status()?.json().await?)
    }
}

impl Waited {
    pub(crate) fn stored(&self) -> f64 {
        self.stored
    }

    pub(crate) fn answered(&self) -> f64 {
        self.answered
    }
}

impl Stream {
    /// Reads on until the bot has said something.
    async fn bot_says(&mut self) -> anyhow::Result<()> {
        loop {
            while let Some((event, rest)) = self.text.split_once("\n\n") {
                let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                let data = data.and_then(|data| serde_json::from_str::<Value>(data).ok());
                let bot = data.is_some_and(|data| data["from"]["kind"] == "bot");
                self.text = rest.to_string();
                if bot {
                    return Ok(());
                }
            }
            let bytes = self.answer.chunk().await?.context("the stream ended")?;
            self.text.push_str(&String::from_utf8_lossy(&bytes));
        }
    }
}

fn from() -> String {
    let n = SENT.fetch_add(1, Ordering::Relaxed);
    format!("10.{}.{}.{}", n / 65_536 % 256, n / 256 % 256, n % 256)
}
