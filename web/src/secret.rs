use sha2::{Digest, Sha256};

/// Makes a token that cannot be guessed: 256 bits from the system, in hexadecimal.
///
/// # Errors
/// When the system has no randomness to give.
pub(crate) fn token() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(hexadecimal(&bytes))
}

/// Returns what is kept of a token instead of it: its SHA-256, in hexadecimal. A token of 256
/// random bits needs no salt.
pub(crate) fn hash(token: &str) -> String {
    hexadecimal(&Sha256::digest(token))
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
