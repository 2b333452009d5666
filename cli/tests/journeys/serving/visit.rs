//! A browser at a running desk, as plain as one can be: HTTP/1.1 over a socket.

use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Instant,
};
use tests::program::LIMIT;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl Answer {
    pub(crate) fn document(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }
}

/// Opens a connection to `address` and sends a request's head and body.
pub(crate) fn send(address: &str, line: &str, headers: &[(&str, &str)], body: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    written(stream, (address, line), headers, body).unwrap()
}

/// Writes a request; None when the far side has closed.
fn written(
    mut stream: TcpStream,
    (address, line): (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> Option<TcpStream> {
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut request = format!("{line} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if !body.is_empty() {
        request.push_str(&format!(
            "content-type: application/json\r\ncontent-length: {}\r\n",
            body.len()
        ));
    }
    request.push_str("\r\n");
    request.push_str(body);
    stream.write_all(request.as_bytes()).ok()?;
    Some(stream)
}

/// Sends a request and reads the answer; None when the desk closed the connection unanswered.
pub(crate) fn tried(
    address: &str,
    line: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> Option<Answer> {
    let stream = TcpStream::connect(address).ok()?;
    let mut stream = written(stream, (address, line), headers, body)?;
    let mut text = Vec::new();
    stream.read_to_end(&mut text).ok()?;
    let text = String::from_utf8(text).unwrap();
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_string() })
}

/// Gets a page.
pub(crate) fn get(address: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    tried(address, &format!("GET {path}"), headers, "").unwrap()
}

/// Somebody with the messenger open.
pub(crate) struct Visit {
    address: String,
    bearer: String,
    pub(crate) token: String,
}

impl Visit {
    pub(crate) fn open(address: &str, name: &str) -> Self {
        Self::try_open(address, name).unwrap()
    }

    /// Opens a visit; None when the desk had gone.
    pub(crate) fn try_open(address: &str, name: &str) -> Option<Self> {
        let body = json!({"name": name, "locale": "en"}).to_string();
        let answer = tried(address, "POST /messenger/v1/visits", &[], &body)?;
        let token = answer.document()["token"].as_str()?.to_string();
        Some(Self { address: address.into(), bearer: format!("Bearer {token}"), token })
    }

    /// The same visit, when the desk has come up elsewhere.
    pub(crate) fn at(&self, address: &str) -> Self {
        let (bearer, token) = (self.bearer.clone(), self.token.clone());
        Self { address: address.into(), bearer, token }
    }

    fn headers(&self) -> [(&str, &str); 1] {
        [("authorization", &self.bearer)]
    }

    /// Says something; None when the desk had gone.
    pub(crate) fn say(
        &self,
        conversation: Option<&str>,
        client_id: &str,
        text: &str,
    ) -> Option<Answer> {
        let body = json!({
            "conversation": conversation, "client_id": client_id, "text": text,
            "page": "https://shop.example/cart?customer=4711",
        });
        let line = "POST /messenger/v1/messages";
        tried(&self.address, line, &self.headers(), &body.to_string())
    }

    /// Says something in a new conversation and returns its id.
    pub(crate) fn begin(&self, client_id: &str, text: &str) -> String {
        let answer = self.say(None, client_id, text).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.document()["conversation"].as_str().unwrap().to_string()
    }

    /// Reads a conversation.
    pub(crate) fn read(&self, conversation: &str) -> Value {
        let path = format!("/messenger/v1/conversations/{conversation}");
        get(&self.address, &path, &self.headers()).document()
    }

    /// Follows a conversation from its beginning.
    pub(crate) fn follow(&self, conversation: &str) -> Stream {
        let line = format!("GET /messenger/v1/conversations/{conversation}/events");
        Stream(BufReader::new(send(&self.address, &line, &self.headers(), "")))
    }
}

/// An event stream.
pub(crate) struct Stream(BufReader<TcpStream>);

impl Stream {
    /// Reads on until a line holds `part`.
    pub(crate) fn wait_for(&mut self, part: &str) -> String {
        let (mut seen, start) = (String::new(), Instant::now());
        loop {
            assert!(start.elapsed() < LIMIT, "no {part:?} in {seen}");
            let mut line = String::new();
            let n_bytes = self.0.read_line(&mut line).unwrap();
            assert!(n_bytes > 0, "the stream ended before {part:?}: {seen}");
            if line.contains(part) {
                return line;
            }
            seen.push_str(&line);
        }
    }

    /// Reads to the end, which the desk has to bring about.
    pub(crate) fn wait_for_end(mut self) {
        let mut rest = Vec::new();
        self.0.read_to_end(&mut rest).unwrap();
    }
}
