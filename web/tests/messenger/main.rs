//! The messenger over a real socket: what its script is told, whom it believes, what it keeps
//! apart, and what hostile input comes to.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod hostile;
mod script;
mod site;
mod streams;
mod talks;
mod visits;
