use super::{briefing::in_safe_order, shift};
use crate::{Playbook, Told, webhook};
use jiff::{SignedDuration, Timestamp};
use router::{Event, Hours, IllegalMove, Owner, Priority, Roster, SlaClock, Slug, Status};
use serde_json::{Value as Json, json};
use store::{Actor, Change, Content, Entry, Id, NewPost, NewTimer, Record, Source};

/// A conversation in hand: its record while it is altered, and what follows from that. Each verb
/// notes everything that one happening means: state, timeline, waiting time, promises, and what
/// the channel and the webhooks are told.
pub(super) struct InHand<'a> {
    pub(super) playbook: &'a Playbook,
    pub(super) record: &'a mut Record,
    pub(super) change: &'a mut Change,
    pub(super) now: Timestamp,
    /// Whether the channel has to be told; one that reads the store itself has not.
    pub(super) outward: bool,
}

/// How long a conversation has to stay closed to count as ended for good.
const DURABLE_AFTER: SignedDuration = SignedDuration::from_hours(7 * 24);

/// Characters of the last message that lists show.
const PREVIEW_CHARS: usize = 160;

impl<'a> InHand<'a> {
    pub(super) fn new(
        playbook: &'a Playbook,
        record: &'a mut Record,
        change: &'a mut Change,
        (now, outward): (Timestamp, bool),
    ) -> Self {
        Self { playbook, record, change, now, outward }
    }

    /// Works out what is promised by now, and has webhooks told what happened.
    pub(super) fn finish(self) {
        let Self { playbook, record, change, .. } = self;
        record.due = promised(playbook, record);
        for (promise, due) in [
            ("first_reply", record.due.first_reply),
            ("next_reply", record.due.next_reply),
            ("resolution", record.due.resolution),
        ] {
            // One that is past already, as of a team that was closed, is told of at once.
            let Some(due_at) = due else { continue };
            let key = format!("sla:{promise}:{}", due_at.as_microsecond());
            let action = json!({"promise": promise, "due": due_at.to_string()});
            change.timers.push(NewTimer { key, due_at, action });
        }
        in_safe_order(&mut change.posts, &record.channel);
        let told = webhook::change_posts(playbook, record, change);
        change.posts.extend(told);
    }

    /// Returns the number of the last entry, those included that the change adds.
    pub(super) fn last_entry(&self) -> i64 {
        let n_new = i64::try_from(self.change.entries.len()).unwrap_or(i64::MAX);
        self.record.n_entries.saturating_add(n_new)
    }

    pub(super) fn customer_writes(
        &mut self,
        text: String,
        client_id: Option<String>,
        page: Option<String>,
    ) -> Result<(), IllegalMove> {
        let was_closed = self.record.state.status() == Status::Closed;
        self.record.state.apply(&Event::CustomerWrote)?;
        if was_closed {
            self.begin_episode();
        }
        let (now, record) = (self.now, &mut *self.record);
        record.snoozed_until = None;
        record.waiting_since.get_or_insert(now);
        record.page = page.or(record.page.take());
        record.preview = text.chars().take(PREVIEW_CHARS).collect();
        record.turn_due_at = Some(record.turn_due_at.map_or(now, |due| due.min(now)));
        if *record.state.owner() != Owner::Bot {
            // Where people have it from the start, as after a person's reopening, none runs yet.
            record.clock.get_or_insert_with(|| SlaClock::new(now)).customer_wrote(now);
        }
        self.entry(Content::Customer { text, client_id });
        if was_closed {
            self.event(&Actor::Customer, "reopened", json!({}));
        }
        Ok(())
    }

    /// Forgets what was true of the episode that has ended alone: how urgent it was, what was promised
    /// and since when. Tags and attributes tell of the customer's matter, and stay.
    fn begin_episode(&mut self) {
        self.record.clock = None;
        self.record.queued_at = None;
        self.record.sla = None;
        self.record.priority = Priority::default();
        self.outcome(store::OutcomeKind::Reopened, None);
    }

    /// Has the bot say something that `event` stands for; None: words that go with another event,
    /// such as a handoff.
    pub(super) fn bot_says(
        &mut self,
        told: &Told,
        sources: Vec<Source>,
        decision: Option<Id<store::Decided>>,
        event: Option<Event>,
    ) -> Result<(), IllegalMove> {
        let is_handoff = event.is_none();
        if let Some(event) = event {
            self.record.state.apply(&event)?;
            self.nobody_waits();
        }
        let Told { text, buttons } = told.clone();
        let written = json!({
            "author": "bot", "text": text, "sources": sources, "buttons": buttons,
            "decision": decision.map(|id| id.to_string()), "handoff": is_handoff,
            "entry": self.last_entry() + 1,
        });
        self.outward("reply", written);
        self.entry(Content::Bot { text, sources, buttons, decision });
        Ok(())
    }

    /// Notes that the customer has been answered, except for what was written meanwhile.
    pub(super) fn nobody_waits(&mut self) {
        self.record.waiting_since = self.record.turn_due_at.map(|_| self.now);
    }

    pub(super) fn teammate_writes(
        &mut self,
        team: Slug,
        teammate: Slug,
        text: String,
    ) -> Result<store::EntryId, IllegalMove> {
        let was_closed = self.record.state.status() == Status::Closed;
        let event = Event::TeammateWrote { team, teammate: teammate.clone() };
        self.record.state.apply(&event)?;
        if was_closed {
            self.begin_episode();
            self.event(&Actor::Teammate(teammate.clone()), "reopened", json!({}));
        }
        let now = self.now;
        self.record.clock.get_or_insert_with(|| SlaClock::new(now)).teammate_wrote(now);
        self.record.waiting_since = None;
        self.record.snoozed_until = None;
        self.record.queued_at = None;
        let written = json!({
            "author": "teammate", "teammate": teammate.as_str(), "text": text,
            "entry": self.last_entry() + 1,
        });
        self.outward("reply", written);
        Ok(self.entry(Content::Teammate { teammate, text }))
    }

    pub(super) fn note(&mut self, by: &Actor, text: String) {
        self.outward("note", json!({"text": text, "entry": self.last_entry() + 1}));
        self.entry(Content::Note { by: by.clone(), text });
    }

    /// Gives it to a team's queue.
    pub(super) fn hand_off(
        &mut self,
        team: &Slug,
        by: &Actor,
        detail: Json,
    ) -> Result<(), IllegalMove> {
        let event = Event::HandedOff { team: team.clone(), by_person: is_person(by) };
        self.record.state.apply(&event)?;
        self.people_have_it();
        self.record.queued_at = Some(self.now);
        self.record.snoozed_until = None;
        let mut said = json!({"team": team.as_str()});
        merge(&mut said, detail);
        self.outward("assign", json!({"team": team.as_str(), "by_person": is_person(by)}));
        self.event(by, "handed_off", said);
        Ok(())
    }

    /// Gives it to a teammate.
    pub(super) fn assign(
        &mut self,
        team: &Slug,
        teammate: &Slug,
        by: &Actor,
    ) -> Result<(), IllegalMove> {
        let (team, teammate) = (team.clone(), teammate.clone());
        let said = json!({"team": team.as_str(), "teammate": teammate.as_str()});
        let by_person = is_person(by);
        self.record.state.apply(&Event::Assigned { team, teammate, by_person })?;
        self.people_have_it();
        self.record.queued_at = None;
        let mut post = said.clone();
        merge(&mut post, json!({"by_person": by_person}));
        self.outward("assign", post);
        self.event(by, "assigned", said);
        Ok(())
    }

    /// Whether a teammate whom a rule names may be given it now. Systems with an inbox of their own
    /// know who is there; here nobody does.
    pub(super) fn may_give(&self, team: &Slug, teammate: &Slug, roster: &Roster) -> bool {
        let team = self.playbook.policy.team(team);
        let may = |team| router::may_take(team, teammate, roster, self.now).is_ok();
        self.outward || team.is_some_and(may)
    }

    fn people_have_it(&mut self) {
        let now = self.now;
        self.record.clock.get_or_insert_with(|| SlaClock::new(now)).handed_off(now);
    }

    /// Gives it back to the bot, which acts at once where the customer waits.
    pub(super) fn hand_back(&mut self, by: &Actor) -> Result<(), IllegalMove> {
        self.record.state.apply(&Event::HandedBack { by_person: is_person(by) })?;
        self.record.queued_at = None;
        if let Some(clock) = &mut self.record.clock {
            clock.handed_back(self.now);
        }
        if self.record.waiting_since.is_some() {
            self.record.turn_due_at.get_or_insert(self.now);
        }
        self.outward("hand_back", json!({"by_person": is_person(by)}));
        self.event(by, "handed_back", json!({}));
        Ok(())
    }

    pub(super) fn snooze(&mut self, by: &Actor, until: Timestamp) -> Result<(), IllegalMove> {
        self.record.state.apply(&Event::Snoozed)?;
        self.record.snoozed_until = Some(until);
        let said = json!({"until": until.to_string()});
        let mut post = self.ending(by);
        merge(&mut post, said.clone());
        self.outward("snooze", post);
        self.event(by, "snoozed", said);
        Ok(())
    }

    /// Lets it rest for a time.
    pub(super) fn snooze_for(
        &mut self,
        by: &Actor,
        rest: SignedDuration,
    ) -> Result<(), IllegalMove> {
        self.snooze(by, self.now.saturating_add(rest).unwrap_or(Timestamp::MAX))
    }

    pub(super) fn wake(&mut self) -> Result<(), IllegalMove> {
        self.record.state.apply(&Event::Woken)?;
        self.record.snoozed_until = None;
        if *self.record.state.owner() == Owner::Bot && self.record.waiting_since.is_some() {
            self.record.turn_due_at.get_or_insert(self.now);
        }
        self.event(&Actor::Frontdesk, "woken", json!({}));
        Ok(())
    }

    pub(super) fn close(&mut self, by: &Actor) -> Result<(), IllegalMove> {
        self.record.state.apply(&Event::Closed)?;
        self.record.waiting_since = None;
        self.record.snoozed_until = None;
        self.record.queued_at = None;
        self.record.turn_due_at = None;
        if let Some(clock) = &mut self.record.clock {
            clock.resolved();
        }
        let due_at = self.now.saturating_add(DURABLE_AFTER).unwrap_or(Timestamp::MAX);
        let timer = NewTimer { key: shift::DURABLE.to_string(), due_at, action: Json::Null };
        self.change.timers.push(timer);
        let post = self.ending(by);
        self.outward("close", post);
        self.event(by, "closed", json!({}));
        Ok(())
    }

    /// What a post says that lets a conversation rest or end: who does, and at which entry.
    fn ending(&self, by: &Actor) -> Json {
        json!({"by_person": is_person(by), "entry": self.last_entry() + 1})
    }

    /// Opens it again without a word, for a person who did so; it stays with whoever had it.
    pub(super) fn reopen(&mut self, by: &Actor) -> Result<(), IllegalMove> {
        let was_closed = self.record.state.status() == Status::Closed;
        self.record.state.apply(&Event::Reopened)?;
        self.record.snoozed_until = None;
        if was_closed {
            self.begin_episode();
            self.event(by, "reopened", json!({}));
        }
        Ok(())
    }

    /// Notes what the bot has said to the customer elsewhere, in a life of the desk that this one
    /// does not remember: a backup was put back, or the customer was erased here.
    pub(super) fn bot_said_before(&mut self, text: String) {
        self.record.turn_due_at = None;
        if self.record.state.apply(&Event::BotReplied).is_ok() {
            self.record.waiting_since = None;
        }
        let (sources, buttons) = (Vec::new(), Vec::new());
        self.entry(Content::Bot { text, sources, buttons, decision: None });
    }

    pub(super) fn tag(&mut self, by: &Actor, tags: impl IntoIterator<Item = String>) {
        let new: Vec<String> =
            tags.into_iter().filter(|tag| self.record.tags.insert(tag.clone())).collect();
        if !new.is_empty() {
            self.outward("tag", json!({"tags": new}));
            self.event(by, "tagged", json!({"tags": new}));
        }
    }

    pub(super) fn untag(&mut self, by: &Actor, tag: &str) {
        if self.record.tags.remove(tag) {
            self.outward("untag", json!({"tags": [tag]}));
            self.event(by, "untagged", json!({"tags": [tag]}));
        }
    }

    pub(super) fn prioritise(&mut self, by: &Actor, priority: Priority) {
        if self.record.priority != priority {
            self.record.priority = priority;
            self.outward("priority", json!({"priority": priority.name()}));
            self.event(by, "prioritised", json!({"priority": priority.name()}));
        }
    }

    pub(super) fn describe(&mut self, by: &Actor, name: &str, value: Option<&Json>) {
        if self.record.attributes.get(name) == value {
            return;
        }
        match value {
            Some(value) => drop(self.record.attributes.insert(name.to_string(), value.clone())),
            None => drop(self.record.attributes.remove(name)),
        }
        self.outward("attribute", json!({"name": name, "value": value}));
        self.event(by, "described", json!({"attribute": name}));
    }

    /// Has the channel make a ticket of it, where it knows tickets.
    pub(super) fn make_ticket(&mut self, by: &Actor, kind: &str) {
        self.outward("ticket", json!({"ticket": kind}));
        if self.outward {
            self.event(by, "ticketed", json!({"ticket": kind}));
        }
    }

    pub(super) fn outcome(&mut self, kind: store::OutcomeKind, comment: Option<String>) {
        self.change.outcomes.push(store::Outcome { kind, comment });
    }

    /// Notes an event on the timeline.
    pub(super) fn event(&mut self, by: &Actor, what: &str, detail: Json) {
        self.entry(Content::Event { by: by.clone(), what: what.to_string(), detail });
    }

    fn entry(&mut self, content: Content) -> store::EntryId {
        let id = Id::<Entry>::new(self.now);
        self.change.entries.push((id, content));
        id
    }

    /// Has the channel told, where it keeps a record of its own.
    pub(super) fn outward(&mut self, kind: &str, body: Json) {
        if self.outward {
            let destination = self.record.channel.clone();
            self.change.posts.push(NewPost { destination, kind: kind.to_string(), body });
        }
    }
}

/// Whether a person, or a program in a person's place, acts; what they choose nothing but a person
/// changes.
pub(super) fn is_person(by: &Actor) -> bool {
    matches!(by, Actor::Teammate(_) | Actor::Program(_))
}

/// Returns the teams whose queues a conversation has come to, by the entries that say so.
pub(super) fn queues_entered(entries: &[(store::EntryId, Content)]) -> Vec<String> {
    let team = |content: &Content| match content {
        Content::Event { what, detail, .. } if what == "handed_off" => {
            Some(detail.get("team")?.as_str()?.to_string())
        }
        _ => None,
    };
    entries.iter().filter_map(|(_, content)| team(content)).collect()
}

/// Returns the team that has a conversation.
pub(super) fn team_of(record: &Record) -> Option<&Slug> {
    match record.state.owner() {
        Owner::Bot => None,
        Owner::Team(team) | Owner::Teammate { team, .. } => Some(team),
    }
}

/// Returns the hours of the team that has a conversation.
pub(super) fn hours_of<'a>(playbook: &'a Playbook, record: &Record) -> Option<&'a Hours> {
    playbook.policy.team(team_of(record)?)?.hours.as_ref()
}

fn promised(playbook: &Playbook, record: &Record) -> router::Due {
    let policy = &playbook.policy;
    let due = || {
        let clock = record.clock.as_ref()?;
        let team = team_of(record)?;
        let of_team = policy.team(team).and_then(|team| team.sla.as_ref());
        let sla = policy.sla(record.sla.as_ref().or(of_team)?)?;
        Some(sla.due(hours_of(playbook, record), clock))
    };
    due().unwrap_or_default()
}

fn merge(into: &mut Json, from: Json) {
    if let (Json::Object(into), Json::Object(from)) = (into, from) {
        into.extend(from);
    }
}

#[cfg(test)]
mod tests;
