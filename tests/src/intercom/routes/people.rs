use crate::intercom::{
    Json, Refusal, Version,
    request::Request,
    workspace::{Announcement, Workspace},
};
use serde_json::json;

pub(super) fn answer(
    workspace: &mut Workspace,
    request: &Request,
    segments: &[&str],
) -> Result<Json, Refusal> {
    match (request.method.as_str(), segments) {
        ("GET", ["me"]) => {
            let me = workspace.admins.first().ok_or_else(Refusal::not_found)?;
            Ok(me.me(workspace))
        }
        ("GET", ["admins"]) => {
            let admins = workspace.admins.iter().map(|admin| admin.json(workspace));
            Ok(json!({ "type": "admin.list", "admins": admins.collect::<Vec<_>>() }))
        }
        ("GET", ["admins", id]) => Ok(workspace.admin(id)?.json(workspace)),
        ("GET", ["teams"]) => {
            let teams = workspace.teams.iter().map(|team| team.json());
            Ok(json!({ "type": "team.list", "teams": teams.collect::<Vec<_>>() }))
        }
        ("GET", ["teams", id]) => Ok(workspace.team(id)?.json()),
        (_, ["contacts", id, rest @ ..]) => {
            present(workspace, request.version, id)?;
            contact(workspace, request, id, rest)
        }
        ("GET", ["companies", id]) => {
            let missing = || Refusal::new(404, "company_not_found", "Company Not Found");
            let company = workspace.companies.get(*id).ok_or_else(missing)?;
            Ok(company.json(workspace, request.version))
        }
        _ => Err(Refusal::not_found()),
    }
}

/// Refuses a contact that is not there. From 2.16 on a merged one is gone, with a link to where.
fn present(workspace: &Workspace, version: Version, id: &str) -> Result<(), Refusal> {
    let mut into = workspace.merged.get(id);
    if version == Version::V2_16
        && let Some(mut last) = into
    {
        while let Some(next) = workspace.merged.get(last) {
            last = next;
        }
        into = Some(last);
        let message = "This contact has been merged. See the 'Link' header for the canonical \
                       contact.";
        let mut refusal = Refusal::new(410, "contact_merged", message);
        refusal.link = into.map(|id| format!("</contacts/{id}>; rel=\"canonical\""));
        return Err(refusal);
    }
    workspace.contact(id).map(drop)
}

fn contact(
    workspace: &mut Workspace,
    request: &Request,
    id: &str,
    rest: &[&str],
) -> Result<Json, Refusal> {
    match (request.method.as_str(), rest) {
        ("GET", []) => Ok(workspace.contact(id)?.json(workspace)),
        ("PUT", []) => update(workspace, request, id),
        ("DELETE", []) => workspace.delete_contact(id),
        ("GET", ["companies"]) => {
            let ids = &workspace.contact(id)?.companies;
            let companies = ids.iter().filter_map(|id| workspace.companies.get(id));
            let data: Vec<Json> =
                companies.map(|company| company.json(workspace, request.version)).collect();
            let pages = json!({ "type": "pages", "next": null, "page": 1, "per_page": 50,
                                "total_pages": 1 });
            Ok(json!({ "type": "list", "total_count": data.len(), "data": data, "pages": pages }))
        }
        _ => Err(Refusal::not_found()),
    }
}

fn update(workspace: &mut Workspace, request: &Request, id: &str) -> Result<Json, Refusal> {
    let name = request.may_text("name")?.map(str::to_string);
    let email = request.may_text("email")?.map(str::to_string);
    let external_id = request.may_text("external_id")?.map(str::to_string);
    let attributes = match &request.body["custom_attributes"] {
        Json::Null => None,
        Json::Object(attributes) => Some(attributes.clone()),
        _ => return Err(Refusal::invalid("custom_attributes must be an object")),
    };
    let known = |name: &String| {
        workspace.attributes.iter().any(|known| known.model == "contact" && known.name == *name)
    };
    let held = &workspace.contact(id)?.custom_attributes;
    let strange = |name: &&String| !known(name) && !held.contains_key(*name);
    if let Some(name) = attributes.iter().flat_map(|named| named.keys()).find(strange) {
        return Err(Refusal::invalid(format!("Custom attribute '{name}' does not exist")));
    }
    let now = workspace.now;
    let contact = workspace.contacts.get_mut(id).ok_or_else(Refusal::no_contact)?;
    contact.name = name.or(contact.name.take());
    contact.email = email.or(contact.email.take());
    contact.external_id = external_id.or(contact.external_id.take());
    contact.custom_attributes.extend(attributes.unwrap_or_default());
    contact.updated_at = now;
    let item = workspace.contact(id)?.json(workspace);
    workspace.announced.push(Announcement { topic: "contact.user.updated", item: item.clone() });
    Ok(item)
}
