use super::*;
use crate::config::Config;

const TEAM: &str = "[[team]]\nslug = \"a\"\nname = \"A\"\n";

fn read(text: &str) -> Result<Playbook, Vec<Fault>> {
    let answers = Config::load(None, std::iter::empty()).unwrap().answers;
    read_playbook(Path::new("routing.toml"), text, &answers)
}

fn check(text: &str, expected: &str) {
    let faults: Vec<String> = read(text).unwrap_err().iter().map(ToString::to_string).collect();
    assert_eq!(faults.join("\n"), expected, "{text}");
}

#[test]
fn faults_name_line_and_mend() {
    check(
        "fallback_team = \"front\"\n[[team]]\nslug = \"back\"\nname = \"Back\"",
        "routing.toml:1: fallback_team names team \"front\", which does not exist; known teams: back",
    );
    check(
        "fallback_team = \"a\"\n[[team]]\nslug = \"a\"\nname = \"A\"\nown = [\"x\"]",
        "routing.toml:5: unknown field `own`; did you mean \"owns\"?",
    );
    check(
        &format!("fallback_team = \"a\"\n{TEAM}{TEAM}"),
        "routing.toml:6: team \"a\" is defined twice; rename one",
    );
    check(
        "fallback_team = \"A b\"",
        "routing.toml:1: \"A b\" is no short name; use lower-case letters, digits, - and _",
    );
    check(
        &format!("fallback_team = \"a\"\ntime_zone = \"Europe/Bonn\"\n{TEAM}"),
        "routing.toml:2: \"Europe/Bonn\" is no time zone; write one of the IANA names, such as \"Europe/Berlin\"",
    );
}

#[test]
fn faults_in_rules_name_the_line_of_the_condition() {
    let rule = |when: &str, then: &str| {
        format!(
            "fallback_team = \"a\"\n{TEAM}\n[[rule]]\nname = \"vip\"\nwhen = {when}\nthen = {then}\n"
        )
    };
    let then = "{ priority = \"high\" }";
    check(
        &rule("'company.ar > 5'", then),
        "routing.toml:8: rule \"vip\": there is no fact \"company.ar\"; did you mean company.arr?",
    );
    check(
        &rule("'''\ncustomer.tier == \"gold\" &&\n  company.arr > \"5\"'''", then),
        "routing.toml:10: rule \"vip\": this is a text, but a number is needed here; compare or replace it",
    );
    check(
        &rule("'true'", "{ hand_off = \"b\" }"),
        "routing.toml:6: rule \"vip\" names team \"b\", which does not exist; known: a",
    );
    check(
        &rule("'true'", "{ priority = \"hgh\" }"),
        "routing.toml:9: unknown variant `hgh`; did you mean \"high\"?",
    );
}

#[test]
fn faults_in_wording_name_the_text() {
    let base = format!("fallback_team = \"a\"\n{TEAM}");
    check(
        &format!("{base}[wording.en]\nhandoff = \"…\""),
        "routing.toml:6: wording.en has no text \"handoff\"; known: hand_off, offer, clarify, goodbye, soon, queue, away, nobody, yes, no, moment, weekdays, months",
    );
    check(
        &format!("{base}[wording.en]\naway = \"{{team}} is back {{open}}\""),
        "routing.toml:6: wording.en.away has the slot {open}; slots here: {team}, {opens}",
    );
    check(
        &format!("{base}[[reply]]\nslug = \"hours\"\ntext.en = \" \""),
        "routing.toml:7: \"hours\" has no text; write text.en = \"…\"",
    );
    check(
        &format!(
            "{base}[[question]]\nslug = \"q\"\ntext.en = \"What, {{team}}?\"\ntext.pt-BR = \"Que?\""
        ),
        "routing.toml:7: \"q\" has the slot {team}; slots here: it has no slots; {{ stands for a brace\nrouting.toml:8: \"pt-BR\" is no language; write its code, such as \"pt\", without a region",
    );
}

#[test]
fn faults_of_every_kind_are_listed_at_once_by_line() {
    check(
        "fallback_team = \"b\"\ntime_zone = \"Mars\"\n[[team]]\nslug = \"a\"\nname = \"A\"\nwhen_closed = \"c\"\n[[signal]]\nname = \"Bad\"\nphrases = [\"x\"]\n[[signal]]\nname = \"fraud\"\nphrases = [\"*\"]\n[[rule]]\nname = \"r\"\nwhen = 'company.ar > 5'\nthen = { hand_off = \"a\" }\n[[webhook]]\nslug = \"w\"\nurl = \"ftp\"\n[[reply]]\nslug = \"hi\"\ntext.en = \"{who}\"\n[wording.en]\nhandoff = \"x\"",
        "routing.toml:1: fallback_team names team \"b\", which does not exist; known teams: a\n\
         routing.toml:2: \"Mars\" is no time zone; write one of the IANA names, such as \"Europe/Berlin\"\n\
         routing.toml:6: when_closed of team \"a\" names team \"c\", which does not exist; known teams: a\n\
         routing.toml:8: signal \"Bad\" is no name; use lower-case letters and _\n\
         routing.toml:12: signal \"fraud\" has phrase \"*\", which holds no word; delete it\n\
         routing.toml:15: rule \"r\": there is no fact \"company.ar\"; did you mean company.arr?\n\
         routing.toml:19: webhook \"w\" has no address; write url = \"https://…\"\n\
         routing.toml:22: \"hi\" has the slot {who}; slots here: {customer.name}, {team}, {teammate}; {{ stands for a brace\n\
         routing.toml:24: wording.en has no text \"handoff\"; known: hand_off, offer, clarify, goodbye, soon, queue, away, nobody, yes, no, moment, weekdays, months",
    );
}

#[test]
fn a_name_that_stands_twice_is_faulted_where_the_fault_is() {
    check(
        "fallback_team = \"a\"\n[[team]]\nslug = \"a\"\nname = \"gold\"\n[[team]]\nslug = \"b\"\nname = \"B\"\nsla = \"gold\"\n[[reply]]\nslug = \"a\"\ntext.en = \"a\"\n[[reply]]\nslug = \"a\"\ntext.en = \"a\"\n[[topic]]\nslug = \"a\"\nexamples = [\"gold\"]\n[[topic]]\nslug = \"b\"\nexamples = [\n\"b\",\n\"Gold!\"]",
        "routing.toml:8: team \"b\" names SLA \"gold\", which does not exist; known: none\n\
         routing.toml:13: reply \"a\" is defined twice; rename one\n\
         routing.toml:22: topics \"a\" and \"b\" contradict each other: both have the example \"Gold!\"; leave it to one of them",
    );
}

#[test]
fn a_rule_knows_its_line_and_the_desk_its_signals_and_zone() {
    let text = format!(
        "fallback_team = \"a\"\ntime_zone = \"Europe/Berlin\"\n{TEAM}\n[[signal]]\nname = \"fraud\"\nphrases = [\"chargeback\"]\n\n[[rule]]\nname = \"fraud\"\nwhen = 'shows(\"fraud\")'\nthen = {{ hand_off = \"a\" }}\n"
    );
    let playbook = read(&text).unwrap();
    assert_eq!(playbook.policy.rules().map(|rule| rule.line).collect::<Vec<_>>(), [11]);
    assert!(playbook.signals.read(&["a chargeback!"]).get("fraud") > 0.5);
    assert_eq!(playbook.time_zone.iana_name(), Some("Europe/Berlin"));
}

#[test]
fn the_built_in_wording_is_whole_in_four_languages() {
    let playbook = read(&format!("fallback_team = \"a\"\n{TEAM}")).unwrap();
    assert_eq!(
        playbook.wording.languages().into_iter().collect::<Vec<_>>(),
        ["de", "en", "es", "fr"]
    );
}

#[test]
fn an_event_that_no_webhook_can_be_told_of_is_named() {
    let webhook = "[[webhook]]\nslug = \"crm\"\nurl = \"https://crm.example\"\n";
    let text = |event: &str| {
        format!("fallback_team = \"a\"\n{TEAM}{webhook}events = [\"sla.due\", \"{event}\"]\n")
    };
    assert_eq!(read(&text("message.created")).unwrap().webhooks[0].events.len(), 2);
    check(
        &text("message.create"),
        "routing.toml:8: there is no event \"message.create\"; did you mean \"message.created\"?",
    );
}
