//! One file for each command; [`run`] chooses.

mod articles;
mod ask;
mod backtest;
mod chat;
mod check;
mod doctor;
mod erase;
mod eval;
mod index;
mod init;
mod intercom;
mod models;
mod past;
mod replay;
mod rules;
mod search;
mod serve;
mod teammates;
mod tokens;
mod topics;

use crate::{
    Verdict,
    args::{Args, Command, OnDesk},
    settings::Settings,
    telemetry,
};
use std::io::IsTerminal;
use tracing_subscriber::{
    EnvFilter, Layer,
    filter::{FilterExt, filter_fn},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

/// Runs the command that was typed.
pub(crate) async fn run(args: Args) -> anyhow::Result<Verdict> {
    let Args { desk, json, command } = args;
    match command {
        Command::Init { dir } => init::run(&dir, json),
        Command::Check => check::run(&desk, json).await,
        Command::Doctor => doctor::run(&desk, json).await,
        Command::OnDesk(command) => {
            let settings = match command {
                OnDesk::Models(_) | OnDesk::Topics(_) => Settings::for_models(&desk)?,
                _ => Settings::read(&desk)?,
            };
            let _log = start_log(&settings)?;
            on_desk(settings, json, command).await
        }
    }
}

async fn on_desk(settings: Settings, json: bool, command: OnDesk) -> anyhow::Result<Verdict> {
    match command {
        OnDesk::Index { articles, watch } => index::run(settings, json, articles, watch).await,
        OnDesk::Search(wanted) => search::run(settings, json, wanted).await,
        OnDesk::Ask(wanted) => ask::run(settings, json, wanted).await,
        OnDesk::Chat(_) if json => {
            anyhow::bail!("a chat is no single document; use `frontdesk ask --json` with --history")
        }
        OnDesk::Chat(wanted) => chat::run(settings, wanted).await,
        OnDesk::Replay(wanted) => replay::run(settings, json, wanted).await,
        OnDesk::Erase { customer, yes } => erase::run(&settings, json, &customer, yes).await,
        OnDesk::Serve { listen } => serve::run(settings, json, listen).await,
        OnDesk::Teammates(command) => teammates::run(settings, json, command).await,
        OnDesk::Rules(command) => rules::run(settings, json, command).await,
        OnDesk::Tokens(command) => tokens::run(&settings, json, command).await,
        OnDesk::Intercom(command) => intercom::run(settings, json, command).await,
        OnDesk::Topics(command) => topics::run(&settings, json, command).await,
        OnDesk::Models(command) => models::run(&settings, json, command).await,
        OnDesk::Articles(command) => articles::run(settings, json, command).await,
        OnDesk::Eval(command) => eval::run(settings, json, command).await,
    }
}

/// Says why the log could not be started as the settings have it.
fn log_refusal(settings: &Settings) -> Option<anyhow::Error> {
    let traces = telemetry::refuse(&settings.config.telemetry.otlp_endpoint);
    filter(settings).map(drop).and(traces).err()
}

/// Reads how much is logged.
fn filter(settings: &Settings) -> anyhow::Result<EnvFilter> {
    let level = &settings.config.log.level;
    EnvFilter::try_new(level).map_err(|source| {
        anyhow::anyhow!(
            "log.level {level:?}: {source}; take one of error, warn, info, debug, trace"
        )
    })
}

/// Crates that log the very letters that customers wrote; what they say is never logged.
const INDISCREET: [&str; 3] = ["tokenizers", "html5ever", "markup5ever"];

/// Whether what is logged under a target holds no words of customers.
fn is_discreet(target: &str) -> bool {
    !INDISCREET.contains(&target.split("::").next().unwrap_or_default())
}

/// What ends with the log.
struct Log {
    #[cfg(feature = "telemetry")]
    _exporting: Option<telemetry::Exporting>,
}

/// Starts the log on stderr, and traces; the settings say how much and in which form.
fn start_log(settings: &Settings) -> anyhow::Result<Log> {
    let filter = filter(settings)?;
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        // It would be told on stderr, which cannot be written to just then, and panic.
        .log_internal_errors(false)
        .with_writer(std::io::stderr);
    let lines = match settings.config.log.format.as_str() {
        "json" => lines.json().boxed(),
        _ => lines.boxed(),
    };
    // Without its hint every line of every crate would be looked at, and lines that are looked at
    // without being written can cost the next one.
    let discreet = filter_fn(|line| is_discreet(line.target()));
    let discreet = match filter.max_level_hint() {
        Some(most) => discreet.with_max_level_hint(most),
        None => discreet,
    };
    let filter = filter.and(discreet);
    let registry = tracing_subscriber::registry().with(lines.with_filter(filter));
    let endpoint = settings.config.telemetry.otlp_endpoint.as_str();
    telemetry::refuse(endpoint)?;
    #[cfg(not(feature = "telemetry"))]
    {
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
