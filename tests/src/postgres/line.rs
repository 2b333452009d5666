use std::{
    io::{Read, Write},
    net::{Shutdown, SocketAddr, TcpListener, TcpStream},
    os::unix::net::UnixStream,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

/// Where PostgreSQL's socket lies in its folder.
const SOCKET: &str = ".s.PGSQL.5432";

/// Passes connections on to a database, until its host falls silent: what is connected then hears
/// nothing any more, not even an end, and neither does who connects before it comes back. It ends
/// with the test's process.
pub struct Line {
    address: SocketAddr,
    database: String,
    /// Even: connections of this age are passed on; odd: none are.
    age: Arc<AtomicUsize>,
}

impl Line {
    /// Opens a line to a database of a [`Server`](super::Server), by its address.
    ///
    /// # Panics
    /// When the address is none of a server's, or no port is free.
    pub fn to(database: &str) -> Self {
        let (before, folder) = database.split_once("?host=").expect("an address of a server");
        let name = before.rsplit('/').next().unwrap_or_default().to_string();
        let socket = format!("{folder}/{SOCKET}");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let age = Arc::new(AtomicUsize::new(0));
        let known = age.clone();
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let Ok(server) = UnixStream::connect(&socket) else { continue };
                pass(client, server, &known);
            }
        });
        Self { address, database: name, age }
    }

    /// Returns the database's address at this end of the line.
    pub fn database(&self) -> String {
        format!("postgres://postgres@{}/{}?sslmode=disable", self.address, self.database)
    }

    /// Has the host fall silent.
    pub fn fall_silent(&self) {
        self.age.fetch_add(1, Ordering::SeqCst);
    }

    /// Has the host answer again, whoever connects anew.
    pub fn come_back(&self) {
        self.age.fetch_add(1, Ordering::SeqCst);
    }
}

fn pass(client: TcpStream, server: UnixStream, age: &Arc<AtomicUsize>) {
    let of = age.load(Ordering::SeqCst);
    let Ok((mut from, mut to)) = both(&client, &server) else { return };
    let known = age.clone();
    std::thread::spawn(move || {
        copy(&mut from, &mut to, (&known, of));
        if is_passed(&known, of) {
            let _ = to.shutdown(Shutdown::Both);
        }
    });
    let (mut from, mut to, known) = (server, client, age.clone());
    std::thread::spawn(move || {
        copy(&mut from, &mut to, (&known, of));
        if is_passed(&known, of) {
            let _ = to.shutdown(Shutdown::Both);
        }
    });
}

fn both(client: &TcpStream, server: &UnixStream) -> std::io::Result<(TcpStream, UnixStream)> {
    Ok((client.try_clone()?, server.try_clone()?))
}

fn copy(from: &mut impl Read, to: &mut impl Write, (age, of): (&AtomicUsize, usize)) {
    let mut bytes = [0; 8192];
    while let Ok(n @ 1..) = from.read(&mut bytes) {
        let passed = bytes.get(..n).unwrap_or_default();
        if is_passed(age, of) && to.write_all(passed).is_err() {
            return;
        }
    }
}

fn is_passed(age: &AtomicUsize, of: usize) -> bool {
    of.is_multiple_of(2) && age.load(Ordering::SeqCst) == of
}
