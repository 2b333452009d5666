use super::*;
use serde_json::json;

const SECRET: &str = "a secret of the desk";

fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

fn signed(header: &Json, claims: &Json, secret: &str) -> String {
    let part = |json: &Json| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let body = format!("{}.{}", part(header), part(claims));
    let signature = code(secret, body.as_bytes()).unwrap().finalize().into_bytes();
    format!("{body}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
}

fn hs256(claims: &Json) -> String {
    signed(&json!({"alg": "HS256", "typ": "JWT"}), claims, SECRET)
}

fn in_a_minute() -> i64 {
    now().as_second() + 60
}

fn of_jwt(token: String) -> Result<Proven, String> {
    let claim = Claim { user_jwt: Some(token), ..Claim::default() };
    prove(&claim, Some(SECRET), now()).map(Option::unwrap).map_err(|problem| problem.detail)
}

fn of_hash(id: &str, hash: &str) -> Result<Proven, String> {
    let (user_id, user_hash) = (Some(id.to_string()), Some(hash.to_string()));
    let claim = Claim { user_id, user_hash, user_jwt: None };
    prove(&claim, Some(SECRET), now()).map(Option::unwrap).map_err(|problem| problem.detail)
}

#[test]
fn a_user_hash_proves_the_id_it_was_made_of_and_no_other() {
    // From `printf %s customer-17 | openssl dgst -sha256 -hmac "a secret of the desk"`.
    let hash = "93229db32786f4bfc080e7b2e3765be03e2671538cab5c6bcc67495991564568";
    assert_eq!(of_hash("customer-17", hash).unwrap().identity.external_id, "customer-17");
    assert!(of_hash("customer-17", &hash.to_uppercase()).is_ok());
    let refused = "user_hash does not fit user_id";
    assert_eq!(of_hash("customer-18", hash).unwrap_err(), refused);
    assert_eq!(of_hash("customer-17", &hash[2..]).unwrap_err(), refused);
    assert_eq!(of_hash("customer-17", "").unwrap_err(), refused);
    assert_eq!(of_hash("customer-17", "xy").unwrap_err(), "user_hash is not hexadecimal");
    assert_eq!(of_hash("customer-17", &hash[1..]).unwrap_err(), "user_hash is not hexadecimal");
    assert!(of_hash("", hash).is_err());
}

#[test]
fn a_token_proves_who_and_what() {
    let token = hs256(&json!({
        "sub": "17", "exp": in_a_minute(), "name": "Ada", "email": "ada@example.com",
        "attributes": {"plan": "pro", "company": {"name": "Lovelace Ltd"}},
    }));
    let proven = of_jwt(token).unwrap();
    assert_eq!((proven.identity.external_id.as_str(), proven.name.as_deref()), ("17", Some("Ada")));
    assert_eq!(proven.attributes.unwrap()["company"]["name"], "Lovelace Ltd");
    let numbered = of_jwt(hs256(&json!({"user_id": 17, "exp": in_a_minute()}))).unwrap();
    assert_eq!((numbered.identity.external_id.as_str(), numbered.attributes), ("17", None));
}

#[test]
fn forged_and_stale_tokens_are_refused() {
    let claims = json!({"sub": "17", "exp": in_a_minute()});
    let check = |token: String, expected: &str| assert_eq!(of_jwt(token).unwrap_err(), expected);
    let other = signed(&json!({"alg": "HS256"}), &claims, "another secret");
    check(other, "user_jwt is not signed with this desk's secret");
    let only_hs256 = "user_jwt has to be signed with HS256";
    for alg in ["none", "None", "NONE", "HS512", "RS256", "hs256", ""] {
        check(signed(&json!({"alg": alg}), &claims, SECRET), only_hs256);
    }
    let unsigned = signed(&json!({"alg": "none"}), &claims, SECRET);
    check(format!("{}.", unsigned.rsplit_once('.').unwrap().0), only_hs256);
    let lawful = hs256(&claims);
    let (body, signature) = lawful.rsplit_once('.').unwrap();
    check(format!("{body}."), "user_jwt is not signed with this desk's secret");
    let header = body.split_once('.').unwrap().0;
    let richer = BASE64_URL_SAFE_NO_PAD.encode(json!({"sub": "1", "exp": 9e9}).to_string());
    check(
        format!("{header}.{richer}.{signature}"),
        "user_jwt is not signed with this desk's secret",
    );
    check(hs256(&json!({"sub": "17", "exp": now().as_second() - 31})), "user_jwt has expired");
    let endless = "user_jwt needs exp as a number of seconds, and texts where texts belong";
    check(hs256(&json!({"sub": "17"})), endless);
    check(hs256(&json!({"sub": "17", "exp": "tomorrow"})), endless);
    check(
        hs256(&json!({"sub": "17", "exp": in_a_minute(), "nbf": now().as_second() + 40})),
        "user_jwt is not valid yet",
    );
    check(hs256(&json!({"exp": in_a_minute()})), "user_jwt needs user_id or sub");
    for nonsense in ["", ".", "..", "a.b.c", "ä.ö.ü", "e30.e30", &"a".repeat(9_000)] {
        assert!(of_jwt(nonsense.to_string()).is_err(), "{nonsense:.20}");
    }
}

#[test]
fn without_a_secret_or_without_a_proof_nobody_is_believed() {
    let named = |hash: Option<&str>| Claim {
        user_id: Some("17".into()),
        user_hash: hash.map(str::to_string),
        user_jwt: None,
    };
    assert_eq!(prove(&named(None), Some(SECRET), now()).unwrap_err().code, "identity_unproven");
    assert_eq!(prove(&named(Some("ab")), None, now()).unwrap_err().code, "identity_unproven");
    assert_eq!(prove(&Claim::default(), Some(SECRET), now()), Ok(None));
    let token = Claim { user_jwt: Some(hs256(&json!({}))), ..Claim::default() };
    assert_eq!(prove(&token, None, now()).unwrap_err().code, "identity_unproven");
}
