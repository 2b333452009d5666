use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use tokio::task::JoinSet;

/// Customers who write at the same time.
const AT_ONCE: usize = 24;

/// What every customer writes, one after the other.
pub(crate) const MESSAGES: [&str; 2] =
    ["How many days does the free trial last?", "Can I talk to a human, please?"];

/// Customers who write until everything they have to say is acknowledged.
pub(crate) struct Crowd {
    writing: JoinSet<Vec<String>>,
    n_left: Arc<AtomicUsize>,
}

impl Crowd {
    /// Has so many conversations held at these addresses.
    pub(crate) fn write(n_conversations: usize, addresses: Vec<String>) -> Self {
        let n_left = Arc::new(AtomicUsize::new(AT_ONCE));
        let addresses = Arc::new(addresses);
        let client = reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap();
        let mut writing = JoinSet::new();
        for first in 0..AT_ONCE {
            let (client, addresses, n_left) = (client.clone(), addresses.clone(), n_left.clone());
            writing.spawn(async move {
                let mut conversations = Vec::new();
                for number in (first..n_conversations).step_by(AT_ONCE) {
                    let customer = Customer { client: &client, addresses: &addresses, number };
                    conversations.push(customer.hold().await);
                }
                n_left.fetch_sub(1, Ordering::SeqCst);
                conversations
            });
        }
        Self { writing, n_left }
    }

    /// Whether all is sent.
    pub(crate) fn is_done(&self) -> bool {
        self.n_left.load(Ordering::SeqCst) == 0
    }

    /// Returns the conversations that were held.
    pub(crate) async fn sent(mut self) -> Vec<String> {
        let mut sent = Vec::new();
        while let Some(conversations) = self.writing.join_next().await {
            sent.extend(conversations.unwrap());
        }
        sent
    }
}

struct Customer<'a> {
    client: &'a reqwest::Client,
    addresses: &'a [String],
    number: usize,
}

impl Customer<'_> {
    /// Says everything; returns the conversation.
    async fn hold(&self) -> String {
        let visit = self.insist("visits", None, &json!({})).await;
        let token = visit["token"].as_str().unwrap();
        let mut conversation = Value::Null;
        for (n, text) in MESSAGES.iter().enumerate() {
            let mut body =
                json!({"client_id": format!("message-{}-{n}", self.number), "text": text});
            if !conversation.is_null() {
                body["conversation"] = conversation.clone();
            }
            let answer = self.insist("messages", Some(token), &body).await;
            conversation = answer["conversation"].clone();
        }
        conversation.as_str().unwrap().to_string()
    }

    /// Posts until it is acknowledged, at one address after the other.
    async fn insist(&self, what: &str, token: Option<&str>, body: &Value) -> Value {
        let n = self.number;
        let from = format!("10.{}.{}.{}", n / 65_536, n / 256 % 256, n % 256);
        for attempt in 0..2_000 {
            let address = &self.addresses[(n + attempt) % self.addresses.len()];
            let mut request = self.client.post(format!("{address}/messenger/v1/{what}"));
            request = request.header("x-forwarded-for", &from).json(body);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            if let Ok(answer) = request.send().await {
                let status = answer.status();
                assert!(!status.is_client_error(), "{status}: {:?}", answer.text().await);
                if let (true, Ok(answer)) = (status.is_success(), answer.json().await) {
                    return answer;
                }
            }
            tokio::time::sleep(Duration::from_millis(20 + (n as u64 * 7) % 60)).await;
        }
        panic!("nobody took {what} of customer {n}");
    }
}
