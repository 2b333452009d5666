//! Tags, attributes and kinds of tickets.

use crate::intercom::{
    Json, Refusal, Version,
    request::Request,
    workspace::{DataAttribute, Tag, Workspace},
};
use serde_json::json;

pub(super) fn answer(
    workspace: &mut Workspace,
    request: &Request,
    segments: &[&str],
) -> Result<Json, Refusal> {
    match (request.method.as_str(), segments) {
        ("GET", ["tags"]) => Ok(list(workspace.tags.iter().map(Tag::json))),
        ("GET", ["tags", id]) => Ok(workspace.tag(id)?.json()),
        ("POST", ["tags"]) => create_tag(workspace, request),
        ("GET", ["data_attributes"]) => data_attributes(workspace, request),
        ("POST", ["data_attributes"]) => create_attribute(workspace, request),
        ("GET", ["ticket_types"]) => {
            let kinds = workspace.ticket_types.iter().map(|kind| kind.json(workspace));
            Ok(list(kinds))
        }
        _ => Err(Refusal::not_found()),
    }
}

fn list(data: impl Iterator<Item = Json>) -> Json {
    json!({ "type": "list", "data": data.collect::<Vec<_>>() })
}

/// Finds the tag of a name, or makes it. Names differ only in case are one.
fn create_tag(workspace: &mut Workspace, request: &Request) -> Result<Json, Refusal> {
    let refused = |_| Refusal::invalid("invalid tag parameters");
    let name = request.text("name").map_err(refused)?.trim().to_string();
    if name.is_empty() {
        return Err(Refusal::invalid("invalid tag parameters"));
    }
    let known = workspace.tags.iter_mut().find(|tag| match request.body["id"].as_str() {
        Some(id) => tag.id == id,
        None => tag.name.to_lowercase() == name.to_lowercase(),
    });
    let tag = if let Some(tag) = known {
        if request.body["id"].is_string() {
            tag.name = name;
        }
        tag.clone()
    } else {
        let tag = Tag { id: (80 + workspace.next()).to_string(), name };
        workspace.tags.push(tag.clone());
        tag
    };
    let mut answer = tag.json();
    if request.version == Version::V2_16 {
        answer["users"] = json!([]);
        answer["companies"] = json!([]);
    }
    Ok(answer)
}

fn attribute(attribute: &DataAttribute, admin: &str) -> Json {
    json!({
        "id": attribute.id, "type": "data_attribute", "name": attribute.name,
        "full_name": format!("custom_attributes.{}", attribute.name), "label": attribute.name,
        "description": attribute.description, "data_type": attribute.data_type,
        "api_writable": true, "ui_writable": false, "messenger_writable": false, "custom": true,
        "archived": false, "admin_id": admin, "created_at": attribute.created_at,
        "updated_at": attribute.created_at, "model": attribute.model,
    })
}

fn data_attributes(workspace: &Workspace, request: &Request) -> Result<Json, Refusal> {
    let model = request.query.get("model").map(String::as_str);
    if model == Some("conversation") && request.version == Version::V2_16 {
        let message = "model=conversation is no longer supported. Use GET \
                       /conversations/attributes instead";
        return Err(Refusal::new(422, "parameter_invalid", message));
    }
    let asked = |known: &&DataAttribute| match model {
        Some(model) => known.model == model,
        None => known.model != "conversation",
    };
    let me = &workspace.admins[0].id;
    let known = workspace.attributes.iter().filter(asked).map(|known| attribute(known, me));
    Ok(list(known))
}

fn create_attribute(workspace: &mut Workspace, request: &Request) -> Result<Json, Refusal> {
    let name = request.text("name")?.to_string();
    let model = request.one_of("model", &["contact", "company"]).map_err(|_| {
        Refusal::invalid("The Data Attribute model field must be either contact or company")
    })?;
    let kinds = ["string", "integer", "float", "boolean", "datetime", "date"];
    let refused = |_| Refusal::invalid("Data Type isn't an option");
    let data_type = request.one_of("data_type", &kinds).map_err(refused)?;
    let (model, data_type) = (model.to_string(), data_type.to_string());
    if workspace.attributes.iter().any(|known| known.model == model && known.name == name) {
        let message = format!(
            "You already have '{name}' in your {model} data. To save this as new {model} data, \
             use a different name."
        );
        return Err(Refusal::invalid(message));
    }
    let made = make(workspace, (model, name), data_type, request)?;
    Ok(attribute(&made, &workspace.admins[0].id))
}

fn make(
    workspace: &mut Workspace,
    (model, name): (String, String),
    data_type: String,
    request: &Request,
) -> Result<DataAttribute, Refusal> {
    let description = request.may_text("description")?.unwrap_or_default().to_string();
    let id = i64::try_from(workspace.next()).unwrap_or(i64::MAX);
    let created_at = workspace.now;
    let made = DataAttribute { id, model, name, data_type, description, created_at };
    workspace.attributes.push(made.clone());
    Ok(made)
}

/// Lists and makes attributes of conversations by program, which came with 2.16.
pub(super) fn conversation_attributes(
    workspace: &mut Workspace,
    request: &Request,
) -> Result<Json, Refusal> {
    request.version.newest()?;
    if request.method == "GET" {
        let known = workspace.attributes.iter().filter(|known| known.model == "conversation");
        return Ok(list(known.map(|known| conversation_attribute(known, workspace))));
    }
    if request.method != "POST" {
        return Err(Refusal::not_found());
    }
    let name = request.text("name")?.to_string();
    let data_type = request.text("data_type")?.to_string();
    let kinds =
        ["string", "integer", "list", "decimal", "boolean", "datetime", "relationship", "files"];
    if !kinds.contains(&data_type.as_str()) {
        let message =
            format!("data_type '{data_type}' is not valid. Allowed types: {}", kinds.join(", "));
        return Err(Refusal::new(422, "parameter_invalid", message));
    }
    let made = make(workspace, ("conversation".into(), name), data_type, request)?;
    Ok(conversation_attribute(&made, workspace))
}

fn conversation_attribute(attribute: &DataAttribute, workspace: &Workspace) -> Json {
    json!({
        "type": "conversation_attribute", "id": attribute.id, "name": attribute.name,
        "description": attribute.description, "data_type": attribute.data_type,
        "required": false, "visible_to_team_ids": [], "archived": false,
        "created_at": attribute.created_at, "updated_at": attribute.created_at,
        "admin_id": workspace.admins[0].id, "multiline": false,
    })
}
