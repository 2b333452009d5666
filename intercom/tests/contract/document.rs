use crate::skip;
use intercom::Version;
use jsonschema::{Draft, Validator};
use serde_json::{Map, Value, json};
use std::{collections::BTreeSet, fs, path::PathBuf};

/// The vendor's OpenAPI document of a version, with what OpenAPI 3.0 writes otherwise than JSON
/// Schema written as there.
pub(crate) struct Document {
    pub(crate) version: Version,
    json: Value,
}

/// An operation of the document.
#[derive(Clone, Copy)]
pub(crate) struct Operation<'a> {
    pub(crate) path: &'a str,
    pub(crate) method: &'a str,
    pub(crate) json: &'a Value,
}

/// An answer that the vendor gives as an example.
pub(crate) struct Example<'a> {
    pub(crate) name: String,
    pub(crate) status: u16,
    pub(crate) schema: &'a Value,
    pub(crate) value: &'a Value,
}

pub(crate) fn file(version: Version) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join(format!("../../shared/specs/intercom/api.intercom.io-{version}.yaml"))
}

impl Document {
    /// Reads the document; None, visibly, where it is absent.
    pub(crate) fn open(version: Version) -> Option<Self> {
        let path = file(version);
        let Ok(yaml) = fs::read_to_string(&path) else {
            skip(&format!("{} is absent", path.display()));
            return None;
        };
        // The vendor's file is no stranger's, and larger than a stranger's may be.
        let options = serde_saphyr::options! { budget: None };
        let mut json: Value = serde_saphyr::from_str_with_options(&yaml, options).unwrap();
        write_as_json_schema(&mut json);
        Some(Self { version, json })
    }

    /// Both documents, as far as they are there.
    pub(crate) fn all() -> Vec<Self> {
        [Version::V2_14, Version::V2_16].into_iter().filter_map(Self::open).collect()
    }

    pub(crate) fn operations(&self) -> Vec<Operation<'_>> {
        let paths = self.json["paths"].as_object().unwrap();
        let mut operations = vec![];
        for (path, item) in paths {
            for (method, json) in item.as_object().unwrap() {
                if ["get", "post", "put", "delete", "patch"].contains(&method.as_str()) {
                    operations.push(Operation { path, method, json });
                }
            }
        }
        operations
    }

    /// Finds the operation of a request: of several paths that fit, the most literal one.
    pub(crate) fn operation(&self, method: &str, path: &str) -> Option<Operation<'_>> {
        let fitting = self.operations().into_iter().filter(|operation| {
            operation.method.eq_ignore_ascii_case(method)
                && bindings(operation.path, path).is_some()
        });
        fitting.min_by_key(|operation| operation.path.matches('{').count())
    }

    /// Makes a validator of a schema that may refer to the document's components.
    pub(crate) fn validator(&self, schema: &Value) -> Validator {
        let root = json!({
            "$schema": "http://json-schema.org/draft-07/schema#",
            "components": self.json["components"],
            "allOf": [schema],
        });
        // The document has `type: integer, format: date-time`.
        let options = jsonschema::options().with_draft(Draft::Draft7);
        options.should_validate_formats(false).build(&root).unwrap()
    }

    /// Names the fields that an object of a schema is said to have.
    pub(crate) fn fields(&self, schema: &Value) -> BTreeSet<String> {
        let schema = self.resolve(schema);
        let own = schema["properties"].as_object().into_iter().flat_map(Map::keys).cloned();
        let mut fields: BTreeSet<String> = own.collect();
        for key in ["oneOf", "anyOf", "allOf"] {
            for choice in schema[key].as_array().into_iter().flatten() {
                fields.extend(self.fields(choice));
            }
        }
        fields
    }

    /// Names the fields of a value, at whatever depth, that its schema does not have. Where a schema
    /// names none, or lets others be, all are lawful.
    pub(crate) fn strangers(&self, schema: &Value, value: &Value) -> BTreeSet<String> {
        self.strangers_to(&self.choices(schema), value)
    }

    fn strangers_to(&self, schemas: &[&Value], value: &Value) -> BTreeSet<String> {
        match value {
            Value::Object(fields) => {
                let named: Vec<&Value> = schemas.iter().map(|s| &s["properties"]).collect();
                let is_free = schemas.iter().any(|schema| {
                    let more = &schema["additionalProperties"];
                    more.is_object() || *more == json!(true)
                });
                if is_free || named.iter().all(|properties| properties.is_null()) {
                    return BTreeSet::new();
                }
                let mut strangers = BTreeSet::new();
                for (name, value) in fields {
                    let next: Vec<&Value> =
                        named.iter().filter_map(|properties| properties.get(name)).collect();
                    match next.is_empty() {
                        true => drop(strangers.insert(name.clone())),
                        false => {
                            strangers.extend(self.strangers_to(&self.all_choices(&next), value))
                        }
                    }
                }
                strangers
            }
            Value::Array(items) => {
                let next: Vec<&Value> = schemas.iter().filter_map(|s| s.get("items")).collect();
                let next = self.all_choices(&next);
                items.iter().flat_map(|item| self.strangers_to(&next, item)).collect()
            }
            _ => BTreeSet::new(),
        }
    }

    fn all_choices<'a>(&'a self, schemas: &[&'a Value]) -> Vec<&'a Value> {
        schemas.iter().flat_map(|schema| self.choices(schema)).collect()
    }

    /// Returns a schema and all that it offers as a choice.
    fn choices<'a>(&'a self, schema: &'a Value) -> Vec<&'a Value> {
        let schema = self.resolve(schema);
        let mut choices = vec![schema];
        for key in ["oneOf", "anyOf", "allOf"] {
            for choice in schema[key].as_array().into_iter().flatten() {
                choices.extend(self.choices(choice));
            }
        }
        choices
    }

    fn resolve<'a>(&'a self, schema: &'a Value) -> &'a Value {
        match schema["$ref"].as_str() {
            Some(address) => self.json.pointer(address.trim_start_matches('#')).unwrap(),
            None => schema,
        }
    }

    /// Returns the examples of the answers of an operation.
    pub(crate) fn examples<'a>(&'a self, operation: Operation<'a>) -> Vec<Example<'a>> {
        let mut examples = vec![];
        for (status, answer) in operation.json["responses"].as_object().unwrap() {
            let content = &answer["content"]["application/json"];
            let named = content["examples"].as_object().into_iter().flatten();
            let named = named.map(|(name, example)| (name.as_str(), &example["value"]));
            let alone = content.get("example").map(|value| ("example", value));
            for (name, value) in named.chain(alone) {
                let (method, path) = (operation.method, operation.path);
                let name = format!("{method} {path} {status} {name}");
                let status = status.parse().unwrap();
                examples.push(Example { name, status, schema: &content["schema"], value });
            }
        }
        examples
    }
}

impl Operation<'_> {
    /// Returns the schema of the body that it takes.
    pub(crate) fn body(&self) -> Option<&Value> {
        self.json.pointer("/requestBody/content/application~1json/schema")
    }

    /// Returns the parameters of a kind (`path`, `query`) that it says it has.
    pub(crate) fn parameters(&self, place: &str) -> Vec<&Value> {
        let all = self.json["parameters"].as_array().into_iter().flatten();
        all.filter(|parameter| parameter["in"] == place).collect()
    }
}

/// Finds what stands for the names of a path; None where the path does not fit.
pub(crate) fn bindings<'a>(template: &'a str, path: &'a str) -> Option<Vec<(&'a str, &'a str)>> {
    let (names, values): (Vec<&str>, Vec<&str>) =
        (template.split('/').collect(), path.split('/').collect());
    if names.len() != values.len() {
        return None;
    }
    let mut bound = vec![];
    for (name, value) in names.into_iter().zip(values) {
        match name.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) => bound.push((name, value)),
            None if name == value => {}
            None => return None,
        }
    }
    Some(bound)
}

/// Writes `nullable: true` as JSON Schema has it, wherever it stands.
fn write_as_json_schema(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(write_as_json_schema),
        Value::Object(fields) => {
            fields.values_mut().for_each(write_as_json_schema);
            if fields.get("nullable") == Some(&json!(true)) {
                fields.remove("nullable");
                let schema = Value::Object(std::mem::take(fields));
                *value = json!({"anyOf": [schema, {"type": "null"}]});
            }
        }
        _ => {}
    }
}
