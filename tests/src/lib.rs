//! Does the house stand?
//!
//! Tests of what no crate can test alone: `house` proves the plan of `ARCHITECTURE.md` on the
//! sources themselves, `office` carries conversations through store and bot, `shift` lets time pass
//! over them, `outbox` sends what leaves the house, `race` has people and the bot answer at once,
//! `taking` has people take conversations, `budgets` has them find answers wrong, `figures` counts what happened,
//! `bridge` connects the desk to an Intercom.
//! [`Bench`] is the desk at work that they, and the tests of the crates above, stand on;
//! [`intercom`] is an Intercom for it to connect to; [`postgres`] starts a database server of their
//! own. Tests of the built program run it by [`program`], on the desk of [`sample`].
#![expect(clippy::unwrap_used, reason = "everything here serves tests, which may fail loudly")]

mod bench;
#[cfg(test)]
mod bridge;
#[cfg(test)]
mod budgets;
#[cfg(test)]
mod figures;
#[cfg(test)]
mod house;
pub mod intercom;
mod missing;
#[cfg(test)]
mod moody;
#[cfg(test)]
mod office;
#[cfg(test)]
mod outbox;
pub mod postgres;
pub mod program;
#[cfg(test)]
mod race;
#[cfg(test)]
mod ruled;
pub mod sample;
#[cfg(test)]
mod shift;
#[cfg(test)]
mod taking;

pub use bench::{Bench, ONE_TEAM, Rules};
pub use missing::does_without;
