//! A comparison for programs and for a terminal.

use super::{Change, Comparison, Effect, ScoreChange};
use crate::{record::Record, report::Unit};
use serde_json::{Value, json};
use std::fmt::Write;

/// Changes that a terminal shows; the files have them all.
const N_SHOWN: usize = 20;
/// Characters of a question that a terminal shows.
const N_CHARACTERS: usize = 80;

impl Comparison<'_> {
    /// Renders the comparison as `comparison.json`.
    pub fn to_json(&self) -> Value {
        let load: Vec<Value> = self
            .load
            .iter()
            .map(|(team, (before, after))| json!({"team": team, "before": before, "after": after}))
            .collect();
        json!({
            "cases": {
                "both": self.n_both,
                "only_before": self.n_alone.0,
                "only_after": self.n_alone.1,
                "other_question": self.n_other_question,
                "relabelled": self.n_relabelled,
            },
            "changed": self.counts().into_iter().map(|(name, n)| (name.to_string(), json!(n)))
                .collect::<serde_json::Map<_, _>>(),
            "verdicts": {"test": "McNemar, exact", "p": self.verdicts_p},
            "figures": self.scores.iter().map(score_json).collect::<Value>(),
            "figures_test": "paired randomisation, interval by paired bootstrap",
            "load": load,
            "changes": self.changes.iter().map(change_json).collect::<Vec<_>>(),
        })
    }

    /// Returns how many cases changed in which way.
    pub fn counts(&self) -> [(&'static str, usize); 8] {
        [
            ("any", self.changes.len()),
            ("act", self.count(|change| change.act)),
            ("answer", self.count(|change| change.answer)),
            ("team", self.count(|change| change.team)),
            ("gained", self.count(|change| change.is_gained())),
            ("lost", self.count(|change| change.is_lost())),
            ("fixed", self.count(|change| change.effect == Effect::Fixed)),
            ("broken", self.count(|change| change.effect == Effect::Broken)),
        ]
    }

    /// Says in a line or two what the change comes to.
    pub fn in_words(&self) -> String {
        let [
            (_, any),
            (_, act),
            (_, answer),
            (_, team),
            (_, gained),
            (_, lost),
            (_, fixed),
            (_, broken),
        ] = self.counts();
        let mut words = format!(
            "Of {} conversations {any} come out otherwise: {act} end in another act, {answer} have \
             another draft, \
             {team} end with another team or none. Replies gained: {gained}, \
             lost: {lost}; cases fixed: {fixed}, broken: {broken}",
            self.n_both
        );
        let verdict = match self.verdicts_p {
            _ if fixed + broken == 0 => ".".to_string(),
            p if p >= super::ALPHA => format!(", which may be chance (p {p:.3})."),
            p if fixed > broken => format!(": better, beyond chance (p {})", p_words(p)),
            p => format!(": worse, beyond chance (p {})", p_words(p)),
        };
        words.push_str(&verdict);
        words
    }

    /// Renders the comparison for a terminal.
    pub fn to_text(&self) -> String {
        let mut text = self.in_words();
        text.push('\n');
        let mut note = |n: usize, what: &str| {
            if n > 0 {
                let _ = writeln!(text, "note: {n} {what}");
            }
        };
        note(self.n_alone.0, "cases are in the first alone, and left out");
        note(self.n_alone.1, "cases are in the second alone, and left out");
        note(self.n_other_question, "ids ask something else in each, and are left out");
        note(self.n_relabelled, "cases have another label now; both sides are judged by it");
        let (other, same) = self.by_difference();
        if !other.is_empty() {
            let _ = writeln!(
                text,
                "\n{:<20} {:>7} {:>7}  {:>7}  {:<17} {:>7}  n",
                "figure", "first", "second", "change", "95 % interval", "p"
            );
        }
        for score in other {
            let _ = writeln!(text, "{}", score_line(score));
        }
        if !same.is_empty() {
            let _ = writeln!(text, "\nthe same in both: {}", same.join(", "));
        }
        if !self.load.is_empty() {
            let _ = writeln!(text, "\n{:<24} {:>7} {:>7}", "team takes over", "first", "second");
        }
        for (team, (before, after)) in &self.load {
            let _ = writeln!(text, "{team:<24} {before:>7} {after:>7}");
        }
        self.list_changes(&mut text);
        text
    }

    fn list_changes(&self, text: &mut String) {
        if !self.changes.is_empty() {
            text.push('\n');
        }
        for change in self.changes.iter().take(N_SHOWN) {
            let words = change.after.question.split_whitespace().collect::<Vec<_>>().join(" ");
            let brief: String = words.chars().take(N_CHARACTERS).collect();
            let _ = writeln!(
                text,
                "{:<8} {}: {} → {}  {}",
                if change.effect == Effect::Neither { "" } else { change.effect.name() },
                visible(&change.after.id),
                outcome(&change.before),
                outcome(change.after),
                visible(&brief)
            );
        }
        if let Some(n) = self.changes.len().checked_sub(N_SHOWN).filter(|n| *n > 0) {
            let _ = writeln!(text, "and {n} more; -o DIR writes them all");
        }
    }
}

/// Says what was done, and with which team.
pub(crate) fn outcome(record: &Record) -> String {
    match &record.team {
        Some(team) => format!("{} to {team}", record.act),
        None => record.act.clone(),
    }
}

/// Says how likely chance is, without claiming digits that were not measured.
pub(crate) fn p_words(p: f64) -> String {
    if p < 0.001 { "below 0.001".into() } else { format!("{p:.3}") }
}

/// What customers write must not steer a terminal.
fn visible(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c }).collect()
}

fn score_line(score: &ScoreChange) -> String {
    let e = score.difference.estimate;
    let interval = format!("[{:+.3}, {:+.3}]", e.low, e.high);
    let mark = match (score.is_significant(), (e.value > 0.0) == score.is_good) {
        (false, _) => "",
        (true, true) => "  better",
        (true, false) => "  worse",
    };
    format!(
        "{:<20} {:>7.3} {:>7.3}  {:>+7.3}  {interval:<17} {:>7}  {}{mark}",
        score.name,
        score.values.0,
        score.values.1,
        e.value,
        if score.difference.p < 0.001 {
            "< .001".into()
        } else {
            format!("{:.3}", score.difference.p)
        },
        e.n
    )
}

fn score_json(score: &ScoreChange) -> (String, Value) {
    let e = score.difference.estimate;
    let document = json!({
        "before": score.values.0, "after": score.values.1,
        "unit": if score.unit == Unit::Share { "share" } else { "score" },
        "difference": e.value, "low": e.low, "high": e.high, "n": e.n, "p": score.difference.p,
    });
    (score.name.clone(), document)
}

fn change_json(change: &Change<'_>) -> Value {
    let side = |record: &Record| {
        json!({
            "act": record.act, "team": record.team, "confidence": record.confidence,
            "sent": record.sent, "text": record.text, "sources": record.sources,
            "reasons": record.reasons,
        })
    };
    json!({
        "id": change.after.id,
        "question": change.after.question,
        "changed": {"act": change.act, "answer": change.answer, "team": change.team},
        "effect": change.effect.name(),
        "before": side(&change.before),
        "after": side(change.after),
    })
}
