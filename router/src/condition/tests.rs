use super::*;
use crate::{Kind, Value};

/// The facts of a desk with two teams, two signals and an attribute of each kind.
pub(super) fn catalogue() -> Catalogue {
    let attributes = [
        ("company.seats", Kind::Number),
        ("company.products", Kind::Texts),
        ("customer.vip", Kind::Truth),
        ("customer.region", Kind::Text),
    ];
    let attributes = attributes.map(|(name, kind)| (name.to_string(), kind));
    Catalogue::new(["billing", "tech"], ["anger", "thanks"], &attributes.into()).unwrap()
}

fn facts() -> Facts {
    let mut facts = Facts::new(&catalogue());
    let mut set = |name, value| facts.set(&catalogue(), name, value).unwrap();
    set("message.text", Value::text("My invoice is WRONG, refund me!"));
    set("message.words", Value::Number(6.0));
    set("signals.anger", Value::Number(0.5));
    set("customer.tier", Value::text("gold"));
    set("customer.tags", Value::Texts(vec!["vip".into(), "beta".into()]));
    set("company.seats", Value::Number(12.0));
    set("open(\"tech\")", Value::Truth(false));
    facts
}

fn verdict(source: &str) -> Verdict {
    match Condition::new(source, &catalogue()) {
        Ok(condition) => condition.holds(&facts()),
        Err(error) => panic!("{source}: {error}"),
    }
}

fn all(expected: Verdict, sources: &[&str]) {
    for source in sources {
        assert_eq!(verdict(source), expected, "{source}");
    }
}

#[test]
fn operators_and_functions_say_what_the_language_says() {
    all(
        Verdict::True,
        &[
            "true && !false",
            "false || true",
            "!!true",
            "customer.tier == 'gold'",
            "customer.tier != \"silver\"",
            "company.seats > 11 && company.seats >= 12 && company.seats < 12.5",
            "company.seats <= 12 && company.seats == 12 && 0xc == 12 && 12u == 12",
            "-company.seats == -12.0",
            "company.seats + 3 * 2 == 18",
            "(company.seats - 2) / 4 == 2.5",
            "company.seats - 2 - 2 == 8",
            "customer.tier in ['gold', 'silver']",
            "'vip' in customer.tags",
            "company.seats in [1, 12]",
            "!('vip' in [])",
            "customer.tags == ['vip', 'beta'] && customer.tags != ['beta', 'vip']",
            "wants_person == false",
            "size(customer.tags) == 2 && customer.tier.size() == 4 && size('ü😀') == 2",
            "message.text.contains('WRONG') && !message.text.contains('wrong')",
            "customer.tier.startsWith('go') && customer.tier.endsWith('ld')",
            "message.text.matches('^My .*!$') && message.text.matches(r'w\\b|W\\w+')",
            "message.text.mentions(['wrong refund', 'refund me'])",
            "message.text.mentions('nothing', ['invoic*'])",
            "!message.text.mentions('voice')",
            "shows(\"anger\") && !shows(\"thanks\") && signals.anger == 0.5",
            "open('billing') && !open('tech')",
            "open('tech') ? false : wants_person ? false : true",
            "(open('tech') ? 1 : 2) == 2",
            "has(customer.tier) && !has(customer.plan)",
            "customer.vip || true // a comment",
            "time.weekday\n  ==\n  'monday'",
        ],
    );
}

#[test]
fn what_depends_on_a_missing_fact_is_unknown() {
    all(
        Verdict::Unknown,
        &[
            "company.arr > 5",
            "!(company.arr > 5)",
            "company.arr > 5 && true",
            "false || company.arr > 5",
            "company.arr > 5 || company.arr <= 5",
            "company.arr == company.arr",
            "company.arr in [1, 2]",
            "customer.plan in ['pro']",
            "customer.plan in customer.tags",
            "customer.plan.contains('')",
            "customer.plan.matches('')",
            "customer.plan.mentions('a')",
            "size(customer.plan) >= 0",
            "customer.vip ? true : true",
            "company.products == []",
            "-company.arr > 0",
            "company.seats / 0 > 1",
            "company.seats / (company.seats - 12) > 1",
            "answer.found",
        ],
    );
    all(
        Verdict::True,
        &["customer.vip || true", "true || customer.vip", "true ? true : customer.vip"],
    );
    all(
        Verdict::False,
        &[
            "customer.vip && false",
            "false && customer.vip",
            "!(customer.vip || true)",
            "has(customer.plan) && customer.plan == 'pro'",
        ],
    );
}

#[test]
fn a_condition_says_what_it_reads() {
    let check = |source: &str, expected: &[&str], needs_draft: bool| {
        let condition = Condition::new(source, &catalogue()).unwrap();
        let name = |id: &FactId| catalogue().fact(*id).name.clone();
        let reads: Vec<String> = condition.reads().iter().map(name).collect();
        assert_eq!(reads, expected, "{source}");
        assert_eq!(condition.needs_draft(), needs_draft, "{source}");
        assert_eq!(condition.source(), source.trim());
    };
    check(" true ", &[], false);
    check(
        "customer.tier == company.tier || has(message.text)",
        &["message.text", "customer.tier", "company.tier"],
        false,
    );
    check(
        "customer.vip ? answer.confidence > 0.5 : shows('anger')",
        &["answer.confidence", "signals.anger", "customer.vip"],
        true,
    );
}

/// Checks the first error of an expression, written `line:letter what; mend`.
fn refuse(source: &str, expected: &str) {
    let error = Condition::new(source, &catalogue()).unwrap_err();
    assert_eq!(format!("{}:{} {error}", error.line, error.column), expected, "{source}");
}

#[test]
fn facts_that_do_not_exist_are_named_with_the_nearest() {
    refuse(
        "customer.teir == 'gold'",
        "1:1 there is no fact \"customer.teir\"; did you mean customer.tier?",
    );
    refuse(
        "signals.angry > 0.5",
        "1:1 there is no fact \"signals.angry\"; did you mean signals.anger?",
    );
    refuse("has(compny.arr)", "1:5 there is no fact \"compny.arr\"; did you mean company.arr?");
    refuse(".wants_person", "1:2 there is no fact \".wants_person\"; did you mean wants_person?");
    refuse(
        "foo",
        "1:1 there is no fact \"foo\"; docs/routing.md lists all facts; a text stands in quotes: \"foo\"",
    );
    refuse(
        "customer.color == 'red'",
        "1:1 there is no fact \"customer.color\"; declare it: [attributes] \"customer.color\" = \"text\" (or number, truth, texts)",
    );
    refuse("open('sales')", "1:6 there is no team \"sales\"; known: billing, tech");
    refuse("shows('angry')", "1:7 there is no signal \"angry\"; known: anger, thanks");
    refuse(
        "open(customer.tier)",
        "1:6 the name of the team must be written out; write it in quotes",
    );
    let none = Catalogue::new([], [], &[].into()).unwrap();
    let error = Condition::new("open('x')", &none).unwrap_err();
    assert_eq!(error.to_string(), "there is no team \"x\"; define the team first");
}

#[test]
fn kinds_that_do_not_fit_are_refused() {
    let needed = |place: &str, is: &str, needed: &str| {
        format!("{place} this is {is}, but {needed} is needed here; compare or replace it")
    };
    refuse("company.arr == '5'", &needed("1:16", "a text", "a number"));
    refuse("customer.tier == 5", &needed("1:18", "a number", "a text"));
    refuse("'a' + 'b' == 'ab'", &needed("1:1", "a text", "a number"));
    refuse("!company.arr", &needed("1:2", "a number", "a truth"));
    refuse("true && customer.tier", &needed("1:9", "a text", "a truth"));
    refuse("-customer.tier == 1", &needed("1:2", "a text", "a number"));
    refuse("true ? true : 1", &needed("1:15", "a number", "a truth"));
    refuse("1 ? true : false", &needed("1:1", "a number", "a truth"));
    refuse("company.arr in customer.tags", &needed("1:16", "a list of texts", "a list of numbers"));
    refuse("open(5)", &needed("1:6", "a number", "a text"));
    refuse(
        "1",
        "1:1 the condition comes to a number, not to true or false; compare it with something",
    );
    refuse(
        "customer.tags",
        "1:1 the condition comes to a list of texts, not to true or false; compare it with something",
    );
    refuse(
        "customer.tier > 'a'",
        "1:1 a text is neither more nor less than another; compare with == or !=",
    );
    refuse(
        "true in [true]",
        "1:1 this is a truth, but a text or a number is needed before `in`; write \"vip\" in customer.tags",
    );
    refuse("size(1) == 1", "1:6 a number has no size; ask for the size of a text or of tags");
    refuse("[1] == [1]", "1:1 lists of numbers are not compared; use `in`");
    refuse("1 in [1, 'a']", "1:6 the list mixes texts and numbers; write two lists");
    refuse(
        "customer.tier in [company.tier]",
        "1:19 lists hold texts or numbers as they are; write \"…\" or a number",
    );
    refuse(
        "customer.tier == null",
        "1:18 no fact is ever null; ask has(customer.tier) whether a fact is known",
    );
    refuse("b'a' == b'a'", "1:1 neither a text, a number, true nor false; write one of these");
}

#[test]
fn what_a_fact_can_never_be_is_refused() {
    let owners = "it is one of bot, team, teammate";
    refuse(
        "conversation.owner == 'me'",
        &format!("1:23 conversation.owner is never \"me\"; {owners}"),
    );
    refuse(
        "'me' != conversation.owner",
        &format!("1:1 conversation.owner is never \"me\"; {owners}"),
    );
    refuse(
        "conversation.owner in ['bot', 'me']",
        &format!("1:23 conversation.owner is never \"me\"; {owners}"),
    );
    refuse("time.hour < 24", "1:13 time.hour is never 24; it lies between 0 and 23");
    refuse("time.hour in [8, 25]", "1:14 time.hour is never 25; it lies between 0 and 23");
    refuse("signals.anger > 1.5", "1:17 signals.anger is never 1.5; it lies between 0 and 1");
    refuse("conversation.turns == -1", "1:24 conversation.turns is never -1; it is at least 0");
    refuse(
        "has(answer.confidence)",
        "1:5 answer.confidence is known of every drafted answer; ask answer.found whether there is one",
    );
}

#[test]
fn what_is_not_for_rules_is_refused() {
    let known = "conditions know has, size, contains, startsWith, endsWith, matches, mentions, shows, open and operators";
    for (source, place, name) in [
        ("size()", "1:5", "size"),
        ("'a'.contains('a', 'b')", "1:13", "contains"),
        ("message.text.mentions()", "1:22", "mentions"),
        ("open('billing', 'tech')", "1:5", "open"),
        ("company.arr % 2 == 0", "1:13", "%"),
        ("customer.tags[0] == 'a'", "1:14", "[_]"),
        ("int('1') == 1", "1:4", "int"),
        ("has()", "1:4", "has"),
    ] {
        refuse(source, &format!("{place} {name:?} cannot stand here like this; {known}"));
    }
    for (source, place) in [
        ("{'a': 1} == {}", "1:1"),
        ("Foo{a: 1}", "1:4"),
        ("customer.tags.exists(t, t == 'a')", "1:21"),
        ("[1, 2].all(x, x > 1)", "1:11"),
    ] {
        let mend = "docs/routing.md lists what conditions can hold";
        refuse(source, &format!("{place} this part of the language is not for rules; {mend}"));
    }
    refuse(
        "'a'.matches('(')",
        "1:13 the pattern cannot be read: unclosed group; mend the pattern, or use mentions([\"…\"])",
    );
    refuse(
        "'a'.matches(customer.tier)",
        "1:13 the pattern must be written out; write matches(\"…\")",
    );
    refuse(
        "'a'.mentions(['?'])",
        "1:14 mentions has no words to look for; write at least one phrase",
    );
    refuse("'a'.mentions(1)", "1:14 mentions takes phrases; write mentions([\"refund\"])");
}

#[test]
fn common_slips_are_refused_with_what_was_meant() {
    refuse(
        "customer.tags == 'vip'",
        "1:1 customer.tags is a list of texts, not one; write \"vip\" in customer.tags",
    );
    refuse(
        "'vip' != customer.tags",
        "1:10 customer.tags is a list of texts, not one; write \"vip\" in customer.tags",
    );
    refuse(
        "customer.tags.contains('vip')",
        "1:1 customer.tags is a list of texts, not one; write \"vip\" in customer.tags",
    );
    refuse(
        "'gold' in customer.tier",
        "1:11 customer.tier is one text, not a list; write customer.tier == \"…\" or customer.tier.contains(\"…\")",
    );
    refuse(
        "customer.tier == gold",
        "1:18 there is no fact \"gold\"; docs/routing.md lists all facts; a text stands in quotes: \"gold\"",
    );
    refuse(
        "mentions('refund')",
        "1:9 \"mentions\" needs the text that it looks at before it; write message.text.mentions(\"…\")",
    );
    refuse(
        "language == 'EN'",
        "1:13 language is never \"EN\"; write a code in lower case without a region: \"en\"",
    );
    refuse(
        "language in ['en', 'pt-BR']",
        "1:13 language is never \"pt-BR\"; write a code in lower case without a region: \"pt\"",
    );
    let mend = |source: &str, mend: &str| {
        let error = Condition::new(source, &catalogue()).unwrap_err();
        assert_eq!(error.mend, mend, "{source}: {error}");
    };
    mend("not wants_person", "write ! for not, as in !wants_person or !(a && b)");
    mend("wants_person && (not open('tech'))", "write ! for not, as in !wants_person or !(a && b)");
    mend("wants_person and open('tech')", "write && for and");
    mend("wants_person OR open('tech')", "write || for or");
    mend("message.text mentions 'refund'", "write message.text.mentions(\"…\")");
    // Words in quotes are nobody's slip.
    mend("message.text == 'not and or' 5", "docs/routing.md shows what conditions look like");
}

#[test]
fn what_cannot_be_read_is_refused_at_its_place() {
    let read = |place: &str, what: &str, mend: &str| {
        format!("{place} the condition cannot be read: {what}; {mend}")
    };
    let docs = "docs/routing.md shows what conditions look like";
    refuse(" \n", "1:1 the condition is empty; leave `when` out to match always");
    refuse("true &&", &read("1:8", "mismatched input '<EOF>'", docs));
    refuse("(true", &read("1:6", "missing ')' at '<EOF>'", docs));
    refuse("if", &read("1:1", "reserved identifier: if", docs));
    refuse("9223372036854775808 == 1", &read("1:1", "invalid int literal", docs));
    refuse(
        "customer.tier = 'gold'",
        &read("1:15", "token recognition error at: '= '", "write == to compare"),
    );
    refuse("true and false", &read("1:6", "mismatched input 'and'", "write && for and"));
    refuse("true & false", &read("1:6", "token recognition error at: '& '", "write && for and"));
    refuse(
        "customer.tier == “gold”",
        &read("1:18", "token recognition error at: '“'", "write straight quotes"),
    );
    // Letters count, not bytes.
    refuse(
        "'ü😀' == customer.tier && foo",
        "1:26 there is no fact \"foo\"; docs/routing.md lists all facts; a text stands in quotes: \"foo\"",
    );
    refuse(
        "wants_person &&\n  'ü😀' == customer.tier &&\n  'ü😀' == customer.teir",
        "3:11 there is no fact \"customer.teir\"; did you mean customer.tier?",
    );
    refuse("wants_person &&\n  'ü😀' == @", &read("2:11", "token recognition error at: '@'", docs));
}

#[test]
fn what_is_too_long_or_nests_too_deeply_is_refused_and_overflows_no_stack() {
    let long =
        "the condition is longer than 4000 bytes; put long lists of phrases into a [[signal]]";
    let deep = "the condition nests too deeply; write several rules instead";
    refuse(&"a".repeat(4001), &format!("1:1 {long}"));
    let chain = |n: usize, before: &str, middle: &str, after: &str| {
        format!("{}{middle}{}", before.repeat(n), after.repeat(n))
    };
    for (source, is_deep) in [
        (chain(100, "(", "true", ")"), true),
        (chain(1990, "(", "", ""), true),
        (chain(100, "[", "", "]"), true),
        (chain(1990, "{", "", ""), true),
        (chain(100, "!(", "true", ")"), true),
        (chain(100, "size(", "''", ")"), true),
        (chain(280, "true ? true : ", "true", ""), true),
        (chain(1990, "1+", "1", ""), true),
        (chain(1990, "1<", "1", ""), true),
        (chain(790, "1 in ", "1", ""), true),
        (chain(1990, "", "a", ".a"), true),
        (chain(1300, "", "a", "[0]"), true),
        (chain(440, "", "''", ".size()"), true),
        (chain(300, "[1].all(x,", "true", ")"), true),
        (chain(3990, "-", "1", ""), false),
        (chain(3990, ".", "", ""), false),
        (chain(3990, "\"", "", ""), false),
    ] {
        let error = Condition::new(&source, &catalogue()).unwrap_err();
        assert_eq!(error.to_string() == deep, is_deep, "{error}: {source:.40}…");
    }
    all(
        Verdict::True,
        &[
            &chain(60, "(", "true", ")"),
            &chain(30, "!(", "true", ")"),
            &chain(660, "true&&", "true", ""),
            &chain(60, "1+", "1 > 0", ""),
            &format!("!('z' in [{}'a'])", "'a', ".repeat(700)),
        ],
    );
}
