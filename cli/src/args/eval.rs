use clap::{Args as Group, Subcommand};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum Eval {
    /// Run cases through the whole path; writes results.jsonl, summary.json and report.html
    Run(EvalRun),
    /// Measure retrieval alone: words, meaning and both
    Retrieval {
        /// Files of cases; those that name no article are left out
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        cases: Vec<PathBuf>,
    },
    /// Measure how well a signal is read from labelled messages: precision and recall
    Signals {
        /// The signal; messages with it as their topic show it, all others do not
        #[arg(long, default_value = "wants_person", value_name = "NAME")]
        signal: String,
        /// Files of messages, each line {"text", "topic": the signal or null, "split"?}; where some
        /// have "test" as their split, only those are measured
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        utterances: Vec<PathBuf>,
    },
    /// Fit the confidence to labelled cases
    Calibrate {
        /// Cases of this desk
        #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
        cases: Vec<PathBuf>,
        /// Further desks, each with its cases, as DIR=FILE; all are weighed alike
        #[arg(long, value_name = "DIR=FILE")]
        also: Vec<String>,
        /// The calibration file to write
        #[arg(short, long, value_name = "FILE")]
        out: PathBuf,
    },
}

#[derive(Group)]
pub(crate) struct EvalRun {
    /// Files of cases, one JSON object a line
    #[arg(long, num_args = 1.., required = true, value_name = "FILE")]
    pub(crate) cases: Vec<PathBuf>,
    /// The folder to write
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: PathBuf,
    /// Fail (exit 1) when fewer acts are right than this share, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) least_act_accuracy: Option<f64>,
    /// Fail (exit 1) when more of the replies are wrong than this share, 0 to 1
    #[arg(long, value_name = "SHARE", value_parser = share)]
    pub(crate) most_wrong_replies: Option<f64>,
}

/// Reads a share; what is no number would pass every comparison of a gate.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let share = text.parse().ok().filter(|share| (0.0..=1.0).contains(share));
    share.ok_or_else(|| "not a number between 0 and 1".into())
}
