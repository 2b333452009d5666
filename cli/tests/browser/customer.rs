use crate::{
    desk::Desk,
    page::{ENTER, Page, TAB},
};
use serde_json::json;

/// Somebody who visits the demo page, or another that has the messenger.
pub(crate) struct Customer {
    /// What they look at.
    pub(crate) page: Page,
}

impl Customer {
    /// Opens the demo page and waits for the launcher.
    pub(crate) async fn arrive(page: Page, desk: &Desk) -> Self {
        let customer = Self::arrive_at(page, &desk.address()).await;
        customer.page.look("demo").await;
        customer
    }

    /// Opens a page that has the messenger and waits for the launcher.
    pub(crate) async fn arrive_at(page: Page, url: &str) -> Self {
        page.go(url).await;
        page.read(".launcher", "").await;
        Self { page }
    }

    /// Reaches the launcher by the tab key and opens the messenger; the box has the focus then.
    pub(crate) async fn open_by_keyboard(&self) {
        let focused = "const active = roots[1].activeElement; return active?.className";
        for _ in 0..20 {
            if self.page.run(focused, json!([])).await == "launcher" {
                break;
            }
            self.page.keys(TAB).await;
        }
        assert_eq!(self.page.run(focused, json!([])).await, "launcher", "the tab key leads there");
        self.page.keys(ENTER).await;
        self.page.until("return roots[1].activeElement?.matches('textarea')", json!([])).await;
    }

    /// Types where the focus is, and sends.
    pub(crate) async fn ask(&self, text: &str) {
        self.page.keys(text).await;
        self.page.keys(ENTER).await;
        self.page.read(".message.own .bubble", text).await;
    }

    /// Waits for so many answers; the last must name a source that can be opened. Returns it.
    pub(crate) async fn read_answer(&self, n: usize) -> String {
        let script = "const answers = seen('.message.other').filter((one) =>
                one.querySelector('.sources a[href^=http]'));
            return answers.length >= arguments[0] && answers.at(-1).innerText";
        let answer = self.page.until(script, json!([n])).await;
        answer.as_str().unwrap_or_default().to_string()
    }

    /// Waits for a teammate's words.
    pub(crate) async fn read_reply(&self, words: &str) {
        let reply = self.page.read(".message.other", words).await;
        assert!(reply.contains("Lena Brandt"), "{reply}");
    }

    /// Waits for a line that says what became of the conversation.
    pub(crate) async fn wait_for_event(&self, words: &str) {
        self.page.read(".event", words).await;
    }

    /// Waits until the messenger says that what was written is kept, where it can be read.
    pub(crate) async fn wait_for_offline(&self) {
        self.page.read(".banner", "No connection").await;
        let script = "return inside(seen('.note.waiting')[0], seen('.scroll')[0])";
        self.page.until(script, json!([])).await;
    }

    /// Waits until nothing waits to be sent and the connection is back.
    pub(crate) async fn wait_until_delivered(&self) {
        let script = "return !seen('[data-waits]').length && !seen('.banner').length";
        self.page.until(script, json!([])).await;
    }

    /// Chooses stars, says why, and sends.
    pub(crate) async fn rate(&self, stars: u8, comment: &str) {
        self.page.press(&format!(".stars label:nth-child({stars})"), "").await;
        self.page.press(".rating textarea", "").await;
        self.page.keys(comment).await;
        self.page.press(".rating button", "Send rating").await;
        self.page.read(".thanks", "Thank you").await;
    }
}
