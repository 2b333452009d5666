//! The description of the API: OpenAPI 3.1 for programs, a page for people, from the same text.

use super::{ROOT, bearer::SCOPES};
use askama::Template;
use axum::{
    http::header,
    response::{Html, IntoResponse, Response},
};
use serde::Serialize;
use serde_json::{Map, Value as Json, json};
use utoipa::{
    OpenApi, ToSchema,
    openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
};

const INTRODUCTION: &str = "Conversations, customers, articles, teams and decisions of a Frontdesk, \
for programs. Every request carries a token: `Authorization: Bearer fdt_…`, made by \
`frontdesk tokens add NAME --scope SCOPE`. Times are UTC (RFC 3339), ids are UUIDs and sort by \
time. Lists come in pages: ask again with the `next` of the answer. A POST with an \
`Idempotency-Key` is done once in 24 hours, however often it is sent. Errors are \
`application/problem+json` (RFC 9457) with a stable `code`; fields may be added to any answer.";

#[derive(OpenApi)]
#[openapi(
    components(schemas(Trouble)),
    tags(
        (name = "conversations", description = "Finding, opening and moving conversations."),
        (name = "messages", description = "What was said and what happened."),
        (name = "customers", description = "The people who ask."),
        (name = "articles", description = "The help centre as the bot reads it."),
        (name = "teams", description = "Who works, and how long the queues are."),
        (name = "decisions", description = "What the bot decided, why, and how it was judged."),
        (name = "webhooks", description = "Where events are sent, and what became of them."),
        (name = "tokens", description = "Who may use this interface.")
    )
)]
struct Head;

/// What went wrong.
#[derive(Serialize, ToSchema)]
#[schema(as = Problem)]
struct Trouble {
    /// Always `about:blank`; the code says what it is.
    r#type: String,
    /// The name of the status.
    title: String,
    /// The status.
    status: u16,
    /// Stable name, such as `not_found`.
    code: String,
    /// What is wrong and how to mend it, for people.
    detail: String,
    /// The field that is wrong, such as `message.text`.
    #[schema(nullable = false)]
    field: Option<String>,
}

/// Returns what does not belong to a single route.
pub(super) fn head() -> utoipa::openapi::OpenApi {
    let mut head = Head::openapi();
    let token = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some(format!("A token with the scope that is named: {}.", SCOPES.join(", "))))
        .build();
    if let Some(components) = &mut head.components {
        components.add_security_scheme("token", SecurityScheme::Http(token));
    }
    head.info.title = "Frontdesk".into();
    head.info.version = "1".into();
    head.info.description = Some(INTRODUCTION.into());
    head.info.contact = None;
    head
}

/// Makes the document of what the routes say: with whole paths, and with what every operation can
/// answer and take.
pub(super) fn finish(described: &utoipa::openapi::OpenApi) -> Json {
    let Ok(mut document) = serde_json::to_value(described) else { return Json::Null };
    let relative = document["paths"].take();
    let mut paths = Map::new();
    for (path, operations) in relative.as_object().cloned().unwrap_or_default() {
        let Json::Object(mut operations) = operations else { continue };
        for (method, operation) in &mut operations {
            add_shared(method, &path, operation);
        }
        paths.insert(format!("{ROOT}{path}"), Json::Object(operations));
    }
    document["paths"] = Json::Object(paths);
    name_items(&mut document);
    forget_unused(&mut document);
    document
}

/// Has each page name the schema of its items, which the derivation writes out.
fn name_items(document: &mut Json) {
    let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
    let names: Vec<String> = schemas.keys().cloned().collect();
    for name in &names {
        let page = format!("Listed_{name}");
        if let Some(page) = schemas.get_mut(&page) {
            let reference = format!("#/components/schemas/{name}");
            page["properties"]["items"]["items"] = json!({ "$ref": reference });
        }
    }
}

/// Takes out the schemas that nothing names.
fn forget_unused(document: &mut Json) {
    loop {
        let text = document.to_string();
        let Some(schemas) = document["components"]["schemas"].as_object_mut() else { return };
        let n_before = schemas.len();
        schemas.retain(|name, _| text.contains(&format!("\"#/components/schemas/{name}\"")));
        if schemas.len() == n_before {
            return;
        }
    }
}

fn add_shared(method: &str, path: &str, operation: &mut Json) {
    // The names of the functions repeat from noun to noun.
    let words = path.split(['/', '-']).map(|word| word.trim_matches(['{', '}']));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    operation["operationId"] = json!(format!("{method}_{}", words.join("_")));
    operation["responses"]["default"] = json!({
        "description": "Something is wrong; the code says what.",
        "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
    });
    if method == "post" && path != "/tokens" {
        let key = json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "Names the request; sent again within 24 hours it is not done again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": 200},
        });
        match operation["parameters"].as_array_mut() {
            Some(parameters) => parameters.push(key),
            None => operation["parameters"] = json!([key]),
        }
    }
}

/// The document as people read it.
#[derive(Template)]
#[template(path = "api.html")]
struct Page {
    introduction: String,
    groups: Vec<Group>,
    schemas: Vec<Schema>,
}

struct Group {
    name: String,
    description: String,
    operations: Vec<Operation>,
}

struct Operation {
    method: String,
    path: String,
    summary: String,
    description: String,
    scope: String,
    fields: Vec<Field>,
    body: String,
    answers: Vec<(String, String, String)>,
}

struct Schema {
    name: String,
    description: String,
    fields: Vec<Field>,
}

struct Field {
    name: String,
    kind: String,
    needed: bool,
    description: String,
}

/// Renders the document for people.
pub(super) fn page(document: &Json) -> String {
    let groups = document["tags"].as_array().into_iter().flatten().map(|tag| {
        let name = text(&tag["name"]);
        let operations = operations(document).into_iter().filter(|(tag, _)| *tag == name);
        let operations = operations.map(|(_, operation)| operation).collect();
        Group { description: text(&tag["description"]), operations, name }
    });
    let schemas = document["components"]["schemas"].as_object().into_iter().flatten();
    let schemas = schemas.map(|(name, schema)| Schema {
        name: name.clone(),
        description: text(&schema["description"]),
        fields: fields(schema),
    });
    let introduction = text(&document["info"]["description"]);
    let page = Page { introduction, groups: groups.collect(), schemas: schemas.collect() };
    page.render().unwrap_or_default()
}

fn operations(document: &Json) -> Vec<(String, Operation)> {
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in methods.as_object().into_iter().flatten() {
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let parameters = parameters.map(|parameter| Field {
                name: text(&parameter["name"]),
                kind: format!("{}, {}", kind(&parameter["schema"]), text(&parameter["in"])),
                needed: parameter["required"] == json!(true),
                description: text(&parameter["description"]),
            });
            let answers = operation["responses"].as_object().into_iter().flatten();
            let answers = answers.map(|(status, answer)| {
                let content = answer["content"].as_object().and_then(|kinds| kinds.values().next());
                let schema = content.map(|content| kind(&content["schema"])).unwrap_or_default();
                (status.clone(), schema, text(&answer["description"]))
            });
            let body = &operation["requestBody"]["content"]["application/json"]["schema"];
            let shown = Operation {
                method: method.to_uppercase(),
                path: path.clone(),
                summary: text(&operation["summary"]),
                description: text(&operation["description"]),
                scope: text(&operation["security"][0]["token"][0]),
                fields: parameters.collect(),
                body: if body.is_null() { String::new() } else { kind(body) },
                answers: answers.collect(),
            };
            found.push((text(&operation["tags"][0]), shown));
        }
    }
    found
}

/// Lists the fields of a schema, those of its parts and variants too.
fn fields(schema: &Json) -> Vec<Field> {
    let mut found = Vec::new();
    let required = schema["required"].as_array();
    for (name, inner) in schema["properties"].as_object().into_iter().flatten() {
        found.push(Field {
            name: name.clone(),
            kind: kind(inner),
            needed: required.is_some_and(|required| required.contains(&json!(name))),
            description: text(&inner["description"]),
        });
    }
    for part in ["allOf", "oneOf"] {
        for inner in schema[part].as_array().into_iter().flatten() {
            found.extend(fields(inner));
        }
    }
    found
}

/// Says in a word what a schema takes.
fn kind(schema: &Json) -> String {
    if let Some(name) = schema["$ref"].as_str() {
        return name.rsplit('/').next().unwrap_or_default().to_string();
    }
    if let Some(values) = schema["enum"].as_array() {
        let values: Vec<String> = values.iter().map(text).collect();
        return values.join(" | ");
    }
    for part in ["allOf", "oneOf", "anyOf"] {
        if let Some(parts) = schema[part].as_array() {
            let mut kinds: Vec<String> = parts.iter().map(kind).collect();
            kinds.dedup();
            return kinds.join(" | ");
        }
    }
    let plain = match &schema["type"] {
        Json::Array(kinds) => kinds.iter().map(text).collect::<Vec<_>>().join(" | "),
        other => text(other),
    };
    match (plain.as_str(), schema["format"].as_str()) {
        ("", _) => "anything".into(),
        ("array", _) => format!("list of {}", kind(&schema["items"])),
        (_, Some(format @ ("uuid" | "date-time"))) => format!("{plain} ({format})"),
        _ => plain,
    }
}

fn text(value: &Json) -> String {
    value.as_str().unwrap_or_default().to_string()
}

/// Nothing but the page's own style sheet is loaded, and nothing runs.
const POLICY: &str = "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; \
                      frame-ancestors 'none'";

/// Answers with the page.
pub(super) fn html(page: &str) -> Response {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
    ];
    (headers, Html(page.to_string())).into_response()
}

/// Answers with the page's style sheet.
pub(super) fn css() -> Response {
    let kind = [(header::CONTENT_TYPE, "text/css; charset=utf-8")];
    (kind, include_str!("../../api/docs.css")).into_response()
}
