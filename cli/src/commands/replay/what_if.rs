//! The desk as it would be: without an article or a rule, with others.

use crate::{args, assembly::Tools, settings::Settings};
use anyhow::Context;
use bot::{Answer, Desk, Recalled};
use serde_json::{Value as Json, json};
use std::sync::Arc;
use toml_edit::{Array, DocumentMut, Item, Table};

/// What is supposed to be otherwise, in words, and what would come of it.
pub(super) struct Flipped {
    pub(super) supposed: Vec<String>,
    pub(super) answer: Answer,
    pub(super) outcome: Json,
}

/// Returns the settings with the rules that are supposed; `None` when they are the desk's own.
pub(super) fn supposed(
    settings: &Settings,
    wanted: &args::Replay,
) -> anyhow::Result<Option<Settings>> {
    let file = match &wanted.what_if_routing {
        Some(file) => file.clone(),
        None if wanted.what_if_without_rule.is_empty() => return Ok(None),
        None => settings.root.join("routing.toml"),
    };
    let mut text = std::fs::read_to_string(&file).with_context(|| file.display().to_string())?;
    for rule in &wanted.what_if_without_rule {
        text = without_rule(&text, rule)?;
    }
    settings.with_rules(&file, &text).map(Some)
}

/// Takes a rule out of the text of a `routing.toml`; a built-in one is switched off.
fn without_rule(text: &str, name: &str) -> anyhow::Result<String> {
    let mut document: DocumentMut = text.parse()?;
    if let Some(rules) = document.get_mut("rule").and_then(Item::as_array_of_tables_mut) {
        let is_it = |rule: &Table| rule.get("name").and_then(Item::as_str) == Some(name);
        let n_before = rules.len();
        rules.retain(|rule| !is_it(rule));
        if rules.len() < n_before {
            return Ok(document.to_string());
        }
    }
    let ladder = document.entry("ladder").or_insert_with(toml_edit::table);
    let ladder = ladder.as_table_like_mut().context("[ladder] is no table")?;
    let without = ladder.entry("without").or_insert_with(|| Item::Value(Array::new().into()));
    without.as_array_mut().context("ladder.without is no list")?.push(name);
    Ok(document.to_string())
}

/// Takes a decision as if things were otherwise.
pub(super) async fn flip(
    tools: &Tools,
    desk: &Desk,
    (recalled, wanted): (&Recalled, &args::Replay),
    rules: Option<Settings>,
    settings: impl FnOnce() -> anyhow::Result<Settings>,
) -> anyhow::Result<Option<Flipped>> {
    let mut supposed = Vec::new();
    if let Some(file) = &wanted.what_if_routing {
        supposed.push(format!("with the rules of {}", file.display()));
    }
    supposed
        .extend(wanted.what_if_without_rule.iter().map(|rule| format!("without rule {rule:?}")));
    let place;
    let other = match &wanted.what_if_article {
        None => match rules {
            Some(rules) => tools.desk(rules).await?,
            None => desk.clone(),
        },
        Some(file) => {
            place = tempfile::tempdir()?;
            let edited = tools.library.with_article(file, place.path()).await?;
            let how = if edited.replaces { "as in" } else { "added from" };
            supposed.push(format!("with article {:?} {how} {}", edited.article, file.display()));
            let rules = match rules {
                Some(rules) => rules,
                None => settings()?,
            };
            tools.over(Arc::new(edited.library)).desk(rules).await?
        }
    };
    let knowledge = other.library().knowledge()?;
    let mut without = Vec::new();
    for name in &wanted.what_if_without {
        let number = knowledge.article_named(name);
        without.push(number.with_context(|| format!("no article is called {name:?}"))?);
        supposed.push(format!("without article {name:?}"));
    }
    if supposed.is_empty() {
        return Ok(None);
    }
    let answer = other.answer_without(&recalled.inquiry(&other), &without).await;
    let outcome = json!(bot::outcome(&answer.decision));
    Ok(Some(Flipped { supposed, answer, outcome }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_taken_out_and_a_built_in_one_switched_off() {
        let text = "fallback_team = \"a\"\n[[rule]]\nname = \"x\"\n[[rule]]\nname = \"y\"\n";
        let kept = without_rule(text, "x").unwrap();
        assert_eq!(kept, "fallback_team = \"a\"\n[[rule]]\nname = \"y\"\n");
        let off = without_rule("[ladder]\nwithout = [\"b\"]\n", "c").unwrap();
        assert_eq!(off, "[ladder]\nwithout = [\"b\", \"c\"]\n");
        let off = without_rule(text, "z").unwrap();
        assert!(off.contains("[ladder]\nwithout = [\"z\"]"), "{off}");
    }
}
