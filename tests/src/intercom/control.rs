//! Endpoints for a stand-in in a process of its own: what tests do to it, they do here.

use super::{Faults, Happening, Inner, Json};
use axum::{
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;
use std::sync::Arc;

pub(super) fn answer(inner: &Arc<Inner>, method: &str, path: &str, body: &[u8]) -> Response {
    let answer = match (method, path) {
        ("POST", "happen") => happen(inner, body),
        ("PUT", "faults") => match serde_json::from_slice::<Faults>(body) {
            Ok(faults) => {
                inner.dice.lock().unwrap().faults = faults;
                Ok(Json::Null)
            }
            Err(error) => Err((400, error.to_string())),
        },
        ("PUT", "webhook_url") => {
            let url = serde_json::from_slice::<Option<String>>(body).unwrap_or_default();
            inner.outbox.point_to(url);
            Ok(Json::Null)
        }
        ("GET", "requests") => Ok(json!(*inner.log.lock().unwrap())),
        ("GET", "webhooks") => Ok(json!(inner.outbox.log())),
        ("GET", "conversations") => {
            inner.look(|workspace| Ok(json!(workspace.conversations.values().collect::<Vec<_>>())))
        }
        ("GET", path) => match path.strip_prefix("conversations/") {
            Some(id) => inner.look(|workspace| match workspace.conversation(id) {
                Ok(conversation) => Ok(json!(conversation)),
                Err(refusal) => Err((404, refusal.message)),
            }),
            None => Err((404, "no such control".into())),
        },
        _ => Err((404, "no such control".into())),
    };
    let (status, body) = match answer {
        Ok(body) => (200, body),
        Err((status, message)) => (status, json!({ "error": message })),
    };
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_REQUEST);
    (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
}

fn happen(inner: &Inner, body: &[u8]) -> Result<Json, (u16, String)> {
    let happening: Happening =
        serde_json::from_slice(body).map_err(|error| (400, error.to_string()))?;
    match inner.with(|workspace| happening.befall(workspace)) {
        Ok(id) => Ok(json!({ "id": id })),
        Err(refusal) => Err((refusal.status, refusal.message)),
    }
}
