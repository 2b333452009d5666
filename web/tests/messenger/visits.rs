use crate::site::{SECRET, Site, jwt, settings, user_hash};
use jiff::SignedDuration;
use serde_json::json;
use store::{Identity, Visit};

#[tokio::test]
async fn a_visitor_is_recognised_by_a_token_that_is_kept_hashed() {
    let site = Site::open().await;
    let (token, welcome) = site.visit("", &json!({"locale": "de-AT", "name": " Ada\n"})).await;
    assert_eq!((token.len(), &welcome["verified"]), (64, &json!(false)));
    let store = site.bench.office.store();
    let now = site.bench.office.now();
    assert_eq!(store.visit(&token, now).await.unwrap(), None);
    let (again, welcome) = site.visit(&token, &json!({})).await;
    assert_eq!((again, &welcome["token"]), (token.clone(), &json!(null)));
    assert_eq!((&welcome["name"], &welcome["continued"]), (&json!("Ada"), &json!(true)));
    let expired = SignedDuration::from_hours(31 * 24);
    site.bench.pass(expired);
    let reply = site.get(&token, "/conversations").await;
    assert_eq!(reply.refusal(), (401, "visit_ended"));
    assert_ne!(site.visit(&token, &json!({})).await.0, token);
}

#[tokio::test]
async fn a_proven_customer_finds_earlier_conversations_in_another_browser() {
    let site = Site::open().await;
    let hello = json!({"user_id": "17", "user_hash": user_hash("17")});
    let (first, welcome) = site.visit("", &hello).await;
    assert_eq!(welcome["verified"], true);
    let conversation = site.ask(&first, "Can I pay with PayPal?").await;
    let (second, _) = site.visit("", &hello).await;
    assert_ne!(first, second);
    let list = site.get(&second, "/conversations").await.body;
    assert_eq!(list["conversations"][0]["id"], conversation);
    let (kept, welcome) = site.visit(&second, &hello).await;
    assert_eq!((kept, &welcome["token"]), (second, &json!(null)));
}

#[tokio::test]
async fn attributes_are_taken_from_a_signed_token_alone() {
    let site = Site::open().await;
    let exp = site.bench.office.now().as_second() + 60;
    let claims = json!({"sub": "17", "exp": exp, "name": "Ada", "email": "ada@example.com",
        "attributes": {"plan": "pro"}});
    let token = jwt(&json!({"alg": "HS256"}), &claims, SECRET);
    site.visit("", &json!({"user_jwt": token, "attributes": {"plan": "enterprise"}})).await;
    let hash = user_hash("17");
    let hello = json!({"user_id": "17", "user_hash": hash, "email": "eve@example.com",
        "attributes": {"plan": "enterprise"}});
    site.visit("", &hello).await;
    let identity = Identity { realm: "desk".into(), external_id: "17".into() };
    let customer = site.bench.office.store().customer_named(&identity).await.unwrap().unwrap();
    assert_eq!(customer.attributes["plan"], "pro");
    assert_eq!(customer.email.as_deref(), Some("ada@example.com"));
}

#[tokio::test]
async fn forged_and_expired_proofs_are_refused_and_open_nothing() {
    let site = Site::open().await;
    let now = site.bench.office.now().as_second();
    let lawful = json!({"sub": "17", "exp": now + 60});
    let (hs256, none) = (json!({"alg": "HS256"}), json!({"alg": "none"}));
    let unsigned = jwt(&none, &lawful, SECRET);
    let unsigned = format!("{}.", unsigned.rsplit_once('.').unwrap().0);
    let claims = [
        json!({"user_id": "17"}),
        json!({"user_id": "17", "user_hash": user_hash("18")}),
        json!({"user_id": "17", "user_hash": ""}),
        json!({"user_hash": user_hash("17")}),
        json!({"user_jwt": jwt(&hs256, &lawful, "another secret")}),
        json!({"user_jwt": jwt(&none, &lawful, SECRET)}),
        json!({"user_jwt": unsigned}),
        json!({"user_jwt": jwt(&hs256, &json!({"sub": "17", "exp": now - 60}), SECRET)}),
        json!({"user_jwt": jwt(&hs256, &json!({"sub": "17"}), SECRET)}),
        json!({"user_jwt": "a.b.c"}),
    ];
    for claim in claims {
        let reply = site.post("", "/visits", &claim).await;
        assert_eq!(reply.refusal(), (401, "identity_unproven"), "{claim}");
        assert_eq!(reply.body.get("token"), None);
    }
    let identity = Identity { realm: "desk".into(), external_id: "17".into() };
    assert_eq!(site.bench.office.store().customer_named(&identity).await.unwrap(), None);
}

#[tokio::test]
async fn without_a_secret_nobody_can_be_proven() {
    let site = Site::with(web::Settings { identity_secret: None, ..settings() }).await;
    let hello = json!({"user_id": "17", "user_hash": user_hash("17")});
    assert_eq!(site.post("", "/visits", &hello).await.refusal(), (401, "identity_unproven"));
    assert_eq!(site.visitor().await.len(), 64);
}

#[tokio::test]
async fn a_running_conversation_goes_along_when_its_visitor_signs_in() {
    let site = Site::open().await;
    let visitor = site.visitor().await;
    let conversation = site.ask(&visitor, "Can I pay with PayPal?").await;
    let hello = json!({"user_id": "17", "user_hash": user_hash("17")});
    let (customer, welcome) = site.visit(&visitor, &hello).await;
    assert_eq!((&welcome["verified"], &welcome["continued"]), (&json!(true), &json!(true)));
    let path = format!("/conversations/{conversation}");
    assert_eq!(site.get(&customer, &path).await.status, 200);
    // Whoever put a token of their own into this browser before sees nothing of what follows.
    assert_eq!(site.get(&visitor, &path).await.refusal(), (401, "visit_ended"));
    site.bench.office.run_until_idle().await.unwrap();
    let lines = site.get(&customer, &path).await.body["lines"].as_array().unwrap().len();
    assert!(lines >= 2, "the turn that was under way is taken");
}

#[tokio::test]
async fn of_many_who_sign_in_as_one_visitor_at_once_one_gets_the_conversation() {
    let site = Site::open().await;
    let visitor = site.visitor().await;
    let conversation = site.ask(&visitor, "Can I pay with PayPal?").await;
    let path = format!("/conversations/{conversation}");
    let sign_in = async |n: u32| {
        let id = n.to_string();
        let hello = json!({"user_id": id, "user_hash": user_hash(&id)});
        let (customer, _) = site.visit(&visitor, &hello).await;
        customer
    };
    let customers = futures_util::future::join_all((0..8).map(sign_in)).await;
    let mut n_readers = 0;
    for customer in &customers {
        n_readers += usize::from(site.get(customer, &path).await.status == 200);
    }
    assert_eq!(n_readers, 1);
    let store = site.bench.office.store();
    let timeline = store.timeline(conversation.parse().unwrap(), 0, 100).await.unwrap();
    let signed_in = |content: &store::Content| matches!(content, store::Content::Event { what, .. } if what == "signed_in");
    let n_moves = timeline.iter().filter(|entry| signed_in(&entry.content)).count();
    assert_eq!(n_moves, 1, "{timeline:?}");
}

#[tokio::test]
async fn what_was_said_longer_ago_stays_with_the_visitor() {
    let site = Site::open().await;
    let visitor = site.visitor().await;
    let conversation = site.ask(&visitor, "Can I pay with PayPal?").await;
    site.bench.pass(SignedDuration::from_mins(90));
    let hello = json!({"user_id": "17", "user_hash": user_hash("17")});
    let (customer, _) = site.visit(&visitor, &hello).await;
    let path = format!("/conversations/{conversation}");
    assert_eq!(site.get(&customer, &path).await.refusal(), (404, "not_found"));
}

#[tokio::test]
async fn whoever_signs_out_or_in_as_another_leaves_nothing_behind() {
    let site = Site::open().await;
    let as_customer = |id: &str| json!({"user_id": id, "user_hash": user_hash(id)});
    let (seventeen, _) = site.visit("", &as_customer("17")).await;
    let conversation = site.ask(&seventeen, "Can I pay with PayPal?").await;
    let path = format!("/conversations/{conversation}");
    let (out, welcome) = site.visit(&seventeen, &json!({})).await;
    assert_eq!((&welcome["verified"], &welcome["continued"]), (&json!(false), &json!(false)));
    assert_eq!(site.get(&out, &path).await.refusal(), (404, "not_found"));
    assert_eq!(site.get(&seventeen, &path).await.refusal(), (401, "visit_ended"));
    let (seventeen, _) = site.visit("", &as_customer("17")).await;
    let (eighteen, welcome) = site.visit(&seventeen, &as_customer("18")).await;
    assert_eq!(welcome["continued"], false);
    assert_eq!(site.get(&eighteen, &path).await.refusal(), (404, "not_found"));
    assert_eq!(site.get(&eighteen, "/conversations").await.body["conversations"], json!([]));
}

#[tokio::test]
async fn a_token_that_a_page_chose_itself_is_not_taken_over() {
    let site = Site::open().await;
    let fixed = "f".repeat(64);
    let (token, _) = site.visit(&fixed, &json!({})).await;
    assert_ne!(token, fixed);
    assert_eq!(site.get(&fixed, "/conversations").await.refusal(), (401, "visit_ended"));
    for nonsense in ["", "x", "' or 1=1 --", &"f".repeat(5_000)] {
        assert_eq!(site.get(nonsense, "/conversations").await.refusal(), (401, "visit_ended"));
    }
    // The hash of a token is no token: a copy of the database opens nothing.
    let store = site.bench.office.store();
    let now = site.bench.office.now();
    let customer = site.bench.visitor().await;
    let visit = Visit {
        token_hash: "a".repeat(64),
        customer: customer.id,
        verified: true,
        expires_at: now + SignedDuration::from_hours(1),
    };
    store.keep_visit(&visit).await.unwrap();
    let reply = site.get(&"a".repeat(64), "/conversations").await;
    assert_eq!(reply.refusal(), (401, "visit_ended"));
}
