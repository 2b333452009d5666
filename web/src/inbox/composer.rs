use super::{session::SignedIn, timeline::Line};
use crate::Front;
use askama::Template;
use router::Owner;
use store::{Customer, Record};

/// The box in which a teammate writes.
#[derive(Template)]
#[template(path = "composer.html")]
pub(super) struct Composer {
    pub(super) id: String,
    pub(super) csrf: String,
    pub(super) text: String,
    /// Whether what is written is for teammates alone.
    pub(super) note: bool,
    /// Number of the last entry that the writer has seen.
    pub(super) seen: i64,
    /// The decision whose draft was taken.
    pub(super) draft: String,
    pub(super) canned: Vec<Canned>,
    pub(super) alert: Option<String>,
    /// What others wrote to the customer meanwhile.
    pub(super) meanwhile: Vec<Line>,
}

/// A text that is ready to be sent, its slots filled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Canned {
    pub(super) slug: String,
    pub(super) text: String,
}

impl Composer {
    /// Makes an empty box for a conversation.
    pub(super) fn new(front: &Front, by: &SignedIn, record: &Record, customer: &Customer) -> Self {
        Self {
            id: record.id.to_string(),
            csrf: by.session.csrf.clone(),
            text: String::new(),
            note: false,
            seen: record.n_entries,
            draft: String::new(),
            canned: canned(front, by, record, customer),
            alert: None,
            meanwhile: Vec::new(),
        }
    }
}

/// Returns the desk's canned replies in the customer's language.
fn canned(front: &Front, by: &SignedIn, record: &Record, customer: &Customer) -> Vec<Canned> {
    let desk = front.office.desk();
    let team = match record.state.owner() {
        Owner::Bot => desk.policy().fallback_team(),
        Owner::Team(team) | Owner::Teammate { team, .. } => team,
    };
    let team = desk.policy().team(team).map(|team| ("team", team.name.as_str()));
    let name = customer.name.as_deref().map(|name| ("customer.name", name));
    let me = Some(("teammate", by.account.name.as_str()));
    let slots: Vec<(&str, &str)> = [team, name, me].into_iter().flatten().collect();
    let language = record.language.as_deref().or(customer.locale.as_deref());
    let wording = &desk.playbook().wording;
    let filled = wording.replies().filter_map(|slug| {
        let (text, _) = wording.canned(slug, language, &slots)?;
        Some(Canned { slug: slug.to_string(), text })
    });
    filled.collect()
}
