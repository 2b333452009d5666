//! What the office counts and times, by the names that a dashboard knows.
//!
//! The numbers go to whatever recorder the process has installed, and nowhere without one. Labels
//! take few values: names of acts, topics, teams and channels, all from the desk's own files, and
//! never anything that a customer wrote.

use crate::LiveBudget;
use metrics::{counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram};

/// How long the parts of one turn took, in milliseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Stages {
    /// From the time that the turn was due until a worker took it.
    pub(crate) wait_ms: f64,
    /// Embedding the question and searching.
    pub(crate) search_ms: f64,
    /// Composing the draft.
    pub(crate) draft_ms: f64,
    /// Writing decision, reply and posts down.
    pub(crate) record_ms: f64,
}

/// Which model failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Model {
    /// The one that turns text into vectors, or the search over them.
    Search,
    /// The one that writes.
    Generator,
}

/// Notes a message that was taken in; `repeated` ones came before and changed nothing.
pub(crate) fn received(channel: &str, repeated: bool) {
    let repeated = if repeated { "yes" } else { "no" };
    counter!("frontdesk_messages_received_total", "channel" => channel.to_string(), "repeated" => repeated)
        .increment(1);
}

/// Notes a turn that was taken to its end.
pub(crate) fn turn(stages: Stages) {
    let parts = [
        ("wait", stages.wait_ms),
        ("search", stages.search_ms),
        ("draft", stages.draft_ms),
        ("record", stages.record_ms),
    ];
    for (stage, took_ms) in parts {
        histogram!("frontdesk_turn_seconds", "stage" => stage).record(took_ms.max(0.0) / 1000.0);
    }
}

/// Notes a turn that came to nothing: `lease_lost` and `store`, which are taken again, or `panic`,
/// whose conversation went to people.
pub(crate) fn turn_failed(why: &'static str) {
    counter!("frontdesk_turns_failed_total", "why" => why).increment(1);
}

/// Notes a decision by the name of its act and its topic, which is one of the desk's.
pub(crate) fn decided(act: &'static str, topic: Option<&str>) {
    let topic = topic.unwrap_or("none").to_string();
    counter!("frontdesk_decisions_total", "act" => act, "topic" => topic).increment(1);
}

/// Notes that a conversation came to a team's queue, whoever brought it there.
pub(crate) fn handed_off(team: &str) {
    counter!("frontdesk_handoffs_total", "team" => team.to_string()).increment(1);
}

/// Notes that a model could not be asked, or gave nothing usable.
pub(crate) fn model_failed(model: Model) {
    let model = match model {
        Model::Search => "search",
        Model::Generator => "generator",
    };
    counter!("frontdesk_model_errors_total", "model" => model).increment(1);
}

/// Notes an attempt to send a post to a channel: `sent`, `later`, `failed` or `cancelled`.
/// Webhooks count under their slugs.
pub(crate) fn posted(destination: &str, result: &'static str) {
    let destination = destination.to_string();
    counter!("frontdesk_posts_total", "destination" => destination, "result" => result)
        .increment(1);
}

/// Notes something that another system told at its door.
pub(crate) fn heard(door: &str, fresh: bool) {
    let (channel, repeated) = (door.to_string(), if fresh { "no" } else { "yes" });
    counter!("frontdesk_notices_total", "channel" => channel, "repeated" => repeated).increment(1);
}

/// Notes how an error budget fares.
pub(crate) fn budget(budget: &LiveBudget) {
    let watched = &budget.watched;
    let set = |name: &'static str, value: f64| {
        let topic = watched.topic.as_deref().unwrap_or("others").to_string();
        gauge!(name, "rule" => watched.rule.clone(), "topic" => topic).set(value);
    };
    set("frontdesk_budget_answers", budget.n_answers as f64);
    set("frontdesk_budget_wrong", budget.n_wrong as f64);
    set("frontdesk_budget_evidence", budget.evidence / std::f64::consts::LN_10);
    set("frontdesk_budget_threshold", budget.threshold);
    set("frontdesk_budget_raised", if watched.threshold.is_some() { 1.0 } else { 0.0 });
}

/// Notes that the threshold of an error budget was raised.
pub(crate) fn budget_raised(budget: &LiveBudget, threshold: f64) {
    let rule = budget.watched.rule.clone();
    let topic = budget.watched.topic.as_deref().unwrap_or("others").to_string();
    counter!("frontdesk_budget_raises_total", "rule" => rule.clone(), "topic" => topic.clone())
        .increment(1);
    gauge!("frontdesk_budget_threshold", "rule" => rule.clone(), "topic" => topic.clone())
        .set(threshold);
    gauge!("frontdesk_budget_raised", "rule" => rule, "topic" => topic).set(1.0);
}

/// Tells the recorder what each number means.
pub fn describe() {
    describe_gauge!("frontdesk_budget_answers", "Answers by an error budget that count at present");
    describe_gauge!("frontdesk_budget_wrong", "Those of them that are known to be wrong");
    describe_gauge!(
        "frontdesk_budget_evidence",
        "Evidence, in powers of ten, that an error budget burns"
    );
    describe_gauge!("frontdesk_budget_threshold", "Least confidence by an error budget");
    describe_gauge!("frontdesk_budget_raised", "1 while a threshold is raised");
    describe_counter!("frontdesk_budget_raises_total", "Thresholds raised as error budgets burnt");
    describe_counter!("frontdesk_notices_total", "What other systems told at their doors");
    describe_counter!("frontdesk_messages_received_total", "Messages of customers taken in");
    describe_histogram!("frontdesk_turn_seconds", "Duration of the bot's turns by stage");
    describe_counter!("frontdesk_turns_failed_total", "Turns that came to nothing, by reason");
    describe_counter!("frontdesk_decisions_total", "Decisions of the bot by act and topic");
    describe_counter!("frontdesk_handoffs_total", "Conversations that came to a team's queue");
    describe_counter!("frontdesk_model_errors_total", "Failed calls of a model");
    describe_counter!("frontdesk_posts_total", "Attempts to send to other systems, by result");
}
