use super::*;
use proptest::prelude::*;

const GOOD: &str =
    r#"{"id":"a","messages":[{"author":"customer","text":"hi"}],"expect":{"act":"answer"}}"#;

fn read(bytes: &[u8]) -> Result<Vec<Case>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("cases.jsonl");
    std::fs::write(&path, bytes).unwrap();
    let place = format!("{}/", folder.path().display());
    read_cases(&[path]).map_err(|error| error.to_string().replace(&place, ""))
}

#[test]
fn a_full_case_is_read_field_by_field() {
    let line = r#"{"id":"c1","messages":[{"author":"customer","text":"a"},{"author":"bot","text":"b"},
        {"author":"teammate","text":"c"},{"author":"customer","text":"d"}],"expect":{"act":"handoff",
        "articles":["x","y","x"],"answer":"ask us","topic":"billing","team":"money"},"tags":["t"],
        "customer":{"plan":"pro"},"channel":"web","locale":"de","at":"2026-01-02T03:04:05Z","more":1}"#
        .replace('\n', "");
    let case = read(line.as_bytes()).unwrap().remove(0);
    assert_eq!(case.id, "c1");
    assert_eq!(case.messages[2], Message { author: Author::Teammate, text: "c".into() });
    assert_eq!(case.expect.act, ExpectedAct::Handoff);
    assert_eq!(case.expect.articles, ["x", "y"]);
    assert_eq!(case.expect.answer.as_deref(), Some("ask us"));
    assert_eq!(
        (case.expect.topic.as_deref(), case.expect.team.as_deref()),
        (Some("billing"), Some("money"))
    );
    assert_eq!(case.customer.unwrap()["plan"], "pro");
    assert_eq!((case.tags.as_slice(), case.locale.as_deref()), (&["t".to_owned()][..], Some("de")));
}

#[test]
fn byte_order_mark_windows_line_ends_and_empty_lines_are_tolerated() {
    let second = GOOD.replace("\"a\"", "\"b\"");
    let cases = read(format!("\u{FEFF}{GOOD}\r\n\r\n  \n{second}\r\n").as_bytes()).unwrap();
    assert_eq!(cases.iter().map(|case| case.id.as_str()).collect::<Vec<_>>(), ["a", "b"]);
}

#[test]
fn each_fault_names_file_line_field_and_mend() {
    let check = |from: &str, to: &str, expected: &str| {
        assert!(GOOD.contains(from));
        let message = read(GOOD.replace(from, to).as_bytes()).unwrap_err();
        assert_eq!(message, format!("cases.jsonl:1: {expected}"));
    };
    check("\"id\":\"a\",", "", "id: is missing; write a text in quotes that names the case");
    check("\"a\"", "7", "id: is a number; write a text in quotes that names the case");
    check(
        "\"customer\"",
        "\"bot\"",
        "messages[0].author: the last message is not by the customer; \
         end the conversation with the message that is to be acted on",
    );
    check(
        "\"customer\"",
        "\"agent\"",
        r#"messages[0].author: "agent" is not known; write one of "customer", "bot", "teammate""#,
    );
    check("\"hi\"", "null", "messages[0].text: is missing; write what was said, in quotes");
    check("\"hi\"", "[]", "messages[0].text: is a list; write a text in quotes");
    check(
        "\"answer\"",
        "\"reply\"",
        r#"expect.act: "reply" is not known; write one of "answer", "clarify", "handoff""#,
    );
    check(
        "\"act\":\"answer\"",
        "\"act\":\"answer\",\"articles\":[\"x\",3]",
        "expect.articles[1]: is a number; write a text in quotes",
    );
    check(
        "}}",
        "}",
        "is not JSON at column 82 (EOF while parsing an object); write one JSON object on one line",
    );
    check(GOOD, "[1]", "is a list; write one JSON object a line");
}

#[test]
fn a_repeated_id_names_both_lines() {
    let message = read(format!("{GOOD}\n{GOOD}").as_bytes()).unwrap_err();
    assert!(message.starts_with("cases.jsonl:2: id: \"a\" is already the id of "), "{message}");
    assert!(message.ends_with("cases.jsonl:1; give every case an id of its own"), "{message}");
}

#[test]
fn all_bad_lines_are_told_up_to_twenty() {
    let message = read("{}\n".repeat(23).as_bytes()).unwrap_err();
    assert_eq!(message.lines().count(), 21);
    assert!(message.ends_with("and 3 more bad lines"), "{message}");
}

#[test]
fn wrong_encodings_and_empty_files_are_told_apart() {
    assert!(read(b"\xFF\xFE{\0}\0").unwrap_err().contains("is UTF-16; save the file as UTF-8"));
    assert!(read(b"{\"id\": \"\xE9\"}").unwrap_err().contains("byte 9 is not UTF-8"));
    assert!(read(b"\n\n").unwrap_err().contains("holds no case"));
    let absent = read_cases(&["nowhere.jsonl".into()]).unwrap_err();
    assert_eq!(absent.to_string(), "nowhere.jsonl: cannot be read");
}

proptest! {
    #[test]
    fn any_bytes_give_cases_or_a_message(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(&bytes);
    }

    #[test]
    fn any_edit_of_a_case_gives_cases_or_a_message(at in 0..GOOD.len(), with in "[\\PC{}\":,\\[\\]]{0,3}") {
        let _ = read(format!("{}{with}{}", &GOOD[..at], &GOOD[at + 1..]).as_bytes());
    }
}
