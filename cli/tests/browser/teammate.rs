use crate::{
    desk::{Desk, EMAIL, PASSWORD},
    page::{CONTROL, ENTER, Page, TAB},
};
use serde_json::json;

/// Somebody who answers in the inbox.
pub(crate) struct Teammate {
    /// What they look at.
    pub(crate) page: Page,
}

impl Teammate {
    /// Signs in.
    pub(crate) async fn arrive(page: Page, desk: &Desk) -> Self {
        Self::arrive_as(page, desk, EMAIL).await
    }

    /// Signs in as who has this address.
    pub(crate) async fn arrive_as(page: Page, desk: &Desk, email: &str) -> Self {
        page.go(&format!("{}/inbox", desk.address())).await;
        page.read("h1", "Sign in").await;
        page.look("inbox-1-sign-in").await;
        page.press("#email", "").await;
        page.keys(&format!("{email}{TAB}{PASSWORD}{ENTER}")).await;
        page.read("#list", "Mine").await;
        Self { page }
    }

    /// Opens the queue of the team, in which nobody waits yet.
    pub(crate) async fn watch_queue(&self) {
        self.open_menu().await;
        self.page.press("#nav nav a", "Front line").await;
        self.page.read("#list", "Nobody waits here.").await;
    }

    /// On a phone the menu is closed at first.
    async fn open_menu(&self) {
        if self.page.run("return !seen('#nav nav a').length", json!([])).await == true {
            self.page.press("#menu > summary", "").await;
        }
    }

    /// Waits until a conversation appears by itself.
    pub(crate) async fn find_in_queue(&self, words: &str) {
        self.page.read(".row", words).await;
    }

    /// Opens the first conversation of the list; what was said last is in view.
    pub(crate) async fn open_first(&self) {
        self.page.press(".row", "").await;
        let script = "const last = all('#timeline > ol > li').at(-1);
            return last && last.getBoundingClientRect().bottom <= innerHeight";
        self.page.until(script, json!([])).await;
    }

    pub(crate) async fn claim(&self) {
        self.page.press("#side button", "Take it").await;
        self.page.read("#side .state", "Lena Brandt").await;
    }

    /// Waits for the customer's words, which come into view by themselves.
    pub(crate) async fn read_customer(&self, words: &str) {
        let script = "return inside(holding('.entry.customer', arguments[0]), all('#timeline')[0])";
        self.page.until(script, json!([words])).await;
    }

    /// The bot's draft and how sure it is.
    pub(crate) async fn read_draft(&self) {
        let draft = self.page.read("#draft", "The bot’s draft").await;
        assert!(draft.contains("% sure"), "{draft}");
    }

    /// Why the bot did what it did last.
    pub(crate) async fn read_reasons(&self) {
        self.page.press("#side .trace summary", "").await;
        let reasons = self.page.read("#side .trace .reasons", "").await;
        assert!(!reasons.trim().is_empty(), "no reasons");
    }

    /// Writes a reply and sends it by the keyboard.
    pub(crate) async fn reply(&self, text: &str) {
        self.page.press("#text", "").await;
        self.page.keys(text).await;
        self.page.chord(CONTROL, ENTER).await;
        self.page.read(".entry.teammate", "Lena Brandt").await;
    }

    pub(crate) async fn close(&self) {
        self.page.press("#side button", "Close").await;
        self.page.read("#side .state .badge", "closed").await;
        self.page.read("#composer .send", "Reply and reopen").await;
    }

    /// Looks at the other pages of the inbox.
    pub(crate) async fn look_around(&self) {
        for (path, name) in [("search?q=trial", "search"), ("judge", "judge"), ("me", "me")] {
            self.look_at(&format!("/inbox/{path}"), "#main", &format!("inbox-5-{name}")).await;
        }
    }

    /// Looks at what admins alone see, each page with something on it, and at what programs are told.
    pub(crate) async fn administrate(&self) {
        for (path, name, words) in [
            ("audit", "audit", "token"),
            ("teammates", "teammates", "Lena Brandt"),
            ("tokens", "tokens", "crm-sync"),
            ("webhooks", "webhooks", "pager"),
        ] {
            let name = format!("inbox-6-{name}");
            self.look_at(&format!("/inbox/{path}"), "#main", &name).await;
            self.page.read("#main", words).await;
        }
        self.look_at("/api/v1/docs", "h1", "api-docs").await;
    }

    async fn look_at(&self, path: &str, shown: &str, name: &str) {
        let origin = self.page.run("return location.origin", json!([])).await;
        let origin = origin.as_str().unwrap_or_default();
        self.page.go(&format!("{origin}{path}")).await;
        self.page.read(shown, "").await;
        self.page.look(name).await;
    }
}
