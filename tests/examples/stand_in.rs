//! A stand-in Intercom in a process of its own, for tests that kill Frontdesk's.
//!
//! `stand_in --port 4010 --webhook-url http://127.0.0.1:8080/webhooks/intercom` prints its address
//! when it listens, and runs until it is stopped. What tests do to it goes by `/_control/`:
//! `POST happen` with `{"what": "customer_writes", "contact": …, "text": …}`, `PUT faults`,
//! `PUT webhook_url`, `GET conversations`, `GET conversations/ID`, `GET requests`, `GET webhooks`.

use anyhow::Context;
use clap::Parser;
use jiff::Timestamp;
use std::{io::Write, path::PathBuf, sync::Arc};
use tests::intercom::{StandIn, StandInParts};

#[derive(Parser)]
struct Args {
    /// Where to listen on the loopback address; 0 is any free port.
    #[arg(long, default_value_t = 0)]
    port: u16,
    /// Where webhooks go.
    #[arg(long)]
    webhook_url: Option<String>,
    /// What webhooks are signed with.
    #[arg(long)]
    webhook_secret: Option<String>,
    /// The access token that requests must carry.
    #[arg(long)]
    token: Option<String>,
    /// What goes wrong, as JSON.
    #[arg(long)]
    faults: Option<PathBuf>,
    /// What the dice are thrown with.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many webhooks are sent at once.
    #[arg(long, default_value_t = 1)]
    senders: usize,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let mut parts = StandInParts::new(Arc::new(now));
    parts.control = true;
    parts.port = args.port;
    parts.seed = args.seed;
    parts.webhook_url = args.webhook_url;
    parts.pace.n_at_once = args.senders;
    parts.client_secret = args.webhook_secret.unwrap_or(parts.client_secret);
    parts.token = args.token.unwrap_or(parts.token);
    if let Some(file) = args.faults {
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("{} cannot be read", file.display()))?;
        parts.faults = serde_json::from_str(&text)
            .with_context(|| format!("{} says no faults", file.display()))?;
    }
    let intercom = StandIn::start(parts).await;
    writeln!(std::io::stdout(), "{}", intercom.url())?;
    tokio::signal::ctrl_c().await?;
    Ok(())
}

#[expect(clippy::disallowed_methods, reason = "a program of its own reads the clock")]
fn now() -> Timestamp {
    Timestamp::now()
}
