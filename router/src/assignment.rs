use crate::{Assignment, Language, Member, Priority, Slug, Team};
use jiff::Timestamp;
use std::{cmp::Reverse, collections::BTreeMap, fmt};

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;

/// What is known of one teammate at the moment.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Presence {
    /// Online and not away.
    pub available: bool,
    /// How many open conversations the teammate holds, over all teams.
    pub n_open: u32,
}

/// The teammates that something is known of; whoever is missing is not available.
pub type Roster = BTreeMap<Slug, Presence>;

/// A conversation that waits for a person, as its queue sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// Which conversation.
    pub id: String,
    /// What the customer writes, where that is known.
    pub language: Option<Language>,
    /// How soon it matters.
    pub priority: Priority,
    /// When the next promise of its [`Sla`](crate::Sla) falls due, if there is one.
    pub due: Option<Timestamp>,
    /// When it came to the queue.
    pub arrived_at: Timestamp,
    /// Who has it already; a conversation that a teammate has is never given to another.
    pub teammate: Option<Slug>,
}

/// What becomes of a conversation that a team is to take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Assigned {
    /// A teammate gets it.
    To {
        /// Who.
        teammate: Slug,
        /// The conversation's language where nobody on the team speaks it, so that it went to
        /// anyone.
        unspoken: Option<Language>,
    },
    /// The teammate who has it keeps it.
    Kept(Slug),
    /// It waits in the team's queue.
    Queue(Why),
}

/// Why a conversation waits; rendered with [`std::fmt::Display`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The team is closed.
    Closed,
    /// The team picks its conversations by hand.
    Manual,
    /// The team has no members here who may reply.
    NoMembers,
    /// No member is available.
    NobodyAvailable,
    /// No member who is available speaks its language, and one who is not does.
    NobodySpeaks(Language),
    /// Every member who could take it holds as many conversations as allowed.
    AllFull,
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Closed => write!(f, "the team is closed"),
            Self::Manual => write!(f, "the team picks its conversations by hand"),
            Self::NoMembers => write!(f, "the team has no members who may reply"),
            Self::NobodyAvailable => write!(f, "nobody on the team is available"),
            Self::NobodySpeaks(language) => {
                write!(f, "nobody who is available speaks {}", language.as_str())
            }
            Self::AllFull => write!(f, "everybody who could take it is at capacity"),
        }
    }
}

/// Decides who on `team` gets a conversation at `now`.
///
/// Only a member who is available, may reply, is below capacity and speaks the language gets one,
/// and only while the team is open. A language that nobody on the team speaks, whoever is in, does
/// not restrict; one that an absent member speaks waits for that member. Round robin goes on after
/// `last_assigned` in the order of the file. Fewest open counts conversations, not shares of a
/// capacity; the order of the file settles ties.
///
/// It looks at this conversation alone: with others waiting, [`share_out`] keeps the queue fair.
pub fn assign(
    team: &Team,
    roster: &Roster,
    waiting: &Waiting,
    last_assigned: Option<&Slug>,
    now: Timestamp,
) -> Assigned {
    if let Some(teammate) = &waiting.teammate {
        return Assigned::Kept(teammate.clone());
    }
    if !team.is_open(now) {
        return Assigned::Queue(Why::Closed);
    }
    let eligible = match eligible(team, roster, waiting.language.as_ref()) {
        Ok(eligible) => eligible,
        Err(why) => return Assigned::Queue(why),
    };
    let chosen = match team.assignment {
        Assignment::Manual => return Assigned::Queue(Why::Manual),
        Assignment::RoundRobin => next_after(team, &eligible, last_assigned),
        Assignment::FewestOpen => {
            eligible.iter().copied().min_by_key(|member| presence(roster, member).n_open)
        }
    };
    match chosen {
        Some(member) => Assigned::To {
            teammate: member.slug.clone(),
            unspoken: waiting.language.clone().filter(|language| !team.covers(language)),
        },
        None => Assigned::Queue(Why::AllFull),
    }
}

/// Returns the members who may take a conversation, at least one, in the order of the file.
fn eligible<'a>(
    team: &'a Team,
    roster: &Roster,
    language: Option<&Language>,
) -> Result<Vec<&'a Member>, Why> {
    let keep = |members: Vec<&'a Member>, why: Why, lawful: &dyn Fn(&Member) -> bool| {
        let kept: Vec<&Member> = members.into_iter().filter(|member| lawful(member)).collect();
        if kept.is_empty() { Err(why) } else { Ok(kept) }
    };
    let members = team.members.iter().collect();
    let members = keep(members, Why::NoMembers, &|member| member.may_reply)?;
    let members = keep(members, Why::NobodyAvailable, &|m| presence(roster, m).available)?;
    let members = match language.filter(|language| team.covers(language)) {
        Some(language) => {
            let why = Why::NobodySpeaks(language.clone());
            keep(members, why, &|member| team.speaks(member, language))?
        }
        None => members,
    };
    keep(members, Why::AllFull, &|member| has_room(team, roster, member))
}

/// Looks whether a teammate of `team` whom a rule names may be given a conversation at `now`: the
/// team is open, and the teammate may reply, is available and below capacity. Who names somebody
/// has thought of the language.
///
/// # Errors
/// Why not; [`Why::NoMembers`] for whoever is not of the team or may not reply.
pub fn may_take(team: &Team, teammate: &Slug, roster: &Roster, now: Timestamp) -> Result<(), Why> {
    let member = team.member(teammate).filter(|member| member.may_reply).ok_or(Why::NoMembers)?;
    if !team.is_open(now) {
        return Err(Why::Closed);
    }
    if !presence(roster, member).available {
        return Err(Why::NobodyAvailable);
    }
    if has_room(team, roster, member) { Ok(()) } else { Err(Why::AllFull) }
}

fn has_room(team: &Team, roster: &Roster, member: &Member) -> bool {
    team.capacity_of(member).is_none_or(|most| presence(roster, member).n_open < most)
}

fn presence(roster: &Roster, member: &Member) -> Presence {
    roster.get(&member.slug).copied().unwrap_or_default()
}

fn next_after<'a>(team: &Team, eligible: &[&'a Member], last: Option<&Slug>) -> Option<&'a Member> {
    let place = |slug: &Slug| team.members.iter().position(|member| member.slug == *slug);
    let last = last.and_then(place);
    let later = eligible.iter().find(|member| place(&member.slug) > last);
    later.or_else(|| eligible.first()).copied()
}

/// Sorts a queue: what falls due first comes first and what has no due time last, then the more
/// urgent, then the one that came earlier, then by id, so that no two share a place.
pub fn order(queue: &mut [Waiting]) {
    queue.sort_by(|one, other| place(one).cmp(&place(other)));
}

fn place(waiting: &Waiting) -> impl Ord + '_ {
    (
        waiting.due.is_none(),
        waiting.due,
        Reverse(waiting.priority),
        waiting.arrived_at,
        waiting.id.as_str(),
    )
}

/// Returns how many conversations of a queue, whatever its order, come before one.
pub fn n_ahead(waiting: &Waiting, queue: &[Waiting]) -> usize {
    queue.iter().filter(|other| place(other) < place(waiting)).count()
}

/// Returns, as an oracle for [`share_out`], the conversation that a teammate with capacity to spare
/// would take next from the team's queue, whatever its order. None: nothing waits that this teammate may take at `now`, or the
/// team picks by hand.
#[cfg(test)]
fn pull<'a>(
    team: &Team,
    teammate: &Slug,
    roster: &Roster,
    queue: &'a [Waiting],
    now: Timestamp,
) -> Option<&'a Waiting> {
    if team.assignment == Assignment::Manual || !team.is_open(now) {
        return None;
    }
    let may_take = |waiting: &&Waiting| {
        let eligible = eligible(team, roster, waiting.language.as_ref()).unwrap_or_default();
        waiting.teammate.is_none() && eligible.iter().any(|member| member.slug == *teammate)
    };
    queue.iter().filter(may_take).min_by(|one, other| place(one).cmp(&place(other)))
}

/// Assigns what can be assigned of a team's queue, in the order of the queue: when the team opens,
/// a teammate comes back or a conversation arrives while others wait. `roster` and `last_assigned`
/// are brought up to date. Returns ids of conversations and who gets them.
pub fn share_out(
    team: &Team,
    roster: &mut Roster,
    queue: &mut [Waiting],
    last_assigned: &mut Option<Slug>,
    now: Timestamp,
) -> Vec<(String, Slug)> {
    order(queue);
    let mut shared = Vec::new();
    for waiting in queue.iter_mut().filter(|waiting| waiting.teammate.is_none()) {
        let assigned = assign(team, roster, waiting, last_assigned.as_ref(), now);
        let Assigned::To { teammate, .. } = assigned else { continue };
        if let Some(presence) = roster.get_mut(&teammate) {
            presence.n_open = presence.n_open.saturating_add(1);
        }
        waiting.teammate = Some(teammate.clone());
        *last_assigned = Some(teammate.clone());
        shared.push((waiting.id.clone(), teammate));
    }
    shared
}

/// What the customer may be told to expect; the words are made elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expectation {
    /// Somebody is there.
    TeamOpen {
        /// How many conversations come first.
        n_ahead: usize,
    },
    /// The team is closed and opens then.
    OpensAt(Timestamp),
    /// The team is open, and nobody on it is available, or whoever is holds as much as allowed.
    NobodyAvailable,
    /// Nothing can be said: nothing is known of anybody on the team, or it does not open.
    Unknown,
}

/// Works out what a customer whose conversation `team` has may expect at `now`. What the members
/// speak is not looked at.
pub fn expect(team: &Team, roster: &Roster, n_ahead: usize, now: Timestamp) -> Expectation {
    if !team.is_open(now) {
        let opening = team.hours.as_ref().and_then(|hours| hours.next_opening(now));
        return opening.map_or(Expectation::Unknown, Expectation::OpensAt);
    }
    let may_reply = team.members.iter().filter(|member| member.may_reply);
    let known: Vec<&Member> =
        may_reply.filter(|member| roster.contains_key(&member.slug)).collect();
    let mut there = known.iter().filter(|member| presence(roster, member).available).peekable();
    if known.is_empty() {
        return Expectation::Unknown;
    }
    let is_there = there.peek().is_some();
    // Who picks by hand is not stopped by a capacity; and a place in the queue says more.
    let takes = team.assignment == Assignment::Manual
        || n_ahead > 0
        || there.any(|member| has_room(team, roster, member));
    if is_there && takes { Expectation::TeamOpen { n_ahead } } else { Expectation::NobodyAvailable }
}
