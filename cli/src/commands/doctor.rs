//! What does serving depend on, and what of it is broken?

mod folders;
mod keeping;
mod reach;
pub(super) mod report;

use super::check::{self, Finding};
use crate::{Verdict, settings::Settings};
use bot::{
    Desk,
    config::{Config, EmbedderKind},
};
use models::catalogue::{Catalogue, Condition, Presence, verify};
use report::{Check, State};
use std::{collections::BTreeSet, os::unix::fs::PermissionsExt, path::Path};

/// Looks at everything, whatever fails on the way, and says how to mend each thing.
pub(crate) async fn run(desk: &Path, as_json: bool) -> anyhow::Result<Verdict> {
    let (findings, opened) = check::look(desk).await;
    let mut checks: Vec<Check> = findings.into_iter().map(of_finding).collect();
    if checks.is_empty() {
        checks.push(Check::ok("desk", "settings, rules, articles and models are sound"));
    }
    if let Ok(settings) = Settings::read(desk) {
        checks.extend(model(&settings));
        checks.extend(opened.as_ref().map(index));
        checks.extend(folders::look(&settings));
        checks.extend(reach::generator(&settings).await);
        checks.extend(keeping::look(&settings).await);
        checks.extend(secrets(&settings));
        checks.push(reach::port(&settings).await);
        checks.extend(reach::public_url(&settings).await);
        if let Some(opened) = &opened {
            checks.extend(reach::webhooks(&settings, opened).await);
        }
        checks.extend(reach::collector(&settings).await);
        checks.extend(super::intercom::glance(&settings).await);
    }
    report::show(&checks, as_json)?;
    let is_broken = checks.iter().any(|check| check.state == State::Broken);
    Ok(if is_broken { Verdict::No } else { Verdict::Yes })
}

/// What `frontdesk check` says of the desk's files. Notes are left to it.
fn of_finding(finding: Finding) -> Check {
    let line = finding.line.map_or(String::new(), |line| format!(":{line}"));
    let what = format!("{}{line}: {}", finding.file.display(), finding.what);
    match finding.severity {
        "error" => Check::broken("desk", what, finding.mend),
        "warning" => Check::warning("desk", what, finding.mend),
        _ => Check { mend: finding.mend, ..Check::ok("desk", what) },
    }
}

/// Compares the files of a local embedder with their checksums.
fn model(settings: &Settings) -> Option<Check> {
    let config = &settings.config.embedder;
    if config.kind != EmbedderKind::Local {
        return None;
    }
    let catalogue = Catalogue::builtin();
    let entry = catalogue.find(&config.model)?;
    if !matches!(entry.presence(&settings.models), Presence::Present) {
        let what = format!("{} is not here", config.model);
        let mend = format!("frontdesk models pull {}", config.model);
        return Some(Check::broken("models", what, mend));
    }
    let wrong: Vec<String> = verify(entry, &settings.models)
        .into_iter()
        .filter(|file| file.condition != Condition::Ok)
        .map(|file| file.path)
        .collect();
    if wrong.is_empty() {
        return Some(Check::ok("models", format!("{} is whole", config.model)));
    }
    let what = format!("files of {} are damaged: {}", config.model, wrong.join(", "));
    let folder = entry.folder(&settings.models);
    let mend = format!("rm -r {}; frontdesk models pull {}", folder.display(), config.model);
    Some(Check::broken("models", what, mend))
}

fn index(desk: &Desk) -> Check {
    match desk.library().knowledge() {
        Ok(knowledge) => Check::ok("index", format!("{} articles", knowledge.articles().len())),
        Err(failure) => Check::warning(
            "index",
            format!("{:#}", anyhow::Error::from(failure)),
            "`frontdesk serve` builds it at its start, `frontdesk index` at once",
        ),
    }
}

/// A secret of HMAC-SHA256 shorter than its output is the weaker for it (RFC 2104, 3).
const LEAST_SECRET_BYTES: usize = 32;

/// Characters that a secret of random letters has at least; "aaaa…" has one.
const LEAST_DIFFERENT: usize = 12;

fn secrets(settings: &Settings) -> Vec<Check> {
    let config = &settings.config;
    let mut checks = Vec::new();
    let secrets = [
        ("messenger.identity_secret", config.messenger.identity_secret.reveal()),
        ("webhooks.secret", config.webhooks.secret.reveal()),
        ("server.metrics_token", config.server.metrics_token.reveal()),
    ];
    for (name, secret) in secrets {
        let Some(secret) = secret else { continue };
        let n_different = secret.bytes().collect::<BTreeSet<_>>().len();
        checks.push(if secret.len() < LEAST_SECRET_BYTES || n_different < LEAST_DIFFERENT {
            let what = format!("{name} can be guessed");
            Check::broken("secrets", what, "set what `openssl rand -hex 32` prints")
        } else {
            Check::ok("secrets", format!("{name} is long enough"))
        });
    }
    let file = settings.root.join("frontdesk.toml");
    let mode = std::fs::metadata(&file).map_or(0, |file| file.permissions().mode());
    if mode & 0o007 != 0 && holds_secret(&file) {
        let what = format!("{} holds secrets, and everybody may read it", file.display());
        checks.push(Check::warning("secrets", what, format!("chmod 640 {}", file.display())));
    }
    checks
}

/// Whether a file of settings has secrets of its own, beside those of the environment.
fn holds_secret(file: &Path) -> bool {
    let Ok(text) = std::fs::read_to_string(file) else { return false };
    let Ok(config) = Config::load(Some((file, &text)), std::iter::empty()) else { return false };
    let secrets = [
        &config.messenger.identity_secret,
        &config.webhooks.secret,
        &config.intercom.access_token,
        &config.intercom.client_secret,
        &config.server.metrics_token,
        &config.embedder.api_key,
        &config.generator.api_key,
    ];
    secrets.iter().any(|secret| secret.reveal().is_some())
        || config.store.reveal().is_some_and(holds_password)
}

/// Whether the address of a database holds a password: behind the user, or as a parameter.
fn holds_password(store: &str) -> bool {
    let Some((_, rest)) = store.split_once("://") else { return false };
    let (place, parameters) = rest.split_once('?').unwrap_or((rest, ""));
    let user = place.rsplit_once('@').map_or("", |(user, _)| user);
    user.contains(':') || parameters.split('&').any(|one| one.starts_with("password="))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_password_of_a_database_is_seen_wherever_it_stands() {
        let check = |store: &str, expected: bool| assert_eq!(holds_password(store), expected);
        check("postgres://desk:pa@ss@db.internal/desk", true);
        check("postgresql://desk:pass@db.internal/desk", true);
        check("postgres://desk@db.internal/desk?sslmode=require&password=pass", true);
        check("postgres://desk@db.internal:5432/desk?host=/run/postgresql", false);
        check(".frontdesk/frontdesk.db", false);
    }
}
