//! The help centre in the desk's index, and the desk's articles in Intercom.

use super::There;
use serde_json::json;

#[test]
fn the_help_centre_is_indexed_and_stays_in_step() {
    let there = There::seated();
    let intercom = &there.intercom;
    let parcels = intercom.with_article(
        "Where parcels go",
        "<h2>Parcels</h2><p>Every parcel leaves from <b>Lisbon</b>.</p>",
    );
    let zebras = intercom.with_article("About zebras", "<p>Zebras are striped.</p>");
    intercom.publish(None, "Secret plans", "<p>Not yet.</p>", "draft");
    let (code, told) = there.json(&["articles"]);
    assert_eq!((code, told["written"].as_array().unwrap().len()), (Some(0), 2), "{told:#}");
    assert_eq!(told["left_out"], 1);
    let file = format!("desk/articles/intercom/{parcels}.en.html");
    let text = there.bench.read(&file);
    let head = format!(
        "---\nid: intercom-{parcels}\ntitle: \"Where parcels go\"\nlocale: en\nurl: \"http"
    );
    assert!(text.starts_with(&head), "{text}");
    let indexed = there.bench.json(&["index"]);
    assert_eq!((&indexed["articles"], &indexed["skipped"]), (&json!(5), &json!([])), "{indexed:#}");
    let found = there.bench.json(&["search", "Where does my parcel leave from? Lisbon"]);
    assert_eq!(found["hits"][0]["article"], format!("intercom-{parcels}"), "{found:#}");
    let (_, told) = there.json(&["articles"]);
    assert_eq!((&told["written"], &told["kept"]), (&json!([]), &json!(2)));
    intercom.unpublish(&zebras);
    intercom.publish(Some(&parcels), "Where parcels go", "<p>From Porto.</p>", "published");
    there.bench.write("desk/articles/intercom/own.md", "# Ours\n\nIt stays.");
    let (_, told) = there.json(&["articles"]);
    assert_eq!(told["written"], json!([format!("{parcels}.en.html")]));
    assert_eq!(told["removed"], json!([format!("{zebras}.en.html")]));
    assert_eq!(there.bench.json(&["index"])["embedded"], 2, "what changed, and what is ours");
    assert!(there.bench.read("desk/articles/intercom/own.md").contains("It stays."));
    let other = there.run(&["articles", "-o", "elsewhere"]);
    assert_eq!(other.code, Some(0), "{other:?}");
    assert!(other.err.contains("articles.folders does not hold elsewhere"), "{other:?}");
}

#[test]
fn all_pages_of_the_list_are_read_and_only_what_everyone_may_read_is_written() {
    let there = There::seated();
    let intercom = &there.intercom;
    let ids: Vec<String> = (0..27)
        .map(|n| intercom.with_article(&format!("Article {n}"), &format!("<p>Words {n}.</p>")))
        .collect();
    intercom.restrict(&ids[3], "restricted");
    let (code, told) = there.json(&["articles"]);
    assert_eq!((code, told["written"].as_array().unwrap().len()), (Some(0), 26), "{told:#}");
    assert_eq!((&told["restricted"], &told["left_out"]), (&json!(1), &json!(0)));
    intercom.restrict(&ids[4], "all_users");
    let (_, told) = there.json(&["articles"]);
    assert_eq!(told["removed"], json!([format!("{}.en.html", ids[4])]), "{told:#}");
}

#[test]
fn an_open_desk_brings_the_help_centre_by_itself() {
    let there = There::seated()
        .with("FRONTDESK_INTERCOM_ARTICLES_EVERY_H", "1")
        .with("FRONTDESK_LOG_LEVEL", "info");
    let id = there.intercom.with_article("Parcels", "<p>From Lisbon.</p>");
    let serving = there.serve();
    serving.running().wait_for("the help centre's articles are in step");
    assert!(there.bench.read(&format!("desk/articles/intercom/{id}.en.html")).contains("Lisbon"));
}

#[test]
fn open_english_articles_are_pushed_and_what_is_gone_is_taken_back() {
    let there = There::seated();
    there.run(&["push"]).refuses(&["server.public_url is not set"]);
    let there = there.with("FRONTDESK_SERVER_PUBLIC_URL", "https://desk.example");
    there.bench.write(
        "desk/articles/inside.md",
        "---\ntitle: Inside\naudience: {tags: [internal]}\n---\nHush.",
    );
    there.bench.write("desk/articles/de.md", "---\ntitle: Auf Deutsch\nlocale: de\n---\nEin Text.");
    there
        .bench
        .write("desk/articles/there.md", "---\nid: intercom-7\ntitle: Theirs\n---\nFrom there.");
    let (code, told) = there.json(&["push"]);
    assert_eq!(
        (code, &told["pushed"], &told["left_out"]),
        (Some(0), &json!(3), &json!(3)),
        "{told:#}"
    );
    let pages = there.intercom.external_pages();
    let password =
        pages.iter().find(|page| page.external_id == "frontdesk:change-your-password").unwrap();
    assert!(password.html.contains("<li>") && password.for_agent, "{password:?}");
    std::fs::remove_file(there.bench.desk().join("articles/invoices.md")).unwrap();
    let (_, told) = there.json(&["push"]);
    assert_eq!((&told["pushed"], &told["deleted"]), (&json!(2), &json!(1)));
    let pages = there.intercom.external_pages();
    assert!(pages.len() == 2 && pages.iter().all(|page| page.source_id == password.source_id));
}

#[test]
fn pages_of_others_stay_and_what_cannot_be_read_or_taken_is_named() {
    let there = There::seated().with("FRONTDESK_SERVER_PUBLIC_URL", "https://desk.example");
    let (desk, intercom) = (there.bench.desk(), &there.intercom);
    there
        .bench
        .write("desk/articles/intercom-setup.md", "# Setting Intercom up\n\nFirst, sign in.");
    there.bench.write(
        "desk/articles/link.md",
        "---\ntitle: Link\nurl: /help/link\n---\nAn address without a host.",
    );
    intercom.with_external_page("https://other.example", "theirs");
    let (code, told) = there.json(&["push"]);
    assert_eq!((code, &told["pushed"], &told["elsewhere"]), (Some(0), &json!(5), &json!([])));
    let link = intercom.external_pages().into_iter().find(|page| page.title == "Link").unwrap();
    assert_eq!(link.url, None);
    // A file that cannot be read now is no article that is gone.
    std::fs::write(desk.join("articles/link.md"), [0xff, 0xfe, 0x00, 0xd8, 0x41]).unwrap();
    std::fs::remove_file(desk.join("articles/invoices.md")).unwrap();
    let ran = there.run(&["push"]);
    assert!(ran.out.contains("3 pages pushed, 0 deleted"), "{ran:?}");
    assert!(ran.err.contains("link.md") && ran.err.contains("no page was taken back"), "{ran:?}");
    std::fs::remove_file(desk.join("articles/link.md")).unwrap();
    // One article that Intercom refuses does not keep the others from being shown.
    intercom.once("POST /ai/external_pages", tests::intercom::Mishap::Failing(422));
    let ran = there.run(&["push"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.out.contains("2 pages pushed, 2 deleted"), "{ran:?}");
    assert!(ran.err.contains("refused: article "), "{ran:?}");
    assert_eq!(intercom.external_pages().len(), 4, "three of ours, and theirs");
    intercom.switch_sources("deactivated");
    there.run(&["push"]).refuses(&["https://desk.example is deactivated", "activate or remove"]);
    intercom.switch_sources("active");
    intercom.with_external_page("https://desk.example", "page-of-the-web-team");
    let n = intercom.external_pages().len();
    there.run(&["push"]).refuses(&["holds 1 pages that Frontdesk did not make"]);
    assert_eq!(intercom.external_pages().len(), n);
    let there = there.with("FRONTDESK_SERVER_PUBLIC_URL", "https://new.example");
    let (_, told) = there.json(&["push"]);
    assert_eq!(told["elsewhere"], json!(["https://desk.example"]), "{told:#}");
}
