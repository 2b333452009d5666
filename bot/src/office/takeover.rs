//! Takes over what happened to a conversation elsewhere.

use super::{AsOf, ByBot, Elsewhere, Happened, InHand, OfficeError, door::storable};
use crate::Playbook;
use jiff::{SignedDuration, Timestamp};
use router::{Owner, Slug, Status};
use serde_json::json;
use store::{Actor, Change, OutcomeKind, Record};

/// How old a question may be for the bot to answer it. Who has waited longer, while the desk was down
/// or not connected, goes to people: an answer out of nothing after days does more harm than good.
const ANSWERED_WITHIN: SignedDuration = SignedDuration::from_hours(24);

/// How far the clocks of both sides may differ.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// A conversation elsewhere on its way into the record here, happening by happening.
pub(super) struct Takeover<'a> {
    elsewhere: &'a Elsewhere,
    now: Timestamp,
    /// Whether the channel has to be told what the desk does.
    outward: bool,
    is_first: bool,
    /// Whether something was taken over that is not written yet.
    is_touched: bool,
    /// When the customer wrote last, of what is new.
    asked_at: Option<Timestamp>,
}

impl<'a> Takeover<'a> {
    pub(super) fn new(elsewhere: &'a Elsewhere, (now, outward): (Timestamp, bool)) -> Self {
        let (is_first, is_touched, asked_at) = (true, false, None);
        Self { elsewhere, now, outward, is_first, is_touched, asked_at }
    }

    /// Takes the happening at a place; None: says how things stand after those that were new.
    pub(super) fn take(
        &mut self,
        playbook: &Playbook,
        (record, change): (&mut Record, &mut Change),
        place: Option<usize>,
    ) -> Result<(), OfficeError> {
        if std::mem::take(&mut self.is_first) && self.is_out_of_date(record) {
            return Err(OfficeError::Overtaken(record.n_entries));
        }
        let Some(place) = place else {
            self.settle(playbook, record, change);
            return Ok(());
        };
        if let Some(happening) = self.elsewhere.happenings.get(place) {
            let at = happening.at.min(self.now);
            self.is_touched = true;
            if matches!(happening.what, Happened::Asked { .. }) {
                self.asked_at = self.asked_at.max(Some(at));
            }
            let mut in_hand = InHand::new(playbook, record, change, (at, false));
            take_over(&mut in_hand, &happening.what);
        }
        Ok(())
    }

    fn is_out_of_date(&self, record: &Record) -> bool {
        match self.elsewhere.as_of {
            None => false,
            Some(AsOf::Unknown) => record.n_entries > 0,
            Some(AsOf::Changed(at)) => record.updated_at != at,
        }
    }

    /// Notes who has it there, its tags, and leaves to people what is too old for the bot.
    fn settle(&mut self, playbook: &Playbook, record: &mut Record, change: &mut Change) {
        let before = record.clone();
        let mut in_hand = InHand::new(playbook, record, change, (self.now, false));
        if let Some(holder) = &self.elsewhere.held_by {
            hold(&mut in_hand, holder, self.elsewhere.is_open);
        }
        in_hand.tag(&Actor::Frontdesk, self.elsewhere.tags.clone());
        self.leave_what_is_old(&mut in_hand);
        // Promises fall due by time: to work them out where nothing happened would be a change.
        if std::mem::take(&mut self.is_touched) || *in_hand.record != before {
            in_hand.finish();
        }
    }

    fn leave_what_is_old(&self, in_hand: &mut InHand<'_>) {
        let Some(asked_at) = self.asked_at.filter(|_| in_hand.record.turn_due_at.is_some()) else {
            return;
        };
        // What was asked before the desk was there is nobody's business to give to anybody.
        let connected_at = self.elsewhere.connected_at.map(|at| at.saturating_sub(CLOCKS_DIFFER));
        let is_ours = connected_at.is_none_or(|at| at.is_ok_and(|at| asked_at >= at));
        let is_old = asked_at.duration_until(self.now) > ANSWERED_WITHIN || !is_ours;
        if !is_old || *in_hand.record.state.owner() != Owner::Bot {
            return;
        }
        in_hand.record.turn_due_at = None;
        in_hand.outward = self.outward && is_ours;
        let by = Actor::Frontdesk;
        in_hand.note(&by, format!("This was asked on {asked_at:.0}, too long ago for the bot."));
        let team = in_hand.playbook.policy.fallback_team().clone();
        // An open conversation that the bot has can be given to people.
        let _ = in_hand.hand_off(&team, &by, json!({"reason": "asked too long ago"}));
        in_hand.outward = false;
    }
}

/// Notes one happening. What is refused has happened there nevertheless; the timeline says so.
fn take_over(in_hand: &mut InHand<'_>, what: &Happened) {
    let taken = match what {
        Happened::Asked { text, page } => {
            let text = storable(text);
            if text.is_empty() {
                return;
            }
            in_hand.customer_writes(text, None, page.clone())
        }
        Happened::Answered { team, teammate, text } => {
            in_hand.teammate_writes(team.clone(), teammate.clone(), storable(text)).map(drop)
        }
        Happened::Noted { teammate, text } => {
            in_hand.note(&Actor::Teammate(teammate.clone()), storable(text));
            Ok(())
        }
        Happened::Assigned { by, team, teammate } => {
            let by = Actor::Teammate(by.clone());
            // Whoever gives an ended conversation to somebody opens it again.
            let opened = match in_hand.record.state.status() {
                Status::Closed => in_hand.reopen(&by),
                _ => Ok(()),
            };
            opened.and_then(|()| match teammate {
                None => in_hand.hand_off(team, &by, json!({})),
                Some(teammate) => in_hand.assign(team, teammate, &by),
            })
        }
        Happened::Freed { by, team } => free(in_hand, by.as_ref(), team),
        Happened::HandedBack { by } => in_hand.hand_back(&Actor::Teammate(by.clone())),
        Happened::Reopened { by, team } => reopen(in_hand, by, team),
        Happened::Snoozed { by, until } => in_hand.snooze(&Actor::Teammate(by.clone()), *until),
        Happened::Closed { by } => {
            let by = by.clone().map_or(Actor::Frontdesk, Actor::Teammate);
            close(in_hand, &by)
        }
        Happened::ByBot(done) => take_over_own(in_hand, done),
        Happened::Rated { stars, comment } => {
            if (1..=5).contains(stars) {
                in_hand.outcome(OutcomeKind::Rated(*stars), comment.clone());
                in_hand.event(&Actor::Customer, "rated", json!({"stars": stars}));
            }
            Ok(())
        }
        Happened::Remarked { stars, comment } => {
            if (1..=5).contains(stars) {
                in_hand.outcome(OutcomeKind::Rated(*stars), Some(comment.clone()));
            }
            Ok(())
        }
        Happened::Other { what, detail } => {
            in_hand.event(&Actor::Frontdesk, what, detail.clone());
            Ok(())
        }
    };
    if let Err(refused) = taken {
        in_hand.event(&Actor::Frontdesk, "not_taken_over", json!({"why": refused.to_string()}));
    }
}

/// Gives a conversation to its team that was taken off whoever had it. What the other system does by
/// itself counts as that teammate's own deed, and takes nothing off the bot.
fn free(
    in_hand: &mut InHand<'_>,
    by: Option<&Slug>,
    team: &Slug,
) -> Result<(), router::IllegalMove> {
    let state = &in_hand.record.state;
    if state.status() == Status::Closed {
        return Ok(());
    }
    let (by, detail) = match (by, state.owner()) {
        (Some(by), _) => (by.clone(), json!({})),
        (None, Owner::Teammate { teammate, .. }) => (teammate.clone(), json!({"by_itself": true})),
        (None, _) => return Ok(()),
    };
    in_hand.hand_off(team, &Actor::Teammate(by), detail)
}

/// Takes over what the bot did in a life that the desk does not remember, as far as it still holds.
fn take_over_own(in_hand: &mut InHand<'_>, done: &ByBot) -> Result<(), router::IllegalMove> {
    let is_closed = in_hand.record.state.status() == Status::Closed;
    match done {
        ByBot::Said { text } => in_hand.bot_said_before(storable(text)),
        // A person's choice counts for more, and so does an end.
        ByBot::Gave { team, teammate } if !is_closed => {
            let has_it = match in_hand.record.state.owner() {
                Owner::Bot => false,
                Owner::Team(owner) => owner == team && teammate.is_none(),
                Owner::Teammate { teammate: owner, by_person, .. } => {
                    *by_person || teammate.as_ref() == Some(owner)
                }
            };
            in_hand.record.turn_due_at = None;
            if !has_it {
                in_hand.hand_off(team, &Actor::Bot, json!({}))?;
                if let Some(teammate) = teammate {
                    in_hand.assign(team, teammate, &Actor::Bot)?;
                }
            }
        }
        ByBot::Gave { .. } => {}
        ByBot::Closed => close(in_hand, &Actor::Bot)?,
    }
    Ok(())
}

fn close(in_hand: &mut InHand<'_>, by: &Actor) -> Result<(), router::IllegalMove> {
    match in_hand.record.state.status() {
        Status::Closed => Ok(()),
        _ => in_hand.close(by),
    }
}

/// Opens it again for a person, who has something in mind with it: people have it then.
fn reopen(in_hand: &mut InHand<'_>, by: &Slug, team: &Slug) -> Result<(), router::IllegalMove> {
    let by = Actor::Teammate(by.clone());
    let was_closed = in_hand.record.state.status() == Status::Closed;
    in_hand.reopen(&by)?;
    match in_hand.record.state.owner() {
        Owner::Bot if was_closed => in_hand.hand_off(team, &by, json!({})),
        _ => Ok(()),
    }
}

/// Gives a conversation to the teammate who has it elsewhere.
fn hold(in_hand: &mut InHand<'_>, (team, teammate): &(Slug, Slug), is_open: bool) {
    let is_closed = in_hand.record.state.status() == Status::Closed;
    let held = matches!(
        in_hand.record.state.owner(),
        Owner::Teammate { teammate: holder, .. } if holder == teammate
    );
    if (is_closed && !is_open) || (held && !is_closed) {
        return;
    }
    let by = Actor::Teammate(teammate.clone());
    // An open conversation takes any assignment by a person.
    let _ = if is_closed { in_hand.reopen(&by) } else { Ok(()) };
    let _ = in_hand.assign(team, teammate, &by);
}
