use crate::desk::{Desk, PASSWORD, form, slug};
use jiff::SignedDuration;
use reqwest::Method;
use store::Page;

#[tokio::test]
async fn whoever_is_not_signed_in_is_sent_to_the_door() {
    let desk = Desk::open().await;
    let browser = desk.browser();
    for path in ["/inbox/lists/mine", "/inbox/search?q=x", "/inbox/audit", "/inbox/teammates"] {
        let reply = browser.get(path).await;
        assert_eq!((reply.status, reply.goes_to()), (303, "/inbox/sign-in"), "{path}");
    }
    let part = browser.send(Method::GET, "/inbox/nav", &[("hx-request", "true")], None).await;
    assert_eq!(part.status, 401);
    assert_eq!(part.headers["hx-redirect"], "/inbox/sign-in");
    let stream = browser.get("/inbox/events").await;
    assert_eq!(stream.status, 401);
}

#[tokio::test]
async fn a_session_s_cookie_is_for_the_inbox_alone_and_for_no_script() {
    let desk = Desk::open().await;
    let browser = desk.browser();
    let reply = browser.sign_in("lena-brandt", PASSWORD).await;
    let cookie = reply.headers["set-cookie"].to_str().unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/inbox", "Secure", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{part} in {cookie}");
    }
    let held = browser.cookies.lock().unwrap()["frontdesk_session"].clone();
    let page = Page { before: None, limit: 10 };
    let store = desk.bench.office.store();
    assert!(store.session(&held, desk.bench.office.now()).await.unwrap().is_none());
    let audit = store.audit(Some("lena-brandt"), &page).await.unwrap();
    assert_eq!(audit[0].audit.action, "teammate.signed_in");
}

#[tokio::test]
async fn a_planted_token_is_worth_nothing_after_signing_in() {
    let desk = Desk::open().await;
    let attacker = desk.signed_in("sabine-krueger").await;
    let planted = attacker.cookies.lock().unwrap()["frontdesk_session"].clone();
    let victim = desk.browser();
    victim.cookies.lock().unwrap().insert("frontdesk_session".into(), planted.clone());
    assert_eq!(victim.sign_in("lena-brandt", PASSWORD).await.status, 303);
    let own = victim.cookies.lock().unwrap()["frontdesk_session"].clone();
    assert_ne!(own, planted);
    // The session that was there before has ended, too.
    assert_eq!(attacker.get("/inbox/me").await.goes_to(), "/inbox/sign-in");
    assert!(victim.get("/inbox/me").await.text.contains("lena-brandt@vannerly.example"));
}

#[tokio::test]
async fn a_token_that_was_never_given_out_opens_nothing() {
    let desk = Desk::open().await;
    let browser = desk.browser();
    for token in ["", "x", "0000000000000000000000000000000000000000000000000000000000000000"] {
        browser.cookies.lock().unwrap().insert("frontdesk_session".into(), token.into());
        assert_eq!(browser.get("/inbox/me").await.goes_to(), "/inbox/sign-in");
    }
}

#[tokio::test]
async fn unknown_addresses_closed_accounts_and_wrong_passwords_look_the_same() {
    let desk = Desk::open().await;
    let store = desk.bench.office.store();
    store.set_disabled(&slug("lena-brandt"), true).await.unwrap();
    let mut texts = Vec::new();
    for (who, password) in
        [("nobody", PASSWORD), ("lena-brandt", PASSWORD), ("root", "wrong password"), ("root", "")]
    {
        let reply = desk.browser().sign_in(who, password).await;
        assert_eq!(reply.status, 401, "{who}");
        let csrf = reply.field("csrf").unwrap();
        texts.push(reply.text.replace(&csrf, "").replace(who, ""));
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:#?}");
    assert!(texts[0].contains("do not belong together"));
}

#[tokio::test]
async fn guessing_is_stopped_and_forgiven_after_a_while() {
    let desk = Desk::open().await;
    for _ in 0..8 {
        assert_eq!(desk.browser().sign_in("root", "guess after guess").await.status, 401);
    }
    assert_eq!(desk.browser().sign_in("root", PASSWORD).await.status, 429);
    assert_eq!(desk.browser().sign_in("lena-brandt", PASSWORD).await.status, 303);
    desk.bench.pass(SignedDuration::from_mins(15));
    assert_eq!(desk.browser().sign_in("root", PASSWORD).await.status, 303);
}

#[tokio::test]
async fn a_borrowed_session_cannot_guess_the_password_without_end() {
    let desk = Desk::open().await;
    let browser = desk.signed_in("lena-brandt").await;
    let change = async |present: &str| {
        let fields = [("present", present), ("new", "a new password"), ("again", "a new password")];
        browser.post("/inbox/me/password", &fields).await.status
    };
    for _ in 0..8 {
        assert_eq!(change("guess after guess").await, 422);
    }
    assert_eq!(change(PASSWORD).await, 429);
    desk.bench.pass(SignedDuration::from_mins(15));
    assert_eq!(change(PASSWORD).await, 303);
}

#[tokio::test]
async fn the_form_at_the_door_is_tied_to_the_browser_that_asked_for_it() {
    let desk = Desk::open().await;
    let other = desk.browser();
    other.get("/inbox/sign-in").await;
    let stolen = other.csrf.lock().unwrap().clone();
    let email = "root@vannerly.example";
    let victim = desk.browser();
    victim.get("/inbox/sign-in").await;
    for csrf in ["", "x", stolen.as_str()] {
        let body = form(&[("csrf", csrf), ("email", email), ("password", PASSWORD)]);
        let reply = victim.send(Method::POST, "/inbox/sign-in", &[], Some(body)).await;
        assert_eq!(reply.status, 403, "{csrf}");
    }
    let without = desk.browser();
    let body = form(&[("csrf", &stolen), ("email", email), ("password", PASSWORD)]);
    assert_eq!(without.send(Method::POST, "/inbox/sign-in", &[], Some(body)).await.status, 403);
}

#[tokio::test]
async fn sessions_end_by_time_by_signing_out_and_with_the_account() {
    let desk = Desk::open().await;
    let browser = desk.signed_in("lena-brandt").await;
    let held = browser.cookies.lock().unwrap()["frontdesk_session"].clone();
    assert_eq!(browser.post("/inbox/sign-out", &[]).await.goes_to(), "/inbox/sign-in");
    browser.cookies.lock().unwrap().insert("frontdesk_session".into(), held);
    assert_eq!(browser.get("/inbox/me").await.goes_to(), "/inbox/sign-in");

    let browser = desk.signed_in("lena-brandt").await;
    desk.bench.pass(SignedDuration::from_hours(12) - SignedDuration::from_secs(1));
    assert_eq!(browser.get("/inbox/me").await.status, 200);
    desk.bench.pass(SignedDuration::from_secs(2));
    assert_eq!(browser.get("/inbox/me").await.goes_to(), "/inbox/sign-in");

    let browser = desk.signed_in("lena-brandt").await;
    let root = desk.signed_in("root").await;
    assert_eq!(root.post("/inbox/teammates/lena-brandt", &[("do", "disable")]).await.status, 303);
    assert_eq!(browser.get("/inbox/me").await.goes_to(), "/inbox/sign-in");
    assert_eq!(desk.browser().sign_in("lena-brandt", PASSWORD).await.status, 401);
}

#[tokio::test]
async fn a_new_password_takes_the_old_one_and_ends_every_other_session() {
    let desk = Desk::open().await;
    let (here, there) = (desk.signed_in("lena-brandt").await, desk.signed_in("lena-brandt").await);
    let change = async |present: &str, new: &str, again: &str| {
        let fields = [("present", present), ("new", new), ("again", again)];
        here.post("/inbox/me/password", &fields).await
    };
    assert_eq!(change("wrong password", "a new password", "a new password").await.status, 422);
    assert_eq!(change(PASSWORD, "a new password", "another one").await.status, 422);
    assert_eq!(change(PASSWORD, "short", "short").await.status, 422);
    let changed = change(PASSWORD, "a new password", "a new password").await;
    assert_eq!(changed.goes_to(), "/inbox/me?changed=true");
    assert_eq!(here.get("/inbox/me?changed=true").await.status, 200);
    assert_eq!(there.get("/inbox/me").await.goes_to(), "/inbox/sign-in");
    assert_eq!(desk.browser().sign_in("lena-brandt", PASSWORD).await.status, 401);
    assert_eq!(desk.browser().sign_in("lena-brandt", "a new password").await.status, 303);
}
