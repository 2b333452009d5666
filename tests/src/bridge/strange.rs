//! A token of another workspace: what is there is not the desk's, and nothing of its own is lost.

use super::{Bridge, QUESTION};
use crate::office::{SURE, slug, teammate};
use bot::Deed;
use jiff::SignedDuration;
use serde_json::json;

/// The names of two workspaces: what the stand-in begins as, and another one.
const HOME: &str = "a86dr8yl";
const STRANGE: &str = "stranger";

impl Bridge {
    /// Has the address and the token lead to another workspace from now on.
    async fn lead_to(&self, workspace: &str) {
        self.intercom.becomes(workspace);
        self.bench.pass(SignedDuration::from_mins(31));
        self.look_around().await;
    }

    /// Runs both rounds.
    async fn look_around(&self) {
        let now = self.office.now();
        self.office.store().ask_for("intercom", "people", now).await.unwrap();
        self.settle().await;
        self.poll().await;
    }
}

#[tokio::test]
async fn in_a_strange_workspace_nothing_is_read_or_done_and_nothing_is_lost() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    bridge.look_around().await;
    let known = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
    bridge.bench.pass(SignedDuration::from_secs(61));
    bridge.settle().await;
    assert_eq!(bridge.said(&known).len(), 1);

    bridge.lead_to(STRANGE).await;
    let stranger = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
    bridge.bench.pass(SignedDuration::from_mins(31));
    let n_before = bridge.intercom.requests().len();
    let told = |id: &str, workspace: &str| {
        json!({"type": "notification_event", "id": format!("notif_{id}"), "app_id": workspace,
            "topic": "conversation.user.replied",
            "data": {"item": {"type": "conversation", "id": id}}})
    };
    let about_home = told(&known, HOME).to_string().into_bytes();
    assert_eq!(bridge.post_signed(&about_home).await, 200);
    assert_eq!(bridge.post_signed(told(&stranger, STRANGE).to_string().as_bytes()).await, 200);
    let id = bridge.record(&known).await.id;
    let reply = Deed::Reply { text: "Ada here".into(), seen: None, draft: None };
    bridge.office.act(id, &teammate("ada"), reply).await.unwrap();
    bridge.look_around().await;
    assert!(bridge.named("intercom", &stranger).await.is_none());
    assert_eq!(bridge.said(&stranger), Vec::<String>::new());
    assert_eq!(bridge.said(&known).len(), 1, "nothing is written there");
    let requests = bridge.intercom.requests().split_off(n_before);
    let beyond: Vec<&String> = requests
        .iter()
        .map(|logged| &logged.path)
        .filter(|path| !["/me", "/teams", "/admins"].contains(&path.as_str()))
        .collect();
    assert_eq!(beyond, Vec::<&String>::new());

    // The same conversation goes on at home; its webhook came, and comes again, while the desk was
    // astray.
    bridge.intercom.delete_conversation(&stranger);
    bridge.intercom.customer_replies(&known, "And is it free?");
    bridge.intercom.becomes(HOME);
    bridge.bench.pass(SignedDuration::from_mins(31));
    assert_eq!(bridge.post_signed(&about_home).await, 200);
    bridge.settle_all().await;
    assert_eq!(bridge.customers_said(&known).await, [QUESTION, "And is it free?"]);
    assert_eq!(bridge.said(&known).last().map(String::as_str), Some("Ada here"));
    let held =
        router::Owner::Teammate { team: slug("support"), teammate: slug("ada"), by_person: true };
    assert_eq!(bridge.owner(&known).await, held);
}

#[tokio::test]
async fn whose_workspace_it_is_is_known_after_a_restart_before_anything_is_sent() {
    let bridge = Bridge::open(SURE).await;
    bridge.look_around().await;
    bridge.intercom.becomes(STRANGE);
    bridge.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    let stranger = bridge.intercom.customer_writes(&bridge.joe, QUESTION);
    let store = bridge.office.store().clone();
    let channel = super::channel(&bridge.bench, &bridge.intercom, &store, intercom::Mode::Live);
    let office = bridge.bench.node(store, vec![channel]);
    let subject = format!("conversation:{stranger}");
    office.store().ask_for("intercom", &subject, office.now()).await.unwrap();
    office.run_until_idle().await.unwrap();
    assert!(bridge.named("intercom", &stranger).await.is_none());
}
