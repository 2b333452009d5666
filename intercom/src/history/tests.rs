use super::*;
use router::{Policy, Routing};
use serde_json::{Value as Json, json};

/// What built-in rules ask for.
const SIGNALS: [&str; 9] = [
    "auto_reply",
    "thanks",
    "unsafe",
    "agrees",
    "regulated",
    "injection",
    "repetition",
    "anger",
    "spam",
];

/// Ada and the team Support are known here, Bo and Sales are not; 1 is the bot.
fn directory() -> Directory {
    let routing = Routing {
        fallback_team: "leads".to_string().try_into().unwrap(),
        teams: serde_json::from_value(json!([
            {"slug": "support", "name": "Support",
             "member": [{"slug": "ada", "name": "Ada Byron"}]},
            {"slug": "leads", "name": "Leads", "known_as": {"intercom": "52"}},
        ]))
        .unwrap(),
        slas: Vec::new(),
        topics: Vec::new(),
        signals: SIGNALS.map(String::from).into(),
        tiers: Vec::new(),
        attributes: Default::default(),
        rules: Vec::new(),
        replies: Default::default(),
        questions: Default::default(),
        webhooks: Default::default(),
        ladder: Default::default(),
        threshold: router::Confidence::NONE,
        speaks: true,
    };
    let teams = json!([{"id": "50", "name": "support"}, {"id": "51", "name": "Sales"},
        {"id": "52", "name": "Shift leads"}]);
    let admins = json!([{"id": "1", "name": "Frontdesk"}, {"id": "7", "name": "ada byron"},
        {"id": "8", "name": "Bo"}]);
    let bot = ExternalId::from(1);
    let policy = Policy::new(routing).unwrap();
    Directory::new(
        &policy,
        &serde_json::from_value::<Vec<_>>(teams).unwrap(),
        &serde_json::from_value::<Vec<_>>(admins).unwrap(),
        &bot,
    )
}

fn author(who: &str) -> Json {
    let (kind, id) = who.split_once(' ').unwrap_or((who, "9"));
    json!({"type": kind, "id": id, "from_ai_agent": who == "admin 99"})
}

/// A conversation that Joe began; `more` are its parts, `(type, author, body, rest)`.
fn conversation(more: &[(&str, &str, &str, Json)], rest: &Json) -> Conversation {
    let part = |(place, (kind, who, body, rest)): (usize, &(&str, &str, &str, Json))| {
        let body = (!body.is_empty()).then(|| format!("<p>{body}</p>"));
        let mut part = json!({"id": (100 + place).to_string(), "part_type": kind, "body": body,
            "author": author(who), "created_at": 1_000 + place, "attachments": []});
        merge(&mut part, rest);
        part
    };
    let parts: Vec<Json> = more.iter().enumerate().map(part).collect();
    let mut whole = json!({"id": "524", "created_at": 900, "updated_at": 2_000,
        "source": {"type": "conversation", "id": "5", "body": "<p>Hello?</p>",
            "author": author("user 9"), "url": "https://shop.test/cart"},
        "contacts": [{"id": "9"}], "conversation_parts": {"conversation_parts": parts}});
    merge(&mut whole, rest);
    serde_json::from_value(whole).unwrap()
}

fn merge(into: &mut Json, from: &Json) {
    for (name, value) in from.as_object().into_iter().flatten() {
        into[name] = value.clone();
    }
}

fn short(happening: &Happening) -> String {
    let what = match &happening.what {
        Happened::Asked { text, page } => {
            format!("asked {text:?}{}", page.as_ref().map_or("", |_| " on a page"))
        }
        Happened::Answered { team, teammate, text } => {
            format!("{teammate} of {team} answered {text:?}")
        }
        Happened::Noted { teammate, text } => format!("{teammate} noted {text:?}"),
        Happened::Assigned { by, team, teammate } => match teammate {
            Some(teammate) => format!("{by} assigned {teammate} of {team}"),
            None => format!("{by} assigned {team}"),
        },
        Happened::HandedBack { by } => format!("{by} handed back"),
        Happened::Snoozed { by, until } => format!("{by} snoozed until {}", until.as_second()),
        Happened::Closed { by } => {
            format!("{} closed", by.as_ref().map_or("somebody", Slug::as_str))
        }
        Happened::Rated { stars, comment } => format!("rated {stars} {comment:?}"),
        Happened::Remarked { comment, .. } => format!("remarked {comment:?}"),
        Happened::Freed { by, team } => {
            format!("{} freed for {team}", by.as_ref().map_or("a workflow", Slug::as_str))
        }
        Happened::Reopened { by, team } => format!("{by} opened again for {team}"),
        Happened::ByBot(done) => format!("bot {done:?}"),
        Happened::Other { what, detail } => format!("{what} {detail}"),
    };
    format!("{}: {what}", happening.name)
}

fn check_whole(conversation: &Conversation, expected: &[&str]) {
    let read: Vec<String> = happenings(conversation, &directory()).iter().map(short).collect();
    assert_eq!(read, expected);
}

/// What one part is read as, after the first message.
fn check(part: (&str, &str, &str, Json), expected: &[&str]) {
    let conversation = conversation(&[part], &json!({"snoozed_until": 5_000}));
    let mut all = vec!["source:524: asked \"Hello?\" on a page"];
    all.extend(expected);
    check_whole(&conversation, &all);
}

#[test]
fn words_count_by_who_wrote_them() {
    let none = || json!({});
    check(("comment", "user 9", "And?", none()), &["part:100: asked \"And?\""]);
    check(("comment", "lead 9", "And?", none()), &["part:100: asked \"And?\""]);
    check(("comment", "contact 9", "And?", none()), &["part:100: asked \"And?\""]);
    check(("open", "user 9", "Again", none()), &["part:100: asked \"Again\""]);
    let answered = "part:100: ada of leads answered \"Here\"";
    check(("comment", "admin 7", "Here", none()), &[answered]);
    let stranger = "part:100: intercom-8 of leads answered \"Here\"";
    check(("comment", "admin 8", "Here", none()), &[stranger]);
    check(("comment", "admin 1", "Own", none()), &["part:100: bot Said { text: \"Own\" }"]);
    check(("quick_reply", "admin 1", "", none()), &[]);
    check(("comment", "bot 3", "I am Fin", none()), &["part:100: other_bot_wrote {\"ai\":false}"]);
    check(("comment", "admin 99", "Fin", none()), &["part:100: other_bot_wrote {\"ai\":true}"]);
    check(("comment", "user 9", "", none()), &[]);
}

#[test]
fn notes_are_for_teammates_whatever_else_they_do() {
    check(("note", "admin 7", "odd", json!({})), &["part:100: ada noted \"odd\""]);
    check(("note_and_reopen", "admin 7", "odd", json!({})), &["part:100: ada noted \"odd\""]);
    check(("note", "bot 3", "by a workflow", json!({})), &[]);
    check(("note", "admin 1", "the bot's own", json!({})), &[]);
}

#[test]
fn assignments_count_when_people_make_them() {
    let to = |kind: &str, id: &str| json!({"assigned_to": {"type": kind, "id": id}});
    check(("assignment", "admin 7", "", to("team", "50")), &["part:100: ada assigned support"]);
    check(("assignment", "admin 7", "", to("team", "52")), &["part:100: ada assigned leads"]);
    check(("assignment", "admin 7", "", to("team", "51")), &["part:100: ada assigned leads"]);
    let to_bo = "part:100: ada assigned intercom-8 of leads";
    check(("assignment", "admin 7", "", to("admin", "8")), &[to_bo]);
    let back = "part:100: ada handed back";
    check(("assignment", "admin 7", "", to("admin", "1")), &[back]);
    check(("assign_and_reopen", "admin 7", "", to("admin", "1")), &[back]);
    check(("assignment", "bot 3", "", to("team", "50")), &[]);
    check(("default_assignment", "bot 3", "", to("admin", "8")), &[]);
    let gave = "part:100: bot Gave { team: Slug(\"support\"), teammate: None }";
    check(("assignment", "admin 1", "", to("team", "50")), &[gave]);
    check(("assignment", "admin 1", "", to("admin", "1")), &[]);
    // Taken off whoever had it, it is the team's.
    check(
        ("assignment", "admin 7", "", to("nobody_admin", "0")),
        &["part:100: ada freed for leads"],
    );
    check(("assignment", "admin 7", "", json!({})), &["part:100: ada freed for leads"]);
    check(("assignment", "admin 99", "", to("team", "50")), &[]);
    check(
        ("assignment", "admin 7", "My colleague helps", to("team", "50")),
        &[
            "part:100: ada of leads answered \"My colleague helps\"",
            "part:100:done: ada assigned support",
        ],
    );
}

#[test]
fn ends_and_rests_may_come_with_words() {
    check(("close", "admin 7", "", json!({})), &["part:100: ada closed"]);
    check(("close", "bot 3", "", json!({})), &["part:100: somebody closed"]);
    check(("close", "admin 1", "", json!({})), &["part:100: bot Closed"]);
    check(("close", "admin 99", "", json!({})), &["part:100: somebody closed"]);
    check(
        ("close", "admin 7", "Bye", json!({})),
        &["part:100: ada of leads answered \"Bye\"", "part:100:done: ada closed"],
    );
    check(("snoozed", "admin 7", "", json!({})), &["part:100: ada snoozed until 5000"]);
    check(("open", "admin 7", "", json!({})), &["part:100: ada opened again for leads"]);
    check(("something_new", "admin 7", "", json!({})), &[]);
}

#[test]
fn what_was_taken_away_is_gone_and_files_leave_their_names() {
    check(("comment", "user 9", "", json!({"redacted": true, "body": "<p>x</p>"})), &[]);
    check(("close", "admin 7", "x", json!({"redacted": true})), &["part:100: ada closed"]);
    let files = json!({"attachments": [{"name": "a.png"}, {"url": "https://x.test/b"}]});
    check(
        ("comment", "user 9", "See", files.clone()),
        &["part:100: asked \"See\\n[a.png]\\n[file]\""],
    );
    check(("comment", "user 9", "", files), &["part:100: asked \"[a.png]\\n[file]\""]);
    let source = json!({"source": {"body": null, "redacted": true, "author": author("user 9")}});
    check_whole(&conversation(&[], &source), &[]);
}

#[test]
fn parts_stand_by_time_and_then_by_number() {
    let at = |id: &str, second: i64| json!({"id": id, "created_at": second});
    let parts = [
        ("comment", "user 9", "third", at("10", 50)),
        ("comment", "user 9", "second", at("9", 50)),
        ("comment", "user 9", "first", at("11", 49)),
    ];
    let rest = json!({"conversation_rating":
        {"rating": 4, "remark": "fine", "created_at": 60, "contact": {"id": "9"}}});
    check_whole(
        &conversation(&parts, &rest),
        &[
            "source:524: asked \"Hello?\" on a page",
            "part:11: asked \"first\"",
            "part:9: asked \"second\"",
            "part:10: asked \"third\"",
            "rating:524:60:4: rated 4 Some(\"fine\")",
            "rating:524:60:4:remark: remarked \"fine\"",
        ],
    );
    for rating in [json!({}), json!({"rating": null}), json!({"rating": 999})] {
        let rest = json!({"conversation_rating": rating});
        check_whole(&conversation(&[], &rest), &["source:524: asked \"Hello?\" on a page"]);
    }
}

#[test]
fn who_began_it_counts_too() {
    let source = |who: &str, delivered_as: &str| {
        json!({"source": {"type": "email", "body": "<p>Hi</p>", "author": author(who),
            "delivered_as": delivered_as}, "team_assignee_id": 50})
    };
    let check = |who: &str, delivered_as: &str, expected: &str| {
        check_whole(&conversation(&[], &source(who, delivered_as)), &[expected]);
    };
    check("user 9", "customer_initiated", "source:524: asked \"Hi\"");
    check("admin 7", "admin_initiated", "source:524: ada of support answered \"Hi\"");
    let campaign = "source:524: outbound_message {\"as\":\"campaigns_initiated\"}";
    check("admin 7", "campaigns_initiated", campaign);
}

#[test]
fn whoever_has_it_there_is_known_by_team_and_name() {
    let check = |rest: Json, expected: Option<(&str, &str)>| {
        let held = held_by(&conversation(&[], &rest), &directory());
        let held = held.as_ref().map(|(team, teammate)| (team.as_str(), teammate.as_str()));
        assert_eq!(held, expected);
    };
    check(json!({}), None);
    check(json!({"admin_assignee_id": 0, "team_assignee_id": 50}), None);
    check(json!({"admin_assignee_id": 1}), None);
    check(json!({"admin_assignee_id": 7, "team_assignee_id": 50}), Some(("support", "ada")));
    check(json!({"admin_assignee_id": "8"}), Some(("leads", "intercom-8")));
}

#[test]
fn people_are_found_by_id_else_by_name_in_any_case() {
    let directory = directory();
    let slug = |name: &str| Slug::try_from(name.to_string()).unwrap();
    let id = ExternalId::from;
    assert_eq!(directory.team_there(&slug("support")), Some(&id(50)));
    assert_eq!(directory.team_there(&slug("leads")), Some(&id(52)));
    assert_eq!(directory.team_there(&slug("sales")), None);
    assert_eq!(directory.team_here(&id(52)), Some(&slug("leads")));
    assert_eq!(directory.team_here(&id(51)), None);
    assert_eq!(directory.teammate_there(&slug("ada")), Some(id(7)));
    assert_eq!(directory.teammate_there(&slug("intercom-8")), Some(id(8)));
    assert_eq!(directory.teammate_there(&slug("cy")), None);
    assert_eq!(directory.teammate_here(&id(7)), slug("ada"));
    let odd = ExternalId::parse("A_1").unwrap();
    assert_eq!(directory.teammate_here(&odd), slug("intercom-a_1"));
}
