use crate::output;
use serde_json::json;

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum State {
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// Serving fails, or customers are served worse than they should be.
    Broken,
}

/// What was found about one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Check {
    pub(super) part: &'static str,
    pub(super) state: State,
    pub(super) what: String,
    /// What to do about it; empty when nothing is to be done.
    pub(super) mend: String,
}

impl Check {
    pub(super) fn ok(part: &'static str, what: impl Into<String>) -> Self {
        Self { part, state: State::Ok, what: what.into(), mend: String::new() }
    }

    pub(super) fn warning(
        part: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { part, state: State::Warning, what: what.into(), mend: mend.into() }
    }

    pub(super) fn broken(
        part: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { part, state: State::Broken, what: what.into(), mend: mend.into() }
    }

    /// Takes a failure's text apart: what is wrong, and behind the last semicolon how to mend it.
    pub(super) fn failed(part: &'static str, failure: &str, mend: &str) -> Self {
        match failure.rsplit_once("; ") {
            Some((what, mend)) => Self::broken(part, what, mend),
            None => Self::broken(part, failure, mend),
        }
    }
}

/// Shows all checks, one a line.
pub(super) fn show(checks: &[Check], as_json: bool) -> anyhow::Result<()> {
    let name = |state| match state {
        State::Ok => "ok",
        State::Warning => "warning",
        State::Broken => "broken",
    };
    if as_json {
        let rows = checks.iter().map(|check| {
            json!({"part": check.part, "state": name(check.state), "what": check.what, "mend": check.mend})
        });
        let broken = checks.iter().any(|check| check.state == State::Broken);
        return output::json(&json!({"sound": !broken, "checks": rows.collect::<Vec<_>>()}));
    }
    for check in checks {
        let mend = if check.mend.is_empty() { String::new() } else { format!("; {}", check.mend) };
        output::line(format!("{:<8} {:<10} {}{mend}", name(check.state), check.part, check.what))?;
    }
    Ok(())
}
