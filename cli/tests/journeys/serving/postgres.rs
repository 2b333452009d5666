//! `serve` on PostgreSQL, as the killing tests have it, but at peace.

use super::{
    ANSWERED, Desk, QUESTION, desk,
    visit::{Visit, get, send},
};
use crate::bench::Bench;
use tests::postgres::{Line, Server};

/// A desk whose conversations are kept at `store`, as its settings say.
fn kept_at(store: &str) -> Bench {
    let bench = desk().with("FRONTDESK_SERVER_SHUTDOWN_S", "1");
    bench.write("desk/frontdesk.toml", &format!("store = {store:?}\n"));
    bench
}

#[test]
fn a_desk_on_postgresql_answers_stops_and_goes_on_where_it_was() {
    let Some(server) = Server::start() else { return };
    let bench = kept_at(&server.database("desk"));
    let serving = Desk::start(&bench);
    serving.wait_for("in step with the articles");
    let visit = Visit::open(&serving.address, "Ada");
    let conversation = visit.begin("client-0001", QUESTION);
    let stream = {
        let mut stream = visit.follow(&conversation);
        stream.wait_for(ANSWERED);
        stream
    };
    serving.signal("TERM");
    assert_eq!(serving.end().0, Some(0));
    stream.wait_for_end();
    assert!(!bench.desk().join(".frontdesk/frontdesk.db").exists(), "a file was made beside it");
    let again = Desk::start(&bench);
    let lines = visit.at(&again.address).read(&conversation)["lines"].to_string();
    assert_eq!(lines.matches(QUESTION).count(), 1, "{lines}");
    let told = bench.on_desk(&["doctor"]).out;
    assert!(told.contains("it answers, and its tables are up to date"), "{told}");
}

#[test]
fn a_database_that_keeps_still_does_not_keep_the_desk_from_stopping() {
    let Some(server) = Server::start() else { return };
    let line = Line::to(&server.database("still"));
    let bench = kept_at(&line.database());
    let serving = Desk::start(&bench);
    serving.wait_for("in step with the articles");
    line.fall_silent();
    // Somebody asks for what only the database knows, and is under way when the desk is to stop.
    let asked = send(&serving.address, "POST /messenger/v1/visits", &[], "{}");
    assert_eq!(get(&serving.address, "/healthz", &[]).status, 200);
    serving.signal("TERM");
    let (code, said) = serving.end();
    assert_eq!(code, Some(0), "{said:#?}");
    drop(asked);
}
