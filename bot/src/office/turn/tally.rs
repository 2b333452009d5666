use super::{Done, Turn};
use crate::measure;
use jiff::SignedDuration;
use std::time::Duration;

/// Counts and times a turn that is recorded: what was done, not what was meant to be.
pub(super) fn note_turn(
    turn: &Turn,
    done: &Done,
    (waited, recording): (Option<SignedDuration>, Duration),
) {
    let timings = turn.answer.as_ref().map(|answer| answer.timings).unwrap_or_default();
    let stages = measure::Stages {
        wait_ms: waited.map_or(0.0, |waited| waited.as_secs_f64().max(0.0) * 1e3),
        search_ms: timings.search_ms,
        draft_ms: timings.draft_ms,
        record_ms: recording.as_secs_f64() * 1e3,
    };
    let act = done.act.unwrap_or_default();
    let topic = turn.answer.as_ref().and_then(|answer| answer.noticed.topic.as_ref());
    measure::decided(act, topic.map(|(topic, _)| topic.as_str()));
    done.queues.iter().for_each(|team| measure::handed_off(team));
    if turn.answer.is_none() {
        measure::turn_failed("panic");
    }
    tracing::info!(
        act,
        waited_ms = stages.wait_ms,
        duration_ms = turn.took.as_secs_f64() * 1e3,
        "a turn was taken"
    );
    measure::turn(stages);
}
