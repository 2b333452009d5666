use jiff::{SignedDuration, Timestamp};
use router::Due;

/// From so long before a promise falls due it is shown as due soon: the shortest notice at which
/// somebody who works on another conversation can still turn to this one.
const SOON: SignedDuration = SignedDuration::from_mins(30);

/// A moment as pages show it: how far it is away, exact on demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// For machines, RFC 3339.
    pub(super) iso: String,
    /// For people, in UTC.
    pub(super) exact: String,
    /// Such as `5 min ago` or `in 2 h`.
    pub(super) away: String,
}

impl Moment {
    pub(super) fn new(at: Timestamp, now: Timestamp) -> Self {
        let passed = at.duration_until(now);
        let away = match (passed.abs().as_secs(), passed.is_negative()) {
            (0..45, _) => "now".to_string(),
            (_, false) => format!("{} ago", length(passed)),
            (_, true) => format!("in {}", length(passed)),
        };
        let exact = at.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
        Self { iso: at.to_string(), exact, away }
    }
}

/// Says how long something is, in its largest unit.
fn length(span: SignedDuration) -> String {
    let seconds = span.abs().as_secs();
    match seconds {
        0..3_600 => format!("{} min", ((seconds + 30) / 60).max(1)),
        3_600..86_400 => format!("{} h", (seconds + 1_800) / 3_600),
        _ => format!("{} d", (seconds + 43_200) / 86_400),
    }
}

/// How a promise stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Badge {
    /// `overdue`, `soon` or `due`.
    pub(super) class: &'static str,
    /// Such as `Reply overdue 2 h`.
    pub(super) text: String,
    /// When it falls due.
    pub(super) at: Moment,
}

impl Badge {
    /// Returns the badge of the promise that falls due first.
    pub(super) fn of(due: &Due, now: Timestamp) -> Option<Self> {
        let (promise, at) = due.next()?;
        let left = now.duration_until(at);
        let what = match promise {
            router::Promise::FirstReply => "First reply",
            router::Promise::NextReply => "Reply",
            router::Promise::Resolution => "Resolution",
        };
        let (class, text) = if left <= SignedDuration::ZERO {
            ("overdue", format!("{what} overdue {}", length(left)))
        } else if left <= SOON {
            ("soon", format!("{what} due in {}", length(left)))
        } else {
            ("due", format!("{what} in {}", length(left)))
        };
        Some(Self { class, text, at: Moment::new(at, now) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_read_as_people_say_them() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let check = |at: &str, expected: &str| {
            assert_eq!(Moment::new(at.parse().unwrap(), now).away, expected, "{at}");
        };
        check("2026-11-22T11:59:40Z", "now");
        check("2026-11-22T11:55:00Z", "5 min ago");
        check("2026-11-22T09:00:00Z", "3 h ago");
        check("2026-11-19T12:00:00Z", "3 d ago");
        check("2026-11-22T13:00:00Z", "in 1 h");
        let exact = Moment::new("2026-11-19T12:00:00.5Z".parse().unwrap(), now).exact;
        assert_eq!(exact, "2026-11-19 12:00:00 UTC");
    }

    #[test]
    fn the_promise_that_falls_due_first_is_shown() {
        let now: Timestamp = "2026-11-22T12:00:00Z".parse().unwrap();
        let check = |first: &str, expected: (&str, &str)| {
            let resolution = Some("2026-11-23T12:00:00Z".parse().unwrap());
            let due = Due { first_reply: first.parse().ok(), next_reply: None, resolution };
            let badge = Badge::of(&due, now).unwrap();
            assert_eq!((badge.class, badge.text.as_str()), expected);
        };
        check("2026-11-22T12:00:00Z", ("overdue", "First reply overdue 1 min"));
        check("2026-11-22T10:00:00Z", ("overdue", "First reply overdue 2 h"));
        check("2026-11-22T12:20:00Z", ("soon", "First reply due in 20 min"));
        check("2026-11-22T16:00:00Z", ("due", "First reply in 4 h"));
        check("none", ("due", "Resolution in 1 d"));
        assert_eq!(Badge::of(&Due::default(), now), None);
    }
}
