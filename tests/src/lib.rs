//! Does the house stand?
//!
//! Tests of what no crate can test alone: `house` proves the plan of `ARCHITECTURE.md` on the
//! sources themselves.

#[cfg(test)]
mod house;
