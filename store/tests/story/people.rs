use crate::scene::{alter, at, known, newest, opened, scenes, slug, visitor, wrote};
use jiff::SignedDuration;
use router::{Event, Presence};
use serde_json::json;
use std::collections::BTreeSet;
use store::{
    Account, Actor, ApiToken, Audit, Change, Customer, Effect, Error, Guard, Id, Idempotent,
    KeyedRequest, NewAccount, Page, Record, Role, Session, Store, Visit,
};

fn account(name: &str) -> NewAccount {
    NewAccount {
        teammate: slug(&name.to_lowercase()),
        name: name.into(),
        email: format!("{name}@Example.com"),
        password_hash: format!("$argon2id${name}"),
        role: Role::Lead,
    }
}

async fn opened_account(store: &Store, name: &str) -> Account {
    store.open_account(&account(name), at(0)).await.unwrap();
    store.account(&slug(&name.to_lowercase())).await.unwrap().unwrap()
}

#[tokio::test]
async fn accounts_are_opened_found_and_altered() {
    for scene in scenes().await {
        let store = &scene.store;
        let ada = opened_account(store, "Ada").await;
        assert_eq!((ada.email.as_str(), ada.role), ("ada@example.com", Role::Lead));
        assert!(!ada.away && !ada.disabled && ada.seen_at.is_none());
        let taken = store.open_account(&account("ADA"), at(1)).await;
        assert!(matches!(taken, Err(Error::Taken("teammate"))), "{taken:?}");
        let bob = opened_account(store, "bob").await;
        assert_eq!(store.account_at(" ADA@example.COM").await.unwrap(), Some(ada.clone()));
        assert_eq!(store.account_at("eve@example.com").await.unwrap(), None);
        assert_eq!(store.accounts().await.unwrap(), [ada.clone(), bob.clone()]);

        store.see(&ada.teammate, at(5)).await.unwrap();
        let (slug_of, of) = (&ada.teammate, scene.name);
        store.rename(slug_of, "Zoe").await.unwrap();
        store.set_role(slug_of, Role::Admin).await.unwrap();
        store.set_away(slug_of, true).await.unwrap();
        store.reset_password(slug_of, "new").await.unwrap();
        store.set_disabled(slug_of, true).await.unwrap();
        let altered = Account {
            name: "Zoe".into(),
            password_hash: "new".into(),
            role: Role::Admin,
            away: true,
            disabled: true,
            seen_at: Some(at(5)),
            ..ada.clone()
        };
        assert_eq!(store.accounts().await.unwrap(), [bob, altered], "{of}");
        let lost = store.rename(&slug("eve"), "Eve").await;
        assert!(matches!(lost, Err(Error::NotFound("teammate"))), "{lost:?}");
    }
}

#[tokio::test]
async fn late_writes_of_a_closed_account_do_not_open_it_again() {
    for scene in scenes().await {
        let store = &scene.store;
        let ada = opened_account(store, "ada").await;
        store.set_disabled(&ada.teammate, true).await.unwrap();
        let refused = |done: Result<(), Error>| {
            assert!(matches!(done, Err(Error::NotFound("teammate"))), "{done:?}");
        };
        refused(store.set_away(&ada.teammate, true).await);
        refused(store.change_password(&ada.teammate, &ada.password_hash, "late").await);
        let session = Session {
            token_hash: "a".into(),
            teammate: ada.teammate.clone(),
            csrf: "csrf".into(),
            expires_at: at(10),
        };
        refused(store.open_session(&session, &ada.password_hash).await);
        let kept = Account { disabled: true, ..ada.clone() };
        assert_eq!(store.account(&ada.teammate).await.unwrap(), Some(kept), "{}", scene.name);
        store.set_disabled(&ada.teammate, false).await.unwrap();
        store.reset_password(&ada.teammate, "by an admin").await.unwrap();
        refused(store.change_password(&ada.teammate, &ada.password_hash, "late").await);
        refused(store.open_session(&session, &ada.password_hash).await);
        store.change_password(&ada.teammate, "by an admin", "own").await.unwrap();
        store.open_session(&session, "own").await.unwrap();
    }
}

#[tokio::test]
async fn the_roster_knows_who_is_there_and_what_they_hold() {
    for scene in scenes().await {
        let store = &scene.store;
        let ada = opened_account(store, "ada").await;
        let bob = opened_account(store, "bob").await;
        let eve = opened_account(store, "eve").await;
        for (account, seen) in [(&ada, 10), (&bob, 100), (&eve, 100)] {
            store.see(&account.teammate, at(seen)).await.unwrap();
        }
        store.set_away(&eve.teammate, true).await.unwrap();
        for closed in [false, true, false] {
            let id = opened(store, at(0)).await.id;
            alter(store, id, at(1), |record, _| {
                let (team, teammate) = (slug("billing"), bob.teammate.clone());
                let assigned = Event::Assigned { team, teammate, by_person: false };
                record.state.apply(&assigned).unwrap();
                if closed {
                    record.state.apply(&Event::Closed).unwrap();
                }
            })
            .await;
        }
        let roster = store.roster(at(50)).await.unwrap();
        let roster: Vec<_> = roster.into_iter().collect();
        let expected = [
            (ada.teammate, Presence { available: false, n_open: 0 }),
            (bob.teammate, Presence { available: true, n_open: 2 }),
            (eve.teammate, Presence { available: false, n_open: 0 }),
        ];
        assert_eq!(roster, expected, "{}", scene.name);
    }
}

#[tokio::test]
async fn sessions_end_by_time_by_hand_and_with_the_account() {
    for scene in scenes().await {
        let store = &scene.store;
        let ada = opened_account(store, "ada").await;
        let session = |hash: &str, until| Session {
            token_hash: hash.into(),
            teammate: ada.teammate.clone(),
            csrf: "csrf".into(),
            expires_at: at(until),
        };
        for (hash, until) in [("a", 10), ("b", 20), ("c", 20)] {
            store.open_session(&session(hash, until), &ada.password_hash).await.unwrap();
        }
        let found = store.session("a", at(9)).await.unwrap();
        assert_eq!(found, Some((session("a", 10), ada.clone())), "{}", scene.name);
        assert_eq!(store.session("a", at(10)).await.unwrap(), None);
        assert_eq!(store.session("x", at(0)).await.unwrap(), None);
        store.end_session("b").await.unwrap();
        assert_eq!(store.session("b", at(0)).await.unwrap(), None);
        store.set_disabled(&ada.teammate, true).await.unwrap();
        assert_eq!(store.session("c", at(0)).await.unwrap(), None, "{}", scene.name);
        store.set_disabled(&ada.teammate, false).await.unwrap();
        assert_eq!(store.session("c", at(0)).await.unwrap(), None, "{}", scene.name);
        let nobody = Session { teammate: slug("eve"), ..session("d", 9) };
        let lost = store.open_session(&nobody, &ada.password_hash).await;
        assert!(matches!(lost, Err(Error::NotFound("teammate"))), "{lost:?}");
    }
}

#[tokio::test]
async fn customers_are_kept_found_and_altered() {
    for scene in scenes().await {
        let store = &scene.store;
        let mut ada = known("Ada", at(0));
        ada.attributes.insert("tier".into(), json!("gold"));
        ada.locale = Some("de-AT".into());
        assert_eq!(store.keep_customer(&ada).await.unwrap(), ada);
        let bob = store.keep_customer(&known("Bob", at(1))).await.unwrap();
        let nameless = store.keep_customer(&visitor(at(2))).await.unwrap();
        assert_eq!(store.customer(ada.id).await.unwrap(), ada, "{}", scene.name);
        let lost = store.customer(Id::new(at(0))).await;
        assert!(matches!(lost, Err(Error::NotFound("customer"))), "{lost:?}");
        let identity = ada.identity.clone().unwrap();
        assert_eq!(store.customer_named(&identity).await.unwrap(), Some(ada.clone()));

        let altered = Customer { name: Some("ÄDA".into()), seen_at: at(9), ..ada.clone() };
        let alter = |customer: &mut Customer| {
            // What nobody alters stays, whatever is said of it.
            *customer =
                Customer { id: bob.id, identity: None, created_at: at(5), ..altered.clone() };
            Ok::<_, ()>(())
        };
        assert_eq!(store.alter_customer(ada.id, alter).await.unwrap().unwrap(), altered);
        let refused = store.alter_customer(ada.id, |customer| {
            customer.name = None;
            Err("no")
        });
        assert_eq!(refused.await.unwrap(), Err("no"));
        assert_eq!(store.customer(ada.id).await.unwrap(), altered);
        // A visitor who proves to be somebody known is that one from then on.
        let proven = Customer { id: Id::new(at(3)), identity: Some(identity), ..nameless.clone() };
        assert_eq!(store.keep_customer(&proven).await.unwrap(), altered, "{}", scene.name);
        assert_eq!(store.customer(nameless.id).await.unwrap(), nameless);

        let list = async |text: Option<&str>, page: Page| {
            let list = store.customers(text, &page).await.unwrap();
            list.into_iter().map(|customer| customer.id).collect::<Vec<_>>()
        };
        assert_eq!(list(None, newest(9)).await, [nameless.id, bob.id, ada.id], "{}", scene.name);
        let before = Page { before: Some(bob.id.to_string()), limit: 9 };
        assert_eq!(list(None, before).await, [ada.id]);
        assert_eq!(list(Some("äd"), newest(9)).await, [ada.id], "{}", scene.name);
        assert_eq!(list(Some("BOB@exam"), newest(9)).await, [bob.id], "{}", scene.name);
        assert_eq!(list(Some("id-b"), newest(9)).await, [bob.id], "{}", scene.name);
        assert_eq!(list(Some("%"), newest(9)).await, [], "{}", scene.name);
    }
}

#[tokio::test]
async fn who_was_erased_meanwhile_does_not_come_back() {
    for scene in scenes().await {
        let store = &scene.store;
        let ada = store.keep_customer(&known("Ada", at(0))).await.unwrap();
        store.erase(ada.id).await.unwrap();
        let late = store.alter_customer(ada.id, |_| Ok::<_, ()>(())).await;
        assert!(matches!(late, Err(Error::NotFound("customer"))), "{late:?}");
        assert!(store.customers(None, &newest(9)).await.unwrap().is_empty(), "{}", scene.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn two_who_alter_a_customer_at_the_same_moment_lose_nothing_of_each_other() {
    for scene in scenes().await {
        let store = &scene.store;
        let ada = store.keep_customer(&known("Ada", at(0))).await.unwrap();
        let tasks: Vec<_> = (0..24)
            .map(|nth| {
                let store = store.clone();
                tokio::spawn(async move {
                    let alter = |customer: &mut Customer| {
                        customer.attributes.insert(format!("fact-{nth}"), json!(nth));
                        Ok::<_, ()>(())
                    };
                    store.alter_customer(ada.id, alter).await.unwrap().unwrap();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        let known = store.customer(ada.id).await.unwrap();
        assert_eq!(known.attributes.len(), 24, "{}", scene.name);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_one_identity_at_the_same_moment_one_customer_is_kept() {
    for scene in scenes().await {
        let tasks: Vec<_> = (0..24)
            .map(|_| {
                let store = scene.store.clone();
                tokio::spawn(async move { store.keep_customer(&known("ada", at(0))).await })
            })
            .collect();
        let mut kept = BTreeSet::new();
        for task in tasks {
            kept.insert(task.await.unwrap().unwrap().id);
        }
        assert_eq!(kept.len(), 1, "{}", scene.name);
        assert_eq!(scene.store.customers(None, &newest(99)).await.unwrap().len(), 1);
    }
}

#[tokio::test]
async fn visits_last_as_long_as_they_should() {
    for scene in scenes().await {
        let store = &scene.store;
        let customer = store.keep_customer(&visitor(at(0))).await.unwrap().id;
        let token_hash = "a".to_string();
        let visit = Visit { token_hash, customer, verified: false, expires_at: at(10) };
        store.keep_visit(&visit).await.unwrap();
        assert_eq!(store.visit("a", at(9)).await.unwrap(), Some(visit.clone()));
        assert_eq!(store.visit("a", at(10)).await.unwrap(), None, "{}", scene.name);
        let visit = Visit { verified: true, expires_at: at(20), ..visit };
        store.keep_visit(&visit).await.unwrap();
        store.sweep(at(10)).await.unwrap();
        assert_eq!(store.visit("a", at(10)).await.unwrap(), Some(visit.clone()), "{}", scene.name);
        let nobody = Visit { customer: Id::new(at(0)), ..visit };
        let lost = store.keep_visit(&nobody).await;
        assert!(matches!(lost, Err(Error::NotFound("customer"))), "{lost:?}");
    }
}

#[tokio::test]
async fn tokens_open_until_they_are_revoked() {
    for scene in scenes().await {
        let store = &scene.store;
        let token = |name: &str, seconds: i64| ApiToken {
            id: Id::new(at(seconds)),
            name: name.into(),
            hash: format!("{name}{seconds}"),
            scopes: vec!["conversations:read".into(), "articles:read".into()],
            created_at: at(seconds),
            used_at: None,
            revoked_at: None,
        };
        let (first, other) = (token("crm", 0), token("shop", 1));
        store.keep_token(&first).await.unwrap();
        store.keep_token(&other).await.unwrap();
        let taken = store.keep_token(&token("crm", 2)).await;
        assert!(matches!(taken, Err(Error::Taken("token"))), "{taken:?}");
        assert_eq!(store.tokens().await.unwrap(), [other.clone(), first.clone()]);

        let used = store.use_token("crm0", at(60)).await.unwrap().unwrap();
        assert_eq!(used, ApiToken { used_at: Some(at(60)), ..first.clone() }, "{}", scene.name);
        let soon = store.use_token("crm0", at(119)).await.unwrap().unwrap();
        assert_eq!(soon.used_at, Some(at(60)), "{}", scene.name);
        store.use_token("crm0", at(120)).await.unwrap();
        assert_eq!(store.tokens().await.unwrap()[1].used_at, Some(at(120)));
        assert_eq!(store.use_token("eve0", at(60)).await.unwrap(), None);

        store.revoke_token(first.id, at(200)).await.unwrap();
        store.revoke_token(first.id, at(300)).await.unwrap();
        assert_eq!(store.use_token("crm0", at(201)).await.unwrap(), None, "{}", scene.name);
        assert_eq!(store.tokens().await.unwrap()[1].revoked_at, Some(at(200)));
        store.keep_token(&token("crm", 3)).await.unwrap();
        let lost = store.revoke_token(Id::new(at(0)), at(1)).await;
        assert!(matches!(lost, Err(Error::NotFound("token"))), "{lost:?}");
    }
}

#[tokio::test]
async fn a_repeated_request_is_answered_as_the_first_one_was() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = kept_token(store).await;
        let begin = async |key: &str, now: i64| {
            store.begin_request((id, key), "body", at(now - 100), at(now)).await.unwrap()
        };
        assert_eq!(begin("k", 0).await, None);
        let under_way = Idempotent { request_hash: "body".into(), answer: None, effect: None };
        assert_eq!(begin("k", 1).await, Some(under_way), "{}", scene.name);
        store.end_request((id, "k"), Some((201, "{\"id\":1}"))).await.unwrap();
        let answered = begin("k", 2).await.unwrap();
        assert_eq!(answered.answer, Some((201, "{\"id\":1}".to_string())), "{}", scene.name);
        assert_eq!(begin("other", 2).await, None);
        store.end_request((id, "other"), None).await.unwrap();
        assert_eq!(begin("other", 3).await, None, "{}", scene.name);
        assert_eq!(begin("k", 101).await, None, "{}", scene.name);
    }
}

/// Keeps a token without scopes.
async fn kept_token(store: &Store) -> Id<ApiToken> {
    let id = Id::new(at(0));
    let (name, hash, scopes) = ("crm".to_string(), "h".to_string(), vec![]);
    let (created_at, used_at, revoked_at) = (at(0), None, None);
    let token = ApiToken { id, name, hash, scopes, created_at, used_at, revoked_at };
    store.keep_token(&token).await.unwrap();
    id
}

#[tokio::test]
async fn what_a_request_brought_about_is_known_although_its_answer_was_lost() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = kept_token(store).await;
        let begin = async |now: i64| {
            store.begin_request((id, "k"), "body", at(now - 9_000), at(now)).await.unwrap()
        };
        let conversation = opened(store, at(0)).await.id;
        let act = async || {
            let request = Some(KeyedRequest { token: id, key: "k".into() });
            let note = |_: &mut Record, change: &mut Change| {
                change.request = request;
                change.entries.push((Id::new(at(1)), wrote("once")));
                Ok::<(), ()>(())
            };
            store.change(conversation, Guard::None, at(1), note).await
        };
        assert_eq!(begin(0).await, None);
        act().await.unwrap().unwrap();
        let again = act().await;
        assert!(matches!(again, Err(Error::LeaseLost)), "{again:?}");
        // Whoever worked on it died, or failed afterwards.
        store.end_request((id, "k"), None).await.unwrap();
        let effect = Some(Effect::Changed(conversation));
        let done = Idempotent { request_hash: "body".into(), answer: None, effect };
        assert_eq!(begin(4_000).await, Some(done), "{}", scene.name);
        let record = store.conversation(conversation).await.unwrap();
        assert_eq!(record.n_entries, 2, "{}", scene.name);
        store.erase(record.customer).await.unwrap();
        assert_eq!(begin(4_001).await, None, "{}", scene.name);
    }
}

#[tokio::test]
async fn a_request_opens_one_customer_although_its_answer_was_lost() {
    for scene in scenes().await {
        let store = &scene.store;
        let id = kept_token(store).await;
        let begin = async |now: i64| {
            store.begin_request((id, "k"), "body", at(now - 9_000), at(now)).await.unwrap()
        };
        let request = KeyedRequest { token: id, key: "k".into() };
        let early = store.open_customer(&visitor(at(0)), &request).await;
        assert!(matches!(early, Err(Error::LeaseLost)), "{early:?}");
        assert_eq!(begin(0).await, None);
        let first = visitor(at(0));
        store.open_customer(&first, &request).await.unwrap();
        let again = store.open_customer(&visitor(at(1)), &request).await;
        assert!(matches!(again, Err(Error::LeaseLost)), "{again:?}");
        let kept = store.customers(None, &newest(9)).await.unwrap();
        assert_eq!(kept, std::slice::from_ref(&first), "{}", scene.name);
        // Whoever worked on it died, or failed afterwards.
        store.end_request((id, "k"), None).await.unwrap();
        let effect = Some(Effect::Opened(first.id));
        let done = Idempotent { request_hash: "body".into(), answer: None, effect };
        assert_eq!(begin(4_000).await, Some(done), "{}", scene.name);
        store.erase(first.id).await.unwrap();
        assert_eq!(begin(4_001).await, None, "{}", scene.name);
    }
}

#[tokio::test]
async fn what_was_done_outside_of_conversations_is_noted() {
    for scene in scenes().await {
        let store = &scene.store;
        let actors = [
            Actor::Bot,
            Actor::Customer,
            Actor::Teammate(slug("ada")),
            Actor::Program("crm:2".into()),
            Actor::Frontdesk,
        ];
        for (nth, actor) in (0..).zip(&actors) {
            let audit = Audit {
                actor: actor.clone(),
                action: "signed_in".into(),
                subject: format!("s{}", nth % 2),
                detail: json!({ "n": nth }),
            };
            store.note(&audit, at(0) + SignedDuration::from_micros(nth)).await.unwrap();
        }
        let all = store.audit(None, &newest(9)).await.unwrap();
        let noted: Vec<_> = all.iter().rev().map(|entry| entry.audit.actor.clone()).collect();
        assert_eq!(noted, actors, "{}", scene.name);
        let odd = store.audit(Some("s1"), &newest(9)).await.unwrap();
        assert_eq!(odd, [all[1].clone(), all[3].clone()], "{}", scene.name);
    }
}

#[tokio::test]
async fn another_role_or_password_ends_every_session_and_a_refused_one_none() {
    for scene in scenes().await {
        let store = &scene.store;
        let (ada, bob) = (opened_account(store, "ada").await, opened_account(store, "bob").await);
        let open = async |who: &Account, token_hash: &str, password_hash: &str| {
            let session = Session {
                token_hash: token_hash.into(),
                teammate: who.teammate.clone(),
                csrf: "csrf".into(),
                expires_at: at(10),
            };
            store.open_session(&session, password_hash).await.unwrap();
        };
        let is_open =
            async |token_hash: &str| store.session(token_hash, at(0)).await.unwrap().is_some();
        open(&bob, "of bob", &bob.password_hash).await;
        open(&ada, "a", &ada.password_hash).await;
        store.set_role(&ada.teammate, Role::Admin).await.unwrap();
        assert!(!is_open("a").await, "{}", scene.name);
        open(&ada, "b", &ada.password_hash).await;
        store.reset_password(&ada.teammate, "by an admin").await.unwrap();
        assert!(!is_open("b").await, "{}", scene.name);
        open(&ada, "c", "by an admin").await;
        let late = store.change_password(&ada.teammate, &ada.password_hash, "late").await;
        assert!(matches!(late, Err(Error::NotFound("teammate"))), "{late:?}");
        assert!(is_open("c").await, "{}", scene.name);
        store.change_password(&ada.teammate, "by an admin", "own").await.unwrap();
        assert!(!is_open("c").await, "{}", scene.name);
        assert!(is_open("of bob").await, "{}", scene.name);
    }
}
