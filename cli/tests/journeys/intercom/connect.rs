//! Connecting: what is wrong is named with its mend, what is missing is written, and no secret shows.

use super::There;
use crate::bench::Bench;
use serde_json::{Value, json};
use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
    time::Duration,
};
use tests::intercom::Mishap;

/// The checks of a part.
fn of<'a>(document: &'a Value, part: &str) -> Vec<&'a Value> {
    let checks = document["checks"].as_array().unwrap();
    checks.iter().filter(|check| check["part"] == part).collect()
}

fn states(document: &Value, part: &str) -> Vec<String> {
    let of = of(document, part);
    of.iter().map(|check| check["state"].as_str().unwrap().to_string()).collect()
}

#[test]
fn a_fresh_desk_is_told_what_to_write_and_writes_it() {
    let there = There::new();
    let (support, billing) =
        (there.intercom.with_team("Support", &[]), there.intercom.with_team("Billing EU", &[]));
    there.intercom.with_admin("Lena");
    let told = there.run(&["connect"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    let seat = there.intercom.bot_admin();
    for part in [
        "ok       token      it is valid, and version 2.14 answers",
        "ok       workspace  Vannerly (id a86dr8yl)",
        "the token may read conversations, contacts, companies, teammates, teams, tags, articles",
        "broken   seat       intercom.admin_id is not set",
        &format!("set admin_id = \"{seat}\" for Frontdesk ({seat})"),
        "the workspace has no team \"Billing\", which team billing could be",
        &format!("known_as = {{ intercom = \"{billing}\" }}"),
        "ok       teams      1 of 2 are there",
        "warning  webhook    server.public_url is not set",
        "or run it again with --write",
    ] {
        assert!(told.out.contains(part), "no {part:?} in {}", told.out);
    }
    let (settings, routing) =
        (there.bench.read("desk/frontdesk.toml"), there.bench.read("desk/routing.toml"));
    let (code, document) = there.json(&["connect", "--write"]);
    assert_eq!((code, &document["written"]), (Some(1), &json!(true)), "{document:#}");
    let after = there.bench.read("desk/frontdesk.toml");
    let line = format!("[intercom]\nadmin_id = \"{seat}\"\n");
    assert_eq!(after, settings.replace("[intercom]\n", &line));
    let line = format!("known_as = {{ intercom = \"{billing}\" }}\n");
    let with_team = there.bench.read("desk/routing.toml");
    assert!(with_team.contains(&line), "{with_team}");
    assert_eq!(with_team.replace(&line, ""), routing, "nothing else has changed");
    assert!(!routing.contains(&support));
    let (code, document) = there.json(&["connect"]);
    assert_eq!((code, &document["sound"]), (Some(0), &json!(true)), "{document:#}");
    assert_eq!(document["lines"], json!([]));
    assert_eq!(
        (states(&document, "seat"), states(&document, "teams")),
        (vec!["ok".into()], vec!["ok".into()])
    );
}

#[test]
fn what_serve_would_refuse_of_it_check_finds() {
    let there = There::new();
    let served = there.bench.on_desk(&["serve", "--listen", "127.0.0.1:0"]);
    served.refuses(&["intercom.admin_id has to be an id"]);
    let told = there.bench.on_desk(&["check"]);
    assert_eq!(told.code, Some(1), "{told:?}");
    assert!(told.out.contains("intercom.admin_id has to be an id; `frontdesk intercom connect`"));
}

#[test]
fn a_seat_can_be_chosen_and_a_wrong_one_is_refused() {
    let there = There::new();
    let lena = there.intercom.with_admin("Lena");
    there.intercom.with_team("Support", &[]);
    there.intercom.with_team("Billing", &[]);
    let wrong = there.run(&["connect", "--seat", "12", "--write"]);
    assert_eq!(wrong.code, Some(1), "{wrong:?}");
    assert!(wrong.out.contains("no teammate of the workspace has the id 12"), "{wrong:?}");
    assert!(!there.bench.read("desk/frontdesk.toml").contains("\nadmin_id"));
    let right = there.run(&["connect", "--seat", &lena, "--write"]);
    assert_eq!(right.code, Some(0), "{right:?}");
    assert!(
        there.bench.read("desk/frontdesk.toml").contains(&format!("\nadmin_id = \"{lena}\"\n"))
    );
    assert!(right.out.contains(&format!("the bot writes as Lena ({lena})")), "{right:?}");
    there.run(&["connect", "--seat", "no id"]).refuses(&["frontdesk intercom connect"]);
}

#[test]
fn a_wrong_token_a_shut_area_and_a_wrong_region_are_named_with_their_mend() {
    let there = There::seated();
    for name in ["Support", "Billing"] {
        there.intercom.with_team(name, &[]);
    }
    there.intercom.once("GET /articles", Mishap::Failing(403));
    let (code, document) = there.json(&["connect"]);
    assert_eq!((code, states(&document, "scopes")), (Some(1), vec!["broken".into()]));
    let mend = of(&document, "scopes")[0]["mend"].as_str().unwrap();
    assert!(mend.contains("tick \"Read and List articles\" in the Developer Hub"), "{mend}");
    let there = there.with("FRONTDESK_INTERCOM_REGION", "eu");
    let (_, document) = there.json(&["connect"]);
    assert!(
        document.to_string().contains("its data lie in us, and intercom.region is eu"),
        "{document:#}"
    );
    assert_eq!(document["lines"][0]["lines"], json!(["[intercom]", "region = \"us\""]));
    let there = there.with("FRONTDESK_INTERCOM_ACCESS_TOKEN", "another-token");
    let ran = there.run(&["connect"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("Intercom does not know the access token (unauthorized)"), "{ran:?}");
    assert!(
        ran.out.contains("copy the token again") && !ran.out.contains("another-token"),
        "{ran:?}"
    );
    let there = there.with("FRONTDESK_INTERCOM_ACCESS_TOKEN", "");
    there.run(&["connect"]).refuses(&["intercom.access_token is not set", "docs/intercom.md"]);
}

#[test]
fn an_area_that_answers_oddly_is_not_one_that_may_be_read() {
    let there = There::seated();
    for name in ["Support", "Billing"] {
        there.intercom.with_team(name, &[]);
    }
    for (status, what) in [(404, "articles cannot be read"), (400, "articles cannot be read")] {
        there.intercom.once("GET /articles", Mishap::Failing(status));
        let (code, document) = there.json(&["connect"]);
        assert_eq!((code, states(&document, "scopes")), (Some(1), vec!["broken".into()]));
        let told = of(&document, "scopes")[0]["what"].as_str().unwrap();
        assert!(told.contains(what), "{status}: {told}");
    }
}

#[test]
fn teams_and_teammates_have_counterparts_of_their_own() {
    let there = There::seated();
    let (support, clients) =
        (there.intercom.with_team("Support", &[]), there.intercom.with_team("Clients", &[]));
    let ada = there.intercom.with_admin("Ada");
    let routing = there.bench.read("desk/routing.toml");
    // Billing is taken for Support: both would go there, and come back as one.
    let shared = routing.replace(
        "name = \"Billing\"\n",
        &format!("name = \"Billing\"\nknown_as = {{ intercom = \"{support}\" }}\n"),
    );
    there.bench.write("desk/routing.toml", &shared);
    let (code, document) = there.json(&["connect"]);
    assert_eq!((code, states(&document, "teams")), (Some(0), vec!["warning".into(), "ok".into()]));
    let told = of(&document, "teams")[0]["what"].as_str().unwrap();
    assert!(told.contains(&format!("support and billing are one team there, {support}")), "{told}");
    assert_eq!(states(&document, "teammates"), ["ok"]);
    // What another team has is proposed to none.
    let near = routing.replace("name = \"Billing\"\n", "name = \"Support 2\"\n");
    there.bench.write("desk/routing.toml", &near);
    let (code, document) = there.json(&["connect"]);
    assert_eq!((code, &document["lines"]), (Some(1), &json!([])), "{document:#}");
    let mend = of(&document, "teams")[0]["mend"].as_str().unwrap();
    assert!(mend.contains(&clients) && !mend.contains(&support), "{mend}");
    for (known_as, state, what) in [
        ("12".into(), "broken", "teammate ada is known as 12, and the workspace has none such"),
        (there.intercom.bot_admin(), "broken", "teammate ada has the bot's seat"),
        (ada, "ok", "1 of 1 are there"),
    ] {
        let line = format!("name = \"Ada\"\nknown_as = {{ intercom = \"{known_as}\" }}\n");
        there.bench.write("desk/routing.toml", &routing.replace("name = \"Ada\"\n", &line));
        let (_, document) = there.json(&["connect"]);
        let told = of(&document, "teammates")[0];
        assert_eq!(told["state"], state, "{document:#}");
        assert!(told["what"].as_str().unwrap().contains(what), "{told:#}");
    }
}

#[test]
fn a_seat_is_written_where_the_environment_holds_the_rest() {
    // The file alone would be refused: what it needs stands in the environment.
    let there = There::new();
    for name in ["Support", "Billing"] {
        there.intercom.with_team(name, &[]);
    }
    let settings = there.bench.read("desk/frontdesk.toml");
    let remote = "[generator]\nkind = \"remote\"\n";
    assert!(settings.contains("[generator]\n"), "{settings}");
    there.bench.write("desk/frontdesk.toml", &settings.replace("[generator]\n", remote));
    let there = there
        .with("FRONTDESK_GENERATOR_URL", "http://127.0.0.1:9")
        .with("FRONTDESK_GENERATOR_MODEL", "some");
    let (code, document) = there.json(&["connect", "--write"]);
    assert_eq!((code, &document["written"]), (Some(1), &json!(true)), "{document:#}");
    assert_eq!(of(&document, "files").len(), 0);
    // What cannot be written stands beside the checks, which are shown all the same.
    let there = there.with("FRONTDESK_INTERCOM_ADMIN_ID", "");
    there.bench.write("desk/frontdesk.toml", "intercom = 7\n");
    let ran = there.run(&["connect", "--write"]);
    assert_eq!(ran.code, Some(2), "such a desk does not start: {ran:?}");
    std::fs::remove_file(there.bench.desk().join("frontdesk.toml")).unwrap();
    std::fs::create_dir(there.bench.desk().join("frontdesk.part")).unwrap();
    let (code, document) = there.json(&["connect", "--write"]);
    assert_eq!(
        (code, states(&document, "files")),
        (Some(1), vec!["broken".into()]),
        "{document:#}"
    );
    assert_eq!(
        (states(&document, "token"), &document["written"]),
        (vec!["ok".into()], &json!(false))
    );
}

#[test]
fn a_slow_door_is_named() {
    let door = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = door.local_addr().unwrap();
    // The head of the address, what is signed, what is not.
    let answering = thread::spawn(move || {
        for (status, wait_ms) in [("200 OK", 0), ("200 OK", 600), ("401 Unauthorized", 0)] {
            let (mut stream, _) = door.accept().unwrap();
            let mut head = [0; 4096];
            let n_read = stream.read(&mut head).unwrap();
            assert!(n_read > 0);
            thread::sleep(Duration::from_millis(wait_ms));
            let answer =
                format!("HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
            stream.write_all(answer.as_bytes()).unwrap();
        }
    });
    let there = There::seated().with("FRONTDESK_SERVER_PUBLIC_URL", &format!("http://{address}"));
    let (_, document) = there.json(&["connect"]);
    answering.join().unwrap();
    let told = of(&document, "webhook")[1];
    assert_eq!(told["state"], "warning", "{document:#}");
    assert!(told["what"].as_str().unwrap().contains("puts doors last that take more than 500"));
}

#[test]
fn attributes_that_rules_set_have_to_be_there() {
    let there = There::seated();
    let routing = there.bench.read("desk/routing.toml");
    let rule = "\n[[rule]]\nname = \"Mark\"\nwhen = 'channel == \"intercom\"'\n\
                then = { attributes = { desk_topic = \"x\" } }\n";
    there.bench.write("desk/routing.toml", &format!("{routing}{rule}"));
    let (_, document) = there.json(&["connect"]);
    let told = of(&document, "attributes");
    assert_eq!(told[0]["state"], "warning", "{document:#}");
    assert!(told[0]["what"].as_str().unwrap().contains("no attribute desk_topic"));
    there.intercom.with_conversation_attribute("desk_topic", "string");
    let (_, document) = there.json(&["connect"]);
    assert_eq!(states(&document, "attributes"), ["ok"]);
}

#[test]
fn the_door_is_tried_with_a_right_and_a_wrong_signature() {
    let there = There::seated();
    let serving = there.serve();
    let there = there.with("FRONTDESK_SERVER_PUBLIC_URL", &format!("http://{}", serving.address()));
    let (_, document) = there.json(&["connect"]);
    let door = of(&document, "webhook");
    assert_eq!(door[1]["state"], "ok", "{document:#}");
    assert!(
        door[1]["what"]
            .as_str()
            .unwrap()
            .ends_with("/webhooks/intercom takes what is signed and refuses what is not")
    );
    let (code, doctor) = {
        let ran = there.bench.on_desk(&["doctor", "--json"]);
        (ran.code, ran.document())
    };
    assert!(code.is_some());
    assert_eq!(
        (states(&doctor, "intercom"), of(&doctor, "webhook").len()),
        (vec!["ok".into(), "ok".into()], 2)
    );
    let there = there.with("FRONTDESK_INTERCOM_CLIENT_SECRET", "another-secret");
    let (code, document) = there.json(&["connect"]);
    assert_eq!(
        (code, &of(&document, "webhook")[1]["state"]),
        (Some(1), &json!("broken")),
        "{document:#}"
    );
    assert!(document.to_string().contains("it refuses what is signed by intercom.client_secret"));
    drop(serving);
    let (_, document) = there.json(&["connect"]);
    assert!(document.to_string().contains("no connection"), "{document:#}");
    let there = there.with("FRONTDESK_INTERCOM_CLIENT_SECRET", "");
    let (code, document) = there.json(&["connect"]);
    assert_eq!((code, states(&document, "webhook")), (Some(1), vec!["broken".into()]));
}

#[test]
fn a_desk_without_intercom_hears_nothing_of_it_from_the_doctor() {
    let bench = Bench::starter();
    let told = bench.on_desk(&["doctor", "--json"]).document();
    assert!(of(&told, "intercom").is_empty() && of(&told, "webhook").is_empty(), "{told:#}");
}
