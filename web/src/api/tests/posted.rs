use super::*;
use bot::{WebhookParts, Webhooks, config::Config};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::method};

/// A desk whose webhook is a server of this test.
async fn told(server: &MockServer) -> Api {
    told_on(server, &Place::default()).await
}

async fn told_on(server: &MockServer, place: &Place) -> Api {
    let webhook = format!(
        "\n[[webhook]]\nslug = \"crm\"\nurl = \"{}/hook/s3cret\"\n\
         events = [\"message.created\", \"conversation.closed\"]\n",
        server.uri()
    );
    let bench = place.bench(&format!("{}{webhook}", rules())).await;
    let clock = bench.office.clone();
    let secret = Config::load(None, std::iter::empty()).unwrap().webhooks.secret;
    let webhooks = Webhooks::new(WebhookParts {
        playbook: bench.office.desk().playbook(),
        secret,
        allow_private: true,
        clock: Arc::new(move || clock.now()),
    });
    let office = office_with(&bench, vec![Arc::new(webhooks.unwrap())]);
    Api::with(bench, office).await
}

async fn arrived(server: &MockServer) -> Vec<Json> {
    let requests = server.received_requests().await.unwrap();
    requests.iter().map(|request| serde_json::from_slice(&request.body).unwrap()).collect()
}

#[tokio::test]
async fn a_webhook_is_told_in_order_until_it_has_heard() {
    told_in_order(&Place::default()).await;
}

pub(super) async fn told_in_order(place: &Place) {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(503).insert_header("retry-after", "30");
    Mock::given(method("POST")).respond_with(busy).up_to_n_times(2).mount(&server).await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let api = told_on(&server, place).await;
    let id = api.conversation("Can I pay with PayPal?").await;
    api.office.run_until_idle().await.unwrap();
    api.call("POST", &format!("/conversations/{id}/close"), None).await;
    api.office.run_until_idle().await.unwrap();
    assert_eq!(arrived(&server).await.len(), 1, "what follows waits for the first");
    let waiting = api.get("/webhooks/crm/deliveries").await;
    let first = waiting["items"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&first["state"], &first["last_result"]), (&json!("pending"), &json!("HTTP 503")));
    for _ in 0..2 {
        api.bench.pass(SignedDuration::from_secs(31));
        api.office.run_until_idle().await.unwrap();
    }
    let heard = arrived(&server).await;
    assert_eq!(heard[0], heard[1], "every attempt says the same");
    let once: Vec<(&Json, &Json)> =
        heard[2..].iter().map(|post| (&post["event"], &post["data"]["author"])).collect();
    let (created, closed) = (json!("message.created"), json!("conversation.closed"));
    let (customer, bot) = (json!("customer"), json!("bot"));
    assert_eq!(once, [(&created, &customer), (&created, &bot), (&closed, &Json::Null)]);
    assert!(heard.iter().all(|post| post["conversation"]["id"] == json!(id)));
    let sent = api.get("/webhooks/crm/deliveries").await;
    let first = sent["items"].as_array().unwrap().last().unwrap();
    let attempts = first["attempts"].as_array().unwrap().iter();
    let met: Vec<&Json> = attempts.map(|attempt| &attempt["result"]).collect();
    assert_eq!(met, ["HTTP 503", "HTTP 503", "HTTP 200"], "{first:#}");
    let states = sent["items"].as_array().unwrap().iter().map(|post| &post["state"]);
    assert!(states.into_iter().all(|state| state == "sent"), "{sent}");
}

#[tokio::test]
async fn what_was_given_up_can_be_sent_again() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(ResponseTemplate::new(404))
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST")).respond_with(ResponseTemplate::new(200)).mount(&server).await;
    let api = told(&server).await;
    api.conversation("hello").await;
    api.office.run_until_idle().await.unwrap();
    let failed = async || {
        let listed = api.get("/webhooks/crm/deliveries").await;
        let posts = listed["items"].as_array().unwrap().clone();
        posts.into_iter().find(|post| post["state"] == "failed").unwrap()
    };
    let post = failed().await;
    assert_eq!(post["last_result"], "HTTP 404");
    let n_before = arrived(&server).await.len();
    let place = format!("/webhooks/crm/deliveries/{}/redeliver", post["id"].as_str().unwrap());
    assert_eq!(api.call("POST", &place, None).await.status, 202);
    api.office.run_until_idle().await.unwrap();
    let heard = arrived(&server).await;
    let (first, last) = (&heard[0], heard.last().unwrap());
    assert_eq!(heard.len(), n_before + 1);
    assert_eq!((&first["data"], &first["event"]), (&last["data"], &last["event"]));
    assert_ne!(first["id"], last["id"]);
    // As far as a server comes that dies after it was written and before it was answered.
    let keyed = super::journey::begun(&api, &place, "").await;
    let conversation = heard[0]["conversation"]["id"].as_str().unwrap().parse().unwrap();
    let noted = api.office.store().change(
        conversation,
        store::Guard::None,
        api.office.now(),
        move |_, change| {
            change.request = Some(keyed);
            Ok::<(), std::convert::Infallible>(())
        },
    );
    let Ok(()) = noted.await.unwrap();
    api.bench.pass(SignedDuration::from_mins(10));
    let again = api.request("POST", &place).header("idempotency-key", "k1");
    assert_eq!(Answer::of(again).await.status, 202);
    api.office.run_until_idle().await.unwrap();
    assert_eq!(arrived(&server).await.len(), n_before + 1, "it is not sent a third time");
    let other = place.replace("crm", "erp");
    api.call("POST", &other, None).await.refuses(404, "not_found");
    let unknown =
        format!("/webhooks/crm/deliveries/{}/redeliver", store::Id::<()>::new(api.office.now()));
    api.call("POST", &unknown, None).await.refuses(404, "not_found");
}

#[tokio::test]
async fn webhooks_are_listed_without_the_secret_part_of_their_address() {
    let server = MockServer::start().await;
    let api = told(&server).await;
    let listed = api.get("/webhooks").await;
    let expected = json!([{
        "slug": "crm", "origin": server.uri(), "events": ["message.created", "conversation.closed"],
    }]);
    assert_eq!(listed["items"], expected);
    let reader = api.token("reader", &["webhooks:read"]).await;
    let request = api.client.get(format!("{}/api/v1/webhooks/crm/deliveries", api.root));
    Answer::of(request.bearer_auth(reader)).await.refuses(403, "scope_missing");
}
