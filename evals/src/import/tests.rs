use super::*;
use proptest::prelude::*;
use serde_json::json;

/// Imports texts as files of these names; returns what became of them and the cases.
fn told(files: &[(&str, &[u8])], from: Option<From>) -> (Imported, Vec<Value>) {
    let folder = tempfile::tempdir().unwrap();
    let paths: Vec<PathBuf> = files.iter().map(|(name, _)| folder.path().join(name)).collect();
    for (path, (_, bytes)) in paths.iter().zip(files) {
        std::fs::write(path, bytes).unwrap();
    }
    let redactor = Some(Redactor::new().unwrap());
    let wanted =
        Wanted { from, columns: Columns::new(), delimiter: None, teams: BTreeMap::new(), redactor };
    let mut out = Vec::new();
    let imported = import(&wanted, &paths, &mut out).unwrap();
    let lines = std::str::from_utf8(&out).unwrap().lines();
    let cases = lines.map(|line| serde_json::from_str(line).unwrap()).collect();
    let path = folder.path().join("cases.jsonl");
    if !out.is_empty() {
        std::fs::write(&path, &out).unwrap();
        assert_eq!(crate::read_cases(&[path]).unwrap().len(), imported.n_cases);
    }
    (imported, cases)
}

fn one(record: &Value) -> Vec<Value> {
    let text = record.to_string();
    let (imported, cases) = told(&[("x.json", text.as_bytes())], None);
    assert_eq!(imported.n_bad, 0, "{:?}", imported.problems);
    cases
}

#[test]
fn a_ticket_of_zendesk_becomes_a_case_for_each_question_a_person_answered() {
    let cases = one(&json!({
        "id": 4711, "requester_id": 1, "subject": "Invoice", "tags": ["vip"], "group_id": 8,
        "group": {"id": 8, "name": "Billing & Tax"}, "via": {"channel": "email"},
        "requester": {"id": 1, "name": "Petra Novak", "locale": "en"},
        "satisfaction_rating": {"score": "good", "comment": "Thanks Lena"},
        "assignee": {"id": 2, "name": "Lena Brandt"}, "metric_set": {"reopens": 1},
        "comments": [
            {"author_id": 1, "created_at": "2026-03-02T09:00:00Z", "public": true,
             "body": "Where is my invoice for 2025? Write to petra@mail.example\n\nOn Monday Lena wrote:\n> old"},
            {"author_id": 2, "public": false, "body": "she is a VIP"},
            {"author_id": 2, "public": true, "html_body": "<p>Hi Petra,</p><p>under <b>Billing</b>.</p>"},
            {"author_id": 1, "public": true, "body": "Thank you!"},
            {"author_id": 1, "public": true, "body": "Can I change the address on it?"},
            {"author_id": -1, "public": true, "body": "We got your mail."},
            {"author_id": 2, "public": true, "body": "Yes, in the settings."},
        ],
    }));
    assert_eq!(cases.len(), 2, "{cases:?}");
    let [first, second] = cases.as_slice() else { panic!("two") };
    assert_eq!(first["id"], "zendesk-4711#1");
    assert_eq!(first["messages"][0]["text"], "Where is my invoice for 2025? Write to [email]");
    let expected = json!({"act": "answer", "judged": false, "articles": [], "team": "billing-tax",
        "answer": "Hi [customer],\n\nunder Billing."});
    assert_eq!(first["expect"], expected);
    assert_eq!(first["meta"]["rating"], json!({"score": "good", "remark": "Thanks [teammate]"}));
    assert_eq!(first["meta"]["reopened"], 1);
    assert_eq!(first["channel"], "zendesk-email");
    assert_eq!(first["at"], "2026-03-02T09:00:00Z");
    assert_eq!(second["expect"]["answer"], "Yes, in the settings.");
    assert_eq!(second["meta"]["answered_by"], json!(["bot", "teammate"]));
}

#[test]
fn audits_tell_the_same_as_comments() {
    let cases = one(&json!({
        "id": 1, "requester_id": 1, "assignee_id": 2,
        "audits": [
            {"created_at": "2026-03-02T09:00:00Z", "events": [
                {"type": "Create", "value": "new"},
                {"type": "Comment", "public": true, "author_id": 1, "body": "How do I log out?"}]},
            {"events": [{"type": "Comment", "public": true, "author_id": 2, "body": "Top right."}]},
        ],
    }));
    assert_eq!(cases[0]["expect"]["answer"], "Top right.");
    assert_eq!(cases[0]["at"], "2026-03-02T09:00:00Z");
}

#[test]
fn a_conversation_of_chatwoot_becomes_a_case() {
    let cases = one(&json!({
        "id": 7, "inbox_id": 1, "labels": ["billing"],
        "meta": {"sender": {"name": "Petra Novak"}, "channel": "Channel::WebWidget",
                 "team": {"name": "Billing"}, "assignee": {"name": "Lena Brandt"}},
        "additional_attributes": {"browser_language": "de", "referer": "https://x.example/price"},
        "messages": [
            {"id": 3, "message_type": 1, "sender_type": "User", "content": "Yes.", "created_at": 1_790_000_030},
            {"id": 1, "message_type": 0, "content": "Can Petra pay by card?", "created_at": 1_790_000_010},
            {"id": 2, "message_type": 1, "private": true, "content": "psst", "created_at": 1_790_000_020},
            {"id": 4, "message_type": 2, "content": "Conversation was reopened", "created_at": 1_790_000_040},
            {"id": 5, "message_type": 3, "content_type": "input_csat", "created_at": 1_790_000_050,
             "content_attributes": {"submitted_values": {"csat_survey_response": {"rating": 4}}}},
        ],
    }));
    let case = &cases[0];
    assert_eq!(case["messages"][0]["text"], "Can [customer] pay by card?");
    assert_eq!(case["expect"]["answer"], "Yes.");
    assert_eq!(case["expect"]["team"], "billing");
    assert_eq!(case["meta"]["reopened"], 1);
    assert_eq!(case["meta"]["rating"], json!({"stars": 4}));
    assert_eq!((&case["locale"], &case["channel"]), (&json!("de"), &json!("chatwoot-webwidget")));
}

#[test]
fn a_conversation_of_intercom_becomes_a_case() {
    let author = |kind: &str, name: &str| json!({"type": kind, "id": 1, "name": name});
    let cases = one(&json!({
        "type": "conversation", "id": "524", "created_at": 1_790_000_000, "team_assignee_id": 9,
        "source": {"type": "conversation", "delivered_as": "customer_initiated",
                   "body": "<p>How do I export?</p>", "author": author("user", "Petra Novak"),
                   "url": "https://x.example/app"},
        "conversation_parts": {"conversation_parts": [
            {"part_type": "comment", "body": "<p>Try the menu.</p>", "author": author("bot", "Fin")},
            {"part_type": "note", "body": "<p>psst</p>", "author": author("admin", "Lena Brandt")},
            {"part_type": "comment", "body": "<p>Under &quot;Data&quot;, Petra</p>", "author": author("admin", "Lena Brandt")},
        ]},
    }));
    assert_eq!(cases[0]["expect"]["answer"], "Under \"Data\", [customer]", "{cases:?}");
    assert_eq!(cases[0]["meta"]["answered_by"], json!(["bot", "teammate"]));
}

#[test]
fn a_table_becomes_cases_whatever_it_is_written_with() {
    let table = b"Ticket ID;Question;Answer;Team\r\n1;\"How do I pay;\r\nby card?\";Like so.;Billing\r\n2;Wo ist die Gr\xf6\xdfe?;Hier.;\r\n3;broken\r\n";
    let (imported, cases) = told(&[("t.csv", table)], None);
    assert_eq!((imported.n_records, imported.n_cases, imported.n_bad), (3, 2, 1));
    assert_eq!(imported.problems[0].line, 5, "{:?}", imported.problems);
    assert_eq!(cases[0]["messages"][0]["text"], "How do I pay;\r\nby card?");
    assert_eq!(cases[1]["messages"][0]["text"], "Wo ist die Größe?");
}

#[test]
fn cases_pass_through_without_the_people_in_them() {
    let line = br#"{"id":"a","messages":[{"author":"customer","text":"I am at a@b.example, ok?"}],"expect":{"act":"answer","team":"t","answer":"Call 030 1234567"},"meta":{"conversation":"215468754521","x":1}}"#;
    let (imported, cases) = told(&[("a.jsonl", line), ("b.jsonl", line)], None);
    assert_eq!(imported.left[&Skip::SameConversation].n, 1);
    assert_eq!(cases[0]["messages"][0]["text"], "I am at [email], ok?");
    assert_eq!(cases[0]["expect"]["answer"], "Call [phone]");
    assert_eq!(cases[0]["meta"]["conversation"], "215468754521");
}

#[test]
fn the_same_words_are_taken_once_and_what_is_bad_is_named() {
    let ticket = |id: u64, words: &str| {
        json!({"id": id, "requester_id": 1, "comments": [
            {"author_id": 1, "body": words}, {"author_id": 2, "body": "So."}]})
    };
    let text = format!(
        "{}\n{}\nnonsense\n{}\n{}\n",
        ticket(1, "How do I pay?"),
        ticket(2, "how do i  PAY"),
        json!({"id": 3, "requester_id": 1}),
        json!({"some": "thing"}),
    );
    let (imported, cases) = told(&[("z.json", text.as_bytes())], None);
    assert_eq!((cases.len(), imported.n_bad, imported.n_records), (1, 3, 5));
    assert_eq!(imported.left[&Skip::SameWords].n, 1);
    let shown: Vec<String> = imported.problems.iter().map(ToString::to_string).collect();
    assert!(shown[0].contains("z.json:3: is not JSON"), "{shown:?}");
    assert!(shown[1].contains("z.json:4: comments: is missing"), "{shown:?}");
    assert!(shown[2].contains("--from"), "{shown:?}");
}

#[test]
fn nothing_in_a_record_brings_it_down() {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        "[ -~<&]{0,12}".prop_map(Value::from),
        Just(json!([])),
        Just(json!({})),
        any::<bool>().prop_map(Value::from),
    ];
    let name = prop::sample::select(vec![
        "id",
        "comments",
        "audits",
        "events",
        "author",
        "author_id",
        "requester_id",
        "body",
        "messages",
        "meta",
        "content",
        "message_type",
        "conversation_parts",
        "source",
        "created_at",
        "tags",
        "type",
    ]);
    let value = leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((name.clone(), inner), 0..6).prop_map(|fields| {
                fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
            }),
        ]
    });
    let config = ProptestConfig::with_cases(128);
    let kinds = [From::Intercom, From::Zendesk, From::Chatwoot, From::Cases];
    let lines = Lines { redactor: None };
    proptest!(config, |(value in value)| {
        let Value::Object(fields) = value else { return Ok(()) };
        for kind in kinds {
            let wanted = Wanted { from: Some(kind), columns: Columns::new(), delimiter: None, teams: BTreeMap::new(), redactor: None };
            let mut out = Vec::new();
            let run = Run {
                wanted: &wanted, lines: Lines { redactor: None }, to: &mut out,
                seen: Seen::default(), imported: Imported::default(),
            };
            if let Ok(Found::Past(past)) = run.understand(fields.clone(), &("x".into(), 1)) {
                for turn in turns::turns(&past).0 {
                    lines.of_turn(&past, &turn);
                }
            }
        }
    });
}

/// A line as the vendor's API writes it, with the lists of its own that every conversation has.
fn of_intercom(parts: &Value) -> Value {
    json!({
        "type": "conversation", "id": "503", "created_at": 1_790_000_000, "state": "closed",
        "source": {"type": "conversation", "delivered_as": "customer_initiated",
                   "body": "<p>How do I export?</p>", "author": {"type": "user", "id": "1"}},
        "contacts": {"type": "contact.list", "contacts": []}, "team_assignee_id": 5_017_691,
        "linked_objects": {"type": "list", "data": [], "total_count": 0, "has_more": false},
        "ai_agent": null,
        "conversation_parts": {"type": "conversation_part.list", "conversation_parts": parts},
    })
}

fn part(at: u64, who: &str, body: &str) -> Value {
    json!({"part_type": "comment", "created_at": at, "body": body, "author": {"type": who, "id": 2}})
}

#[test]
fn no_conversation_of_intercom_is_lost_in_a_list_of_its_own() {
    let parts =
        json!([part(3, "admin", "Yes."), part(2, "user", "As CSV?"), part(1, "admin", "So.")]);
    let line = of_intercom(&parts).to_string();
    let (imported, cases) = told(&[("i.jsonl", format!("{line}\n").as_bytes())], None);
    assert_eq!((imported.n_records, imported.n_cases), (1, 2), "{imported:?}");
    let answers: Vec<&Value> = cases.iter().map(|case| &case["expect"]["answer"]).collect();
    assert_eq!(answers, ["So.", "Yes."], "the latest stand first in some exports");
    assert_eq!(imported.unnamed_teams, BTreeMap::from([("5017691".to_string(), 1)]));
}

#[test]
fn what_only_people_did_is_not_judged() {
    let bot = part(1, "bot", "We are back at 9.");
    for (state, act) in [("closed", "answer"), ("open", "handoff")] {
        let mut record = of_intercom(&json!([bot]));
        record["state"] = json!(state);
        let cases = one(&record);
        let expect = json!({"act": act, "judged": false, "articles": [], "answer": null});
        assert_eq!(cases[0]["expect"], expect, "{state}");
    }
    let wrong = crate::sample::wrong("a");
    let expect = crate::Expect { judged: false, ..wrong.expect.clone() };
    let record = crate::Record { expect, ..wrong };
    assert_eq!(record.is_draft_right(), None);
    assert_eq!(crate::Verdict::of(&record), crate::Verdict::Unjudged);
}

#[test]
fn whoever_was_sent_a_copy_is_a_customer_and_a_case_loses_its_name() {
    let cases = one(&json!({"id": 1, "requester_id": 1, "assignee_id": 2, "email_cc_ids": [2, 3],
        "comments": [{"author_id": 3, "body": "Where is it?"}, {"author_id": 2, "body": "Here."}]}));
    assert_eq!(cases[0]["expect"]["answer"], "Here.");
    let line = json!({"id": "petra@mail.example", "customer": {"name": "Petra Novak"},
        "facts": {"said": "petra@mail.example"}, "messages": [{"author": "customer",
        "text": "Can Petra pay?", "source": "novak"}], "expect": {"act": "answer"},
        "meta": {"source": "Petra Novak", "conversation": "215468754521"}});
    let text = one(&line)[0].to_string().to_lowercase();
    assert!(!text.contains("petra") && !text.contains("novak"), "{text}");
    assert!(text.contains("215468754521"), "{text}");
}

#[test]
fn times_that_cannot_be_read_are_counted() {
    let table = b"question,at\nHow do I pay?,2026-01-31 09:30\nAnd where?,yesterday\n";
    let (imported, _) = told(&[("t.csv", table)], None);
    assert_eq!(imported.unread_times.map(|left| (left.n, left.first.1)), Some((1, 3)));
}

#[test]
fn the_vendors_own_conversation_is_a_record() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../../shared/specs/intercom/api.intercom.io-2.14.yaml");
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there", path.display());
        return;
    };
    let mut options = serde_saphyr::Options::default();
    options.budget = None;
    let whole: Value = serde_saphyr::from_str_with_options(&text, options).unwrap();
    let ok = &whole["paths"]["/conversations/{conversation_id}"]["get"]["responses"]["200"];
    let example = &ok["content"]["application/json"]["examples"]["conversation found"]["value"];
    assert!(example["linked_objects"]["data"].is_array());
    // Nobody but a teammate says anything in it.
    let (imported, _) = told(&[("i.jsonl", example.to_string().as_bytes())], None);
    assert_eq!((imported.n_records, imported.n_bad), (1, 0), "{:?}", imported.problems);
    assert_eq!(imported.left[&Skip::NobodyAsks].n, 1);
}

#[test]
fn a_conversation_of_a_table_that_is_named_by_an_address_loses_it() {
    let table = b"ticket,question,answer\n\
        petra.novak@mail.example,How do I pay by card?,Under Billing.\n\
        petra.novak@mail.example,And where is the invoice?,There too.\n\
        4711,Where is my order?,On its way.\n";
    let (imported, cases) = told(&[("t.csv", table)], None);
    assert_eq!((imported.n_cases, imported.n_bad), (3, 0), "{imported:?}");
    let text = cases.iter().map(Value::to_string).collect::<String>();
    assert!(!text.contains("petra") && !text.contains("novak"), "{text}");
    assert_eq!(cases[2]["meta"]["conversation"], "4711");
    assert!(cases[0]["id"].as_str().unwrap().starts_with("csv-"), "{}", cases[0]["id"]);
    assert_ne!(cases[0]["id"], cases[1]["id"]);
}
