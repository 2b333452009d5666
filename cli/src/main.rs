//! What can I run?
//!
//! `main` maps outcomes to exit codes; [`args`] says what can be typed; [`settings`] is the one
//! place that reads the environment; [`assembly`] puts a desk together from its settings; each file
//! of [`commands`] is one command. Deliberately absent: everything that another crate answers.

mod args;
mod assembly;
mod commands;
mod known;
mod output;
mod progress;
mod settings;
mod telemetry;
mod tls;

use clap::Parser;
use std::process::ExitCode;

/// Says what the process tells its caller.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Done, or the answer is yes.
    Yes,
    /// The answer is no: a check found something, a gate failed.
    No,
}

fn main() -> ExitCode {
    let args = args::Args::parse();
    let outcome = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(anyhow::Error::from)
        .and_then(|runtime| {
            let outcome = runtime.block_on(commands::run(args));
            // What blocks a thread, such as a model that writes, is not waited for.
            runtime.shutdown_background();
            outcome
        });
    match outcome {
        Ok(Verdict::Yes) => ExitCode::SUCCESS,
        Ok(Verdict::No) => ExitCode::from(1),
        Err(failure) if output::is_broken_pipe(&failure) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("error: {failure:#}");
            ExitCode::from(2)
        }
    }
}
