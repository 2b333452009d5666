use bot::{Answer, Playbook};
use jiff::{Timestamp, tz::TimeZone};
use router::{Assigned, Assignment, Escalation, Expectation, Outlook, Slug, Team, outlook};
use serde_json::{Value, json};

/// What follows from a decision that hands a conversation to people.
pub(super) struct Next<'a> {
    playbook: &'a Playbook,
    outlook: Outlook,
    message: Option<&'a str>,
}

impl<'a> Next<'a> {
    /// Works it out at `now`; None where the decision makes no team responsible.
    pub(super) fn of(playbook: &'a Playbook, answer: &'a Answer, now: Timestamp) -> Option<Self> {
        let outlook = outlook(&playbook.policy, &answer.facts, &answer.decision, now)?;
        Some(Self {
            playbook,
            outlook,
            message: answer.message.as_ref().map(|told| told.text.as_str()),
        })
    }

    pub(super) fn json(&self) -> Value {
        let Outlook { team, is_open, opens_at, sla, due, escalations, assignment, .. } =
            &self.outlook;
        let time = |time: &Option<Timestamp>| time.map(|time| time.to_string());
        let escalations = escalations.iter().map(|escalation| {
            let Escalation { rule, due, team, priority } = escalation;
            json!({
                "rule": rule,
                "due": time(due),
                "team": team.as_ref().map(Slug::as_str),
                "priority": priority.map(router::Priority::name),
            })
        });
        let (teammate, waits) = match &self.outlook.assigned {
            Assigned::To { teammate, .. } | Assigned::Kept(teammate) => (Some(teammate), None),
            Assigned::Queue(why) => (None, Some(why.to_string())),
        };
        json!({
            "team": team.as_str(),
            "open": is_open,
            "opens": time(opens_at),
            "expectation": self.expectation(),
            "message": self.message,
            "sla": sla.as_ref().map(Slug::as_str),
            "due": {
                "first_reply": time(&due.first_reply),
                "next_reply": time(&due.next_reply),
                "resolution": time(&due.resolution),
            },
            "escalations": escalations.collect::<Vec<_>>(),
            "assignment": assignment_name(*assignment),
            "teammate": teammate.map(Slug::as_str),
            "waits": waits,
        })
    }

    pub(super) fn text(&self) -> String {
        let Outlook { is_open, opens_at, sla, due, escalations, .. } = &self.outlook;
        let name = self.team().map_or(self.outlook.team.as_str(), |team| team.name.as_str());
        let mut lines = vec![match (is_open, opens_at) {
            (true, _) => format!("{name} is open"),
            (false, Some(opens)) => format!("{name} is closed and opens {}", self.local(*opens)),
            (false, None) => format!("{name} is closed and does not open"),
        }];
        lines.extend(self.message.map(|message| format!("the customer reads: {message}")));
        lines.push(self.assigned());
        let promises = [
            ("first reply by", due.first_reply),
            ("a further message answered by, if it came now,", due.next_reply),
            ("resolved by", due.resolution),
        ];
        match sla {
            Some(sla) => lines.extend(promises.iter().filter_map(|(what, due)| {
                Some(format!("SLA {sla}: {what} {}", self.local((*due)?)))
            })),
            None => lines.push("no SLA holds".into()),
        }
        lines.extend(escalations.iter().map(|escalation| self.escalation(escalation)));
        let lines: String = lines.iter().map(|line| format!("\n  {line}")).collect();
        format!("\n\nWhat happens next:{lines}")
    }

    fn team(&self) -> Option<&Team> {
        self.playbook.policy.team(&self.outlook.team)
    }

    fn local(&self, time: Timestamp) -> String {
        let zone = self.team().and_then(|team| Some(team.hours.as_ref()?.time_zone().clone()));
        let zone: TimeZone = zone.unwrap_or_else(|| self.playbook.time_zone.clone());
        time.to_zoned(zone).strftime("%Y-%m-%d %H:%M %Z").to_string()
    }

    fn expectation(&self) -> &'static str {
        match &self.outlook.expectation {
            Expectation::OpensAt(_) => "opens_at",
            Expectation::TeamOpen { .. } => "team_open",
            Expectation::NobodyAvailable => "nobody_available",
            // Who is at work is not known here, so an open team is all that is.
            Expectation::Unknown if self.outlook.is_open => "team_open",
            Expectation::Unknown => "unknown",
        }
    }

    fn assigned(&self) -> String {
        let name = |teammate: &Slug| {
            let member = self.team().and_then(|team| team.member(teammate));
            member.map_or(teammate.to_string(), |member| member.name.clone())
        };
        let how = match self.outlook.assignment {
            Assignment::RoundRobin => "in turn (round_robin)",
            Assignment::FewestOpen => "to whoever has the fewest (fewest_open)",
            Assignment::Manual => "by hand (manual)",
        };
        match &self.outlook.assigned {
            Assigned::Kept(teammate) => format!("{} gets it, as the rule says", name(teammate)),
            Assigned::To { teammate, unspoken: None } => format!(
                "conversations are assigned {how}: {} is the first who may take it",
                name(teammate)
            ),
            Assigned::To { teammate, unspoken: Some(language) } => format!(
                "conversations are assigned {how}: {} is the first who may take it, though nobody on the team speaks {:?}",
                name(teammate),
                language.as_str()
            ),
            Assigned::Queue(why) => {
                format!("conversations are assigned {how}; it waits in the queue: {why}")
            }
        }
    }

    fn escalation(&self, escalation: &Escalation) -> String {
        let Escalation { rule, due, team, priority } = escalation;
        let when = match due {
            Some(due) => format!("if nobody has replied by {}", self.local(*due)),
            None => "never, as the team is not open for so long".into(),
        };
        let named = |slug: &Slug| {
            let team = self.playbook.policy.team(slug);
            team.map_or(slug.to_string(), |team| team.name.clone())
        };
        let to = team.as_ref().map(|team| format!("it goes to {}", named(team)));
        let priority = priority.map(|priority| format!("its priority is {}", priority.name()));
        let does: Vec<String> = to.into_iter().chain(priority).collect();
        format!("{when}: {} (rule {rule:?})", does.join(", "))
    }
}

fn assignment_name(assignment: Assignment) -> &'static str {
    match assignment {
        Assignment::RoundRobin => "round_robin",
        Assignment::FewestOpen => "fewest_open",
        Assignment::Manual => "manual",
    }
}
