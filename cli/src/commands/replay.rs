use super::ask::ensure_index;
use crate::{Verdict, args, assembly::Tools, output, settings::Settings};
use anyhow::Context;
use bot::{Answer, Desk};
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeSet;
use store::{Basis, Decided, Id, Store};

mod what_if;

use what_if::{Flipped, flip, supposed};

/// Something that came out otherwise, or is otherwise.
struct Difference {
    what: String,
    then: Json,
    now: Json,
}

/// What of a decision people ask first when something is supposed to be otherwise.
const FLIPS: [&str; 6] = ["act", "team", "teammate", "priority", "text", "reasons"];

/// Takes a stored decision again and shows what comes out otherwise, what has changed since, and
/// what would flip if things were otherwise.
pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::Replay,
) -> anyhow::Result<Verdict> {
    let id: Id<Decided> = wanted.id.parse().with_context(|| {
        format!("{:?} is no id of a decision; copy it from inbox or API", wanted.id)
    })?;
    let (url, root) = (settings.store_url(), settings.root.clone());
    let rules = supposed(&settings, &wanted)?;
    let tools = Tools::open(&settings).await?;
    let desk = tools.desk(settings).await?;
    ensure_index(desk.library()).await?;
    let store = Store::open(&url).await?;
    let recalled = bot::recall(&store, id).await;
    store.close().await;
    let recalled = recalled?;
    let now = desk.answer(&recalled.inquiry(&desk)).await;
    let about = (&recalled, &wanted);
    let flipped = flip(&tools, &desk, about, rules, || Settings::read(&root)).await?;
    let told = Told {
        changed: changed(recalled.then.decided.basis.as_ref(), &desk, &now),
        differences: differences(&recalled.then, &now, &now.trace(desk.policy())),
        flips: flipped.as_ref().map(|flipped| flips(&now, flipped)),
        then: recalled.then,
    };
    if as_json {
        let supposed = flipped.map(|flipped| flipped.supposed);
        output::json(&told.document(&now.trace(desk.policy()), supposed))?;
    } else {
        told.show(flipped.as_ref().map_or(&[][..], |flipped| flipped.supposed.as_slice()))?;
    }
    let is_same = told.differences.is_empty() && told.flips.is_none_or(|flips| flips.is_empty());
    Ok(if is_same { Verdict::Yes } else { Verdict::No })
}

/// What is told of a decision that was taken again.
struct Told {
    then: Decided,
    /// What it was decided by that is otherwise now; `None` where that was not kept.
    changed: Option<Vec<Difference>>,
    differences: Vec<Difference>,
    /// What would be otherwise than now; `None` when nothing is supposed.
    flips: Option<Vec<Difference>>,
}

/// Names what a decision was taken by that is otherwise now.
fn changed(then: Option<&Basis>, desk: &Desk, now: &Answer) -> Option<Vec<Difference>> {
    let then = then?;
    let now_by = desk.versions();
    let names: BTreeSet<&String> = then.versions.keys().chain(now_by.keys()).collect();
    let mut changed = Vec::new();
    let mut note = |what: String, then: Json, now: Json| {
        changed.push(Difference { what, then, now });
    };
    for name in names {
        let (was, is) = (then.versions.get(name), now_by.get(name));
        if was != is {
            note(name.clone(), json!(was), json!(is));
        }
    }
    for article in &then.articles {
        let what = format!("article {}", article.id);
        match desk.article_digest(&article.id) {
            None => note(what, json!("found"), json!("removed")),
            Some(digest) if !article.digest.is_empty() && digest != article.digest => {
                note(what, json!("found"), json!("edited"));
            }
            Some(_) => {}
        }
    }
    let is_new = |id: &&String| !then.articles.iter().any(|article| article.id == **id);
    if then.versions.get("index") != now_by.get("index") {
        for id in now.articles.iter().take(then.articles.len().max(1)).filter(is_new) {
            note(format!("article {id}"), json!("not found"), json!("added, or found by an edit"));
        }
    }
    Some(changed)
}

fn differences(then: &Decided, answer: &Answer, now: &Json) -> Vec<Difference> {
    let empty = Map::new();
    let before = then.decided.trace.as_object().unwrap_or(&empty);
    let after = now.as_object().unwrap_or(&empty);
    let mut names: Vec<&str> = before.keys().chain(after.keys()).map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    // What is done comes first, then why.
    let mut found = unlike(&["act", "team"], before, after);
    let draft = answer.draft.as_ref().map(|draft| draft.text.as_str());
    found.extend(compared("draft", json!(then.decided.draft), json!(draft)));
    let confidence = (then.decided.confidence, answer.confidence.value());
    found.extend(compared("confidence", rounded(confidence.0), rounded(confidence.1)));
    names.retain(|name| !["act", "team"].contains(name));
    found.extend(unlike(&names, before, after));
    found
}

/// Says what would be otherwise than it is now.
fn flips(now: &Answer, flipped: &Flipped) -> Vec<Difference> {
    let empty = Map::new();
    let (is, would) = (bot::outcome(&now.decision), flipped.outcome.as_object());
    let mut found = unlike(&FLIPS, &is, would.unwrap_or(&empty));
    let draft = |answer: &Answer| json!(answer.draft.as_ref().map(|draft| draft.text.as_str()));
    found.extend(compared("draft", draft(now), draft(&flipped.answer)));
    let confidence = |answer: &Answer| rounded(answer.confidence.value());
    found.extend(compared("confidence", confidence(now), confidence(&flipped.answer)));
    let first = |answer: &Answer| json!(answer.articles.first());
    found.extend(compared("first article", first(now), first(&flipped.answer)));
    found
}

fn unlike(
    names: &[&str],
    before: &Map<String, Json>,
    after: &Map<String, Json>,
) -> Vec<Difference> {
    let of = |side: &Map<String, Json>, name: &str| side.get(name).cloned().unwrap_or_default();
    names.iter().filter_map(|name| compared(name, of(before, name), of(after, name))).collect()
}

fn compared(what: &str, then: Json, now: Json) -> Option<Difference> {
    (!same(&then, &now)).then(|| Difference { what: what.to_string(), then, now })
}

/// A confidence to the third digit, as it is shown.
fn rounded(confidence: f64) -> Json {
    json!((confidence * 1000.0).round() / 1000.0)
}

/// Whether two values are the same, numbers to nine digits: sums of many vectors come out in
/// another order from run to run, which changes the last digit.
fn same(then: &Json, now: &Json) -> bool {
    match (then, now) {
        (Json::Number(then), Json::Number(now)) => match (then.as_f64(), now.as_f64()) {
            (Some(then), Some(now)) => (then - now).abs() <= 1e-9 * then.abs().max(1.0),
            _ => then == now,
        },
        (Json::Object(then), Json::Object(now)) => {
            let has = |(name, value): (&String, &Json)| {
                now.get(name).is_some_and(|other| same(value, other))
            };
            then.len() == now.len() && then.iter().all(has)
        }
        (Json::Array(then), Json::Array(now)) => {
            then.len() == now.len() && then.iter().zip(now).all(|(then, now)| same(then, now))
        }
        _ => then == now,
    }
}

impl Told {
    fn document(&self, trace: &Json, supposed: Option<Vec<String>>) -> Json {
        let rows = |differences: &[Difference], (then, now): (&str, &str)| -> Vec<Json> {
            let row = |d: &Difference| json!({"what": d.what, then: d.then, now: d.now});
            differences.iter().map(row).collect()
        };
        let since = ("then", "now");
        let flips = self.flips.as_ref().map(|flips| rows(flips, ("now", "then")));
        json!({
            "decision": self.then.id.to_string(),
            "conversation": self.then.conversation.to_string(),
            "decided_at": self.then.at.to_string(),
            "same": self.differences.is_empty(),
            "changed": self.changed.as_ref().map(|changed| rows(changed, since)),
            "differences": rows(&self.differences, since),
            "what_if": supposed.map(|supposed| json!({"supposed": supposed, "flips": flips})),
            "trace": {"then": self.then.decided.trace, "now": trace},
        })
    }

    fn show(&self, supposed: &[String]) -> anyhow::Result<()> {
        let Decided { id, conversation, at, .. } = &self.then;
        output::line(format!("decision {id} of conversation {conversation}, taken at {at}"))?;
        match &self.changed {
            None => output::line("by what it was taken was not kept")?,
            Some(changed) if changed.is_empty() => {
                output::line("taken by the same articles, rules, models and settings as now")?;
            }
            Some(changed) => {
                output::line("changed since:")?;
                for Difference { what, then, now } in changed {
                    output::line(format!("  {what}: {} → {}", plain(then), plain(now)))?;
                }
            }
        }
        if self.differences.is_empty() {
            output::line("it comes out the same")?;
        }
        for Difference { what, then, now } in &self.differences {
            output::line(what)?;
            output::line(format!("  then  {}", plain(then)))?;
            output::line(format!("  now   {}", plain(now)))?;
        }
        let Some(flips) = &self.flips else { return Ok(()) };
        output::line(format!("what if: {}", supposed.join(", ")))?;
        if flips.is_empty() {
            return output::line("  nothing flips");
        }
        for Difference { what, then, now } in flips {
            output::line(format!("  {what}"))?;
            output::line(format!("    now   {}", plain(then)))?;
            output::line(format!("    then  {}", plain(now)))?;
        }
        Ok(())
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::Null => "nothing".into(),
        Json::String(text) => text.replace('\n', "\n        "),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_digit_is_no_difference_and_the_third_is_one() {
        let trace = |confidence: f64| json!({"facts": {"answer.confidence": confidence}, "x": [1]});
        assert!(same(&trace(0.957_908_626_981_157_2), &trace(0.957_908_626_981_157_3)));
        assert!(!same(&trace(0.957), &trace(0.958)));
        assert!(!same(&json!({"a": 1}), &json!({"b": 1})));
    }
}
