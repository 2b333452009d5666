use super::*;
use serde_json::{Value, json};

/// Makes a conversation of who said what: `(type of author, its id, type of part, words)`, where
/// the words of an assignment are the id of a team.
fn told(said: &[(&str, &str, &str, &str)]) -> Option<Past> {
    let parts: Vec<Value> = said
        .iter()
        .enumerate()
        .map(|(at, (author, id, kind, words))| {
            let mut part = json!({
                "id": at + 1, "part_type": kind, "created_at": 1_790_000_000 + at,
                "author": {"type": author, "id": id, "name": format!("{author} {id}"),
                           "from_ai_agent": *id == "fin"},
            });
            match *kind {
                "assignment" => part["assigned_to"] = json!({"type": "team", "id": words}),
                _ => part["body"] = json!(format!("<p>{words}</p>")),
            }
            part
        })
        .collect();
    let conversation = json!({
        "id": "524", "created_at": 1_789_000_000, "team_assignee_id": 9,
        "conversation_parts": {"conversation_parts": parts, "total_count": parts.len()},
    });
    Past::of(serde_json::from_value(conversation).unwrap(), ExternalId::parse("7").as_ref())
}

fn texts(said: &[Said]) -> Vec<&str> {
    said.iter().map(|said| said.text.as_str()).collect()
}

fn check(said: &[(&str, &str, &str, &str)], asked: &[&str], answer: Option<&str>, team: &str) {
    let past = told(said).unwrap();
    assert_eq!(texts(&past.asked), asked, "{said:?}");
    assert_eq!(past.answer().as_deref(), answer, "{said:?}");
    assert_eq!(past.team.as_ref().map(ExternalId::as_str), Some(team), "{said:?}");
}

#[test]
fn a_case_ends_before_the_first_person_and_expects_the_last_team_that_answered() {
    let ask = ("user", "1", "comment", "Help");
    let more = ("lead", "2", "comment", "Please");
    let fin = ("bot", "fin", "comment", "Try again");
    let lena = ("admin", "4", "comment", "Done");
    let support = ("admin", "4", "assignment", "5");
    let billing = ("admin", "4", "assignment", "6");
    check(&[ask, more, support, lena], &["Help", "Please"], Some("Done"), "5");
    check(
        &[ask, fin, more, support, billing, lena],
        &["Help", "Try again", "Please"],
        Some("Done"),
        "6",
    );
    check(&[ask, support, lena, more, billing, lena], &["Help"], Some("Done"), "6");
    check(&[ask, lena, billing], &["Help"], Some("Done"), "9");
    check(&[ask, fin, lena], &["Help"], Some("Done"), "9");
    check(&[ask, fin, more, fin], &["Help"], Some("Try again"), "9");
    check(&[lena, ask, more], &["Done", "Help", "Please"], None, "9");
    check(&[ask, ("admin", "4", "note", "psst"), fin], &["Help"], Some("Try again"), "9");
    assert!(told(&[lena, fin]).is_none(), "nobody asked");
}

#[test]
fn who_answered_is_told_apart() {
    let past = told(&[
        ("user", "1", "comment", "Help"),
        ("bot", "fin", "comment", "a"),
        ("bot", "3", "comment", "b"),
        ("admin", "7", "comment", "c"),
        ("user", "1", "comment", "No"),
        ("admin", "4", "open", ""),
        ("admin", "4", "comment", "d"),
    ]);
    let past = past.unwrap();
    assert_eq!(past.answered_by(), [By::Fin, By::Bot, By::Frontdesk, By::Teammate]);
    assert!(past.was_handed_off());
    assert_eq!(past.n_reopened, 1);
    let names: Vec<&str> = past.teammates.iter().map(String::as_str).collect();
    assert_eq!((names, past.customers.len()), (vec!["admin 4"], 1));
    let alone = told(&[("user", "1", "comment", "Help"), ("admin", "7", "comment", "c")]);
    assert!(!alone.unwrap().was_handed_off());
}
