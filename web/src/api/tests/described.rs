use super::{super::SCOPES, *};

fn document() -> Json {
    document::finish(&super::super::described().into_openapi())
}

fn operations(document: &Json) -> Vec<(String, String, Json)> {
    let paths = document["paths"].as_object().unwrap();
    let all = paths.iter().flat_map(|(path, methods)| {
        methods
            .as_object()
            .unwrap()
            .iter()
            .map(|(method, operation)| (path.clone(), method.to_uppercase(), operation.clone()))
    });
    all.collect()
}

fn references(value: &Json, found: &mut Vec<String>) {
    match value {
        Json::Object(fields) => {
            found.extend(fields.get("$ref").and_then(Json::as_str).map(str::to_string));
            fields.values().for_each(|inner| references(inner, found));
        }
        Json::Array(items) => items.iter().for_each(|inner| references(inner, found)),
        _ => {}
    }
}

#[test]
fn the_document_is_whole() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let operations = operations(&document);
    assert!(operations.len() > 40, "{}", operations.len());
    let mut ids = std::collections::BTreeSet::new();
    for (path, method, operation) in &operations {
        let place = format!("{method} {path}");
        let scope = operation["security"][0]["token"][0].as_str();
        assert!(scope.is_some_and(|scope| SCOPES.contains(&scope)), "{place}: {scope:?}");
        assert!(operation["summary"].as_str().is_some_and(|text| text.ends_with('.')), "{place}");
        assert!(!operation["tags"][0].is_null() && !operation["responses"]["default"].is_null());
        let id = operation["operationId"].as_str().unwrap().to_string();
        assert!(ids.insert(id.clone()), "{place}: {id} is another operation's id too");
        for part in path.split('/').filter(|part| part.starts_with('{')) {
            let name = part.trim_matches(['{', '}']);
            let parameters = operation["parameters"].as_array().unwrap();
            assert!(parameters.iter().any(|p| p["name"] == name && p["in"] == "path"), "{place}");
        }
    }
    let mut found = Vec::new();
    references(&document, &mut found);
    for reference in &found {
        let place = reference.trim_start_matches('#');
        assert!(document.pointer(place).is_some(), "{reference} leads nowhere");
    }
    for (name, schema) in document["components"]["schemas"].as_object().unwrap() {
        let used = found.iter().any(|reference| reference.ends_with(&format!("/{name}")));
        assert!(used, "no operation uses {name}");
        let mut whole = schema.clone();
        whole["components"] = document["components"].clone();
        jsonschema::validator_for(&whole).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
}

#[tokio::test]
async fn what_is_described_is_there_and_nothing_else() {
    let api = Api::open().await;
    let methods = ["GET", "POST", "PUT", "PATCH", "DELETE"];
    let operations = operations(&api.document);
    for (path, _) in api.document["paths"].as_object().unwrap() {
        let concrete: Vec<&str> =
            path.split('/').map(|part| if part.starts_with('{') { "x" } else { part }).collect();
        let concrete = concrete.join("/");
        let described: Vec<&str> =
            operations.iter().filter(|(p, ..)| p == path).map(|(_, m, _)| m.as_str()).collect();
        for method in methods {
            let place = concrete.strip_prefix("/api/v1").unwrap();
            let answer = Answer::of(api.request(method, place)).await;
            if described.contains(&method) {
                assert_ne!(answer.status, 405, "{method} {path}");
                let nowhere = json!("there is no place like that");
                assert_ne!(answer.body["detail"], nowhere, "{method} {path}");
            } else {
                answer.refuses(405, "method_not_allowed");
                let allowed = answer.headers["allow"].to_str().unwrap().to_string();
                assert!(described.iter().all(|method| allowed.contains(method)), "{allowed}");
            }
        }
    }
    // Routes are made of descriptions alone, but for the three that show them.
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("src/api");
    let sources = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    for source in sources.filter(|path| path.is_file() && !path.ends_with("tests.rs")) {
        let text = std::fs::read_to_string(&source).unwrap();
        assert!(!text.contains(".route(\""), "{} has a route of its own", source.display());
    }
}

#[tokio::test]
async fn the_document_and_its_page_are_open_to_everybody_and_load_nothing_foreign() {
    let api = Api::open().await;
    let fetch = async |path: &str| {
        let answer = api.client.get(format!("{}/api/v1{path}", api.root)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        (answer.headers().clone(), answer.text().await.unwrap())
    };
    let (_, text) = fetch("/openapi.json").await;
    assert_eq!(serde_json::from_str::<Json>(&text).unwrap(), api.document);
    let (headers, page) = fetch("/docs").await;
    let policy = headers["content-security-policy"].to_str().unwrap();
    assert!(policy.starts_with("default-src 'none'; style-src 'self'"), "{policy}");
    for (path, method, _) in operations(&api.document) {
        let shown = page.contains(&format!("<code>{path}</code>"));
        assert!(shown && page.contains(&format!("\">{method}</span>")), "{method} {path}");
    }
    assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("://cdn"));
    let (headers, _) = fetch("/docs.css").await;
    assert_eq!(headers["content-type"], "text/css; charset=utf-8");
}
