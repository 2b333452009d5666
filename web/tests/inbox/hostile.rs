use crate::desk::{Desk, PASSWORD, form, slug};
use reqwest::Method;
use router::Status;
use store::Content;
use tests::{Bench, sample::HOSTILE_ARTICLES};

const HOSTILE: &str = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'><b>{{7*7}}";

#[tokio::test]
async fn a_form_without_the_session_s_token_does_nothing() {
    let desk = Desk::open().await;
    let id = desk.ask(None, "My invoice is wrong", "https://vannerly.example").await;
    let (browser, other) = (desk.signed_in("root").await, desk.signed_in("lena-brandt").await);
    let foreign = other.csrf.lock().unwrap().clone();
    let forms: [(&str, &[(&str, &str)]); 6] = [
        (&format!("/inbox/conversations/{id}/deed"), &[("deed", "close")]),
        (&format!("/inbox/conversations/{id}/say"), &[("kind", "reply"), ("text", "forged")]),
        ("/inbox/me/away", &[("away", "true")]),
        (
            "/inbox/me/password",
            &[("present", PASSWORD), ("new", "forged words"), ("again", "forged words")],
        ),
        ("/inbox/teammates/lena-brandt", &[("do", "disable")]),
        ("/inbox/sign-out", &[]),
    ];
    for (path, fields) in forms {
        for csrf in [None, Some(""), Some("x"), Some(foreign.as_str())] {
            let proof = csrf.map(|csrf| ("csrf", csrf));
            let fields: Vec<_> = fields.iter().copied().chain(proof).collect();
            let reply = browser.send(Method::POST, path, &[], Some(form(&fields))).await;
            assert_eq!(reply.status, 403, "{path} {csrf:?}");
            assert!(reply.text.contains("did not come from a page of this inbox"));
        }
    }
    assert_eq!(desk.record(id).await.state.status(), Status::Open);
    assert_eq!(browser.get("/inbox/me").await.status, 200);
}

#[tokio::test]
async fn a_form_of_another_origin_does_nothing_even_with_the_token() {
    let desk = Desk::open().await;
    let id = desk.ask(None, "My invoice is wrong", "https://vannerly.example").await;
    let browser = desk.signed_in("root").await;
    let csrf = browser.csrf.lock().unwrap().clone();
    let body = form(&[("deed", "close"), ("csrf", &csrf)]);
    let path = format!("/inbox/conversations/{id}/deed");
    for origin in [
        "https://evil.example",
        "null",
        "https://help.example.com.evil.example",
        "https://evil.example/https://help.example.com",
        "",
    ] {
        let headers = [("origin", origin)];
        let reply = browser.send(Method::POST, &path, &headers, Some(body.clone())).await;
        assert_eq!(reply.status, 403, "{origin}");
    }
    assert_eq!(desk.record(id).await.state.status(), Status::Open);
    let email = "root@vannerly.example";
    let at_door = form(&[("csrf", &csrf), ("email", email), ("password", PASSWORD)]);
    let headers = [("origin", "https://evil.example")];
    let reply = browser.send(Method::POST, "/inbox/sign-in", &headers, Some(at_door)).await;
    assert_eq!(reply.status, 403);
    let headers = [("origin", "https://help.example.com")];
    let reply = browser.send(Method::POST, &path, &headers, Some(body)).await;
    assert_eq!(reply.status, 303);
}

#[tokio::test]
async fn deeds_are_done_by_forms_alone() {
    let desk = Desk::open().await;
    let id = desk.ask(None, "My invoice is wrong", "https://vannerly.example").await;
    let browser = desk.signed_in("root").await;
    for path in [
        format!("/inbox/conversations/{id}/deed?deed=close"),
        format!("/inbox/conversations/{id}/say?kind=reply&text=x"),
        "/inbox/sign-out".into(),
    ] {
        assert_eq!(browser.get(&path).await.status, 405, "{path}");
    }
    assert_eq!(desk.record(id).await.state.status(), Status::Open);
}

#[tokio::test]
async fn nothing_that_strangers_write_becomes_markup() {
    let desk = Desk::open().await;
    let page = "javascript:alert(document.cookie)//\"><script>alert(3)</script>";
    let id = desk.ask(Some(HOSTILE), HOSTILE, page).await;
    let store = desk.bench.office.store();
    store.rename(&slug("sabine-krueger"), HOSTILE).await.unwrap();
    let browser = desk.signed_in("sabine-krueger").await;
    let say = format!("/inbox/conversations/{id}/say");
    let text = format!(
        "{HOSTILE}\n[x](javascript:alert(4)) ![y](https://e.example/p.gif) <javascript:alert(5)>"
    );
    for kind in ["note", "reply"] {
        let fields = [("kind", kind), ("text", text.as_str())];
        assert_eq!(browser.part(&say, &fields).await.status, 200);
    }
    let deed = format!("/inbox/conversations/{id}/deed");
    assert_eq!(
        browser.part(&deed, &[("deed", "tag"), ("tag", "<script>alert(6)</script>")]).await.status,
        204
    );
    let lena = desk.signed_in("root").await;
    for path in [
        format!("/inbox/conversations/{id}"),
        format!("/inbox/conversations/{id}?list=all"),
        "/inbox/lists/all".into(),
        "/inbox/lists/mine".into(),
        "/inbox/audit".into(),
        "/inbox/teammates".into(),
        "/inbox/search?q=%3Cscript%3Ealert(7)%3C%2Fscript%3E%22&tag=%22%3E%3Cscript%3E".into(),
        "/inbox/audit?subject=%22%3E%3Cscript%3E".into(),
        "/inbox/judge".into(),
    ] {
        let reply = lena.get(&path).await;
        assert_eq!(reply.status, 200, "{path}");
        for forbidden in [
            "<img",
            "<script>alert",
            "<b>{{",
            "\"><script>",
            "href=\"javascript:",
            "href=\"JavaScript:",
        ] {
            assert!(!reply.text.contains(forbidden), "{forbidden} in {path}");
        }
        let policy = reply.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(reply.headers["x-content-type-options"], "nosniff");
        assert_eq!(reply.headers["x-frame-options"], "DENY");
        assert_eq!(reply.headers["cache-control"], "no-store");
    }
    let entries = store.last_entries(id, 50).await.unwrap();
    // What was written is kept as it was; only what is shown is tamed.
    assert!(
        entries
            .iter()
            .any(|e| matches!(&e.content, Content::Customer { text, .. } if text == HOSTILE))
    );
}

#[tokio::test]
async fn markup_in_articles_never_becomes_markup_of_a_draft() {
    let desk = Desk::on(Bench::with_articles(&HOSTILE_ARTICLES, -5.0).await).await;
    let question = "How do I pay with cowrie shells?";
    let id = desk.ask(None, question, "https://vannerly.example").await;
    let browser = desk.signed_in("lena-brandt").await;
    let shown = format!("/inbox/conversations/{id}");
    let draft = browser.get(&shown).await.text;
    assert!(draft.to_lowercase().contains("cowrie shells costs"), "{draft}");
    for path in [shown, "/inbox/lists/all".into()] {
        tamed(&browser.get(&path).await.text, &path);
    }
}

#[tokio::test]
async fn nor_of_the_page_on_which_answers_are_judged() {
    let desk = Desk::on(Bench::with_articles(&HOSTILE_ARTICLES, 5.0).await).await;
    let id = desk.ask(None, "How do I pay with cowrie shells?", "https://vannerly.example").await;
    let browser = desk.signed_in("lena-brandt").await;
    let page = browser.get("/inbox/judge").await;
    assert_eq!(page.status, 200);
    assert!(page.text.to_lowercase().contains("cowrie shells costs"), "{}", page.text);
    assert!(page.text.contains(&id.to_string()), "the answer is there to be judged");
    tamed(&page.text, "/inbox/judge");
}

/// Asserts that nothing of the hostile articles acts in a page.
fn tamed(text: &str, path: &str) {
    for forbidden in
        ["<img", "<script>alert", "<svg onload", "href=\"javascript:", "\"><script>", "\"&gt;<"]
    {
        assert!(!text.contains(forbidden), "{forbidden} in {path}: {text}");
    }
}

#[tokio::test]
async fn pages_hold_no_script_and_no_style_of_their_own() {
    let desk = Desk::open().await;
    let id = desk.ask(None, "My invoice is wrong", "https://vannerly.example").await;
    let browser = desk.signed_in("root").await;
    for path in
        [format!("/inbox/conversations/{id}"), "/inbox/teammates".into(), "/inbox/judge".into()]
    {
        let text = browser.get(&path).await.text;
        for forbidden in ["<style", " style=\"", " onclick=", " onload=", "hx-on", "javascript:"] {
            assert!(!text.contains(forbidden), "{forbidden} in {path}");
        }
        let scripts = text.matches("<script").count();
        assert_eq!(scripts, text.matches("<script src=\"/inbox/static/").count());
    }
    let file = desk.browser().get("/inbox/static/inbox.js").await;
    assert_eq!(file.headers["content-type"], "text/javascript; charset=utf-8");
    let tag = file.headers["etag"].to_str().unwrap();
    let headers = [("if-none-match", tag)];
    let again = desk.browser().send(Method::GET, "/inbox/static/inbox.js", &headers, None).await;
    assert_eq!(again.status, 304);
    assert_eq!(desk.browser().get("/inbox/static/..%2Finbox.rs").await.status, 404);
}

#[tokio::test]
async fn forms_beyond_all_bounds_and_broken_ones_are_refused() {
    let desk = Desk::open().await;
    let id = desk.ask(None, "My invoice is wrong", "https://vannerly.example").await;
    let browser = desk.signed_in("sabine-krueger").await;
    let path = format!("/inbox/conversations/{id}/say");
    let huge = "x".repeat(300 * 1024);
    let reply = browser.send(Method::POST, &path, &[], Some(format!("text={huge}"))).await;
    assert_eq!(reply.status, 413);
    let long = "y".repeat(70_000);
    let reply = browser.part(&path, &[("kind", "reply"), ("text", &long)]).await;
    assert_eq!(reply.status, 422);
    assert!(reply.text.contains("longer than 64 KiB"));
    for body in ["", "%%%", "kind", "csrf=%FF%FE&kind=reply", "kind=reply&kind=note"] {
        let reply = browser.send(Method::POST, &path, &[], Some(body.into())).await;
        assert!(matches!(reply.status, 403 | 422), "{body}: {}", reply.status);
    }
    let nul = browser.part(&path, &[("kind", "note"), ("text", "a\u{0}b")]).await;
    assert_eq!(nul.status, 200);
    for odd in ["x", "..%2F..", "00000000-0000-0000-0000-000000000000", "%00"] {
        let reply = browser.get(&format!("/inbox/conversations/{odd}")).await;
        assert_eq!(reply.status, 404, "{odd}");
    }
    for list in ["x", "team-nothing", "team-%3Cb%3E"] {
        assert_eq!(browser.get(&format!("/inbox/lists/{list}")).await.status, 404, "{list}");
    }
}
