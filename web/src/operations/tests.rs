use super::*;
use crate::Settings;
use ::tests::{
    Bench, ONE_TEAM, Rules,
    postgres::{Line, Server},
};
use bot::{Inbound, Place};
use jiff::SignedDuration;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use std::{
    net::IpAddr,
    time::{Duration, Instant},
};
use store::{Id, Record, Store};

fn front(bench: &Bench, proxies: &[&str]) -> Front {
    let settings = Settings {
        public_url: "https://help.example.com".into(),
        trusted_proxies: proxies.iter().map(|proxy| proxy.parse().unwrap()).collect(),
        allowed_origins: Vec::new(),
        identity_secret: None,
        limit_per_minute: 1,
        texts: crate::Texts::default(),
        session: SignedDuration::from_hours(1),
    };
    Front::new(bench.office.clone(), settings)
}

#[tokio::test]
async fn whoever_comes_by_a_proxy_without_a_name_is_no_neighbour() {
    let bench = Bench::open(Rules::Sample, 5.0).await;
    let check = |proxies: &[&str], address: &str, forwarded: Option<&str>, expected: bool| {
        let front = front(&bench, proxies);
        let mut headers = HeaderMap::new();
        if let Some(forwarded) = forwarded {
            headers.insert("x-forwarded-for", forwarded.parse().unwrap());
        }
        let peer: IpAddr = address.parse().unwrap();
        let caller = crate::caller::caller(&headers, peer, &front.settings.trusted_proxies);
        let found = is_trusted(&front, Caller(caller), &headers);
        assert_eq!(found, expected, "{proxies:?} {address} {forwarded:?}");
    };
    check(&[], "127.0.0.1", None, true);
    check(&[], "127.0.0.1", Some("203.0.113.5"), false);
    check(&["127.0.0.1"], "127.0.0.1", Some("203.0.113.5"), false);
    check(&["10.0.0.7"], "10.0.0.7", None, true);
    check(&["10.0.0.7"], "203.0.113.5", None, false);
}

/// Looks at the figures; returns those of a name, by their labels.
async fn figure(front: &Front, recorder: &PrometheusRecorder, name: &str) -> String {
    figures::look(front).await;
    let text = recorder.handle().render();
    let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).to_string()
}

#[tokio::test]
async fn a_database_that_falls_silent_is_told_of_within_seconds() {
    let Some(server) = Server::start() else { return };
    let line = Line::to(&server.database("silent"));
    let store = Store::open(&line.database()).await.unwrap();
    let bench = Bench::on(store, tempfile::tempdir().unwrap(), Rules::Text(ONE_TEAM), 5.0).await;
    let (front, recorder) = (front(&bench, &[]), PrometheusBuilder::new().build_recorder());
    let _counted = metrics::set_default_local_recorder(&recorder);
    assert_eq!(figure(&front, &recorder, "frontdesk_store_up").await, "1");
    assert!(ready::Report::of(&front).await.is_ready());
    line.fall_silent();
    let began = Instant::now();
    assert_eq!(figure(&front, &recorder, "frontdesk_store_up").await, "0");
    // Prometheus gives up after ten seconds, and so do those who ask whether it is ready.
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
    let began = Instant::now();
    let report = ready::Report::of(&front).await;
    assert!(!report.is_ready(), "{:#}", report.told(true));
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());
}

/// Has a customer write, and nobody take the turn.
async fn write(bench: &Bench) {
    let received = bench.office.receive(Inbound {
        channel: "web".into(),
        external_id: Id::<Record>::new(bench.office.now()).to_string(),
        customer: bench.visitor().await.id,
        place: Place::New,
        text: "How do I change my password?".into(),
        client_id: None,
        page: None,
    });
    received.await.unwrap();
}

#[tokio::test]
async fn what_waits_longest_is_told_in_seconds() {
    let webhook = "[[webhook]]\nslug = \"sink\"\nurl = \"https://sink.example/\"\n\
        events = [\"message.created\"]\n";
    let bench = Bench::open(Rules::Text(&format!("{ONE_TEAM}{webhook}")), 5.0).await;
    let (front, recorder) = (front(&bench, &[]), PrometheusBuilder::new().build_recorder());
    let _counted = metrics::set_default_local_recorder(&recorder);
    let told = async || {
        let mut told = Vec::new();
        for name in ["turns_due", "turns_oldest_seconds", "outbox_pending", "outbox_oldest_seconds"]
        {
            told.push(figure(&front, &recorder, &format!("frontdesk_{name}")).await);
        }
        told.join(" ")
    };
    assert_eq!(told().await, "0 0 0 0");
    write(&bench).await;
    bench.pass(SignedDuration::from_secs(100));
    assert_eq!(told().await, "1 100 1 100");
    write(&bench).await;
    bench.pass(SignedDuration::from_millis(50_500));
    assert_eq!(told().await, "2 150.5 2 150.5");
}
