//! One file for each command; [`run`] chooses.

mod ask;
mod backtest;
mod chat;
mod check;
mod eval;
mod eval_signals;
mod index;
mod init;
mod models;
mod rules;
mod search;
mod topics;

use crate::{
    Verdict,
    args::{Args, Command},
    settings::Settings,
};
use std::io::IsTerminal;
use tracing_subscriber::EnvFilter;

/// Runs the command that was typed.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let Args { desk, json, command } = args;
    match command {
        Command::Init { dir } => init::run(&dir, json),
        Command::Check => check::run(&desk, json).await,
        command => {
            let settings = match command {
                Command::Models(_) | Command::Topics(_) => Settings::for_models(&desk)?,
                _ => Settings::read(&desk)?,
            };
            start_log(&settings)?;
            with_settings(settings, json, command).await
        }
    }
}

async fn with_settings(
    settings: Settings,
    json: bool,
    command: Command,
) -> anyhow::Result<Verdict> {
    match command {
        Command::Index { articles, watch } => index::run(settings, json, articles, watch).await,
        Command::Search { question, mode, top, reader } => {
            search::run(settings, json, search::Wanted { question, mode, top, reader }).await
        }
        Command::Ask { question, history, explain, reader, known } => {
            let wanted = ask::Wanted { question, history, explain, reader, known };
            ask::run(settings, json, wanted).await
        }
        Command::Chat { .. } if json => {
            anyhow::bail!("a chat is no single document; use `frontdesk ask --json` with --history")
        }
        Command::Chat { explain, reader, known } => {
            chat::run(settings, explain, reader, &known).await
        }
        Command::Rules(command) => rules::run(settings, json, command).await,
        Command::Topics(command) => topics::run(&settings, json, command).await,
        Command::Models(command) => models::run(&settings, json, command).await,
        Command::Eval(command) => eval::run(settings, json, command).await,
        Command::Init { .. } | Command::Check => unreachable_command(),
    }
}

/// `init` and `check` run without settings: the one writes them, the other reports on them.
fn unreachable_command() -> anyhow::Result<Verdict> {
    anyhow::bail!("this command takes no settings")
}

/// Starts the log on stderr; the settings say how much and in which form.
fn start_log(settings: &Settings) -> anyhow::Result<()> {
    let log = &settings.config.log;
    // The tokenizer logs the very letters that customers wrote.
    let quiet = "tokenizers=off".parse()?;
    let filter =
        EnvFilter::try_new(&log.level).map(|f| f.add_directive(quiet)).map_err(|source| {
            anyhow::anyhow!(
                "log.level {:?}: {source}; take one of error, warn, info, debug, trace",
                log.level
            )
        })?;
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    match log.format.as_str() {
        "json" => lines.json().init(),
        _ => lines.init(),
    }
    Ok(())
}
