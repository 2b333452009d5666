//! Whether a webhook is Intercom's: `X-Hub-Signature: sha1=HEX`, where HEX is the HMAC-SHA1
//! (RFC 2104) of the raw body under the client secret of the app.
//!
//! No moment is signed, so what somebody recorded and sends again is told by the notification's id.

use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

/// The header in which the vendor puts the signature.
pub const HEADER: &str = "x-hub-signature";

/// The bytes of a SHA-1.
const N_BYTES: usize = 20;

/// Why a webhook is not taken for Intercom's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forged {
    /// There is no header.
    #[error("the webhook is not signed")]
    Missing,
    /// The header is not `sha1=` and 40 hex digits.
    #[error("the signature of the webhook is no signature")]
    Malformed,
    /// The signature belongs to another body or another secret; or there is no secret to check by.
    #[error("the signature of the webhook does not match")]
    Wrong,
}

/// Checks the signature of a body, in a time that tells nothing of the right one.
///
/// # Errors
/// [`Forged`]. Under an empty secret everything is [`Forged::Wrong`], for anybody could sign.
pub fn verify(secret: &str, header: Option<&str>, body: &[u8]) -> Result<(), Forged> {
    let written = header.ok_or(Forged::Missing)?;
    let hex = written.strip_prefix("sha1=").ok_or(Forged::Malformed)?;
    let signature = bytes(hex).ok_or(Forged::Malformed)?;
    if secret.is_empty() {
        return Err(Forged::Wrong);
    }
    let mac = mac(secret.as_bytes(), body).ok_or(Forged::Wrong)?;
    mac.verify_slice(&signature).map_err(|_| Forged::Wrong)
}

/// Signs a body as Intercom does, for trying out our own door.
pub fn sign(secret: &str, body: &[u8]) -> String {
    format!("sha1={}", mac(secret.as_bytes(), body).map(hex).unwrap_or_default())
}

fn mac(key: &[u8], body: &[u8]) -> Option<Hmac<Sha1>> {
    // HMAC takes a key of any length, so this never comes to nothing.
    let mut mac = Hmac::<Sha1>::new_from_slice(key).ok()?;
    mac.update(body);
    Some(mac)
}

fn hex(mac: Hmac<Sha1>) -> String {
    mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bytes(hex: &str) -> Option<[u8; N_BYTES]> {
    let mut bytes = [0; N_BYTES];
    if hex.len() != 2 * N_BYTES || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A row of RFC 2202, section 3: key, data, digest.
    fn check_vector(key: &[u8], data: &[u8], digest: &str) {
        assert_eq!(hex(mac(key, data).unwrap()), digest);
    }

    #[test]
    fn the_signature_is_that_of_rfc_2202() {
        check_vector(&[0x0b; 20], b"Hi There", "b617318655057264e28bc0b6fb378c8ef146be00");
        check_vector(
            b"Jefe",
            b"what do ya want for nothing?",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
        );
        check_vector(&[0xaa; 20], &[0xdd; 50], "125d7342b9ac11cd91a39af48aa17b4f63f175d3");
        let counted: Vec<u8> = (1..=25).collect();
        check_vector(&counted, &[0xcd; 50], "4c9007f4026250c6bc8414f9bf50c86c2d7235da");
        check_vector(
            &[0x0c; 20],
            b"Test With Truncation",
            "4c1a03424b55e07fe7f27be1d58bb9324a9a5a04",
        );
        check_vector(
            &[0xaa; 80],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "aa4ae5e15272d00e95705637ce8a3b55ed402112",
        );
        check_vector(
            &[0xaa; 80],
            b"Test Using Larger Than Block-Size Key and Larger Than One Block-Size Data",
            "e8e99d0f45237d786d6bbaa7965c7808bbff1a91",
        );
    }

    fn check(header: Option<&str>, body: &[u8], expected: Result<(), Forged>) {
        assert_eq!(verify("Jefe", header, body), expected, "{header:?}");
    }

    #[test]
    fn only_the_right_signature_of_the_right_body_passes() {
        let body = b"what do ya want for nothing?";
        let right = "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79";
        assert_eq!(sign("Jefe", body), right);
        check(Some(right), body, Ok(()));
        check(Some("sha1=EFFCDF6AE5EB2FA2D27416D5F184DF9C259A7C79"), body, Ok(()));
        check(Some(right), b"what do ya want for nothing!", Err(Forged::Wrong));
        check(Some(right), b"", Err(Forged::Wrong));
        check(Some("sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c78"), body, Err(Forged::Wrong));
        check(None, body, Err(Forged::Missing));
        for header in [
            "",
            "sha1=",
            "sha1",
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "sha256=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "SHA1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "sha1= ffcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c7",
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7c790",
            "sha1=effcdf6ae5eb2fa2d27416d5f184df9c259a7cgg",
            "sha1=+ffcdf6ae5eb2fa2d27416d5f184df9c259a7c79",
            "sha1=éffcdf6ae5eb2fa2d27416d5f184df9c259a7c7",
        ] {
            check(Some(header), body, Err(Forged::Malformed));
        }
    }

    #[test]
    fn another_secret_or_none_passes_nothing() {
        let body = b"{}";
        assert_eq!(verify("other", Some(&sign("Jefe", body)), body), Err(Forged::Wrong));
        assert_eq!(verify("", Some(&sign("", body)), body), Err(Forged::Wrong));
    }
}
