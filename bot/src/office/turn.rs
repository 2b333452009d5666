use super::{
    InHand, Office, OfficeError,
    briefing::{briefing, so_far},
    effects,
    in_hand::queues_entered,
    said::{end_with_the_customer, said},
    shift,
};
use crate::{Answer, Context, Desk, Inquiry, Question, Staffing, Told, message};
use jiff::Timestamp;
use knowledge::Reader;
use router::{
    Act, Author, Confidence, Decision, Episode, Event, IllegalMove, Message, Owner, Priority,
    Reason, Reply, Slug, Status, Waiting,
};
use serde_json::{Value as Json, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use store::{
    Actor, Basis, Customer, Decided, Entry, Guard, Id, Leased, NewDecision, OutcomeKind, Record,
    Source,
};
use tracing::Instrument;

/// Entries of a conversation that the bot looks back on.
pub(crate) const LOOK_BACK: u32 = 200;

/// The realm of customers whom the desk's own site names, by a signature.
const DESK: &str = "desk";

/// What the bot decided to do in a turn, and what it rests on.
struct Turn {
    answer: Option<Answer>,
    /// What the answer rests on, as it is kept.
    basis: Option<Basis>,
    decision: Decision,
    told: Option<Told>,
    /// What the customer wrote last.
    asked: String,
    /// What was said before, in short.
    so_far: String,
    /// Number of the last entry that was known.
    about: i64,
    /// Who had the conversation then, and what had been said in the episode.
    owner: Owner,
    episode: Episode,
    took: Duration,
}

/// Conversations of all queues together that are looked at to tell a customer how many come first.
const COUNTED_AT_ONCE: u32 = 2_000;

/// What has come of a turn.
struct Done {
    /// The name of the act; None: there was nothing to decide.
    act: Option<&'static str>,
    /// Teams whose queues the conversation came to.
    queues: Vec<String>,
}

impl Turn {
    /// Has people say what the bot cannot.
    fn kept_back(self, desk: &Desk, why: &str) -> Self {
        let Self { answer, decision, .. } = self;
        let facts = answer.as_ref().map(|answer| &answer.facts);
        let reason = Reason::Unavailable(why.to_string());
        let decision = match facts {
            Some(facts) => router::keep_back(desk.policy(), facts, decision, reason),
            None => decision,
        };
        Self { answer, decision, told: None, ..self }
    }
}

impl Office {
    /// Takes a conversation's turn: reads what was said, decides, and records everything at once.
    pub(super) async fn take_turn(&self, leased: Leased) -> Result<(), OfficeError> {
        let Leased { lease, record } = leased;
        let start = Instant::now();
        let waited = record.turn_due_at.map(|due| due.duration_until(self.now()));
        let about = record.n_entries;
        let turns = self.known_to(&record).await?;
        let desk = self.desk();
        let turn = if turns.last().is_some_and(|turn| turn.author == Author::Customer) {
            let customer = self.store().customer(record.customer).await?;
            let staffing = self.staffing(&desk).await?;
            let roster = staffing.roster.clone();
            let asked = turns.last().map(|turn| turn.text.clone()).unwrap_or_default();
            let so_far = so_far(&turns);
            let inquiry = inquiry(&record, &customer, turns, (staffing, self.now()));
            let answered = self.answer_holding(&desk, inquiry, &lease).await?;
            let turn = turn_of(&desk, &record, answered, (about, start.elapsed(), self.now()));
            // Where another system has the inbox, it knows who is there.
            let there = (!self.is_outward(&record.channel)).then_some((&roster, self.now()));
            let decision = effects::for_whoever_is_there(desk.policy(), turn.decision, there);
            let turn = Turn { decision, ..turn };
            let channel = self.channel(&record.channel);
            let silent = channel.and_then(|channel| channel.keeps_bot_silent(&record.channel));
            let turn = match silent {
                Some(why) => turn.kept_back(&desk, why),
                None => turn,
            };
            Some(Turn { asked, so_far, ..turn })
        } else {
            None
        };
        let (now, outward) = (self.now(), self.is_outward(&record.channel));
        let recording = Instant::now();
        let recorded =
            self.store().change(record.id, Guard::Leased(lease), now, |record, change| {
                // What was said meanwhile is for the next turn.
                record.turn_due_at = record.turn_due_at.filter(|_| record.n_entries > about);
                let mut in_hand = InHand::new(desk.playbook(), record, change, (now, outward));
                let act = turn.as_ref().map(|turn| keep(&mut in_hand, turn));
                if turn.is_some() {
                    shift::end_when_quiet(&mut in_hand, self.inner.pace.close_after);
                }
                let number = in_hand.last_entry();
                in_hand.finish();
                let done = Done { act, queues: queues_entered(&change.entries) };
                Ok::<_, std::convert::Infallible>((number, record.state.owner().clone(), done))
            });
        match recorded.await {
            Ok(Ok((number, owner, done))) => {
                self.changed(record.id, number);
                if let Some(turn) = &turn {
                    tally::note_turn(turn, &done, (waited, recording.elapsed()));
                }
                if let Owner::Team(team) = owner {
                    self.share_out(&team).await?;
                }
                Ok(())
            }
            Ok(Err(never)) => match never {},
            Err(failure) => Err(failure.into()),
        }
    }

    /// Returns what was said in the episode when a conversation was leased. What has come since is
    /// for the next turn, as is what comes later.
    async fn known_to(&self, record: &Record) -> Result<Vec<Message>, OfficeError> {
        let mut entries = self.store().last_entries(record.id, LOOK_BACK).await?;
        entries.retain(|entry| entry.number <= record.n_entries);
        let mut turns = self.said_in(record, &entries).await?;
        if *record.state.owner() == Owner::Bot && record.waiting_since.is_some() {
            // Handed back, the bot answers what its own words about a handoff left open.
            end_with_the_customer(&mut turns);
        }
        Ok(turns)
    }

    /// Has the desk answer while the lease is kept up. A panic on the way costs the answer, not the
    /// conversation.
    async fn answer_holding(
        &self,
        desk: &std::sync::Arc<Desk>,
        inquiry: Inquiry,
        lease: &store::Lease,
    ) -> Result<Option<Answer>, OfficeError> {
        let answering = {
            let desk = desk.clone();
            tokio::spawn(async move { desk.answer(&inquiry).await }.in_current_span())
        };
        let mut answering = tokio_util::task::AbortOnDropHandle::new(answering);
        let lease_time = self.inner.pace.lease;
        let third = Duration::try_from(lease_time / 3).unwrap_or(Duration::from_secs(20));
        loop {
            tokio::select! {
                answered = &mut answering => return Ok(answered.ok()),
                () = tokio::time::sleep(third) => {
                    let until = self.now().saturating_add(lease_time).unwrap_or(Timestamp::MAX);
                    self.store().renew(lease, until).await?;
                }
            }
        }
    }

    /// Returns what was said in a conversation's present episode.
    pub(super) async fn said_in(
        &self,
        record: &Record,
        entries: &[Entry],
    ) -> Result<Vec<Message>, OfficeError> {
        let about = self.store().decided_about(record.id).await?;
        Ok(said(entries, record.state.episode().number, &about))
    }

    /// Says who is at work.
    pub(super) async fn staffing(&self, desk: &Desk) -> Result<Staffing, OfficeError> {
        let seen_since = self.now().saturating_sub(self.inner.pace.presence);
        let roster = self.store().roster(seen_since.unwrap_or(Timestamp::MIN)).await?;
        let mut queued: BTreeMap<Slug, Vec<Waiting>> = BTreeMap::new();
        for (team, waiting) in self.store().queues(COUNTED_AT_ONCE).await? {
            if desk.policy().team(&team).is_some() {
                queued.entry(team).or_default().push(waiting);
            }
        }
        Ok(Staffing { roster, queued })
    }
}

pub(super) fn inquiry(
    record: &Record,
    customer: &Customer,
    turns: Vec<Message>,
    (staffing, now): (Staffing, Timestamp),
) -> Inquiry {
    let waiting = record.waiting_since.map(|since| since.duration_until(now).as_secs_f64() / 60.0);
    let mut known = customer.attributes.clone();
    known.extend(customer.name.clone().map(|name| ("name".to_string(), name.into())));
    // Whom the desk's own systems name has proved it, whatever an attribute of that name says, and
    // whatever a channel takes a visitor for.
    let proven = customer.identity.as_ref().is_some_and(|identity| identity.realm == DESK);
    known.insert("verified".into(), proven.into());
    let context = Context {
        customer: known,
        channel: Some(record.channel.clone()),
        page: record.page.clone(),
        tags: record.tags.iter().cloned().collect(),
        waiting_minutes: waiting.unwrap_or(0.0).max(0.0),
        conversation: Some(record.state.clone()),
        staffing,
        ..Context::at(now)
    };
    Inquiry { question: Question::after(turns), reader: reader(customer), context }
}

/// Says which articles a customer may read.
pub(crate) fn reader(customer: &Customer) -> Reader {
    let named = |name: &str| match customer.attributes.get(name) {
        Some(Json::String(text)) => vec![text.clone()],
        Some(Json::Array(texts)) => {
            texts.iter().filter_map(|text| Some(text.as_str()?.to_string())).collect()
        }
        _ => Vec::new(),
    };
    Reader {
        tiers: named("tier"),
        plans: named("plan"),
        tags: named("tags"),
        locale: customer.locale.clone(),
        drafts: false,
    }
}

fn turn_of(
    desk: &Desk,
    record: &Record,
    answered: Option<Answer>,
    (about, took, now): (i64, Duration, Timestamp),
) -> Turn {
    let (owner, episode) = (record.state.owner().clone(), record.state.episode().clone());
    if let Some(answer) = answered {
        let (decision, told) = (answer.decision.clone(), answer.message.clone());
        let (asked, so_far) = (String::new(), String::new());
        let basis = Some(answer.basis(desk));
        return Turn {
            answer: Some(answer),
            basis,
            decision,
            told,
            asked,
            so_far,
            about,
            owner,
            episode,
            took,
        };
    }
    tracing::error!(conversation.id = %record.id, "answering panicked; the conversation goes to people");
    let team = desk.policy().fallback_team().clone();
    let act = Act::HandOff { team, teammate: None, priority: Priority::Normal };
    let reason = Reason::Unavailable("answering failed inside".into());
    let language = record.language.as_deref();
    let told =
        message::to_customer(desk.playbook(), (&act, None), None, language, &Context::at(now));
    let (asked, so_far) = (String::new(), String::new());
    let decision = Decision::new(act, reason, []);
    let (answer, basis) = (None, None);
    Turn { answer, basis, decision, told, asked, so_far, about, owner, episode, took }
}

/// Writes down a decision and does what it says, as far as whoever has the conversation by now
/// allows: where a person has stepped in, the bot keeps silent and leaves its draft. Returns the
/// name of what was done.
fn keep(in_hand: &mut InHand<'_>, turn: &Turn) -> &'static str {
    let id = Id::<Decided>::new(in_hand.now);
    let act = turn.decision.act();
    let carried_out = carry_out(in_hand, turn, id);
    let mut decision = new_decision(in_hand, turn, id);
    let done = if carried_out.is_ok() { act.name() } else { Act::Hold.name() };
    decision.act = done.into();
    decision.silent = carried_out.is_ok() && is_silent(turn);
    if let Err(why) = carried_out {
        decision.reasons.insert(0, format!("nothing was said or moved: {why}"));
    }
    if let Some(answer) = &turn.answer {
        let topic = answer.noticed.topic.as_ref().map(|(topic, _)| topic.clone());
        in_hand.record.topic = topic.or(in_hand.record.topic.take());
        let language = answer.noticed.language.clone();
        in_hand.record.language = language.or(in_hand.record.language.take());
    }
    if in_hand.outward
        && carried_out.is_ok()
        && matches!(act, Act::HandOff { .. } | Act::DraftOnly { .. })
    {
        let said = (turn.so_far.as_str(), turn.asked.as_str());
        let text = briefing(&decision, turn.answer.as_ref(), said);
        in_hand.outward("note", json!({"text": text}));
    }
    in_hand.change.decision = Some(decision);
    done
}

fn new_decision(in_hand: &InHand<'_>, turn: &Turn, id: Id<Decided>) -> NewDecision {
    let answer = turn.answer.as_ref();
    let act = turn.decision.act();
    NewDecision {
        id,
        about: turn.about,
        act: act.name().to_string(),
        team: act.team().cloned(),
        topic: answer.and_then(|answer| Some(answer.noticed.topic.as_ref()?.0.clone())),
        confidence: answer.map_or(Confidence::NONE, |answer| answer.confidence).value(),
        draft: answer.and_then(|answer| Some(answer.draft.as_ref()?.text.clone())),
        sources: answer.map(sources).unwrap_or_default(),
        reasons: turn.decision.reasons().iter().map(ToString::to_string).collect(),
        trace: answer.map_or(Json::Null, |answer| answer.trace(&in_hand.playbook.policy)),
        basis: turn.basis.clone(),
        took_ms: turn.took.as_secs_f64() * 1e3,
        silent: false,
    }
}

/// Whether a turn settles what the customer wrote without a word: it is ignored, or rests.
fn is_silent(turn: &Turn) -> bool {
    let rests = turn.owner == Owner::Bot && turn.decision.effects().snooze.is_some();
    match turn.decision.act() {
        Act::Ignore => true,
        Act::Hold => rests,
        _ => false,
    }
}

fn sources(answer: &Answer) -> Vec<Source> {
    let citations = answer.draft.iter().flat_map(|draft| &draft.citations);
    let source = |citation: &crate::Citation| Source {
        article: citation.article.clone(),
        title: citation.title.clone(),
        url: citation.url.clone(),
        quote: citation.quote.clone(),
    };
    citations.map(source).collect()
}

fn carry_out(in_hand: &mut InHand<'_>, turn: &Turn, id: Id<Decided>) -> Result<(), IllegalMove> {
    let effects = turn.decision.effects();
    let returns = effects.return_to_bot && turn.owner != Owner::Bot;
    let data = json!({"decision": id.to_string()});
    if let Err(why) = may(in_hand.record, turn, returns) {
        if why == IllegalMove::ChosenByPerson {
            // A rule may say how it is looked after, not by whom.
            effects::set(in_hand, &Actor::Bot, &turn.decision, &data);
        }
        return Err(why);
    }
    // Words that came meanwhile are not answered yet: nothing ends before they are.
    let more_came = in_hand.record.turn_due_at.is_some();
    if returns {
        in_hand.hand_back(&Actor::Bot)?;
        in_hand.record.turn_due_at = in_hand.record.turn_due_at.filter(|_| more_came);
    }
    if !(more_came && *turn.decision.act() == Act::Resolve) {
        do_act(in_hand, turn, id)?;
    }
    let by = &Actor::Bot;
    effects::set(in_hand, by, &turn.decision, &data);
    if let Some(rest) = effects.snooze.filter(|_| !more_came)
        && in_hand.record.state.status() == Status::Open
    {
        if *in_hand.record.state.owner() == Owner::Bot {
            // What the rule met with rest needs no other answer; else it would be met again.
            in_hand.nobody_waits();
        }
        in_hand.snooze_for(by, rest)?;
    }
    if effects.close && !more_came && in_hand.record.state.status() != Status::Closed {
        in_hand.close(by)?;
    }
    Ok(())
}

/// Looks whether all of a turn is allowed, before any of it is done: nobody else has taken the
/// conversation since or told the customer anything, also when it is the bot's again by now; it has
/// not ended, and its state takes what was decided. Where it has ended and begun again, what the
/// customer wrote since is for the next turn.
fn may(record: &Record, turn: &Turn, returns: bool) -> Result<(), IllegalMove> {
    let mut state = record.state.clone();
    let (then, by_now) = (&turn.episode, state.episode());
    if state.status() == Status::Closed || by_now.number != then.number {
        return Err(IllegalMove::Closed);
    }
    if *state.owner() != turn.owner {
        return Err(IllegalMove::Held);
    }
    if (by_now.teammate_turns, by_now.bot_turns) != (then.teammate_turns, then.bot_turns) {
        return Err(IllegalMove::Answered);
    }
    if returns {
        state.apply(&Event::HandedBack { by_person: false })?;
    }
    match turn.decision.act() {
        Act::Reply(_) => state.apply(&Event::BotReplied),
        Act::Clarify(_) => state.apply(&Event::BotAsked),
        Act::Offer => state.apply(&Event::BotOffered),
        Act::HandOff { team, .. } | Act::DraftOnly { team } => {
            state.apply(&Event::HandedOff { team: team.clone(), by_person: false })
        }
        Act::Resolve => state.apply(&Event::BotReplied),
        Act::Hold | Act::Ignore => Ok(()),
    }
}

/// Does what was decided; the words to the customer come first, so that they stand above the
/// handoff that they announce.
fn do_act(in_hand: &mut InHand<'_>, turn: &Turn, id: Id<Decided>) -> Result<(), IllegalMove> {
    let act = turn.decision.act();
    let drafted = matches!(act, Act::Reply(Reply::Draft));
    let sources = turn.answer.as_ref().filter(|_| drafted).map(sources).unwrap_or_default();
    let say = |in_hand: &mut InHand<'_>, event: Option<Event>| match &turn.told {
        Some(told) => in_hand.bot_says(told, sources.clone(), Some(id), event),
        None => Ok(()),
    };
    match act {
        Act::Reply(_) => say(in_hand, Some(Event::BotReplied)),
        Act::Clarify(_) => say(in_hand, Some(Event::BotAsked)),
        Act::Offer => say(in_hand, Some(Event::BotOffered)),
        Act::HandOff { team, .. } | Act::DraftOnly { team } => {
            say(in_hand, None)?;
            let reason = turn.decision.reasons().first().map(ToString::to_string);
            in_hand.hand_off(team, &Actor::Bot, json!({"reason": reason}))?;
            in_hand.outcome(OutcomeKind::HandedOff, None);
            match act {
                Act::HandOff { teammate: Some(teammate), .. } => {
                    in_hand.assign(team, teammate, &Actor::Bot)
                }
                _ => Ok(()),
            }
        }
        Act::Hold => Ok(()),
        Act::Ignore => {
            if in_hand.record.turn_due_at.is_none() {
                in_hand.nobody_waits();
            }
            Ok(())
        }
        Act::Resolve => {
            say(in_hand, Some(Event::BotReplied))?;
            in_hand.outcome(OutcomeKind::Confirmed, None);
            in_hand.close(&Actor::Bot)
        }
    }
}

mod tally;

#[cfg(test)]
mod tests;
