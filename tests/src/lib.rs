//! Does the house stand?
//!
//! Tests of what no crate can test alone: `house` proves the plan of `ARCHITECTURE.md` on the
//! sources themselves, `office` carries conversations through store and bot, `race` has people
//! and the bot answer at once. [`Bench`] is the desk at work that they, and the tests of the crates
//! above, stand on; [`postgres`] starts a database server of their own.
#![expect(clippy::unwrap_used, reason = "everything here serves tests, which may fail loudly")]

mod bench;
#[cfg(test)]
mod house;
#[cfg(test)]
mod office;
pub mod postgres;
#[cfg(test)]
mod race;

pub use bench::{Bench, Rules};
