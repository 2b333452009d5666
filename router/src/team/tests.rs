use super::*;
use serde_json::{Value, json};

fn team(slug: &str, when_closed: Option<&str>, hours: Option<&str>) -> Team {
    let mut team = json!({ "slug": slug, "name": slug });
    if let Some(other) = when_closed {
        team["when_closed"] = json!(other);
    }
    if let Some(span) = hours {
        team["hours"] = json!({ "time_zone": "UTC", "monday": [span] });
    }
    serde_json::from_value(team).unwrap()
}

fn slug(text: &str) -> Slug {
    Slug::try_from(text.to_string()).unwrap()
}

#[test]
fn a_team_reads_as_written_and_is_manual_and_open_by_default() {
    let plain = team("front", None, None);
    assert_eq!(plain.assignment, Assignment::Manual);
    assert!(plain.is_open(Timestamp::UNIX_EPOCH) && plain.members.is_empty());
    let written = json!({
        "slug": "billing", "name": "Billing", "owns": ["invoice"], "languages": ["en", "de"],
        "assignment": "round_robin", "capacity": 5, "sla": "standard", "when_closed": "front",
        "hours": { "time_zone": "Europe/Berlin", "monday": ["09:00-12:30"] },
        "member": [
            { "slug": "anna", "name": "Anna Berg", "languages": ["de-AT"], "capacity": 3 },
            { "slug": "ben", "name": "Ben Cole", "may_reply": false },
        ],
    });
    let team: Team = serde_json::from_value(written).unwrap();
    let capacities: Vec<_> = team.members.iter().map(|m| team.capacity_of(m)).collect();
    assert_eq!(capacities, [Some(3), Some(5)]);
    assert_eq!(team.members.iter().map(|m| m.may_reply).collect::<Vec<_>>(), [true, false]);
    let again = serde_json::from_value(serde_json::to_value(&team).unwrap()).unwrap();
    assert_eq!(team, again);
    let speaks = |member: &str, language: &str| {
        let member = team.member(&slug(member)).unwrap();
        team.speaks(member, &Language::of_locale(language).unwrap())
    };
    assert!(speaks("anna", "de") && !speaks("anna", "en"));
    assert!(speaks("ben", "en-GB") && speaks("ben", "de") && !speaks("ben", "fr"));
    assert!(!team.covers(&Language::of_locale("en").unwrap()), "Ben may not reply");
}

#[test]
fn faults_name_the_mend() {
    let check = |field: &str, value: Value, expected: &str| {
        let mut team = json!({ "slug": "billing", "name": "Billing" });
        team[field] = value;
        let error = serde_json::from_value::<Team>(team).unwrap_err().to_string();
        assert_eq!(error, expected);
    };
    let anna = json!({ "slug": "anna", "name": "Anna" });
    check("member", json!([anna, anna]), "teammate \"anna\" stands twice in one team; remove one");
    check(
        "languages",
        json!(["German"]),
        "\"German\" is no language; write its code, such as \"de\"",
    );
    check(
        "assignment",
        json!("robin"),
        "unknown variant `robin`, expected one of `round_robin`, `fewest_open`, `manual`",
    );
}

#[test]
fn a_closed_team_passes_on_to_the_first_that_is_open() {
    let monday_noon: Timestamp = "2026-11-23T12:00:00Z".parse().unwrap();
    let check = |teams: &[Team], expected: &str, passed: &[&str]| {
        let reached = open_team(teams, &slug("a"), |team| team.is_open(monday_noon));
        let passed = passed.iter().map(|team| slug(team)).collect();
        assert_eq!(reached, OpenTeam { team: slug(expected), passed });
    };
    let closed = Some("09:00-11:00");
    let c = || team("c", None, None);
    check(&[team("a", Some("c"), Some("09:00-17:00")), c()], "a", &[]);
    check(&[team("a", Some("b"), closed), team("b", Some("c"), closed), c()], "c", &["a", "b"]);
    check(&[team("a", None, closed), c()], "a", &[]);
    check(&[team("a", Some("b"), closed), team("b", None, closed), c()], "a", &[]);
    check(&[team("a", Some("b"), closed), team("b", Some("a"), closed)], "a", &[]);
    check(&[team("a", Some("a"), closed)], "a", &[]);
    check(&[team("a", Some("nowhere"), closed)], "a", &[]);
    check(&[], "a", &[]);
}

#[test]
fn circles_are_found_once_and_begin_with_the_first_team_of_the_file() {
    let check = |links: &[(&str, &str)], expected: &[&[&str]]| {
        let teams: Vec<Team> = links
            .iter()
            .map(|(from, to)| team(from, Some(*to).filter(|to| !to.is_empty()), None))
            .collect();
        let cycles = overflow_cycles(&teams);
        let cycles: Vec<Vec<&str>> =
            cycles.iter().map(|cycle| cycle.iter().map(Slug::as_str).collect()).collect();
        assert_eq!(cycles, expected);
    };
    check(&[("a", "b"), ("b", "c"), ("c", "")], &[]);
    check(&[("a", "a")], &[&["a"]]);
    check(&[("a", "c"), ("b", "c"), ("c", "b")], &[&["b", "c"]]);
    check(
        &[("a", "b"), ("b", "c"), ("c", "a"), ("d", "e"), ("e", "d"), ("f", "a")],
        &[&["a", "b", "c"], &["d", "e"]],
    );
    check(&[("a", "nowhere")], &[]);
}
