use super::figures::age_s;
use crate::Front;
use serde_json::{Value as Json, json};
use std::time::Duration;

/// What was found at one look.
#[derive(Debug, Clone)]
pub(super) struct Report {
    checks: Vec<Check>,
}

#[derive(Debug, Clone)]
struct Check {
    name: &'static str,
    state: State,
    /// What is wrong and what to do, for whoever runs the desk.
    detail: String,
}

/// How a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum State {
    /// It works.
    Ok,
    /// Customers are served all the same, by people if need be; somebody should look.
    Degraded,
    /// Customers had better be sent to another node.
    Failed,
}

/// Longest time that a part may take to answer.
const PATIENCE: Duration = Duration::from_secs(2);

/// From this age on, seconds, a turn or a post waits longer than any pause between attempts at work
/// that goes well.
const LATE_S: f64 = 900.0;

impl Report {
    /// Looks at every part.
    pub(super) async fn of(front: &Front) -> Self {
        let mut checks = vec![stopping(front), store(front).await, index(front).await];
        checks.push(embedder(front).await);
        // That the store fails is told already, and nobody waits for it twice.
        if checks.iter().all(|check| check.name != "store" || check.state == State::Ok) {
            checks.extend(late(front).await);
        }
        checks.push(files(front));
        Self { checks }
    }

    /// Whether customers can be served here.
    pub(super) fn is_ready(&self) -> bool {
        self.worst() < State::Failed
    }

    /// Renders it, with all that is known only for `trusted` callers.
    pub(super) fn told(&self, trusted: bool) -> Json {
        let status = match self.worst() {
            State::Failed => "unready",
            _ if !trusted => "ready",
            State::Degraded => "degraded",
            State::Ok => "ready",
        };
        if !trusted {
            return json!({ "status": status });
        }
        let checks = self.checks.iter().map(|check| {
            let state = match check.state {
                State::Ok => "ok",
                State::Degraded => "degraded",
                State::Failed => "failed",
            };
            json!({"name": check.name, "state": state, "detail": check.detail})
        });
        json!({ "status": status, "checks": checks.collect::<Vec<_>>() })
    }

    fn worst(&self) -> State {
        self.checks.iter().map(|check| check.state).max().unwrap_or(State::Ok)
    }
}

impl Check {
    fn ok(name: &'static str) -> Self {
        Self { name, state: State::Ok, detail: String::new() }
    }

    fn of<E: std::fmt::Display>(
        name: &'static str,
        state: State,
        outcome: Option<Result<(), E>>,
    ) -> Self {
        let detail = match outcome {
            Some(Ok(())) => return Self::ok(name),
            Some(Err(failure)) => failure.to_string(),
            None => format!("no answer within {} s", PATIENCE.as_secs()),
        };
        Self { name, state, detail }
    }
}

fn stopping(front: &Front) -> Check {
    if !front.stopping.is_cancelled() {
        return Check::ok("process");
    }
    Check { name: "process", state: State::Failed, detail: "it is stopping".into() }
}

async fn store(front: &Front) -> Check {
    let outcome = tokio::time::timeout(PATIENCE, front.office.store().ping()).await.ok();
    Check::of("store", State::Failed, outcome)
}

async fn index(front: &Front) -> Check {
    let desk = front.office.desk();
    // It may have to be opened, which reads the disk.
    let opened = tokio::task::spawn_blocking(move || desk.library().knowledge().map(drop));
    let outcome = match tokio::time::timeout(PATIENCE, opened).await {
        Ok(Ok(outcome)) => Some(outcome),
        Ok(Err(_)) | Err(_) => None,
    };
    Check::of("index", State::Failed, outcome)
}

/// Whether the embedder answers. Without it conversations go to people, on every node alike where
/// it is a service, so that sending customers elsewhere would help nobody.
async fn embedder(front: &Front) -> Check {
    let desk = front.office.desk();
    let asked = front.health.probed(desk.library().embedder().embed_query("ready"));
    Check::of("embedder", State::Degraded, tokio::time::timeout(PATIENCE, asked).await.ok())
}

/// Whether turns and posts get done. What another system does not take waits, and is no reason to
/// turn customers away.
async fn late(front: &Front) -> Vec<Check> {
    let (store, now) = (front.office.store(), front.office.now());
    let oldest = async {
        let turns = age_s(now, store.workload(now).await?.oldest_turn);
        Ok::<_, store::Error>((turns, age_s(now, store.oldest_post().await?)))
    };
    let (turns, posts) = match tokio::time::timeout(PATIENCE, oldest).await {
        Ok(Ok(ages)) => ages,
        Ok(Err(failure)) => return vec![unknown(failure.to_string())],
        Err(_) => return vec![unknown(format!("no answer within {} s", PATIENCE.as_secs()))],
    };
    let check = |name, age: f64, mend: &str| {
        if age <= LATE_S {
            return Check::ok(name);
        }
        let detail = format!("the oldest has waited for {age:.0} s; {mend}");
        Check { name, state: State::Degraded, detail }
    };
    vec![
        check("turns", turns, "raise turns.workers, or look for failing turns in the log"),
        check("outbox", posts, "see what the other systems say, in the delivery log"),
    ]
}

/// Tells that nobody knows what waits.
fn unknown(detail: String) -> Check {
    Check { name: "turns", state: State::Degraded, detail }
}

fn files(front: &Front) -> Check {
    let faults = front.health.faults();
    if faults.is_empty() {
        return Check::ok("files");
    }
    Check { name: "files", state: State::Degraded, detail: faults.join("\n") }
}
