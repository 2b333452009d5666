use crate::markdown;
use bot::{Desk, Office};
use jiff::Timestamp;
use router::{Expectation, Owner, Roster, Slug, Status, expect};
use serde::Serialize;
use serde_json::Value as Json;
use store::{Actor, Content, Entry, OutcomeKind, Record, Source};

/// A conversation as its customer sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Standing {
    id: String,
    status: &'static str,
    /// Who is responsible.
    with: Speaker,
    /// Whether the people who are, or would be, responsible are there.
    people: Option<Presence>,
    /// Whether the bot is about to say something.
    typing: bool,
    /// Whether the customer may rate how it went.
    ratable: bool,
    /// Number of the last entry.
    last: i64,
    preview: String,
    updated_at: String,
}

/// Whether people are there, as far as the hours of their team tell.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Presence {
    open: bool,
    opens_at: Option<String>,
}

/// Who speaks or is responsible, by the name that customers read.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Speaker {
    kind: &'static str,
    name: Option<String>,
}

/// A line of the timeline as its customer sees it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(super) struct Line {
    pub(super) number: i64,
    at: String,
    from: Speaker,
    #[serde(flatten)]
    content: Said,
}

#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Said {
    /// The customer's own words, as they were written.
    Own { text: String, client_id: Option<String> },
    /// What the bot or a teammate wrote, as safe HTML.
    Message { html: String, sources: Vec<Cited>, buttons: Vec<String> },
    /// Something happened; the team or teammate that it names.
    Event { what: String, team: Option<String>, teammate: Option<String> },
}

#[derive(Debug, Clone, PartialEq, Serialize)]
struct Cited {
    title: String,
    url: Option<String>,
}

/// Says whether people of a team are there.
pub(super) fn presence(desk: &Desk, team: &Slug, now: Timestamp) -> Option<Presence> {
    let team = desk.policy().team(team)?;
    let opens_at = match expect(team, &Roster::new(), 0, now) {
        Expectation::OpensAt(at) => Some(at.to_string()),
        _ => None,
    };
    Some(Presence { open: team.is_open(now), opens_at })
}

/// Shows where a conversation stands.
pub(super) async fn standing(
    office: &Office,
    desk: &Desk,
    record: &Record,
) -> Result<Standing, store::Error> {
    let team = match record.state.owner() {
        Owner::Bot => desk.policy().fallback_team(),
        Owner::Team(team) | Owner::Teammate { team, .. } => team,
    };
    let episode = record.state.episode().number;
    let closed = record.state.status() == Status::Closed;
    let ratable = closed && {
        let outcomes = office.store().outcomes(record.id).await?;
        let rated = |kind: OutcomeKind| matches!(kind, OutcomeKind::Rated(_));
        !outcomes.iter().any(|(number, _, outcome)| *number == episode && rated(outcome.kind))
    };
    Ok(Standing {
        id: record.id.to_string(),
        status: match record.state.status() {
            Status::Open => "open",
            Status::Snoozed => "snoozed",
            Status::Closed => "closed",
        },
        with: match record.state.owner() {
            Owner::Bot => Speaker { kind: "bot", name: None },
            Owner::Team(team) => Speaker { kind: "team", name: team_name(desk, team) },
            Owner::Teammate { teammate, .. } => teammate_speaks(desk, teammate),
        },
        people: presence(desk, team, office.now()),
        typing: record.turn_due_at.is_some() && !closed && *record.state.owner() == Owner::Bot,
        ratable,
        last: record.n_entries,
        preview: record.preview.clone(),
        updated_at: record.updated_at.to_string(),
    })
}

/// Shows a line of the timeline; None: it is not the customer's business.
pub(super) fn line(desk: &Desk, entry: Entry) -> Option<Line> {
    if !entry.content.is_public() {
        return None;
    }
    let (from, content) = match entry.content {
        Content::Customer { text, client_id } => {
            (Speaker { kind: "customer", name: None }, Said::Own { text, client_id })
        }
        Content::Bot { text, sources, buttons, .. } => {
            let sources = cited(&text, sources);
            let html = markdown::html(&text);
            (Speaker { kind: "bot", name: None }, Said::Message { html, sources, buttons })
        }
        Content::Teammate { teammate, text } => {
            let (html, sources, buttons) = (markdown::html(&text), Vec::new(), Vec::new());
            (teammate_speaks(desk, &teammate), Said::Message { html, sources, buttons })
        }
        Content::Event { by, what, detail } => {
            let slug = |name: &str| {
                let text = detail.get(name).and_then(Json::as_str)?;
                Slug::try_from(text.to_string()).ok()
            };
            let team = slug("team").and_then(|team| team_name(desk, &team));
            let teammate = slug("teammate").and_then(|mate| teammate_speaks(desk, &mate).name);
            let from = match &by {
                Actor::Bot => Speaker { kind: "bot", name: None },
                Actor::Customer => Speaker { kind: "customer", name: None },
                Actor::Teammate(slug) => teammate_speaks(desk, slug),
                Actor::Program(_) | Actor::Frontdesk => Speaker { kind: "desk", name: None },
            };
            (from, Said::Event { what, team, teammate })
        }
        Content::Note { .. } => return None,
    };
    Some(Line { number: entry.number, at: entry.at.to_string(), from, content })
}

/// Lists what an answer rests on: numbered as its text counts them, otherwise each article once.
fn cited(text: &str, sources: Vec<Source>) -> Vec<Cited> {
    let numbered = text.contains("[1]");
    let mut shown: Vec<Cited> = Vec::new();
    for source in sources {
        let url = source.url.as_deref().and_then(markdown::web_address);
        let cited = Cited { title: source.title, url };
        if numbered || !shown.contains(&cited) {
            shown.push(cited);
        }
    }
    shown
}

fn team_name(desk: &Desk, team: &Slug) -> Option<String> {
    desk.policy().team(team).map(|team| team.name.clone())
}

fn teammate_speaks(desk: &Desk, teammate: &Slug) -> Speaker {
    let member = desk.policy().teams().iter().find_map(|team| team.member(teammate));
    Speaker { kind: "teammate", name: member.map(|member| member.name.clone()) }
}
