use crate::driver::Screen;
use base64::{Engine, prelude::BASE64_STANDARD};
use reqwest::Client;
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

/// The name under which WebDriver hands out elements (W3C WebDriver, section 12).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Longest wait for something to appear.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) const TAB: &str = "\u{e004}";
pub(crate) const ENTER: &str = "\u{e007}";
pub(crate) const CONTROL: &str = "\u{e009}";

/// Finds in the page and in the messenger's shadow tree what can be seen of a selector.
const FIND: &str = "
const roots = [document, document.getElementById('frontdesk-messenger')?.shadowRoot];
const all = (css) => roots.flatMap((root) => root ? [...root.querySelectorAll(css)] : []);
const seen = (css) => all(css).filter((one) => one.checkVisibility({ visibilityProperty: true }));
const holding = (css, words) =>
    seen(css).find((one) => one.textContent.replace(/\\s+/g, ' ').includes(words));
const inside = (one, box) => one && box
    && one.getBoundingClientRect().bottom <= box.getBoundingClientRect().bottom + 1;
";

/// One browser with one page, driven by the WebDriver protocol.
pub(crate) struct Page {
    client: Client,
    session: String,
    screen: Screen,
}

impl Page {
    pub(crate) fn new(client: Client, session: String, screen: Screen) -> Self {
        Self { client, session, screen }
    }

    pub(crate) async fn go(&self, url: &str) {
        self.post("url", json!({"url": url})).await;
    }

    /// Runs a script that returns something; it may use what [`FIND`] defines.
    pub(crate) async fn run(&self, script: &str, arguments: Value) -> Value {
        let script = format!("{FIND}{script}");
        self.post("execute/sync", json!({"script": script, "args": arguments})).await
    }

    /// Runs a script until what it returns is true of something, and returns that.
    pub(crate) async fn until(&self, script: &str, arguments: Value) -> Value {
        let began = Instant::now();
        loop {
            let found = self.run(script, arguments.clone()).await;
            if found != Value::Null && found != false {
                return found;
            }
            if began.elapsed() > PATIENCE {
                let shot = self.shoot("failed").await;
                panic!("never: {script} with {arguments}; see {}", shot.display());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until something of this selector that can be seen holds these words; returns its text.
    pub(crate) async fn read(&self, css: &str, words: &str) -> String {
        let script = "return holding(...arguments)?.innerText";
        self.until(script, json!([css, words])).await.as_str().unwrap_or_default().to_string()
    }

    /// Clicks on, or touches, what can be seen of this selector and holds these words; again when
    /// the page has put another in its place meanwhile, as lists that follow what happens do.
    pub(crate) async fn press(&self, css: &str, words: &str) {
        let began = Instant::now();
        loop {
            let element = self.until("return holding(...arguments)", json!([css, words])).await;
            let id = element[ELEMENT].as_str().expect("an element");
            match self.tried(&format!("element/{id}/click"), json!({})).await {
                Ok(_) => return,
                Err(why) => {
                    let goes_on = why.contains("stale element") && began.elapsed() < PATIENCE;
                    assert!(goes_on, "{css} {words}: {why}");
                }
            }
        }
    }

    /// Types on the keyboard, wherever the focus is.
    pub(crate) async fn keys(&self, text: &str) {
        let keys = text.chars().flat_map(|key| {
            [json!({"type": "keyDown", "value": key}), json!({"type": "keyUp", "value": key})]
        });
        self.act(keys.collect()).await;
    }

    /// Types one key while another is held.
    pub(crate) async fn chord(&self, held: &str, key: &str) {
        let press = |kind: &str, key: &str| json!({"type": kind, "value": key});
        let (down, up) = ("keyDown", "keyUp");
        self.act(vec![press(down, held), press(down, key), press(up, key), press(up, held)]).await;
    }

    async fn act(&self, keys: Vec<Value>) {
        let keyboard = json!({"type": "key", "id": "keyboard", "actions": keys});
        self.post("actions", json!({"actions": [keyboard]})).await;
    }

    /// Takes screenshots in light and dark, and has axe judge both: nothing serious or critical.
    pub(crate) async fn look(&self, name: &str) {
        for scheme in ["light", "dark"] {
            self.prefer(scheme).await;
            self.shoot(&format!("{name}-{scheme}")).await;
            self.judge(&format!("{name} in {scheme}")).await;
        }
        self.prefer("light").await;
    }

    /// Takes a screenshot as the page is printed.
    pub(crate) async fn look_on_paper(&self, name: &str) {
        for media in ["print", ""] {
            let set = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"media": media}});
            self.post("goog/cdp/execute", set).await;
            if media == "print" {
                self.shoot(&format!("{name}-print")).await;
            }
        }
    }

    /// Returns what the browser complained of since it was asked last, such as what a policy forbids.
    pub(crate) async fn complaints(&self) -> Value {
        self.post("se/log", json!({"type": "browser"})).await
    }

    async fn prefer(&self, scheme: &str) {
        let features = json!([
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]);
        let set = json!({"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}});
        self.post("goog/cdp/execute", set).await;
        let settled = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 150, true)))";
        self.post("execute/async", json!({"script": settled, "args": []})).await;
    }

    /// Writes what is on the screen below `target/screenshots`.
    async fn shoot(&self, name: &str) -> PathBuf {
        let folder = repository().join("target/screenshots");
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join(format!("{}-{name}.png", self.screen.name()));
        let answer = self.client.get(format!("{}/screenshot", self.session)).send().await.unwrap();
        let answer: Value = answer.json().await.unwrap();
        let picture = BASE64_STANDARD.decode(answer["value"].as_str().unwrap()).unwrap();
        fs::write(&file, picture).unwrap();
        file
    }

    async fn judge(&self, what: &str) {
        let Ok(axe) = fs::read_to_string(repository().join(".frontdesk/axe-core/axe.min.js"))
        else {
            tests::does_without("axe-core is not there; scripts/setup.sh fetches it");
            return;
        };
        if self.run("return !window.axe", json!([])).await == true {
            self.run(&format!("{axe}\nreturn true"), json!([])).await;
        }
        let script = "const done = arguments[0];
            axe.run({ resultTypes: ['violations'] }).then(({ violations }) => done(violations
                .filter(({ impact }) => impact === 'serious' || impact === 'critical')
                .map(({ id, help, nodes }) => [id, help, nodes.map((node) =>
                    [node.target.flat().join(' '), node.failureSummary])])))";
        let found = self.post("execute/async", json!({"script": script, "args": []})).await;
        assert_eq!(found, json!([]), "{what} on a {}: {found:#}", self.screen.name());
    }

    /// Has the driver do something; returns the value of its answer.
    async fn post(&self, what: &str, body: Value) -> Value {
        let tried = self.tried(what, body).await;
        tried.unwrap_or_else(|why| panic!("{what}: {why}"))
    }

    /// Has the driver do something; returns the value of its answer, or why it could not.
    async fn tried(&self, what: &str, body: Value) -> Result<Value, String> {
        let request = self.client.post(format!("{}/{what}", self.session)).json(&body);
        let answer = request.send().await.unwrap();
        let went_well = answer.status().is_success();
        let mut answer: Value = answer.json().await.unwrap();
        if went_well {
            Ok(answer["value"].take())
        } else {
            Err(answer["value"]["message"].to_string())
        }
    }
}

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
