use crate::{Draft, Phrase, Playbook};
use jiff::Timestamp;
use router::{Act, Expectation, Reply, Roster, Slug, expect};

/// Renders what the customer reads of a decision; nothing, where the customer reads nothing. The
/// text follows from the decision, never the reverse.
pub(crate) fn to_customer(
    playbook: &Playbook,
    act: &Act,
    draft: Option<&Draft>,
    language: Option<&str>,
    now: Timestamp,
) -> Option<String> {
    let wording = &playbook.wording;
    match act {
        Act::Reply(Reply::Draft) => draft.map(|draft| draft.text.clone()),
        Act::Reply(Reply::Canned(reply)) => wording.reply(reply, language).map(str::to_string),
        Act::Clarify(None) => Some(wording.say(Phrase::Clarify, language, &[])),
        Act::Clarify(Some(question)) => {
            let (text, buttons) = wording.question(question, language)?;
            let choices = buttons.iter().map(|button| format!("\n- {button}"));
            Some(std::iter::once(text.to_string()).chain(choices).collect())
        }
        Act::Offer => Some(wording.say(Phrase::Offer, language, &[])),
        Act::Resolve => Some(wording.say(Phrase::Goodbye, language, &[])),
        // People will answer, and whoever waits for them shall know it; a silent bot says nothing.
        Act::DraftOnly { .. } if !playbook.policy.speaks() => None,
        Act::HandOff { team, .. } | Act::DraftOnly { team } => {
            let expectation = expectation(playbook, team, language, now);
            let slots = [("team", team_name(playbook, team)), ("expect", &expectation)];
            Some(wording.say(Phrase::HandOff, language, &slots))
        }
        Act::Hold | Act::Ignore => None,
    }
}

fn team_name<'a>(playbook: &'a Playbook, slug: &'a Slug) -> &'a str {
    playbook.policy.team(slug).map_or(slug.as_str(), |team| team.name.as_str())
}

/// Says what to expect of a team, as far as its hours tell.
fn expectation(playbook: &Playbook, slug: &Slug, language: Option<&str>, now: Timestamp) -> String {
    let name = ("team", team_name(playbook, slug));
    let Some(team) = playbook.policy.team(slug) else { return String::new() };
    let wording = &playbook.wording;
    match expect(team, &Roster::new(), 0, now) {
        Expectation::OpensAt(opens) => {
            let zone = team.hours.as_ref().map(|hours| hours.time_zone().clone());
            let zone = zone.unwrap_or_else(|| playbook.time_zone.clone());
            let opens = opens.to_zoned(zone).strftime("%Y-%m-%d %H:%M %Z").to_string();
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
