use clap::{Args as Group, Subcommand};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::path::PathBuf;

#[derive(Group)]
pub(crate) struct Replay {
    /// Id of the decision, as inbox and API show it
    pub(crate) id: String,
    /// Say what would flip without this article; may be given more than once
    #[arg(long, value_name = "ARTICLE")]
    pub(crate) what_if_without: Vec<String>,
    /// Say what would flip with the article of this file, in the place of the one that it is
    #[arg(long, value_name = "FILE")]
    pub(crate) what_if_article: Option<PathBuf>,
    /// Say what would flip without this rule; may be given more than once
    #[arg(long, value_name = "NAME")]
    pub(crate) what_if_without_rule: Vec<String>,
    /// Say what would flip with another routing.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) what_if_routing: Option<PathBuf>,
}

#[derive(Group)]
pub(crate) struct Backtest {
    /// The other routing.toml
    #[arg(long, value_name = "FILE")]
    pub(crate) against: PathBuf,
    /// Files of cases; without it those in cases/
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with = "stored")]
    pub(crate) cases: Vec<PathBuf>,
    /// What was decided of customers' messages, by the facts that were kept, without models
    #[arg(long)]
    pub(crate) stored: bool,
    #[command(flatten)]
    pub(crate) since: Since,
    /// With --stored: have the models read again what only they can tell the other rules
    #[arg(long, requires = "stored")]
    pub(crate) with_models: bool,
}

/// Which part of the past.
#[derive(Group)]
pub(crate) struct Since {
    /// Only what was decided since, such as 2026-10-01
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub(crate) since: Option<Timestamp>,
}

#[derive(Subcommand)]
pub(crate) enum Articles {
    /// Find what customers ask and no article answers well, in groups of alike questions
    Gaps(Gaps),
    /// Find passages of different articles that say nearly the same, or differ in numbers alone
    Twins {
        /// Passages say nearly the same from this cosine on
        #[arg(long, default_value_t = 0.9, value_name = "COSINE", value_parser = super::share)]
        alike: f64,
    },
    /// List articles that no draft rested on
    Unused {
        #[command(flatten)]
        past: Past,
    },
    /// Show which past answers an edited or new article changes
    Impact {
        /// The article as it would be; the one that it is keeps its id or its file name
        file: PathBuf,
        #[command(flatten)]
        past: Past,
    },
}

#[derive(Group)]
pub(crate) struct Gaps {
    #[command(flatten)]
    pub(crate) past: Past,
    /// Folder for a draft outline of each missing article
    #[arg(short, long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,
    /// A draft of less confidence leaves its question open; the threshold, when left out
    #[arg(long, value_name = "SHARE", value_parser = super::share)]
    pub(crate) below: Option<f64>,
    /// Questions are alike from this cosine on
    #[arg(long, default_value_t = 0.6, value_name = "COSINE", value_parser = super::share)]
    pub(crate) alike: f64,
}

/// Past conversations: cases, or those that the desk keeps.
#[derive(Group)]
pub(crate) struct Past {
    /// Files of cases; without it what the desk keeps
    #[arg(long, num_args = 1.., value_name = "FILE", conflicts_with = "stored")]
    pub(crate) cases: Vec<PathBuf>,
    /// What the desk decided of customers' messages; so without --cases
    #[arg(long)]
    pub(crate) stored: bool,
    #[command(flatten)]
    pub(crate) since: Since,
}

fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    text.parse().ok().or_else(|| Some(day()?.timestamp())).ok_or_else(|| {
        "no day and no time; write it as 2026-10-01 or 2026-10-01T09:30:00Z".to_string()
    })
}
