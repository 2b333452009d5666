use super::Json;
use serde_json::json;

/// An answer other than a success, in the words of the vendor's document.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// The HTTP status.
    pub status: u16,
    /// What a program reads, such as `not_found`.
    pub code: &'static str,
    /// What a person reads.
    pub message: String,
    /// Where a merged contact is now: a `Link` header.
    pub link: Option<String>,
}

impl Refusal {
    pub(crate) fn new(status: u16, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), link: None }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "not_found", "Resource Not Found")
    }

    pub(crate) fn no_contact() -> Self {
        Self::new(404, "not_found", "User Not Found")
    }

    pub(crate) fn invalid(message: impl Into<String>) -> Self {
        Self::new(400, "parameter_invalid", message)
    }

    pub(crate) fn missing(name: &str) -> Self {
        Self::new(400, "parameter_not_found", format!("{name} is a required parameter"))
    }

    /// Renders the vendor's `error.list`.
    pub(crate) fn json(&self, request_id: &str) -> Json {
        json!({
            "type": "error.list", "request_id": request_id,
            "errors": [{ "code": self.code, "message": self.message }],
        })
    }
}
