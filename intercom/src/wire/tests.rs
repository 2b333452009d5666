use super::*;
use jiff::Timestamp;
use serde_json::{Value, json};

fn conversation(value: Value) -> Conversation {
    serde_json::from_value(value).unwrap()
}

/// A conversation as the vendor's examples have them, with everything that a customer gave away.
fn whole() -> Value {
    let author = json!({"type": "user", "id": "6762", "name": "Joe", "email": "joe@bloggs.com"});
    let metadata = json!({"quick_reply_uuid": "a5e1c524",
        "quick_reply_options": [{"text": "Joe's", "uuid": "a5e1c524"}]});
    let part = json!({
        "type": "conversation_part", "id": 132, "part_type": "comment",
        "body": "<p>Joe's part</p>", "created_at": 1_734_537_561, "assigned_to": null,
        "author": author, "attachments": [{"name": "Joe.png", "url": "https://x.test/Joe"}],
        "external_id": null, "redacted": false, "metadata": metadata, "app_package_code": null,
    });
    let source = json!({
        "type": "email", "id": "403918349", "delivered_as": "customer_initiated",
        "subject": "Joe's subject", "body": "<p>Joe's body</p>", "attachments": [],
        "author": author, "url": "https://shop.test/joe", "redacted": false,
    });
    json!({
        "type": "conversation", "id": "524", "created_at": 1_734_537_559,
        "updated_at": 1_734_537_561, "title": "Joe's refund", "state": "open", "open": true,
        "priority": "none", "waiting_since": 1_734_537_561, "snoozed_until": null,
        "source": source, "contacts": {"type": "contact.list",
            "contacts": [{"type": "contact", "id": "6762", "external_id": "joe@bloggs.com"}]},
        "admin_assignee_id": 991_267_715, "team_assignee_id": "5017691",
        "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": "86", "name": "billing"}]},
        "custom_attributes": {"who": "Joe"}, "statistics": {"count_reopens": 2},
        "conversation_rating": {"rating": 5, "remark": "Joe's"},
        "ai_agent_participated": false, "ai_agent": null,
        "conversation_parts": {"type": "conversation_part.list", "total_count": 1,
            "conversation_parts": [part]},
    })
}

#[test]
fn a_conversation_is_read_whole() {
    let read = conversation(whole());
    assert_eq!(read.id.as_str(), "524");
    assert_eq!(read.state, State::Open);
    assert_eq!(read.admin_assignee_id, ExternalId::parse("991267715"));
    assert_eq!(read.team_assignee_id, ExternalId::parse("5017691"));
    assert_eq!(read.updated_at, Timestamp::from_second(1_734_537_561).ok());
    assert_eq!(read.tags.first().map(|tag| tag.name.as_str()), Some("billing"));
    assert_eq!(read.statistics.unwrap().count_reopens, Some(2));
    assert_eq!(read.contacts.len(), 1);
    assert_eq!(read.parts.total_count, Some(1));
    let part = read.parts.parts.first().unwrap();
    assert_eq!(part.id.as_str(), "132");
    assert_eq!(part.metadata.quick_reply_uuid.as_deref(), Some("a5e1c524"));
    assert_eq!(part.author.as_ref().map(|author| author.kind.is_customer()), Some(true));
    let source = read.source.unwrap();
    assert!(source.is_email());
    assert_eq!(source.body.unwrap().as_str(), "<p>Joe's body</p>");
}

#[test]
fn debug_shows_nothing_of_a_customer() {
    let shown = format!("{:?}", conversation(whole()));
    assert!(!shown.contains("Joe") && !shown.contains("joe"), "{shown}");
    let contact: Contact = serde_json::from_value(json!({
        "id": "1", "external_id": "joe", "role": "user", "email": "joe@bloggs.com", "name": "Joe",
        "custom_attributes": {"nick": "Joe"}, "location": {"country": "Joeland", "city": "Joeton"},
    }))
    .unwrap();
    assert_eq!(contact.email.as_ref().map(Private::as_str), Some("joe@bloggs.com"));
    let company: Company =
        serde_json::from_value(json!({"id": "1", "name": "Joe Ltd", "company_id": "joe"})).unwrap();
    let admin: Admin =
        serde_json::from_value(json!({"id": "1", "name": "Joe", "email": "joe@x.test"})).unwrap();
    let shown = format!("{contact:?} {company:?} {admin:?}");
    assert!(!shown.contains("Joe") && !shown.contains("joe"), "{shown}");
}

#[test]
fn whatever_is_absent_odd_or_new_counts_as_absent() {
    let bare = conversation(json!({"id": 524}));
    assert_eq!((bare.state, bare.open, bare.source), (State::Other(String::new()), false, None));
    let odd = conversation(json!({
        "id": "524", "state": "hibernating", "open": "yes", "priority": 3, "source": "web",
        "contacts": null, "tags": 7, "custom_attributes": [], "admin_assignee_id": 0,
        "team_assignee_id": "0", "statistics": [], "conversation_rating": {"rating": "good"},
        "waiting_since": "2024-12-18T15:59:21Z", "snoozed_until": "soon",
        "created_at": "1734537559", "updated_at": 1e300, "conversation_parts": null,
        "something_new": {"x": 1},
    }));
    assert_eq!(odd.state, State::Other("hibernating".into()));
    assert_eq!((odd.admin_assignee_id, odd.team_assignee_id), (None, None));
    assert_eq!(odd.waiting_since, Timestamp::from_second(1_734_537_561).ok());
    assert_eq!(odd.created_at, Timestamp::from_second(1_734_537_559).ok());
    assert_eq!((odd.snoozed_until, odd.updated_at), (None, None));
    assert_eq!(odd.rating.unwrap().rating, None);
}

/// Names every place within a value, as JSON pointers.
fn places(value: &Value, at: &str, found: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(fields) => fields.iter().map(|(name, value)| (name.clone(), value)).collect(),
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, value)| (at.to_string(), value)).collect()
        }
        _ => vec![],
    };
    for (name, child) in children {
        let place = format!("{at}/{name}");
        places(child, &place, found);
        found.push(place);
    }
}

#[test]
fn any_field_may_have_any_shape_but_the_few_that_are_insisted_on() {
    let mut found = vec![];
    places(&whole(), "", &mut found);
    assert!(found.len() > 60);
    let parts = "/conversation_parts";
    let inner = "/conversation_parts/conversation_parts";
    let odd = [
        json!(null),
        json!(0),
        json!(-1),
        json!(1e300),
        json!(true),
        json!(""),
        json!("x y"),
        json!([]),
        json!([1]),
        json!({}),
        json!({"a": {"b": []}}),
    ];
    for place in &found {
        let insisted = ["/id", parts, inner, &format!("{inner}/0"), &format!("{inner}/0/id")];
        for shape in &odd {
            let mut value = whole();
            *value.pointer_mut(place).unwrap() = shape.clone();
            let read: Result<Conversation, _> = serde_json::from_value(value);
            assert!(read.is_ok() || insisted.contains(&place.as_str()), "{place} {shape}");
        }
    }
}

#[test]
fn only_a_program_on_the_seat_counts_as_one() {
    let admin = ExternalId::from(7);
    let is_own = |kind: &str, id: u64, app: Value| {
        let author = json!({"type": kind, "id": id});
        let part = json!({"id": 1, "author": author, "app_package_code": app});
        serde_json::from_value::<Part>(part).unwrap().is_by_program_of(&admin)
    };
    assert!(is_own("admin", 7, json!("frontdesk-x1")));
    assert!(!is_own("admin", 7, json!(null)));
    assert!(!is_own("admin", 8, json!("frontdesk-x1")));
    assert!(!is_own("user", 7, json!("frontdesk-x1")));
}

#[test]
fn parts_that_cannot_be_read_are_not_taken_for_none() {
    for parts in [json!("none"), json!({"conversation_parts": {}}), json!([{"body": "Joe"}])] {
        let read: Result<Conversation, _> =
            serde_json::from_value(json!({"id": "1", "conversation_parts": parts}));
        let said = read.unwrap_err().to_string();
        assert!(!said.contains("Joe"), "{said}");
    }
}

#[test]
fn ids_are_strings_or_numbers_that_can_stand_in_an_address() {
    let id = |value: Value| serde_json::from_value::<ExternalId>(value).ok();
    assert_eq!(id(json!("524")), id(json!(524)));
    assert_eq!(id(json!(u64::MAX)).unwrap().as_str(), "18446744073709551615");
    for odd in [
        json!(""),
        json!(".."),
        json!("a/b"),
        json!("a b"),
        json!(-1),
        json!(1.5),
        json!(null),
        json!(["1"]),
        json!("x".repeat(200)),
        json!("ä"),
    ] {
        assert_eq!(id(odd.clone()), None, "{odd}");
    }
}

#[test]
fn pages_say_where_the_next_one_begins() {
    let page = |pages: Value| -> Page<Tag> {
        serde_json::from_value(json!({"data": [{"id": "1", "name": "a"}], "pages": pages})).unwrap()
    };
    let check = |pages: Value, expected: Option<Cursor>| {
        assert_eq!(page(pages.clone()).next, expected, "{pages}");
    };
    let after = |mark: &str| Some(Cursor::After(mark.to_string()));
    check(json!({"next": {"per_page": 5, "starting_after": "WzE3"}}), after("WzE3"));
    check(json!({"next": {"page": 2, "starting_after": 17}}), after("17"));
    check(json!({"next": null, "page": 1, "total_pages": 1}), None);
    let unmarked = |page: u64| {
        let next = json!({"per_page": 25, "starting_after": null});
        json!({"page": page, "total_pages": 2, "next": next})
    };
    check(unmarked(1), Some(Cursor::Page(2)));
    check(unmarked(2), None);
    check(json!({"page": 1, "total_pages": 3}), Some(Cursor::Page(2)));
    check(json!({"page": 3, "total_pages": 3}), None);
    let address =
        |query: &str| json!({"next": format!("https://api.intercom.io/articles?{query}")});
    check(address("per_page=25&page=2"), Some(Cursor::Page(2)));
    check(address("starting_after=a%3D"), after("a="));
    check(json!(null), None);
    check(json!({"next": "nowhere"}), None);
}

#[test]
fn a_cursor_can_be_kept() {
    for cursor in [Cursor::After("Wz:E3".into()), Cursor::Page(7)] {
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
    }
    assert!("WzE3".parse::<Cursor>().is_err() && "page:x".parse::<Cursor>().is_err());
}

#[test]
fn an_item_that_cannot_be_read_is_counted_and_does_not_hide_the_others() {
    let page: Page<Conversation> = serde_json::from_value(json!({
        "conversations": [{"id": "1"}, {"no": "id"}, {"id": 3}], "total_count": 3,
    }))
    .unwrap();
    assert_eq!((page.items.len(), page.n_unreadable, page.total_count), (2, 1, Some(3)));
    assert!(serde_json::from_value::<Page<Conversation>>(json!({"type": "list"})).is_err());
}

#[test]
fn an_article_has_its_languages() {
    let article: Article = serde_json::from_value(json!({
        "id": "39", "title": "Refunds", "description": null, "body": "<p>…</p>",
        "state": "published", "url": "https://help.test/39", "default_locale": "en",
        "author_id": 991, "updated_at": 1_734_537_283, "parent_ids": [18, "19"],
        "translated_content": {"type": "article_translated_content", "fr": null,
            "de": {"type": "article_content", "title": "Erstattung", "body": "<p>…</p>",
                "state": "draft", "author_id": 1}},
    }))
    .unwrap();
    assert!(article.content.is_published());
    assert_eq!(article.content.description, "");
    assert_eq!(article.parent_ids.len(), 2);
    let languages: Vec<&str> = article.translated_content.keys().map(String::as_str).collect();
    assert_eq!(languages, ["de"]);
    assert!(!article.translated_content["de"].is_published());
}
