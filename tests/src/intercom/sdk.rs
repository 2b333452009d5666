//! The vendor's official Node SDK, as a client that knows nothing of ours.

use super::{Json, Version, conformance::Caller};
use serde_json::json;
use std::{
    io::{self, Write},
    path::Path,
    process::Command,
};

/// Runs `sdk.cjs` and returns what it printed; None, visibly, where the SDK is absent.
pub(crate) async fn run(arguments: &[&str]) -> Option<Json> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let modules = root.join("../.frontdesk/intercom-client/node_modules");
    if !modules.join("intercom-client").exists() {
        // Past the test harness, which would keep what a passing test prints.
        let skipped = "SKIPPED: the vendor's SDK is not there; ./test installs it where npm is";
        let _ = writeln!(io::stderr(), "{skipped}");
        return None;
    }
    let mut node = Command::new("node");
    node.arg(root.join("src/intercom/sdk.cjs")).args(arguments).env("NODE_PATH", &modules);
    let run = tokio::task::spawn_blocking(move || node.output()).await.unwrap().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    Some(serde_json::from_slice(&run.stdout).unwrap())
}

#[tokio::test]
async fn the_vendors_sdk_reads_back_what_it_wrote() {
    let caller = Caller::new(Version::V2_14).await;
    let (admin, team) = (caller.intercom.bot_admin(), caller.intercom.with_team("Billing", &[]));
    let user = caller.intercom.with_user("Joe", "70", json!({}));
    let conversation = caller.intercom.customer_writes(&user, "Where is my parcel?");
    let url = caller.intercom.url();
    let arguments = [&url, "stand-in-token", "2.14", &conversation, &admin, &team];
    let Some(read) = run(&arguments).await else { return };
    let expected = json!({
        "admins": [admin],
        "said": ["<p>It is on its way.</p>"],
        "searched": [conversation],
        "tags": ["billing"],
        "team": team.parse::<i64>().unwrap(),
        "parts": [["comment", "<p>It is on its way.</p>"], ["note", "<p>Routed to Billing</p>"],
                  ["assignment", null]],
    });
    assert_eq!(read, expected);
}
