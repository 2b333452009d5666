//! What is reached over the network: the own port, the public address, models and webhooks.

use super::report::Check;
use crate::{assembly, known, settings::Settings, tls};
use bot::{
    Desk,
    config::{DrafterKind, GeneratorKind},
};
use models::{Prompt, Role, Turn};
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// How long a far side may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// Clocks that differ by more than this, seconds, break signatures and promises.
const MOST_SKEW_S: i64 = 30;

/// Looks whether `serve` can listen, or does.
pub(super) async fn port(settings: &Settings) -> Check {
    let listen = &settings.config.server.listen;
    match TcpListener::bind(listen).await {
        Ok(_) => Check::ok("port", format!("{listen} is free")),
        Err(failure) if failure.kind() == std::io::ErrorKind::AddrInUse => {
            match healthz(&format!("http://{listen}")).await {
                Ok(_) => Check::ok("port", format!("a desk answers on {listen}")),
                Err(_) => Check::broken(
                    "port",
                    format!("another program listens on {listen}"),
                    "stop it, or set server.listen",
                ),
            }
        }
        Err(failure) => {
            let what = format!("cannot listen on {listen}: {failure}");
            Check::broken("port", what, "set server.listen, such as 127.0.0.1:8080")
        }
    }
}

/// Looks whether browsers reach the desk by its public address, and whether the clocks agree.
pub(super) async fn public_url(settings: &Settings) -> Vec<Check> {
    let url = settings.config.server.public_url.trim_end_matches('/');
    if url.is_empty() {
        let what = "server.public_url is not set, so only this machine reaches the messenger";
        let mend = "set it once the desk has an address, see docs/running.md";
        return vec![Check::warning("address", what, mend)];
    }
    let mut checks = Vec::new();
    if !url.starts_with("https://") {
        let what = format!("{url} is not encrypted");
        checks.push(Check::warning("address", what, "put a proxy with TLS before it"));
    }
    match healthz(url).await {
        Ok(skew_s) => {
            checks.push(Check::ok("address", format!("{url} leads to a desk")));
            if let Some(skew_s) = skew_s.filter(|skew_s| skew_s.abs() > MOST_SKEW_S) {
                let what = format!("the clock here and at {url} differ by {skew_s} s");
                checks.push(Check::warning("clock", what, "let both follow NTP"));
            }
        }
        Err(what) => checks.push(Check::broken(
            "address",
            format!("{url}/healthz: {what}"),
            "start `frontdesk serve`, and see that name, proxy and firewall lead to it",
        )),
    }
    checks
}

/// Asks an address whether a desk answers; returns by how many seconds its clock is ahead, where it
/// tells.
async fn healthz(url: &str) -> Result<Option<i64>, String> {
    let client = client().map_err(|failure| format!("{failure:#}"))?;
    let answer = client.get(format!("{url}/healthz")).send().await;
    let answer = answer.map_err(|failure| {
        let what = if failure.is_timeout() { "no answer in time" } else { "no connection" };
        what.to_string()
    })?;
    if !answer.status().is_success() {
        return Err(format!("it answered HTTP {}", answer.status().as_u16()));
    }
    let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
    let date = date.and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let skew_s = date.map(|date| date.timestamp().duration_since(known::now()).as_secs());
    let text = answer.text().await.unwrap_or_default();
    if text.contains("\"alive\"") { Ok(skew_s) } else { Err("something else answers".into()) }
}

fn client() -> anyhow::Result<reqwest::Client> {
    let tls = tls::client()?;
    Ok(reqwest::Client::builder().tls_backend_preconfigured(tls).timeout(PATIENCE).build()?)
}

/// Asks the generator for one token. A local one was opened with the desk, which proves it.
pub(super) async fn generator(settings: &Settings) -> Option<Check> {
    let config = &settings.config;
    let unused = config.answers.drafter == DrafterKind::Quotes;
    if unused || config.generator.kind != GeneratorKind::Remote {
        return None;
    }
    let mend = "mend generator.url, generator.model or generator.api_key, or start the service";
    let generator = match assembly::generator(settings).await {
        Ok(generator) => generator,
        Err(failure) => return Some(Check::failed("generator", &format!("{failure:#}"), mend)),
    };
    let turns = vec![Turn { role: Role::User, text: "Say yes.".into() }];
    let prompt = Prompt { turns, limit_tokens: 1, temperature: 0.0, seed: 0 };
    let patience = Duration::from_secs(config.generator.timeout_s.min(30));
    Some(match tokio::time::timeout(patience, generator.complete(&prompt)).await {
        Ok(Ok(_)) => Check::ok("generator", format!("{} answers", config.generator.model)),
        Ok(Err(failure)) => {
            let what = format!("{:#}", anyhow::Error::from(failure));
            Check::broken("generator", what, mend)
        }
        Err(_) => {
            let what = format!("no answer within {} s", patience.as_secs());
            Check::broken("generator", what, mend)
        }
    })
}

/// Looks whether the collector of traces takes any. It gets a request that holds none, which is one
/// of no bytes (OTLP/HTTP, binary Protobuf).
pub(super) async fn collector(settings: &Settings) -> Option<Check> {
    let endpoint = settings.config.telemetry.otlp_endpoint.trim_end_matches('/');
    if endpoint.is_empty() {
        return None;
    }
    let asked = async {
        let request = client().ok()?.post(format!("{endpoint}/v1/traces"));
        let kind = "application/x-protobuf";
        let answer = request.header("content-type", kind).body(Vec::new()).send().await.ok()?;
        Some(answer.status())
    };
    Some(match asked.await {
        Some(status) if status.is_success() => Check::ok("telemetry", "the collector takes traces"),
        Some(status) => Check::warning(
            "telemetry",
            format!("the collector answered HTTP {}", status.as_u16()),
            "set telemetry.otlp_endpoint to the base URL of an OTLP/HTTP collector",
        ),
        None => Check::warning(
            "telemetry",
            "no collector can be reached, so traces are lost",
            "start it, mend telemetry.otlp_endpoint, or leave that empty",
        ),
    })
}

/// Looks whether each webhook may be reached and answers. It gets a HEAD request, which means
/// nothing to it.
pub(super) async fn webhooks(settings: &Settings, desk: &Desk) -> Vec<Check> {
    let clock: bot::Clock = Arc::new(known::now);
    let webhooks = match assembly::webhooks(settings, clock) {
        Ok(webhooks) => webhooks,
        Err(failure) => return vec![Check::failed("webhooks", &format!("{failure:#}"), "")],
    };
    let mut checks = Vec::new();
    for webhook in &desk.playbook().webhooks {
        let slug = &webhook.slug;
        checks.push(match webhooks.probe(&format!("webhook:{slug}")).await {
            Ok(said) => Check::ok("webhooks", format!("{slug} answers: {said}")),
            Err(failure) => Check::warning(
                "webhooks",
                format!("{slug}: {failure}"),
                "mend its url in routing.toml, or start the other system; posts wait meanwhile",
            ),
        });
    }
    if !checks.is_empty() && settings.config.webhooks.secret.reveal().is_none() {
        let what = "webhooks.secret is not set, so receivers cannot tell who calls";
        checks.push(Check::warning("webhooks", what, "set it to 32 random bytes or more"));
    }
    checks
}
