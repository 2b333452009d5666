use clap::Subcommand;
use intercom::wire::ExternalId;
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use std::path::PathBuf;

#[derive(Subcommand)]
pub(crate) enum Intercom {
    /// Check token, scopes, seat, teams, attributes and webhook; exit 1 when one is wrong
    Connect {
        /// Write what is missing into frontdesk.toml and routing.toml; never a secret
        #[arg(long)]
        write: bool,
        /// Id of the teammate whose seat the bot gets, instead of intercom.admin_id
        #[arg(long, value_name = "ID", value_parser = id)]
        seat: Option<ExternalId>,
    },
    /// Write past conversations as cases for evals, without personal data; goes on where it stopped
    Export {
        /// Conversations that changed since, such as 2026-10-01
        #[arg(long, value_name = "DATE", value_parser = moment)]
        since: Timestamp,
        /// Conversations that changed before; now, when left out
        #[arg(long, value_name = "DATE", value_parser = moment)]
        until: Option<Timestamp>,
        /// The folder to write into
        #[arg(short, long, value_name = "DIR")]
        out: PathBuf,
        /// Leave names, addresses, numbers and links as they were written
        #[arg(long)]
        keep_personal: bool,
    },
    /// Bring the help centre's articles into a folder; only what changed is written
    Articles {
        /// The folder to write, instead of articles/intercom of the desk
        #[arg(short, long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// Show the desk's open English articles to Intercom's own AI, and take back what is gone
    Push,
    /// Compare what the bot decided with what people did then
    Compare {
        /// Decisions since, such as 2026-10-01
        #[arg(long, value_name = "DATE", value_parser = moment)]
        since: Timestamp,
        /// Write one JSON object for each decision into this file
        #[arg(short, long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
}

/// Reads a day, which begins at midnight UTC, or a moment.
fn moment(text: &str) -> Result<Timestamp, String> {
    let day = || text.parse::<Date>().ok()?.to_zoned(TimeZone::UTC).ok();
    let moment = text.parse().ok().or_else(|| day().map(|day| day.timestamp()));
    moment.ok_or_else(|| "no day; write it as 2026-01-31 or 2026-01-31T09:30:00Z".into())
}

fn id(text: &str) -> Result<ExternalId, String> {
    ExternalId::parse(text).ok_or_else(|| "no id; `frontdesk intercom connect` lists them".into())
}
