//! Every answer of the stand-in, held against the vendor's documents.

use super::{Document, Json, StandIn, StandInParts, Version};
use jiff::Timestamp;
use serde_json::json;
use std::sync::Arc;

/// A stand-in with somebody in it, and what asks it.
pub(super) struct Caller {
    pub(super) intercom: StandIn,
    client: reqwest::Client,
    version: Version,
}

/// An answer.
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: reqwest::header::HeaderMap,
    pub(super) body: Json,
}

impl Caller {
    pub(super) async fn new(version: Version) -> Self {
        Self::with(version, |_| {}).await
    }

    pub(super) async fn with(version: Version, change: impl FnOnce(&mut StandInParts)) -> Self {
        let clock = || "2026-11-18T09:30:00Z".parse::<Timestamp>().unwrap();
        let mut parts = StandInParts::new(Arc::new(clock));
        parts.version = version;
        change(&mut parts);
        let intercom = StandIn::start(parts).await;
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self { intercom, client, version }
    }

    /// Sends a request; none is a connection that ended.
    pub(super) async fn try_call(&self, request: &str, body: Json) -> Option<Answer> {
        let (method, path) = request.split_once(' ').unwrap();
        let url = format!("{}{path}", self.intercom.url());
        let mut request = self
            .client
            .request(method.parse().unwrap(), url)
            .bearer_auth("stand-in-token")
            .header("Intercom-Version", self.version.name());
        if !body.is_null() {
            request = request.json(&body);
        }
        let answer = request.send().await.ok()?;
        let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
        let text = answer.text().await.unwrap();
        let body = if text.is_empty() { Json::Null } else { serde_json::from_str(&text).ok()? };
        Some(Answer { status, headers, body })
    }

    pub(super) async fn call(&self, request: &str, body: Json) -> Answer {
        self.try_call(request, body).await.unwrap()
    }
}

/// Asks and has the document judge the answer: its schema, and that no field is missing which the
/// vendor's example has.
async fn judged(
    caller: &Caller,
    document: &Document,
    request: &str,
    body: Json,
    status: u16,
) -> Json {
    let answer = caller.call(request, body.clone()).await;
    assert_eq!(answer.status, status, "{request}: {}", answer.body);
    let (method, path) = request.split_once(' ').unwrap();
    let faults = document.answer_faults(method, path, status, &answer.body);
    assert_eq!(faults, Vec::<String>::new(), "{request}: {}", answer.body);
    if status < 300 {
        let faults = document.request_faults(method, path, &body);
        assert_eq!(faults, Vec::<String>::new(), "{request}: {body}");
        let examples = document.examples(method, path, status);
        let lacking = examples.iter().map(|example| lacking(example, &answer.body, ""));
        let fewest = lacking.min_by_key(Vec::len).unwrap_or_default();
        assert_eq!(fewest, Vec::<String>::new(), "{request}: {}", answer.body);
    }
    answer.body
}

/// Fields that a vendor's example has because of what it tells of: parts and attributes that our
/// conversation does not have.
const OF_THE_EXAMPLE: [&str; 3] = ["/ticket_parts", "/custom_attributes", "/ticket_attributes"];

fn lacking(example: &Json, answer: &Json, place: &str) -> Vec<String> {
    if OF_THE_EXAMPLE.iter().any(|known| place.ends_with(known)) {
        return Vec::new();
    }
    match (example, answer) {
        (Json::Object(example), Json::Object(answer)) => {
            let each = example.iter().flat_map(|(name, value)| {
                let place = format!("{place}/{name}");
                match answer.get(name) {
                    Some(held) => lacking(value, held, &place),
                    None => vec![place],
                }
            });
            each.collect()
        }
        (Json::Array(example), Json::Array(answer)) => match (example.first(), answer.first()) {
            (Some(example), Some(answer)) => lacking(example, answer, place),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    }
}

#[tokio::test]
async fn every_answer_is_one_that_the_vendors_document_promises() {
    for version in [Version::V2_14, Version::V2_16] {
        let Some(document) = Document::load(version) else { return };
        let caller = Caller::new(version).await;
        people(&caller, &document).await;
        conversations(&caller, &document).await;
        labels(&caller, &document).await;
        content(&caller, &document).await;
        for logged in caller.intercom.requests() {
            assert_eq!(logged.version.as_deref(), Some(version.name()));
        }
    }
}

async fn people(caller: &Caller, document: &Document) {
    let intercom = &caller.intercom;
    let team = intercom.with_team("Billing", &[&intercom.bot_admin()]);
    let user = intercom.with_user("Joe", "70", json!({ "tier": "gold" }));
    let lead = intercom.with_lead();
    let company = intercom.with_company(&user, "Acme", Some("Pro"), json!({ "seats": "9" }));
    let ask =
        async |request: &str, status| judged(caller, document, request, Json::Null, status).await;
    ask("GET /me", 200).await;
    ask("GET /admins", 200).await;
    ask("GET /teams", 200).await;
    ask(&format!("GET /teams/{team}"), 200).await;
    assert_eq!(ask("GET /teams/1", 404).await["errors"][0]["code"], "team_not_found");
    ask(&format!("GET /contacts/{user}"), 200).await;
    ask(&format!("GET /contacts/{user}/companies"), 200).await;
    ask(&format!("GET /companies/{company}"), 200).await;
    ask("GET /companies/1", 404).await;
    ask("GET /contacts/1", 404).await;
    let named = json!({ "name": "Jo", "custom_attributes": { "tier": "silver" } });
    judged(caller, document, &format!("PUT /contacts/{user}"), named, 200).await;
    intercom.merge_contacts(&lead, &user);
    let status = if caller.version == Version::V2_16 { 410 } else { 404 };
    let merged = caller.call(&format!("GET /contacts/{lead}"), Json::Null).await;
    assert_eq!(merged.status, status);
    let link = merged.headers.get("link").map(|link| link.to_str().unwrap().to_string());
    let canonical = format!("</contacts/{user}>; rel=\"canonical\"");
    assert_eq!(link, (status == 410).then_some(canonical));
    ask(&format!("DELETE /contacts/{user}"), 200).await;
    ask(&format!("GET /contacts/{user}"), 404).await;
}

async fn conversations(caller: &Caller, document: &Document) {
    let intercom = &caller.intercom;
    let user = intercom.with_user("Joe", "71", json!({}));
    let (admin, team) = (intercom.bot_admin(), intercom.with_team("Support", &[]));
    let id = intercom.customer_writes(&user, "Where is my parcel?");
    let place = format!("/conversations/{id}");
    let ask =
        async |request: &str, body, status| judged(caller, document, request, body, status).await;
    ask(&format!("GET {place}"), Json::Null, 200).await;
    ask("GET /conversations/1", Json::Null, 404).await;
    ask("GET /conversations?per_page=1", Json::Null, 200).await;
    let reply = format!("POST {place}/reply");
    let said = |kind: &str| {
        json!({ "message_type": kind, "type": "admin", "admin_id": admin,
                "body": "On its way" })
    };
    let answered = ask(&reply, said("comment"), 200).await;
    assert_eq!(answered["conversation_parts"]["total_count"], 1);
    ask(&reply, said("note"), 200).await;
    let option = "a5e1c524-5ddd-4c3e-9328-6bca5d6e3edb";
    let buttons = json!({ "message_type": "quick_reply", "type": "admin", "admin_id": admin,
                          "reply_options": [{ "text": "Yes", "uuid": option }] });
    ask(&reply, buttons, 200).await;
    intercom.customer_clicks(&id, option);
    let user_says = json!({ "message_type": "comment", "type": "user", "body": "Thanks :)",
                            "intercom_user_id": user });
    ask(&reply, user_says, 200).await;
    manage(caller, document, &place, &team).await;
    intercom.with_conversation_attribute("topic", "string");
    let kept = json!({ "read": true, "title": "Parcel", "custom_attributes": { "topic": "post" } });
    ask(&format!("PUT {place}"), kept, 200).await;
    intercom.rate(&id, 4, "quick");
    let query = json!({ "query": { "field": "id", "operator": "=", "value": id } });
    let found = ask("POST /conversations/search", query, 200).await;
    assert_eq!(found["total_count"], 1);
    let ticket = json!({ "ticket_type_id": "53" });
    ask(&format!("POST {place}/convert"), ticket.clone(), 200).await;
    let part = intercom.conversation(&id).unwrap().parts[0].id.clone();
    let redacted = json!({ "type": "conversation_part", "conversation_id": id,
                           "conversation_part_id": part });
    ask("POST /conversations/redact", redacted, 200).await;
    ask(&format!("GET {place}?display_as=plaintext"), Json::Null, 200).await;
    ask(&format!("DELETE {place}"), Json::Null, 200).await;
    ask(&reply, said("comment"), 404).await;
    if caller.version == Version::V2_16 {
        ask("GET /conversations/deleted", Json::Null, 200).await;
    }
}

async fn manage(caller: &Caller, document: &Document, place: &str, team: &str) {
    let admin = caller.intercom.bot_admin();
    let ask =
        async |request: &str, body, status| judged(caller, document, request, body, status).await;
    let parts = format!("POST {place}/parts");
    let to = |kind: &str, id: &str| {
        json!({ "message_type": "assignment", "type": kind, "admin_id": admin,
                "assignee_id": id })
    };
    ask(&parts, to("team", team), 200).await;
    ask(&parts, to("admin", &admin), 200).await;
    let until = json!({ "message_type": "snoozed", "admin_id": admin,
                        "snoozed_until": 1_900_000_000 });
    ask(&parts, until, 200).await;
    ask(&parts, json!({ "message_type": "open", "admin_id": admin }), 200).await;
    let close = json!({ "message_type": "close", "type": "admin", "admin_id": admin,
                        "body": "Goodbye :)" });
    ask(&parts, close, 200).await;
    let again = ask(&parts, to("admin", "0"), 200).await;
    let part = &again["conversation_parts"]["conversation_parts"][0];
    assert_eq!(part["part_type"], "assign_and_reopen");
    ask(&parts, to("team", "7"), 404).await;
    let gone = "POST /conversations/1/parts";
    ask(gone, to("admin", "0"), 404).await;
}

async fn labels(caller: &Caller, document: &Document) {
    let intercom = &caller.intercom;
    let user = intercom.with_user("Joe", "72", json!({}));
    let id = intercom.customer_writes(&user, "Refund, please");
    let admin = intercom.bot_admin();
    let ask =
        async |request: &str, body, status| judged(caller, document, request, body, status).await;
    let tag = ask("POST /tags", json!({ "name": "billing" }), 200).await;
    ask("POST /tags", json!({}), 400).await;
    ask("GET /tags", Json::Null, 200).await;
    let on = json!({ "id": tag["id"], "admin_id": admin });
    ask(&format!("POST /conversations/{id}/tags"), on, 200).await;
    ask(&format!("POST /conversations/{id}/tags"), json!({ "id": "9", "admin_id": admin }), 404)
        .await;
    let off = format!("DELETE /conversations/{id}/tags/{}", tag["id"].as_str().unwrap());
    ask(&off, json!({ "admin_id": admin }), 200).await;
    ask(&off, json!({ "admin_id": admin }), 404).await;
    let made = json!({ "name": "tier", "model": "contact", "data_type": "string" });
    ask("POST /data_attributes", made.clone(), 200).await;
    ask("POST /data_attributes", made, 400).await;
    ask("GET /data_attributes?model=contact", Json::Null, 200).await;
    ask("GET /ticket_types", Json::Null, 200).await;
    if caller.version == Version::V2_16 {
        let made = json!({ "name": "reason", "data_type": "string" });
        ask("POST /conversations/attributes", made, 200).await;
        ask("GET /conversations/attributes", Json::Null, 200).await;
        ask("GET /data_attributes?model=conversation", Json::Null, 422).await;
    }
}

async fn content(caller: &Caller, document: &Document) {
    let article = caller.intercom.with_article("Returns", "<p>Within 30 days.</p>");
    caller.intercom.with_article("Payment", "<p>By card.</p>");
    let ask =
        async |request: &str, body, status| judged(caller, document, request, body, status).await;
    ask("GET /articles", Json::Null, 200).await;
    let first = ask("GET /articles?per_page=1&page=2", Json::Null, 200).await;
    assert_eq!(first["pages"]["total_pages"], 2);
    ask(&format!("GET /articles/{article}"), Json::Null, 200).await;
    ask("GET /articles/1", Json::Null, 404).await;
    let from = json!({ "sync_behavior": "api", "url": "https://help.example" });
    let source = ask("POST /ai/content_import_sources", from, 200).await["id"].clone();
    ask("GET /ai/content_import_sources", Json::Null, 200).await;
    ask(&format!("GET /ai/content_import_sources/{source}"), Json::Null, 200).await;
    let page = json!({ "title": "Test", "html": "<h1>Test</h1>", "url": "https://help.example/1",
                       "locale": "en", "source_id": source, "external_id": "abc",
                       "ai_agent_availability": true, "ai_copilot_availability": true });
    let made = ask("POST /ai/external_pages", page.clone(), 200).await;
    let again = ask("POST /ai/external_pages", page, 200).await;
    assert_eq!(made["id"], again["id"]);
    ask("GET /ai/external_pages", Json::Null, 200).await;
    let place = format!("/ai/external_pages/{}", made["id"].as_str().unwrap());
    ask(&format!("GET {place}"), Json::Null, 200).await;
    ask(&format!("DELETE {place}"), Json::Null, 200).await;
    ask(&format!("DELETE /ai/content_import_sources/{source}"), Json::Null, 204).await;
}
