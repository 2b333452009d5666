//! The client against the vendor's own documents, not against our idea of them.
//!
//! Every call is made once to a server that answers with the vendor's example; what was sent is then
//! held against the schema of the operation. The same calls go to the vendor's mock, Prism, where
//! it is installed. Every example that the vendor gives of an object is read.

#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod calls;
mod document;
mod examples;
mod prism;
mod requests;
mod strictness;

use std::io::{self, Write};

/// Says that a test was skipped, past the test harness, which would keep what a passing test prints.
pub(crate) fn skip(reason: &str) {
    let _ = writeln!(io::stderr(), "SKIPPED: {reason}");
}
