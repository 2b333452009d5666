//! One file for each command; [`run`] chooses.

mod ask;
mod backtest;
mod chat;
mod check;
mod doctor;
mod erase;
mod eval;
mod eval_signals;
mod index;
mod init;
mod models;
mod replay;
mod rules;
mod search;
mod serve;
mod teammates;
mod tokens;
mod topics;

use crate::{
    Verdict,
    args::{Args, Command},
    settings::Settings,
    telemetry,
};
use std::io::IsTerminal;
use tracing_subscriber::{EnvFilter, Layer, layer::SubscriberExt, util::SubscriberInitExt};

/// Runs the command that was typed.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let Args { desk, json, command } = args;
    match command {
        Command::Init { dir } => init::run(&dir, json),
        Command::Check => check::run(&desk, json).await,
        Command::Doctor => doctor::run(&desk, json).await,
        command => {
            let settings = match command {
                Command::Models(_) | Command::Topics(_) => Settings::for_models(&desk)?,
                _ => Settings::read(&desk)?,
            };
            let _log = start_log(&settings)?;
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
        Command::Replay { id } => replay::run(settings, json, &id).await,
        Command::Erase { customer, yes } => erase::run(&settings, json, &customer, yes).await,
        Command::Serve { listen } => serve::run(settings, json, listen).await,
        Command::Teammates(command) => teammates::run(settings, json, command).await,
        Command::Rules(command) => rules::run(settings, json, command).await,
        Command::Tokens(command) => tokens::run(&settings, json, command).await,
        Command::Topics(command) => topics::run(&settings, json, command).await,
        Command::Models(command) => models::run(&settings, json, command).await,
        Command::Eval(command) => eval::run(settings, json, command).await,
        Command::Init { .. } | Command::Check | Command::Doctor => unreachable_command(),
    }
}

/// `init`, `check` and `doctor` run without settings: the first writes them, the others report on
/// them.
fn unreachable_command() -> anyhow::Result<Verdict> {
    anyhow::bail!("this command takes no settings")
}

/// What ends with the log.
struct Log {
    #[cfg(feature = "telemetry")]
    _exporting: Option<telemetry::Exporting>,
}

/// Starts the log on stderr, and traces; the settings say how much and in which form.
fn start_log(settings: &Settings) -> anyhow::Result<Log> {
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
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        // It would be told on stderr, which cannot be written to just then, and panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let lines = match log.format.as_str() {
        "json" => lines.json().boxed(),
        _ => lines.boxed(),
    };
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter));
    let endpoint = settings.config.telemetry.otlp_endpoint.as_str();
    #[cfg(not(feature = "telemetry"))]
    {
        telemetry::refuse(endpoint)?;
        registry.init();
        Ok(Log {})
    }
    #[cfg(feature = "telemetry")]
    {
        if endpoint.is_empty() {
            registry.init();
            return Ok(Log { _exporting: None });
        }
        let (traces, exporting) = telemetry::layer(endpoint)?;
        registry.with(traces).init();
        Ok(Log { _exporting: Some(exporting) })
    }
}
