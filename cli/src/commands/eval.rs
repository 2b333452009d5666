//! Answers on past conversations: one file for each command.

mod budget;
mod calibrate;
mod compare;
mod embeddings;
mod gates;
mod import;
mod kept;
mod labels;
mod live;
mod other_bot;
mod part;
mod redaction;
mod report;
mod retrieval;
mod run;
mod shadow;
mod signals;

use crate::{Verdict, args, settings::Settings};
use evals::{Case, unknown_articles};
use knowledge::Knowledge;
use std::path::Path;

pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    command: args::Eval,
) -> anyhow::Result<Verdict> {
    match command {
        args::Eval::Run(wanted) => run::run(settings, as_json, wanted).await,
        args::Eval::Compare(wanted) => compare::run(settings, as_json, wanted).await,
        args::Eval::Signals { signal, utterances } => {
            signals::run(settings, as_json, &signal, &utterances).await
        }
        args::Eval::Shadow { since, out } => {
            shadow::run(&settings, as_json, since.since, &out).await
        }
        args::Eval::Labels { since, out } => {
            labels::run(&settings, as_json, since.since, &out).await
        }
        args::Eval::Live(wanted) => live::run(settings, as_json, wanted).await,
        args::Eval::Import(wanted) => import::run(as_json, &wanted),
        args::Eval::Part { cases, out } => part::run(as_json, &cases, &out),
        args::Eval::Redaction { file } => redaction::run(as_json, &file),
        args::Eval::Retrieval { cases } => retrieval::run(settings, as_json, &cases).await,
        args::Eval::Embeddings { reference } => {
            embeddings::run(&settings, as_json, &reference).await
        }
        args::Eval::Budget(wanted) => budget::run(settings, as_json, wanted).await,
        args::Eval::Calibrate { cases, also, out } => {
            calibrate::run(settings, as_json, &cases, &also, &out).await
        }
    }
}

/// Cases run at once: one for each core, as each keeps one busy.
fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// Says which stated facts the rules do not know: they are left out.
fn warn_of_facts(cases: &[Case], policy: &router::Policy) {
    for fault in evals::unknown_facts(cases, policy).iter().take(5) {
        eprintln!("warning: {fault}");
    }
}

/// Says which gold articles the index does not hold: they can never be found, and count as missed.
fn warn_of_unknown(cases: &[Case], knowledge: &Knowledge) {
    let unknown = unknown_articles(cases, knowledge);
    if let Some(first) = unknown.first() {
        eprintln!(
            "warning: {} articles that cases name are not in the index, such as {first:?}; \
             check their ids and the desk",
            unknown.len()
        );
    }
}

fn short_name(root: &Path) -> String {
    let absolute = std::path::absolute(root).unwrap_or_else(|_| root.to_path_buf());
    absolute.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
