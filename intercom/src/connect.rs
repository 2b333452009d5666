//! Whether a workspace is ready for the desk, and what is missing.

mod people;
mod tickets;

use crate::{
    client::{ApiError, Client, Condition, Found, Operand, Operator, Query, Region},
    wire::{Admin, DataAttribute, ExternalId, Me},
};
use router::{Policy, Slug};
use std::collections::BTreeSet;

/// From this likeness on a team's name is taken for a misspelling of another (share of letters that
/// stay, Damerau and Levenshtein).
const ALIKE: f64 = 0.7;

/// What the desk expects of the workspace.
#[derive(Debug, Clone, Copy)]
pub struct Expected<'a> {
    /// The desk's teams and rules.
    pub policy: &'a Policy,
    /// The seat that the settings name.
    pub seat: Option<&'a ExternalId>,
    /// The region that the settings name.
    pub region: Region,
}

/// What was found about one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Which part: `token`, `workspace`, `scopes`, `seat`, `teams`, `teammates`,
    /// `attributes` or `tickets`.
    pub part: &'static str,
    /// How it is.
    pub state: State,
    /// What was found.
    pub what: String,
    /// What to do about it; empty when nothing is to be done.
    pub mend: String,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// As it should be.
    Good,
    /// It works, and somebody should look.
    Odd,
    /// It does not work.
    Bad,
}

/// A setting that is missing in a file of the desk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// `intercom.admin_id` of frontdesk.toml.
    Seat(ExternalId),
    /// `intercom.region` of frontdesk.toml.
    Region(Region),
    /// `known_as.intercom` of a team of routing.toml.
    Team(Slug, ExternalId),
}

/// What came out.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Examined {
    /// What was found, in the order in which it matters.
    pub findings: Vec<Finding>,
    /// Settings that follow from it without doubt.
    pub missing: Vec<Missing>,
}

/// Looks at everything in the workspace that the desk needs; only reads.
pub async fn examine(client: &Client, expected: &Expected<'_>) -> Examined {
    let mut examined = Examined::default();
    let me = match client.me().await {
        Ok(me) => me,
        Err(failure) => {
            examined.findings.push(no_token(client, &failure));
            return examined;
        }
    };
    let version = client.version();
    examined.good("token", format!("it is valid, and version {version} answers"));
    examined.workspace(&me, expected.region);
    examined.scopes(client).await;
    let admins = client.admins().await;
    match &admins {
        Ok(admins) => examined.seat(admins, &me, expected.seat),
        Err(failure) => examined.unread("seat", "teammates", failure),
    }
    match client.teams().await {
        Ok(teams) => examined.teams(&teams, expected.policy),
        Err(failure) => examined.unread("teams", "teams", &failure),
    }
    if let Ok(admins) = &admins {
        examined.teammates(admins, expected.policy, expected.seat);
    }
    examined.attributes(client, expected.policy).await;
    examined.tickets(client, expected.policy).await;
    examined
}

/// Looks at token and seat alone, as a check of an installation that was connected before.
pub async fn glance(client: &Client, seat: Option<&ExternalId>) -> Vec<Finding> {
    let mut examined = Examined::default();
    match client.me().await {
        Err(failure) => examined.findings.push(no_token(client, &failure)),
        Ok(me) => {
            examined.good("token", "the access token is valid");
            match client.admins().await {
                Ok(admins) => examined.seat(&admins, &me, seat),
                Err(failure) => examined.unread("seat", "teammates", &failure),
            }
        }
    }
    examined.findings
}

fn no_token(client: &Client, failure: &ApiError) -> Finding {
    let version = client.version();
    let mend = match failure {
        ApiError::Unauthorized { .. } => {
            "copy the token again from Configure > Authentication in the Developer Hub, and see \
             that intercom.region is the workspace's"
                .to_string()
        }
        ApiError::Invalid { code, .. } if code == "intercom_version_invalid" => {
            format!("set intercom.version to another one than {version}")
        }
        ApiError::Later { .. } | ApiError::RateLimited { .. } => {
            "try again; see that this machine reaches Intercom over HTTPS".to_string()
        }
        _ => "see status.intercom.com, and set intercom.api_url to nothing or to Intercom".into(),
    };
    Finding { part: "token", state: State::Bad, what: failure.to_string(), mend }
}

impl Examined {
    fn add(
        &mut self,
        part: &'static str,
        state: State,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) {
        self.findings.push(Finding { part, state, what: what.into(), mend: mend.into() });
    }

    fn good(&mut self, part: &'static str, what: impl Into<String>) {
        self.add(part, State::Good, what, "");
    }

    fn unread(&mut self, part: &'static str, what: &str, failure: &ApiError) {
        let what = format!("the {what} cannot be read: {failure}");
        self.add(part, State::Bad, what, "mend what is said of scopes above, and try again");
    }

    fn workspace(&mut self, me: &Me, region: Region) {
        let app = &me.app;
        let name = app.name.as_deref().unwrap_or("without a name");
        let id = app.id_code.as_deref().unwrap_or("unknown");
        self.good("workspace", format!("{name} (id {id})"));
        match app.region.as_deref().map(str::parse::<Region>) {
            Some(Ok(there)) if there != region => {
                let what = format!("its data lie in {there}, and intercom.region is {region}");
                self.add("workspace", State::Bad, what, format!("set region = \"{there}\""));
                self.missing.push(Missing::Region(there));
            }
            Some(Ok(there)) => self.good("workspace", format!("its data lie in {there}")),
            _ => self.add(
                "workspace",
                State::Odd,
                "Intercom does not say where its data lie",
                "compare intercom.region with the address of the inbox: app.eu.intercom.com is eu",
            ),
        }
    }

    /// Reads a little of everything that the bot reads.
    async fn scopes(&mut self, client: &Client) {
        let nothing = ExternalId::from(0);
        let since = Operand::Number(0);
        let query = Query::One(Condition::new("updated_at", Operator::After, since));
        let search = client.search_conversations(&query, None, 1).await.map(drop);
        let attributes = client.attributes(Found::Contact).await.map(drop);
        let read = [
            ("conversations", "Read conversations", search),
            ("contacts", READ_PEOPLE, client.contact(&nothing).await.map(drop)),
            ("companies", READ_PEOPLE, client.company(&nothing).await.map(drop)),
            ("teammates", "Read admins", client.admins().await.map(drop)),
            ("teams", "Read admins", client.teams().await.map(drop)),
            ("tags", "Read tags", client.tags().await.map(drop)),
            ("articles", "Read and List articles", client.articles(None).await.map(drop)),
            ("data attributes", READ_PEOPLE, attributes),
        ];
        let (mut readable, mut is_all) = (Vec::new(), true);
        for (area, scope, outcome) in read {
            match outcome {
                Ok(()) => readable.push(area),
                // There is no contact 0, and to be told so one has to be allowed to ask.
                Err(ApiError::NotFound { .. }) if NUMBERED.contains(&area) => readable.push(area),
                Err(failure) => {
                    is_all = false;
                    self.shut(area, scope, &failure);
                }
            }
        }
        if is_all {
            let what = format!("the token may read {}", readable.join(", "));
            self.good("scopes", what);
        }
    }

    /// Says why an area could not be read.
    fn shut(&mut self, area: &str, scope: &str, failure: &ApiError) {
        match failure {
            // The token itself has proven valid.
            ApiError::Forbidden { code } | ApiError::Unauthorized { code } => {
                let mend = format!(
                    "tick \"{scope}\" in the Developer Hub under Configure > Authentication"
                );
                let what = format!("the token may not read {area} ({code})");
                self.add("scopes", State::Bad, what, mend);
            }
            failure if failure.may_pass() => {
                let what = format!("{area} could not be read: {failure}");
                self.add("scopes", State::Odd, what, "try again");
            }
            failure => {
                let what = format!("{area} cannot be read: {failure}");
                let mend = "see that intercom.api_url leads to Intercom, and try the other \
                            intercom.version";
                self.add("scopes", State::Bad, what, mend);
            }
        }
    }

    fn seat(&mut self, admins: &[Admin], me: &Me, seat: Option<&ExternalId>) {
        let Some(seat) = seat else { return self.no_seat(admins, me) };
        let Some(admin) = admins.iter().find(|admin| admin.id == *seat) else {
            let what = format!("no teammate of the workspace has the id {seat}");
            let mend = format!("set intercom.admin_id to one of: {}", listed(admins));
            return self.add("seat", State::Bad, what, mend);
        };
        let name = shown(admin);
        if !admin.has_inbox_seat {
            let mend = "give it one in Intercom under Settings > Teammates, or name another seat";
            let what = format!("{name} has no inbox seat, so it can neither reply nor assign");
            return self.add("seat", State::Bad, what, mend);
        }
        if admin.away_mode_enabled {
            let what = format!("{name} is away, so what is assigned to it is passed on");
            return self.add("seat", State::Odd, what, "end its away mode in the inbox");
        }
        self.good("seat", format!("the bot writes as {name}"));
    }

    /// Proposes a seat: the one teammate with a bot's name.
    fn no_seat(&mut self, admins: &[Admin], me: &Me) {
        let is_bot = |admin: &&Admin| {
            let name = admin.name.as_ref().map(|name| name.as_str().to_lowercase());
            let name = name.unwrap_or_default();
            let by_name = name.contains("frontdesk")
                || name.split(|c: char| !c.is_alphanumeric()).any(|word| word == "bot");
            admin.has_inbox_seat && by_name
        };
        let bots: Vec<&Admin> = admins.iter().filter(is_bot).collect();
        let owner = format!("the token is that of {}", shown(&me.admin));
        match bots.as_slice() {
            [bot] => {
                let what = format!("intercom.admin_id is not set; {owner}");
                let mend = format!("set admin_id = \"{}\" for {}", bot.id, shown(bot));
                self.add("seat", State::Bad, what, mend);
                self.missing.push(Missing::Seat(bot.id.clone()));
            }
            _ => {
                let what = format!("intercom.admin_id is not set; {owner}");
                let mend = format!("choose a seat by --seat ID, one of: {}", listed(admins));
                self.add("seat", State::Bad, what, mend);
            }
        }
    }

    async fn attributes(&mut self, client: &Client, policy: &Policy) {
        let set: BTreeSet<&String> =
            policy.rules().flat_map(|rule| rule.then.attributes.keys()).collect();
        if set.is_empty() {
            return;
        }
        let there = match client.attributes(Found::Conversation).await {
            Ok(there) => there,
            Err(failure) => return self.unread("attributes", "attributes", &failure),
        };
        let usable = |there: &&DataAttribute| !there.archived && there.api_writable != Some(false);
        let names: BTreeSet<&String> =
            there.iter().filter(usable).map(|there| &there.name).collect();
        let missing: Vec<&str> = set.difference(&names).map(|name| name.as_str()).collect();
        if missing.is_empty() {
            return self.good("attributes", format!("the {} that rules set are there", set.len()));
        }
        let what = format!("conversations there have no attribute {}", missing.join(", "));
        let mend = "make it in Intercom under Settings > Data > Conversations; until then it is kept here alone";
        self.add("attributes", State::Odd, what, mend);
    }
}

/// What is tried by asking for number 0, which nobody has.
const NUMBERED: [&str; 2] = ["contacts", "companies"];

/// The scope behind customers, companies and what is known of them.
const READ_PEOPLE: &str = "Read and list users and companies";

fn shown(admin: &Admin) -> String {
    let name = admin.name.as_ref().map_or("somebody without a name", |name| name.as_str());
    format!("{name} ({})", admin.id)
}

fn listed(admins: &[Admin]) -> String {
    let seated = admins.iter().filter(|admin| admin.has_inbox_seat);
    let all: Vec<String> = seated.map(shown).collect();
    if all.is_empty() { "nobody has an inbox seat yet".into() } else { all.join(", ") }
}
