use crate::document::Document;
use intercom::wire::{
    Admin, Article, Company, Contact, Conversation, DataAttribute, DeletedConversation, ErrorList,
    ExternalPageSaved, ImportSource, Me, Page, Tag, Team, Ticket, TicketType,
};
use jsonschema::Validator;
use serde::de::DeserializeOwned;
use serde_json::Value;
use std::{collections::BTreeMap, fmt::Debug};

/// Where the vendor's examples show the customers of a conversation alone, and no conversation as
/// their schema has it. No calls of ours.
const NO_CONVERSATION: &str = "/conversations/{conversation_id}/customers";

/// Reads an example; what is wrong with it otherwise.
type Reader = fn(&Value) -> Result<(), String>;

/// Reads the object of each schema that is read at all.
fn reader(schema: &str) -> Option<Reader> {
    let reader: Reader = match schema {
        "conversation" => conversation,
        "conversation_list" => conversations,
        "deleted_conversation_list" => |value| page::<DeletedConversation>(value).map(drop),
        "admin_with_app" => |value| read::<Me>(value).map(drop),
        "admin" => |value| read::<Admin>(value).map(drop),
        "admin_list" => |value| page::<Admin>(value).map(drop),
        "team" => |value| read::<Team>(value).map(drop),
        "team_list" => |value| page::<Team>(value).map(drop),
        "tag" | "tag_basic" | "tag_create_response" => |value| read::<Tag>(value).map(drop),
        "tag_list" => |value| page::<Tag>(value).map(drop),
        "contact" => |value| read::<Contact>(value).map(drop),
        "contact_list" => |value| page::<Contact>(value).map(drop),
        "company" => |value| read::<Company>(value).map(drop),
        "company_list" | "contact_attached_companies" => |value| page::<Company>(value).map(drop),
        "article" => article,
        "article_list" => |value| page::<Article>(value).map(drop),
        "content_import_source" => |value| read::<ImportSource>(value).map(drop),
        "content_import_sources_list" => |value| page::<ImportSource>(value).map(drop),
        "external_page" => |value| read::<ExternalPageSaved>(value).map(drop),
        "external_pages_list" => |value| page::<ExternalPageSaved>(value).map(drop),
        "data_attribute" | "conversation_attribute" => {
            |value| read::<DataAttribute>(value).map(drop)
        }
        "data_attribute_list" | "conversation_attribute_list" => {
            |value| page::<DataAttribute>(value).map(drop)
        }
        "ticket" => |value| read::<Ticket>(value).map(drop),
        "ticket_type" => |value| read::<TicketType>(value).map(drop),
        "ticket_type_list" => |value| page::<TicketType>(value).map(drop),
        "error" => errors,
        _ => return None,
    };
    Some(reader)
}

#[test]
fn every_example_of_the_vendor_can_be_read() {
    for document in Document::all() {
        let mut n_consistent: BTreeMap<&str, u32> = BTreeMap::new();
        let mut n_others = 0;
        let mut validators: BTreeMap<&str, Validator> = BTreeMap::new();
        for operation in document.operations() {
            if operation.path.starts_with(NO_CONVERSATION) {
                continue;
            }
            for example in document.examples(operation) {
                let Some(name) = name_of(example.schema) else { continue };
                let Some(reader) = reader(name) else { continue };
                // What breaks the vendor's own schema looks like its real answers all the same.
                let read = reader(example.value);
                assert!(read.is_ok(), "{} {}: {read:?}", document.version, example.name);
                let validator =
                    validators.entry(name).or_insert_with(|| document.validator(example.schema));
                if validator.is_valid(example.value) {
                    *n_consistent.entry(name).or_default() += 1;
                } else {
                    n_others += 1;
                }
            }
        }
        let n_read: u32 = n_consistent.values().sum();
        println!(
            "{}: {n_read} consistent examples read, {n_others} others: {n_consistent:?}",
            document.version
        );
        let least = if document.version.as_str() == "2.14" { 300 } else { 470 };
        assert!(n_read >= least, "{}: {n_read}", document.version);
        assert!(n_consistent["conversation"] >= 10);
    }
}

fn name_of(schema: &Value) -> Option<&str> {
    let address = schema["$ref"].as_str().or_else(|| schema["allOf"][0]["$ref"].as_str())?;
    address.rsplit('/').next()
}

fn read<T: DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|error| error.to_string())
}

fn page<T: DeserializeOwned + Debug>(value: &Value) -> Result<Page<T>, String> {
    let page: Page<T> = read(value)?;
    same(page.n_unreadable, 0, "unreadable items")?;
    Ok(page)
}

fn errors(value: &Value) -> Result<(), String> {
    let list: ErrorList = read(value)?;
    same(list.errors.len(), value["errors"].as_array().map_or(0, Vec::len), "errors")?;
    same(list.errors.iter().any(|fault| fault.code.is_empty()), false, "a fault without code")
}

fn article(value: &Value) -> Result<(), String> {
    let article: Article = read(value)?;
    same(article.content.title.as_str(), value["title"].as_str().unwrap_or_default(), "title")?;
    same(article.content.updated_at.is_some(), value["updated_at"].is_number(), "updated_at")
}

fn conversations(value: &Value) -> Result<(), String> {
    page::<Conversation>(value)?;
    value["conversations"].as_array().into_iter().flatten().try_for_each(conversation)
}

/// Reads a conversation and asks that nothing was taken for absent that is there: a lax reader
/// would hide its own faults.
fn conversation(value: &Value) -> Result<(), String> {
    let read: Conversation = read(value)?;
    let length =
        |pointer: &str| value.pointer(pointer).and_then(Value::as_array).map_or(0, Vec::len);
    let parts = "/conversation_parts/conversation_parts";
    same(read.parts.parts.len(), length(parts), "parts")?;
    same(read.contacts.len(), length("/contacts/contacts"), "contacts")?;
    same(read.tags.len(), length("/tags/tags"), "tags")?;
    same(read.source.is_some(), value["source"].is_object(), "source")?;
    same(read.created_at.is_some(), value["created_at"].is_number(), "created_at")?;
    same(read.updated_at.is_some(), value["updated_at"].is_number(), "updated_at")?;
    same(read.waiting_since.is_some(), value["waiting_since"].is_number(), "waiting_since")?;
    same(read.priority.as_deref(), value["priority"].as_str(), "priority")?;
    same(read.open, value["open"] == true, "open")?;
    let assigned = |name: &str| value[name].as_u64().is_some_and(|id| id != 0);
    same(read.team_assignee_id.is_some(), assigned("team_assignee_id"), "team")?;
    same(read.admin_assignee_id.is_some(), assigned("admin_assignee_id"), "admin")?;
    same(read.statistics.is_some(), value["statistics"].is_object(), "statistics")?;
    same(read.ai_agent.is_some(), value["ai_agent"].is_object(), "ai_agent")?;
    let attributes = value["custom_attributes"].as_object().map_or(0, serde_json::Map::len);
    same(read.custom_attributes.reveal().len(), attributes, "custom_attributes")?;
    let shown = value.pointer(parts).and_then(Value::as_array).into_iter().flatten();
    for (part, value) in read.parts.parts.iter().zip(shown) {
        same(
            part.part_type.as_str(),
            value["part_type"].as_str().unwrap_or_default(),
            "part_type",
        )?;
        same(part.body.is_some(), value["body"].is_string(), "body")?;
        same(part.author.is_some(), value["author"].is_object(), "author")?;
        let author = part.author.as_ref().and_then(|author| author.id.as_ref());
        same(author.is_some(), !value["author"]["id"].is_null(), "author.id")?;
        same(part.created_at.is_some(), value["created_at"].is_number(), "part's created_at")?;
        same(part.assigned_to.is_some(), value["assigned_to"].is_object(), "assigned_to")?;
        let package = value["app_package_code"].as_str();
        same(part.app_package_code.as_deref(), package, "app_package_code")?;
        same(part.redacted, value["redacted"] == true, "redacted")?;
    }
    Ok(())
}

fn same<T: PartialEq + Debug + Copy>(ours: T, theirs: T, what: &str) -> Result<(), String> {
    if ours == theirs { Ok(()) } else { Err(format!("{what}: {ours:?}, but {theirs:?}")) }
}
