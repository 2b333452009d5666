//! Who has a conversation, and whether it goes on: what the desk does about that there.

use super::{There, unwanted};
use crate::{
    client::{ApiError, Assignee, Manage},
    history::{is_own, part_name},
    standing::Standing,
    wire::{Conversation, ExternalId, Part, State},
};
use bot::{Delivered, DeliveryError};
use jiff::Timestamp;
use serde_json::Value as Json;

const HELD: &str = "a teammate has the conversation in Intercom";

/// To whom it is to be given there.
struct Target {
    team: Option<ExternalId>,
    admin: Option<ExternalId>,
}

impl There<'_> {
    /// Gives it to a team, and to its teammate where one is named. What the bot gives away stays with
    /// the person who has it by now; people choose as they like. The fallback team stands in for one
    /// that is not there.
    pub(super) async fn assign(&self) -> Result<Delivered, DeliveryError> {
        let target = self.target()?;
        let conversation = self.read().await?;
        // What an earlier attempt did; its answer was lost.
        let ours: Vec<&Part> = self.unknown_assignments(&conversation).collect();
        let mut names: Vec<String> = ours.iter().map(|part| part_name(&part.id)).collect();
        let has_team = target.team.is_some() && conversation.team_assignee_id == target.team;
        let is_done = has_team && !ours.is_empty();
        let holder = conversation.admin_assignee_id.as_ref();
        let is_somebody = holder.is_some_and(|holder| holder != self.directory.bot());
        if !self.is_by_person() {
            let standing = self.standing(&conversation);
            let is_others = is_somebody && holder != target.admin.as_ref() && !is_done;
            if is_others || !standing.may_be_given() {
                return Err(unwanted(HELD));
            }
            if conversation.state == State::Closed {
                names.extend(made(
                    &self.managed(Manage::Open).await?,
                    self.directory.bot(),
                    "open",
                ));
            }
        }
        let mut after = None;
        if let Some(team) = target.team.as_ref().filter(|_| !has_team) {
            after = Some(self.give_to_team(team).await?);
        }
        let assigned = |answer: &Conversation| made(answer, self.directory.bot(), "assign");
        names.extend(after.iter().flat_map(assigned));
        let holds_on = match &after {
            Some(after) => after.admin_assignee_id.as_ref() == holder,
            None => !is_done,
        };
        match &target.admin {
            Some(admin) if holder != Some(admin) => {
                names.extend(self.give_to_admin(admin, target.team.is_some()).await?);
            }
            // Whoever had it before would keep it from being shared out; whom the team's own rules
            // have chosen since keeps it.
            None if holder.is_some() && holds_on => {
                let freed = self.managed(Manage::Assign(Assignee::NoAdmin)).await?;
                names.extend(assigned(&freed));
            }
            _ => {}
        }
        Ok(Delivered { said: "assigned".into(), names })
    }

    fn target(&self) -> Result<Target, DeliveryError> {
        let (team, teammate) = (self.slug("team"), self.slug("teammate"));
        let fallback = || self.directory.team_there(self.directory.fallback());
        let team = team.as_ref().and_then(|team| self.directory.team_there(team));
        let admin = teammate.as_ref().and_then(|slug| self.directory.teammate_there(slug));
        let team = if admin.is_none() { team.or_else(fallback) } else { team };
        if team.is_none() && admin.is_none() {
            let mend = "name it alike in Intercom, or set known_as.intercom in routing.toml";
            let what = format!("the team has no counterpart in Intercom; {mend}");
            return Err(DeliveryError::Never(what));
        }
        Ok(Target { team: team.cloned(), admin })
    }

    /// Gives it to a team; to the fallback team where the workspace does not have or allow that one.
    async fn give_to_team(&self, team: &ExternalId) -> Result<Conversation, DeliveryError> {
        let given = self.manage_there(Manage::Assign(Assignee::Team(team))).await;
        let fallback = self.directory.team_there(self.directory.fallback());
        match (given, fallback.filter(|fallback| *fallback != team)) {
            (Err(failure), Some(fallback)) if is_refused(&failure) => {
                tracing::warn!(error = %failure, "a team takes no conversation; the fallback team does");
                self.managed(Manage::Assign(Assignee::Team(fallback))).await
            }
            (given, _) => given.map_err(|failure| self.failed(&failure)),
        }
    }

    /// Gives it to a teammate. Where that is refused and a team has it, the team keeps it.
    async fn give_to_admin(
        &self,
        admin: &ExternalId,
        has_team: bool,
    ) -> Result<Vec<String>, DeliveryError> {
        match self.manage_there(Manage::Assign(Assignee::Admin(admin))).await {
            Ok(given) => Ok(made(&given, self.directory.bot(), "assign")),
            Err(failure) if has_team && is_refused(&failure) => {
                tracing::warn!(error = %failure, "a teammate takes no conversation; the team has it");
                Ok(Vec::new())
            }
            Err(failure) => Err(self.failed(&failure)),
        }
    }

    /// Gives it back to the bot's seat, unless somebody there has taken it; people do as they like.
    pub(super) async fn hand_back(&self) -> Result<Delivered, DeliveryError> {
        if !self.is_by_person() {
            let standing = self.standing(&self.read().await?);
            if standing.is_held || !standing.may_be_given() {
                return Err(unwanted(HELD));
            }
        }
        self.manage(Manage::Assign(Assignee::Admin(self.directory.bot())), "assign").await
    }

    pub(super) async fn snooze(&self) -> Result<Delivered, DeliveryError> {
        let until = self.text("until").and_then(|until| until.parse::<Timestamp>().ok());
        let until = until.ok_or_else(|| DeliveryError::Never("the time is missing".into()))?;
        self.may_end().await?;
        self.manage(Manage::Snooze(until), "snooze").await
    }

    /// Ends it. The bot ends nothing over the head of a person or over the customer's words.
    pub(super) async fn close(&self) -> Result<Delivered, DeliveryError> {
        self.may_end().await?;
        self.manage(Manage::Close, "close").await
    }

    async fn may_end(&self) -> Result<(), DeliveryError> {
        if self.is_by_person() {
            return Ok(());
        }
        match self.standing(&self.read().await?).may_end() {
            true => Ok(()),
            false => Err(unwanted("something has happened to the conversation in Intercom since")),
        }
    }

    async fn manage(&self, deed: Manage<'_>, kind: &str) -> Result<Delivered, DeliveryError> {
        let names = made(&self.managed(deed).await?, self.directory.bot(), kind);
        Ok(Delivered { said: "done".into(), names })
    }

    async fn managed(&self, deed: Manage<'_>) -> Result<Conversation, DeliveryError> {
        self.manage_there(deed).await.map_err(|failure| self.failed(&failure))
    }

    async fn manage_there(&self, deed: Manage<'_>) -> Result<Conversation, ApiError> {
        self.intercom.client.at_once().manage(&self.id, self.directory.bot(), deed).await
    }

    /// Finds assignments from the bot's seat that the desk has no name of.
    fn unknown_assignments<'c>(
        &'c self,
        conversation: &'c Conversation,
    ) -> impl Iterator<Item = &'c Part> {
        conversation.parts.parts.iter().filter(|part| {
            part.part_type.contains("assign")
                && is_own(part, self.directory)
                && !self.parcel.taken.contains(&part_name(&part.id))
                && self.is_younger(part)
        })
    }

    pub(super) fn standing(&self, conversation: &Conversation) -> Standing {
        Standing::read(conversation, self.directory, self.parcel.taken)
    }

    /// Whether a person wants it. What an older release wrote does not say of everything.
    fn is_by_person(&self) -> bool {
        match (&self.parcel.post.body["by_person"], self.parcel.post.kind.as_str()) {
            (Json::Bool(by_person), _) => *by_person,
            (_, kind) => kind != "assign",
        }
    }
}

/// Whether no later attempt of the same changes anything.
fn is_refused(failure: &ApiError) -> bool {
    use ApiError::{Forbidden, Invalid, NotFound};
    matches!(failure, NotFound { .. } | Forbidden { .. } | Invalid { .. })
}

/// Returns what the vendor calls the part that a call under a seat has made: of those in its answer
/// the last of that kind.
fn made(answer: &Conversation, seat: &ExternalId, kind: &str) -> Vec<String> {
    let is_it = |part: &&Part| {
        let author = part.author.as_ref().and_then(|author| author.id.as_ref());
        author == Some(seat) && part.part_type.contains(kind)
    };
    answer
        .parts
        .parts
        .iter()
        .rev()
        .find(is_it)
        .map(|part| part_name(&part.id))
        .into_iter()
        .collect()
}
