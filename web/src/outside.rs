//! How other systems name what is kept here.

use store::Identity;

/// The realm of the desk's own systems, whose word for who a customer is counts: by a proof in the
/// messenger, or by a token of the API.
pub(crate) const REALM: &str = "desk";

/// Longest name, in bytes. An index of PostgreSQL takes no key above a third of a page (2,704
/// bytes); a name that means something is far below.
const LONGEST: usize = 200;

/// Refuses what cannot name anything: nothing, control characters, more than any system needs.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn lawful(name: &str) -> Result<(), &'static str> {
    if name.trim().is_empty() || name.len() > LONGEST || name.chars().any(char::is_control) {
        return Err("an id has 1 to 200 bytes, not blanks alone, and no control characters");
    }
    Ok(())
}

/// Returns the customer whom the desk's own systems name so.
///
/// # Errors
/// As [`lawful`].
pub(crate) fn customer(external_id: &str) -> Result<Identity, &'static str> {
    lawful(external_id)?;
    Ok(Identity { realm: REALM.into(), external_id: external_id.into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_any_system_pass_and_what_no_database_indexes_does_not() {
        for name in ["7", "crm/ö 42", "ä".repeat(100).as_str()] {
            assert_eq!(lawful(name), Ok(()), "{name}");
        }
        for name in ["", " ", "a\nb", "a\0", "x".repeat(201).as_str()] {
            assert!(lawful(name).is_err(), "{name:?}");
        }
        let identity = customer("u-42").unwrap();
        assert_eq!((identity.realm.as_str(), identity.external_id.as_str()), ("desk", "u-42"));
    }
}
