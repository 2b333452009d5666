//! The inbox over a real socket: who gets in, what teammates do, and what hostile input comes to.
#![expect(clippy::unwrap_used, reason = "a test may fail loudly")]

mod desk;
mod doors;
mod hostile;
mod looked_up;
mod roles;
mod work;
