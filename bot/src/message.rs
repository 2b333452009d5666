use crate::{Context, Draft, Phrase, Playbook};
use router::{
    Act, Expectation, Owner, Priority, Reply, Roster, SlaClock, Slug, Team, Waiting, expect,
};
use std::{collections::BTreeMap, fmt};

/// What the customer reads of a decision. Printed, the choices stand below the text as a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// The text, as Markdown.
    pub text: String,
    /// Answers that the customer may choose from.
    pub buttons: Vec<String>,
}

impl fmt::Display for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)?;
        self.buttons.iter().try_for_each(|button| write!(f, "\n- {button}"))
    }
}

/// Who is at work, as far as that is known; it decides what customers are told to expect.
#[derive(Debug, Clone, Default)]
pub struct Staffing {
    /// The teammates.
    pub roster: Roster,
    /// The conversations that wait in each team's queue.
    pub queued: BTreeMap<Slug, Vec<Waiting>>,
}

/// Renders what the customer reads of a decision; nothing, where the customer reads nothing. The
/// text follows from the decision, never the reverse.
pub(crate) fn to_customer(
    playbook: &Playbook,
    (act, sla): (&Act, Option<&Slug>),
    draft: Option<&Draft>,
    language: Option<&str>,
    context: &Context,
) -> Option<Told> {
    if !playbook.policy.speaks() {
        // Whoever has it keep silent hears nothing of a handoff either.
        return None;
    }
    let wording = &playbook.wording;
    let plain = |text: String| Some(Told { text, buttons: Vec::new() });
    match act {
        // A silent bot writes nothing, whatever was decided and whoever decided it.
        _ if !playbook.policy.speaks() => None,
        Act::Reply(Reply::Draft) => plain(draft?.text.clone()),
        Act::Reply(Reply::Canned(reply)) => {
            let slots = slots(playbook, context);
            let slots: Vec<(&str, &str)> =
                slots.iter().map(|(slot, value)| (*slot, value.as_str())).collect();
            let (text, buttons) = wording.canned(reply, language, &slots)?;
            Some(Told { text, buttons: buttons.to_vec() })
        }
        Act::Clarify(None) => plain(wording.say(Phrase::Clarify, language, &[])),
        Act::Clarify(Some(question)) => {
            let (text, buttons) = wording.question(question, language)?;
            Some(Told { text: text.to_string(), buttons: buttons.to_vec() })
        }
        Act::Offer => {
            let choices = [Phrase::Yes, Phrase::No];
            let buttons = choices.map(|choice| wording.say(choice, language, &[])).to_vec();
            Some(Told { text: wording.say(Phrase::Offer, language, &[]), buttons })
        }
        Act::Resolve => plain(wording.say(Phrase::Goodbye, language, &[])),
        // People will answer, and whoever waits for them shall know it.
        Act::HandOff { team, .. } | Act::DraftOnly { team } => {
            let expectation = expectation(playbook, (act, sla), language, context);
            let slots = [("team", team_name(playbook, team)), ("expect", &expectation)];
            plain(wording.say(Phrase::HandOff, language, &slots))
        }
        Act::Hold | Act::Ignore => None,
    }
}

/// Returns what is known for the slots of canned replies: what the customer is called, and who of
/// the company has the conversation.
pub(crate) fn slots(playbook: &Playbook, context: &Context) -> Vec<(&'static str, String)> {
    let name = context.customer.get("name").and_then(serde_json::Value::as_str);
    let mut slots: Vec<_> =
        name.map(|name| ("customer.name", name.to_string())).into_iter().collect();
    let (team, teammate) = match context.conversation.as_ref().map(router::Conversation::owner) {
        Some(Owner::Team(team)) => (Some(team), None),
        Some(Owner::Teammate { team, teammate, .. }) => (Some(team), Some(teammate)),
        Some(Owner::Bot) | None => (None, None),
    };
    slots.extend(team.map(|team| ("team", team_name(playbook, team).to_string())));
    let member = team.zip(teammate).and_then(|(team, teammate)| {
        Some(playbook.policy.team(team)?.member(teammate)?.name.clone())
    });
    slots.extend(member.map(|name| ("teammate", name)));
    slots
}

fn team_name<'a>(playbook: &'a Playbook, slug: &'a Slug) -> &'a str {
    playbook.policy.team(slug).map_or(slug.as_str(), |team| team.name.as_str())
}

/// Returns how many conversations of a team's queue come before one that joins it now.
fn n_ahead(
    playbook: &Playbook,
    team: &Team,
    (act, sla): (&Act, Option<&Slug>),
    context: &Context,
) -> usize {
    let (queue, now) = (context.staffing.queued.get(&team.slug), context.now);
    let sla = sla.or(team.sla.as_ref()).and_then(|sla| playbook.policy.sla(sla));
    let due = sla.map(|sla| sla.due(team.hours.as_ref(), &SlaClock::new(now))).unwrap_or_default();
    let joins = Waiting {
        // Of those that are alike the one that was there comes first.
        id: char::MAX.to_string(),
        language: None,
        priority: match act {
            Act::HandOff { priority, .. } => *priority,
            _ => Priority::default(),
        },
        due: due.next().map(|(_, due)| due),
        arrived_at: now,
        teammate: None,
    };
    queue.map_or(0, |queue| router::n_ahead(&joins, queue))
}

/// Says what to expect of the team that an act hands over to, as far as its hours and the staffing
/// tell.
fn expectation(
    playbook: &Playbook,
    (act, sla): (&Act, Option<&Slug>),
    language: Option<&str>,
    context: &Context,
) -> String {
    let (staffing, now) = (&context.staffing, context.now);
    let Some(team) = act.team().and_then(|team| playbook.policy.team(team)) else {
        return String::new();
    };
    let name = ("team", team.name.as_str());
    let wording = &playbook.wording;
    let named = match act {
        Act::HandOff { teammate, .. } => teammate.as_ref(),
        _ => None,
    };
    if named.is_some_and(|named| router::may_take(team, named, &staffing.roster, now).is_ok()) {
        return wording.say(Phrase::Soon, language, &[name]);
    }
    let n_ahead = n_ahead(playbook, team, (act, sla), context);
    match expect(team, &staffing.roster, n_ahead, now) {
        Expectation::OpensAt(opens) => {
            let zone = team.hours.as_ref().map(|hours| hours.time_zone().clone());
            let zone = zone.unwrap_or_else(|| playbook.time_zone.clone());
            let opens = wording.moment(language, &opens.to_zoned(zone));
            wording.say(Phrase::Away, language, &[name, ("opens", &opens)])
        }
        Expectation::TeamOpen { n_ahead: 0 } => wording.say(Phrase::Soon, language, &[name]),
        Expectation::TeamOpen { n_ahead } => {
            let ahead = n_ahead.to_string();
            wording.say(Phrase::Queue, language, &[name, ("ahead", &ahead)])
        }
        Expectation::Unknown if team.is_open(now) => wording.say(Phrase::Soon, language, &[name]),
        Expectation::Unknown | Expectation::NobodyAvailable => {
            wording.say(Phrase::Nobody, language, &[name])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config::Config, read_playbook};

    const TEAMS: &str = "fallback_team = \"t\"\n[[team]]\nslug = \"t\"\nname = \"T\"\n\
        [[reply]]\nslug = \"r\"\ntext.en = \"Hello\"\n";

    fn told(replies: bool, act: &Act) -> Option<String> {
        let mut answers = Config::load(None, std::iter::empty()).unwrap().answers;
        answers.replies = replies;
        let playbook = read_playbook("routing.toml".as_ref(), TEAMS, &answers).unwrap();
        let context = Context::at("2026-11-18T09:30:00Z".parse().unwrap());
        to_customer(&playbook, (act, None), None, None, &context).map(|told| told.text)
    }

    #[test]
    fn a_silent_bot_writes_nothing_whatever_is_decided() {
        let slug = |name: &str| Slug::try_from(name.to_string()).unwrap();
        let team = slug("t");
        for act in [
            Act::HandOff { team: team.clone(), teammate: None, priority: Priority::Normal },
            Act::DraftOnly { team },
            Act::Reply(Reply::Canned(slug("r"))),
            Act::Clarify(None),
            Act::Offer,
            Act::Resolve,
        ] {
            assert!(told(true, &act).is_some(), "{act:?}");
            assert_eq!(told(false, &act), None, "{act:?}");
        }
    }
}
