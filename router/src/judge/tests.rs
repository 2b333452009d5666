use super::*;
use crate::policy::tests::{brief, routing};
use crate::{Ladder, Routing, Rule, explain};

pub(super) fn confidence(value: f64) -> Confidence {
    Confidence::new(value).unwrap()
}

/// A policy of these rules on the desk of the policy's tests.
fn policy(rules: &[(&str, &str)]) -> Policy {
    Policy::new(Routing { rules: brief(rules), ..routing() }).unwrap()
}

/// Facts about a conversation whose customer wrote "hello there", and these, given as JSON.
fn facts(policy: &Policy, known: serde_json::Value) -> Facts {
    let mut facts = Facts::new(policy.catalogue());
    let text = serde_json::json!({"message.text": "hello there"});
    for (name, value) in [text, known].iter().flat_map(|known| known.as_object().unwrap()) {
        let value = match value {
            serde_json::Value::Bool(truth) => Value::Truth(*truth),
            serde_json::Value::Number(number) => Value::Number(number.as_f64().unwrap()),
            serde_json::Value::String(text) => Value::text(text),
            texts => Value::Texts(serde_json::from_value(texts.clone()).unwrap()),
        };
        facts.set(policy.catalogue(), name, value).unwrap();
    }
    facts
}

/// An act with its object, and the reasons.
fn summary(decision: &Decision) -> String {
    let object = match decision.act() {
        Act::Reply(Reply::Canned(slug)) | Act::Clarify(Some(slug)) => format!(" {slug}"),
        Act::HandOff { team, teammate, priority } => {
            let teammate = teammate.as_ref().map_or(String::new(), |t| format!("/{t}"));
            format!(" to {team}{teammate} ({})", priority.name())
        }
        Act::DraftOnly { team } => format!(" for {team}"),
        _ => String::new(),
    };
    let reasons: Vec<String> = decision.reasons().iter().map(ToString::to_string).collect();
    format!("{}{object}: {}", decision.act().name(), reasons.join("; "))
}

fn check(policy: &Policy, known: serde_json::Value, finding: &Finding, expected: &str) {
    assert_eq!(summary(&judge(policy, &facts(policy, known), finding)), expected);
}

macro_rules! known {
    ($($json:tt)*) => { serde_json::json!({ $($json)* }) };
}

#[test]
fn the_highest_rule_that_settles_decides_and_those_above_it_set_things() {
    let policy = policy(&[
        ("'vip' in customer.tags", "priority = 'high', tags = ['vip'], sla = 'slow'"),
        ("company.arr > 1000", "priority = 'urgent', tags = ['big']"),
        ("message.text.mentions('invoice')", "hand_off = 'owner'"),
        ("message.text.mentions('invoice')", "hand_off = 'tech'"),
        ("open('billing')", "reply = 'hours', close = true, attributes = { seen = true }"),
    ]);
    let vip = known!("customer.tags": ["vip"], "company.arr": 5000, "message.text": "Invoice?");
    check(
        &policy,
        vip.clone(),
        &Finding::Nothing,
        "handoff to billing (high): rule \"r30\" fits; team billing owns \"invoice\"",
    );
    let decision = judge(&policy, &facts(&policy, vip), &Finding::Nothing);
    let fired: Vec<String> =
        decision.fired().iter().map(|f| format!("{}: {}", f.rule, f.did)).collect();
    insta::assert_snapshot!(fired.join("\n"), @r"
    r10: priority high, tags vip, SLA slow
    r20: priority urgent, tags big (set above already: priority)
    r30: hand off to the team that looks after it
    ");
    assert_eq!(decision.effects().sla.as_ref().unwrap().as_str(), "slow");
    check(&policy, known!(), &Finding::Nothing, "reply hours: rule \"r50\" fits");
    assert!(judge(&policy, &facts(&policy, known!()), &Finding::Nothing).effects().close);
    // A team's own promise holds where no rule names another.
    let invoice = facts(&policy, known!("message.text": "invoice"));
    let decision = judge(&policy, &invoice, &Finding::Nothing);
    assert_eq!(decision.effects().sla.as_ref().unwrap().as_str(), "fast");
}

#[test]
fn where_no_rule_settles_anything_the_ladder_does() {
    let silent = policy(&[]);
    let draft = |value| Finding::Draft(confidence(value));
    let failed = Finding::Failed("the embedder cannot answer now".into());
    let nobody = "no team owns the question, the fallback team takes it";
    check(&silent, known!(), &draft(0.7), "reply: confidence 0.70 reaches the threshold 0.70");
    check(
        &silent,
        known!(),
        &draft(0.69),
        &format!(
            "handoff to front (normal): confidence 0.69 is below the threshold 0.70; {nobody}"
        ),
    );
    check(
        &silent,
        known!("topic.name": "refunds", "topic.confidence": 0.5),
        &Finding::Nothing,
        "handoff to billing (normal): no article is near enough to the question; team billing looks after topic \"refunds\"",
    );
    check(
        &silent,
        known!("topic.name": "refunds", "topic.confidence": 0.49),
        &Finding::Nothing,
        &format!("handoff to front (normal): no article is near enough to the question; {nobody}"),
    );
    check(
        &silent,
        known!("message.text": "error in the invoice API"),
        &failed,
        "handoff to tech (normal): the embedder cannot answer now; team tech owns \"invoice api\"",
    );
    check(
        &silent,
        known!(),
        &Finding::TooVague,
        "clarify: the question says too little to search for",
    );
    check(
        &silent,
        known!("conversation.clarified": true),
        &Finding::TooVague,
        &format!("handoff to front (normal): the bot has asked what is meant before; {nobody}"),
    );
    check(
        &silent,
        known!("message.text": " \n"),
        &draft(1.0),
        &format!("handoff to front (normal): the message is empty; {nobody}"),
    );
    check(
        &silent,
        known!("conversation.owner": "team"),
        &draft(1.0),
        "hold: a person is responsible, the bot is silent",
    );
}

#[test]
fn a_desk_that_offers_a_person_does_so_once_before_it_hands_off() {
    let draft = |value| Finding::Draft(confidence(value));
    let nobody = "no team owns the question, the fallback team takes it";
    let ladder = Ladder { unsure: Unsure::Offer, ..Ladder::default() };
    let offering = Policy::new(Routing { ladder, ..routing() }).unwrap();
    check(&offering, known!(), &draft(0.1), "offer: confidence 0.10 is below the threshold 0.70");
    check(
        &offering,
        known!("conversation.offered": true),
        &Finding::Nothing,
        &format!(
            "handoff to front (normal): no article is near enough to the question; the bot has offered a person before; {nobody}"
        ),
    );
    check(
        &offering,
        known!("conversation.offer_open": true, "signals.agrees": 0.9),
        &draft(1.0),
        &format!("handoff to front (normal): rule \"Accepts a person\" fits; {nobody}"),
    );
    check(
        &offering,
        known!("signals.thanks": 0.9, "conversation.turns": 2),
        &draft(1.0),
        "resolve: rule \"Thanks\" fits",
    );
}

#[test]
fn rules_say_what_may_become_of_an_answer() {
    let policy = policy(&[
        ("message.text.mentions('law')", "answer = 'never'"),
        ("message.text.mentions('contract')", "answer = 'draft'"),
        ("message.text.mentions('money')", "error_budget = 0.02"),
        ("message.text.mentions('money', 'hi')", "threshold = 0.5"),
        ("answer.confidence > 0.9 && channel == 'mail'", "hand_off = 'tech'"),
    ]);
    let draft = |value| Finding::Draft(confidence(value));
    let says = |text: &str| known!("message.text": text);
    let nobody = "no team owns the question, the fallback team takes it";
    check(
        &policy,
        says("law"),
        &draft(1.0),
        &format!("handoff to front (normal): a rule leaves the answer to people; {nobody}"),
    );
    check(
        &policy,
        says("contract"),
        &draft(1.0),
        &format!(
            "draft for front: a rule leaves the answer to people; confidence 1.00 reaches the threshold 0.70; {nobody}"
        ),
    );
    check(
        &policy,
        says("contract"),
        &Finding::TooVague,
        &format!("handoff to front (normal): a rule leaves the answer to people; {nobody}"),
    );
    check(
        &policy,
        says("money"),
        &draft(0.97),
        &format!(
            "handoff to front (normal): confidence 0.97 is below the threshold 0.98; {nobody}"
        ),
    );
    check(
        &policy,
        says("money"),
        &draft(0.98),
        "reply: confidence 0.98 reaches the threshold 0.98",
    );
    check(&policy, says("hi"), &draft(0.5), "reply: confidence 0.50 reaches the threshold 0.50");
    let mail = known!("channel": "mail");
    assert_eq!(triage(&policy, &facts(&policy, mail.clone())), None);
    check(&policy, mail.clone(), &draft(0.95), "handoff to tech (normal): rule \"r50\" fits");
    check(&policy, mail, &draft(0.9), "reply: confidence 0.90 reaches the threshold 0.70");
}

#[test]
fn a_desk_that_does_not_speak_shows_teammates_what_it_would_say() {
    let rules = brief(&[
        ("message.text.mentions('hours')", "reply = 'hours', close = true"),
        ("message.text.mentions('plan')", "clarify = 'which-plan'"),
        ("message.text.mentions('bye')", "close = true"),
        ("message.text.mentions('law')", "answer = 'never'"),
    ]);
    let silent = Policy::new(Routing { rules, speaks: false, ..routing() }).unwrap();
    let says = |text: &str| known!("message.text": text);
    let nobody = "no team owns the question, the fallback team takes it";
    let off = "replies are switched off, drafts go to teammates";
    let sure = Finding::Draft(confidence(1.0));
    for (text, rule) in [("hours", "r10"), ("plan", "r20"), ("bye", "r30")] {
        check(
            &silent,
            says(text),
            &sure,
            &format!("draft for front: {off}; rule {rule:?} fits; {nobody}"),
        );
        // What went with a reply does not happen without it.
        let decision = judge(&silent, &facts(&silent, says(text)), &sure);
        assert!(!decision.effects().close, "{text}");
    }
    check(
        &silent,
        says("law"),
        &sure,
        &format!("handoff to front (normal): a rule leaves the answer to people; {nobody}"),
    );
    check(
        &silent,
        says("hi"),
        &sure,
        &format!("draft for front: {off}; confidence 1.00 reaches the threshold 0.70; {nobody}"),
    );
    check(
        &silent,
        says("hi"),
        &Finding::TooVague,
        &format!("handoff to front (normal): the question says too little to search for; {nobody}"),
    );
}

#[test]
fn a_closed_team_is_stood_in_for_and_a_teammate_is_named_for_their_own() {
    let rules = brief(&[
        ("message.text.mentions('pay')", "hand_off = 'billing', teammate = 'bo'"),
        ("message.text.mentions('bo')", "teammate = 'bo'"),
        ("message.text.mentions('tech')", "hand_off = 'tech'"),
    ]);
    let policy = Policy::new(Routing { rules, ..routing() }).unwrap();
    let says = |text: &str| known!("message.text": text, "open(\"billing\")": false, "open(\"tech\")": false);
    check(
        &policy,
        known!("message.text": "pay"),
        &Finding::Nothing,
        "handoff to billing/bo (normal): rule \"r10\" fits",
    );
    check(
        &policy,
        known!("message.text": "bo"),
        &Finding::Nothing,
        "handoff to billing/bo (normal): rule \"r20\" fits",
    );
    let stands_in = "team billing is closed, team front stands in";
    check(
        &policy,
        says("pay"),
        &Finding::Nothing,
        &format!("handoff to front (normal): rule \"r10\" fits; {stands_in}"),
    );
    check(
        &policy,
        says("my invoice"),
        &Finding::Nothing,
        &format!(
            "handoff to front (normal): no article is near enough to the question; team billing owns \"invoice\"; {stands_in}"
        ),
    );
    check(
        &policy,
        says("tech"),
        &Finding::Nothing,
        "handoff to tech (normal): rule \"r30\" fits; team tech is closed, the conversation waits",
    );
}

#[test]
fn a_rule_that_is_skipped_settles_nothing_and_sets_the_rest() {
    let policy = policy(&[
        ("", "clarify = 'which-plan', tags = ['asked']"),
        ("message.text.mentions('bye')", "reply = 'hours', close = true, priority = 'low'"),
        ("message.text.mentions('later')", "snooze = '2h'"),
        ("message.text.mentions('back')", "return_to_bot = true, hand_off = 'tech'"),
    ]);
    let held = |text: &str| known!("conversation.owner": "teammate", "message.text": text);
    for text in ["bye", "later"] {
        let facts = facts(&policy, held(text));
        let decision = judge(&policy, &facts, &Finding::Nothing);
        assert_eq!(summary(&decision), "hold: a person is responsible, the bot is silent");
        // Else a customer's "bye" would close what a person holds.
        assert!(!decision.effects().close && decision.effects().snooze.is_none(), "{text}");
        assert!(decision.effects().tags.contains("asked"));
        assert!(decision.fired().iter().all(|fired| !fired.did.contains("close")), "{text}");
    }
    check(&policy, held("back"), &Finding::Nothing, "handoff to tech (normal): rule \"r40\" fits");
    // What a built-in guard fits is not returned to the bot.
    let machine =
        known!("conversation.owner": "team", "signals.auto_reply": 1, "message.text": "back");
    check(&policy, machine, &Finding::Nothing, "hold: a person is responsible, the bot is silent");
    let enough =
        known!("conversation.owner": "team", "conversation.bot_turns": 15, "message.text": "back");
    check(&policy, enough, &Finding::Nothing, "hold: a person is responsible, the bot is silent");
    let asked = known!("conversation.clarified": true, "message.text": "later");
    check(&policy, asked, &Finding::Nothing, "hold: rule \"r30\" fits");
}

#[test]
fn an_explanation_says_of_every_rule_what_became_of_it() {
    let policy = policy(&[
        ("company.arr > 1000 && customer.tier == 'gold'", "priority = 'high'"),
        ("", "clarify = 'which-plan', tags = ['asked']"),
        ("topic.confidence >= 0.8", "hand_off = 'tech'"),
        ("!answer.found || answer.confidence < 0.3", "hand_off = 'billing', priority = 'low'"),
        ("wants_person", "hand_off = 'front'"),
    ]);
    let known = known!("customer.tier": "gold", "conversation.clarified": true);
    let explanation = explain(&policy, &facts(&policy, known), &Finding::Nothing);
    let line = |step: &crate::Step| {
        let saw = step.saw.iter().map(|(name, value)| {
            let value = value.as_ref().map_or("unknown".into(), ToString::to_string);
            format!("{name} = {value}")
        });
        let saw: Vec<String> = saw.collect();
        format!("{} [{}] {:?}", step.rule, saw.join(", "), step.outcome)
    };
    let lines: Vec<String> = explanation.steps.iter().map(line).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    Automatic reply [signals.auto_reply = 0] NotTrue
    Thanks in the end [conversation.bot_turns = 0, signals.thanks = 0] NotTrue
    Enough of the bot [conversation.bot_turns = 0] NotTrue
    E-mail through Intercom [channel = unknown] Missing(["channel"])
    r10 [customer.tier = "gold", company.arr = unknown] Missing(["company.arr"])
    r20 [] Skipped("the bot has asked in this episode")
    r30 [topic.confidence = 0] NotTrue
    r40 [answer.found = false, answer.confidence = unknown] Fired("hand off to billing, priority low")
    r50 [wants_person = false] NotRead
    Danger [signals.unsafe = 0] NotRead
    Accepts a person [conversation.offer_open = false, signals.agrees = 0] NotRead
    Asks for a person [wants_person = false] NotRead
    Regulated matter [signals.regulated = 0] NotRead
    Tries to instruct the bot [signals.injection = 0] NotRead
    Same question again [signals.repetition = 0] NotRead
    Angry [signals.anger = 0] NotRead
    Spam [signals.spam = 0] NotRead
    Reads like a machine [signals.auto_reply = 0] NotRead
    Thanks [signals.thanks = 0] NotRead
    "#);
}

#[test]
fn what_a_rule_does_reads_as_a_list() {
    let then = |then: &str| brief(&[("", then)])[0].then.to_string();
    let rule: &Rule = &brief(&[("", "reply = 'hours', snooze = '90m'")])[0];
    assert_eq!(rule.then.to_string(), "reply hours, rest 1h 30m");
    insta::assert_snapshot!(
        then("hand_off = 'owner', teammate = 'bo', priority = 'urgent', tags = ['a', 'b'], attributes = { score = 4.5, why = 'x', n = 3, ok = true }, sla = 'fast', webhook = 'crm', escalate = { after = '2h', hand_off = 'tech', priority = 'high' }, return_to_bot = true"),
        @r#"hand off to the team that looks after it, to bo in person, priority urgent, tags a, b, n = 3, ok = true, score = 4.5, why = "x", SLA fast, call crm, escalate to tech after 2h, return to the bot"#
    );
    insta::assert_snapshot!(then("offer_person = true, answer = 'draft', threshold = 0.9"), @"offer a person, answers as drafts only, threshold 0.9");
    insta::assert_snapshot!(then("clarify = 'which-plan', answer = 'never', error_budget = 0.02"), @"ask which-plan, no answer by the bot, error budget 0.02");
    insta::assert_snapshot!(then("close = true, answer = 'allowed'"), @"close, answers allowed");
    insta::assert_snapshot!(then("ignore = true"), @"ignore");
}

#[test]
fn a_part_that_failed_is_not_taken_for_nothing_found() {
    let sorry = policy(&[("!answer.found", "reply = 'hours'")]);
    check(&sorry, known!(), &Finding::Nothing, "reply hours: rule \"r10\" fits");
    let failed = Finding::Failed("the embedder is away".into());
    check(
        &sorry,
        known!(),
        &failed,
        "handoff to front (normal): the embedder is away; no team owns the question, the fallback team takes it",
    );
    check(
        &sorry,
        known!(),
        &Finding::TooVague,
        "clarify: the question says too little to search for",
    );
}
