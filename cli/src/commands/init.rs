use crate::{Verdict, output};
use anyhow::Context;
use bot::config::DEFAULTS;
use serde_json::json;
use std::path::Path;

/// The starter desk: small, and it runs.
const FILES: [(&str, &str); 7] = [
    ("routing.toml", include_str!("../starter/routing.toml")),
    ("guidance.md", include_str!("../starter/guidance.md")),
    (
        "articles/change-your-password.md",
        include_str!("../starter/articles/change-your-password.md"),
    ),
    (
        "articles/cancel-or-change-plan.md",
        include_str!("../starter/articles/cancel-or-change-plan.md"),
    ),
    ("articles/invoices.md", include_str!("../starter/articles/invoices.md")),
    ("cases/cases.jsonl", include_str!("../starter/cases/cases.jsonl")),
    (".gitignore", ".frontdesk/\n"),
];

pub(crate) fn run(dir: &Path, as_json: bool) -> anyhow::Result<Verdict> {
    let settings = commented(DEFAULTS);
    let files = FILES.iter().copied().chain([("frontdesk.toml", settings.as_str())]);
    let files: Vec<(&str, &str)> = files.collect();
    if let Some((name, _)) = files.iter().find(|(name, _)| dir.join(name).exists()) {
        anyhow::bail!(
            "{} is there already; init writes a new desk and changes none",
            dir.join(name).display()
        );
    }
    for (name, text) in &files {
        let path = dir.join(name);
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
        }
        std::fs::write(&path, text).with_context(|| path.display().to_string())?;
    }
    let dir = dir.display();
    if as_json {
        let names: Vec<&str> = files.iter().map(|(name, _)| *name).collect();
        output::json(&json!({"desk": dir.to_string(), "files": names}))?;
        return Ok(Verdict::Yes);
    }
    output::line(format!(
        "{dir} is a desk now. Put your articles into {dir}/articles, then:\n\n  \
         frontdesk --desk {dir} index\n  \
         frontdesk --desk {dir} ask \"How do I change my password?\"\n  \
         frontdesk --desk {dir} serve"
    ))?;
    Ok(Verdict::Yes)
}

/// Turns the defaults into a file that sets nothing: every key is there, none is active.
fn commented(defaults: &str) -> String {
    let mark = |line: &str| {
        let sets = !line.is_empty() && !line.starts_with(['#', '[']);
        if sets { format!("# {line}\n") } else { format!("{line}\n") }
    };
    defaults.lines().map(mark).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use bot::config::Config;

    #[test]
    fn the_starter_settings_are_lawful_and_set_nothing() {
        let text = commented(DEFAULTS);
        assert!(text.lines().all(|line| line.is_empty() || line.starts_with(['#', '['])));
        Config::load(Some((Path::new("frontdesk.toml"), &text)), std::iter::empty()).unwrap();
    }
}
