//! A desk and a workspace of Intercom, from connecting them to what people did there.

mod articles;
mod connect;
mod export;
mod quiet;
mod shadow;

use crate::bench::{Bench, Ran};
use jiff::Timestamp;
use serde_json::Value;
use std::sync::Arc;
use tests::{
    intercom::{StandIn, StandInParts},
    program::Serving,
};
use tokio::runtime::Runtime;

/// The token and the secret of the stand-in.
const TOKEN: &str = "stand-in-token";
const SECRET: &str = "stand-in-client-secret";

/// A desk, and an Intercom beside it.
pub(crate) struct There {
    pub(crate) bench: Bench,
    pub(crate) intercom: StandIn,
    pub(crate) runtime: Runtime,
}

impl There {
    /// The starter desk with the token of an Intercom that has one seat, the bot's.
    pub(crate) fn new() -> Self {
        Self::of(Bench::starter().confident(4.0))
    }

    pub(crate) fn of(bench: Bench) -> Self {
        let runtime = Runtime::new().unwrap();
        #[expect(clippy::disallowed_methods, reason = "the program beside it has the same clock")]
        let clock = Arc::new(Timestamp::now);
        let intercom = runtime.block_on(StandIn::start(StandInParts::new(clock)));
        let bench = bench
            .with("FRONTDESK_INTERCOM_ACCESS_TOKEN", TOKEN)
            .with("FRONTDESK_INTERCOM_CLIENT_SECRET", SECRET)
            .with("FRONTDESK_INTERCOM_API_URL", &intercom.url());
        Self { bench, intercom, runtime }
    }

    /// The same with the seat set.
    pub(crate) fn seated() -> Self {
        let there = Self::new();
        let seat = there.intercom.bot_admin();
        there.with("FRONTDESK_INTERCOM_ADMIN_ID", &seat)
    }

    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.bench = self.bench.with(name, value);
        self
    }

    /// Runs `frontdesk intercom …`; neither token nor secret may be in what it prints.
    pub(crate) fn run(&self, words: &[&str]) -> Ran {
        let ran = self.bench.on_desk(&[&["intercom"], words].concat());
        for secret in [TOKEN, SECRET] {
            assert!(!ran.out.contains(secret) && !ran.err.contains(secret), "{ran:?}");
        }
        ran
    }

    /// Runs it with `--json`; returns the exit code and the document.
    pub(crate) fn json(&self, words: &[&str]) -> (Option<i32>, Value) {
        let ran = self.run(&[words, &["--json"]].concat());
        let document = ran.document();
        (ran.code, document)
    }

    /// Opens the desk.
    pub(crate) fn serve(&self) -> Serving {
        let mut command = self.bench.command();
        command.args(["--desk", "desk"]);
        Serving::start(command)
    }
}
