use super::*;
use bot::{ByRequest, Deed};
use store::{Actor, Audit, KeyedRequest, Verdict};

#[tokio::test]
async fn a_conversation_goes_from_question_to_answer_to_people_and_back() {
    answered_and_handed_over(&Api::open().await).await;
}

pub(super) async fn answered_and_handed_over(api: &Api) {
    let id = api.conversation("Can I pay with PayPal?").await;
    let place = |rest: &str| format!("/conversations/{id}{rest}");
    let opened = api.get(&place("")).await;
    assert_eq!((&opened["status"], &opened["owner"]), (&json!("open"), &json!({"kind": "bot"})));
    assert_eq!((&opened["channel"], &opened["n_entries"]), (&json!("api"), &json!(1)));

    api.office.run_until_idle().await.unwrap();
    let said = api.get(&place("/messages")).await;
    let kinds: Vec<&Json> = said["items"].as_array().unwrap().iter().map(|m| &m["kind"]).collect();
    assert_eq!(kinds, [&json!("customer"), &json!("bot")]);
    let decision = said["items"][1]["decision"].as_str().unwrap();
    assert!(!said["items"][1]["sources"].as_array().unwrap().is_empty());
    let decided = api.get(&format!("/decisions/{decision}")).await;
    assert_eq!((&decided["act"], &decided["conversation"]), (&json!("reply"), &json!(id)));
    assert!(decided["trace"].is_object(), "{decided}");
    let decisions = api.get(&place("/decisions")).await;
    assert_eq!(decisions["items"][0]["id"], json!(decision));
    assert_eq!(api.get("/decisions").await["items"][0]["id"], json!(decision));
    let judged = json!({ "verdict": "approved" });
    let judgement = format!("/decisions/{decision}/judgement");
    assert_eq!(api.call("POST", &judgement, Some(judged)).await.status, 204);
    let label = &api.get("/labels").await["items"][0];
    assert_eq!((&label["verdict"], &label["teammate"]), (&json!("approved"), &json!("root")));
    let nobody = json!({ "verdict": "wrong", "teammate": "nobody" });
    let refused = api.call("POST", &judgement, Some(nobody)).await;
    refused.refuses(422, "invalid");
    assert_eq!(refused.body["field"], "teammate");
    let wrong = json!({ "verdict": "wrong", "teammate": "ada" });
    assert_eq!(api.call("POST", &judgement, Some(wrong)).await.status, 204);
    let labels = api.get("/labels").await;
    let [label] = labels["items"].as_array().unwrap().as_slice() else { panic!("{labels}") };
    assert_eq!((&label["verdict"], &label["teammate"]), (&json!("wrong"), &json!("ada")));
    let page = store::Page { before: None, limit: 10 };
    let audit = api.office.store().audit(Some(&id), &page).await.unwrap();
    let by_root = audit.iter().find(|entry| entry.audit.action == "api.judged_as_teammate");
    assert_eq!(by_root.unwrap().audit.actor, store::Actor::Program("root".into()));

    let assigned =
        api.post(&place("/assignment"), json!({ "team": "support", "teammate": "ada" })).await;
    let ada = json!({ "kind": "teammate", "team": "support", "teammate": "ada" });
    assert_eq!(assigned["owner"], ada);
    let seen = assigned["n_entries"].clone();
    let reply = json!({ "text": "I will look.", "seen": seen, "teammate": "ada" });
    api.post(&place("/replies"), reply).await;
    let overtaken = json!({ "text": "Me too.", "seen": 1 });
    let answer = api.call("POST", &place("/replies"), Some(overtaken)).await;
    answer.refuses(409, "overtaken");
    assert_eq!(answer.body["entry"], json!(2), "the bot's words stand between");
    api.post(&place("/notes"), json!({ "text": "A loyal customer." })).await;
    let noted = api.get(&place("/messages")).await;
    assert!(noted["items"].as_array().unwrap().iter().all(|m| m["kind"] != "note"));
    let back = api.call("POST", &place("/hand-back"), None).await;
    assert_eq!(back.body["owner"], json!({ "kind": "bot" }));

    let events = api.get(&place("/events?limit=100")).await;
    let whats: Vec<&str> =
        events["items"].as_array().unwrap().iter().filter_map(|e| e["what"].as_str()).collect();
    assert!(whats.contains(&"assigned") && whats.contains(&"handed_back"), "{whats:?}");
    let numbers: Vec<i64> =
        events["items"].as_array().unwrap().iter().filter_map(|e| e["number"].as_i64()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as i64), "{numbers:?}");
}

#[tokio::test]
async fn a_conversation_is_tagged_described_put_aside_and_closed() {
    tagged_and_closed(&Api::open().await).await;
}

pub(super) async fn tagged_and_closed(api: &Api) {
    let id = api.conversation("hello").await;
    let place = |rest: &str| format!("/conversations/{id}{rest}");
    let put = async |path: &str, body| api.call("PUT", &place(path), body).await.body;
    put("/tags/refund", None).await;
    assert_eq!(put("/tags/vip%20case", None).await["tags"], json!(["refund", "vip case"]));
    let untagged = api.call("DELETE", &place("/tags/refund"), None).await.body;
    assert_eq!(untagged["tags"], json!(["vip case"]));
    let urgent = put("/priority", Some(json!({ "priority": "urgent" }))).await;
    assert_eq!(urgent["priority"], "urgent");
    let wrong = api.call("PUT", &place("/priority"), Some(json!({ "priority": "asap" }))).await;
    wrong.refuses(422, "invalid");
    assert_eq!(wrong.body["field"], "priority");
    let given = json!({ "order": 7, "paid": true });
    let described = api.call("PATCH", &place("/attributes"), Some(given)).await.body;
    assert_eq!(described["attributes"], json!({ "order": 7, "paid": true }));
    let removed = json!({ "paid": null });
    let described = api.call("PATCH", &place("/attributes"), Some(removed)).await.body;
    assert_eq!(described["attributes"], json!({ "order": 7 }));

    let past = json!({ "until": "2026-01-01T00:00:00Z" });
    api.call("POST", &place("/snooze"), Some(past)).await.refuses(422, "invalid");
    let rests = api.post(&place("/snooze"), json!({ "until": "2026-11-20T08:00:00+01:00" })).await;
    assert_eq!(
        (&rests["status"], &rests["snoozed_until"]),
        (&json!("snoozed"), &json!("2026-11-20T07:00:00Z"))
    );
    let stale = json!({ "seen": 0 });
    api.call("POST", &place("/close"), Some(stale)).await.refuses(409, "overtaken");
    let closed = api.call("POST", &place("/close"), None).await;
    assert_eq!(closed.body["status"], "closed");
    api.call("POST", &place("/hand-back"), None).await.refuses(409, "illegal");
    let unknown = json!({ "team": "nobody" });
    api.call("POST", &place("/assignment"), Some(unknown)).await.refuses(422, "invalid");

    let written = json!({ "text": "It is me again.", "external_id": "m2" });
    let first = api.call("POST", &place("/messages"), Some(written.clone())).await;
    assert_eq!((first.status, &first.body["repeated"]), (201, &json!(false)));
    let again = api.call("POST", &place("/messages"), Some(written)).await;
    assert_eq!((again.status, &again.body["repeated"]), (200, &json!(true)));
    assert_eq!(again.body["number"], first.body["number"]);
    let open = api.get(&place("")).await;
    assert_eq!((&open["status"], &open["episode"]), (&json!("open"), &json!(2)));
}

#[tokio::test]
async fn a_rating_is_told_with_what_was_said_about_it() {
    rated(&Api::open().await).await;
}

pub(super) async fn rated(api: &Api) {
    let id = api.conversation("hello").await;
    let place = format!("/conversations/{id}");
    let asked = api.get(&place).await;
    assert_eq!(asked["ratings"], json!([]));
    api.call("POST", &format!("{place}/close"), None).await;
    let customer = asked["customer"].as_str().unwrap().parse().unwrap();
    let rating = (2, Some("It took <b>two</b> days".to_string()));
    api.office.rate(id.parse().unwrap(), customer, rating).await.unwrap();
    let expected = json!([{
        "episode": 1, "stars": 2, "comment": "It took <b>two</b> days", "at": "2026-11-18T09:30:00Z",
    }]);
    assert_eq!(api.get(&place).await["ratings"], expected);
    assert_eq!(api.get("/conversations").await["items"][0].get("ratings"), None);
}

#[tokio::test]
async fn two_programs_may_name_different_messages_alike() {
    let api = Api::open().await;
    let path = format!("/conversations/{}/messages", api.conversation("hello").await);
    let scopes = ["conversations:write"];
    for (program, text) in [("crm", "from one"), ("mail", "from the other")] {
        let token = api.token(program, &scopes).await;
        let url = format!("{}/api/v1{path}", api.root);
        let body = json!({ "text": text, "external_id": "1" });
        for (status, repeated) in [(201, false), (200, true)] {
            let answer = Answer::of(api.client.post(&url).bearer_auth(&token).json(&body)).await;
            let told = (answer.status, &answer.body["repeated"]);
            assert_eq!(told, (status, &json!(repeated)), "{program}: {answer:?}");
        }
    }
}

#[tokio::test]
async fn lists_are_narrowed_and_come_in_pages() {
    listed(&Api::open().await).await;
}

pub(super) async fn listed(api: &Api) {
    let mut ids = Vec::new();
    for n in 0..5 {
        api.bench.pass(SignedDuration::from_secs(1));
        ids.push(api.conversation(&format!("question number{n}")).await);
    }
    let mut path = "/conversations?limit=2".to_string();
    let mut seen = Vec::new();
    loop {
        let page = api.get(&path).await;
        let items = page["items"].as_array().unwrap();
        seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_string()));
        let Some(next) = page["next"].as_str() else { break };
        assert_eq!(items.len(), 2);
        path = format!("/conversations?limit=2&before={next}");
    }
    ids.reverse();
    assert_eq!(seen, ids);
    let found = async |query: &str| {
        let page = api.get(&format!("/conversations?{query}")).await;
        page["items"].as_array().unwrap().len()
    };
    assert_eq!(found("words=number3").await, 1);
    assert_eq!(found("with_bot=true").await, 5);
    assert_eq!((found("team=support").await, found("status=closed").await), (0, 0));
    let claimed = format!("/conversations/{}/assignment", ids[0]);
    api.post(&claimed, json!({ "team": "support", "teammate": "ada" })).await;
    assert_eq!((found("team=support").await, found("teammate=ada").await), (1, 1));
    assert_eq!((found("with_bot=true&channel=api").await, found("tag=x").await), (4, 0));
    let both = api.call("GET", "/conversations?with_bot=true&teammate=ada", None).await;
    both.refuses(422, "invalid");

    let messages = format!("/conversations/{}/events?limit=1", ids[0]);
    let first = api.get(&messages).await;
    let rest = api.get(&format!("{messages}&after={}", first["next"].as_str().unwrap())).await;
    assert_eq!((&first["items"][0]["number"], &rest["items"][0]["number"]), (&json!(1), &json!(2)));
    let early = api.get("/changes?since=2026-11-18T00:00:00Z").await;
    assert!(early["items"].as_array().unwrap().len() < 5, "a change of this moment is told of");
    api.bench.pass(SignedDuration::from_secs(6));
    let changes = api.get("/changes?since=2026-11-18T00:00:00Z").await;
    assert_eq!(changes["items"].as_array().unwrap().len(), 5);
    let later = api.get(&format!("/changes?since={}", changes["next"].as_str().unwrap())).await;
    assert_eq!(later["items"][0]["conversation"], json!(ids[0]));
}

#[tokio::test]
async fn what_has_not_changed_is_not_sent_again() {
    unchanged(&Api::open().await).await;
}

pub(super) async fn unchanged(api: &Api) {
    let id = api.conversation("hello").await;
    let path = format!("/conversations/{id}");
    let first = api.call("GET", &path, None).await;
    let tag = first.headers["etag"].clone();
    let asked = async || Answer::of(api.request("GET", &path).header("if-none-match", &tag)).await;
    assert_eq!(asked().await.status, 304);
    api.bench.pass(SignedDuration::from_secs(1));
    api.call("PUT", &format!("{path}/tags/x"), None).await;
    assert_eq!(asked().await.status, 200);
    let head = api.request("HEAD", &path).send().await.unwrap();
    assert_eq!(head.status(), 200);
}

#[tokio::test]
async fn a_request_with_a_key_is_done_once() {
    done_once(&Api::open().await).await;
}

pub(super) async fn done_once(api: &Api) {
    let keyed = async |key: &str, path: &str, body: Json| {
        let request = api.request("POST", path).header("idempotency-key", key);
        let answer = Answer::of(request.json(&body)).await;
        api.hold("POST", path, &answer);
        answer
    };
    let grace = json!({ "name": "Grace" });
    let first = keyed("k1", "/customers", grace.clone()).await;
    let again = keyed("k1", "/customers", grace.clone()).await;
    assert_eq!((first.status, again.status, &first.body), (201, 201, &again.body));
    assert!(again.headers.contains_key("idempotency-replayed"));
    keyed("k1", "/customers", json!({ "name": "Ada" })).await.refuses(422, "key_reused");
    let other = keyed("k2", "/customers", grace.clone()).await;
    assert_ne!(other.body["id"], first.body["id"]);
    let refused = keyed("k3", "/customers", json!({ "nam": 1 })).await;
    let refused_again = keyed("k3", "/customers", json!({ "nam": 1 })).await;
    refused.refuses(422, "invalid");
    refused_again.refuses(422, "invalid");
    let wanted = json!({ "name": "crm", "scopes": ["admin"] });
    keyed("k4", "/tokens", wanted).await.refuses(400, "key_refused");
    keyed(&"k".repeat(201), "/customers", grace.clone()).await.refuses(400, "key_refused");
    api.bench.pass(SignedDuration::from_hours(25));
    let next_day = keyed("k1", "/customers", grace.clone()).await;
    assert_ne!(next_day.body["id"], first.body["id"]);
    assert_eq!(api.get("/customers").await["items"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn a_reply_whose_answer_was_lost_is_found_by_its_repetition() {
    let api = Api::open().await;
    let id = api.conversation("I need a human").await;
    let path = format!("/conversations/{id}/replies");
    let keyed = async || {
        let request = api.request("POST", &path).header("idempotency-key", "k1");
        Answer::of(request.json(&json!({ "text": "Here I am." }))).await
    };
    // As far as a server comes that dies after the reply was written and before it was answered.
    let (office, now) = (&api.office, api.office.now());
    let token = office.store().tokens().await.unwrap().remove(0).id;
    let body = json!({ "text": "Here I am." }).to_string().into();
    let hash = super::super::repetition::request_hash(&path, &body);
    office.store().begin_request((token, "k1"), &hash, now, now).await.unwrap();
    let keyed_as = Some(KeyedRequest { token, key: "k1".into() });
    let request = ByRequest { keyed: keyed_as, audit: None };
    let deed = Deed::Reply { text: "Here I am.".into(), seen: None, draft: None };
    let by = Actor::Program("root".into());
    office.act_once(id.parse().unwrap(), &by, deed, request).await.unwrap();
    api.bench.pass(SignedDuration::from_mins(10));
    let again = keyed().await;
    assert_eq!((again.status, &again.body["id"]), (200, &json!(id)));
    let messages = api.get(&format!("/conversations/{id}/messages")).await;
    let replies = messages["items"].as_array().unwrap().iter();
    assert_eq!(replies.filter(|one| one["text"] == "Here I am.").count(), 1);
}

/// Begins a request as a server does that dies before it answers; returns how the store knows it.
pub(super) async fn begun(api: &Api, path: &str, body: &str) -> KeyedRequest {
    begun_as(api, "k1", (path, body)).await
}

pub(super) async fn begun_as(api: &Api, key: &str, (path, body): (&str, &str)) -> KeyedRequest {
    let (store, now) = (api.office.store(), api.office.now());
    let token = store.tokens().await.unwrap().remove(0).id;
    let hash = super::super::repetition::request_hash(path, &body.to_string().into());
    let since = now - SignedDuration::from_hours(24);
    store.begin_request((token, key), &hash, since, now).await.unwrap();
    KeyedRequest { token, key: key.into() }
}

#[tokio::test]
async fn a_judgement_whose_answer_was_lost_is_found_by_its_repetition() {
    let api = Api::open().await;
    let id = api.conversation("Can I pay with PayPal?").await;
    api.office.run_until_idle().await.unwrap();
    let decision = api.get("/decisions").await["items"][0]["id"].as_str().unwrap().to_string();
    let path = format!("/decisions/{decision}/judgement");
    let body = json!({ "verdict": "wrong" });
    let keyed = Some(begun(&api, &path, &body.to_string()).await);
    let deed = Deed::Judge { decision: decision.parse().unwrap(), verdict: Verdict::Wrong };
    let (by, request) = (Actor::Program("root".into()), ByRequest { keyed, audit: None });
    api.office.act_once(id.parse().unwrap(), &by, deed, request).await.unwrap();
    api.bench.pass(SignedDuration::from_mins(10));
    let again = api.request("POST", &path).header("idempotency-key", "k1").json(&body);
    let again = Answer::of(again).await;
    assert_eq!((again.status, &again.body), (204, &Json::Null));
    let page = store::Page { before: None, limit: 10 };
    let audit = api.office.store().audit(Some(&id), &page).await.unwrap();
    let judged = audit.iter().filter(|entry| entry.audit.action == "decision.judged");
    assert_eq!(judged.count(), 1);
}

#[tokio::test]
async fn a_program_that_acts_as_a_teammate_is_named_in_the_same_change() {
    let api = Api::open().await;
    let id = api.conversation("I need a human").await;
    let page = store::Page { before: None, limit: 10 };
    let acts = async || {
        let audit = api.office.store().audit(Some(&id), &page).await.unwrap();
        let of = |audit: &Audit| (audit.actor.to_string(), audit.action.clone());
        audit.iter().map(|entry| of(&entry.audit)).collect::<Vec<_>>()
    };
    let reply = json!({ "text": "Here I am.", "teammate": "ada" });
    api.post(&format!("/conversations/{id}/replies"), reply).await;
    let (ada, root) = (Actor::Teammate("ada".to_string().try_into().unwrap()), "root");
    let by_root = (Actor::Program(root.into()).to_string(), "api.replied_as_teammate".to_string());
    let by_ada = (ada.to_string(), "conversation.replied".to_string());
    assert_eq!(acts().await, [by_root.clone(), by_ada.clone()]);
    // Where nothing is written, nothing is said of it either.
    let overtaken = json!({ "text": "Too late.", "teammate": "ada", "seen": 0 });
    let refused = api.call("POST", &format!("/conversations/{id}/replies"), Some(overtaken)).await;
    refused.refuses(409, "overtaken");
    assert_eq!(acts().await, [by_root, by_ada]);
}

#[tokio::test]
async fn nobody_acts_in_the_name_of_a_closed_account() {
    let api = Api::open().await;
    let (id, store) = (api.conversation("I need a human").await, api.office.store());
    let account = store::NewAccount {
        teammate: "ada".to_string().try_into().unwrap(),
        name: "Ada".into(),
        email: "ada@example.com".into(),
        password_hash: "none".into(),
        role: store::Role::Teammate,
    };
    store.open_account(&account, api.office.now()).await.unwrap();
    store.set_disabled(&account.teammate, true).await.unwrap();
    let reply = json!({ "text": "Here I am.", "teammate": "ada" });
    let path = format!("/conversations/{id}/replies");
    let refused = api.call("POST", &path, Some(reply.clone())).await;
    assert!(refused.refuses(422, "invalid").contains("closed"), "{refused:?}");
    assert_eq!(refused.body["field"], "teammate");
    store.set_disabled(&account.teammate, false).await.unwrap();
    api.post(&path, reply).await;
}

#[tokio::test]
async fn of_the_same_request_sent_many_times_at_once_one_is_done() {
    done_once_at_once(&Api::open().await).await;
}

pub(super) async fn done_once_at_once(api: &Api) {
    let send = || async {
        let request = api.request("POST", "/customers").header("idempotency-key", "same");
        Answer::of(request.json(&json!({ "name": "Grace" }))).await
    };
    let answers = futures_util::future::join_all((0..20).map(|_| send())).await;
    let done = answers.iter().filter(|answer| answer.status == 201);
    let ids: std::collections::BTreeSet<String> =
        done.map(|answer| answer.body["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    for answer in answers.iter().filter(|answer| answer.status != 201) {
        answer.refuses(409, "in_progress");
    }
    assert_eq!(api.get("/customers").await["items"].as_array().unwrap().len(), 1);
}
