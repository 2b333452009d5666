use crate::wire::Private;
use jiff::Timestamp;

/// Why a call came to nothing, or to nothing known. The texts hold no customer data and no token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApiError {
    /// The token is wrong or was withdrawn (401).
    #[error("Intercom does not know the access token ({code})")]
    Unauthorized {
        /// The vendor's code.
        code: String,
    },
    /// The token, the app or the workspace's plan does not reach that far (403).
    #[error("Intercom forbids it ({code})")]
    Forbidden {
        /// The vendor's code, such as `api_plan_restricted`.
        code: String,
    },
    /// It is not there, or not any more (404, 410).
    #[error("Intercom has no such thing ({code})")]
    NotFound {
        /// The vendor's code, such as `conversation_not_found` or `contact_merged`.
        code: String,
    },
    /// The request does not suit the vendor (other 4xx, redirects); repeating it changes nothing.
    #[error("Intercom refuses the request: status {status}, {code}{}", of_field(field.as_deref()))]
    Invalid {
        /// The status of HTTP.
        status: u16,
        /// The vendor's code, such as `parameter_invalid`.
        code: String,
        /// The field at fault, where the vendor says so.
        field: Option<String>,
        /// What the vendor wrote for people; it may quote what was sent.
        message: Private<String>,
    },
    /// The share of the rate limit is used up; nothing was sent, or it was refused unseen.
    #[error("the rate limit of Intercom is used up until {until}")]
    RateLimited {
        /// When there is more.
        until: Timestamp,
    },
    /// It may work later: the vendor is out of order, or could not be reached.
    #[error("{what}")]
    Later {
        /// What happened, such as `HTTP 503` or `no answer in time`.
        what: String,
        /// Whether the call may have had its effect all the same.
        maybe_done: bool,
    },
    /// The call succeeded, but its answer cannot be read. Any effect it has has taken place.
    #[error("the answer of Intercom cannot be read: {what}")]
    Unreadable {
        /// What is wrong with it.
        what: String,
        /// Whether the call had an effect.
        maybe_done: bool,
    },
}

impl ApiError {
    /// Whether the call may have had its effect: look before doing it again.
    pub const fn maybe_done(&self) -> bool {
        match self {
            Self::Later { maybe_done, .. } | Self::Unreadable { maybe_done, .. } => *maybe_done,
            _ => false,
        }
    }

    /// Whether the same call may succeed later without anybody mending anything.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Later { .. } | Self::RateLimited { .. })
    }

    /// Whether the vendor says that a conversation is not there. Something that stands before the
    /// vendor and knows no such address says so otherwise.
    pub fn is_gone(&self) -> bool {
        let code = self.code().unwrap_or_default();
        matches!(self, Self::NotFound { .. })
            && matches!(code, "not_found" | "conversation_not_found")
    }

    /// Returns the vendor's code, where it gave one.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Unauthorized { code }
            | Self::Forbidden { code }
            | Self::NotFound { code }
            | Self::Invalid { code, .. } => Some(code),
            _ => None,
        }
    }
}

fn of_field(field: Option<&str>) -> String {
    field.map_or_else(String::new, |field| format!(" in {field}"))
}
