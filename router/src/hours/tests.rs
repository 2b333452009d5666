use super::*;
use serde_json::json;

/// Berlin: split Mondays, a night shift from Friday, no holidays but Christmas.
fn berlin() -> Hours {
    serde_json::from_value(json!({
        "time_zone": "Europe/Berlin",
        "monday": ["09:00-12:30", "13:30-18:00"],
        "tuesday": ["09:00-17:00"],
        "wednesday": ["09:00-17:00"],
        "thursday": ["09:00-17:00"],
        "friday": ["09:00-15:00", "22:00-06:00"],
        "holidays": ["2026-12-25", "2026-12-24 09:00-12:00"],
    }))
    .unwrap()
}

fn every_day(time_zone: &str, span: &str) -> Hours {
    let mut hours = json!({ "time_zone": time_zone });
    for day in ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"] {
        hours[day] = json!([span]);
    }
    serde_json::from_value(hours).unwrap()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

#[test]
fn a_team_is_open_from_the_first_moment_of_a_span_to_just_before_its_end() {
    let check = |moment: &str, expected: bool| {
        assert_eq!(berlin().is_open(at(moment)), expected, "{moment}");
    };
    check("2026-11-23T08:59:59+01:00", false);
    check("2026-11-23T09:00:00+01:00", true);
    check("2026-11-23T12:29:59.999999999+01:00", true);
    check("2026-11-23T12:30:00+01:00", false);
    check("2026-11-23T13:30:00+01:00", true);
    check("2026-11-27T21:59:00+01:00", false);
    check("2026-11-28T00:00:00+01:00", true);
    check("2026-11-28T05:59:00+01:00", true);
    check("2026-11-28T06:00:00+01:00", false);
    check("2026-12-24T11:00:00+01:00", true);
    check("2026-12-24T12:00:00+01:00", false);
    check("2026-12-25T10:00:00+01:00", false);
    check("2026-12-25T23:00:00+01:00", false);
}

#[test]
fn the_next_opening_skips_nights_weekends_and_holidays() {
    let check = |moment: &str, expected: &str| {
        assert_eq!(berlin().next_opening(at(moment)), Some(at(expected)), "{moment}");
    };
    check("2026-11-23T10:15:00+01:00", "2026-11-23T10:15:00+01:00");
    check("2026-11-23T12:30:00+01:00", "2026-11-23T13:30:00+01:00");
    check("2026-11-23T20:00:00+01:00", "2026-11-24T09:00:00+01:00");
    check("2026-11-28T06:00:00+01:00", "2026-11-30T09:00:00+01:00");
    check("2026-12-24T12:00:00+01:00", "2026-12-28T09:00:00+01:00");
}

#[test]
fn hours_without_open_time_never_open() {
    let from = at("2026-11-23T00:00:00Z");
    let hours = |holidays: &[&str]| -> Hours {
        serde_json::from_value(json!({ "time_zone": "UTC", "holidays": holidays })).unwrap()
    };
    assert!(!hours(&[]).ever_opens(from));
    assert_eq!(hours(&[]).after_open(from, SignedDuration::from_secs(1)), None);
    assert!(hours(&["2027-01-04 09:00-10:00"]).ever_opens(from));
    assert!(!hours(&["2026-01-04 09:00-10:00"]).ever_opens(from));
    assert!(berlin().ever_opens(from));
}

#[test]
fn open_time_is_added_over_breaks_and_free_days() {
    let check = |from: &str, minutes: i64, expected: &str| {
        let moment = berlin().after_open(at(from), SignedDuration::from_mins(minutes));
        assert_eq!(moment, Some(at(expected)), "{minutes} minutes from {from}");
    };
    check("2026-11-23T12:00:00+01:00", 30, "2026-11-23T12:30:00+01:00");
    check("2026-11-23T12:00:00+01:00", 31, "2026-11-23T13:31:00+01:00");
    check("2026-11-23T07:00:00+01:00", 240, "2026-11-23T14:00:00+01:00");
    check("2026-11-27T14:00:00+01:00", 120, "2026-11-27T23:00:00+01:00");
    check("2026-11-28T05:00:00+01:00", 120, "2026-11-30T10:00:00+01:00");
    check("2026-12-23T16:00:00+01:00", 300, "2026-12-28T10:00:00+01:00");
    check("2026-11-28T12:00:00+01:00", 0, "2026-11-28T12:00:00+01:00");
    check("2026-11-28T12:00:00+01:00", -5, "2026-11-28T12:00:00+01:00");
}

#[test]
fn clock_changes_lengthen_and_shorten_what_lies_over_them() {
    let check = |hours: &Hours, from: &str, to: &str, expected_minutes: i64| {
        let open = hours.open_between(at(from), at(to));
        assert_eq!(open, SignedDuration::from_mins(expected_minutes), "{from} to {to}");
    };
    let nights = every_day("Europe/Berlin", "22:00-06:00");
    check(&nights, "2026-03-28T12:00:00+01:00", "2026-03-29T12:00:00+02:00", 7 * 60);
    check(&nights, "2026-10-24T12:00:00+02:00", "2026-10-25T12:00:00+01:00", 9 * 60);
    let whole_days = every_day("Australia/Lord_Howe", "00:00-24:00");
    check(&whole_days, "2026-10-03T13:30:00Z", "2026-10-04T13:00:00Z", 23 * 60 + 30);
    let skipped = every_day("Europe/Berlin", "02:15-02:45");
    check(&skipped, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 0);
    check(&skipped, "2026-10-25T00:00:00+02:00", "2026-10-26T00:00:00+01:00", 30);
    let half_skipped = every_day("Europe/Berlin", "02:30-04:00");
    check(&half_skipped, "2026-03-29T00:00:00+01:00", "2026-03-30T00:00:00+02:00", 60);
    let samoa = every_day("Pacific/Apia", "09:00-17:00");
    check(&samoa, "2011-12-29T00:00:00-10:00", "2012-01-01T00:00:00+14:00", 2 * 8 * 60);
}

#[test]
fn the_ends_of_the_calendar_are_no_trouble() {
    let hours = every_day("Europe/Berlin", "00:00-24:00");
    for moment in [Timestamp::MIN, Timestamp::MAX] {
        let _ = hours.is_open(moment);
        let _ = hours.next_opening(moment);
        let _ = hours.after_open(moment, SignedDuration::MAX);
    }
    assert_eq!(hours.open_between(Timestamp::MAX, Timestamp::MIN), SignedDuration::ZERO);
}

#[test]
fn faults_name_the_mend() {
    let check = |field: &str, value: serde_json::Value, expected: &str| {
        let mut hours = json!({ "time_zone": "Europe/Berlin" });
        hours[field] = value;
        let error = serde_json::from_value::<Hours>(hours).unwrap_err().to_string();
        assert_eq!(error, expected);
    };
    let span = |text: &str| format!("{text:?} is no span of hours; write it as \"09:00-17:30\"");
    for wrong in ["9:00-25:00", "9-17", "09:00", "24:00-25:00", "09:60-10:00", "+9:00-10:00", ""] {
        check("monday", json!([wrong]), &span(wrong));
    }
    check(
        "monday",
        json!(["09:00-09:00"]),
        "\"09:00-09:00\" ends where it starts; write a whole day as \"00:00-24:00\" and leave a \
         closed one out",
    );
    check(
        "friday",
        json!(["13:00-18:00", "09:00-14:00"]),
        "\"09:00-14:00\" and \"13:00-18:00\" overlap; make one span of them or set them apart",
    );
    check(
        "time_zone",
        json!("Kathmandu"),
        "\"Kathmandu\" is no time zone; write an IANA name such as \"Asia/Kathmandu\"",
    );
    check(
        "holidays",
        json!(["25.12.2026"]),
        "\"25.12.2026\" is no holiday; write \"2026-12-25\" for a closed day or \"2026-12-24 \
         09:00-12:00\" for other hours",
    );
    check(
        "holidays",
        json!(["2026-12-25", "2026-12-25 09:00-12:00"]),
        "holiday 2026-12-25 stands twice; write its spans on one line, such as \"2026-12-25 \
         09:00-12:00 13:00-15:00\"",
    );
    check("holidays", json!(["2026-12-25 9-12"]), &span("9-12"));
    check(
        "holidays",
        json!([20261225]),
        "invalid type: integer `20261225`, expected a date in quotes such as \"2026-12-25\"",
    );
    check(
        "monday",
        json!("09:00-17:30"),
        "invalid type: string \"09:00-17:30\", expected a list of spans such as [\"09:00-17:30\"]",
    );
}

#[test]
fn hours_are_written_as_they_are_read() {
    let written = serde_json::to_value(berlin()).unwrap();
    assert_eq!(written["friday"], json!(["09:00-15:00", "22:00-06:00"]));
    assert_eq!(written["holidays"], json!(["2026-12-24 09:00-12:00", "2026-12-25"]));
    assert_eq!(serde_json::from_value::<Hours>(written).unwrap(), berlin());
    let lenient = json!({ "time_zone": "utc", "sunday": [" 9:00 – 0:00 "] });
    let hours: Hours = serde_json::from_value(lenient).unwrap();
    assert_eq!(serde_json::to_value(hours).unwrap()["sunday"], json!(["09:00-24:00"]));
}
