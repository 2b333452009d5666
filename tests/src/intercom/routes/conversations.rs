use super::{labels, search};
use crate::intercom::{
    Conversation, Json, Part, QuickReply, Refusal, State,
    deeds::{Assignee, Draft},
    html::kept,
    request::Request,
    wire::Shown,
    workspace::Workspace,
};
use serde_json::json;
use uuid::Uuid;

pub(super) fn answer(
    workspace: &mut Workspace,
    request: &Request,
    segments: &[&str],
) -> Result<Json, Refusal> {
    match (request.method.as_str(), segments) {
        ("GET", []) => search::list(workspace, request),
        ("POST", ["search"]) => search::search(workspace, request),
        ("POST", ["redact"]) => redact(workspace, request),
        (_, ["attributes"]) => labels::conversation_attributes(workspace, request),
        ("GET", ["deleted"]) => deleted(workspace, request),
        ("GET", [id]) => {
            let conversation = workspace.conversation(id)?;
            Ok(shown(request).whole(conversation, &conversation.parts, workspace))
        }
        ("PUT", [id]) => update(workspace, request, id),
        ("DELETE", [id]) => {
            workspace.delete(id)?;
            Ok(json!({ "id": id, "object": "conversation", "deleted": true }))
        }
        ("POST", [id, "reply"]) => {
            let (id, part) = reply(workspace, request, id)?;
            with_only(workspace, request, &id, &part)
        }
        ("POST", [id, "parts"]) => {
            let part = manage(workspace, request, id)?;
            with_only(workspace, request, id, &part)
        }
        ("POST", [id, "tags"]) => {
            let (tag, admin) = (request.text("id")?, request.text("admin_id")?);
            workspace.conversation(id).map_err(|_| no_conversation())?;
            Ok(workspace.tag_conversation(id, tag, admin)?.json())
        }
        ("DELETE", [id, "tags", tag]) => untag(workspace, request, id, tag),
        ("POST", [id, "convert"]) => convert(workspace, request, id),
        _ => Err(Refusal::not_found()),
    }
}

fn shown(request: &Request) -> Shown {
    let plaintext = request.query.get("display_as").is_some_and(|display| display == "plaintext");
    Shown { version: request.version, plaintext }
}

fn no_conversation() -> Refusal {
    Refusal::new(404, "not_found", "Conversation not found")
}

/// Answers with the conversation, but of its parts only the new one, as the vendor's examples do.
fn with_only(
    workspace: &Workspace,
    request: &Request,
    id: &str,
    part: &Part,
) -> Result<Json, Refusal> {
    let conversation = workspace.conversation(id)?;
    Ok(shown(request).whole(conversation, std::slice::from_ref(part), workspace))
}

fn update(workspace: &mut Workspace, request: &Request, id: &str) -> Result<Json, Refusal> {
    let title = request.may_text("title")?;
    let read = request.may_truth("read")?;
    let attributes = match &request.body["custom_attributes"] {
        Json::Null => None,
        Json::Object(attributes) => Some(attributes),
        _ => return Err(Refusal::invalid("custom_attributes must be an object")),
    };
    workspace.conversation(id)?;
    if let Some(attributes) = attributes {
        workspace.check_attributes(attributes)?;
    }
    let now = workspace.now;
    let conversation = workspace.conversation_mut(id)?;
    conversation.updated_at = now;
    if let Some(title) = title {
        conversation.title = Some(title.into());
    }
    conversation.read = read.unwrap_or(conversation.read);
    if let Some(attributes) = attributes {
        workspace.set_attributes(id, attributes)?;
    }
    let conversation = workspace.conversation(id)?;
    Ok(shown(request).whole(conversation, &conversation.parts, workspace))
}

/// Keeps a reply, and answers with the conversation's id, which may have been asked for as `last`.
fn reply(
    workspace: &mut Workspace,
    request: &Request,
    id: &str,
) -> Result<(String, Part), Refusal> {
    if request.one_of("type", &["admin", "user"])? == "user" {
        request.one_of("message_type", &["comment"])?;
        let contact = writer(workspace, request)?;
        let body = kept(request.text("body")?);
        let id = if id == "last" { last(workspace, &contact)? } else { id.to_string() };
        let draft = Draft::by_app("comment", Some(body));
        let part = workspace.contact_says(&id, &contact, draft)?;
        return Ok((id, part));
    }
    let admin = request.text("admin_id")?;
    let draft = match request.one_of("message_type", &["comment", "note", "quick_reply"])? {
        "quick_reply" => Draft {
            quick_replies: options(request)?,
            ..Draft::by_app("quick_reply", request.may_text("body")?.map(kept))
        },
        other => {
            let body = request.text("body")?;
            if body.trim().is_empty() {
                return Err(Refusal::missing("body"));
            }
            Draft::by_app(if other == "note" { "note" } else { "comment" }, Some(kept(body)))
        }
    };
    workspace.conversation(id)?;
    Ok((id.to_string(), workspace.admin_writes(id, admin, draft)?))
}

/// Finds the contact on whose behalf a reply is sent.
fn writer(workspace: &Workspace, request: &Request) -> Result<String, Refusal> {
    if let Some(id) = request.may_text("intercom_user_id")? {
        return workspace.contact(id).map(|contact| contact.id.clone());
    }
    let (name, wanted) = match request.may_text("user_id")? {
        Some(id) => ("user_id", id),
        None => ("email", request.may_text("email")?.ok_or_else(Refusal::no_contact)?),
    };
    let is_theirs = |contact: &&crate::intercom::Contact| {
        let held = if name == "email" { &contact.email } else { &contact.external_id };
        held.as_deref() == Some(wanted)
    };
    let contact = workspace.contacts.values().find(is_theirs);
    contact.map(|contact| contact.id.clone()).ok_or_else(Refusal::no_contact)
}

fn last(workspace: &Workspace, contact: &str) -> Result<String, Refusal> {
    let theirs = workspace.conversations.values().filter(|talk| talk.contact == contact);
    let newest = theirs.max_by_key(|conversation| conversation.updated_at);
    newest.map(|conversation| conversation.id.clone()).ok_or_else(Refusal::not_found)
}

/// Reads buttons: each has a text and a UUID.
fn options(request: &Request) -> Result<Vec<QuickReply>, Refusal> {
    let Some(options) = request.body["reply_options"].as_array().filter(|all| !all.is_empty())
    else {
        return Err(Refusal::missing("reply_options"));
    };
    let mut read = Vec::new();
    for option in options {
        let (Some(text), Some(uuid)) = (option["text"].as_str(), option["uuid"].as_str()) else {
            return Err(Refusal::invalid("reply_options must have a text and a uuid"));
        };
        if Uuid::parse_str(uuid).is_err() {
            return Err(Refusal::invalid("uuid is not a UUID"));
        }
        read.push(QuickReply { text: text.into(), uuid: uuid.into() });
    }
    Ok(read)
}

fn manage(workspace: &mut Workspace, request: &Request, id: &str) -> Result<Part, Refusal> {
    let kind = request.one_of("message_type", &["close", "snoozed", "open", "assignment"])?;
    let admin = request.text("admin_id")?.to_string();
    let body = request.may_text("body")?.map(kept);
    workspace.conversation(id)?;
    match kind {
        "close" => {
            request.one_of("type", &["admin"])?;
            workspace.turn(id, &admin, State::Closed, Draft::by_app("close", body))
        }
        "snoozed" => {
            let until = request.integer("snoozed_until")?;
            if until <= workspace.now {
                return Err(Refusal::invalid("snoozed_until must be in the future"));
            }
            workspace.admin(&admin)?;
            workspace.conversation_mut(id)?.snoozed_until = Some(until);
            workspace.turn(id, &admin, State::Snoozed, Draft::by_app("snoozed", None))
        }
        "open" => workspace.turn(id, &admin, State::Open, Draft::by_app("open", None)),
        _ => {
            let to = request.text("assignee_id")?;
            let to = (to != "0").then(|| to.to_string());
            let to = match request.one_of("type", &["admin", "team"])? {
                "admin" => Assignee::Admin(to),
                _ => Assignee::Team(to),
            };
            workspace.assign(id, &admin, to, Draft::by_app("assignment", body))
        }
    }
}

fn untag(
    workspace: &mut Workspace,
    request: &Request,
    id: &str,
    tag: &str,
) -> Result<Json, Refusal> {
    let now = workspace.now;
    workspace.admin(request.text("admin_id")?)?;
    let conversation = workspace.conversation_mut(id).map_err(|_| no_conversation())?;
    let place = conversation.tags.iter().position(|held| held.id == tag);
    let missing = || Refusal::new(404, "tag_not_found", "Tag not found");
    let tagging = conversation.tags.remove(place.ok_or_else(missing)?);
    conversation.updated_at = now;
    Ok(tagging.json())
}

fn convert(workspace: &mut Workspace, request: &Request, id: &str) -> Result<Json, Refusal> {
    let kind = request.text("ticket_type_id")?;
    let kind = workspace.ticket_types.iter().find(|known| known.id == kind).cloned();
    let Some(kind) = kind.filter(|kind| kind.category == "Customer") else {
        return Err(Refusal::invalid("Ticket type is not a customer ticket type"));
    };
    workspace.conversation(id)?;
    let (now, ticket) = (workspace.now, (600 + workspace.next()).to_string());
    let conversation = workspace.conversation_mut(id)?;
    if conversation.ticket.is_some() {
        return Err(Refusal::invalid("Conversation is already a ticket"));
    }
    conversation.ticket = Some(ticket);
    conversation.updated_at = now;
    let conversation: &Conversation = workspace.conversation(id)?;
    Ok(shown(request).ticket(conversation, &kind, workspace))
}

fn redact(workspace: &mut Workspace, request: &Request) -> Result<Json, Refusal> {
    let kind = request.one_of("type", &["conversation_part", "source"])?;
    let id = request.text("conversation_id")?;
    let name = if kind == "source" { "source_id" } else { "conversation_part_id" };
    workspace.redact(id, request.text(name)?)?;
    let conversation = workspace.conversation(id)?;
    Ok(shown(request).whole(conversation, &conversation.parts, workspace))
}

fn deleted(workspace: &Workspace, request: &Request) -> Result<Json, Refusal> {
    request.version.newest()?;
    let deleted = workspace.deleted.iter().rev().map(|(id, at)| {
        json!({ "type": "conversation", "id": id, "metrics_retained": true, "deleted_at": at })
    });
    let deleted: Vec<Json> = deleted.collect();
    Ok(json!({
        "type": "conversations.list", "total_count": deleted.len(),
        "pages": { "type": "pages", "next": null, "page": 1, "per_page": 50, "total_pages": 1 },
        "conversations": deleted,
    }))
}
