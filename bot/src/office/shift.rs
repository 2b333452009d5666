use super::{
    InHand, Office, OfficeError,
    in_hand::hours_of,
    turn::{as_json, inquiry},
};
use crate::Desk;
use jiff::{SignedDuration, Timestamp};
use router::{Act, Assignment, Decision, IllegalMove, Owner, Priority, Slug, Status, Waiting};
use serde_json::{Value as Json, json};
use std::{collections::BTreeSet, sync::Arc};
use store::{Actor, DueTimer, Id, NewTimer, OutcomeKind, Record};

/// What is done at once of each kind; the rest follows in the next look.
const AT_ONCE: u32 = 100;

/// Conversations of a queue that are looked at when it is shared out.
const SHARED_AT_ONCE: u32 = 1_000;

/// How often the rules that ask for the waiting time are read again for whoever waits. They count
/// in minutes.
const REMIND_EVERY: SignedDuration = SignedDuration::from_secs(30);

/// What keys of timers begin with that stand for an escalation.
const ESCALATE: &str = "escalate:";

/// What keys of timers begin with that end a conversation to which nobody adds anything.
const QUIET: &str = "quiet:";

/// Key of the timer that looks whether an end was an end.
pub(super) const DURABLE: &str = "durable";

/// What keys begin with that stand for a rule whose escalation has happened.
const ESCALATED: &str = "escalated:";

/// What keys begin with that stand for a rule about waiting that has fired.
const OVERDUE: &str = "overdue:";

impl Office {
    /// Does what has become due by time. Returns whether that was anything.
    pub(super) async fn look_round(&self) -> Result<bool, OfficeError> {
        let mut busy = self.wake_rested().await?;
        busy |= self.fire_timers().await?;
        busy |= self.remind().await?;
        let desk = self.desk();
        for team in desk.policy().teams() {
            busy |= self.share_out(&team.slug).await?;
        }
        Ok(busy)
    }

    async fn wake_rested(&self) -> Result<bool, OfficeError> {
        let mut busy = false;
        for id in self.store().rested(self.now(), AT_ONCE).await? {
            let woken = self.alter(id, |in_hand| {
                let over = in_hand.record.snoozed_until.is_some_and(|until| until <= in_hand.now);
                if over && in_hand.record.state.status() == Status::Snoozed {
                    in_hand.wake()?;
                }
                Ok(())
            });
            busy |= done(id, woken.await)?;
        }
        Ok(busy)
    }

    async fn fire_timers(&self) -> Result<bool, OfficeError> {
        let mut busy = false;
        for timer in self.store().timers_due(self.now(), AT_ONCE).await? {
            let spent = self.is_spent(&timer).await?;
            let fired = self.alter(timer.conversation, |in_hand| {
                in_hand.change.fired.push(timer.timer.key.clone());
                if in_hand.record.state.episode().number == timer.episode && !spent {
                    fire(in_hand, &timer)?;
                }
                Ok(())
            });
            busy |= done(timer.conversation, fired.await)?;
        }
        Ok(busy)
    }

    /// Whether the rule of an escalation has escalated in this episode.
    async fn is_spent(&self, due: &DueTimer) -> Result<bool, OfficeError> {
        let Some(rule) = due.timer.action.get("rule").and_then(Json::as_str) else {
            return Ok(false);
        };
        let fired = self.store().fired(due.conversation, due.episode).await?;
        Ok(fired.contains(&format!("{ESCALATED}{rule}")))
    }

    /// Reads the rules that ask for the waiting time again for whoever waits for a person.
    async fn remind(&self) -> Result<bool, OfficeError> {
        let (desk, now) = (self.desk(), self.now());
        let asks = |rule: &router::Rule| {
            rule.when.as_ref().is_some_and(|when| when.contains("conversation.waiting_minutes"))
        };
        if !desk.policy().rules().any(asks) || !self.is_time_to_remind(now) {
            return Ok(false);
        }
        let minute = now.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MIN);
        let mut busy = false;
        let mut after = None;
        loop {
            let page = self.store().waiting(minute, after, AT_ONCE).await?;
            for record in &page {
                busy |= self.remind_of(&desk, record).await?;
            }
            after = page.last().and_then(|record| Some((record.waiting_since?, record.id)));
            if after.is_none() || page.len() < AT_ONCE as usize {
                return Ok(busy);
            }
        }
    }

    fn is_time_to_remind(&self, now: Timestamp) -> bool {
        let mut last =
            self.inner.reminded.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let due = last.is_none_or(|last| last.duration_until(now) >= REMIND_EVERY);
        if due {
            *last = Some(now);
        }
        due
    }

    async fn remind_of(&self, desk: &Arc<Desk>, record: &Record) -> Result<bool, OfficeError> {
        let episode = record.state.episode().number;
        let fired = self.store().fired(record.id, episode).await?;
        let fired: BTreeSet<String> =
            fired.iter().filter_map(|key| Some(key.strip_prefix(OVERDUE)?.to_string())).collect();
        let customer = self.store().customer(record.customer).await?;
        let entries = self.store().last_entries(record.id, 200).await?;
        let turns = self.said_in(record, &entries).await?;
        let staffing = self.staffing(desk).await?;
        let inquiry = inquiry(record, &customer, turns, (staffing, self.now()));
        let observing = desk.clone();
        let observed = tokio::spawn(async move { observing.observe(&inquiry).await });
        // Reading that panics costs this look at this conversation, not the shift.
        let Ok(facts) = observed.await else {
            tracing::error!(conversation.id = %record.id, "a conversation could not be read");
            return Ok(false);
        };
        let Some(decision) = router::overdue(desk.policy(), &facts, &fired) else {
            return Ok(false);
        };
        let waiting_since = record.waiting_since;
        let reminded = self.alter(record.id, |in_hand| {
            if in_hand.record.waiting_since == waiting_since {
                carry_out(in_hand, &decision);
            }
            Ok(())
        });
        done(record.id, reminded.await)
    }

    /// Gives the conversations in a team's queue to its teammates, as far as they can take them.
    pub(super) async fn share_out(&self, slug: &Slug) -> Result<bool, OfficeError> {
        let desk = self.desk();
        let Some(team) = desk.policy().team(slug) else { return Ok(false) };
        if team.assignment == Assignment::Manual || !team.is_open(self.now()) {
            return Ok(false);
        }
        // Two at once would each give the same teammate a conversation too many.
        let Ok(_sharing) = self.inner.sharing.try_acquire() else { return Ok(false) };
        let mut roster = self.store().roster(self.present_since()).await?;
        let is_there = |member: &router::Member| {
            roster.get(&member.slug).is_some_and(|presence| presence.available)
        };
        if !team.members.iter().any(is_there) {
            return Ok(false);
        }
        let items = self.store().queue(slug, false, SHARED_AT_ONCE).await?;
        let mut queue: Vec<Waiting> = items.iter().map(|item| waiting(&item.record)).collect();
        let mut last = self.last_assigned().get(slug).cloned();
        let shared = router::share_out(team, &mut roster, &mut queue, &mut last, self.now());
        let mut busy = false;
        for (id, teammate) in shared {
            let id = id.parse().map_err(|_| OfficeError::NotFound("conversation"))?;
            let assigned = self.alter(id, |in_hand| {
                // Somebody else may have taken it since.
                if *in_hand.record.state.owner() == Owner::Team(slug.clone()) {
                    in_hand.assign(slug, &teammate, &Actor::Frontdesk)?;
                }
                Ok(())
            });
            busy |= done(id, assigned.await)?;
        }
        self.last_assigned().extend(last.map(|last| (slug.clone(), last)));
        Ok(busy)
    }

    fn last_assigned(&self) -> std::sync::MutexGuard<'_, std::collections::BTreeMap<Slug, Slug>> {
        self.inner.last_assigned.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// Sets a timer for what a rule wants done when nobody has replied for a time.
pub(super) fn set_escalations(in_hand: &mut InHand<'_>, decision: &Decision) {
    let hours = hours_of(in_hand.playbook, in_hand.record);
    for (rule, escalate) in &decision.effects().escalations {
        let Some(due_at) = escalate.after.passed(hours, in_hand.now) else { continue };
        let action = json!({
            "rule": rule, "set_at": in_hand.now.as_microsecond(),
            "hand_off": escalate.hand_off.as_ref().map(Slug::as_str),
            "priority": escalate.priority.map(Priority::name),
        });
        // Who waits anew, after a reply, is owed the whole time again.
        let since = in_hand.record.waiting_since.unwrap_or(in_hand.now).as_microsecond();
        let key = format!("{ESCALATE}{rule}:{since}");
        in_hand.change.timers.push(NewTimer { key, due_at, action });
    }
}

fn waiting(record: &Record) -> Waiting {
    Waiting {
        id: record.id.to_string(),
        language: record.language.as_deref().and_then(router::Language::of_locale),
        priority: record.priority,
        due: record.due.next().map(|(_, due)| due),
        arrived_at: record.queued_at.unwrap_or(record.created_at),
        teammate: None,
    }
}

/// Has a conversation that the bot answered end when the customer has nothing to add for a time.
pub(super) fn end_when_quiet(in_hand: &mut InHand<'_>, close_after: SignedDuration) {
    let record = &in_hand.record;
    let waits = record.waiting_since.is_some() || record.state.status() != Status::Open;
    if close_after.is_zero() || waits || *record.state.owner() != Owner::Bot {
        return;
    }
    let n_new = i64::try_from(in_hand.change.entries.len()).unwrap_or(0);
    let last = record.n_entries + n_new;
    let due_at = in_hand.now.saturating_add(close_after).unwrap_or(Timestamp::MAX);
    let timer = NewTimer { key: format!("{QUIET}{last}"), due_at, action: json!({"last": last}) };
    in_hand.change.timers.push(timer);
}

/// Does what a timer was set for, unless what it was to prevent has happened.
fn fire(in_hand: &mut InHand<'_>, due: &DueTimer) -> Result<(), OfficeError> {
    let action = &due.timer.action;
    if due.timer.key == DURABLE {
        if in_hand.record.state.status() == Status::Closed {
            in_hand.outcome(OutcomeKind::Durable, None);
        }
        return Ok(());
    }
    if due.timer.key.starts_with(QUIET) {
        let is_last = action.get("last").and_then(Json::as_i64) == Some(in_hand.record.n_entries);
        let open = in_hand.record.state.status() == Status::Open;
        if is_last && open && *in_hand.record.state.owner() == Owner::Bot {
            in_hand.outcome(OutcomeKind::Assumed, None);
            in_hand.close(&Actor::Frontdesk)?;
        }
        return Ok(());
    }
    if due.timer.key.starts_with(ESCALATE) {
        let set_at = action.get("set_at").and_then(Json::as_i64);
        let waits_since = in_hand.record.waiting_since.map(Timestamp::as_microsecond);
        let replied = waits_since.is_none_or(|since| set_at.is_none_or(|set_at| since > set_at));
        if !replied && in_hand.record.state.status() != Status::Closed {
            escalate(in_hand, action);
        }
        return Ok(());
    }
    let promise = action.get("promise").and_then(Json::as_str).unwrap_or_default();
    let overdue = in_hand.record.due.overdue(in_hand.now);
    if overdue.iter().any(|overdue| overdue.name() == promise) {
        in_hand.event(&Actor::Frontdesk, "sla_due", json!({"promise": promise}));
    }
    Ok(())
}

fn escalate(in_hand: &mut InHand<'_>, action: &Json) {
    let text = |name: &str| action.get(name).and_then(Json::as_str).map(str::to_string);
    let by = Actor::Frontdesk;
    in_hand.change.fired.extend(text("rule").map(|rule| format!("{ESCALATED}{rule}")));
    in_hand.event(&by, "escalated", json!({"rule": text("rule")}));
    let priority =
        action.get("priority").cloned().and_then(|name| serde_json::from_value(name).ok());
    if let Some(priority) = priority {
        in_hand.prioritise(&by, priority);
    }
    let team = text("hand_off").and_then(|team| Slug::try_from(team).ok());
    if let Some(team) = team.filter(|team| in_hand.playbook.policy.team(team).is_some()) {
        let teams = in_hand.playbook.policy.teams();
        let open = router::open_team(teams, &team, |team| team.is_open(in_hand.now));
        hand_on(in_hand, &open.team, json!({"reason": text("rule")}));
    }
}

/// Hands a conversation to a team, unless a person chose who has it, or that team has it.
fn hand_on(in_hand: &mut InHand<'_>, team: &Slug, detail: Json) {
    if *in_hand.record.state.owner() == Owner::Team(team.clone()) {
        return;
    }
    if in_hand.hand_off(team, &Actor::Frontdesk, detail) == Err(IllegalMove::ChosenByPerson) {
        let detail = json!({"team": team.as_str()});
        in_hand.event(&Actor::Frontdesk, "left_with_teammate", detail);
    }
}

/// Does what rules about waiting say.
fn carry_out(in_hand: &mut InHand<'_>, decision: &Decision) {
    let by = Actor::Frontdesk;
    let rules: Vec<&str> = decision.fired().iter().map(|fired| fired.rule.as_str()).collect();
    in_hand.change.fired.extend(rules.iter().map(|rule| format!("{OVERDUE}{rule}")));
    in_hand.event(&by, "escalated", json!({"rules": rules}));
    let effects = decision.effects().clone();
    if let Act::HandOff { team, .. } = decision.act() {
        hand_on(in_hand, team, json!({"reason": rules.first()}));
    }
    in_hand.tag(&by, effects.tags);
    if let Some(priority) = effects.priority {
        in_hand.prioritise(&by, priority);
    }
    if effects.sla.is_some() {
        in_hand.record.sla = effects.sla;
    }
    for (name, value) in effects.attributes {
        in_hand.describe(&by, &name, Some(&as_json(&value)));
    }
    for webhook in &effects.webhooks {
        let post = crate::webhook::rule_post(webhook, in_hand.record, &json!({"rules": rules}));
        in_hand.change.posts.push(post);
    }
    set_escalations(in_hand, decision);
}

/// Says whether something was done. Another node may just have done the same; and what one
/// conversation does not allow must not keep the others waiting.
fn done<T>(conversation: Id<Record>, done: Result<T, OfficeError>) -> Result<bool, OfficeError> {
    match done {
        Ok(_) => Ok(true),
        Err(OfficeError::Store(store::Error::LeaseLost)) => Ok(false),
        Err(OfficeError::Store(failure)) => Err(OfficeError::Store(failure)),
        Err(refused) => {
            tracing::warn!(conversation.id = %conversation, error = %refused, "left as it is");
            Ok(false)
        }
    }
}
