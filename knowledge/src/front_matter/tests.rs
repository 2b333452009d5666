use proptest::prelude::*;

use super::*;

fn audience(tiers: &[&str], plans: &[&str], tags: &[&str]) -> Audience {
    let own = |values: &[&str]| values.iter().map(|v| (*v).to_owned()).collect();
    Audience { tiers: own(tiers), plans: own(plans), tags: own(tags) }
}

fn check(text: &str, expected: &str) {
    let (head, body) = read(text);
    let said = format!(
        "id={:?} slug={:?} title={:?} url={:?} locale={:?} updated={:?} draft={} notes={:?} body={body:?}",
        head.id,
        head.slug,
        head.title,
        head.url,
        head.locale,
        head.updated,
        head.draft,
        head.notes.iter().map(|n| n.0).collect::<Vec<_>>(),
    );
    let said = said.replace("Some(", "").replace("\")", "\"");
    assert_eq!(said, expected, "{text}");
}

#[test]
fn yaml_and_toml_give_the_same_head() {
    let expected = "id=\"007\" slug=None title=\"A: b\" url=\"https://x.test/a\" locale=\"pt-BR\" \
        updated=\"2024-05-06\" draft=true notes=[] body=\"text\\n\"";
    check(
        "---\nid: 007\ntitle: 'A: b'\nurl: https://x.test/a\nlocale: pt_br\nupdated: 2024-05-06\ndraft: true\nother: {a: [1]}\n---\ntext\n",
        expected,
    );
    check(
        "+++\nid = \"007\"\ntitle = \"A: b\"\nurl = \"https://x.test/a\"\nlang = \"pt-BR\"\nupdated = 2024-05-06\ndraft = true\n[other]\na = 1\n+++\ntext\n",
        expected,
    );
}

#[test]
fn an_id_that_looks_like_a_number_is_kept_as_written() {
    for id in ["5783e412", "0x10", "1_000", "1.50", "true", "54521fd925e721e32a72eed0"] {
        let (head, _) = read(&format!("---\nid: {id}\n---\n"));
        assert_eq!(head.id.as_deref(), Some(id));
    }
}

#[test]
fn files_without_front_matter_are_all_body() {
    for text in [
        "",
        "# A\n",
        "---\n",
        "---\n\nA rule above.\n",
        "----\na: b\n----\n",
        "text\n---\nid: a\n---\n",
    ] {
        assert_eq!(read(text), (Head::default(), text));
    }
    check(
        "---\n---\nx",
        "id=None slug=None title=None url=None locale=None updated=None draft=false notes=[] body=\"x\"",
    );
}

#[test]
fn broken_front_matter_costs_a_note_and_keeps_what_is_plain() {
    check(
        "---\ntitle: Plans: \"monthly\n  and: [yearly\nid: plans\n---\nbody",
        "id=\"plans\" slug=None title=\"Plans: \\\"monthly\" url=None locale=None updated=None draft=false notes=[2] body=\"body\"",
    );
    check(
        "+++\ntitle = \"A\"\nid = \n+++\nbody",
        "id=None slug=None title=\"A\" url=None locale=None updated=None draft=false notes=[3] body=\"body\"",
    );
    check(
        "---\ntitle: Open\nid: open\n\nbody",
        "id=\"open\" slug=None title=\"Open\" url=None locale=None updated=None draft=false notes=[1] body=\"\\nbody\"",
    );
}

#[test]
fn half_of_a_list_or_an_anchor_is_no_name() {
    for start in ["[a,", "{a: b", "&a", "*a", "!a", "|", ">", "%a", "@a", "`a"] {
        let text = format!("---\ntitle: a: b: [\nslug: {start}\nid: {start}\n---\n");
        let (head, _) = read(&text);
        assert_eq!((head.slug, head.id), (None, None), "{start}");
        assert_eq!(head.notes.len(), 1, "{start}: {:?}", head.notes);
    }
    let (head, _) = read("---\ntitle: a: b: [\nid: \"[a\"\ndraft: [true\n---\n");
    assert_eq!(head.id.as_deref(), Some("[a"), "what is quoted is meant");
    assert!(head.draft, "a draft that cannot be read is one");
}

#[test]
fn a_url_leads_to_a_page_or_is_left_out_with_a_note() {
    for (url, kept) in [
        ("https://x.test/a?b=c:d", true),
        ("HTTP://x.test", true),
        ("/help/refunds", true),
        ("help/refunds.html#a:b", true),
        ("../a", true),
        ("javascript:alert(1)", false),
        ("JavaScript:alert(1)//https://x.test", false),
        ("data:text/html,x", false),
        ("//other.test/a", false),
        ("https:x.test", false),
        ("https://", false),
        ("/\\other.test", false),
        ("mailto:a@x.test", false),
    ] {
        let (head, _) = read(&format!("---\ntitle: T\nurl: {url}\n---\n"));
        assert_eq!(head.url.as_deref(), kept.then_some(url), "{url}");
        let lines: Vec<usize> = head.notes.iter().map(|n| n.0).collect();
        assert_eq!(lines, if kept { vec![] } else { vec![3] }, "{url}");
    }
}

#[test]
fn audiences_are_read_in_every_shape() {
    for (front, expected) in [
        ("audience: internal", audience(&[], &[], &["internal"])),
        ("audience: [a, b]", audience(&[], &[], &["a", "b"])),
        ("audience: a, b", audience(&[], &[], &["a", "b"])),
        ("audience: everyone", audience(&[], &[], &[])),
        ("audience:", audience(&[], &[], &[])),
        (
            "audience:\n  tiers: gold\n  plans: [pro, 2024]",
            audience(&["gold"], &["pro", "2024"], &[]),
        ),
        ("audience: {tags: [x], plan: pro}", audience(&[], &["pro"], &["x"])),
    ] {
        let (head, _) = read(&format!("---\n{front}\n---\n"));
        assert_eq!(head.audience, expected, "{front}");
        assert!(!head.draft && head.notes.is_empty(), "{front}: {:?}", head.notes);
    }
}

#[test]
fn an_article_of_unclear_audience_is_kept_from_customers() {
    for front in [
        "audience: {tiens: [gold]}",
        "title: [\naudience:\n  tags: [internal]",
        "title: \"a\naudience: {tags: internal}",
        "draft: perhaps",
    ] {
        let (head, _) = read(&format!("---\n{front}\n---\n"));
        assert!(head.draft, "{front}");
        assert!(!head.notes.is_empty(), "{front}");
    }
    let (head, _) = read("---\naudience:\n  tiens: gold\n---\n");
    assert_eq!(head.notes[0].0, 3);
    assert!(head.notes[0].2.contains("tiers"), "{:?}", head.notes);
    let (head, _) = read("---\ntitle: a: b: [\naudience: internal\n---\n");
    assert_eq!(head.audience.tags, ["internal"]);
}

#[test]
fn published_false_is_a_draft() {
    for (front, draft) in [
        ("published: false", true),
        ("published: true", false),
        ("draft: false", false),
        ("draft: yes", true),
    ] {
        assert_eq!(read(&format!("---\n{front}\n---\n")).0.draft, draft, "{front}");
    }
}

#[test]
fn a_bomb_of_anchors_or_nesting_is_survived() {
    let nested = format!("---\naudience: {}\n---\nbody", "[".repeat(20_000));
    assert_eq!(read(&nested).1, "body");
    let deep = format!("---\naudience: {}a{}\n---\nbody", "[".repeat(50), "]".repeat(50));
    assert_eq!(read(&deep).1, "body");
    let mut bomb = String::from("---\na0: &a0 [x,x,x,x,x,x,x,x,x]\n");
    for n in 1..12 {
        let refs = vec![format!("*a{}", n - 1); 9].join(",");
        bomb.push_str(&format!("a{n}: &a{n} [{refs}]\n"));
    }
    bomb.push_str("audience: *a11\n---\nbody");
    assert_eq!(read(&bomb).1, "body");
}

proptest! {
    #[test]
    fn any_text_is_read_and_the_body_is_its_end(text in "(---|\\+\\+\\+)?\n?(id|title|audience|draft)?[:=]?.{0,40}\n?.{0,80}(---)?\n?.{0,20}") {
        let (_, body) = read(&text);
        prop_assert!(text.ends_with(body));
    }

    #[test]
    fn any_bytes_in_front_matter_are_survived(front in "\\PC{0,200}", toml in any::<bool>()) {
        let fence = if toml { "+++" } else { "---" };
        let text = format!("{fence}\n{front}\n{fence}\nbody");
        let (_, body) = read(&text);
        prop_assert!(body.ends_with("body"));
    }
}

#[test]
fn an_audience_that_is_not_understood_closes_the_article() {
    for text in [
        "---\nAudience: internal\n---\nbody",
        "---\naudiance: internal\n---\nbody",
        "\n---\naudience: internal\n---\nbody",
        "+++\ntitle = \"Salaries\n[audience]\ntags = [\"internal\"]\n+++\nbody",
        "+++\ntitle = \"Salaries\naudience.tags = [\"internal\"]\n+++\nbody",
        "---\ntitle: \"x\n\"audience\": internal\n---\nbody",
        "---\ntitle: x\n\naudience: internal\n",
    ] {
        let (head, _) = read(text);
        assert!(head.draft || head.audience != Audience::default(), "{text:?} is public");
    }
    for text in ["---\ntitle: x\naudience: []\n---\nb", "---\ntitle: x\n---\naudience: y\n"] {
        assert!(!read(text).0.draft, "{text:?} is closed");
    }
}
