//! Journeys through the public door: the built `frontdesk`, run as a person or a script runs it.
//!
//! Everything but `real_model` works offline with the hashed embedder. Nothing here sleeps: waiting
//! is reading what the program prints, with a limit.

#[cfg(test)]
mod audience;
#[cfg(test)]
mod bench;
#[cfg(test)]
mod comparison;
#[cfg(test)]
mod contract;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod endpoint;
#[cfg(test)]
mod evaluation;
#[cfg(test)]
mod hostile;
#[cfg(test)]
mod indexing;
#[cfg(test)]
mod intercom;
#[cfg(test)]
mod questions;
#[cfg(test)]
mod real_model;
#[cfg(test)]
mod rules;
#[cfg(test)]
mod sample;
#[cfg(test)]
mod serving;
#[cfg(test)]
mod settings;
#[cfg(test)]
mod teammates;
#[cfg(test)]
mod tokens;
#[cfg(test)]
mod topics;
#[cfg(test)]
mod watching;
