//! What the desk wrote to an Intercom, read by the vendor's own client.

use super::{Bridge, PLEA, QUESTION};
use crate::{
    intercom::sdk,
    office::{SURE, slug, teammate},
};
use bot::Deed;
use serde_json::{Value as Json, json};

impl Bridge {
    /// Reads a conversation by the vendor's SDK; None, visibly, where that is absent.
    async fn read_by_the_sdk(&self, id: &str) -> Option<Json> {
        let (bot, team) = (self.intercom.bot_admin(), self.support.as_str());
        sdk::run(&[&self.intercom.url(), "stand-in-token", "2.14", id, &bot, team, "look"]).await
    }
}

#[tokio::test]
async fn the_vendors_sdk_reads_what_the_desk_wrote() {
    let bridge = Bridge::open(SURE).await;
    bridge.intercom.with_company(&bridge.joe, "Acme", Some("Pro"), json!({}));
    let answered = bridge.ask(QUESTION).await;
    let id = bridge.ask(PLEA).await;
    let note = Deed::Note { text: "Look at **page 2**".into() };
    let record = bridge.record(&id).await.id;
    bridge.office.act(record, &teammate("ada"), note).await.unwrap();
    let to_ada = Deed::Assign { team: slug("support"), teammate: Some(slug("ada")) };
    bridge.office.act(record, &teammate("ada"), to_ada).await.unwrap();
    bridge.settle_all().await;
    let Some(read) = bridge.read_by_the_sdk(&id).await else { return };
    assert_eq!(read["searched"], json!([id]));
    assert_eq!(read["tags"], json!(["pro", "priority: high"]));
    assert_eq!(read["team"], json!(bridge.support.parse::<i64>().unwrap()));
    assert_eq!(read["attributes"], json!({"urgency": "soon"}));
    // What an attribute became is told apart from what the seat did.
    let is_done = |part: &&Json| part[0] != "conversation_attribute_updated_by_admin";
    let parts: Vec<&Json> = read["parts"].as_array().unwrap().iter().filter(is_done).collect();
    let bot = json!(bridge.intercom.bot_admin());
    assert!(parts.iter().all(|part| part[1] == bot), "{parts:#?}");
    let kinds: Vec<&str> = parts.iter().filter_map(|part| part[0].as_str()).collect();
    assert_eq!(kinds, ["note", "assignment", "comment", "note", "assignment"], "{parts:#?}");
    assert!(parts[0][2].as_str().unwrap().contains("Frontdesk hands over"), "{parts:#?}");
    assert_eq!(parts[3][2], json!("<p>Look at <b>page 2</b></p>"));
    let read = bridge.read_by_the_sdk(&answered).await.unwrap();
    assert_eq!((&read["searched"], &read["parts"][0][0]), (&json!([id]), &json!("comment")));
}
