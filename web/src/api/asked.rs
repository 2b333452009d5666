use crate::problem::Problem;
use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header, request::Parts},
};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value as Json;
use std::{fmt::Display, str::FromStr};
use store::Id;

/// The longest body that is read. A message may have 64 KiB, which JSON can write six times as long.
pub(super) const MOST_BYTES: usize = 512 << 10;

/// What the path names.
pub(super) struct Named<T>(pub(super) T);

/// What stands after the question mark.
pub(super) struct Asked<T>(pub(super) T);

/// The body, which has to be one JSON document.
pub(super) struct Body<T>(pub(super) T);

/// The body, which may be left out.
pub(super) struct MaybeBody<T>(pub(super) T);

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Named<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let path = Path::<T>::from_request_parts(parts, state).await;
        // What cannot be read, such as broken UTF-8, names nothing that is kept.
        path.map(|Path(named)| Self(named)).map_err(|_| Problem::not_found("place"))
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Send> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let query = Query::<T>::from_request_parts(parts, state).await;
        query.map(|Query(asked)| Self(asked)).map_err(|rejection| {
            let text = rejection.body_text();
            let detail = text.rsplit_once("query string: ").map_or(text.as_str(), |(_, why)| why);
            let field = detail.split_once(": ").map(|(field, _)| field.to_string());
            match field.filter(|field| !field.contains(' ')) {
                Some(field) => Problem::at(&field, detail),
                None => Problem::invalid(detail),
            }
        })
    }
}

impl<S: Send + Sync, T: DeserializeOwned> FromRequest<S> for Body<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        must_be_json(request.headers())?;
        let bytes = read(request).await?;
        parse(&bytes).map(Self)
    }
}

impl<S: Send + Sync, T: DeserializeOwned + Default> FromRequest<S> for MaybeBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, _: &S) -> Result<Self, Problem> {
        let is_json = must_be_json(request.headers());
        let bytes = read(request).await?;
        if bytes.is_empty() {
            return Ok(Self(T::default()));
        }
        is_json?;
        parse(&bytes).map(Self)
    }
}

fn must_be_json(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers.get(header::CONTENT_TYPE);
    let kind = kind.and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "application/json" || kind.ends_with("+json") {
        return Ok(());
    }
    let detail = "send JSON, with Content-Type: application/json";
    Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "not_json", detail))
}

/// Reads a body whole; routes set [`MOST_BYTES`] as their limit.
///
/// # Errors
/// 413 beyond [`MOST_BYTES`], 400 when the connection breaks.
pub(super) async fn read(request: Request) -> Result<Bytes, Problem> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let declared = declared.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    let too_large = || {
        let detail = format!("a body has at most {} KiB", MOST_BYTES >> 10);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    if declared.is_some_and(|length| length > MOST_BYTES) {
        return Err(too_large());
    }
    Bytes::from_request(request, &()).await.map_err(|rejection| {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            return too_large();
        }
        Problem::new(StatusCode::BAD_REQUEST, "broken_body", "the body broke off")
    })
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Problem> {
    let malformed =
        |detail: String| Problem::new(StatusCode::BAD_REQUEST, "malformed_json", detail);
    let text = std::str::from_utf8(bytes).map_err(|_| malformed("the body is not UTF-8".into()))?;
    let document: Json = serde_json::from_str(text).map_err(|e| malformed(e.to_string()))?;
    if let Some(field) = zero_in(&document) {
        // PostgreSQL keeps no such text.
        return Err(Problem::at(&field, "a text holds the character U+0000; leave it out"));
    }
    serde_path_to_error::deserialize(document).map_err(|error| {
        let field = error.path().to_string();
        let why = error.into_inner().to_string();
        if field == "." { Problem::invalid(why) } else { Problem::at(&field, why) }
    })
}

/// Finds the place of a text or a key that holds U+0000.
fn zero_in(document: &Json) -> Option<String> {
    let under = |name: String, inner: &Json| {
        let found = zero_in(inner)?;
        Some(if found.is_empty() { name } else { format!("{name}.{found}") })
    };
    match document {
        Json::String(text) => text.contains('\0').then(String::new),
        Json::Array(items) => {
            items.iter().enumerate().find_map(|(n, inner)| under(format!("[{n}]"), inner))
        }
        Json::Object(fields) => fields.iter().find_map(|(name, inner)| {
            if name.contains('\0') { Some(String::new()) } else { under(name.clone(), inner) }
        }),
        _ => None,
    }
}

/// Reads an id out of a path; what is none names nothing.
pub(super) fn id<T>(what: &'static str, text: &str) -> Result<Id<T>, Problem> {
    text.parse().map_err(|_| Problem::not_found(what))
}

/// Reads the text of a field as what it stands for.
pub(super) fn field<T: FromStr<Err: Display>>(name: &str, text: &str) -> Result<T, Problem> {
    text.parse().map_err(|why| Problem::at(name, format!("{text:?} cannot be used here: {why}")))
}

/// Reads the text of a field as a short name.
pub(super) fn slug(name: &str, text: &str) -> Result<router::Slug, Problem> {
    router::Slug::try_from(text.to_string()).map_err(|why| Problem::at(name, why))
}

/// Tells a field that is null (`Some(None)`) from one that is absent (`None`, by
/// `#[serde(default)]`).
pub(super) fn given<'de, D, T>(deserializer: D) -> Result<Option<Option<T>>, D::Error>
where
    D: serde::Deserializer<'de>,
    T: Deserialize<'de>,
{
    Option::<T>::deserialize(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn check(document: &Json, expected: Option<&str>) {
        assert_eq!(zero_in(document).as_deref(), expected, "{document}");
    }

    #[test]
    fn a_text_that_no_database_keeps_is_found_where_it_is() {
        check(&json!({ "a": ["b", "\\u0000"] }), None);
        check(&json!({ "a": { "b": ["c", "d\0"] } }), Some("a.b.[1]"));
        check(&json!({ "a\0": 1 }), Some(""));
        check(&json!("\0"), Some(""));
    }
}
