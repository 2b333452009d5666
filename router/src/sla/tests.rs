use super::*;
use proptest::prelude::*;
use serde_json::json;

fn sla() -> Sla {
    let written = json!({
        "slug": "standard", "first_reply": "4h", "next_reply": "8h", "resolution": "24h",
    });
    serde_json::from_value(written).unwrap()
}

/// Monday to Friday from 9 to 17 in Berlin.
fn office() -> Hours {
    let mut hours = json!({ "time_zone": "Europe/Berlin" });
    for day in ["monday", "tuesday", "wednesday", "thursday", "friday"] {
        hours[day] = json!(["09:00-17:00"]);
    }
    serde_json::from_value(hours).unwrap()
}

/// A time in the week of Monday, 23 November 2026, in Berlin.
fn at(day: u8, clock: &str) -> Timestamp {
    format!("2026-11-{day}T{clock}:00+01:00").parse().unwrap()
}

fn check(hours: Option<&Hours>, clock: &SlaClock, expected: [Option<Timestamp>; 3]) {
    let [first_reply, next_reply, resolution] = expected;
    assert_eq!(sla().due(hours, clock), Due { first_reply, next_reply, resolution });
}

#[test]
fn promises_run_in_open_time_from_the_handoff() {
    let clock = SlaClock::new(at(27, "15:00"));
    check(Some(&office()), &clock, [Some(at(30, "11:00")), None, monday_after(2, "15:00")]);
    check(None, &clock, [Some(at(27, "19:00")), None, Some(at(28, "15:00"))]);
}

/// A time in the week after.
fn monday_after(december: u8, clock: &str) -> Option<Timestamp> {
    Some(format!("2026-12-0{december}T{clock}:00+01:00").parse().unwrap())
}

#[test]
fn a_reply_ends_the_first_promise_and_the_next_message_begins_the_second() {
    let mut clock = SlaClock::new(at(23, "09:00"));
    clock.customer_wrote(at(23, "09:30"));
    check(Some(&office()), &clock, [Some(at(23, "13:00")), None, Some(at(25, "17:00"))]);
    clock.teammate_wrote(at(23, "10:00"));
    check(Some(&office()), &clock, [None, None, None]);
    clock.customer_wrote(at(23, "16:00"));
    clock.customer_wrote(at(23, "16:30"));
    // Six hours of the customer's turn are given back to the resolution.
    check(Some(&office()), &clock, [None, Some(at(24, "16:00")), Some(at(26, "15:00"))]);
    clock.teammate_wrote(at(24, "09:00"));
    clock.teammate_wrote(at(24, "11:00"));
    check(Some(&office()), &clock, [None, None, None]);
    clock.resolved();
    check(Some(&office()), &clock, [None, None, None]);
}

#[test]
fn a_resolution_that_fell_due_stays_due_while_the_customer_is_to_write() {
    let mut clock = SlaClock::new(at(23, "09:00"));
    clock.teammate_wrote(at(26, "09:00"));
    check(Some(&office()), &clock, [None, None, Some(at(25, "17:00"))]);
    clock.customer_wrote(at(26, "12:00"));
    check(Some(&office()), &clock, [None, Some(at(27, "12:00")), Some(at(25, "17:00"))]);
}

#[test]
fn what_the_bot_takes_back_is_no_matter_of_the_team_until_it_is_handed_off_again() {
    let mut clock = SlaClock::new(at(23, "09:00"));
    clock.handed_back(at(23, "10:00"));
    clock.customer_wrote(at(23, "11:00"));
    check(Some(&office()), &clock, [None, None, None]);
    clock.handed_off(at(23, "12:00"));
    check(Some(&office()), &clock, [Some(at(23, "16:00")), None, Some(at(26, "11:00"))]);
    clock.handed_off(at(23, "13:00"));
    check(Some(&office()), &clock, [Some(at(23, "16:00")), None, Some(at(26, "11:00"))]);
}

#[test]
fn a_promise_that_is_not_made_or_cannot_be_kept_is_absent() {
    let none: Sla = serde_json::from_value(json!({ "slug": "none" })).unwrap();
    let clock = SlaClock::new(at(23, "09:00"));
    assert_eq!(none.due(None, &clock), Due::default());
    let never: Hours = serde_json::from_value(json!({ "time_zone": "UTC" })).unwrap();
    check(Some(&never), &clock, [None, None, None]);
}

#[test]
fn what_is_due_next_and_what_is_overdue() {
    let (early, late) = (at(23, "10:00"), at(23, "11:00"));
    let due = Due { first_reply: None, next_reply: Some(late), resolution: Some(early) };
    assert_eq!(due.next(), Some((Promise::Resolution, early)));
    assert_eq!(Due::default().next(), None);
    let same = Due { first_reply: Some(early), next_reply: None, resolution: Some(early) };
    assert_eq!(same.next(), Some((Promise::FirstReply, early)));
    assert_eq!(due.overdue(at(23, "09:59")), []);
    assert_eq!(due.overdue(early), [Promise::Resolution]);
    assert_eq!(due.overdue(late), [Promise::NextReply, Promise::Resolution]);
}

#[test]
fn lengths_are_hours_and_minutes() {
    let check = |text: &str, minutes: Option<i64>| {
        let read = OpenTime::try_from(text.to_string()).ok().map(OpenTime::duration);
        assert_eq!(read, minutes.map(SignedDuration::from_mins), "{text:?}");
    };
    check("4h", Some(240));
    check("1h 30m", Some(90));
    check("90 minutes", Some(90));
    check("PT2H", Some(120));
    for wrong in
        ["3d", "2 days", "1w", "0h", "-4h", "4h ago", "4", "", "soon", "99999999999999999h"]
    {
        check(wrong, None);
    }
    let error = serde_json::from_value::<Sla>(json!({ "slug": "a", "resolution": "3d" }));
    assert_eq!(
        error.unwrap_err().to_string(),
        "\"3d\" is no length of open time; write hours and minutes such as \"4h\" or \"1h 30m\" (a \
         day would be 24 hours to one reader and a working day to another)"
    );
    let written = serde_json::to_value(sla()).unwrap();
    assert_eq!(written["resolution"], "24h");
    assert_eq!(serde_json::from_value::<Sla>(written).unwrap(), sla());
}

proptest! {
    /// The customer's turns are given back in full: each minute that passes is spent or paused.
    #[test]
    fn a_resolution_gets_all_its_open_time(
        gaps in prop::collection::vec(0..600i64, 0..9),
        open_at_all_hours in any::<bool>(),
    ) {
        let office = office();
        let hours = (!open_at_all_hours).then_some(&office);
        let between = |from, to| open_between(hours, from, to);
        let start = at(23, "09:00");
        let mut clock = SlaClock::new(start);
        let (mut now, mut spent) = (start, SignedDuration::ZERO);
        for (index, minutes) in gaps.iter().enumerate() {
            let then = now + SignedDuration::from_mins(*minutes);
            if index % 2 == 0 {
                clock.teammate_wrote(then);
                spent += between(now, then);
            } else {
                clock.customer_wrote(then);
            }
            now = then;
        }
        let due = sla().due(hours, &clock).resolution;
        let promised = SignedDuration::from_hours(24);
        if spent >= promised {
            prop_assert!(due.is_some_and(|due| due <= now));
        } else if gaps.len() % 2 == 1 {
            prop_assert_eq!(due, None);
        } else {
            let due = due.unwrap();
            prop_assert_eq!(spent + between(now, due), promised);
        }
    }
}
