use super::*;
use crate::{Confidence, Ladder, Phrases, Routing, Rule, Sla, Slug, Team, Then, Topic};
use std::collections::{BTreeMap, BTreeSet};

pub(super) fn slug(name: &str) -> Slug {
    Slug::try_from(name.to_string()).unwrap()
}

pub(super) fn now() -> Timestamp {
    "2026-11-22T12:00:00Z".parse().unwrap()
}

/// A desk with the teams support, billing (two members) and night (with hours), which a test
/// changes before it is checked.
pub(super) fn desk() -> Routing {
    let team = |text: &str| toml::from_str::<Team>(text).unwrap();
    let night = "slug = 'night'\nname = 'Night'\nowns = ['outage']\n[hours]\ntime_zone = 'UTC'\n\
                 monday = ['00:00-06:00']\n";
    let billing = "slug = 'billing'\nname = 'Billing'\nowns = ['invoice']\n\
                   [[member]]\nslug = 'ada'\nname = 'Ada'\n[[member]]\nslug = 'bo'\nname = 'Bo'\n";
    let names = |names: &[&str]| names.iter().map(|name| slug(name)).collect::<BTreeSet<Slug>>();
    Routing {
        fallback_team: slug("support"),
        teams: vec![team("slug = 'support'\nname = 'Support'\n"), team(billing), team(night)],
        slas: Vec::<Sla>::new(),
        topics: Vec::new(),
        signals: ["auto_reply", "spam", "unsafe", "agrees", "regulated", "injection"]
            .into_iter()
            .chain(["repetition", "anger", "thanks"])
            .map(String::from)
            .collect(),
        tiers: Vec::new(),
        attributes: BTreeMap::new(),
        rules: Vec::new(),
        replies: names(&["hello", "bye"]),
        questions: names(&["which"]),
        webhooks: BTreeSet::new(),
        ladder: Ladder::default(),
        threshold: Confidence::new(0.9).unwrap(),
        speaks: true,
    }
}

/// Reads rules as `condition => consequences`, one a line; they are called a, b, c and so on.
pub(super) fn rules(text: &str) -> Vec<Rule> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let rules = lines.enumerate().map(|(n, line)| {
        let (when, then) = line.split_once("=>").unwrap();
        let (then, stop) = match then.trim().strip_suffix("stop") {
            Some(then) => (then, true),
            None => (then, false),
        };
        Rule {
            name: char::from(b'a' + u8::try_from(n).unwrap()).to_string(),
            when: Some(when.trim().to_string()).filter(|when| !when.is_empty()),
            then: toml::from_str::<Then>(&then.replace(';', "\n")).unwrap(),
            stop,
            line: n + 1,
        }
    });
    rules.collect()
}

pub(super) fn policy(routing: Routing) -> Policy {
    Policy::new(routing).unwrap_or_else(|errors| panic!("{errors:#?}"))
}

/// Checks rules on the desk, replays every example, and compares what is said of them.
fn check_rules(text: &str, expected: &[&str]) {
    let mut routing = desk();
    routing.rules = rules(text);
    check_desk(routing, expected);
}

fn check_desk(routing: Routing, expected: &[&str]) {
    let policy = policy(routing);
    let flaws = check(&policy, now());
    let said: Vec<String> = flaws
        .iter()
        .map(|flaw| {
            replays(&policy, flaw);
            let kind = flaw.severity.name();
            let example = flaw.example.as_ref().map_or(String::new(), |example| {
                format!(" [{example} -> {}]", example.fires.join(", "))
            });
            format!("{kind} {}: {}{example}", flaw.line, flaw.what)
        })
        .collect();
    let fits = said.len() == expected.len()
        && said.iter().zip(expected).all(|(said, expected)| said.contains(expected));
    assert!(fits, "expected {expected:#?}\nsaid {said:#?}");
}

pub(super) fn replays(policy: &Policy, flaw: &Flaw) {
    let Some(example) = &flaw.example else { return };
    let walk = walk::walk(policy, &example.facts(policy), Until::End, &mut |_, _| {});
    let fires: Vec<String> = walk.fired.into_iter().map(|fired| fired.rule).collect();
    assert_eq!(fires, example.fires, "{flaw}");
}

#[test]
fn a_rule_that_fits_nothing_is_named_with_what_contradicts() {
    let never = |when: &str, why: &str| {
        check_rules(&format!("{when} => priority = 'high'"), &[why]);
    };
    never(
        "customer.tier == 'a' && wants_person && customer.tier == 'b'",
        "asks of customer.tier cannot be",
    );
    never("time.hour > 17 && time.hour < 18", "asks of time.hour cannot be");
    never("topic.confidence > 0.9 && topic.confidence < 0.5", "topic.confidence cannot be");
    never("!has(customer.verified)", "asks of customer.verified cannot be");
    never("false", "its condition is false");
    never("1 + 1 > 3", "its condition is false");
    never("!has(customer.tier) && customer.tier != 'x'", "asks of customer.tier cannot be");
    never("!open('support')", "team support has no hours, so it is always open");
    never("'vip' in customer.tags && size(customer.tags) == 0", "asks of customer.tags cannot be");
    never("customer.tags == ['a'] && 'b' in customer.tags", "asks of customer.tags cannot be");
    never("message.text.startsWith('a') && message.text.startsWith('b')", "asks of message.text");
    never(
        "message.text.contains('refund') && !message.text.contains('fund')",
        "asks of message.text",
    );
    never(
        "message.text.mentions('refund now') && !message.text.mentions('refund')",
        "asks of message.text",
    );
    never(
        "message.text.mentions('refunds') && !message.text.mentions('refund*')",
        "asks of message.text",
    );
    never("size(message.text) > 3 && size(message.text) < 4", "asks of message.text");
    never("!answer.found && answer.confidence > 0.5", "asks of answer.found and answer.confidence");
    never(
        "wants_person != true && (wants_person ? true : false)",
        "asks of wants_person cannot be",
    );
    never("sentiment in ['neutral'] && sentiment == 'negative'", "asks of sentiment cannot be");
}

#[test]
fn what_can_hold_is_not_faulted() {
    let fine = |when: &str| check_rules(&format!("{when} => hand_off = 'billing'"), &[]);
    fine("customer.tier == 'a' || customer.tier == 'b' && wants_person");
    fine("time.hour > 16.5 && time.hour < 18");
    fine("!open('night') && answer.found && answer.confidence < 0.01");
    fine("message.text.mentions(['refund', 'money']) && !message.text.mentions('refund')");
    fine(
        "message.text.contains('a') && message.text.contains('b') && !message.text.contains('ab')",
    );
    fine(
        "message.text.mentions('a b') && !message.text.mentions('b c') && message.text.mentions('c d')",
    );
    fine(
        "message.text.startsWith('order') && message.text.endsWith('!') && size(message.text) > 40",
    );
    fine("message.text.matches('(?i)order #[0-9]{4}') && message.text.contains('late')");
    fine("message.text.matches('^[A-Z]{2}[0-9]+$')");
    fine("message.text.mentions('refund') && !message.text.contains('refund')");
    fine("size(customer.tags) == 2 && 'vip' in customer.tags && !('new' in customer.tags)");
    fine("company.arr * 2 > 1000 && company.arr - 100 < company.health_score");
    fine("customer.plan == company.plan && has(customer.plan)");
    fine("language != 'en' && language != 'de' && !(language in ['fr', 'it'])");
    fine("answer.confidence > topic.confidence");
}

#[test]
fn a_rule_below_a_wider_one_is_unreachable() {
    check_rules(
        "customer.tier == 'gold' => hand_off = 'billing'
         customer.tier == 'gold' && time.hour > 12 => hand_off = 'support'",
        &["error 2: rule \"b\" (line 2) never fires: every conversation that it fits is settled \
           before by \"a\" (line 1) [customer.tier = \"gold\", time.hour = 13 -> a]"],
    );
    check_rules(
        "wants_person => reply = 'hello'
         customer.tier == 'gold' => hand_off = 'billing'
         customer.tier != 'gold' => hand_off = 'billing'
         has(customer.tier) || wants_person => reply = 'bye'",
        &["settled before by \"a\" (line 1), \"b\" (line 2), \"c\" (line 3)"],
    );
    check_rules(
        "message.text.mentions('refund*') => hand_off = 'billing'
         message.text.mentions(['refund', 'refunds']) => hand_off = 'support'",
        &["settled before by \"a\" (line 1) [message.text = \"refund\" -> a]"],
    );
    check_rules(
        "message.text.mentions('refund') => hand_off = 'billing'
         message.text.mentions('refund*') => hand_off = 'support'",
        &[],
    );
    check_rules(
        "sentiment == 'negative' => priority = 'high' stop
         sentiment in ['negative'] => hand_off = 'support'",
        &["settled before by \"a\""],
    );
}

#[test]
fn a_built_in_rule_can_be_in_the_way() {
    check_rules(
        "conversation.bot_turns > 15 => hand_off = 'support'",
        &["settled before by \"Enough of the bot\" (built in)"],
    );
    let mut routing = desk();
    routing.ladder.without = vec!["Enough of the bot".into()];
    routing.rules = rules("conversation.bot_turns > 15 => hand_off = 'support'");
    check_desk(routing, &[]);
}

#[test]
fn a_built_in_rule_sets_the_bounds_of_those_below() {
    let policy = policy(desk());
    let email = policy.checked().iter().find(|rule| rule.rule.name == "E-mail through Intercom");
    assert!(email.unwrap().rule.then.answer.is_some());
    check_rules("'staff' in customer.tags => answer = 'allowed'", &[]);
}

#[test]
fn a_rule_that_fits_everything_is_named_once() {
    check_rules(
        "wants_person => hand_off = 'billing'
         => hand_off = 'support'
         customer.tier == 'x' => hand_off = 'billing'
         customer.tier == 'y' => hand_off = 'billing'",
        &["error 2: rule \"b\" (line 2) fits every conversation and settles it, so these rules \
           below it never fire: \"c\" (line 3), \"d\" (line 4)"],
    );
    check_rules(
        "wants_person || !wants_person => hand_off = 'support'",
        &[
            "warning 1: rule \"a\" (line 1) fits every conversation and settles it, so these built-in \
           rules below it never fire (some do while a person is responsible): \"Danger\" (built in)",
        ],
    );
    check_rules(
        "=> hand_off = 'support'
         wants_person => priority = 'high'",
        &["below it never fire (some do while a person is responsible): \"b\" (line 2)"],
    );
}

#[test]
fn what_is_done_once_or_by_nobody_is_noticed() {
    check_rules(
        "conversation.clarified => clarify = 'which'",
        &["rule \"a\" (line 1) never does what it says: whenever it fits, the bot has asked"],
    );
    check_rules(
        "conversation.owner == 'team' => hand_off = 'billing'",
        &["whenever it fits, a person is responsible [conversation.owner = \"team\" -> ]"],
    );
    check_rules(
        "conversation.owner == 'team' && wants_person => return_to_bot = true
         conversation.owner == 'team' => hand_off = 'billing'",
        &[],
    );
    check_rules(
        "wants_person => hand_off = 'billing'
         wants_person => tags = ['x']",
        &["warning 2: rule \"b\" (line 2) fires only while a person is responsible"],
    );
}

#[test]
fn what_only_time_brings_about_is_reachable() {
    check_rules(
        "message.text.mentions('invoice') => hand_off = 'billing'
         conversation.waiting_minutes >= 30 && message.text.mentions('invoice') => hand_off = 'night'",
        &[],
    );
    check_rules(
        "conversation.team == 'billing' && conversation.waiting_minutes >= 30 => hand_off = 'night'",
        &[],
    );
    check_rules(
        "conversation.waiting_minutes >= 30 => hand_off = 'night'
         conversation.waiting_minutes >= 60 => tags = ['late']",
        &[],
    );
    check_rules(
        "conversation.waiting_minutes >= 30 => hand_off = 'night'
         conversation.waiting_minutes >= 60 => hand_off = 'billing'",
        &["error 2: rule \"b\" (line 2) never fires: every conversation that it fits is settled \
           before by \"a\" (line 1)"],
    );
    check_rules(
        "time.hour >= 12 => tags = ['pm'] stop
         time.hour >= 13 && conversation.waiting_minutes >= 30 => hand_off = 'night'",
        &["error 2: rule \"b\" (line 2) never fires"],
    );
}

#[test]
fn settings_that_contradict_each_other_are_named() {
    check_rules(
        "customer.tier == 'gold' => priority = 'high'
         time.hour > 18 => priority = 'low'",
        &[
            "warning 2: rules \"a\" (line 1) and \"b\" (line 2) can fit one conversation, and set the \
           priority to high and to low; the first setting stays [customer.tier = \"gold\", \
           time.hour = 19 -> a, b]",
        ],
    );
    check_rules(
        "customer.tier == 'gold' => priority = 'high'
         has(customer.tier) => priority = 'low'",
        &[],
    );
    check_rules(
        "customer.tier == 'gold' => priority = 'high'
         customer.tier == 'silver' => priority = 'low'",
        &[],
    );
    check_rules(
        "customer.tier in ['gold', 'silver'] && time.hour in [9, 10] => priority = 'high'
         customer.tier in ['bronze', 'iron'] => priority = 'low'
         customer.tier == 'silver' && time.hour == 11 => priority = 'urgent'",
        &[],
    );
    check_rules(
        "'gold' in customer.tags => priority = 'high'
         'silver' in customer.tags => priority = 'low'
         customer.tier in ['a', 'b'] => attributes = { stage = 'one' }
         customer.tier in ['b', 'c'] => attributes = { stage = 'two' }",
        &[
            "priority to high and to low; the first setting stays [customer.tags = [\"gold\", \
             \"silver\"] -> a, b]",
            "stage to \"one\" and to \"two\"; the first setting stays [customer.tier = \"b\" -> c, d]",
        ],
    );
    check_rules(
        "has(customer.tier) => threshold = 0.5
         customer.tier == 'gold' => error_budget = 0.02",
        &[
            "error 2: rule \"b\" (line 2) sets the threshold to 0.98 in vain: whenever it fires, it \
           was set above by \"a\" (line 1) (to 0.5) [customer.tier = \"gold\" -> a, b]",
        ],
    );
    check_rules(
        "has(customer.tier) => attributes = { stage = 'one' }
         customer.tier == 'gold' => attributes = { stage = 'two' }; hand_off = 'billing'",
        &["rule \"b\" (line 2) sets stage to \"two\" in vain"],
    );
}

#[test]
fn many_contradictions_are_summed_up() {
    let tier = |n: usize| format!("customer.tier == '{n}' => priority = 'high'\n");
    let hour = |n: usize| format!("time.hour == {n} => priority = 'low'\n");
    let text: String = (0..3).map(tier).chain((0..14).map(hour)).collect();
    let mut routing = desk();
    routing.rules = rules(&text);
    let flaws = check(&policy(routing), now());
    assert_eq!(flaws.len(), 11);
    let last = flaws.last().unwrap();
    assert_eq!((last.line, last.rule.as_deref()), (14, Some("n")));
    assert!(last.what.contains("rules below it were not looked at for the priority"), "{last}");
    let example = last.example.as_ref().unwrap();
    assert_eq!(example.fires, ["a", "n"]);
}

#[test]
fn teams_that_cannot_work_are_named() {
    let member = |text: &str| toml::from_str(text).unwrap();
    let mut routing = desk();
    routing.teams[2].hours = Some(toml::from_str("time_zone = 'UTC'").unwrap());
    routing.teams[0].assignment = crate::Assignment::RoundRobin;
    routing.teams[1].assignment = crate::Assignment::FewestOpen;
    routing.teams[1].capacity = Some(0);
    routing.teams[1].owns = Phrases::default();
    check_desk(
        routing,
        &[
            "error 0: team \"support\" assigns its conversations by itself, but it has no members \
             [any conversation -> ]",
            "error 0: team \"billing\" assigns its conversations by itself, but none of its members \
             has capacity",
            "error 0: team \"night\" is not open at any time in the next year \
             [message.text = \"outage\", open(\"night\") = false -> ]",
            "warning 0: team \"billing\" gets no conversations: no rule, topic, phrase of its own or \
             other team leads to it [message.text = \"Billing\", wants_person = true -> Asks for a \
             person]",
        ],
    );
    let mut routing = desk();
    routing.teams[0].members = vec![member("slug = 'cy'\nname = 'Cy'\nmay_reply = false")];
    check_desk(
        routing,
        &["error 0: team \"support\" takes what nobody else looks after, but none"],
    );
}

#[test]
fn circles_are_named() {
    let mut routing = desk();
    let hours =
        |day: &str| toml::from_str(&format!("time_zone = 'UTC'\n{day} = ['00:00-24:00']")).unwrap();
    routing.teams[1].when_closed = Some(slug("night"));
    routing.teams[2].when_closed = Some(slug("billing"));
    check_desk(routing.clone(), &[]);
    routing.teams[1].hours = Some(hours("tuesday"));
    check_desk(
        routing,
        &["circle (billing → night → billing), and at 2026-11-22T12:00:00Z all are closed \
           [message.text = \"invoice\", open(\"billing\") = false, open(\"night\") = false -> ]"],
    );
    check_rules(
        "conversation.team == 'support' => escalate = { after = '1h', hand_off = 'billing' }
         conversation.team == 'billing' => escalate = { after = '1h', hand_off = 'support' }",
        &["error 1: escalations send a conversation round in a circle, support → billing → \
           support: rules \"a\" (line 1), \"b\" (line 2) [conversation.team = \"support\" -> a]"],
    );
    check_rules(
        "conversation.team == 'support' && wants_person => escalate = { after = '1h', hand_off = 'billing' }
         conversation.team == 'billing' && !wants_person => escalate = { after = '1h', hand_off = 'support' }",
        &[],
    );
    check_rules(
        "wants_person => hand_off = 'billing'; escalate = { after = '1h', hand_off = 'billing' }",
        &["warning 1: rule \"a\" (line 1) escalates from team billing to itself"],
    );
}

#[test]
fn topics_need_somebody_and_rules_need_topics() {
    check_rules(
        "topic.name == 'refunds' => hand_off = 'billing'",
        &["warning 1: the desk has no topics, but rules ask for topic.name: \"a\" (line 1)"],
    );
    let topic = |text: &str| toml::from_str::<Topic>(text).unwrap();
    let mut routing = desk();
    routing.topics = vec![
        topic("slug = 'refunds'\nexamples = ['my invoice is wrong', 'money back']"),
        topic("slug = 'plans'\nteam = 'billing'"),
        topic("slug = 'bugs'\nexamples = ['it crashes']"),
    ];
    routing.rules = rules("topic.name in ['bugs'] => hand_off = 'night'");
    check_desk(
        routing,
        &[
            "nobody looks after topic \"refunds\": no team is named for it and no rule asks for it, \
           so its conversations reach the fallback team support [message.text = \"money back\", \
           topic.name = \"refunds\", topic.confidence = 1 -> ]",
        ],
    );
}

#[test]
fn what_nothing_covers_is_shown() {
    let mut routing = desk();
    routing.rules = rules("customer.tier == 'gold' => hand_off = 'billing'");
    let lax = policy(routing.clone());
    let note = uncovered(&lax, &[]).unwrap().flaw;
    assert_eq!(note.severity, Severity::Note);
    assert_eq!(note.key.as_deref(), Some("fallback_team"));
    assert_eq!(note.example.as_ref().unwrap().to_string(), "any conversation");
    let said = |text: &str| {
        let mut facts = ground::plain(&lax);
        facts.set(lax.catalogue(), "message.text", Value::text(text)).unwrap();
        facts
    };
    let known = [said("an invoice"), said("a riddle"), said("an outage"), said("a song")];
    let found = uncovered(&lax, &known).unwrap();
    assert_eq!(found.places, [1, 3]);
    assert!(found.flaw.what.contains("2 of 4 conversations"), "{}", found.flaw);
    assert_eq!(found.flaw.example.unwrap().to_string(), "message.text = \"a riddle\"");
    assert!(uncovered(&lax, &known[..1]).is_none());
    routing.rules = rules("wants_person => tags = ['t']\n=> hand_off = 'support'");
    assert!(uncovered(&policy(routing), &[]).is_none());
}

#[test]
fn what_cannot_be_is_shown_by_what_comes_near() {
    check_rules(
        "customer.tier == 'a' && wants_person && customer.tier == 'b' => priority = 'high'",
        &["asks of customer.tier cannot be [customer.tier = \"a\" -> ]"],
    );
    check_rules("false => priority = 'high'", &["its condition is false [any conversation -> ]"]);
}

#[test]
fn replies_without_end_are_noticed_only_without_the_guard() {
    let text = "message.text.mentions('hi') => reply = 'hello'
                message.text.mentions('bye') && conversation.bot_turns < 2 => reply = 'bye'
                message.text.mentions('what') => clarify = 'which'";
    check_rules(text, &[]);
    let mut routing = desk();
    routing.ladder.without = vec!["Enough of the bot".into()];
    routing.rules = rules(text);
    check_desk(routing, &["warning 1: rule \"a\" (line 1) can send its reply without end"]);
}
