use crate::{
    crowd::{MESSAGES, Street, from},
    node::PATIENCE,
};
use reqwest::Response;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Longest silence of a stream before a customer tries another one: half a sign of life more than
/// the desk lets pass.
const SILENCE: Duration = Duration::from_secs(23);

/// What a customer has seen of a conversation.
pub(crate) struct Seen {
    conversation: String,
    token: String,
    customer: usize,
    pub(crate) lines: Vec<Value>,
    standing: Value,
}

impl Seen {
    pub(crate) fn new(conversation: &str, token: &str, customer: usize) -> Self {
        let (conversation, token) = (conversation.to_string(), token.to_string());
        Self { conversation, token, customer, lines: Vec::new(), standing: Value::Null }
    }

    /// Whether the bot has said something.
    pub(crate) fn is_answered(&self) -> bool {
        self.lines.iter().any(is_from_bot)
    }

    /// Whether people have the conversation, and the last message got its answer.
    pub(crate) fn is_with_people(&self) -> bool {
        let last = self.lines.iter().position(|line| line["text"] == MESSAGES[1]);
        let answered = last.is_some_and(|last| self.lines[last..].iter().any(is_from_bot));
        answered && self.standing["with"]["kind"] == "team"
    }

    /// Number of the last line.
    fn cursor(&self) -> i64 {
        self.lines.last().map_or(0, |line| line["number"].as_i64().unwrap())
    }

    /// Takes in an event of the stream: its lines up to the empty one.
    fn take(&mut self, event: &str) {
        let field = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
        let Some(kind) = field("event: ") else { return };
        let data: Value = serde_json::from_str(field("data: ").unwrap()).unwrap();
        if kind == "standing" {
            self.standing = data;
            return;
        }
        let number = data["number"].as_i64().unwrap();
        assert!(number > self.cursor(), "a line came twice: {data:#} after {:#?}", self.lines);
        assert_eq!(field("id: "), Some(number.to_string().as_str()), "{event}");
        self.lines.push(data);
    }
}

fn is_from_bot(line: &Value) -> bool {
    line["kind"] == "message" && line["from"]["kind"] == "bot"
}

/// Follows a conversation until the customer has seen enough, at one address after the other, each
/// time from the last line on.
pub(crate) async fn follow(street: &Street, seen: &mut Seen, enough: fn(&Seen) -> bool) {
    let began = Instant::now();
    let mut attempt = seen.customer;
    while !enough(seen) {
        let late = began.elapsed() > PATIENCE;
        assert!(!late, "nothing follows: {:#} {:#?}", seen.standing, seen.lines);
        let address = &street.addresses[attempt % street.addresses.len()];
        attempt += 1;
        match open(street, address, seen).await {
            Some(stream) => read(stream, seen, enough).await,
            None => tokio::time::sleep(Duration::from_millis(200)).await,
        }
        if !enough(seen) {
            street.breaks();
        }
    }
}

async fn open(street: &Street, address: &str, seen: &Seen) -> Option<Response> {
    let url = format!("{address}/messenger/v1/conversations/{}/events", seen.conversation);
    let request = street.client.get(url).bearer_auth(&seen.token).timeout(PATIENCE);
    let request = request.header("x-forwarded-for", from(seen.customer));
    let answer = request.header("last-event-id", seen.cursor().to_string()).send().await.ok()?;
    let status = answer.status();
    assert!(!status.is_client_error(), "{status}: {:?}", answer.text().await);
    status.is_success().then_some(answer)
}

/// Reads a stream until the customer has seen enough or it breaks off.
async fn read(mut stream: Response, seen: &mut Seen, enough: fn(&Seen) -> bool) {
    let mut unread: Vec<u8> = Vec::new();
    while !enough(seen) {
        let Ok(Ok(Some(bytes))) = tokio::time::timeout(SILENCE, stream.chunk()).await else {
            return;
        };
        unread.extend_from_slice(&bytes);
        while let Some(end) = unread.windows(2).position(|two| two == b"\n\n") {
            let event: Vec<u8> = unread.drain(..end + 2).collect();
            seen.take(std::str::from_utf8(&event).unwrap());
        }
    }
}
