use super::*;
use proptest::prelude::*;
use serde_json::json;

fn id(written: &str) -> ExternalId {
    ExternalId::parse(written).unwrap()
}

fn notice(body: &Value) -> Notice {
    Notice::parse(body.to_string().as_bytes()).unwrap()
}

fn envelope(topic: &str, item: &Value) -> Value {
    json!({
        "type": "notification_event", "app_id": "a86dr8yl",
        "id": "notif_78c122d0-23ba-11e4-9464-79b01267cc2e", "topic": topic,
        "created_at": 1_734_537_561, "first_sent_at": 1_734_537_561, "delivered_at": 0,
        "delivery_attempts": 1, "delivery_status": null, "links": {}, "self": null,
        "data": {"type": "notification_event_data", "item": item},
    })
}

fn check(topic: &str, item: &Value, expected: &Subject) {
    assert_eq!(&notice(&envelope(topic, item)).subject, expected, "{topic}");
}

#[test]
fn the_envelope_is_read() {
    let read = notice(&envelope(
        "conversation.user.created",
        &json!({"type": "conversation", "id": "524"}),
    ));
    assert_eq!(
        read,
        Notice {
            id: Some("notif_78c122d0-23ba-11e4-9464-79b01267cc2e".into()),
            topic: "conversation.user.created".into(),
            app_id: Some("a86dr8yl".into()),
            created_at: Some(Timestamp::from_second(1_734_537_561).unwrap()),
            n_attempts: Some(1),
            subject: Subject::Conversation { id: id("524"), part: None },
        }
    );
    assert!(!read.is_deletion());
}

#[test]
fn a_ping_has_no_id() {
    let read = notice(&json!({
        "type": "notification_event", "id": null, "topic": "ping", "created_at": 1_734_537_561,
        "data": {"item": {"type": "ping", "message": "something something interzen"}},
    }));
    assert_eq!((read.id, read.subject), (None, Subject::Ping));
    assert_eq!(notice(&json!({"topic": "ping"})).subject, Subject::Ping);
}

#[test]
fn the_subject_is_found_wherever_it_stands() {
    let conversation =
        |part: Option<&str>| Subject::Conversation { id: id("524"), part: part.map(id) };
    let parts = json!([
        {"id": "131", "created_at": 10}, {"id": "133", "created_at": 30},
        {"id": "132", "created_at": 20}, {"created_at": 40},
    ]);
    let wrapped = json!({"type": "conversation", "id": 524, "conversation_parts":
        {"type": "conversation_part.list", "conversation_parts": parts, "total_count": 4}});
    check("conversation.user.replied", &wrapped, &conversation(Some("133")));
    let bare = json!({"type": "conversation", "id": "524", "conversation_parts": parts});
    check("conversation.user.replied", &bare, &conversation(Some("133")));
    let same = json!([{"id": "7", "created_at": 1}, {"id": 8, "created_at": 1}]);
    let same = json!({"type": "conversation", "id": "524", "conversation_parts": same});
    check("conversation.admin.replied", &same, &conversation(Some("8")));
    let part = json!({"type": "conversation_part", "id": "132", "conversation_id": "524"});
    check("conversation_part.redacted", &part, &conversation(Some("132")));
    let part = json!({"type": "conversation_part", "id": "132", "conversation": {"id": 524}});
    check("conversation_part.redacted", &part, &conversation(Some("132")));
    check("conversation.deleted", &json!({"id": "524"}), &conversation(None));

    let contact = || Subject::Contact { id: id("6762f0d0") };
    for kind in ["contact", "user", "lead"] {
        check("contact.user.updated", &json!({"type": kind, "id": "6762f0d0"}), &contact());
    }
    check("contact.deleted", &json!({"id": "6762f0d0", "deleted": true}), &contact());
    let tagged = json!({"type": "contact_tag", "tag": {"id": "9"}, "contact": {"id": "6762f0d0"}});
    check("contact.user.tag.created", &tagged, &contact());
    check(
        "company.updated",
        &json!({"type": "company", "id": "6f"}),
        &Subject::Company { id: id("6f") },
    );
    check(
        "article.published",
        &json!({"type": "article", "id": 39}),
        &Subject::Article { id: id("39") },
    );
    check("ticket.created", &json!({"type": "ticket", "id": "5"}), &Subject::Other);
    check("content_stat.open", &json!({"id": "5"}), &Subject::Other);
    check("conversation.user.replied", &json!({"type": "conversation"}), &Subject::Other);
    check(
        "conversation.user.replied",
        &json!({"type": "conversation", "id": "../me"}),
        &Subject::Other,
    );
    check("conversation.user.replied", &Value::Null, &Subject::Other);
}

#[test]
fn only_what_is_gone_counts_as_deleted() {
    let is_deletion = |topic: &str| notice(&envelope(topic, &json!({"id": "1"}))).is_deletion();
    assert!(is_deletion("contact.deleted") && is_deletion("conversation.deleted"));
    assert!(!is_deletion("contact.user.tag.deleted") && !is_deletion("contact.archived"));
}

#[test]
fn what_is_no_object_is_no_notice() {
    for body in ["", "null", "[]", "1", "\"ping\"", "{", "{}x", &"[".repeat(100_000)] {
        assert_eq!(Notice::parse(body.as_bytes()), Err(NoNotice));
    }
    assert_eq!(Notice::parse(b"\xff{}"), Err(NoNotice));
    let empty = notice(&json!({}));
    assert_eq!((empty.topic.as_str(), empty.subject), ("", Subject::Other));
    let endless = envelope(&"x".repeat(10_000), &Value::Null);
    assert_eq!(notice(&endless).topic, "");
}

fn any_json() -> impl Strategy<Value = Value> {
    let names = prop_oneof![
        Just("id"),
        Just("type"),
        Just("topic"),
        Just("data"),
        Just("item"),
        Just("created_at"),
        Just("conversation"),
        Just("conversation_id"),
        Just("conversation_parts"),
        Just("contact"),
    ];
    let words = prop_oneof![
        Just("conversation"),
        Just("contact"),
        Just("ping"),
        Just("524"),
        Just("a b"),
        Just(""),
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        words.prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 60, 6, move |inner| {
        let object = proptest::collection::btree_map(names.clone(), inner.clone(), 0..6);
        prop_oneof![
            proptest::collection::vec(inner, 0..5).prop_map(Value::from),
            object.prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, v)| (name.to_string(), v)).collect())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn no_json_is_too_odd(whole in any_json(), item in any_json(), topic in "[a-z.]{0,20}") {
        let _ = Notice::parse(whole.to_string().as_bytes());
        prop_assert!(Notice::parse(envelope(&topic, &item).to_string().as_bytes()).is_ok());
    }

    #[test]
    fn no_bytes_are_too_odd(bytes: Vec<u8>) {
        let _ = Notice::parse(&bytes);
    }
}
