use super::*;
use serde_json::json;

/// What the built-in rules ask for.
const SIGNALS: [&str; 10] = [
    "wants_person",
    "anger",
    "repetition",
    "thanks",
    "auto_reply",
    "spam",
    "unsafe",
    "regulated",
    "injection",
    "agrees",
];

/// A desk with three teams and everything that rules can name, without rules of its own.
pub(crate) fn routing() -> Routing {
    let slug = |name: &str| Slug::try_from(name.to_string()).unwrap();
    Routing {
        fallback_team: slug("front"),
        teams: serde_json::from_value(json!([
            {"slug": "front", "name": "Front line", "member": [{"slug": "ada", "name": "Ada"}]},
            {"slug": "billing", "name": "Billing", "owns": ["invoice", "charged twice"],
             "sla": "fast", "when_closed": "front", "member": [{"slug": "bo", "name": "Bo"}]},
            {"slug": "tech", "name": "Technical", "owns": ["error", "invoice api"]},
        ]))
        .unwrap(),
        slas: serde_json::from_value(json!([{"slug": "fast"}, {"slug": "slow"}])).unwrap(),
        topics: serde_json::from_value(json!([
            {"slug": "refunds", "team": "billing", "examples": ["money back"]},
            {"slug": "chatter"},
        ]))
        .unwrap(),
        signals: SIGNALS.map(String::from).into(),
        tiers: Vec::new(),
        attributes: [("company.seats".to_string(), Kind::Number)].into(),
        rules: Vec::new(),
        replies: [slug("hours")].into(),
        questions: [slug("which-plan")].into(),
        webhooks: [slug("crm"), slug("pager")].into(),
        ladder: Ladder::default(),
        threshold: Confidence::new(0.7).unwrap(),
        speaks: true,
    }
}

/// Rules as they stand in a file, ten lines apart.
pub(crate) fn rules(text: &str) -> Vec<Rule> {
    #[derive(Deserialize)]
    struct Written {
        #[serde(default)]
        rule: Vec<Rule>,
    }
    let written: Written = toml::from_str(text).unwrap();
    let lines = (1..).map(|n| n * 10);
    written.rule.into_iter().zip(lines).map(|(rule, line)| Rule { line, ..rule }).collect()
}

/// Rules named r10, r20 … by their lines, each given by its condition and what it does.
pub(crate) fn brief(rules_of: &[(&str, &str)]) -> Vec<Rule> {
    let rule = |(n, (when, then)): (usize, &(&str, &str))| {
        let when = if when.is_empty() { String::new() } else { format!("when = '''{when}'''\n") };
        format!("[[rule]]\nname = \"r{}\"\n{when}then = {{ {then} }}\n", (n + 1) * 10)
    };
    rules(&rules_of.iter().enumerate().map(rule).collect::<String>())
}

fn refuse(routing: Routing, expected: &[&str]) {
    let errors = Policy::new(routing).unwrap_err();
    let errors: Vec<String> =
        errors.iter().map(|error| format!("{:?} {error}", error.at)).collect();
    assert_eq!(errors, expected);
}

fn refuse_rule(when: &str, then: &str, expected: &str) {
    let routing = Routing { rules: brief(&[(when, then)]), ..routing() };
    refuse(routing, &[expected]);
}

#[test]
fn the_built_in_rules_stand_around_those_of_the_desk() {
    let rules = brief(&[("wants_person", "hand_off = 'front'")]);
    let policy = Policy::new(Routing { rules, ..routing() }).unwrap();
    let names = |policy: &Policy| {
        policy.checked().iter().map(|rule| rule.rule.name.clone()).collect::<Vec<_>>().join("; ")
    };
    insta::assert_snapshot!(names(&policy), @"Automatic reply; Thanks in the end; Enough of the bot; E-mail through Intercom; r10; Danger; Accepts a person; Asks for a person; Regulated matter; Tries to instruct the bot; Same question again; Angry; Spam; Reads like a machine; Thanks");
    assert_eq!(policy.rules().map(|rule| rule.line).collect::<Vec<_>>(), [10]);
    let without = names(&policy).split("; ").filter(|n| *n != "r10").map(String::from).collect();
    let bare =
        Policy::new(Routing { ladder: Ladder { without, ..Ladder::default() }, ..routing() });
    assert_eq!(names(&bare.unwrap()), "");
}

#[test]
fn a_rule_that_names_what_does_not_exist_is_refused_with_what_does() {
    let at = |what: &str, known: &str| {
        format!("Rule(10) rule \"r10\" names {what}, which does not exist; known: {known}")
    };
    let teams = "front, billing, tech";
    refuse_rule("", "hand_off = 'sales'", &at("team \"sales\"", teams));
    refuse_rule("", "escalate = { after = '1h', hand_off = 'x' }", &at("team \"x\"", teams));
    refuse_rule("", "sla = 'gold'", &at("SLA \"gold\"", "fast, slow"));
    refuse_rule("", "reply = 'hi'", &at("reply \"hi\"", "hours"));
    refuse_rule("", "clarify = 'what'", &at("question \"what\"", "which-plan"));
    refuse_rule("", "webhook = 'jira'", &at("webhook \"jira\"", "crm, pager"));
    refuse_rule("", "teammate = 'eve'", &at("teammate \"eve\"", "ada, bo"));
    refuse_rule("", "hand_off = 'front', teammate = 'bo'", &at("teammate \"bo\"", "ada"));
    refuse_rule("", "hand_off = 'tech', teammate = 'bo'", &at("teammate \"bo\"", "none"));
    for lawful in ["hand_off = 'owner'", "teammate = 'bo'"] {
        let rules = brief(&[("", lawful)]);
        assert!(Policy::new(Routing { rules, ..routing() }).is_ok(), "{lawful}");
    }
}

#[test]
fn a_rule_that_cannot_be_meant_is_refused() {
    let both = |a: &str, b: &str| {
        format!(
            "Rule(10) rule \"r10\": {a} and {b} exclude each other; keep one of them, or write two rules"
        )
    };
    refuse_rule("", "hand_off = 'front', reply = 'hours'", &both("hand_off", "reply"));
    refuse_rule("", "offer_person = true, ignore = true", &both("offer_person", "ignore"));
    refuse_rule("", "clarify = 'which-plan', close = true", &both("clarify", "close"));
    refuse_rule("", "snooze = '1h', close = true", &both("snooze", "close"));
    refuse_rule("", "reply = 'hours', snooze = '1h', close = true", &both("close", "snooze"));
    refuse_rule(
        "",
        "",
        "Rule(10) rule \"r10\" does nothing; say in `then` what it shall do, or delete it",
    );
    let time = "Rule(10) rule \"r10\" waits for no time at all; write a time such as 30m or 2h";
    refuse_rule("", "snooze = '0s'", time);
    refuse_rule("", "snooze = '-2h'", time);
    let share =
        "Rule(10) rule \"r10\" has a threshold that is no probability; write it between 0 and 1";
    refuse_rule("", "threshold = 1.01", share);
    refuse_rule("", "threshold = nan", share);
    refuse_rule(
        "",
        "error_budget = -0.1",
        "Rule(10) rule \"r10\" has an error budget that is no share; write 0.02 for 2 %",
    );
    refuse_rule(
        "",
        "threshold = 0.5, error_budget = 0.5",
        "Rule(10) rule \"r10\" has both a threshold and an error budget; keep one of them: a budget finds its own threshold",
    );
    refuse_rule(
        "company.seats > 2 &&\n  foo",
        "reply = 'hours'",
        "Condition { rule: 10, line: 2, column: 3 } rule \"r10\": there is no fact \"foo\"; docs/routing.md lists all facts; a text stands in quotes: \"foo\"",
    );
    refuse_rule(
        "topic.name == 'refund'",
        "reply = 'hours'",
        "Condition { rule: 10, line: 1, column: 15 } rule \"r10\": topic.name is never \"refund\"; it is one of refunds, chatter",
    );
    refuse_rule(
        "conversation.team == 'x'",
        "reply = 'hours'",
        "Condition { rule: 10, line: 1, column: 22 } rule \"r10\": conversation.team is never \"x\"; it is one of front, billing, tech",
    );
}

#[test]
fn names_that_lead_nowhere_or_stand_twice_are_refused() {
    let slug = |name: &str| Slug::try_from(name.to_string()).unwrap();
    let teams = "which does not exist; known teams: front, billing, tech";
    let fallback = Routing { fallback_team: slug("nobody"), ..routing() };
    refuse(
        fallback,
        &[&format!("Key(\"fallback_team\") fallback_team names team \"nobody\", {teams}")],
    );
    let mut broken = routing();
    broken.teams[0].when_closed = Some(slug("night"));
    broken.teams[0].sla = Some(slug("gold"));
    broken.topics[1].team = Some(slug("chat"));
    broken.topics[1].examples = vec!["MONEY back!".into()];
    broken.teams.push(broken.teams[1].clone());
    broken.slas.push(broken.slas[0].clone());
    broken.rules = brief(&[("", "reply = 'hours'"), ("", "reply = 'hours'")]);
    broken.rules[1].name = "r10".into();
    refuse(
        broken,
        &[
            "Key(\"team.0.when_closed\") when_closed of team \"front\" names team \"night\", which does not exist; known teams: front, billing, tech, billing",
            "Key(\"topic.1.team\") topic \"chatter\" names team \"chat\", which does not exist; known teams: front, billing, tech, billing",
            "Key(\"team.0.sla\") team \"front\" names SLA \"gold\", which does not exist; known: fast, slow, fast",
            "Key(\"team.3.slug\") team \"billing\" is defined twice; rename one",
            "Key(\"sla.2.slug\") SLA \"fast\" is defined twice; rename one",
            "Key(\"rule.1.name\") rule \"r10\" is defined twice; rename one",
            "Key(\"topic.1.examples.0\") topics \"refunds\" and \"chatter\" contradict each other: both have the example \"MONEY back!\"; leave it to one of them",
        ],
    );
    let mut owner = routing();
    owner.teams[2].slug = slug("owner");
    refuse(
        owner,
        &[
            "Key(\"team.2.slug\") team \"owner\" cannot be named so; rules use that name for the team that looks after a question; rename the team",
        ],
    );
}

#[test]
fn rules_named_like_built_in_ones_and_built_in_ones_that_do_not_exist_are_refused() {
    let mut named = routing();
    named.rules = brief(&[("", "reply = 'hours'")]);
    named.rules[0].name = "Spam".into();
    let mut without = named.clone();
    refuse(
        named,
        &[
            "Rule(10) rule \"Spam\" has the name of a built-in one; rename it, or put the built-in one into `without`",
        ],
    );
    without.ladder.without = vec!["Spam".into()];
    assert!(Policy::new(without.clone()).is_ok());
    without.ladder.without.push("Spma".into());
    refuse(
        without,
        &[
            "Key(\"ladder.without.1\") without names rule \"Spma\", which is not built in; known: Automatic reply, Thanks in the end, Enough of the bot, E-mail through Intercom, Danger, Accepts a person, Asks for a person, Regulated matter, Tries to instruct the bot, Same question again, Angry, Spam, Reads like a machine, Thanks",
        ],
    );
}

#[test]
fn an_attribute_that_cannot_be_leaves_the_rules_to_be_checked() {
    let mut broken = routing();
    for name in ["seats", "customer.Tier", "company.arr"] {
        broken.attributes.insert(name.into(), Kind::Number);
    }
    broken.rules =
        brief(&[("company.seats > 3 && open('tech') && shows('anger')", "reply = 'hours'")]);
    let mend = "declare attributes as customer.name or company.name, in lower-case letters, digits and _, and only those that are not built in";
    refuse(
        broken,
        &[
            &format!("Key(\"attributes.company.arr\") there is no fact \"company.arr\"; {mend}"),
            &format!(
                "Key(\"attributes.customer.Tier\") there is no fact \"customer.Tier\"; {mend}"
            ),
            &format!("Key(\"attributes.seats\") there is no fact \"seats\"; {mend}"),
        ],
    );
}

#[test]
fn facts_take_only_what_can_be() {
    let policy = Policy::new(routing()).unwrap();
    let catalogue = policy.catalogue();
    let mut facts = crate::Facts::new(catalogue);
    let plain = facts.clone();
    let mut check = |name: &str, value: crate::Value, expected: &str| {
        assert_eq!(facts.set(catalogue, name, value).unwrap_err().to_string(), expected);
        assert_eq!(facts, plain);
    };
    let text = crate::Value::text;
    let number = crate::Value::Number;
    check(
        "customer.teir",
        text("a"),
        "there is no fact \"customer.teir\"; did you mean customer.tier?",
    );
    check(
        "company.arr",
        text("5"),
        "company.arr is a number, not a text; write a value of that kind",
    );
    check("company.arr", number(f64::NAN), "company.arr cannot be NaN; write a number");
    check("time.hour", number(24.0), "time.hour cannot be 24; it lies between 0 and 23");
    check("message.words", number(-1.0), "message.words cannot be -1; it is at least 0");
    check(
        "sentiment",
        text("sad"),
        "sentiment cannot be \"sad\"; it is one of negative, neutral, positive",
    );
    check(
        "topic.name",
        text("refund"),
        "topic.name cannot be \"refund\"; it is one of refunds, chatter",
    );
    for fact in catalogue.facts() {
        let id = catalogue.find(&fact.name).unwrap();
        let known = fact.known == crate::Known::Always;
        assert_eq!(plain.get(id).is_some(), known, "{}", fact.name);
        // What a conversation starts with is what can be, save that nobody has written.
        if let Some(value) = plain.get(id) {
            assert!(facts.set(catalogue, &fact.name, value.clone()).is_ok(), "{}", fact.name);
        }
    }
    let seen: Vec<&str> = plain.known(catalogue).map(|(name, _)| name).collect();
    assert!(seen.is_sorted_by_key(|name| catalogue.find(name)));
}
