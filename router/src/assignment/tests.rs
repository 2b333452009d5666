use super::*;
use serde_json::json;

pub(super) fn slug(text: &str) -> Slug {
    Slug::try_from(text.to_string()).unwrap()
}

pub(super) fn waiting(id: &str, language: Option<&str>) -> Waiting {
    Waiting {
        id: id.to_string(),
        language: language.and_then(Language::of_locale),
        priority: Priority::Normal,
        due: None,
        arrived_at: monday("08:00"),
        teammate: None,
    }
}

/// A time on Monday, 23 November 2026.
pub(super) fn monday(clock: &str) -> Timestamp {
    format!("2026-11-23T{clock}:00Z").parse().unwrap()
}

/// Anna speaks German, Ben English, Cleo both, Dan may not reply; open Mondays from 9 to 17.
fn team(assignment: &str) -> Team {
    serde_json::from_value(json!({
        "slug": "billing", "name": "Billing", "languages": ["en", "de"],
        "assignment": assignment, "capacity": 2,
        "hours": { "time_zone": "UTC", "monday": ["09:00-17:00"] },
        "member": [
            { "slug": "anna", "name": "Anna", "languages": ["de"] },
            { "slug": "ben", "name": "Ben", "languages": ["en"] },
            { "slug": "cleo", "name": "Cleo", "capacity": 5 },
            { "slug": "dan", "name": "Dan", "may_reply": false, "languages": ["fr"] },
        ],
    }))
    .unwrap()
}

fn roster(entries: &[(&str, bool, u32)]) -> Roster {
    let entry = |(who, available, n_open): &(&str, bool, u32)| {
        (slug(who), Presence { available: *available, n_open: *n_open })
    };
    entries.iter().map(entry).collect()
}

fn to(teammate: &str) -> Assigned {
    Assigned::To { teammate: slug(teammate), unspoken: None }
}

#[test]
fn only_who_is_there_may_reply_has_room_and_speaks_the_language_gets_one() {
    let check = |language: Option<&str>, entries: &[(&str, bool, u32)], expected: Assigned| {
        let (team, roster) = (team("fewest_open"), roster(entries));
        let assigned = assign(&team, &roster, &waiting("c", language), None, monday("10:00"));
        assert_eq!(assigned, expected, "{language:?} {entries:?}");
    };
    let all = [("anna", true, 1), ("ben", true, 0), ("cleo", true, 0), ("dan", true, 0)];
    check(None, &all, to("ben"));
    check(Some("de"), &all, to("cleo"));
    check(Some("de"), &[("anna", true, 1), ("cleo", true, 2)], to("anna"));
    check(Some("de"), &[("anna", true, 2), ("cleo", true, 4)], to("cleo"));
    check(Some("de"), &[("anna", true, 2), ("cleo", true, 5)], Assigned::Queue(Why::AllFull));
    let german = Language::of_locale("de").unwrap();
    check(Some("de"), &[("ben", true, 0)], Assigned::Queue(Why::NobodySpeaks(german)));
    check(None, &[("dan", true, 0)], Assigned::Queue(Why::NobodyAvailable));
    check(None, &[("ben", false, 0)], Assigned::Queue(Why::NobodyAvailable));
    check(None, &[], Assigned::Queue(Why::NobodyAvailable));
    let french = Language::of_locale("fr");
    check(Some("fr"), &all, Assigned::To { teammate: slug("ben"), unspoken: french });
}

#[test]
fn closed_manual_and_empty_teams_queue_and_what_is_taken_stays() {
    let everybody = roster(&[("anna", true, 0), ("ben", true, 0), ("cleo", true, 0)]);
    let check = |team: &Team, clock: &str, expected: Assigned| {
        let assigned = assign(team, &everybody, &waiting("c", None), None, monday(clock));
        assert_eq!(assigned, expected);
    };
    check(&team("round_robin"), "08:59", Assigned::Queue(Why::Closed));
    check(&team("round_robin"), "17:00", Assigned::Queue(Why::Closed));
    check(&team("manual"), "10:00", Assigned::Queue(Why::Manual));
    let mut empty = team("round_robin");
    empty.members.retain(|member| !member.may_reply);
    check(&empty, "10:00", Assigned::Queue(Why::NoMembers));
    let mut taken = waiting("c", None);
    taken.teammate = Some(slug("zoe"));
    for clock in ["10:00", "20:00"] {
        let assigned = assign(&team("round_robin"), &everybody, &taken, None, monday(clock));
        assert_eq!(assigned, Assigned::Kept(slug("zoe")));
    }
}

#[test]
fn round_robin_goes_on_after_the_last_in_the_order_of_the_file() {
    let check = |entries: &[(&str, bool, u32)], last: Option<&str>, expected: &str| {
        let (team, roster, last) = (team("round_robin"), roster(entries), last.map(slug));
        let assigned = assign(&team, &roster, &waiting("c", None), last.as_ref(), monday("10:00"));
        assert_eq!(assigned, to(expected), "after {last:?}");
    };
    let all = [("anna", true, 0), ("ben", true, 0), ("cleo", true, 0)];
    check(&all, None, "anna");
    check(&all, Some("anna"), "ben");
    check(&all, Some("cleo"), "anna");
    check(&all, Some("dan"), "anna");
    check(&all, Some("left-the-company"), "anna");
    check(&[("anna", true, 0), ("ben", true, 2), ("cleo", true, 0)], Some("anna"), "cleo");
    check(&[("ben", true, 0)], Some("ben"), "ben");
}

#[test]
fn a_queue_goes_by_due_time_then_priority_then_arrival_then_id() {
    let entry = |id: &str, due: Option<&str>, priority: Priority, arrived: &str| Waiting {
        due: due.map(monday),
        priority,
        arrived_at: monday(arrived),
        ..waiting(id, None)
    };
    let mut queue = [
        entry("8", None, Priority::Low, "08:00"),
        entry("7", None, Priority::Normal, "08:30"),
        entry("6", None, Priority::Normal, "08:10"),
        entry("5", None, Priority::Normal, "08:10"),
        entry("4", None, Priority::Urgent, "08:50"),
        entry("3", Some("12:00"), Priority::Normal, "08:00"),
        entry("2", Some("12:00"), Priority::High, "08:40"),
        entry("1", Some("11:00"), Priority::Low, "08:50"),
    ];
    let ahead: Vec<usize> = queue.iter().map(|one| n_ahead(one, &queue)).collect();
    assert_eq!(ahead, [7, 6, 5, 4, 3, 2, 1, 0]);
    order(&mut queue);
    let ids: Vec<&str> = queue.iter().map(|waiting| waiting.id.as_str()).collect();
    assert_eq!(ids, ["1", "2", "3", "4", "5", "6", "7", "8"]);
}

#[test]
fn freed_capacity_pulls_the_next_that_this_teammate_may_take() {
    let mut taken = waiting("1", None);
    taken.teammate = Some(slug("zoe"));
    let queue = [waiting("4", Some("fr")), taken, waiting("2", Some("de")), waiting("3", None)];
    let check = |assignment: &str, who: &str, n_open: u32, clock: &str, expected: Option<&str>| {
        let roster = roster(&[(who, true, n_open)]);
        let pulled = pull(&team(assignment), &slug(who), &roster, &queue, monday(clock));
        assert_eq!(pulled.map(|waiting| waiting.id.as_str()), expected, "{who} at {clock}");
    };
    check("round_robin", "anna", 1, "10:00", Some("2"));
    check("round_robin", "ben", 1, "10:00", Some("3"));
    check("fewest_open", "cleo", 4, "10:00", Some("2"));
    check("round_robin", "ben", 2, "10:00", None);
    check("round_robin", "ben", 1, "17:00", None);
    check("round_robin", "dan", 0, "10:00", None);
    check("round_robin", "zoe", 0, "10:00", None);
    check("manual", "anna", 0, "10:00", None);
}

#[test]
fn when_the_team_opens_the_queue_is_shared_out_until_everybody_is_full() {
    let mut queue: Vec<Waiting> = ["6", "5", "4", "3", "2", "1"]
        .iter()
        .map(|id| waiting(id, (*id == "1").then_some("de")))
        .collect();
    let mut roster = roster(&[("anna", true, 1), ("ben", true, 0), ("cleo", true, 4)]);
    let (team, mut last) = (team("round_robin"), Some(slug("anna")));
    assert!(share_out(&team, &mut roster, &mut queue, &mut last, monday("08:00")).is_empty());
    let shared = share_out(&team, &mut roster, &mut queue, &mut last, monday("09:00"));
    let shared: Vec<(&str, &str)> =
        shared.iter().map(|(id, who)| (id.as_str(), who.as_str())).collect();
    assert_eq!(shared, [("1", "cleo"), ("2", "anna"), ("3", "ben"), ("4", "ben")]);
    assert_eq!(last, Some(slug("ben")));
    assert!(share_out(&team, &mut roster, &mut queue, &mut last, monday("09:00")).is_empty());
}

#[test]
fn customers_can_be_told_what_to_expect() {
    let check = |team: &Team, available: bool, clock: &str, expected: Expectation| {
        let roster = roster(&[("ben", available, 2), ("dan", true, 0)]);
        assert_eq!(expect(team, &roster, 3, monday(clock)), expected, "{clock}");
    };
    let team = team("manual");
    check(&team, true, "10:00", Expectation::TeamOpen { n_ahead: 3 });
    check(&team, false, "10:00", Expectation::NobodyAvailable);
    check(&team, true, "08:00", Expectation::OpensAt(monday("09:00")));
    let nothing_known = expect(&team, &Roster::new(), 3, monday("10:00"));
    assert_eq!(nothing_known, Expectation::Unknown);
    let mut unknown = team.clone();
    unknown.members.clear();
    check(&unknown, true, "10:00", Expectation::Unknown);
    unknown.hours = serde_json::from_value(json!({ "time_zone": "UTC" })).unwrap();
    check(&unknown, true, "10:00", Expectation::Unknown);
}
