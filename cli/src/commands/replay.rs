use super::ask::ensure_index;
use crate::{Verdict, assembly, output, settings::Settings};
use anyhow::Context;
use bot::Replayed;
use serde_json::{Value as Json, json};
use store::{Decided, Id, Store};

/// Something that came out otherwise.
struct Difference {
    what: String,
    then: Json,
    now: Json,
}

/// Takes a stored decision again and shows what comes out otherwise, and why.
pub(crate) async fn run(settings: Settings, as_json: bool, id: &str) -> anyhow::Result<Verdict> {
    let id: Id<Decided> = id
        .parse()
        .with_context(|| format!("{id:?} is no id of a decision; copy it from inbox or API"))?;
    let url = settings.store_url();
    let desk = assembly::desk(settings).await?;
    ensure_index(desk.library()).await?;
    let store = Store::open(&url).await?;
    let replayed = bot::replay(&desk, &store, id).await;
    store.close().await;
    let replayed = replayed?;
    let trace = replayed.now.trace(desk.policy());
    let differences = differences(&replayed, &trace);
    if as_json {
        let rows = differences
            .iter()
            .map(|Difference { what, then, now }| json!({"what": what, "then": then, "now": now}));
        output::json(&json!({
            "decision": id.to_string(),
            "conversation": replayed.then.conversation.to_string(),
            "decided_at": replayed.then.at.to_string(),
            "same": differences.is_empty(),
            "differences": rows.collect::<Vec<_>>(),
            "trace": {"then": replayed.then.decided.trace, "now": trace},
        }))?;
    } else {
        show(&replayed.then, &differences)?;
    }
    Ok(if differences.is_empty() { Verdict::Yes } else { Verdict::No })
}

fn differences(replayed: &Replayed, now: &Json) -> Vec<Difference> {
    let then = &replayed.then.decided.trace;
    let empty = serde_json::Map::new();
    let (then, now) = (then.as_object().unwrap_or(&empty), now.as_object().unwrap_or(&empty));
    let mut names: Vec<&String> = then.keys().chain(now.keys()).collect();
    names.sort();
    names.dedup();
    let mut differences: Vec<Difference> = Vec::new();
    let mut compare = |what: &str, then: Json, now: Json| {
        if !same(&then, &now) {
            differences.push(Difference { what: what.to_string(), then, now });
        }
    };
    // What is done comes first, then why.
    let of = |side: &serde_json::Map<String, Json>, name: &str| {
        side.get(name).cloned().unwrap_or(Json::Null)
    };
    for name in ["act", "team"] {
        compare(name, of(then, name), of(now, name));
    }
    let draft = replayed.now.draft.as_ref().map(|draft| draft.text.as_str());
    compare("draft", json!(replayed.then.decided.draft), json!(draft));
    let rounded = |confidence: f64| json!((confidence * 1000.0).round() / 1000.0);
    let confidence = replayed.now.confidence.value();
    compare("confidence", rounded(replayed.then.decided.confidence), rounded(confidence));
    for name in names.into_iter().filter(|name| !["act", "team"].contains(&name.as_str())) {
        compare(name, of(then, name), of(now, name));
    }
    differences
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

fn show(decided: &Decided, differences: &[Difference]) -> anyhow::Result<()> {
    let Decided { id, conversation, at, .. } = decided;
    output::line(format!("decision {id} of conversation {conversation}, taken at {at}"))?;
    if differences.is_empty() {
        return output::line("it comes out the same");
    }
    for Difference { what, then, now } in differences {
        output::line(what)?;
        output::line(format!("  then  {}", plain(then)))?;
        output::line(format!("  now   {}", plain(now)))?;
    }
    Ok(())
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
