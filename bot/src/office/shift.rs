use super::{
    InHand, Office, OfficeError, effects,
    in_hand::{hours_of, team_of},
    said::end_with_the_customer,
    turn::inquiry,
};
use crate::{Context, Desk, Staffing, message};
use jiff::{SignedDuration, Timestamp};
use router::{
    Act, Assignment, Decision, Event, IllegalMove, Owner, Priority, Slug, Status, Waiting,
};
use serde_json::{Value as Json, json};
use std::{collections::BTreeSet, sync::Arc};
use store::{Actor, DueTimer, Id, NewTimer, OutcomeKind, Record, Share};

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
        let (mut busy, close_after) = (false, self.inner.pace.close_after);
        for id in self.store().rested(self.now(), AT_ONCE).await? {
            let woken = self.alter(id, |in_hand| {
                let over = in_hand.record.snoozed_until.is_some_and(|until| until <= in_hand.now);
                if over && in_hand.record.state.status() == Status::Snoozed {
                    in_hand.wake()?;
                    end_when_quiet(in_hand, close_after);
                }
                Ok(())
            });
            busy |= done(id, woken.await)?;
        }
        Ok(busy)
    }

    async fn fire_timers(&self) -> Result<bool, OfficeError> {
        let (mut busy, desk) = (false, self.desk());
        for timer in self.store().timers_due(self.now(), AT_ONCE).await? {
            let spent = self.is_spent(&timer).await?;
            let staffing = match timer.timer.key.starts_with(ESCALATE) {
                true => self.staffing(&desk).await?,
                false => Staffing::default(),
            };
            let fired = self.alter(timer.conversation, |in_hand| {
                in_hand.change.fired.push(timer.timer.key.clone());
                if in_hand.record.state.episode().number == timer.episode && !spent {
                    fire(in_hand, &timer, staffing)?;
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
        if !desk.policy().minds_time() || !self.is_time_to_remind(now) {
            return Ok(false);
        }
        let minute = now.saturating_sub(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MIN);
        let staffing = self.staffing(&desk).await?;
        let mut busy = false;
        let mut after = None;
        loop {
            let page = self.store().waiting(minute, after, AT_ONCE).await?;
            for record in &page {
                busy |= self.remind_of(&desk, record, &staffing).await?;
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

    async fn remind_of(
        &self,
        desk: &Arc<Desk>,
        record: &Record,
        staffing: &Staffing,
    ) -> Result<bool, OfficeError> {
        let episode = record.state.episode().number;
        let fired = self.store().fired(record.id, episode).await?;
        let fired: BTreeSet<String> =
            fired.iter().filter_map(|key| Some(key.strip_prefix(OVERDUE)?.to_string())).collect();
        let customer = self.store().customer(record.customer).await?;
        let entries = self.store().last_entries(record.id, 200).await?;
        let mut turns = self.said_in(record, &entries).await?;
        // What rules ask about the message is asked of what the customer waits for an answer to.
        end_with_the_customer(&mut turns);
        let inquiry = inquiry(record, &customer, turns, (staffing.clone(), self.now()));
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
        let (waiting_since, staffing) = (record.waiting_since, staffing.clone());
        let reminded = self.alter(record.id, |in_hand| {
            if in_hand.record.waiting_since == waiting_since {
                carry_out(in_hand, &decision, staffing)?;
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
        // Two at once would only get in each other's way.
        let Ok(_sharing) = self.inner.sharing.try_acquire() else { return Ok(false) };
        let mut roster = self.store().roster(self.present_since()).await?;
        let is_there = |member: &router::Member| {
            roster.get(&member.slug).is_some_and(|presence| presence.available)
        };
        if !team.members.iter().any(is_there) {
            return Ok(false);
        }
        let mut items = self.store().queue(slug, false, SHARED_AT_ONCE).await?;
        // Systems with an inbox of their own share out by themselves.
        items.retain(|item| !self.is_outward(&item.record.channel));
        let mut queue: Vec<Waiting> = items.iter().map(|item| waiting(&item.record)).collect();
        let mut last = self.store().last_assigned(slug).await?;
        let shared = router::share_out(team, &mut roster, &mut queue, &mut last, self.now());
        let mut busy = false;
        for (id, teammate) in shared {
            let id = id.parse().map_err(|_| OfficeError::NotFound("conversation"))?;
            let capacity = team.member(&teammate).and_then(|member| team.capacity_of(member));
            let assigned = self.alter(id, |in_hand| {
                // Somebody else may have taken it since.
                if *in_hand.record.state.owner() == Owner::Team(slug.clone()) {
                    in_hand.assign(slug, &teammate, &Actor::Frontdesk)?;
                    let (team, teammate) = (slug.clone(), teammate.clone());
                    in_hand.change.share = Some(Share { team, teammate, capacity });
                }
                Ok(())
            });
            busy |= done(id, assigned.await)?;
        }
        Ok(busy)
    }
}

/// Sets a timer for what a rule wants done when nobody has replied for a time.
pub(super) fn set_escalations(in_hand: &mut InHand<'_>, decision: &Decision) {
    let hours = hours_of(in_hand.playbook, in_hand.record);
    for (rule, escalate) in &decision.effects().escalations {
        // A team that hardly ever opens must not keep it for ever: then the clock counts.
        let passed = |hours| escalate.after.passed(hours, in_hand.now);
        let Some(due_at) = passed(hours).or_else(|| passed(None)) else { continue };
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
    let said = said_so_far(record);
    let due_at = in_hand.now.saturating_add(close_after).unwrap_or(Timestamp::MAX);
    // One that ran out while it rested is no reason to leave it open for ever.
    let key = format!("{QUIET}{said}:{}", due_at.as_microsecond());
    let timer = NewTimer { key, due_at, action: json!({"said": said}) };
    in_hand.change.timers.push(timer);
}

/// Counts what customer and bot have said in the episode; notes and tags add nothing to it.
fn said_so_far(record: &Record) -> u32 {
    let episode = record.state.episode();
    episode.turns.saturating_add(episode.bot_turns)
}

/// Does what a timer was set for, unless what it was to prevent has happened.
fn fire(in_hand: &mut InHand<'_>, due: &DueTimer, staffing: Staffing) -> Result<(), OfficeError> {
    let action = &due.timer.action;
    if due.timer.key == DURABLE {
        if in_hand.record.state.status() == Status::Closed {
            in_hand.outcome(OutcomeKind::Durable, None);
        }
        return Ok(());
    }
    if due.timer.key.starts_with(QUIET) {
        let said = u64::from(said_so_far(in_hand.record));
        let is_last = action.get("said").and_then(Json::as_u64) == Some(said);
        let waits = in_hand.record.waiting_since.is_some();
        let open = in_hand.record.state.status() == Status::Open && !waits;
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
            escalate(in_hand, action, staffing)?;
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

fn escalate(
    in_hand: &mut InHand<'_>,
    action: &Json,
    staffing: Staffing,
) -> Result<(), IllegalMove> {
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
        let priority = in_hand.record.priority;
        let act = Act::HandOff { team: open.team, teammate: None, priority };
        hand_on(in_hand, &act, json!({"reason": text("rule")}), staffing)?;
    }
    Ok(())
}

/// Hands a conversation to whom `act` names, unless they have it or a person chose who has it. The
/// customer, who has waited in vain, hears once which other team takes over and what to expect.
fn hand_on(
    in_hand: &mut InHand<'_>,
    act: &Act,
    detail: Json,
    staffing: Staffing,
) -> Result<(), IllegalMove> {
    let Act::HandOff { team, teammate, .. } = act else { return Ok(()) };
    let has_it = match (in_hand.record.state.owner(), teammate) {
        (Owner::Team(owner), None) => owner == team,
        (Owner::Teammate { teammate: owner, .. }, Some(teammate)) => owner == teammate,
        _ => false,
    };
    if has_it {
        return Ok(());
    }
    let by = &Actor::Frontdesk;
    let handed_off = Event::HandedOff { team: team.clone(), by_person: false };
    if in_hand.record.state.clone().apply(&handed_off) == Err(IllegalMove::ChosenByPerson) {
        in_hand.event(by, "left_with_teammate", json!({"team": team.as_str()}));
        return Ok(());
    }
    let teammate = teammate.as_ref().filter(|name| in_hand.may_give(team, name, &staffing.roster));
    if team_of(in_hand.record) != Some(team) {
        let context = Context { staffing, ..Context::at(in_hand.now) };
        let (language, sla) = (in_hand.record.language.clone(), in_hand.record.sla.clone());
        let told = message::to_customer(
            in_hand.playbook,
            (act, sla.as_ref()),
            None,
            language.as_deref(),
            &context,
        );
        if let Some(told) = told {
            in_hand.bot_says(&told, Vec::new(), None, None)?;
        }
    }
    in_hand.hand_off(team, by, detail)?;
    teammate.map_or(Ok(()), |teammate| in_hand.assign(team, teammate, by))
}

/// Does what rules about waiting say.
fn carry_out(
    in_hand: &mut InHand<'_>,
    decision: &Decision,
    staffing: Staffing,
) -> Result<(), IllegalMove> {
    let by = Actor::Frontdesk;
    let rules: Vec<&str> = decision.fired().iter().map(|fired| fired.rule.as_str()).collect();
    in_hand.change.fired.extend(rules.iter().map(|rule| format!("{OVERDUE}{rule}")));
    in_hand.event(&by, "escalated", json!({"rules": rules}));
    hand_on(in_hand, decision.act(), json!({"reason": rules.first()}), staffing)?;
    effects::set(in_hand, &by, decision, &json!({"rules": rules}));
    Ok(())
}

/// Says whether something was done. Another node may just have done the same; and what one
/// conversation does not allow must not keep the others waiting.
fn done<T>(conversation: Id<Record>, done: Result<T, OfficeError>) -> Result<bool, OfficeError> {
    match done {
        Ok(_) => Ok(true),
        Err(OfficeError::Store(store::Error::LeaseLost | store::Error::Full)) => Ok(false),
        Err(OfficeError::Store(failure)) if !matches!(failure, store::Error::Damaged { .. }) => {
            Err(OfficeError::Store(failure))
        }
        Err(refused) => {
            tracing::warn!(conversation.id = %conversation, error = %refused, "left as it is");
            Ok(false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_conversation_that_cannot_be_read_does_not_keep_the_others_waiting() {
        let id = Id::new("2026-11-18T09:30:00Z".parse().unwrap());
        let check = |failure: store::Error, expected: Option<bool>| {
            let done = done::<()>(id, Err(OfficeError::Store(failure)));
            assert_eq!(done.ok(), expected);
        };
        check(store::Error::Damaged { what: "a value", found: "column tags".into() }, Some(false));
        check(store::Error::LeaseLost, Some(false));
        check(store::Error::Full, Some(false));
        check(store::Error::Unusable("it does not answer".into()), None);
    }
}
