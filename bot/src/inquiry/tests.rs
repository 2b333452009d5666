use super::*;
use crate::{config::Config, read_playbook};
use router::Message;
use serde_json::json;

fn playbook() -> Playbook {
    let text = r#"
        fallback_team = "day"
        time_zone = "America/New_York"
        [attributes]
        "customer.seats" = "number"
        [[team]]
        slug = "day"
        name = "Day"
        [team.hours]
        time_zone = "Europe/Berlin"
        monday = ["09:00-17:00"]
    "#;
    let answers = Config::load(None, std::iter::empty()).unwrap().answers;
    read_playbook(std::path::Path::new("routing.toml"), text, &answers).unwrap()
}

fn inquiry(turns: &[(Author, &str)], customer: Json, now: &str) -> Inquiry {
    let turns =
        turns.iter().map(|(author, text)| Message { author: *author, text: (*text).into() });
    let Json::Object(customer) = customer else { unreachable!("tests pass objects") };
    Inquiry {
        question: Question::after(turns.collect()),
        reader: Reader::default(),
        context: Context { customer, ..Context::at(now.parse().unwrap()) },
    }
}

/// Compares what is known beyond the plainest conversation.
fn check(inquiry: &Inquiry, noticed: &Noticed, expected: &str) {
    let playbook = playbook();
    let catalogue = playbook.policy.catalogue();
    let plain = Facts::new(catalogue);
    let plain: Vec<_> = plain.known(catalogue).collect();
    let facts = facts(&playbook, inquiry, noticed);
    let told: Vec<String> = facts
        .known(catalogue)
        .filter(|fact| !plain.contains(fact))
        .map(|(name, value)| format!("{name} = {value}"))
        .collect();
    assert_eq!(told.join("\n"), expected);
}

#[test]
fn attributes_are_read_leniently_and_unknown_ones_left_out() {
    let customer = json!({
        "tier": "gold", "seats": "12", "verified": "true", "tags": "beta", "shoe_size": 43,
        "company": {"arr": 12000, "health_score": "high", "tags": ["vip"]},
    });
    let noticed = Noticed {
        topic: Some(("billing".into(), 0.8)),
        language: Some("de".into()),
        ..Noticed::default()
    };
    let monday_morning = "2026-11-23T08:30:00Z";
    check(
        &inquiry(&[(Author::Customer, "Where is my invoice?")], customer, monday_morning),
        &noticed,
        "message.text = \"Where is my invoice?\"\n\
         message.words = 4\n\
         topic.name = \"billing\"\n\
         topic.confidence = 0.8\n\
         language = \"de\"\n\
         customer.tier = \"gold\"\n\
         customer.verified = true\n\
         customer.tags = [\"beta\"]\n\
         company.arr = 12000\n\
         company.tags = [\"vip\"]\n\
         time.hour = 3\n\
         customer.seats = 12",
    );
}

#[test]
fn history_tells_where_the_conversation_stands_and_hours_who_is_open() {
    let turns = [
        (Author::Bot, "Hello!"),
        (Author::Customer, "it fails"),
        (Author::Bot, "What fails?"),
        (Author::Teammate, "I have a look"),
        (Author::Customer, "login"),
    ];
    check(
        &inquiry(&turns, json!({}), "2026-11-21T12:00:00Z"),
        &Noticed::default(),
        "message.text = \"login\"\n\
         message.words = 1\n\
         conversation.turns = 2\n\
         conversation.bot_turns = 1\n\
         conversation.opened_by = \"bot\"\n\
         time.weekday = \"saturday\"\n\
         time.hour = 7\n\
         open(\"day\") = false",
    );
}

#[test]
fn stated_facts_are_checked() {
    let playbook = playbook();
    let check = |name: &str, json: Json, expected: Result<&str, &str>| {
        let read = stated(playbook.policy.catalogue(), name, &json);
        let read = read.map(|value| value.to_string()).map_err(|error| error.to_string());
        assert_eq!(read, expected.map(String::from).map_err(String::from));
    };
    check("company.arr", json!("1200.5"), Ok("1200.5"));
    check("customer.tags", json!(["a", "b"]), Ok("[\"a\", \"b\"]"));
    check("wants_person", json!(true), Ok("true"));
    check(
        "company.arrr",
        json!(1),
        Err("there is no fact \"company.arrr\"; did you mean company.arr?"),
    );
    check(
        "company.arr",
        json!("lots"),
        Err("company.arr is a number, not a text; write a value of that kind"),
    );
    check(
        "time.weekday",
        json!("funday"),
        Err(
            "time.weekday cannot be \"funday\"; it is one of monday, tuesday, wednesday, thursday, friday, saturday, sunday",
        ),
    );
    check(
        "topic.confidence",
        json!(80),
        Err("topic.confidence cannot be 80; it lies between 0 and 1"),
    );
}
