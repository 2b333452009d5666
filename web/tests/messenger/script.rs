use crate::site::{Site, settings};
use reqwest::Method;
use serde_json::json;

/// What the script may weigh on the wire, in bytes.
const HEAVIEST: usize = 20_000;

#[tokio::test]
async fn the_script_is_small_cached_and_allowed_anywhere() {
    let site = Site::open().await;
    let get = |path: &str| site.request(Method::GET, path).header("accept-encoding", "gzip");
    let response = get("/messenger.js").send().await.unwrap();
    let headers = response.headers().clone();
    let body = response.bytes().await.unwrap();
    assert_eq!(headers["content-encoding"], "gzip");
    assert_eq!(headers["content-type"], "text/javascript; charset=utf-8");
    assert_eq!(headers["x-content-type-options"], "nosniff");
    assert_eq!(headers["cross-origin-resource-policy"], "cross-origin");
    assert!(body.len() < HEAVIEST, "{} bytes", body.len());
    let tag = headers["etag"].to_str().unwrap();
    let cached = get("/messenger.js").header("if-none-match", tag).send().await.unwrap();
    assert_eq!(cached.status(), 304);
    println!("messenger.js: {} bytes with gzip", body.len());
}

#[tokio::test]
async fn the_script_puts_no_text_into_pages_as_markup() {
    let site = Site::open().await;
    let response = site.request(Method::GET, "/messenger.js").send().await.unwrap();
    let script = response.text().await.unwrap();
    for forbidden in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("] {
        assert!(!script.contains(forbidden), "{forbidden}");
    }
    assert!(!script.contains("{style}"));
}

#[tokio::test]
async fn the_demo_page_shows_it_under_a_strict_policy() {
    let site = Site::open().await;
    for path in ["/", "/messenger"] {
        let response = site.request(Method::GET, path).send().await.unwrap();
        let policy = response.headers()["content-security-policy"].to_str().unwrap().to_string();
        assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
        assert!(!policy.contains("unsafe"), "{policy}");
        let page = response.text().await.unwrap();
        assert!(page.contains("https://help.example.com/messenger.js"));
        assert!(!page.contains("<style") && !page.contains(" style="));
    }
}

#[tokio::test]
async fn the_script_is_told_its_texts_and_when_people_are_there() {
    let site = Site::open().await;
    let config = site.get("", "/config?locale=de-AT").await;
    assert_eq!(config.headers["cache-control"], "public, max-age=60");
    let config = config.body;
    assert_eq!((&config["locale"], &config["texts"]["send"]), (&json!("de"), &json!("Senden")));
    assert_eq!(config["people"]["open"].as_bool(), Some(true));
    site.bench.pass(jiff::SignedDuration::from_hours(14));
    let config = site.get("", "/config?locale=xx").await.body;
    assert_eq!(config["locale"], "en");
    assert_eq!(config["people"]["open"].as_bool(), Some(false), "{}", config["people"]);
    assert!(config["people"]["opens_at"].is_string());
}

#[tokio::test]
async fn a_desk_s_own_texts_are_told() {
    let mut settings = settings();
    settings.texts.add("en", "{\"title\": \"Ask Vannerly\"}").unwrap();
    let site = Site::with(settings).await;
    assert_eq!(site.get("", "/config").await.body["texts"]["title"], "Ask Vannerly");
}
