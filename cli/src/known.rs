//! What is said on the command line about who writes, from where and when.

use crate::args;
use anyhow::Context as _;
use bot::Context;
use jiff::Timestamp;
use router::Policy;
use serde_json::{Map, Value, json};

/// Puts together what is known beside the messages.
pub(crate) fn context(policy: &Policy, known: &args::Known) -> anyhow::Result<Context> {
    let reader = &known.reader;
    let mut customer = Map::new();
    let mut note = |name: &str, value: Option<Value>| {
        customer.extend(value.map(|value| (name.to_string(), value)));
    };
    note("tier", reader.tier.first().map(|tier| json!(tier)));
    note("plan", reader.plan.first().map(|plan| json!(plan)));
    note("tags", (!reader.tag.is_empty()).then(|| json!(reader.tag)));
    let stated = known.fact.iter().map(|fact| stated(policy, fact));
    Ok(Context {
        customer,
        channel: known.channel.clone(),
        page: known.page.clone(),
        stated: stated.collect::<anyhow::Result<_>>()?,
        ..Context::at(known.at.unwrap_or_else(now))
    })
}

/// Reads `name=value`; the value is JSON, or a text as it stands.
fn stated(policy: &Policy, fact: &str) -> anyhow::Result<(String, router::Value)> {
    let (name, value) = fact.split_once('=').with_context(|| {
        format!("--fact {fact:?} names no value; write it as company.arr=12000")
    })?;
    let name = name.trim();
    let json = serde_json::from_str(value).unwrap_or_else(|_| json!(value));
    let plain = json!(value);
    let value = bot::stated(policy.catalogue(), name, &json)
        .or_else(|error| bot::stated(policy.catalogue(), name, &plain).map_err(|_| error))
        .with_context(|| format!("--fact {fact:?}"))?;
    Ok((name.to_string(), value))
}

/// Reads the clock.
#[expect(clippy::disallowed_methods, reason = "commands are where the clock is read")]
pub(crate) fn now() -> Timestamp {
    Timestamp::now()
}
