use super::*;

#[tokio::test]
async fn a_customer_is_known_by_the_name_that_the_company_gives() {
    known(&Api::open().await).await;
}

pub(super) async fn known(api: &Api) {
    let path = "/customers/by-external-id/u%2F42";
    let known = json!({
        "name": "Grace", "email": "grace@example.com", "attributes": { "tier": "gold", "seats": 3 },
    });
    let first = api.call("PUT", path, Some(known)).await;
    assert_eq!(first.status, 201);
    assert_eq!(
        (&first.body["realm"], &first.body["external_id"]),
        (&json!("desk"), &json!("u/42"))
    );
    let altered = json!({ "email": null, "attributes": { "seats": null, "beta": true } });
    let second = api.call("PUT", path, Some(altered)).await;
    assert_eq!((second.status, &second.body["id"]), (200, &first.body["id"]));
    assert_eq!(second.body["attributes"], json!({ "tier": "gold", "beta": true }));
    assert_eq!((&second.body["name"], &second.body["email"]), (&json!("Grace"), &Json::Null));
    assert_eq!(api.get(path).await, second.body);
    let by_id = format!("/customers/{}", first.body["id"].as_str().unwrap());
    let patched = api.call("PATCH", &by_id, Some(json!({ "locale": "de-AT" }))).await;
    assert_eq!(patched.body["locale"], "de-AT");
    let found = api.get("/customers?text=grac").await;
    assert_eq!(found["items"].as_array().unwrap().len(), 1);
    assert_eq!(api.get("/customers?text=nobody").await["items"], json!([]));
}

#[tokio::test]
async fn whoever_is_erased_is_gone_with_every_conversation() {
    erased(&Api::open().await).await;
}

pub(super) async fn erased(api: &Api) {
    let id = api.conversation("My secret question").await;
    let customer = api.get(&format!("/conversations/{id}")).await["customer"].clone();
    let path = format!("/customers/{}", customer.as_str().unwrap());
    let of = api.get(&format!("{path}/conversations")).await;
    assert_eq!(of["items"][0]["id"], json!(id));
    let erased = api.call("DELETE", &path, None).await;
    assert_eq!(erased.body, json!({ "n_conversations": 1 }));
    api.call("GET", &path, None).await.refuses(404, "not_found");
    api.call("GET", &format!("/conversations/{id}"), None).await.refuses(404, "not_found");
    api.call("DELETE", &path, None).await.refuses(404, "not_found");
    let again = json!({ "customer": customer, "message": { "text": "hello" } });
    api.call("POST", "/conversations", Some(again)).await.refuses(404, "not_found");
}

#[tokio::test]
async fn two_programs_may_name_their_messages_alike() {
    let api = Api::open().await;
    let customer = api.post("/customers", json!({})).await["id"].clone();
    let body = json!({
        "customer": customer, "external_id": "order-7",
        "message": { "text": "Where is it?", "external_id": "1" },
    });
    let first = api.call("POST", "/conversations", Some(body.clone())).await;
    let again = api.call("POST", "/conversations", Some(body.clone())).await;
    assert_eq!((first.status, again.status), (201, 200));
    assert_eq!(first.body["id"], again.body["id"]);
    assert_eq!(first.body["external_id"], "root:order-7");
    let other = api.token("shop", &["conversations:write"]).await;
    let request = api.client.post(format!("{}/api/v1/conversations", api.root));
    let second = Answer::of(request.bearer_auth(other).json(&body)).await;
    assert_eq!(second.status, 201);
    assert_ne!(second.body["id"], first.body["id"]);
}

#[tokio::test]
async fn another_message_under_the_same_name_is_refused_and_not_taken_for_a_repetition() {
    let api = Api::open().await;
    let one = api.post("/customers", json!({})).await["id"].clone();
    let two = api.post("/customers", json!({})).await["id"].clone();
    let message = |text: &str| json!({ "text": text, "external_id": "m-1" });
    let open = |customer: &serde_json::Value, text: &str| json!({ "customer": customer, "message": message(text) });
    let first = api.post("/conversations", open(&one, "Where is it?")).await;
    let other = api.conversation("hello").await;
    for (path, body) in [
        ("/conversations".to_string(), open(&two, "Where is it?")),
        ("/conversations".to_string(), open(&one, "And the other one?")),
        (format!("/conversations/{other}/messages"), message("Where is it?")),
    ] {
        let refused = api.call("POST", &path, Some(body)).await;
        refused.refuses(409, "taken");
    }
    let again = api.call("POST", "/conversations", Some(open(&one, " Where is it? "))).await;
    assert_eq!((again.status, &again.body["id"]), (200, &first["id"]));
}

#[tokio::test]
async fn teams_say_who_works_and_what_waits() {
    let api = Api::open().await;
    let id = api.conversation("hello").await;
    api.post(&format!("/conversations/{id}/assignment"), json!({ "team": "billing" })).await;
    let teams = api.get("/teams").await;
    let (support, billing) = (&teams["items"][0], &teams["items"][1]);
    assert_eq!((&support["slug"], &support["open"]), (&json!("support"), &json!(true)));
    assert_eq!((&support["members"][0]["slug"], &support["n_queued"]), (&json!("ada"), &json!(0)));
    assert_eq!(support["members"][0]["present"], json!(false));
    assert_eq!((&billing["open"], &billing["n_queued"]), (&json!(false), &json!(1)));
    assert_eq!(billing["next_opening"], "2026-11-19T08:00:00Z", "Thursday at nine in Berlin");
    assert_eq!(api.get("/teams/billing").await, *billing);
}

#[tokio::test]
async fn articles_are_listed_read_and_searched() {
    let api = Api::open().await;
    let first = api.get("/articles?limit=1").await;
    let next = first["next"].as_str().unwrap();
    let second = api.get(&format!("/articles?limit=1&after={}", escaped(next))).await;
    assert_ne!(first["items"][0]["id"], second["items"][0]["id"]);
    let id = first["items"][0]["id"].as_str().unwrap();
    let whole = api.get(&format!("/articles/{}", escaped(id))).await;
    assert_eq!(whole["id"], json!(id));
    assert!(!whole["passages"][0]["text"].as_str().unwrap().is_empty());
    let found = api.get("/passages?query=Can%20I%20pay%20with%20PayPal%3F&limit=10").await;
    let hits = found["items"].as_array().unwrap();
    let text = |hit: &Json| hit["passage"]["text"].as_str().unwrap().to_string();
    assert!(hits.len() <= 10 && hits.iter().any(|hit| text(hit).contains("PayPal")), "{found}");
    api.call("GET", "/articles?after=none", None).await.refuses(422, "invalid");
}

/// Writes a text so that it is one segment of a path.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte.is_ascii_alphanumeric() {
            true => char::from(byte).to_string(),
            false => format!("%{byte:02X}"),
        })
        .collect()
}

#[tokio::test]
async fn a_token_is_shown_once_and_its_name_is_its_own() {
    let api = Api::open().await;
    let wanted = json!({ "name": "crm", "scopes": ["customers:read"] });
    let issued = api.post("/tokens", wanted.clone()).await;
    let token = issued["token"].as_str().unwrap();
    api.call("POST", "/tokens", Some(wanted)).await.refuses(409, "taken");
    let listed = api.get("/tokens").await;
    assert!(!listed.to_string().contains(token) && !listed.to_string().contains("hash"));
    let request = api.client.get(format!("{}/api/v1/customers", api.root)).bearer_auth(token);
    assert_eq!(Answer::of(request).await.status, 200);
    let used = api.get("/tokens").await;
    let mut tokens = used["items"].as_array().unwrap().iter();
    let used = tokens.find(|token| token["name"] == "crm").unwrap();
    assert_eq!(used["used_at"], "2026-11-18T09:30:00Z");
    for wrong in [
        json!({ "name": "crm2", "scopes": ["root"] }),
        json!({ "name": "crm2", "scopes": [] }),
        json!({ "name": "A crm", "scopes": ["admin"] }),
    ] {
        api.call("POST", "/tokens", Some(wrong)).await.refuses(422, "invalid");
    }
}

#[tokio::test]
async fn a_customer_whose_opening_was_not_answered_is_found_by_the_repetition() {
    let api = Api::open().await;
    let body = json!({ "name": "Ada" });
    let open = async || {
        let request = api.request("POST", "/customers").header("idempotency-key", "k1");
        Answer::of(request.json(&body)).await
    };
    let n_customers = async || api.get("/customers").await["items"].as_array().unwrap().len();
    let first = open().await;
    let again = open().await;
    assert_eq!((first.status, again.status), (201, 201));
    assert_eq!(first.body["id"], again.body["id"]);
    // As far as a server comes that dies after the customer was written and before the answer.
    let request = super::journey::begun_as(&api, "k2", ("/customers", &body.to_string())).await;
    let lost = api.bench.visitor_unkept();
    api.office.store().open_customer(&lost, &request).await.unwrap();
    api.bench.pass(SignedDuration::from_mins(10));
    let again = api.request("POST", "/customers").header("idempotency-key", "k2").json(&body);
    let again = Answer::of(again).await;
    assert_eq!((again.status, &again.body["id"]), (201, &json!(lost.id.to_string())));
    assert_eq!(n_customers().await, 2);
}
