use crate::desk::{Desk, PASSWORD, slug};
use router::{Owner, Status};
use store::Role;

#[tokio::test]
async fn each_role_sees_its_pages_and_no_others() {
    let desk = Desk::open().await;
    let pages = [
        ("/inbox/lists/all", Role::Teammate),
        ("/inbox/search", Role::Teammate),
        ("/inbox/audit", Role::Lead),
        ("/inbox/judge", Role::Lead),
        ("/inbox/teammates", Role::Admin),
        ("/inbox/tokens", Role::Admin),
        ("/inbox/webhooks", Role::Admin),
    ];
    for (who, role) in
        [("sabine-krueger", Role::Teammate), ("lena-brandt", Role::Lead), ("root", Role::Admin)]
    {
        let browser = desk.signed_in(who).await;
        for (page, least) in pages {
            let expected = if role >= least { 200 } else { 403 };
            assert_eq!(browser.get(page).await.status, expected, "{who} at {page}");
        }
        let nav = browser.get("/inbox/lists/mine").await.text;
        assert_eq!(nav.contains("/inbox/audit"), role >= Role::Lead);
        assert_eq!(nav.contains("/inbox/teammates"), role >= Role::Admin);
    }
}

#[tokio::test]
async fn nobody_makes_themselves_more_than_they_are() {
    let desk = Desk::open().await;
    let store = desk.bench.office.store();
    let new = [
        ("slug", "mallory"),
        ("name", "Mallory"),
        ("email", "mallory@vannerly.example"),
        ("role", "admin"),
        ("password", PASSWORD),
    ];
    for who in ["sabine-krueger", "lena-brandt"] {
        let browser = desk.signed_in(who).await;
        let path = format!("/inbox/teammates/{who}");
        for fields in [[("do", "role"), ("role", "admin")], [("do", "enable"), ("role", "")]] {
            assert_eq!(browser.post(&path, &fields).await.status, 403, "{who}");
        }
        let other = [("do", "password"), ("password", "taken over now")];
        assert_eq!(browser.post("/inbox/teammates/root", &other).await.status, 403);
        assert_eq!(browser.post("/inbox/teammates", &new).await.status, 403);
    }
    let roles = async |who: &str| store.account(&slug(who)).await.unwrap().unwrap().role;
    assert_eq!(roles("sabine-krueger").await, Role::Teammate);
    assert_eq!(roles("lena-brandt").await, Role::Lead);
    assert!(store.account(&slug("mallory")).await.unwrap().is_none());
    let root = desk.signed_in("root").await;
    let own = root.post("/inbox/teammates/root", &[("do", "disable")]).await;
    assert_eq!(own.status, 422);
    assert_eq!(root.post("/inbox/teammates", &new).await.status, 303);
    assert_eq!(root.post("/inbox/teammates", &new).await.status, 422);
    assert_eq!(desk.signed_in("mallory").await.get("/inbox/teammates").await.status, 200);
}

#[tokio::test]
async fn what_a_disabled_teammate_held_goes_to_the_queue_of_the_team() {
    let desk = Desk::open().await;
    let sabine = desk.signed_in("sabine-krueger").await;
    let mut held = Vec::new();
    for rests in [false, true] {
        let id = desk.ask(None, "Where is my invoice?", "https://shop.example/orders").await;
        let path = format!("/inbox/conversations/{id}/deed");
        assert_eq!(sabine.part(&path, &[("deed", "claim")]).await.status, 204);
        if rests {
            let snooze = [("deed", "snooze"), ("rest", "tomorrow")];
            assert_eq!(sabine.part(&path, &snooze).await.status, 204);
        }
        held.push(id);
    }
    let root = desk.signed_in("root").await;
    let disable = [("do", "disable")];
    assert_eq!(root.post("/inbox/teammates/sabine-krueger", &disable).await.status, 303);
    for id in held {
        let record = desk.record(id).await;
        assert_eq!(record.state.owner(), &Owner::Team(slug("billing")));
        assert_eq!(record.state.status(), Status::Open);
    }
}

#[tokio::test]
async fn a_lesser_role_holds_at_once() {
    let desk = Desk::open().await;
    let lena = desk.signed_in("lena-brandt").await;
    let root = desk.signed_in("root").await;
    let fields = [("do", "role"), ("role", "teammate")];
    assert_eq!(root.post("/inbox/teammates/lena-brandt", &fields).await.status, 303);
    assert_eq!(lena.get("/inbox/audit").await.goes_to(), "/inbox/sign-in");
    assert_eq!(desk.signed_in("lena-brandt").await.get("/inbox/audit").await.status, 403);
    let audit = root.get("/inbox/audit?subject=lena-brandt").await.text;
    assert!(audit.contains("role changed") && audit.contains("role: teammate"), "{audit}");
}

#[tokio::test]
async fn a_token_is_shown_once_and_can_be_withdrawn() {
    let desk = Desk::open().await;
    let root = desk.signed_in("root").await;
    let fields = [("name", "crm-sync"), ("scopes", "conversations:read  customers:read")];
    let made = root.post("/inbox/tokens", &fields).await;
    let (_, rest) = made.text.split_once("<code class=\"secret\">").unwrap();
    let token = rest.split('<').next().unwrap().to_string();
    assert!(token.len() > 40, "{token}");
    assert_eq!(root.post("/inbox/tokens", &fields).await.status, 422);
    for wrong in [[("name", "x"), ("scopes", "")], [("name", "X y"), ("scopes", "admin")]] {
        assert_eq!(root.post("/inbox/tokens", &wrong).await.status, 422);
    }
    let page = root.get("/inbox/tokens").await.text;
    assert!(page.contains("crm-sync") && !page.contains(&token));
    let (_, rest) = page.split_once("action=\"/inbox/tokens/").unwrap();
    let id = rest.split('/').next().unwrap();
    let path = format!("/inbox/tokens/{id}/revoke");
    let lena = desk.signed_in("lena-brandt").await;
    assert_eq!(lena.post(&path, &[]).await.status, 403);
    assert_eq!(lena.post("/inbox/tokens", &fields).await.status, 403);
    assert_eq!(root.post(&path, &[]).await.goes_to(), "/inbox/tokens");
    assert!(root.get("/inbox/tokens").await.text.contains("withdrawn"));
}
