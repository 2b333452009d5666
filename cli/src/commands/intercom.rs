//! What connects a desk with Intercom, and what comes from there for evals and for the index.

mod articles;
mod case;
mod compare;
mod connect;
mod export;
mod webhook;
mod write;

pub(super) use articles::{keep_in_step, to_keep_in_step};
pub(super) use connect::glance;

use crate::{Verdict, args, assembly, known, settings::Settings};
use anyhow::Context;
use intercom::{ApiError, Client, Clock, LocalBudget, SharedBudget};
use jiff::SignedDuration;
use std::{sync::Arc, time::Duration};
use store::Store;

/// How often what may pass is tried again before somebody has to look.
const N_TRIES: u32 = 6;

/// The first pause between tries; each further one doubles.
const FIRST_PAUSE: Duration = Duration::from_secs(1);

const NOT_SET: &str = "intercom.access_token is not set; put the token of the app into \
                       FRONTDESK_INTERCOM_ACCESS_TOKEN, see docs/intercom.md";

pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    command: args::Intercom,
) -> anyhow::Result<Verdict> {
    match command {
        args::Intercom::Connect { write, seat } => {
            connect::run(&settings, as_json, write, seat).await
        }
        args::Intercom::Export { since, until, out, keep_personal } => {
            let wanted = export::Wanted { since, until, out, keep_personal };
            export::run(&settings, as_json, &wanted).await
        }
        args::Intercom::Articles { out } => articles::run(&settings, as_json, out).await,
        args::Intercom::Push => articles::push(&settings, as_json).await,
        args::Intercom::Compare { since, out } => {
            compare::run(&settings, as_json, since, out.as_deref()).await
        }
    }
}

/// Prepares a client with a budget of its own: for a handful of calls that need no store.
fn client(settings: &Settings) -> anyhow::Result<Client> {
    let clock: Clock = Arc::new(known::now);
    let budget = Arc::new(LocalBudget::new(clock.clone()));
    assembly::intercom_client(settings, budget, clock)?.context(NOT_SET)
}

/// Prepares a client that shares the budget of the desk's nodes.
async fn sharing_client(settings: &Settings) -> anyhow::Result<(Client, Store)> {
    anyhow::ensure!(settings.config.intercom.access_token.reveal().is_some(), NOT_SET);
    let store = Store::open(&settings.store_url()).await?;
    let clock: Clock = Arc::new(known::now);
    let budget = Arc::new(SharedBudget::new(store.clone(), "intercom", clock.clone()));
    let client = assembly::intercom_client(settings, budget, clock)?.context(NOT_SET)?;
    Ok((client, store))
}

/// Waits after a failure that may pass; None: it will not, or has not for long. A used-up limit is
/// waited for however often, for customers come first.
async fn wait_out(failure: &ApiError, n_tried: u32) -> Option<()> {
    let pause = match failure {
        ApiError::RateLimited { until } => {
            let wait = until.duration_since(known::now()).max(SignedDuration::from_millis(100));
            Duration::try_from(wait).unwrap_or(FIRST_PAUSE).min(Duration::from_secs(60))
        }
        ApiError::Later { .. } if n_tried < N_TRIES => FIRST_PAUSE * 2_u32.pow(n_tried),
        _ => return None,
    };
    tokio::time::sleep(pause).await;
    Some(())
}
