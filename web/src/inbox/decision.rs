use super::{moment::Moment, people::People};
use crate::markdown;
use jiff::Timestamp;
use serde_json::Value as Json;
use store::{Decided, Source};

/// A decision as pages show it.
#[derive(Debug, Clone)]
pub(super) struct DecisionView {
    pub(super) id: String,
    /// What was done, such as `Handed over to Billing`.
    pub(super) done: String,
    pub(super) topic: Option<String>,
    pub(super) percent: u8,
    /// The confidence in words.
    pub(super) words: &'static str,
    /// `high`, `middle` or `low`.
    pub(super) level: &'static str,
    pub(super) reasons: Vec<String>,
    pub(super) draft: Option<String>,
    pub(super) draft_html: String,
    pub(super) sources: Vec<SourceView>,
    pub(super) fired: Vec<(String, String)>,
    pub(super) facts: Vec<(String, String)>,
    pub(super) at: Moment,
    pub(super) took: String,
}

/// An article that a message rests on, as pages show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceView {
    pub(super) title: String,
    /// Only an address of the web.
    pub(super) url: Option<String>,
    pub(super) quote: String,
}

impl From<&Source> for SourceView {
    fn from(source: &Source) -> Self {
        Self {
            title: source.title.clone(),
            url: source.url.as_deref().and_then(markdown::web_address),
            quote: source.quote.clone(),
        }
    }
}

impl DecisionView {
    pub(super) fn new(decided: &Decided, people: &People, now: Timestamp) -> Self {
        let it = &decided.decided;
        let (level, words) = in_words(it.confidence);
        let team = it.team.as_ref().map(|team| people.team(team));
        Self {
            id: decided.id.to_string(),
            done: done(&it.act, team.as_deref()),
            topic: it.topic.clone(),
            percent: percent(it.confidence),
            words,
            level,
            reasons: it.reasons.clone(),
            draft: it.draft.clone(),
            draft_html: it.draft.as_deref().map(markdown::html).unwrap_or_default(),
            sources: it.sources.iter().map(SourceView::from).collect(),
            fired: fired(&it.trace),
            facts: facts(&it.trace),
            at: Moment::new(decided.at, now),
            took: format!("{:.0} ms", it.took_ms),
        }
    }
}

fn percent(confidence: f64) -> u8 {
    // Between 0 and 100, as a confidence is a probability; what is not certain is never called so.
    let most = if confidence < 1.0 { 99.0 } else { 100.0 };
    (confidence.clamp(0.0, 1.0) * 100.0).round().min(most) as u8
}

/// Says a probability in words, after the bands that the IPCC's guidance on uncertainty uses
/// (Mastrandrea et al., 2010), with its middle cut at one half.
fn in_words(confidence: f64) -> (&'static str, &'static str) {
    match confidence {
        c if c >= 0.9 => ("high", "very likely right"),
        c if c >= 0.66 => ("high", "likely right"),
        c if c >= 0.5 => ("middle", "more likely right than wrong"),
        c if c >= 0.33 => ("middle", "more likely wrong than right"),
        _ => ("low", "likely wrong"),
    }
}

fn done(act: &str, team: Option<&str>) -> String {
    match (act, team) {
        ("reply", _) => "Answered".into(),
        ("clarify", _) => "Asked what is meant".into(),
        ("offer", _) => "Offered a person".into(),
        ("handoff", Some(team)) => format!("Handed over to {team}"),
        ("handoff", None) => "Handed over".into(),
        ("draft", Some(team)) => format!("Drafted for {team}"),
        ("draft", None) => "Drafted for a teammate".into(),
        ("hold", _) => "Stayed silent: a person has it".into(),
        ("ignore", _) => "Ignored".into(),
        ("resolve", _) => "Resolved".into(),
        (other, _) => other.to_string(),
    }
}

fn fired(trace: &Json) -> Vec<(String, String)> {
    let fired = trace.get("fired").and_then(Json::as_array);
    let text = |of: &Json, key: &str| of.get(key).and_then(Json::as_str).map(str::to_string);
    let pair = |one: &Json| Some((text(one, "rule")?, text(one, "did").unwrap_or_default()));
    fired.into_iter().flatten().filter_map(pair).collect()
}

fn facts(trace: &Json) -> Vec<(String, String)> {
    let facts = trace.get("facts").and_then(Json::as_object);
    facts.into_iter().flatten().map(|(name, value)| (name.clone(), plain(value))).collect()
}

/// Writes a value as people would.
pub(super) fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Bool(true) => "yes".into(),
        Json::Bool(false) => "no".into(),
        Json::Array(parts) => parts.iter().map(plain).collect::<Vec<_>>().join(", "),
        Json::Null => "—".into(),
        Json::Number(number) if number.is_f64() => {
            number.as_f64().map_or_else(String::new, rounded)
        }
        other => other.to_string(),
    }
}

/// Writes a number with three digits after the point at most.
fn rounded(number: f64) -> String {
    format!("{number:.3}").trim_end_matches('0').trim_end_matches('.').to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_confidence_reads_as_a_number_and_in_words() {
        let check = |confidence, expected| {
            assert_eq!((percent(confidence), in_words(confidence).1), expected);
        };
        check(1.0, (100, "very likely right"));
        check(0.9975, (99, "very likely right"));
        check(0.955, (96, "very likely right"));
        check(0.8, (80, "likely right"));
        check(0.5, (50, "more likely right than wrong"));
        check(0.4, (40, "more likely wrong than right"));
        check(0.0, (0, "likely wrong"));
    }

    #[test]
    fn facts_read_as_people_would_write_them() {
        let check = |fact: Json, expected: &str| assert_eq!(plain(&fact), expected);
        check(0.997_527_37.into(), "0.998");
        check(2.0.into(), "2");
        check(30.into(), "30");
        check(true.into(), "yes");
    }
}
