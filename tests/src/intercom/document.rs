//! The vendor's own OpenAPI document, as a judge of requests and answers.

use super::{Json, Logged, Version};
use jsonschema::{Draft, Validator};
use serde_json::{Map, json};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex},
};

/// Where the document's schemas point to.
const NAMED: &str = "#/components/schemas/";

/// A version of the vendor's document.
pub struct Document {
    whole: Json,
    /// By the place of the schema.
    validators: Mutex<HashMap<String, Arc<Validator>>>,
}

impl Document {
    /// Reads the vendor's document. Where it is not at hand, says so and answers with none.
    pub fn load(version: Version) -> Option<Self> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/specs/intercom");
        let path = folder.join(format!("api.intercom.io-{}.yaml", version.name()));
        let Ok(text) = std::fs::read_to_string(&path) else {
            eprintln!("skipped: {} is not there", path.display());
            return None;
        };
        let mut options = serde_saphyr::Options::default();
        options.budget = None;
        let mut whole: Json = serde_saphyr::from_str_with_options(&text, options).unwrap();
        allow_nulls(&mut whole["components"]["schemas"]);
        allow_nulls(&mut whole["paths"]);
        Some(Self { whole, validators: Mutex::default() })
    }

    /// Says what the document objects to in a request; an empty list is no objection.
    pub fn request_faults(&self, method: &str, path: &str, body: &Json) -> Vec<String> {
        let Some((place, operation)) = self.operation(method, path) else {
            return vec![format!("the document knows no {method} {path}")];
        };
        let pointer = "requestBody/content/application~1json/schema";
        if operation.pointer(&format!("/{pointer}")).is_none() || body.is_null() {
            let required = operation["requestBody"]["required"] == json!(true);
            let fault = format!("{method} {path} wants a body");
            return if required { vec![fault] } else { Vec::new() };
        }
        self.faults(&format!("{place}/{pointer}"), body)
    }

    /// Says what the document objects to in a request that came.
    pub fn logged_faults(&self, logged: &Logged) -> Vec<String> {
        self.request_faults(&logged.method, &logged.path, &logged.body)
    }

    /// Says what the document objects to in an answer. One of a status that it does not name is
    /// held against the schema of errors.
    pub fn answer_faults(&self, method: &str, path: &str, status: u16, body: &Json) -> Vec<String> {
        let Some((place, operation)) = self.operation(method, path) else {
            return vec![format!("the document knows no {method} {path}")];
        };
        let promised = &operation["responses"][status.to_string()];
        match promised {
            Json::Null if status >= 400 => self.schema_faults("error", body),
            Json::Null => vec![format!("{method} {path} promises no {status}")],
            promised if promised.get("content").is_none() => {
                let fault = format!("{method} {path} promises no body for {status}");
                if body.is_null() { Vec::new() } else { vec![fault] }
            }
            _ => {
                let pointer = format!("responses/{status}/content/application~1json/schema");
                self.faults(&format!("{place}/{pointer}"), body)
            }
        }
    }

    /// Says what one of the document's schemas, such as `conversation`, objects to.
    pub fn schema_faults(&self, name: &str, value: &Json) -> Vec<String> {
        self.faults(&format!("components/schemas/{name}"), value)
    }

    /// Lists the document's examples of an answer.
    pub fn examples(&self, method: &str, path: &str, status: u16) -> Vec<&Json> {
        let Some((_, operation)) = self.operation(method, path) else { return Vec::new() };
        let pointer = format!("/responses/{status}/content/application~1json/examples");
        let examples = operation.pointer(&pointer).and_then(Json::as_object);
        examples.into_iter().flat_map(Map::values).map(|example| &example["value"]).collect()
    }

    /// Finds the operation of a path and its place in the document. Of paths that fit, the one with
    /// the fewest parameters is meant.
    fn operation(&self, method: &str, path: &str) -> Option<(String, &Json)> {
        let asked: Vec<&str> = path.split('?').next()?.split('/').collect();
        let fits = |place: &str| {
            let parts: Vec<&str> = place.split('/').collect();
            let same = |(part, asked): (&&str, &&str)| part.starts_with('{') || part == asked;
            parts.len() == asked.len() && parts.iter().zip(&asked).all(same)
        };
        let paths = self.whole["paths"].as_object()?;
        let method = method.to_lowercase();
        let fitting =
            paths.iter().filter(|(place, item)| fits(place) && item.get(&method).is_some());
        let (place, item) = fitting.min_by_key(|(place, _)| place.matches('{').count())?;
        let escaped = place.replace('~', "~0").replace('/', "~1");
        Some((format!("paths/{escaped}/{method}"), &item[&method]))
    }

    fn faults(&self, place: &str, value: &Json) -> Vec<String> {
        let known = self.validators.lock().unwrap().get(place).cloned();
        let validator = known.unwrap_or_else(|| {
            let schema = self.whole.pointer(&format!("/{place}")).cloned().unwrap_or_default();
            let mut named = Map::new();
            self.gather(&schema, &mut named);
            let root = json!({
                "$schema": "http://json-schema.org/draft-07/schema#",
                "components": { "schemas": named },
                "allOf": [schema],
            });
            let options = jsonschema::options()
                .with_draft(Draft::Draft7)
                .should_validate_formats(false)
                .build(&root);
            let validator = Arc::new(options.unwrap_or_else(|fault| panic!("{place}: {fault}")));
            self.validators.lock().unwrap().insert(place.to_string(), validator.clone());
            validator
        });
        let faults = validator.iter_errors(value);
        faults.map(|fault| format!("{}: {fault}", fault.instance_path())).collect()
    }

    /// Gathers the named schemas that a schema leads to; a validator of all would be slow to build.
    fn gather(&self, schema: &Json, named: &mut Map<String, Json>) {
        match schema {
            Json::Array(parts) => parts.iter().for_each(|part| self.gather(part, named)),
            Json::Object(fields) => {
                let name = fields.get("$ref").and_then(Json::as_str);
                if let Some(name) = name.and_then(|name| name.strip_prefix(NAMED))
                    && !named.contains_key(name)
                {
                    let meant = &self.whole["components"]["schemas"][name];
                    named.insert(name.to_string(), meant.clone());
                    self.gather(meant, named);
                }
                fields.values().for_each(|part| self.gather(part, named));
            }
            _ => {}
        }
    }
}

/// Makes JSON schemas of those of OpenAPI 3.0, in which `nullable` is a word of its own.
fn allow_nulls(schema: &mut Json) {
    match schema {
        Json::Array(parts) => parts.iter_mut().for_each(allow_nulls),
        Json::Object(fields) => {
            for (name, part) in fields.iter_mut() {
                if name != "example" && name != "examples" {
                    allow_nulls(part);
                }
            }
            if fields.remove("nullable") == Some(Json::Bool(true)) {
                *schema = json!({ "anyOf": [std::mem::take(fields), { "type": "null" }] });
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::{Document, Version};
    use serde_json::json;

    #[test]
    fn the_document_refuses_what_it_should() {
        for version in [Version::V2_14, Version::V2_16] {
            let Some(document) = Document::load(version) else { return };
            let reply = "/conversations/524/reply";
            let said = |admin| {
                json!({ "message_type": "comment", "type": "admin", "admin_id": admin,
                        "body": "Hello" })
            };
            let state = |operator: &str| json!({ "query": { "field": "state", "operator": operator, "value": "open" } });
            let requests = [
                (reply, said(json!("3156780")), true),
                (reply, said(json!(3_156_780)), false),
                (reply, json!({ "message_type": "comment", "type": "admin" }), false),
                ("/conversations/search", state("="), true),
                ("/conversations/search", state("=="), false),
                ("/conversations/search", json!({}), false),
                ("/nowhere", json!({}), false),
            ];
            for (path, body, lawful) in requests {
                let faults = document.request_faults("POST", path, &body);
                assert_eq!(faults.is_empty(), lawful, "{path} {body}: {faults:?}");
            }
            let answer = |body| document.answer_faults("GET", "/conversations/5", 200, &body);
            assert_ne!(answer(json!({ "id": 5 })), Vec::<String>::new());
            assert_ne!(answer(json!({ "state": "weird" })), Vec::<String>::new());
            assert_eq!(answer(json!({ "id": "5", "title": null })), Vec::<String>::new());
        }
    }
}
