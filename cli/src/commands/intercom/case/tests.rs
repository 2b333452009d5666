//! What a person who reads a conversation would say happened in it, and what the export says.

use super::*;
use bot::config::Config;
use intercom::wire::{Admin, Conversation, Team};
use std::path::Path;

/// The seat of Frontdesk, two people, and the teams Support (50) and Billing (60).
const SEAT: &str = "991267694";
const LENA: &str = "991267715";
const OTTO: &str = "991267716";

fn cases(redactor: Option<Redactor>) -> Cases {
    let routing = "fallback_team = \"support\"\n[[team]]\nslug = \"support\"\nname = \"Support\"\n\
                   [[team]]\nslug = \"billing\"\nname = \"Billing\"\n";
    let config = Config::load(None, std::iter::empty()).unwrap();
    let playbook = bot::read_playbook(Path::new("x"), routing, &config.answers).unwrap();
    let teams = json!([{"id": "50", "name": "Support"}, {"id": 60, "name": "Billing"}]);
    let admins = json!([{"id": SEAT, "name": "Frontdesk"}, {"id": LENA, "name": "Lena Brandt"},
                        {"id": OTTO, "name": "Otto Quandt"}]);
    let teams: Vec<Team> = serde_json::from_value(teams).unwrap();
    let admins: Vec<Admin> = serde_json::from_value(admins).unwrap();
    let bot = ExternalId::parse(SEAT).unwrap();
    let names = admins
        .iter()
        .filter(|admin| admin.id != bot)
        .filter_map(|admin| Some((admin.id.clone(), admin.name.as_ref()?.as_str().to_string())))
        .collect();
    Cases { directory: Directory::new(&playbook.policy, &teams, &admins, &bot), redactor, names }
}

fn author(who: &str) -> Value {
    let admin = |id: &str, name: &str| json!({"type": "admin", "id": id, "name": name, "email": "a@b.example"});
    match who {
        "customer" => {
            json!({"type": "user", "id": "6762f0dd1bb69f9f2193bb83", "name": "Joe Miller",
                             "email": "joe@miller.example"})
        }
        "lena" => admin(LENA, "Lena Brandt"),
        "otto" => admin(OTTO, "Otto Quandt"),
        "seat" => admin(SEAT, "Frontdesk"),
        "fin" => json!({"type": "bot", "id": "991267490", "name": "Fin", "from_ai_agent": true,
                        "is_ai_answer": true, "email": "operator+x@intercom.io"}),
        // The vendor's own bot, which runs workflows.
        _ => json!({"type": "bot", "id": "991267491", "name": "Operator", "email": null}),
    }
}

/// A conversation that Joe began in the messenger with "Where is my refund?"; `parts` are `(author,
/// type, words)`, where the words of an assignment are `team 50` or `admin 7`, and `rest` stands over
/// what the conversation itself says.
fn conversation(parts: &[(&str, &str, &str)], rest: &Value) -> Conversation {
    let listed = parts.iter().enumerate().map(|(at, (who, kind, words))| {
        let mut part = json!({
            "type": "conversation_part", "id": (100 + at).to_string(), "part_type": kind,
            "body": null, "created_at": 1_734_537_600 + at * 60, "updated_at": 1_734_537_600,
            "notified_at": 1_734_537_600, "assigned_to": null, "author": author(who),
            "attachments": [], "external_id": null, "redacted": false,
        });
        match words.split_once(' ').filter(|_| kind.contains("assign")) {
            Some((kind, id)) => part["assigned_to"] = json!({"type": kind, "id": id}),
            None if !words.is_empty() => part["body"] = json!(format!("<p>{words}</p>")),
            None => {}
        }
        part
    });
    let listed: Vec<Value> = listed.collect();
    let mut whole = json!({
        "type": "conversation", "id": "524", "created_at": 1_734_537_559,
        "updated_at": 1_734_547_561, "waiting_since": null, "snoozed_until": null,
        "source": {
            "type": "conversation", "id": "403918330", "delivered_as": "customer_initiated",
            "subject": "", "body": "<p>Where is my refund?</p>", "author": author("customer"),
            "attachments": [], "url": null, "redacted": false,
        },
        "contacts": {"type": "contact.list",
                     "contacts": [{"type": "contact", "id": "6762f0dd1bb69f9f2193bb83"}]},
        "first_contact_reply": null, "admin_assignee_id": null, "team_assignee_id": null,
        "open": false, "state": "closed", "read": false, "custom_attributes": {},
        "tags": {"type": "tag.list", "tags": []}, "priority": "not_priority",
        "statistics": null, "conversation_rating": null, "ai_agent": null,
        "ai_agent_participated": false,
        "conversation_parts": {"type": "conversation_part.list", "total_count": listed.len(),
                               "conversation_parts": listed},
    });
    merge(&mut whole, rest);
    serde_json::from_value(whole).unwrap()
}

fn merge(whole: &mut Value, rest: &Value) {
    match (whole, rest) {
        (Value::Object(whole), Value::Object(rest)) => {
            for (name, value) in rest {
                merge(whole.entry(name).or_insert(Value::Null), value);
            }
        }
        (whole, rest) => *whole = rest.clone(),
    }
}

fn fin(state: &str) -> Value {
    json!({"ai_agent_participated": true, "ai_agent": {"source_type": "essentials_plan_setup",
        "last_answer_type": "ai_answer", "resolution_state": state, "rating": null}})
}

/// Holds a line against the parts of it that a person would name.
fn check(name: &str, conversation: Conversation, expected: &Value) -> Value {
    let bot = ExternalId::parse(SEAT);
    let past = Past::of(conversation, bot.as_ref()).unwrap();
    let line = cases(None).line(&past);
    let mut whole = line.clone();
    merge(&mut whole, expected);
    assert_eq!(line, whole, "{name}");
    line
}

fn with(mut one: Value, more: &Value) -> Value {
    merge(&mut one, more);
    one
}

fn open() -> Value {
    json!({"state": "open", "open": true})
}

fn handoff(team: &str, answer: Option<&str>) -> Value {
    // What a person answered might have been answered by the bot, for all that is known.
    let act = if answer.is_some() { "answer" } else { "handoff" };
    json!({"act": act, "judged": false, "team": team, "answer": answer, "articles": []})
}

fn answer(text: &str) -> Value {
    json!({"act": "answer", "judged": false, "answer": text, "articles": []})
}

fn by(who: &[&str]) -> Value {
    json!({"answered_by": who})
}

/// What happened, its parts, what the conversation says of itself, and what a line has to say.
type Row<'a> = (&'a str, Vec<(&'a str, &'a str, &'a str)>, Value, Value);

fn check_all(table: Vec<Row<'_>>) {
    for (name, parts, rest, expected) in table {
        let line = check(name, conversation(&parts, &rest), &expected);
        let handed_off = line["meta"]["handed_off"] == true;
        assert!(handed_off || line["expect"]["act"] == "answer", "{name}");
        assert!(handed_off || line["expect"].get("team").is_none(), "{name}");
    }
}

#[test]
fn what_people_and_frontdesk_did_is_told() {
    check_all(vec![
        (
            "a person alone",
            vec![("lena", "assignment", "team 60"), ("lena", "comment", "It is on its way.")],
            json!({"team_assignee_id": 60, "admin_assignee_id": LENA}),
            json!({"expect": handoff("billing", Some("It is on its way.")),
                   "meta": with(by(&["teammate"]), &json!({"teams": ["60"], "assignee": LENA}))}),
        ),
        (
            "Frontdesk alone",
            vec![("seat", "comment", "Within 5 days."), ("customer", "comment", "Thanks")],
            json!({}),
            json!({"expect": answer("Within 5 days."), "meta": by(&["frontdesk"])}),
        ),
        (
            "Frontdesk hands over and nobody has come yet",
            vec![("seat", "assignment", "team 60"), ("seat", "comment", "A colleague takes over.")],
            with(open(), &json!({"team_assignee_id": 60})),
            json!({"expect": handoff("billing", None), "meta": by(&["frontdesk"])}),
        ),
    ]);
}

#[test]
fn what_fin_and_workflows_did_is_told() {
    let to_lena = format!("admin {LENA}");
    check_all(vec![
        (
            "Fin, and then a person without a word of the customer between",
            vec![
                ("fin", "comment", "See the article."),
                ("bot", "assignment", "team 50"),
                ("lena", "comment", "I have sent it."),
            ],
            with(fin("routed_to_team"), &json!({"team_assignee_id": 50})),
            json!({"expect": handoff("support", Some("I have sent it.")),
                   "meta": by(&["fin", "teammate"])}),
        ),
        (
            "Fin alone",
            vec![("fin", "comment", "Within 5 days."), ("fin", "close", "")],
            with(fin("assumed_resolution"), &json!({"team_assignee_id": 50})),
            json!({"expect": answer("Within 5 days."), "meta": by(&["fin"])}),
        ),
        (
            "Fin answered, and the customer asked for a person",
            vec![
                ("fin", "comment", "Within 5 days."),
                ("customer", "comment", "A person, please"),
                ("bot", "assignment", "team 60"),
            ],
            with(with(fin("escalated"), &open()), &json!({"team_assignee_id": "60"})),
            json!({"expect": handoff("billing", None), "meta": by(&["fin"])}),
        ),
        (
            "Fin answered, and somebody has it who has not replied",
            vec![("fin", "comment", "Hm."), ("lena", "assignment", to_lena.as_str())],
            with(open(), &json!({"team_assignee_id": 60, "admin_assignee_id": LENA})),
            json!({"expect": handoff("billing", None), "meta": {"assignees": [LENA]}}),
        ),
        (
            "Fin asked back, and the customer went away",
            vec![("fin", "comment", "Which order?")],
            fin("abandoned"),
            json!({"expect": {"act": "answer", "answer": null}, "meta": by(&["fin"])}),
        ),
        (
            "a workflow promises an answer",
            vec![("bot", "comment", "We are back at 9.")],
            with(open(), &json!({"team_assignee_id": 50})),
            json!({"expect": handoff("support", None), "meta": by(&["bot"])}),
        ),
        (
            "nobody",
            vec![("lena", "note", "Who takes this?")],
            with(open(), &json!({"team_assignee_id": 50})),
            json!({"expect": handoff("support", None), "meta": by(&[])}),
        ),
    ]);
}

#[test]
fn a_campaign_under_a_persons_name_is_no_answer_of_theirs() {
    for delivered_as in
        ["campaigns_initiated", "automated", "operator_initiated", "admin_initiated"]
    {
        let rest = json!({"source": {"delivered_as": delivered_as, "author": author("lena"),
                                     "body": "<p>Have you seen our new plans?</p>"}});
        let mut rest = rest;
        merge(&mut rest, &fin("confirmed_resolution"));
        let parts = [("customer", "comment", "What do they cost?"), ("fin", "comment", "9 euros.")];
        let line = check(
            delivered_as,
            conversation(&parts, &rest),
            &json!({"expect": {"act": "answer", "answer": "9 euros."},
                    "meta": {"answered_by": ["fin"], "handed_off": false}}),
        );
        let first = if delivered_as == "admin_initiated" { "teammate" } else { "bot" };
        assert_eq!(line["messages"][0]["by"], first, "{delivered_as}");
        assert_eq!(line["messages"].as_array().unwrap().len(), 2);
    }
}

#[test]
fn reopenings_ratings_and_tags_are_what_they_were() {
    let closed = ("lena", "close", "");
    let counted = [
        (vec![("lena", "comment", "Done."), closed], json!({}), 0),
        // A customer who writes again opens it; the part that says so is the same opening.
        (vec![closed, ("customer", "comment", "Still nothing"), ("bot", "open", "")], json!({}), 1),
        (
            vec![closed, ("lena", "note_and_reopen", "x"), closed, ("otto", "open", "")],
            json!({}),
            2,
        ),
        (vec![("lena", "snoozed", ""), ("bot", "open", "")], json!({}), 0),
        // The vendor's count goes over all parts, those that were cut off, too.
        (vec![closed], json!({"statistics": {"count_reopens": 3}}), 3),
    ];
    for (parts, rest, n) in counted {
        let name = format!("{parts:?}");
        check(&name, conversation(&parts, &rest), &json!({"meta": {"reopened": n}}));
    }
    let rated = |teammate: Value| {
        json!({"conversation_rating": {"rating": 2, "remark": "Slow", "created_at": 1_734_547_000,
                                       "teammate": teammate}})
    };
    for (teammate, of) in [
        (json!({"type": "admin", "id": LENA}), json!("teammate")),
        (json!({"type": "admin", "id": SEAT}), json!("frontdesk")),
        (json!({"type": "bot", "id": "991267490"}), json!("bot")),
        (Value::Null, Value::Null),
    ] {
        let expected = json!({"meta": {"rating": {"stars": 2, "remark": "Slow", "of": of}}});
        check("rated", conversation(&[("lena", "comment", "Done.")], &rated(teammate)), &expected);
    }
    let asked = json!({"conversation_rating": {"rating": null, "remark": null}});
    check("asked, not rated", conversation(&[], &asked), &json!({"meta": {"rating": null}}));
    let email = json!({"source": {"type": "email", "subject": "Refund"},
        "tags": {"tags": [{"type": "tag", "id": "86", "name": "vip"}]}});
    let expected =
        json!({"channel": "intercom-email", "tags": ["vip"], "meta": {"came_as": "email"}});
    check("e-mail", conversation(&[], &email), &expected);
}

#[test]
fn people_who_only_had_it_and_tags_are_redacted_too() {
    let to_otto = format!("admin {OTTO}");
    let parts = [
        ("lena", "assignment", to_otto.as_str()),
        ("customer", "comment", "Otto Quandt called me"),
        ("lena", "comment", "He will again."),
    ];
    let rest = json!({"tags": {"tags": [{"id": "86", "name": "asked joe@miller.example"}]}});
    let past = Past::of(conversation(&parts, &rest), ExternalId::parse(SEAT).as_ref()).unwrap();
    let line = cases(Some(Redactor::new().unwrap())).line(&past);
    assert_eq!(line["messages"][1]["text"], "[teammate] called me", "{line:#}");
    assert_eq!(line["tags"], json!(["asked [email]"]));
}
