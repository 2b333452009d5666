use crate::document::Document;
use serde_json::{Value, json};

/// What a careless client sends to a conversation: what it says, and what it does.
fn careless() -> Vec<(&'static str, Value)> {
    let reply = |change: Value| {
        merged(
            json!({"message_type": "comment", "type": "admin", "admin_id": "1", "body": "x"}),
            &change,
        )
    };
    let assign = |change: Value| {
        merged(
            json!({"message_type": "assignment", "type": "team", "admin_id": "1", "assignee_id": "2"}),
            &change,
        )
    };
    vec![
        ("reply", reply(json!({"admin_id": 3_156_780}))),
        ("reply", reply(json!({"admin_id": null}))),
        ("reply", reply(json!({"message_type": "shout"}))),
        ("reply", reply(json!({"type": "bot"}))),
        ("reply", reply(json!({"reply_options": [{"text": "Yes"}]}))),
        ("parts", assign(json!({"assignee_id": 5_017_691}))),
        ("parts", assign(json!({"assignee_id": null}))),
        ("parts", assign(json!({"type": "nobody"}))),
        ("parts", json!({"message_type": "snoozed", "admin_id": "1", "snoozed_until": "soon"})),
        ("parts", json!({"message_type": "close", "admin_id": "1"})),
        ("tags", json!({"id": 86, "admin_id": "1"})),
        ("convert", json!({})),
        ("convert", json!({"ticket_type_id": 53})),
    ]
}

/// Sets fields of an object; null takes one away.
fn merged(mut object: Value, change: &Value) -> Value {
    for (field, value) in change.as_object().unwrap() {
        match value {
            Value::Null => drop(object.as_object_mut().unwrap().remove(field)),
            _ => object[field] = value.clone(),
        }
    }
    object
}

fn refuses(document: &Document, method: &str, path: &str, body: &Value) -> bool {
    let operation = document.operation(method, path).unwrap();
    !document.validator(operation.body().unwrap()).is_valid(body)
}

/// A check that refuses nothing proves nothing.
#[test]
fn the_documents_refuse_what_is_wrong() {
    let page = json!({"title": "a", "html": "b", "locale": "en", "external_id": "c",
        "source_id": 44});
    let unequal = json!({"query": {"field": "open", "operator": "==", "value": 1}});
    let others = [
        ("/conversations/search", json!({})),
        ("/conversations/search", unequal),
        ("/ai/external_pages", merged(page.clone(), &json!({"source_id": "44"}))),
        ("/ai/external_pages", merged(page, &json!({"locale": "de"}))),
        ("/ai/content_import_sources", json!({"url": "https://example.com"})),
    ];
    for document in Document::all() {
        let version = document.version;
        for (place, body) in careless() {
            let path = format!("/conversations/1/{place}");
            assert!(refuses(&document, "POST", &path, &body), "{version} {path} {body}");
        }
        for (path, body) in &others {
            assert!(refuses(&document, "POST", path, body), "{version} {path} {body}");
        }
        let read = json!({"read": "yes"});
        assert!(refuses(&document, "PUT", "/conversations/1", &read), "{version}");
    }
}

#[test]
fn fields_of_no_schema_are_found_at_any_depth() {
    for document in Document::all() {
        let strangers = |path: &str, body: Value| -> Vec<String> {
            let operation = document.operation("POST", path).unwrap();
            document.strangers(operation.body().unwrap(), &body).into_iter().collect()
        };
        let button = json!({"text": "Yes", "uuid": "x", "colour": "red"});
        let reply = json!({"message_type": "quick_reply", "type": "admin", "admin_id": "1",
            "reply_options": [button]});
        assert_eq!(strangers("/conversations/1/reply", reply), ["colour"]);
        let search = json!({"query": {"operator": "AND", "value": [
            {"field": "open", "operator": "=", "value": true, "negate": true}]}});
        assert_eq!(strangers("/conversations/search", search), ["negate"]);
    }
}

#[test]
fn no_call_of_either_version_sets_a_priority() {
    for document in Document::all() {
        let with_priority: Vec<String> = document
            .operations()
            .into_iter()
            .filter(|operation| operation.path.starts_with("/conversations"))
            .filter(|operation| {
                operation.body().is_some_and(|body| document.fields(body).contains("priority"))
            })
            .map(|operation| format!("{} {}", operation.method, operation.path))
            .collect();
        assert!(with_priority.is_empty(), "{}: {with_priority:?}", document.version);
    }
}
