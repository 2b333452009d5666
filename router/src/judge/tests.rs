use super::*;
use crate::{PolicyError, Team};
use proptest::prelude::*;
use serde_json::json;

fn teams() -> Vec<Team> {
    serde_json::from_value(json!([
        {"slug": "front", "name": "Front line"},
        {"slug": "billing", "name": "Billing", "owns": ["invoice", "charged twice"]},
        {"slug": "tech", "name": "Technical", "owns": ["error", "invoice api"]},
    ]))
    .unwrap()
}

fn rules() -> Vec<Rule> {
    serde_json::from_value(json!([
        {"name": "asks for a person", "when": {"any_words": ["talk to a human"]},
         "then": {"hand_off": "front"}},
        {"name": "breach", "when": {"any_words": ["data breach", "human"]},
         "then": {"hand_off": "tech", "priority": "urgent"}},
    ]))
    .unwrap()
}

fn slug(name: &str) -> Slug {
    Slug::try_from(name.to_string()).unwrap()
}

fn confidence(value: f64) -> Confidence {
    Confidence::new(value).unwrap()
}

fn policy() -> Policy {
    Policy::new(slug("front"), teams(), rules(), confidence(0.7)).unwrap()
}

fn summary(decision: &Decision) -> String {
    let team = decision.act().team().map_or(String::new(), |team| format!(" to {team}"));
    let reasons: Vec<String> = decision.reasons().iter().map(ToString::to_string).collect();
    format!("{}{team}: {}", decision.act().name(), reasons.join("; "))
}

#[test]
fn the_first_matching_rule_decides_before_any_draft() {
    let check = |message: &str, expected: Option<&str>| {
        assert_eq!(triage(&policy(), message).map(|d| summary(&d)).as_deref(), expected);
    };
    check("let me TALK to a human", Some("handoff to front: rule \"asks for a person\" matched"));
    check("a data breach!", Some("handoff to tech: rule \"breach\" matched"));
    check(
        "  \n",
        Some(
            "handoff to front: the message is empty; no team owns the question, the fallback team takes it",
        ),
    );
    check("how do I export my data?", None);
}

#[test]
fn confidence_against_the_threshold_decides_about_a_draft() {
    let check = |message: &str, finding: &Finding, expected: &str| {
        assert_eq!(summary(&judge(&policy(), message, finding)), expected);
    };
    let draft = |value| Finding::Draft(confidence(value));
    check("?", &draft(0.7), "reply: confidence 0.70 reaches the threshold 0.70");
    check(
        "my invoice",
        &draft(0.69),
        "handoff to billing: confidence 0.69 is below the threshold 0.70; team billing owns \"invoice\"",
    );
    check(
        "error in the invoice API",
        &Finding::Nothing,
        "handoff to tech: no article is near enough to the question; team tech owns \"invoice api\"",
    );
    check("it", &Finding::TooVague, "clarify: the question says too little to search for");
    check(
        "hello",
        &Finding::Failed("the embedder cannot answer now".into()),
        "handoff to front: the embedder cannot answer now; no team owns the question, the fallback team takes it",
    );
}

#[test]
fn without_replies_every_draft_goes_to_teammates() {
    let mut silent = policy();
    silent.replies = false;
    let decision = judge(&silent, "error 12", &Finding::Draft(confidence(0.99)));
    assert_eq!(decision.act(), &Act::DraftOnly { team: slug("tech") });
    let vague = judge(&silent, "it", &Finding::TooVague);
    assert_eq!(vague.act().name(), "handoff");
}

#[test]
fn an_unlawful_policy_names_every_fault() {
    let mut all = rules();
    all.push(Rule { name: "breach".into(), ..all[0].clone() });
    all[0].then.hand_off = slug("nobody");
    all[1].when.any_words = serde_json::from_value(json!([" "])).unwrap();
    let errors = Policy::new(slug("front"), teams(), all, confidence(0.5)).unwrap_err();
    assert!(matches!(errors[0], PolicyError::UnknownTeam { .. }));
    assert_eq!(errors[1], PolicyError::Twice { what: "rule", name: "breach".into() });
    assert_eq!(errors[2], PolicyError::NeverMatches("breach".into()));
}

proptest! {
    #[test]
    fn every_message_gets_a_decision_with_reasons_and_an_owner(message in ".*", value in 0.0..=1.0_f64) {
        let decision = triage(&policy(), &message)
            .unwrap_or_else(|| judge(&policy(), &message, &Finding::Draft(confidence(value))));
        prop_assert!(!decision.reasons().is_empty());
        prop_assert!(matches!(decision.act(), Act::Reply) || decision.act().team().is_some());
        prop_assert!(!matches!(decision.act(), Act::Reply) || value >= 0.7);
    }
}
