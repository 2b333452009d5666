use super::{
    conversation::Opened,
    decision::{DecisionView, plain},
    lists::Row,
    moment::{Badge, Moment},
    page::Refusal,
    session::SignedIn,
};
use crate::{Front, markdown, outside};
use askama::Template;
use router::{Owner, Priority, Slug, Status};
use serde_json::{Map, Value as Json};
use store::QueueItem;

/// Earlier conversations of the customer that are listed.
const EARLIER: u32 = 8;

/// What can be done with a conversation and what is known around it, as a part of a page.
#[derive(Template)]
#[template(path = "side.html")]
pub(super) struct Side {
    pub(super) id: String,
    pub(super) csrf: String,
    pub(super) customer: String,
    /// Whether the name is one that nobody has proven.
    pub(super) unproven: bool,
    pub(super) owner: String,
    pub(super) status: &'static str,
    pub(super) waiting: Option<Moment>,
    snoozed_until: Option<Moment>,
    open: bool,
    /// Whether the one who looks holds it.
    mine: bool,
    with_bot: bool,
    /// Who holds it by a person's choice; taking it from there confirms that this was seen.
    held_by: String,
    /// Number of the last entry, so that nobody ends what they have not read.
    seen: i64,
    priorities: Vec<Choice>,
    assignees: Vec<Assignees>,
    tags: Vec<String>,
    page: Option<(String, Option<String>)>,
    about_customer: Vec<(String, String)>,
    about_company: Vec<(String, String)>,
    about_conversation: Vec<(String, String)>,
    opened: Moment,
    promises: Vec<Badge>,
    earlier: Vec<Row>,
    decisions: Vec<DecisionView>,
    time_zone: String,
}

struct Choice {
    value: String,
    name: String,
    chosen: bool,
}

/// A team with those of it whom a conversation can be given to.
struct Assignees {
    team: String,
    choices: Vec<Choice>,
}

impl Side {
    pub(super) async fn of(front: &Front, by: &SignedIn, opened: &Opened) -> Result<Self, Refusal> {
        let (record, now) = (&opened.record, opened.now);
        let owner = record.state.owner();
        let of_customer = front.office.store().conversations_of(record.customer, EARLIER + 1);
        let earlier = of_customer.await?.into_iter().filter(|other| other.id != record.id);
        let row = |record| {
            let item = QueueItem { record, customer_name: None };
            Row::new(&item, &opened.people, (None, None), now)
        };
        let view = |decided| DecisionView::new(decided, &opened.people, now);
        let desk = front.office.desk();
        Ok(Self {
            id: record.id.to_string(),
            csrf: by.session.csrf.clone(),
            customer: opened.customer_name(),
            unproven: opened.customer.identity.is_none() && opened.customer.name.is_some(),
            owner: opened.people.owner(owner),
            status: match record.state.status() {
                Status::Open => "open",
                Status::Snoozed => "snoozed",
                Status::Closed => "closed",
            },
            waiting: record.waiting_since.map(|since| Moment::new(since, now)),
            snoozed_until: record.snoozed_until.map(|until| Moment::new(until, now)),
            open: record.state.status() != Status::Closed,
            mine: holds(owner, &by.account.teammate),
            with_bot: *owner == Owner::Bot,
            held_by: chosen(owner).map(Slug::to_string).unwrap_or_default(),
            seen: record.n_entries,
            priorities: priorities(record.priority),
            assignees: assignees(front, opened, owner),
            tags: record.tags.iter().cloned().collect(),
            page: record.page.clone().map(|page| (page.clone(), markdown::web_address(&page))),
            about_customer: about_customer(opened),
            about_company: opened
                .customer
                .attributes
                .get("company")
                .and_then(Json::as_object)
                .map(rows)
                .unwrap_or_default(),
            about_conversation: about_conversation(opened),
            opened: Moment::new(record.created_at, now),
            promises: promises(opened),
            earlier: earlier.take(EARLIER as usize).map(row).collect(),
            decisions: opened.decisions.iter().rev().map(view).collect(),
            time_zone: desk.playbook().time_zone.iana_name().unwrap_or("UTC").to_string(),
        })
    }
}

fn holds(owner: &Owner, me: &Slug) -> bool {
    matches!(owner, Owner::Teammate { teammate, .. } if teammate == me)
}

/// Returns who holds a conversation because a person chose so.
fn chosen(owner: &Owner) -> Option<&Slug> {
    match owner {
        Owner::Teammate { teammate, by_person: true, .. } => Some(teammate),
        _ => None,
    }
}

fn priorities(present: Priority) -> Vec<Choice> {
    let all = [Priority::Urgent, Priority::High, Priority::Normal, Priority::Low];
    let choice = |priority: Priority| Choice {
        value: priority.name().into(),
        name: priority.name().into(),
        chosen: priority == present,
    };
    all.into_iter().map(choice).collect()
}

fn assignees(front: &Front, opened: &Opened, owner: &Owner) -> Vec<Assignees> {
    let desk = front.office.desk();
    let people = &opened.people;
    let of_team = |team: &router::Team| {
        let queue = Choice {
            value: team.slug.to_string(),
            name: format!("{} queue", team.name),
            chosen: matches!(owner, Owner::Team(slug) if *slug == team.slug),
        };
        let holds = |member: &Slug| {
            matches!(owner, Owner::Teammate { team: of, teammate, .. }
                if *of == team.slug && teammate == member)
        };
        let members = team.members.iter().filter(|member| member.may_reply).map(|member| Choice {
            value: format!("{}/{}", team.slug, member.slug),
            name: match people.is_available(&member.slug) {
                true => format!("{} (here, {} open)", member.name, people.n_open(&member.slug)),
                false => format!("{} (away)", member.name),
            },
            chosen: holds(&member.slug),
        });
        let choices = std::iter::once(queue).chain(members).collect();
        Assignees { team: team.name.clone(), choices }
    };
    desk.policy().teams().iter().map(of_team).collect()
}

fn promises(opened: &Opened) -> Vec<Badge> {
    let due = opened.record.due;
    let alone = [
        router::Due { first_reply: due.first_reply, ..router::Due::default() },
        router::Due { next_reply: due.next_reply, ..router::Due::default() },
        router::Due { resolution: due.resolution, ..router::Due::default() },
    ];
    alone.iter().filter_map(|due| Badge::of(due, opened.now)).collect()
}

fn about_customer(opened: &Opened) -> Vec<(String, String)> {
    let customer = &opened.customer;
    let proven = match &customer.identity {
        Some(identity) if identity.realm == outside::REALM => "proven by your own systems".into(),
        Some(identity) => format!("vouched for by {}", identity.realm),
        None => "not proven: it may be anybody".into(),
    };
    let known = [
        ("Identity", Some(proven)),
        ("Address", customer.email.clone()),
        ("Known as", customer.identity.as_ref().map(|identity| identity.external_id.clone())),
        ("Locale", customer.locale.clone()),
        ("First came", Some(Moment::new(customer.created_at, opened.now).away)),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?)));
    known.chain(rows(&customer.attributes)).collect()
}

fn about_conversation(opened: &Opened) -> Vec<(String, String)> {
    let record = &opened.record;
    let known = [
        ("Channel", Some(record.channel.clone())),
        ("Topic", record.topic.clone()),
        ("Language", record.language.clone()),
        ("Promise", record.sla.as_ref().map(ToString::to_string)),
        ("Episode", Some(record.state.episode().number).filter(|n| *n > 1).map(|n| n.to_string())),
    ];
    let known = known.into_iter().filter_map(|(name, value)| Some((name.to_string(), value?)));
    known.chain(rows(&record.attributes)).collect()
}

fn rows(attributes: &Map<String, Json>) -> Vec<(String, String)> {
    let shown = attributes.iter().filter(|(name, _)| *name != "company");
    shown.map(|(name, value)| (name.clone(), plain(value))).collect()
}
