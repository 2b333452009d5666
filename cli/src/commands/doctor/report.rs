use crate::output;
use serde_json::{Value, json};

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::commands) enum State {
    Ok,
    /// It works, and somebody should look.
    Warning,
    /// Serving fails, or customers are served worse than they should be.
    Broken,
}

/// What was found about one part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::commands) struct Check {
    pub(in crate::commands) part: &'static str,
    pub(in crate::commands) state: State,
    pub(in crate::commands) what: String,
    /// What to do about it; empty when nothing is to be done.
    pub(in crate::commands) mend: String,
}

impl State {
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Broken => "broken",
        }
    }
}

impl Check {
    pub(in crate::commands) fn is_broken(&self) -> bool {
        self.state == State::Broken
    }

    pub(in crate::commands) fn ok(part: &'static str, what: impl Into<String>) -> Self {
        Self { part, state: State::Ok, what: what.into(), mend: String::new() }
    }

    pub(in crate::commands) fn warning(
        part: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { part, state: State::Warning, what: what.into(), mend: mend.into() }
    }

    pub(in crate::commands) fn broken(
        part: &'static str,
        what: impl Into<String>,
        mend: impl Into<String>,
    ) -> Self {
        Self { part, state: State::Broken, what: what.into(), mend: mend.into() }
    }

    /// Takes a failure's text apart: what is wrong, and behind the last semicolon how to mend it.
    pub(in crate::commands) fn failed(part: &'static str, failure: &str, mend: &str) -> Self {
        match failure.rsplit_once("; ") {
            Some((what, mend)) => Self::broken(part, what, mend),
            None => Self::broken(part, failure, mend),
        }
    }
}

/// Makes a document of all checks.
pub(in crate::commands) fn document(checks: &[Check]) -> Value {
    let rows = checks.iter().map(|check| {
        let state = check.state.name();
        json!({"part": check.part, "state": state, "what": check.what, "mend": check.mend})
    });
    let rows: Vec<Value> = rows.collect();
    json!({"sound": !checks.iter().any(Check::is_broken), "checks": rows})
}

/// Shows all checks, one a line.
pub(in crate::commands) fn show(checks: &[Check], as_json: bool) -> anyhow::Result<()> {
    if as_json {
        return output::json(&document(checks));
    }
    for check in checks {
        let mend = if check.mend.is_empty() { String::new() } else { format!("; {}", check.mend) };
        let (state, part) = (check.state.name(), check.part);
        output::line(format!("{state:<8} {part:<10} {}{mend}", check.what))?;
    }
    Ok(())
}
