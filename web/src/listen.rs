use crate::Problem;
use axum::{
    Router,
    extract::{ConnectInfo, Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::Response,
    serve::Listener,
};
use hyper::server::conn::http1;
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    service::TowerToHyperService,
};
use std::{net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
};
use tokio_io_timeout::TimeoutStream;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower_http::{add_extension::AddExtension, timeout::RequestBodyTimeoutLayer};

/// How long clients may take, and how many there may be at once.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    /// From the begin of a connection, or the end of an answer, to the end of a request's head.
    pub(crate) head: Duration,
    /// Between two pieces of a request's body.
    pub(crate) body: Duration,
    /// From the end of a request's head to the head of its answer; streams go on after that.
    pub(crate) answer: Duration,
    /// In which a client takes nothing of what is sent to it.
    pub(crate) taking: Duration,
    /// Connections that are open at once; more wait to be accepted.
    pub(crate) n_connections: usize,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            // nginx keeps a connection that it does not use for a minute. Whoever closes first must
            // not be the desk, or requests that are just sent would be lost.
            head: Duration::from_secs(75),
            body: Duration::from_secs(20),
            // As long as nginx waits by itself; a search or a hashed password takes a second.
            answer: Duration::from_secs(60),
            // A stream shows a sign of life every 15 seconds, and buffers hold some of them.
            taking: Duration::from_secs(60),
            // About 30 KiB each with a stream on it, and an eighth of the files that the service
            // may have open.
            n_connections: 8_192,
        }
    }
}

/// Has requests refused that come in drops, and those given up that take too long.
pub(crate) fn in_time<S: Clone + Send + Sync + 'static>(
    routes: Router<S>,
    patience: Patience,
) -> Router<S> {
    routes
        .layer(RequestBodyTimeoutLayer::new(patience.body))
        .layer(middleware::from_fn_with_state(patience, answer_in_time))
}

async fn answer_in_time(
    State(patience): State<Patience>,
    request: Request,
    next: Next,
) -> Response {
    let answered = tokio::time::timeout(patience.answer, next.run(request)).await;
    answered.unwrap_or_else(|_| {
        let detail = "the request took too long; send it again";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "too_slow", detail);
        axum::response::IntoResponse::into_response(problem)
    })
}

/// Answers requests on `listener` until `shutdown` resolves and those under way are answered.
pub(crate) async fn serve(
    mut listener: TcpListener,
    routes: Router,
    patience: Patience,
    shutdown: impl Future<Output = ()>,
) {
    let (open, stopping) = (TaskTracker::new(), CancellationToken::new());
    let room = Arc::new(Semaphore::new(patience.n_connections));
    tokio::pin!(shutdown);
    loop {
        let accepted = async {
            // Before there is room, nobody is accepted. The semaphore is never closed.
            let permit = room.clone().acquire_owned().await.ok();
            (permit, Listener::accept(&mut listener).await)
        };
        let (permit, (stream, peer)) = tokio::select! {
            accepted = accepted => accepted,
            () = &mut shutdown => break,
        };
        let connection = Connection { stream, peer, routes: routes.clone(), permit };
        open.spawn(connection.serve(patience, stopping.clone()));
    }
    drop(listener);
    stopping.cancel();
    open.close();
    open.wait().await;
}

struct Connection {
    stream: TcpStream,
    peer: SocketAddr,
    routes: Router,
    permit: Option<OwnedSemaphorePermit>,
}

impl Connection {
    /// Answers the requests of one connection until it ends, or the one that is under way.
    async fn serve(self, patience: Patience, stopping: CancellationToken) {
        let _room = self.permit;
        let mut stream = TimeoutStream::new(self.stream);
        stream.set_write_timeout(Some(patience.taking));
        let service = AddExtension::new(self.routes, ConnectInfo(self.peer));
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(patience.head)
            .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(service));
        tokio::pin!(connection);
        let ended = tokio::select! {
            ended = connection.as_mut() => ended,
            () = stopping.cancelled() => {
                connection.as_mut().graceful_shutdown();
                connection.await
            }
        };
        if let Err(failure) = ended {
            tracing::trace!(error = %failure, "a connection broke off");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::{
        body::{Body, Bytes},
        routing::{get, post},
    };
    use futures_util::stream;
    use std::convert::Infallible;
    use tokio::{
        io::{AsyncReadExt, AsyncWriteExt},
        sync::mpsc,
    };

    const SHORT: Duration = Duration::from_millis(200);
    const LONG: Duration = Duration::from_secs(60);

    fn patient() -> Patience {
        Patience { head: LONG, body: LONG, answer: LONG, taking: LONG, n_connections: 9 }
    }

    /// A server whose every limit but those of `patience` is far away; ends when it is dropped.
    struct Open {
        address: SocketAddr,
        stop: CancellationToken,
    }

    impl Open {
        async fn with(routes: Router, patience: Patience) -> Self {
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let (address, stop) = (listener.local_addr().unwrap(), CancellationToken::new());
            let routes = in_time(routes, patience);
            tokio::spawn(serve(listener, routes, patience, stop.clone().cancelled_owned()));
            Self { address, stop }
        }

        /// Sends some bytes and returns what comes until the server closes.
        async fn say(&self, bytes: &str) -> String {
            let mut stream = TcpStream::connect(self.address).await.unwrap();
            stream.write_all(bytes.as_bytes()).await.unwrap();
            let mut said = Vec::new();
            stream.read_to_end(&mut said).await.unwrap();
            String::from_utf8(said).unwrap()
        }
    }

    impl Drop for Open {
        fn drop(&mut self) {
            self.stop.cancel();
        }
    }

    fn routes() -> Router {
        let wait = || async { std::future::pending::<()>().await };
        let peer = |ConnectInfo(peer): ConnectInfo<SocketAddr>| async move { peer.to_string() };
        Router::new()
            .route("/", get(peer))
            .route("/read", post(|body: Bytes| async move { body.len().to_string() }))
            .route("/wait", get(wait))
    }

    #[tokio::test]
    async fn who_sends_half_a_head_is_not_waited_for() {
        let open = Open::with(routes(), Patience { head: SHORT, ..patient() }).await;
        let said = open.say("GET / HTTP/1.1\r\nhost: desk\r\nx-half: ").await;
        assert!(said.is_empty(), "{said}");
        // Neither is who keeps a connection open for nothing.
        let said = open.say("GET / HTTP/1.1\r\nhost: desk\r\n\r\n").await;
        assert!(said.starts_with("HTTP/1.1 200 ") && said.contains("127.0.0.1:"), "{said}");
    }

    #[tokio::test]
    async fn who_sends_half_a_body_is_refused() {
        let open = Open::with(routes(), Patience { body: SHORT, ..patient() }).await;
        let head = "POST /read HTTP/1.1\r\nhost: desk\r\ncontent-length: 9\r\n\r\n";
        let said = open.say(&format!("{head}half")).await;
        assert!(said.starts_with("HTTP/1.1 4"), "{said}");
        let whole = head.replace("host", "connection: close\r\nhost");
        let said = open.say(&format!("{whole}the whole")).await;
        assert!(said.starts_with("HTTP/1.1 200 ") && said.ends_with('9'), "{said}");
    }

    #[tokio::test]
    async fn a_request_that_takes_too_long_is_given_up() {
        let open = Open::with(routes(), Patience { answer: SHORT, ..patient() }).await;
        let said = open.say("GET /wait HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n\r\n").await;
        assert!(said.starts_with("HTTP/1.1 503 ") && said.contains("\"too_slow\""), "{said}");
    }

    #[tokio::test]
    async fn who_takes_nothing_of_a_stream_is_cut_off() {
        let (held, mut ended) = mpsc::channel::<()>(1);
        let endless = move || async move {
            let pieces = stream::unfold(held, |held| async {
                Some((Ok::<_, Infallible>(Bytes::from(vec![b'x'; 64 << 10])), held))
            });
            Body::from_stream(pieces)
        };
        let routes = Router::new().route("/", get(endless));
        let open = Open::with(routes, Patience { taking: SHORT, ..patient() }).await;
        let mut stream = TcpStream::connect(open.address).await.unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nhost: desk\r\n\r\n").await.unwrap();
        // The routes hold a sender each, so that all are gone when the server is.
        open.stop.cancel();
        assert_eq!(ended.recv().await, None);
        drop(stream);
    }

    #[tokio::test]
    async fn connections_beyond_the_limit_wait_for_their_turn() {
        let open = Open::with(routes(), Patience { n_connections: 1, ..patient() }).await;
        let mut first = TcpStream::connect(open.address).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nhost: desk\r\n\r\n").await.unwrap();
        let mut head = [0; 12];
        first.read_exact(&mut head).await.unwrap();
        let mut second = TcpStream::connect(open.address).await.unwrap();
        second.write_all(b"GET / HTTP/1.1\r\nhost: desk\r\n\r\n").await.unwrap();
        let waits = tokio::time::timeout(SHORT, second.read_exact(&mut head)).await;
        assert!(waits.is_err(), "it was answered beside the first");
        drop(first);
        second.read_exact(&mut head).await.unwrap();
        assert_eq!(&head, b"HTTP/1.1 200");
    }
}
