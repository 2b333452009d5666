use intercom::{
    AccessToken, ApiError, Assignee, AttributeValue, Budget, Class, Client, ClientParts, Clock,
    Condition, Display, ExternalPage, Found, Manage, Operand, Operator, Patience, Query,
    QuickReply, Reply, TicketDraft, Update, Version, Wait, WindowSeen,
    wire::{Cursor, ExternalId},
};
use jiff::Timestamp;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What came of a call, by the name of its method.
pub(crate) type Outcome = (&'static str, Result<(), ApiError>);

/// A budget that has no end; the mocks count nothing.
struct Endless;

#[async_trait::async_trait]
impl Budget for Endless {
    async fn take(&self, _: Class) -> Result<(), Wait> {
        Ok(())
    }

    async fn heard(&self, _: WindowSeen) {}
}

pub(crate) fn client(base_url: &str, version: Version) -> Client {
    let clock: Clock = Arc::new(|| Timestamp::from_second(1_795_341_600).unwrap());
    let parts = ClientParts {
        base_url: base_url.to_string(),
        token: AccessToken::new("dG9rOmEtdG9rZW4="),
        version,
        budget: Arc::new(Endless),
        clock,
        timeout: Duration::from_secs(60),
        patience: Patience::default(),
    };
    Client::new(parts).unwrap()
}

fn id(written: &str) -> ExternalId {
    ExternalId::parse(written).unwrap()
}

/// Makes every call that the client has, with everything that each can hold.
pub(crate) async fn every_call(client: &Client) -> Vec<Outcome> {
    let mut outcomes = conversation_reads(client).await;
    outcomes.extend(conversation_changes(client).await);
    outcomes.extend(people(client).await);
    outcomes.extend(content(client).await);
    // The document of 2.14 does not have it, and takes the word for an id.
    if client.version() == Version::V2_16 {
        outcomes.extend(deletions(client).await);
    }
    outcomes
}

async fn conversation_reads(client: &Client) -> Vec<Outcome> {
    let at = id("524");
    let state = Condition::new("state", Operator::Is, Operand::Text("open".into()));
    let since = Condition::new("updated_at", Operator::After, Operand::Number(1_734_537_546));
    let until = Condition::new("updated_at", Operator::Before, Operand::Number(1_734_537_999));
    let open = Condition::new("open", Operator::IsNot, Operand::Truth(false));
    let listed = Operand::Texts(vec!["conversation".into(), "email".into()]);
    let kinds = Condition::new("source.type", Operator::In, listed.clone());
    let others = Condition::new("source.type", Operator::NotIn, listed);
    let mark = Cursor::After("WzE3MzQ1Mzc1NDYwMDBd".into());
    let search = async |query: Query, from: Option<&Cursor>| {
        client.search_conversations(&query, from, 150).await.map(drop)
    };
    vec![
        ("conversation", client.conversation(&at, Display::Html).await.map(drop)),
        ("conversation, plain", client.conversation(&at, Display::PlainText).await.map(drop)),
        ("search, one", search(Query::One(since.clone()), None).await),
        ("search, all", search(Query::All(vec![since, until, open]), Some(&mark)).await),
        ("search, any", search(Query::Any(vec![state, kinds, others]), None).await),
        ("tags", client.tags().await.map(drop)),
    ]
}

async fn conversation_changes(client: &Client) -> Vec<Outcome> {
    let (at, admin, other) = (id("524"), id("3156780"), id("5017691"));
    let buttons = [("Yes", 1_u128), ("No", 2)]
        .map(|(text, number)| QuickReply { text: text.into(), uuid: uuid(number) });
    let reply = async |said: Reply<'_>| client.reply(&at, &admin, said).await.map(drop);
    let manage = async |deed: Manage<'_>| client.manage(&at, &admin, deed).await.map(drop);
    let until = Timestamp::from_second(1_795_999_999).unwrap();
    let update = Update {
        read: Some(true),
        title: Some("Refund".into()),
        custom_attributes: BTreeMap::from([
            ("frontdesk_priority".into(), AttributeValue::Text("high".into())),
            ("frontdesk_score".into(), AttributeValue::Number(7)),
        ]),
    };
    let draft = TicketDraft { ticket_type: &id("53"), title: Some("A"), description: Some("B") };
    let bare = TicketDraft { title: None, description: None, ..draft };
    vec![
        ("comment", reply(Reply::Comment("<p>Hi</p>")).await),
        ("note", reply(Reply::Note("<p>Routed to billing</p>")).await),
        ("quick replies", reply(Reply::QuickReplies(&buttons)).await),
        ("assign to a team", manage(Manage::Assign(Assignee::Team(&other))).await),
        ("assign to an admin", manage(Manage::Assign(Assignee::Admin(&other))).await),
        ("assign to no team", manage(Manage::Assign(Assignee::NoTeam)).await),
        ("assign to no admin", manage(Manage::Assign(Assignee::NoAdmin)).await),
        ("close", manage(Manage::Close).await),
        ("snooze", manage(Manage::Snooze(until)).await),
        ("open", manage(Manage::Open).await),
        ("tag", client.tag(&at, &admin, &id("86")).await.map(drop)),
        ("untag", client.untag(&at, &admin, &id("86")).await.map(drop)),
        ("ensure a tag", client.ensure_tag("billing").await.map(drop)),
        ("update", client.update_conversation(&at, &update).await.map(drop)),
        ("convert", client.convert_to_ticket(&at, draft).await.map(drop)),
        ("convert, bare", client.convert_to_ticket(&at, bare).await.map(drop)),
    ]
}

async fn people(client: &Client) -> Vec<Outcome> {
    let contact = id("6762f0d01bb69f9f2193bb7d");
    let second = Cursor::Page(2);
    vec![
        ("me", client.me().await.map(drop)),
        ("admins", client.admins().await.map(drop)),
        ("teams", client.teams().await.map(drop)),
        ("ticket types", client.ticket_types().await.map(drop)),
        ("contact", client.contact(&contact).await.map(drop)),
        ("companies of a contact", client.companies_of(&contact, None).await.map(drop)),
        ("companies, page 2", client.companies_of(&contact, Some(&second)).await.map(drop)),
        ("company", client.company(&id("6762f0a61bb69f9f2193bb55")).await.map(drop)),
        ("attributes of contacts", client.attributes(Found::Contact).await.map(drop)),
        ("attributes of companies", client.attributes(Found::Company).await.map(drop)),
        ("attributes of conversations", client.attributes(Found::Conversation).await.map(drop)),
    ]
}

async fn deletions(client: &Client) -> Vec<Outcome> {
    let second = Cursor::Page(2);
    vec![
        ("deleted conversations", client.deleted_conversations(None).await.map(drop)),
        ("deleted, page 2", client.deleted_conversations(Some(&second)).await.map(drop)),
    ]
}

async fn content(client: &Client) -> Vec<Outcome> {
    let second = Cursor::Page(2);
    let page = ExternalPage {
        source_id: 44,
        external_id: "refunds.md",
        title: "Refunds",
        html: "<p>Within 30 days.</p>",
        url: Some("https://help.example.com/refunds"),
        for_customers: true,
        for_teammates: true,
    };
    let bare = ExternalPage { url: None, ..page };
    vec![
        ("articles", client.articles(None).await.map(drop)),
        ("articles, page 2", client.articles(Some(&second)).await.map(drop)),
        ("article", client.article(&id("39")).await.map(drop)),
        ("import sources", client.import_sources(None).await.map(drop)),
        ("create a source", client.create_import_source("https://example.com").await.map(drop)),
        ("push a page", client.push_page(&page).await.map(drop)),
        ("push a bare page", client.push_page(&bare).await.map(drop)),
        ("pushed pages", client.pushed_pages(None).await.map(drop)),
        ("delete a page", client.delete_page(&id("21")).await.map(drop)),
    ]
}

/// Returns the names of the methods that a file of the client has for calls.
fn calls_of(source: &str) -> Vec<&str> {
    let named = source.split("pub async fn ").skip(1);
    named.filter_map(|rest| rest.split(['(', '<']).next()).collect()
}

#[test]
fn every_method_of_the_client_is_among_the_calls() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let made = std::fs::read_to_string(root.join("tests/contract/calls.rs")).unwrap();
    let mut n_methods = 0;
    for file in ["client.rs", "client/conversations.rs", "client/people.rs", "client/content.rs"] {
        let source = std::fs::read_to_string(root.join("src").join(file)).unwrap();
        for method in calls_of(&source) {
            n_methods += 1;
            assert!(made.contains(&format!("client.{method}(")), "{method} is made nowhere");
        }
    }
    assert!(n_methods >= 25, "{n_methods}");
    let elsewhere = std::fs::read_dir(root.join("src/client")).unwrap().flatten();
    for file in elsewhere.filter(|file| file.path().extension().is_some_and(|end| end == "rs")) {
        let name = file.file_name().to_string_lossy().into_owned();
        let is_known = ["conversations.rs", "people.rs", "content.rs"].contains(&name.as_str());
        let n_calls = calls_of(&std::fs::read_to_string(file.path()).unwrap()).len();
        assert!(is_known || n_calls == 0, "{name} has calls that nobody looks at here");
    }
}

fn uuid(number: u128) -> uuid::Uuid {
    // Of version 4, as the vendor's examples are.
    uuid::Builder::from_random_bytes(number.to_be_bytes()).into_uuid()
}
