//! What happens while a desk is being opened, which takes minutes where a model has to be fetched.

use super::desk;
use crate::endpoint::{read, reply};
use serde_json::{Value, json};
use std::{
    net::TcpListener,
    sync::mpsc::{Receiver, Sender, channel},
};
use tests::program::Running;

/// An embedder that says when it is asked for the first time, and answers when it is told to.
struct Embedder {
    url: String,
    asked: Receiver<()>,
    go: Sender<()>,
}

impl Embedder {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1", listener.local_addr().unwrap());
        let ((tell, asked), (go, wait)) = (channel(), channel());
        // Ends with the test's process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let texts = read(&stream).body["input"].as_array().map_or(0, Vec::len);
                let _ = tell.send(());
                // Once it is told, and from then on at once: nobody tells it any more.
                let _: Result<(), _> = wait.recv();
                let vector =
                    |index: usize| json!({"index": index, "embedding": [index + 1, 1, 2, 3]});
                let data: Vec<Value> = (0..texts).map(vector).collect();
                reply(&mut stream, &json!({ "data": data }).to_string());
            }
        });
        Self { url, asked, go }
    }
}

#[test]
fn an_edit_and_a_signal_while_a_desk_opens_are_not_lost() {
    let embedder = Embedder::start();
    let bench = desk()
        .with("FRONTDESK_EMBEDDER_KIND", "remote")
        .with("FRONTDESK_EMBEDDER_URL", &embedder.url)
        .with("FRONTDESK_EMBEDDER_DIMENSION", "4")
        .with("FRONTDESK_ANSWERS_CALIBRATION", "")
        .with("FRONTDESK_SERVER_LISTEN", "127.0.0.1:0");
    let running = Running::start(bench.command().args(["--desk", "desk", "serve"]));
    embedder.asked.recv().unwrap();
    running.signal("HUP");
    let good = bench.read("desk/routing.toml");
    bench.write("desk/routing.toml", &format!("{good}\n[[rule]]\nname = 7\n"));
    drop(embedder.go);
    running.wait_for("listening on ");
    running.wait_for("the changed rules are not used");
    bench.write("desk/routing.toml", &good);
    running.wait_for("changed rules are in use");
}
