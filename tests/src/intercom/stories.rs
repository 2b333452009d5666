//! The stand-in where it hurts: what goes wrong goes wrong as it was told to.

use super::{
    Document, Json, Mishap, Outcome, Pace, Priority, StandIn, State, Version,
    conformance::{Answer, Caller},
    sign,
};
use axum::{Router, http::HeaderMap, routing::post};
use jiff::Timestamp;
use serde_json::json;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

/// What a webhook's receiver got: signature and body.
type Received = Arc<Mutex<Vec<(String, String)>>>;

/// Starts a receiver that refuses the first `n_refused` notifications.
async fn receiver(n_refused: usize) -> (String, Received) {
    let received = Received::default();
    let kept = received.clone();
    let take = move |headers: HeaderMap, body: String| async move {
        let signature = headers["x-hub-signature"].to_str().unwrap().to_string();
        let mut kept = kept.lock().unwrap();
        kept.push((signature, body));
        if kept.len() <= n_refused { "503" } else { "200" }
            .parse::<axum::http::StatusCode>()
            .unwrap()
    };
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let app = Router::new().route("/hook", post(take));
    tokio::spawn(async move { axum::serve(listener, app).await.unwrap() });
    (url, received)
}

fn comment(intercom: &StandIn, text: &str) -> Json {
    let admin = intercom.bot_admin();
    json!({ "message_type": "comment", "type": "admin", "admin_id": admin, "body": text })
}

fn code(answer: &Answer) -> &str {
    answer.body["errors"][0]["code"].as_str().unwrap_or_default()
}

fn conversation(caller: &Caller) -> (String, String) {
    let user = caller.intercom.with_user("Joe", "70", json!({}));
    let id = caller.intercom.customer_writes(&user, "Where is <it>?");
    let reply = format!("POST /conversations/{id}/reply");
    (id, reply)
}

#[tokio::test]
async fn a_lost_answer_has_its_effect_and_a_lost_request_has_none() {
    let caller = Caller::new(Version::V2_14).await;
    let (id, reply) = conversation(&caller);
    let parts = || caller.intercom.conversation(&id).unwrap().parts;
    caller.intercom.once("/reply", Mishap::LostAnswer);
    assert!(caller.try_call(&reply, comment(&caller.intercom, "one")).await.is_none());
    assert_eq!(parts().len(), 1);
    caller.intercom.once("/reply", Mishap::LostRequest);
    assert!(caller.try_call(&reply, comment(&caller.intercom, "two")).await.is_none());
    assert_eq!(parts().len(), 1);
    caller.intercom.once("/reply", Mishap::FailingAfter(504));
    assert!(caller.try_call(&reply, comment(&caller.intercom, "three")).await.is_none());
    caller.intercom.once("/reply", Mishap::Failing(500));
    let failed = caller.call(&reply, comment(&caller.intercom, "four")).await;
    assert_eq!((failed.status, code(&failed)), (500, "server_error"));
    assert_eq!(parts().len(), 2);
    let bodies: Vec<_> = parts().into_iter().map(|part| part.body.unwrap()).collect();
    assert_eq!(bodies, ["<p>one</p>", "<p>three</p>"]);
    assert!(parts().iter().all(|part| part.app_package_code.is_some()));
    let statuses: Vec<_> = caller.intercom.requests().iter().map(|logged| logged.status).collect();
    assert_eq!(statuses, [None, None, Some(504), Some(500)]);
}

#[tokio::test]
async fn windows_of_rates_end_at_the_tens_of_seconds() {
    let clock = Arc::new(AtomicI64::new(1_800_000_003));
    let held = clock.clone();
    let now = move || Timestamp::from_second(held.load(Ordering::SeqCst)).unwrap();
    let caller = Caller::with(Version::V2_14, |parts| parts.clock = Arc::new(now)).await;
    caller.intercom.faults(|faults| faults.rate_per_10s = Some(2));
    let limits = |answer: &Answer| {
        let of = |name: &str| answer.headers[name].to_str().unwrap().to_string();
        [of("x-ratelimit-limit"), of("x-ratelimit-remaining"), of("x-ratelimit-reset")]
    };
    let first = caller.call("GET /me", Json::Null).await;
    assert_eq!(limits(&first), ["2", "1", "1800000010"]);
    caller.call("GET /me", Json::Null).await;
    let third = caller.call("GET /me", Json::Null).await;
    assert_eq!((third.status, code(&third)), (429, "rate_limit_exceeded"));
    assert_eq!(third.body["errors"][0]["message"], "Exceeded rate limit of 2 in 10_seconds");
    assert_eq!(limits(&third), ["2", "0", "1800000010"]);
    clock.store(1_800_000_010, Ordering::SeqCst);
    assert_eq!(caller.call("GET /me", Json::Null).await.status, 200);
}

#[tokio::test]
async fn tokens_versions_and_bodies_are_read_strictly() {
    let caller = Caller::with(Version::V2_14, |parts| parts.token = "another".into()).await;
    let refused = caller.call("GET /me", Json::Null).await;
    assert_eq!((refused.status, code(&refused)), (401, "unauthorized"));
    assert!(refused.headers.get("x-ratelimit-limit").is_none());

    let caller = Caller::new(Version::V2_14).await;
    let (id, reply) = conversation(&caller);
    let admin = caller.intercom.bot_admin();
    let number: i64 = admin.parse().unwrap();
    let wrong = [
        (
            json!({ "message_type": "comment", "type": "admin", "admin_id": number, "body": "a" }),
            400,
        ),
        (json!({ "message_type": "comment", "type": "admin", "body": "a" }), 400),
        (json!({ "message_type": "comment", "type": "admin", "admin_id": admin }), 400),
        (json!({ "message_type": "shout", "type": "admin", "admin_id": admin, "body": "a" }), 400),
        (json!({ "message_type": "comment", "type": "admin", "admin_id": "1", "body": "a" }), 404),
        (
            json!({ "message_type": "quick_reply", "type": "admin", "admin_id": admin,
                 "reply_options": [{ "text": "Yes", "uuid": "yes" }] }),
            400,
        ),
    ];
    for (body, status) in wrong {
        assert_eq!(caller.call(&reply, body.clone()).await.status, status, "{body}");
    }
    let attributes = json!({ "custom_attributes": { "topic": "post" } });
    let refused = caller.call(&format!("PUT /conversations/{id}"), attributes).await;
    assert_eq!(
        refused.body["errors"][0]["message"],
        "Conversation attribute 'topic' does not exist"
    );
    let early = caller.call("GET /conversations/attributes", Json::Null).await;
    assert_eq!((early.status, code(&early)), (400, "intercom_version_invalid"));
    let client = reqwest::Client::new();
    let me = client.get(format!("{}/me", caller.intercom.url())).bearer_auth("stand-in-token");
    let refused = me.header("Intercom-Version", "9.9").send().await.unwrap();
    assert_eq!(refused.status(), 400);
    assert!(caller.intercom.conversation(&id).unwrap().parts.is_empty());
}

#[tokio::test]
async fn versions_differ_in_priority_and_in_who_has_nobody() {
    for (version, priority, nobody) in
        [(Version::V2_14, "priority", Json::Null), (Version::V2_16, "urgent", json!(0))]
    {
        let caller = Caller::new(version).await;
        let (id, _) = conversation(&caller);
        let to = Priority::Urgent;
        let conversation = id.clone();
        let changed = super::Happening::PriorityChanges { conversation, to };
        caller.intercom.happen(changed).unwrap();
        let shown = caller.call(&format!("GET /conversations/{id}"), Json::Null).await.body;
        assert_eq!(shown["priority"], priority);
        assert_eq!(shown["admin_assignee_id"], nobody);
    }
}

#[tokio::test]
async fn a_reply_to_a_closed_conversation_is_an_open_with_a_body() {
    let caller = Caller::new(Version::V2_14).await;
    let (id, _) = conversation(&caller);
    let admin = caller.intercom.with_admin("Ada");
    caller.intercom.admin_replies(&admin, &id, "Here.");
    caller.intercom.admin_closes(&admin, &id);
    assert_eq!(caller.intercom.conversation(&id).unwrap().state, State::Closed);
    caller.intercom.customer_replies(&id, "No, there.");
    let read = format!("GET /conversations/{id}?display_as=plaintext");
    let shown = caller.call(&read, Json::Null).await.body;
    let part = &shown["conversation_parts"]["conversation_parts"][2];
    assert_eq!((&part["part_type"], &part["body"]), (&json!("open"), &json!("No, there.")));
    assert_eq!(shown["source"]["body"], "Where is <it>?");
    assert_eq!(shown["state"], "open");
}

#[tokio::test]
async fn what_an_app_says_by_mail_is_kept_and_not_sent() {
    let caller = Caller::new(Version::V2_14).await;
    let user = caller.intercom.with_user("Joe", "70", json!({}));
    let mail = caller.intercom.email_conversation(&user, "Parcel", "Where is it?");
    let talk = caller.intercom.customer_writes(&user, "Where is it?");
    for (id, sent) in [(mail, false), (talk, true)] {
        let reply = format!("POST /conversations/{id}/reply");
        let answer = caller.call(&reply, comment(&caller.intercom, "Here")).await;
        assert_eq!(answer.status, 200);
        let part = &caller.intercom.conversation(&id).unwrap().parts[0];
        assert_eq!(part.sent_to_contact, sent);
    }
}

#[tokio::test]
async fn an_answer_holds_the_newest_500_parts_at_most() {
    let caller = Caller::new(Version::V2_14).await;
    let (id, _) = conversation(&caller);
    for number in 0..510 {
        caller.intercom.customer_replies(&id, &number.to_string());
    }
    let shown = caller.call(&format!("GET /conversations/{id}"), Json::Null).await.body;
    let parts = shown["conversation_parts"]["conversation_parts"].as_array().unwrap();
    assert_eq!(shown["conversation_parts"]["total_count"], 510);
    assert_eq!((parts.len(), &parts[0]["body"]), (500, &json!("<p>10</p>")));
}

#[tokio::test]
async fn searches_page_by_cursor_and_refuse_what_the_document_refuses() {
    let caller = Caller::new(Version::V2_16).await;
    let user = caller.intercom.with_user("Joe", "70", json!({}));
    let mut ids: Vec<String> =
        (0..7).map(|_| caller.intercom.customer_writes(&user, "Hello")).collect();
    caller.intercom.admin_closes(&caller.intercom.bot_admin(), &ids[3]);
    let state = json!({ "field": "state", "operator": "=", "value": "open" });
    let since = json!({ "field": "updated_at", "operator": ">", "value": 1_700_000_000 });
    let query = json!({ "operator": "AND", "value": [state, since] });
    let mut found = Vec::new();
    let mut after = Json::Null;
    loop {
        let pagination = json!({ "per_page": 4, "starting_after": after });
        let body = json!({ "query": query, "pagination": pagination });
        let page = caller.call("POST /conversations/search", body).await.body;
        assert_eq!(page["total_count"], 6);
        let ids = page["conversations"].as_array().unwrap().iter();
        found.extend(ids.map(|conversation| conversation["id"].as_str().unwrap().to_string()));
        after = page["pages"]["next"]["starting_after"].clone();
        if after.is_null() {
            break;
        }
    }
    ids.remove(3);
    ids.reverse();
    assert_eq!(found, ids);
    let wrong = [
        json!({}),
        json!({ "query": { "field": "state", "operator": "==", "value": "open" } }),
        json!({ "query": { "field": "updated_at", "operator": ">", "value": "yesterday" } }),
        json!({ "query": { "field": "mood", "operator": "=", "value": "good" } }),
        json!({ "query": state, "pagination": { "per_page": 151 } }),
        json!({ "query": state, "pagination": { "starting_after": "no cursor" } }),
    ];
    for body in wrong {
        let answer = caller.call("POST /conversations/search", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
    }
}

#[tokio::test]
async fn webhooks_are_signed_repeated_and_tell_of_our_own_replies() {
    let (url, received) = receiver(1).await;
    let caller = Caller::with(Version::V2_14, |parts| {
        parts.webhook_url = Some(url);
        parts.pace = Pace { retry: Duration::from_millis(10), ..Pace::default() };
    })
    .await;
    let (id, reply) = conversation(&caller);
    caller.intercom.webhooks_settled().await;
    caller.call(&reply, comment(&caller.intercom, "Here")).await;
    caller.intercom.ping();
    caller.intercom.delete_conversation(&id);
    caller.intercom.webhooks_settled().await;
    let received = received.lock().unwrap();
    for (signature, body) in received.iter() {
        assert_eq!(*signature, sign("stand-in-client-secret", body.as_bytes()));
    }
    let bodies: Vec<Json> =
        received.iter().map(|(_, body)| serde_json::from_str(body).unwrap()).collect();
    let told: Vec<_> = bodies.iter().map(|body| body["topic"].as_str().unwrap()).collect();
    let opened = "conversation.user.created";
    let expected = [opened, opened, "conversation.admin.replied", "ping", "conversation.deleted"];
    assert_eq!(told, expected);
    assert_eq!(bodies[0]["id"], bodies[1]["id"]);
    assert_eq!(bodies[1]["delivery_attempts"], 2);
    let part = &bodies[2]["data"]["item"]["conversation_parts"]["conversation_parts"][0];
    assert_eq!(part["app_package_code"], "frontdesk-stand-in");
    assert!(bodies[3]["id"].is_null());
    assert_eq!(bodies[4]["data"]["item"], json!({ "type": "conversation", "id": id }));
    let Some(document) = Document::load(Version::V2_14) else { return };
    for item in bodies[..3].iter().map(|body| &body["data"]["item"]) {
        assert_eq!(document.schema_faults("conversation", item), Vec::<String>::new());
    }
}

#[tokio::test]
async fn webhooks_are_dropped_doubled_and_late_as_told() {
    let (url, received) = receiver(0).await;
    let caller = Caller::with(Version::V2_14, |parts| parts.webhook_url = Some(url)).await;
    let user = caller.intercom.with_user("Joe", "70", json!({}));
    caller.intercom.faults(|faults| faults.webhooks.dropped = 1.0);
    caller.intercom.customer_writes(&user, "Nobody hears this");
    caller.intercom.faults(|faults| {
        faults.webhooks.dropped = 0.0;
        faults.webhooks.reordered = 1.0;
    });
    let late = caller.intercom.customer_writes(&user, "Later");
    caller.intercom.faults(|faults| {
        faults.webhooks.reordered = 0.0;
        faults.webhooks.duplicated = 1.0;
    });
    let early = caller.intercom.customer_writes(&user, "Sooner");
    caller.intercom.webhooks_settled().await;
    let outcomes: Vec<_> =
        caller.intercom.webhooks().iter().map(|sent| (sent.outcome, sent.attempts)).collect();
    assert_eq!(outcomes, [(Outcome::Dropped, 0), (Outcome::Accepted, 1), (Outcome::Accepted, 2)]);
    let received = received.lock().unwrap();
    let ids: Vec<Json> = received
        .iter()
        .map(|(_, body)| serde_json::from_str::<Json>(body).unwrap()["data"]["item"]["id"].clone())
        .collect();
    assert_eq!(ids.len(), 3);
    assert_eq!(ids[0], early);
    assert!(ids[1..].contains(&json!(late)) && ids[1..].contains(&json!(early)));
}
