use crate::{
    Act, Assigned, Assignment, Decision, Due, Expectation, Facts, Language, Policy, Presence,
    Priority, Roster, SlaClock, Slug, Team, Value, Waiting, assign, expect, open_team,
};
use jiff::Timestamp;

/// What follows from a decision that makes a team responsible, as far as it can be told when it is
/// made: by the team's hours, its promise, and with nobody known to be away or busy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlook {
    /// Who is responsible.
    pub team: Slug,
    /// Whether the team works now.
    pub is_open: bool,
    /// When it opens again, where it is closed and does.
    pub opens_at: Option<Timestamp>,
    /// What the customer may be told to expect.
    pub expectation: Expectation,
    /// The promise that holds.
    pub sla: Option<Slug>,
    /// Until when it has to be kept. The next reply falls due then if the first comes now and the
    /// customer writes again at once; it begins with every further message.
    pub due: Due,
    /// What happens when nobody replies, the first to happen first.
    pub escalations: Vec<Escalation>,
    /// How the team's conversations come to its members.
    pub assignment: Assignment,
    /// Who gets it if everybody is there with nothing to do and it is the first of the day; a
    /// teammate whom a rule names keeps it.
    pub assigned: Assigned,
}

/// One [`crate::Escalate`] with its time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Escalation {
    /// Name of the rule that set it.
    pub rule: String,
    /// When; None where the team's hours never come to so much.
    pub due: Option<Timestamp>,
    /// Who takes over then: the team that the rule names, or whoever stands in for it at that time;
    /// None: the same team keeps it.
    pub team: Option<Slug>,
    /// How soon it matters from then on.
    pub priority: Option<Priority>,
}

/// Works out what follows from a decision at `now`; None where it makes no team responsible.
pub fn outlook(
    policy: &Policy,
    facts: &Facts,
    decision: &Decision,
    now: Timestamp,
) -> Option<Outlook> {
    let team = policy.team(decision.act().team()?)?;
    let hours = team.hours.as_ref();
    let is_open = team.is_open(now);
    let (teammate, priority) = match decision.act() {
        Act::HandOff { teammate, priority, .. } => (teammate.clone(), *priority),
        _ => (None, decision.effects().priority.unwrap_or_default()),
    };
    let sla = decision.effects().sla.as_ref().and_then(|slug| policy.sla(slug));
    let due = sla.map_or_else(Due::default, |sla| {
        let mut answered = SlaClock::new(now);
        answered.teammate_wrote(now);
        answered.customer_wrote(now);
        let next_reply = sla.due(hours, &answered).next_reply;
        Due { next_reply, ..sla.due(hours, &SlaClock::new(now)) }
    });
    let waiting = Waiting {
        id: String::new(),
        language: language(policy, facts),
        priority,
        due: due.first_reply,
        arrived_at: now,
        teammate,
    };
    Some(Outlook {
        team: team.slug.clone(),
        is_open,
        opens_at: hours.filter(|_| !is_open).and_then(|hours| hours.next_opening(now)),
        expectation: expect(team, &Roster::new(), 0, now),
        sla: sla.map(|sla| sla.slug.clone()),
        due,
        escalations: escalations(policy, team, decision, now),
        assignment: team.assignment,
        assigned: assign(team, &everybody(team), &waiting, None, now),
    })
}

fn escalations(
    policy: &Policy,
    team: &Team,
    decision: &Decision,
    now: Timestamp,
) -> Vec<Escalation> {
    let all = decision.effects().escalations.iter().map(|(rule, escalate)| {
        let due = escalate.after.passed(team.hours.as_ref(), now);
        let at = due.unwrap_or(now);
        let to = escalate.hand_off.as_ref();
        let to = to.map(|to| open_team(policy.teams(), to, |team| team.is_open(at)).team);
        Escalation { rule: rule.clone(), due, team: to, priority: escalate.priority }
    });
    let mut all: Vec<Escalation> = all.collect();
    all.sort_by_key(|one| (one.due.is_none(), one.due));
    all
}

fn everybody(team: &Team) -> Roster {
    let here = Presence { available: true, n_open: 0 };
    team.members.iter().map(|member| (member.slug.clone(), here)).collect()
}

fn language(policy: &Policy, facts: &Facts) -> Option<Language> {
    match facts.get(policy.catalogue().find("language")?)? {
        Value::Text(text) => Language::of_locale(text.as_str()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::tests::{brief, routing};
    use crate::{Finding, Routing, judge};
    use serde_json::json;

    fn check(then: &str, team: &serde_json::Value, now: &str, expected: &str) {
        let mut desk = routing();
        desk.teams[1] = serde_json::from_value(team.clone()).unwrap();
        desk.slas[0] = serde_json::from_value(json!({
            "slug": "fast", "first_reply": "2h", "next_reply": "1h", "resolution": "10h",
        }))
        .unwrap();
        let policy = Policy::new(Routing { rules: brief(&[("", then)]), ..desk }).unwrap();
        let mut facts = Facts::new(policy.catalogue());
        facts.set(policy.catalogue(), "message.text", Value::text("help")).unwrap();
        let decision = judge(&policy, &facts, &Finding::Nothing);
        let seen = outlook(&policy, &facts, &decision, now.parse().unwrap());
        let told = seen.map_or("nothing".into(), |seen| {
            let time = |time: Option<Timestamp>| time.map_or("-".into(), |time| time.to_string());
            let later = seen.escalations.iter().map(|one| {
                let team = one.team.as_ref().map_or("-", Slug::as_str);
                format!("; {} at {} to {team}", one.rule, time(one.due))
            });
            let later: String = later.collect();
            let Due { first_reply, next_reply, resolution } = seen.due;
            format!(
                "{} {}; opens {}; {} / {} / {}{later}; {:?}",
                seen.team,
                if seen.is_open { "open" } else { "closed" },
                time(seen.opens_at),
                time(first_reply),
                time(next_reply),
                time(resolution),
                seen.assigned
            )
        });
        assert_eq!(told, expected);
    }

    #[test]
    fn what_follows_from_a_handoff_is_worked_out_in_the_team_s_hours() {
        let team = json!({
            "slug": "billing", "name": "Billing", "sla": "fast", "assignment": "round_robin",
            "member": [{"slug": "bo", "name": "Bo"}, {"slug": "cy", "name": "Cy"}],
            "hours": {"time_zone": "Europe/Berlin", "monday": ["09:00-17:00"], "tuesday": ["09:00-17:00"]},
        });
        let escalates = "hand_off = 'billing', escalate = { after = '90m', hand_off = 'tech' }";
        check(
            escalates,
            &team,
            "2026-11-23T15:00:00Z",
            "billing open; opens -; 2026-11-24T09:00:00Z / 2026-11-23T16:00:00Z / 2026-11-30T09:00:00Z; r10 at 2026-11-24T08:30:00Z to tech; To { teammate: Slug(\"bo\"), unspoken: None }",
        );
        check(
            "hand_off = 'billing', teammate = 'cy'",
            &team,
            "2026-11-22T12:00:00Z",
            "billing closed; opens 2026-11-23T08:00:00Z; 2026-11-23T10:00:00Z / 2026-11-23T09:00:00Z / 2026-11-24T10:00:00Z; Kept(Slug(\"cy\"))",
        );
        check("reply = 'hours'", &team, "2026-11-22T12:00:00Z", "nothing");
    }
}
