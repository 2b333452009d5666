use super::{Json, Version, workspace::Workspace};
use serde::Serialize;
use serde_json::{Map, json};

/// A teammate, as Intercom knows one.
#[derive(Clone, Debug, Serialize)]
pub struct Admin {
    /// Digits.
    pub id: String,
    /// What customers read.
    pub name: String,
    /// Where Intercom writes to.
    pub email: String,
    /// Whether conversations can be assigned.
    pub has_inbox_seat: bool,
    /// Whether they are away.
    pub away: bool,
}

/// A team.
#[derive(Clone, Debug, Serialize)]
pub struct Team {
    /// Digits.
    pub id: String,
    /// What teammates read.
    pub name: String,
    /// Ids of those in it.
    pub admins: Vec<String>,
    /// Whether what it gets is given to one of them at once.
    pub round_robin: bool,
}

/// A person who writes: a user, who is known to the company, or a lead, who is not.
#[derive(Clone, Debug, Serialize)]
pub struct Contact {
    /// 24 hexadecimal digits.
    pub id: String,
    /// The company's own id of them; leads have none.
    pub external_id: Option<String>,
    /// Their name.
    pub name: Option<String>,
    /// Their address.
    pub email: Option<String>,
    /// What the company keeps of them.
    pub custom_attributes: Map<String, Json>,
    /// Ids of their companies.
    pub companies: Vec<String>,
    /// Seconds.
    pub created_at: i64,
    /// Seconds.
    pub updated_at: i64,
}

/// A company that contacts belong to.
#[derive(Clone, Debug, Serialize)]
pub struct Company {
    /// 24 hexadecimal digits.
    pub id: String,
    /// The id that the company gave it.
    pub company_id: String,
    /// Its name.
    pub name: String,
    /// The plan it pays for.
    pub plan: Option<String>,
    /// What is kept of it.
    pub custom_attributes: Map<String, Json>,
    /// Seconds.
    pub created_at: i64,
}

/// Reads the digits of an id, for the fields that Intercom answers with integers.
pub(crate) fn number(id: &str) -> Json {
    id.parse::<i64>().map_or(Json::Null, Json::from)
}

impl Admin {
    pub(crate) fn json(&self, workspace: &Workspace) -> Json {
        let teams = workspace.teams.iter().filter(|team| team.admins.contains(&self.id));
        let team_ids: Vec<Json> = teams.map(|team| number(&team.id)).collect();
        json!({
            "type": "admin", "id": self.id, "name": self.name, "email": self.email,
            "away_mode_enabled": self.away, "away_mode_reassign": false,
            "has_inbox_seat": self.has_inbox_seat, "team_ids": team_ids,
        })
    }

    /// Renders the answer to `GET /me`.
    pub(crate) fn me(&self, workspace: &Workspace) -> Json {
        let mut me = self.json(workspace);
        me["email_verified"] = json!(true);
        me["avatar"] = json!({ "type": "avatar", "image_url": null });
        me["app"] = json!({
            "type": "app", "id_code": workspace.app_id, "name": "Vannerly",
            "created_at": workspace.started_at, "secure": false,
            "identity_verification": false, "timezone": "Europe/Dublin", "region": "US",
        });
        me
    }
}

impl Team {
    pub(crate) fn json(&self) -> Json {
        let admin_ids: Vec<Json> = self.admins.iter().map(|id| number(id)).collect();
        json!({
            "type": "team", "id": self.id, "name": self.name, "admin_ids": admin_ids,
            "assignment_limit": null, "distribution_method": "manual",
        })
    }
}

impl Contact {
    /// Says whether the contact is a user or a lead.
    pub fn role(&self) -> &'static str {
        if self.external_id.is_some() { "user" } else { "lead" }
    }

    pub(crate) fn reference(&self) -> Json {
        json!({ "type": "contact", "id": self.id, "external_id": self.external_id })
    }

    pub(crate) fn json(&self, workspace: &Workspace) -> Json {
        let place = |what: &str| format!("/contacts/{}/{what}", self.id);
        let empty = |what: &str| {
            json!({ "type": "list", "data": [], "url": place(what), "total_count": 0,
                    "has_more": false })
        };
        let companies: Vec<Json> = self
            .companies
            .iter()
            .map(|id| json!({ "type": "company", "id": id, "url": format!("/companies/{id}") }))
            .collect();
        let mut contact = json!({
            "type": "contact", "id": self.id, "workspace_id": workspace.app_id,
            "external_id": self.external_id, "role": self.role(), "email": self.email,
            "phone": null, "name": self.name, "avatar": null, "owner_id": null,
            "social_profiles": { "type": "list", "data": [] },
            "has_hard_bounced": false, "marked_email_as_spam": false,
            "unsubscribed_from_emails": false,
            "created_at": self.created_at, "updated_at": self.updated_at,
            "signed_up_at": self.external_id.as_ref().map(|_| self.created_at),
            "location": { "type": "location", "country": null, "region": null, "city": null,
                          "country_code": null, "continent_code": null },
            "custom_attributes": self.custom_attributes,
            "tags": empty("tags"), "notes": empty("notes"),
            "companies": { "type": "list", "data": companies, "url": place("companies"),
                           "total_count": self.companies.len(), "has_more": false },
            "opted_out_subscription_types": empty("subscriptions"),
            "opted_in_subscription_types": empty("subscriptions"),
            "utm_campaign": null, "utm_content": null, "utm_medium": null, "utm_source": null,
            "utm_term": null, "referrer": null, "enabled_push_messaging": null,
        });
        for unknown in UNKNOWN_OF_CONTACTS {
            contact[unknown] = Json::Null;
        }
        contact
    }
}

/// What a messenger would have told of a contact's devices and visits.
const UNKNOWN_OF_CONTACTS: [&str; 22] = [
    "last_seen_at",
    "last_replied_at",
    "last_contacted_at",
    "last_email_opened_at",
    "last_email_clicked_at",
    "language_override",
    "browser",
    "browser_version",
    "browser_language",
    "os",
    "android_app_name",
    "android_app_version",
    "android_device",
    "android_os_version",
    "android_sdk_version",
    "android_last_seen_at",
    "ios_app_name",
    "ios_app_version",
    "ios_device",
    "ios_os_version",
    "ios_sdk_version",
    "ios_last_seen_at",
];

impl Company {
    pub(crate) fn json(&self, workspace: &Workspace, version: Version) -> Json {
        let contacts = workspace.contacts.values();
        let n_contacts = contacts.filter(|contact| contact.companies.contains(&self.id)).count();
        let plan = self.plan.as_ref();
        let plan =
            plan.map_or(json!({}), |name| json!({ "type": "plan", "id": "1", "name": name }));
        let mut company = json!({
            "type": "company", "company_id": self.company_id, "id": self.id,
            "app_id": workspace.app_id, "name": self.name,
            "remote_created_at": self.created_at, "created_at": self.created_at,
            "updated_at": self.created_at, "last_request_at": self.created_at,
            "monthly_spend": 0, "session_count": 0,
            "user_count": n_contacts, "tags": { "type": "tag.list", "tags": [] },
            "segments": { "type": "segment.list", "segments": [] }, "plan": plan,
            "custom_attributes": self.custom_attributes,
        });
        if version == Version::V2_16 {
            company["notes"] = json!({ "type": "note.list", "notes": [] });
        }
        company
    }
}
