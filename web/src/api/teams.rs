use super::{asked::Named, page::Listed};
use crate::{Front, problem::Problem};
use axum::{Json, extract::State};
use jiff::Timestamp;
use router::{Presence, Slug};
use serde::Serialize;
use std::collections::BTreeMap;
use store::Workload;
use utoipa::ToSchema;
use utoipa_axum::{router::OpenApiRouter, routes};

pub(super) fn routes() -> OpenApiRouter<Front> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

/// People who take over conversations.
#[derive(Debug, Serialize, ToSchema)]
struct Team {
    slug: String,
    name: String,
    /// Whether it works now.
    open: bool,
    /// When it opens next, or now while it is open; null: it has no hours, or opens in no ten years.
    next_opening: Option<Timestamp>,
    /// Conversations that wait in its queue.
    n_queued: i64,
    /// Open conversations that its teammates hold.
    n_held: i64,
    /// Who belongs to it.
    members: Vec<Member>,
}

/// A teammate as a part of a team.
#[derive(Debug, Serialize, ToSchema)]
struct Member {
    slug: String,
    name: String,
    /// Whether the teammate's inbox is open and the teammate is not away.
    present: bool,
    /// Open conversations that the teammate holds, of whatever team.
    n_open: u32,
}

/// How the teams stand at a moment.
struct Standing {
    now: Timestamp,
    load: Workload,
    roster: BTreeMap<Slug, Presence>,
}

impl Standing {
    async fn look(front: &Front) -> Result<Self, Problem> {
        let now = front.office.now();
        let load = front.office.store().workload(now).await?;
        let roster = front.office.store().roster(front.office.present_since()).await?;
        Ok(Self { now, load, roster })
    }

    fn show(&self, team: &router::Team) -> Team {
        let count = |counts: &[(Slug, i64)]| {
            counts.iter().find(|(slug, _)| *slug == team.slug).map_or(0, |(_, n)| *n)
        };
        let members = team.members.iter().map(|member| {
            let presence = self.roster.get(&member.slug);
            Member {
                slug: member.slug.to_string(),
                name: member.name.clone(),
                present: presence.is_some_and(|presence| presence.available),
                n_open: presence.map_or(0, |presence| presence.n_open),
            }
        });
        Team {
            slug: team.slug.to_string(),
            name: team.name.clone(),
            open: team.is_open(self.now),
            next_opening: team.hours.as_ref().and_then(|hours| hours.next_opening(self.now)),
            n_queued: count(&self.load.queued),
            n_held: count(&self.load.held),
            members: members.collect(),
        }
    }
}

/// Lists all teams in the order of `routing.toml`: who works now, and how long the queues are.
#[utoipa::path(get, path = "/teams", tag = "teams",
    security(("token" = ["teams:read"])),
    responses((status = 200, description = "All teams.", body = Listed<Team>)))]
async fn list(State(front): State<Front>) -> Result<Json<Listed<Team>>, Problem> {
    let (desk, standing) = (front.office.desk(), Standing::look(&front).await?);
    let items = desk.policy().teams().iter().map(|team| standing.show(team)).collect();
    Ok(Json(Listed { items, next: None }))
}

/// Returns a team.
#[utoipa::path(get, path = "/teams/{slug}", tag = "teams",
    params(("slug" = String, Path, description = "Its slug.")),
    security(("token" = ["teams:read"])),
    responses((status = 200, description = "The team.", body = Team)))]
async fn get(
    State(front): State<Front>,
    Named(slug): Named<String>,
) -> Result<Json<Team>, Problem> {
    let desk = front.office.desk();
    let team = desk.policy().teams().iter().find(|team| team.slug.as_str() == slug);
    let team = team.ok_or_else(|| Problem::not_found("team"))?;
    Ok(Json(Standing::look(&front).await?.show(team)))
}
