use crate::{Problem, outside};
use axum::http::StatusCode;
use base64::{Engine, prelude::BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use sha2::Sha256;
use store::Identity;

/// Longest token, in bytes: attributes of a customer and no more.
const LONGEST_TOKEN: usize = 8_192;

/// Seconds by which the clocks of the desk and its site may differ.
const LEEWAY_S: f64 = 30.0;

/// What a page says about who is there, and how it proves it.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Claim {
    /// How the desk's own systems name the customer.
    #[serde(default)]
    pub(super) user_id: Option<String>,
    /// HMAC-SHA256 over `user_id`, in hexadecimal.
    #[serde(default)]
    pub(super) user_hash: Option<String>,
    /// JWT signed with HS256.
    #[serde(default)]
    pub(super) user_jwt: Option<String>,
}

/// Who is there, proven.
#[derive(Debug, PartialEq)]
pub(super) struct Proven {
    pub(super) identity: Identity,
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
    /// None: the proof does not speak of attributes, and those that are known stay.
    pub(super) attributes: Option<Map<String, Json>>,
}

/// Checks what a page claims; None: it claims nothing.
///
/// # Errors
/// 401 `identity_unproven` with the reason, which is about the page's own programming and tells
/// nothing of the secret.
pub(super) fn prove(
    claim: &Claim,
    secret: Option<&str>,
    now: Timestamp,
) -> Result<Option<Proven>, Problem> {
    if claim.user_id.is_none() && claim.user_hash.is_none() && claim.user_jwt.is_none() {
        return Ok(None);
    }
    let Some(secret) = secret else {
        return Err(unproven(
            "this desk has no messenger.identity_secret, so nobody can be proven",
        ));
    };
    if let Some(token) = &claim.user_jwt {
        return of_token(token, secret, now).map(Some).map_err(unproven);
    }
    let (Some(id), Some(hash)) = (&claim.user_id, &claim.user_hash) else {
        return Err(unproven("user_id needs user_hash, or user_jwt instead of both"));
    };
    let identity = outside::customer(id).map_err(unproven)?;
    let given = bytes_of(hash).ok_or_else(|| unproven("user_hash is not hexadecimal"))?;
    let code = code(secret, id.as_bytes()).map_err(unproven)?;
    // Compares in constant time.
    code.verify_slice(&given).map_err(|_| unproven("user_hash does not fit user_id"))?;
    Ok(Some(Proven { identity, name: None, email: None, attributes: None }))
}

fn unproven(why: &str) -> Problem {
    Problem::new(StatusCode::UNAUTHORIZED, "identity_unproven", why)
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Claims {
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    user_id: Option<Json>,
    #[serde(default)]
    sub: Option<Json>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    email: Option<String>,
    #[serde(default)]
    attributes: Option<Map<String, Json>>,
}

/// Reads a JSON Web Token (RFC 7519) that is signed with HMAC-SHA256 (HS256, RFC 7518), and no
/// other: whatever else its header asks for is refused before anything is computed.
fn of_token(token: &str, secret: &str, now: Timestamp) -> Result<Proven, &'static str> {
    if token.len() > LONGEST_TOKEN {
        return Err("user_jwt is too long");
    }
    let not_one = "user_jwt is no JSON Web Token";
    let (signed, signature) = token.rsplit_once('.').ok_or(not_one)?;
    let (header, claims) = signed.split_once('.').ok_or(not_one)?;
    let decoded = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| not_one);
    let header: Header = serde_json::from_slice(&decoded(header)?).map_err(|_| not_one)?;
    if header.alg != "HS256" {
        return Err("user_jwt has to be signed with HS256");
    }
    let code = code(secret, signed.as_bytes())?;
    let signature = decoded(signature)?;
    code.verify_slice(&signature).map_err(|_| "user_jwt is not signed with this desk's secret")?;
    let claims: Claims = serde_json::from_slice(&decoded(claims)?)
        .map_err(|_| "user_jwt needs exp as a number of seconds, and texts where texts belong")?;
    let now_s = now.as_millisecond() as f64 / 1000.0;
    if claims.exp.is_nan() || claims.exp + LEEWAY_S < now_s {
        return Err("user_jwt has expired");
    }
    if claims.nbf.is_some_and(|from| from - LEEWAY_S > now_s) {
        return Err("user_jwt is not valid yet");
    }
    let id = claims.user_id.or(claims.sub).ok_or("user_jwt needs user_id or sub")?;
    let id = match id {
        Json::String(id) => id,
        Json::Number(id) if !id.is_f64() => id.to_string(),
        _ => return Err("user_id has to be a text or a whole number"),
    };
    let identity = outside::customer(&id)?;
    let short = |text: Option<String>| text.filter(|t| !t.trim().is_empty() && t.len() <= 200);
    let (name, email) = (short(claims.name), short(claims.email));
    Ok(Proven { identity, name, email, attributes: claims.attributes })
}

fn code(secret: &str, signed: &[u8]) -> Result<Hmac<Sha256>, &'static str> {
    let code = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
    let mut code = code.map_err(|_| "messenger.identity_secret cannot be used")?;
    code.update(signed);
    Ok(code)
}

fn bytes_of(hexadecimal: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u8>> =
        hexadecimal.chars().map(|c| c.to_digit(16).and_then(|d| u8::try_from(d).ok())).collect();
    let (pairs, rest) = digits.as_deref()?.as_chunks::<2>();
    rest.is_empty().then(|| pairs.iter().map(|[high, low]| high * 16 + low).collect())
}

#[cfg(test)]
mod tests;
