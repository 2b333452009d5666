//! The numbers say what happened, not what was meant to.

use crate::{
    Bench, Rules,
    moody::Moody,
    office::{SURE, TEAMS, UNSURE, slug, teammate},
};
use bot::{Deed, Place};
use jiff::SignedDuration;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusRecorder};
use models::Embedding;
use std::sync::Arc;

/// A recorder for one thread. What runs on others is not counted.
pub(crate) fn recorder() -> PrometheusRecorder {
    PrometheusBuilder::new().build_recorder()
}

/// Returns the number of a counter, or of a histogram's records, by the beginning of its line.
pub(crate) fn number(recorder: &PrometheusRecorder, line: &str) -> u64 {
    let figures = recorder.handle().render();
    let found = figures.lines().filter(|found| found.starts_with(line));
    found.filter_map(|found| found.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

#[tokio::test]
async fn whoever_brings_a_conversation_to_a_team_it_is_counted() {
    let recorder = recorder();
    let _counted = metrics::set_default_local_recorder(&recorder);
    let bench = Bench::open(Rules::Text(TEAMS), UNSURE).await;
    let came =
        |team: &str| number(&recorder, &format!("frontdesk_handoffs_total{{team={team:?}}}"));
    let customer = bench.visitor().await;
    let id = bench.say(&customer, Place::New, "I want to talk to a human please").await.id;
    assert_eq!((came("support"), came("leads")), (1, 0), "the bot's");
    assert_eq!(number(&recorder, "frontdesk_decisions_total{act=\"handoff\""), 1);
    let give = Deed::Assign { team: slug("leads"), teammate: None };
    bench.office.act(id, &teammate("ada"), give).await.unwrap();
    assert_eq!((came("support"), came("leads")), (1, 1), "a teammate's");
    let customer = bench.visitor().await;
    bench.say(&customer, Place::New, "There is an outage").await;
    assert_eq!((came("support"), came("leads")), (2, 1), "a rule's");
    bench.pass(SignedDuration::from_mins(31));
    bench.office.run_until_idle().await.unwrap();
    assert_eq!((came("support"), came("leads")), (2, 2), "time's");
    // Who takes one from a queue brings it to none.
    bench.office.act(id, &teammate("cy"), Deed::Take { held_by: None }).await.unwrap();
    assert_eq!((came("support"), came("leads")), (2, 2));
    for stage in ["wait", "search", "draft", "record"] {
        let line = format!("frontdesk_turn_seconds_count{{stage={stage:?}}}");
        assert_eq!(number(&recorder, &line), 2, "{}", recorder.handle().render());
    }
}

#[tokio::test]
async fn a_model_that_fails_is_counted() {
    let recorder = recorder();
    let _counted = metrics::set_default_local_recorder(&recorder);
    let bench = Bench::open(Rules::Sample, SURE).await;
    let broken = Moody(|| async { Embedding::new(Vec::new()).map(drop) });
    bench.embed_with(Arc::new(broken), Rules::Sample, SURE).await;
    let customer = bench.visitor().await;
    bench.say(&customer, Place::New, "How do I change my password?").await;
    let failed = number(&recorder, "frontdesk_model_errors_total{model=\"search\"}");
    assert_eq!(failed, 1, "{}", recorder.handle().render());
}
