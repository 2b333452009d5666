//! Connecting: what is wrong is named with its mend, what is missing is written, and no secret shows.

use super::There;
use crate::bench::Bench;
use serde_json::{Value, json};
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
