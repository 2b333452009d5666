//! Whether what Intercom tells would be heard: the desk calls its own door as Intercom does.

use crate::{commands::doctor::report::Check, settings::Settings, tls};
use reqwest::StatusCode;
use serde_json::json;
use std::time::{Duration, Instant};

/// Longer than Intercom waits.
const PATIENCE: Duration = Duration::from_secs(5);

/// Intercom puts doors last that take longer.
const SLOW: Duration = Duration::from_millis(500);

const PART: &str = "webhook";

/// Calls the door with a right and a wrong signature.
pub(super) async fn look(settings: &Settings) -> Vec<Check> {
    let Some(secret) = settings.config.intercom.client_secret.reveal() else {
        let mend = "put the client secret of Configure > Basic information into \
                    FRONTDESK_INTERCOM_CLIENT_SECRET";
        let what = "intercom.client_secret is not set, so nothing that Intercom tells is believed";
        return vec![Check::broken(PART, what, mend)];
    };
    let url = settings.config.server.public_url.trim_end_matches('/');
    if url.is_empty() {
        let what = "server.public_url is not set, so the door was not tried";
        let mend = "set it, and name PUBLIC_URL/webhooks/intercom in the Developer Hub";
        return vec![Check::warning(PART, what, mend)];
    }
    let url = format!("{url}/webhooks/intercom");
    let mut checks = Vec::new();
    if !url.starts_with("https://") {
        let what = format!("{url} is not encrypted, and Intercom calls https alone");
        checks.push(Check::warning(PART, what, "put a proxy with TLS before it"));
    }
    checks.push(match tried(&url, secret).await {
        Ok(took) if took > SLOW => {
            let what = format!(
                "{url} took {} ms, and Intercom puts doors last that take more than {}",
                took.as_millis(),
                SLOW.as_millis()
            );
            let mend = "see what is slow: the proxy before the desk, or its database";
            Check::warning(PART, what, mend)
        }
        Ok(_) => Check::ok(PART, format!("{url} takes what is signed and refuses what is not")),
        Err((what, mend)) => Check::broken(PART, format!("{url}: {what}"), mend),
    });
    checks
}

/// Returns how long the door took for what is signed.
async fn tried(url: &str, secret: &str) -> Result<Duration, (String, &'static str)> {
    let begin = "start `frontdesk serve`, and see that name, proxy and firewall lead to it";
    let lost = |failure: reqwest::Error| {
        let what = if failure.is_timeout() { "no answer in time" } else { "no connection" };
        (what.to_string(), begin)
    };
    let tls = tls::client().map_err(|failure| (failure.to_string(), ""))?;
    let client = reqwest::Client::builder().tls_backend_preconfigured(tls).timeout(PATIENCE);
    let client = client.redirect(reqwest::redirect::Policy::none()).build().map_err(lost)?;
    // Intercom asks for the head of an address before it takes it.
    let head = client.head(url).send().await.map_err(lost)?.status();
    match head {
        StatusCode::OK => {}
        StatusCode::NOT_FOUND => {
            let what = "the desk there has no door for Intercom".to_string();
            let mend = "start it anew with intercom.access_token and intercom.admin_id set";
            return Err((what, mend));
        }
        other => return Err((format!("it answers HTTP {}", other.as_u16()), begin)),
    }
    let body = json!({
        "type": "notification_event", "id": null, "topic": "ping",
        "data": {"type": "notification_event_data",
                 "item": {"type": "ping", "message": "frontdesk intercom connect"}},
    })
    .to_string();
    let call = async |signature: String| {
        let request = client.post(url).header(intercom::signature::HEADER, signature);
        let request = request.header("content-type", "application/json").body(body.clone());
        request.send().await.map(|answer| answer.status()).map_err(lost)
    };
    let began = Instant::now();
    let answered = call(intercom::signature::sign(secret, body.as_bytes())).await?;
    let took = began.elapsed();
    match answered {
        StatusCode::OK => {}
        StatusCode::UNAUTHORIZED => {
            let what = "it refuses what is signed by intercom.client_secret".to_string();
            return Err((what, "start the desk there anew with the same client secret"));
        }
        other => return Err((format!("a ping is answered with HTTP {}", other.as_u16()), begin)),
    }
    match call(intercom::signature::sign("not the secret", body.as_bytes())).await? {
        StatusCode::UNAUTHORIZED => Ok(took),
        other => {
            let what = format!("a forged ping is answered with HTTP {}", other.as_u16());
            Err((what, "something before the desk answers in its place; let it pass calls on"))
        }
    }
}
