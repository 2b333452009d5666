use std::fmt;

/// Where a page comes from, as browsers name it in `Origin` (RFC 6454): scheme, host and port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Reads an origin as somebody writes it down: `https://www.example.com`, in any case.
    ///
    /// # Errors
    /// A sentence that says what is wrong and how to mend it.
    pub fn new(written: &str) -> Result<Self, String> {
        let origin = Self(written.trim().to_ascii_lowercase());
        let is_one = Self::of_address(&origin.0).is_some_and(|of_it| of_it == origin);
        if is_one {
            return Ok(origin);
        }
        Err(format!(
            "{written:?} is no origin; write scheme, host and port alone, such as \
             https://www.example.com, and nothing at all where every page may show the messenger"
        ))
    }

    /// Returns the origin of an address of the web, whatever path it has.
    pub(crate) fn of_address(url: &str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next()?;
        let lawful = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        let is_web = matches!(scheme.to_ascii_lowercase().as_str(), "http" | "https");
        let is_host = !host.is_empty() && host.chars().all(lawful);
        (is_web && is_host).then(|| Self(format!("{scheme}://{host}").to_ascii_lowercase()))
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_origin_is_what_browsers_send_and_nothing_else() {
        for written in ["https://www.example.com", "http://127.0.0.1:8080", "http://[::1]:80"] {
            assert_eq!(Origin::new(written).unwrap().to_string(), written);
        }
        let upper = Origin::new("HTTPS://WWW.Example.com").unwrap();
        assert_eq!(upper.to_string(), "https://www.example.com");
        for written in [
            "",
            "*",
            "www.example.com",
            "https://",
            "https://www.example.com/",
            "https://www.example.com/shop",
            "https://*.example.com",
            "https://a@b.example",
            "file:///etc",
            "null",
        ] {
            assert!(Origin::new(written).unwrap_err().contains("is no origin"), "{written}");
        }
    }

    #[test]
    fn an_address_has_the_origin_of_its_host() {
        let of = |url: &str| Origin::of_address(url).map(|origin| origin.to_string());
        let expected = Some("https://help.example.com".to_string());
        assert_eq!(of("https://Help.example.com/desk?x#y"), expected);
        assert_eq!(of("javascript://x"), None);
        assert_eq!(of("help.example.com"), None);
    }
}
