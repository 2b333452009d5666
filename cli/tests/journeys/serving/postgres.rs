//! `serve` on PostgreSQL, as the killing tests have it, but at peace.

use super::{
    ANSWERED, Desk, QUESTION, desk,
    visit::{Visit, get, send},
};
use crate::bench::Bench;
use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    sync::{Arc, Mutex},
};
use tests::postgres::Server;

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

/// Passes connections on to a database, until it is told to keep still.
struct Line {
    address: SocketAddr,
    open: Arc<Mutex<()>>,
}

impl Line {
    fn to(folder: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, open) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(())));
        let (gate, socket) = (open.clone(), format!("{folder}/.s.PGSQL.5432"));
        // Ends with the test's process.
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let server = UnixStream::connect(&socket).unwrap();
                let (from, to) = (client.try_clone().unwrap(), server.try_clone().unwrap());
                pass(from, to, gate.clone());
                pass_back(server, client, gate.clone());
            }
        });
        Self { address, open }
    }
}

fn pass(mut from: TcpStream, mut to: UnixStream, gate: Arc<Mutex<()>>) {
    std::thread::spawn(move || {
        copy(&mut from, &mut to, &gate);
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn pass_back(mut from: UnixStream, mut to: TcpStream, gate: Arc<Mutex<()>>) {
    std::thread::spawn(move || {
        copy(&mut from, &mut to, &gate);
        let _ = to.shutdown(Shutdown::Both);
    });
}

fn copy(from: &mut impl Read, to: &mut impl Write, gate: &Mutex<()>) {
    let mut bytes = [0; 8192];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        let _open = gate.lock().unwrap();
        if to.write_all(&bytes[..n]).is_err() {
            return;
        }
    }
}

#[test]
fn a_database_that_keeps_still_does_not_keep_the_desk_from_stopping() {
    let Some(server) = Server::start() else { return };
    let url = server.database("still");
    let (_, folder) = url.split_once("?host=").unwrap();
    let line = Line::to(folder);
    let bench = kept_at(&format!("postgres://postgres@{}/still", line.address));
    let serving = Desk::start(&bench);
    serving.wait_for("in step with the articles");
    let still = line.open.lock().unwrap();
    // Somebody asks for what only the database knows, and is under way when the desk is to stop.
    let asked = send(&serving.address, "POST /messenger/v1/visits", &[], "{}");
    assert_eq!(get(&serving.address, "/healthz", &[]).status, 200);
    serving.signal("TERM");
    let (code, said) = serving.end();
    assert_eq!(code, Some(0), "{said:#?}");
    drop((still, asked));
}
