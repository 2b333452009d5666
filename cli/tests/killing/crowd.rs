use crate::{
    node::PATIENCE,
    stream::{self, Seen},
};
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::task::JoinSet;

/// Customers who write at the same time.
const AT_ONCE: usize = 32;

/// Of so many customers one follows along by a stream; the others read everything afterwards.
const STREAMS: usize = 4;

/// The longest pause between two attempts to say something.
const PAUSE: Duration = Duration::from_millis(400);

/// What every customer writes, one after the other.
pub(crate) const MESSAGES: [&str; 2] =
    ["How many days does the free trial last?", "Can I talk to a human, please?"];

/// Customers who come one after the other, and write until everything they have to say is
/// acknowledged; some read what comes back until they are with people.
pub(crate) struct Crowd {
    writing: JoinSet<Vec<Held>>,
    street: Arc<Street>,
}

/// What all customers share.
pub(crate) struct Street {
    pub(crate) client: reqwest::Client,
    pub(crate) addresses: Vec<String>,
    least: usize,
    n_come: AtomicUsize,
    n_gone: AtomicUsize,
    /// Whether more come than must.
    goes_on: AtomicBool,
    /// Requests and streams that broke off.
    n_broken: AtomicUsize,
}

/// A conversation as the customer has it.
pub(crate) struct Held {
    pub(crate) id: String,
    pub(crate) token: String,
    pub(crate) number: usize,
    /// What the customer's stream brought, where one was followed.
    pub(crate) lines: Option<Vec<Value>>,
}

impl Crowd {
    /// Has at least so many conversations held at these addresses, and more until
    /// [`Crowd::no_more_come`].
    pub(crate) fn write(least: usize, addresses: Vec<String>) -> Self {
        let street = Arc::new(Street {
            client: reqwest::Client::builder().timeout(Duration::from_secs(10)).build().unwrap(),
            addresses,
            least,
            n_come: AtomicUsize::new(0),
            n_gone: AtomicUsize::new(0),
            goes_on: AtomicBool::new(true),
            n_broken: AtomicUsize::new(0),
        });
        let mut writing = JoinSet::new();
        for _ in 0..AT_ONCE {
            let street = street.clone();
            writing.spawn(async move {
                let mut held = Vec::new();
                while let Some(number) = street.next() {
                    held.push(Customer { street: &street, number }.hold().await);
                    street.n_gone.fetch_add(1, Ordering::SeqCst);
                }
                held
            });
        }
        Self { writing, street }
    }

    /// Returns how many customers are in the middle of their conversation.
    pub(crate) fn n_there(&self) -> usize {
        // In this order, so that who goes between the two looks is counted rather once too often.
        let n_gone = self.street.n_gone.load(Ordering::SeqCst);
        self.street.n_come.load(Ordering::SeqCst) - n_gone
    }

    /// Returns how many requests and streams have broken off.
    pub(crate) fn n_broken(&self) -> usize {
        self.street.n_broken.load(Ordering::SeqCst)
    }

    /// Says that no more have to come than were asked for.
    pub(crate) fn no_more_come(&self) {
        self.street.goes_on.store(false, Ordering::SeqCst);
    }

    /// Returns the conversations that were held.
    pub(crate) async fn held(mut self) -> Vec<Held> {
        let mut held = Vec::new();
        while let Some(conversations) = self.writing.join_next().await {
            held.extend(conversations.unwrap());
        }
        held
    }
}

impl Street {
    /// Returns the number of the customer who comes next.
    fn next(&self) -> Option<usize> {
        let come =
            |n: usize| (n < self.least || self.goes_on.load(Ordering::SeqCst)).then(|| n + 1);
        self.n_come.fetch_update(Ordering::SeqCst, Ordering::SeqCst, come).ok()
    }

    pub(crate) fn breaks(&self) {
        self.n_broken.fetch_add(1, Ordering::SeqCst);
    }
}

/// Address that a customer writes from.
pub(crate) fn from(n: usize) -> String {
    format!("10.{}.{}.{}", n / 65_536, n / 256 % 256, n % 256)
}

struct Customer<'a> {
    street: &'a Street,
    number: usize,
}

impl Customer<'_> {
    /// Says everything. Of those who follow along every other one waits for the answer before asking
    /// for a person.
    async fn hold(&self) -> Held {
        let visit = self.insist("visits", None, &json!({})).await;
        let token = visit["token"].as_str().unwrap().to_string();
        let id = self.say(&token, 0, None).await;
        let (number, follows) = (self.number, self.number.is_multiple_of(STREAMS));
        let mut seen = Seen::new(&id, &token, number);
        if follows && (number / STREAMS).is_multiple_of(2) {
            stream::follow(self.street, &mut seen, Seen::is_answered).await;
        }
        assert_eq!(self.say(&token, 1, Some(&id)).await, id);
        if !follows {
            return Held { id, token, number, lines: None };
        }
        stream::follow(self.street, &mut seen, Seen::is_with_people).await;
        Held { id, token, number, lines: Some(seen.lines) }
    }

    /// Writes a message; returns the conversation.
    async fn say(&self, token: &str, n: usize, conversation: Option<&str>) -> String {
        let client_id = format!("message-{}-{n}", self.number);
        let mut body = json!({"client_id": client_id, "text": MESSAGES[n]});
        if let Some(conversation) = conversation {
            body["conversation"] = conversation.into();
        }
        let answer = self.insist("messages", Some(token), &body).await;
        answer["conversation"].as_str().unwrap().to_string()
    }

    /// Posts until it is acknowledged, at one address after the other.
    async fn insist(&self, what: &str, token: Option<&str>, body: &Value) -> Value {
        let (n, addresses) = (self.number, &self.street.addresses);
        let mut met = String::new();
        let (began, mut n_attempts, mut pause) = (Instant::now(), n, Duration::from_millis(40));
        while began.elapsed() < PATIENCE {
            let address = &addresses[n_attempts % addresses.len()];
            n_attempts += 1;
            let request = self.street.client.post(format!("{address}/messenger/v1/{what}"));
            let mut request = request.header("x-forwarded-for", from(n)).json(body);
            if let Some(token) = token {
                request = request.bearer_auth(token);
            }
            match request.send().await {
                Ok(answer) => {
                    let status = answer.status();
                    assert!(!status.is_client_error(), "{status}: {:?}", answer.text().await);
                    if let (true, Ok(answer)) = (status.is_success(), answer.json().await) {
                        return answer;
                    }
                    met = status.to_string();
                }
                Err(failure) => met = format!("{failure:?}"),
            }
            self.street.breaks();
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE);
        }
        panic!("nobody took {what} of customer {n}, last: {met}");
    }
}
