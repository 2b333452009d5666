//! Files from the model hub or a mirror of it: plain HTTPS, resumed where it stopped.

use std::{error::Error as _, fmt, fs, path::Path, time::Duration};

use reqwest::{
    Client, Response, StatusCode,
    header::{CONTENT_RANGE, RANGE},
};
use tokio::{
    fs::OpenOptions,
    io::{AsyncWriteExt, BufWriter},
};

use super::{Errand, Setback, arrival};
use crate::{
    catalogue::{HubRepo, ModelFile},
    http::{self, Limits},
};

/// A machine without a network must come to the next source within seconds.
const CONNECT_MS: u64 = 5_000;
const SILENCE_MS: u64 = 20_000;
/// The hub sends large files from another host; mirrors add a hop or two.
const REDIRECTS: usize = 5;
/// Attempts in a row that bring less than `PROGRESS_BYTES`.
const ATTEMPTS: u32 = 4;
const PROGRESS_BYTES: u64 = 1 << 20;
const FIRST_PAUSE: Duration = Duration::from_millis(250);

/// Where one model is on a hub.
pub(super) struct Address<'a> {
    pub(super) endpoint: &'a str,
    pub(super) repo: &'a HubRepo,
}

/// Shows the endpoint without credentials.
impl fmt::Display for Address<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match reqwest::Url::parse(self.endpoint) {
            Ok(url) => {
                let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
                let (scheme, host) = (url.scheme(), url.host_str().unwrap_or_default());
                write!(f, "{scheme}://{host}{port}{}", url.path().trim_end_matches('/'))
            }
            Err(_) => f.write_str("address"),
        }
    }
}

impl Address<'_> {
    fn url(&self, file: &ModelFile) -> Result<reqwest::Url, Setback> {
        let (endpoint, HubRepo { repo, revision }) =
            (self.endpoint.trim_end_matches('/'), self.repo);
        let url = format!("{endpoint}/{repo}/resolve/{revision}/{}", file.path);
        match reqwest::Url::parse(&url) {
            Ok(url) if matches!(url.scheme(), "https" | "http") => Ok(url),
            Ok(_) => Err(Setback::Source("the address must begin with https://".into())),
            Err(error) => Err(Setback::Source(format!("not an address: {error}"))),
        }
    }
}

/// How one attempt ended without the file.
enum Halt {
    /// The next attempt may do better; so many bytes were gained in this one.
    Again(String, u64),
    /// It may not.
    Final(Setback),
}

impl From<Setback> for Halt {
    fn from(setback: Setback) -> Self {
        Self::Final(setback)
    }
}

/// Downloads the wanted files one after another, and stops at the first that cannot be had:
/// when one fails for good, the hub is the wrong one or out of reach.
pub(super) async fn fetch(
    address: &Address<'_>,
    errand: &Errand<'_>,
    wanted: &mut Vec<ModelFile>,
) -> Result<(), Setback> {
    let limits = Limits {
        connect_ms: CONNECT_MS,
        silence_ms: SILENCE_MS,
        total_ms: None,
        redirects: REDIRECTS,
    };
    let client = http::client(&limits).map_err(Setback::Here)?;
    while let Some(file) = wanted.first() {
        let url = address.url(file)?;
        let (mut n_tries, mut pause) = (0, FIRST_PAUSE);
        loop {
            match attempt(&client, &url, errand, file).await {
                Ok(()) => break,
                Err(Halt::Final(setback)) => return Err(setback),
                Err(Halt::Again(reason, gained)) => {
                    if gained >= PROGRESS_BYTES {
                        (n_tries, pause) = (0, FIRST_PAUSE);
                    }
                    n_tries += 1;
                    if n_tries == ATTEMPTS {
                        let reason = format!("{}: {reason}, {ATTEMPTS} times", file.path);
                        return Err(Setback::Source(reason));
                    }
                    tokio::time::sleep(pause).await;
                    pause *= 2;
                }
            }
        }
        wanted.remove(0);
    }
    Ok(())
}

async fn attempt(
    client: &Client,
    url: &reqwest::Url,
    errand: &Errand<'_>,
    file: &ModelFile,
) -> Result<(), Halt> {
    let part = arrival::beside(&errand.folder.join(&file.path), ".part")?;
    let mut held = fs::metadata(&part).map_or(0, |found| found.len());
    if held > file.size {
        discard(&part)?;
        held = 0;
    }
    if held < file.size {
        let response = ask(client, url, held).await?;
        held = offset(&response, file, held, &part)?;
        errand.progress.begin(&file.path, file.size);
        errand.progress.advance(held);
        let received = receive(response, errand, file, (&part, held)).await;
        errand.progress.done();
        received?;
    }
    let (of, folder, path) = (file.clone(), errand.folder.clone(), part);
    let settled = errand.off_thread(move |_| arrival::settle(&path, &of, &folder)).await?;
    match settled {
        // What an earlier pull left may have been another file: once more from the start.
        Err(Setback::Source(reason)) if held > 0 => Err(Halt::Again(reason, 0)),
        settled => Ok(settled?),
    }
}

async fn ask(client: &Client, url: &reqwest::Url, held: u64) -> Result<Response, Halt> {
    let mut request = client.get(url.clone());
    if held > 0 {
        request = request.header(RANGE, format!("bytes={held}-"));
    }
    request.send().await.map_err(|error| {
        let reason = root_cause(&error);
        if error.is_connect() || error.is_timeout() || error.is_redirect() {
            return Halt::Final(Setback::Source(format!("no connection: {reason}")));
        }
        Halt::Again(reason, 0)
    })
}

/// Returns the byte at which the answer begins, 0 or `held`.
fn offset(response: &Response, file: &ModelFile, held: u64, part: &Path) -> Result<u64, Halt> {
    let status = response.status();
    let refused = |reason: String| Err(Halt::Final(Setback::Source(reason)));
    let from = match status {
        StatusCode::OK => 0,
        StatusCode::PARTIAL_CONTENT => {
            let range = response.headers().get(CONTENT_RANGE).and_then(|range| range.to_str().ok());
            if !range.is_some_and(|range| range.starts_with(&format!("bytes {held}-"))) {
                discard(part)?;
                return Err(Halt::Again("it resumes at another place".into(), 0));
            }
            held
        }
        StatusCode::RANGE_NOT_SATISFIABLE => {
            discard(part)?;
            return Err(Halt::Again("it cannot resume".into(), 0));
        }
        StatusCode::REQUEST_TIMEOUT | StatusCode::TOO_MANY_REQUESTS => {
            return Err(Halt::Again(status.to_string(), 0));
        }
        _ if status.is_server_error() => return Err(Halt::Again(status.to_string(), 0)),
        _ => return refused(format!("{}: {status}", file.path)),
    };
    match response.content_length() {
        Some(offered) if offered != file.size - from => {
            let (expected, got) = (file.size - from, format!("{offered} bytes"));
            Err(arrival::unlike(file, &format!("{expected} bytes"), &got).into())
        }
        _ => Ok(from),
    }
}

/// Writes the answer into the part from `from` on. What came before a break stays there.
async fn receive(
    mut response: Response,
    errand: &Errand<'_>,
    file: &ModelFile,
    (part, from): (&Path, u64),
) -> Result<(), Halt> {
    let unwritable = |error| Halt::Final(arrival::here(part, &error));
    let mut options = OpenOptions::new();
    if from == 0 {
        options.write(true).truncate(true)
    } else {
        options.append(true)
    };
    let out = options.create(true).open(part).await.map_err(unwritable)?;
    let mut out = BufWriter::with_capacity(1 << 18, out);
    let mut size = from;
    let broken = loop {
        let chunk = match response.chunk().await {
            Ok(Some(chunk)) => chunk,
            Ok(None) => break None,
            Err(error) => break Some(root_cause(&error)),
        };
        size += chunk.len() as u64;
        if size > file.size {
            discard(part)?;
            return Err(arrival::unlike(file, &format!("{} bytes", file.size), "more").into());
        }
        out.write_all(&chunk).await.map_err(unwritable)?;
        errand.progress.advance(chunk.len() as u64);
    };
    out.flush().await.map_err(unwritable)?;
    match broken {
        None if size == file.size => Ok(()),
        None => Err(Halt::Again("the download ended early".into(), size - from)),
        Some(reason) => Err(Halt::Again(format!("the download broke: {reason}"), size - from)),
    }
}

fn discard(part: &Path) -> Result<(), Setback> {
    fs::remove_file(part).map_err(|error| arrival::here(part, &error))
}

/// Returns the innermost reason: the outer ones name only the address, which may hold credentials.
fn root_cause(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause.and_then(std::error::Error::source) {
        cause = Some(inner);
    }
    match cause {
        Some(cause) => cause.to_string(),
        None if error.is_timeout() => "timed out".into(),
        None => "the request failed".into(),
    }
}
