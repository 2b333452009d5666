use crate::{Facts, Policy, Reason, Slug, Team, Value, open_team};

/// From here on a topic is sure enough to choose a team by.
const TOPIC_IS_SURE: f64 = 0.5;

/// A team, and what speaks for it.
pub(crate) struct Chosen {
    pub(crate) team: Slug,
    pub(crate) why: Vec<Reason>,
}

/// Finds the team that looks after a question: the one whose topic it is about, else the one whose
/// longest phrase it names (the earlier team wins a tie), else the fallback team. While that team
/// is closed, the one that stands in for it.
pub(crate) fn owner(policy: &Policy, facts: &Facts) -> Chosen {
    let (team, why) = by_topic(policy, facts)
        .or_else(|| by_phrase(policy, facts))
        .unwrap_or_else(|| (policy.fallback_team().clone(), Reason::FallbackTeam));
    in_charge(policy, facts, team, Some(why))
}

fn by_topic(policy: &Policy, facts: &Facts) -> Option<(Slug, Reason)> {
    let value = |name: &str| policy.catalogue().find(name).and_then(|id| facts.get(id));
    let (Value::Text(name), Value::Number(confidence)) =
        (value("topic.name")?, value("topic.confidence")?)
    else {
        return None;
    };
    if *confidence < TOPIC_IS_SURE {
        return None;
    }
    let topic = policy.topics().iter().find(|topic| topic.slug.as_str() == name.as_str())?;
    let team = topic.team.clone()?;
    Some((team.clone(), Reason::Topic { team, topic: topic.slug.to_string() }))
}

fn by_phrase(policy: &Policy, facts: &Facts) -> Option<(Slug, Reason)> {
    let Value::Text(text) = facts.get(policy.catalogue().find("message.text")?)? else {
        return None;
    };
    let owners = policy.teams().iter().filter_map(|t| Some((t, t.owns.find(text.as_str())?)));
    let (team, phrase) =
        owners.reduce(|best, next| if next.1.len() > best.1.len() { next } else { best })?;
    let reason = Reason::Owns { team: team.slug.clone(), phrase: phrase.into() };
    Some((team.slug.clone(), reason))
}

/// Names the team that takes what is meant for `team`, by what the facts say of who is open; where
/// nobody is, the conversation waits with `team`.
pub(crate) fn in_charge(policy: &Policy, facts: &Facts, team: Slug, why: Option<Reason>) -> Chosen {
    let is_open = |team: &Team| {
        let name = format!("open({:?})", team.slug.as_str());
        let value = policy.catalogue().find(&name).and_then(|id| facts.get(id));
        matches!(value, None | Some(Value::Truth(true)))
    };
    let reached = open_team(policy.teams(), &team, is_open);
    let waits = || policy.team(&team).is_none_or(|team| !is_open(team));
    let how = match reached.passed.is_empty() {
        true => waits().then(|| Reason::Closed(team.clone())),
        false => Some(Reason::StandsIn { closed: team, team: reached.team.clone() }),
    };
    Chosen { team: reached.team, why: why.into_iter().chain(how).collect() }
}
