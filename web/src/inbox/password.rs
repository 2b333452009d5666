use super::page::Refusal;
use argon2::{
    Argon2, PasswordHasher, PasswordVerifier,
    password_hash::{self, phc::PasswordHash},
};

/// Shorter ones are guessed; NIST SP 800-63B-4 asks for 15 where nothing else proves who signs in,
/// and allows 8 beside a second proof. Ten, with the limit on attempts, lies between.
pub(super) const SHORTEST: usize = 10;

/// Longer ones would be hashed for no use.
const LONGEST: usize = 200;

/// A password of nobody, which is verified where an address is unknown, so that both take as long.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$ZnJvbnRkZXNrLW5vYm9keQ$\
                      c5gYmF9iPrm5UPk7V1qzQ0yyWJd4h1oLTeT7bkQuBGk";

/// Makes the salted hash of a password (Argon2id, 19 MiB, two passes: the parameters that OWASP's
/// Password Storage Cheat Sheet asks for), in the PHC string format. Takes some 30 ms: not for an
/// async thread.
///
/// # Errors
/// A sentence for people when the password is too short or too long, or hashing failed.
pub fn hash_password(password: &str) -> Result<String, String> {
    let n_letters = password.chars().count();
    if n_letters < SHORTEST {
        return Err(format!(
            "a password has at least {SHORTEST} letters; this one has {n_letters}"
        ));
    }
    if password.len() > LONGEST {
        return Err(format!("a password has at most {LONGEST} bytes"));
    }
    let hash = Argon2::default().hash_password(password.as_bytes());
    hash.map(|hash| hash.to_string()).map_err(|_| "the password could not be hashed".to_string())
}

/// Hashes a password beside the async threads.
pub(super) async fn hashed(password: String) -> Result<String, Refusal> {
    let hashed = tokio::task::spawn_blocking(move || hash_password(&password)).await;
    hashed.map_err(|failure| Refusal::inside(&failure))?.map_err(Refusal::invalid)
}

/// Whether a password belongs to a hash, beside the async threads. Without a hash it takes as
/// long and says no.
pub(super) async fn fits(password: String, hash: Option<String>) -> Result<bool, Refusal> {
    let fits = tokio::task::spawn_blocking(move || {
        let known = hash.is_some();
        let right = verify(&password, hash.as_deref().unwrap_or(NOBODY)).is_ok();
        known && right
    });
    fits.await.map_err(|failure| Refusal::inside(&failure))
}

fn verify(password: &str, hash: &str) -> Result<(), password_hash::Error> {
    let hash = PasswordHash::new(hash).map_err(|_| password_hash::Error::PasswordInvalid)?;
    // What is longer than any password was never hashed.
    let password = password.as_bytes().get(..LONGEST).unwrap_or(password.as_bytes());
    Argon2::default().verify_password(password, &hash)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_fits_its_own_hash_alone() {
        let hash = hash_password("correct horse").unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert!(verify("correct horse", &hash).is_ok());
        assert!(verify("correct horsf", &hash).is_err());
        assert_ne!(hash, hash_password("correct horse").unwrap());
    }

    #[test]
    fn short_and_endless_passwords_are_refused() {
        assert!(hash_password("ninechars").unwrap_err().contains("at least 10"));
        assert!(hash_password(&"x".repeat(201)).is_err());
        assert!(hash_password("zehnümlaut").is_ok());
    }

    #[test]
    fn the_hash_of_nobody_costs_as_much_as_any() {
        let nobody = PasswordHash::new(NOBODY).unwrap();
        let somebody = hash_password("correct horse").unwrap();
        let somebody = PasswordHash::new(&somebody).unwrap();
        assert_eq!(nobody.params, somebody.params);
        assert_eq!(nobody.hash.unwrap().len(), somebody.hash.unwrap().len());
    }
}
