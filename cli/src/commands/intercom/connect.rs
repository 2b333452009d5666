//! `frontdesk intercom connect`, and the part of `frontdesk doctor` that is about Intercom.

use super::{client, webhook, write};
use crate::{
    Verdict,
    commands::doctor::report::{self, Check},
    output,
    settings::Settings,
};
use intercom::{
    Region,
    connect::{Expected, Finding, Missing, State, examine},
    wire::ExternalId,
};
use serde_json::json;

pub(super) async fn run(
    settings: &Settings,
    as_json: bool,
    may_write: bool,
    seat: Option<ExternalId>,
) -> anyhow::Result<Verdict> {
    let client = client(settings)?;
    let config = &settings.config.intercom;
    let configured = ExternalId::parse(&config.admin_id);
    let chosen = seat.as_ref().or(configured.as_ref());
    let region: Region =
        config.region.parse().map_err(|why: &str| anyhow::anyhow!("intercom.region: {why}"))?;
    let expected = Expected { policy: &settings.playbook.policy, seat: chosen, region };
    let examined = examine(&client, &expected).await;
    let is_good = |finding: &&Finding| finding.part == "seat" && finding.state != State::Bad;
    let mut missing = examined.missing;
    if let Some(seat) = seat.filter(|seat| configured.as_ref() != Some(seat))
        && examined.findings.iter().any(|finding| is_good(&finding))
    {
        missing.push(Missing::Seat(seat));
    }
    let mut checks: Vec<Check> = examined.findings.into_iter().map(of_finding).collect();
    checks.extend(webhook::look(settings).await);
    let mut edits = Vec::new();
    for edit in write::edits(&settings.root, &missing) {
        let done = edit.and_then(|edit| {
            if may_write {
                edit.write()?;
            }
            Ok(edit)
        });
        match done {
            Ok(edit) => edits.push(edit),
            Err(failure) => {
                let mend = "write the lines that are named above by hand";
                checks.push(Check::failed("files", &format!("{failure:#}"), mend));
            }
        }
    }
    if as_json {
        let mut document = report::document(&checks);
        let rows: Vec<_> = edits.iter().map(write::Edit::to_json).collect();
        document["lines"] = json!(rows);
        document["written"] = json!(may_write && !edits.is_empty());
        output::json(&document)?;
    } else {
        report::show(&checks, false)?;
        for edit in &edits {
            let file = edit.file.display();
            let verb = if may_write { "written into" } else { "write into" };
            output::line(format!("\n{verb} {file}:\n{}", edit.lines.join("\n")))?;
        }
        if !edits.is_empty() && !may_write {
            output::line("\nor run it again with --write")?;
        }
        for note in scopes_untried() {
            output::line(note)?;
        }
    }
    let is_broken = checks.iter().any(Check::is_broken);
    Ok(if is_broken { Verdict::No } else { Verdict::Yes })
}

/// Looks at token, seat and webhook; nothing, where Intercom is not connected.
pub(in crate::commands) async fn glance(settings: &Settings) -> Vec<Check> {
    if settings.config.intercom.access_token.reveal().is_none() {
        return Vec::new();
    }
    let client = match client(settings) {
        Ok(client) => client,
        Err(failure) => {
            let mend = "mend [intercom] in frontdesk.toml";
            return vec![Check::failed("intercom", &format!("{failure:#}"), mend)];
        }
    };
    let seat = ExternalId::parse(&settings.config.intercom.admin_id);
    let found = intercom::connect::glance(&client, seat.as_ref()).await;
    let mut checks: Vec<Check> = found
        .into_iter()
        .map(|finding| Check { part: "intercom", ..of_finding(finding) })
        .collect();
    checks.extend(webhook::look(settings).await);
    checks
}

fn of_finding(finding: Finding) -> Check {
    let Finding { part, state, what, mend } = finding;
    match state {
        State::Good => Check { mend, ..Check::ok(part, what) },
        State::Odd => Check::warning(part, what, mend),
        State::Bad => Check::broken(part, what, mend),
    }
}

/// What cannot be tried without doing something.
fn scopes_untried() -> [&'static str; 1] {
    [
        "\nnot tried, because trying would change something: \"Write conversations\", \"Write tags\", \
      for rules with `ticket` \"Write tickets\", and for `intercom push` \"Read and Write Articles\"",
    ]
}
