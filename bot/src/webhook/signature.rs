use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;

/// Signs a body as of a moment: `t=SECONDS,v1=HEX`, where HEX is the HMAC-SHA256 (RFC 2104) of the
/// seconds since 1970 in decimal, a full stop, and the body. The moment lets the far side refuse
/// what somebody recorded and sends again later.
pub(super) fn signature(secret: &str, at: Timestamp, body: &[u8]) -> String {
    let seconds = at.as_second();
    // HMAC takes a key of any length, so there is no failure to tell of.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(secret.as_bytes()) else {
        return String::new();
    };
    mac.update(format!("{seconds}.").as_bytes());
    mac.update(body);
    let bytes = mac.finalize().into_bytes();
    let hex: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    /// The same as in docs/webhooks.md; worked out with
    /// `printf '1795341600.{"id":"1"}' | openssl dgst -sha256 -hmac s3cret`.
    const HEADER: &str =
        "t=1795341600,v1=fdf67398ae4493d6b01a35dc6c18b4bbba26d039eb8d74bfe051a32c910ee480";
    const DOCUMENT: &str = include_str!("../../../docs/webhooks.md");

    #[test]
    fn the_signature_is_the_one_that_openssl_makes() {
        let at = Timestamp::from_second(1_795_341_600).unwrap();
        assert_eq!(signature("s3cret", at, br#"{"id":"1"}"#), HEADER);
        assert!(DOCUMENT.contains(HEADER), "docs/webhooks.md shows another vector");
    }

    /// Takes the program out of the fenced block of a language and adds a use of it.
    fn snippet(language: &str, use_of_it: &str) -> String {
        let fence = format!("```{language}\n");
        let (_, rest) = DOCUMENT.split_once(&fence).unwrap();
        let (program, _) = rest.split_once("```").unwrap();
        format!("{program}\n{use_of_it}")
    }

    fn check(interpreter: &str, option: &str, program: &str) {
        match Command::new(interpreter).args([option, program]).output() {
            Err(_) => println!("{interpreter} is not here; the snippet was not run"),
            Ok(ran) => {
                let said = String::from_utf8_lossy(&ran.stdout).trim().to_string();
                assert_eq!(said, "yes no no no", "{}", String::from_utf8_lossy(&ran.stderr));
            }
        }
    }

    #[test]
    fn the_snippets_of_the_document_tell_right_from_wrong() {
        let python = format!(
            "say = lambda *a: 'yes' if is_genuine(*a) else 'no'\n\
             header, body, now = {HEADER:?}, b'{{\"id\":\"1\"}}', 1795341700\n\
             print(say('s3cret', header, body, now), say('other', header, body, now),\n\
             say('s3cret', header, body + b' ', now), say('s3cret', header, body, now + 600))"
        );
        check("python3", "-c", &snippet("python", &python));
        let node = format!(
            "const say = (...a) => (isGenuine(...a) ? 'yes' : 'no');\n\
             const header = {HEADER:?}, body = Buffer.from('{{\"id\":\"1\"}}'), now = 1795341700;\n\
             console.log(say('s3cret', header, body, now), say('other', header, body, now),\n\
             say('s3cret', header, Buffer.from('x'), now), say('s3cret', header, body, now + 600))"
        );
        check("node", "-e", &snippet("js", &node));
    }
}
