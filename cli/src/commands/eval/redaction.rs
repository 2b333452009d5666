//! `frontdesk eval redaction`: how much of what has to go is found on labelled texts.

use crate::{Verdict, output};
use evals::redact::{
    Redactor,
    measure::{Score, is_taken, measure},
};
use serde_json::{Map, Value, json};
use std::path::Path;

pub(super) fn run(as_json: bool, file: &Path) -> anyhow::Result<Verdict> {
    let scores = measure(&Redactor::new()?, file)?;
    if as_json {
        let kinds: Map<String, Value> =
            scores.kinds.iter().map(|(kind, score)| (kind.clone(), document(score))).collect();
        output::json(&json!({
            "texts": scores.n_texts,
            "kinds": kinds,
            "all": document(&scores.all()),
            "taken_out": document(&scores.personal()),
        }))?;
        return Ok(Verdict::Yes);
    }
    output::line(format!("{:<20} precision  recall      F1    gone      n", "kind"))?;
    for (kind, score) in &scores.kinds {
        let kept = if is_taken(kind) { "" } else { "  kept on purpose" };
        row(kind, score, kept)?;
    }
    row("what is taken out", &scores.personal(), "")?;
    row("all", &scores.all(), "")?;
    Ok(Verdict::Yes)
}

fn row(name: &str, score: &Score, remark: &str) -> anyhow::Result<()> {
    let share =
        |share: Option<f64>| share.map_or_else(|| "    -".into(), |share| format!("{share:.3}"));
    let (precision, recall) = (share(score.precision()), share(score.recall()));
    let (f1, gone) = (share(score.f1()), share(score.gone()));
    let n = score.n;
    output::line(format!("{name:<20} {precision:>9} {recall:>7} {f1:>7} {gone:>7} {n:>6}{remark}"))
}

fn document(score: &Score) -> Value {
    json!({
        "precision": score.precision(), "recall": score.recall(), "f1": score.f1(),
        "letters_gone": score.gone(), "n": score.n,
    })
}
