use proptest::prelude::*;

use super::*;
use crate::inline::size;

fn article(body: &str) -> Article {
    Article {
        id: "a".to_owned(),
        title: "Title".to_owned(),
        url: None,
        locale: "en".to_owned(),
        audience: crate::Audience::default(),
        updated: None,
        draft: false,
        body: body.to_owned(),
        path: "a.md".into(),
        place: "a.md".to_owned(),
    }
}

/// The passages as "heading > path: text", and proof that they cover the body.
fn shown(body: &str) -> Vec<String> {
    let passages = split(&article(body));
    covers(body, &passages);
    passages.iter().map(|p| format!("{}: {}", p.heading.join(" > "), p.text)).collect()
}

fn covers(body: &str, passages: &[Passage]) {
    assert!(!passages.is_empty());
    let whole: String = passages.iter().map(|p| body.get(p.range.clone()).unwrap()).collect();
    assert_eq!(whole, body);
    let mut end = 0;
    for passage in passages {
        assert_eq!(passage.range.start, end);
        end = passage.range.end;
    }
}

fn check(body: &str, expected: &[&str]) {
    assert_eq!(shown(body), expected, "{body}");
}

#[test]
fn headings_cut_and_make_the_path() {
    check(
        "Intro.\n\n# Title\n\nUnder the title.\n\n## Pay\n\nText.\n\n### Card\nMore.\n\n## End\n\nLast.",
        &[": Intro.", ": Under the title.", "Pay: Text.", "Pay > Card: More.", "End: Last."],
    );
    check("## A\n\n## B\n\nText.\n\n## C\n", &["B: Text."]);
    check("Setext\n======\nText", &["Setext: Text"]);
    check("## A `b` [c](d) {#id}\n\nx", &["A b c: x"]);
}

#[test]
fn an_article_without_text_is_one_passage() {
    check("", &[": "]);
    check("\n\n", &[": "]);
    check("{% include x.html %}\n", &[": "]);
    check("# Only a heading\n", &["Only a heading: "]);
}

#[test]
fn inline_markup_becomes_its_text() {
    check(
        "A **bold** [link](http://x.y){:target=\"_blank\"}, ![a chart](c.png), `code`, <b>tag</b>, &amp; <https://a.b>.",
        &[": A bold link, a chart, code, tag, & https://a.b."],
    );
    check("one  \ntwo\nthree<br>four", &[": one\ntwo three\nfour"]);
    check(
        "Replace <YOUR_KEY> now.[^1]\n\n[^1]: A note.",
        &[": Replace <YOUR_KEY> now.\n\nA note."],
    );
    check("Version {{ v }}is out{% if a %}.{% endif %}", &[": Version is out."]);
}

#[test]
fn lists_keep_their_lines_and_numbers() {
    check(
        "Do this:\n\n1. One\n2. Two\n   - deep *er*\n   - again\n\n     more\n3. Three\n   ```sh\n   run\n   ```\n\nDone.",
        &[
            ": Do this:\n\n1. One\n2. Two\n  - deep er\n  - again\n    more\n3. Three\n  ```sh\n  run\n  ```\n\nDone.",
        ],
    );
    check(
        "1. One\n- under\n- again\n2. Two\n\nText.\n\n- own",
        &[": 1. One\n  - under\n  - again\n2. Two\n\nText.\n\n- own"],
    );
    check("- a\n       - b", &[": - a\n- b"]);
    check("* a\n\n* b\n\n  c\n- [ ] d\n- [x] e", &[": - a\n- b\n  c\n- [ ] d\n- [x] e"]);
    check("- ```\n  x\n  ```\n- # H\n  y", &[": -\n  ```\n  x\n  ```\n- H\n  y"]);
}

#[test]
fn tables_code_and_quotes_keep_their_form() {
    check(
        "Before\n\n| a | b |\n|---|---|\n| 1 | `x|y` |\n| **2** |  |",
        &[": Before\n\n| a | b |\n| 1 | `x | y` |\n| 2 |  |".replace("`x | y`", "`x").as_str()],
    );
    check("| a |\n|---|", &[": | a |"]);
    check(
        "```json\n{ \"a\": {{ b }} }\n\n  {% x %}\n```\nAfter",
        &[": ```json\n{ \"a\": {{ b }} }\n\n  {% x %}\n```\n\nAfter"],
    );
    check("    indented\n    code", &[": ```\nindented\ncode\n```"]);
    check(
        "> info \"Mind this\"\n> Text of it.\n\n> Plain\n> quote",
        &[": Mind this. Text of it.\n\nPlain quote"],
    );
}

#[test]
fn html_keeps_its_text() {
    check(
        "<table>\n<tr><td>a</td><td><b>b</b></td></tr>\n\n  <tr>\n    <td>c</td>\n\n    <td>d</td>\n  </tr>\n</table>\n\nAfter <!-- hidden -->this.\n\n<div class=\"x\">\nInside\n</div>",
        &[": | a | b |\n\n| c |\n\nd\n\nAfter this.\n\nInside"],
    );
}

#[test]
fn components_vanish_from_mdx() {
    let mut mdx = article("import A from 'a'\n\n<Note kind={'x'}>Text</Note>\n\n{props.x}\n");
    mdx.path = "a.mdx".into();
    assert_eq!(split(&mdx)[0].text, "Text");
}

fn paragraphs(n: usize, words: usize) -> String {
    (0..n).map(|i| format!("P{i}{}.\n\n", " word".repeat(words - 1))).collect()
}

#[test]
fn passages_are_of_even_size_and_cut_between_blocks() {
    let body = paragraphs(12, 40);
    let passages = split(&article(&body));
    covers(&body, &passages);
    for passage in &passages {
        assert!((80..=160).contains(&size(&passage.text)), "{}", size(&passage.text));
        assert!(passage.text.starts_with('P') && passage.text.ends_with('.'));
    }
}

#[test]
fn a_split_table_repeats_its_header_and_split_code_its_fence() {
    let rows: String = (0..60).map(|n| format!("| row {n} | some words in a cell |\n")).collect();
    let body = format!("| name | what |\n|---|---|\n{rows}");
    let passages = split(&article(&body));
    covers(&body, &passages);
    assert!(passages.len() > 2);
    for passage in &passages {
        assert!(passage.text.starts_with("| name | what |\n| row "), "{}", passage.text);
    }
    let lines: String = (0..90).map(|n| format!("let a{n} = call(b, c);\n")).collect();
    let body = format!("```js\n{lines}```\n");
    let passages = split(&article(&body));
    covers(&body, &passages);
    assert!(passages.len() > 1);
    for passage in &passages {
        assert!(passage.text.starts_with("```js\nlet a") && passage.text.ends_with(";\n```"));
    }
}

#[test]
fn an_introduction_stays_with_its_list() {
    let body = format!("{}To do it:\n\n- one\n- two\n- three\n", paragraphs(3, 45));
    let passages = split(&article(&body));
    covers(&body, &passages);
    assert!(passages.iter().any(|p| p.text.contains("To do it:\n\n- one\n- two\n- three")));
}

#[test]
fn an_article_of_a_hundred_thousand_words_is_split() {
    for unit in [
        "word ",
        "A sentence of words. ",
        "漢字",
        "- item\n",
        "| a | b |\n",
        "# H\n",
        "x\n\n",
        "<p>a</p>\n",
        "`c` ",
    ] {
        let body = unit.repeat(100_000 / unit.split_whitespace().count().max(1));
        let passages = split(&article(&body));
        covers(&body, &passages);
        let largest = passages.iter().map(|p| size(&p.text)).max().unwrap();
        assert!(largest <= 400, "{unit}: {largest}");
    }
}

#[test]
fn deep_nesting_and_strange_characters_are_survived() {
    for unit in [
        ">", "> ", "* ", "- ", "[", "![", "(", "**", "_", "`", "<div>", "<", "1. ", "{%", "{{",
        "||", "&", "\\", "[^a]: ", "\u{202e}", "\u{7}", "\r", "#",
    ] {
        let body = format!("{}end of it", unit.repeat(10_000));
        covers(&body, &split(&article(&body)));
        let lines = format!("{unit}x\n").repeat(5_000);
        covers(&lines, &split(&article(&lines)));
    }
    let body = "مرحبا **بالعالم** كيف\u{202e} حالك؟\u{0}\u{1b}[31m";
    assert_eq!(shown(body), [": مرحبا بالعالم كيف\u{202e} حالك؟[31m"]);
}

#[test]
fn the_embedded_text_begins_with_title_and_headings() {
    let passage = Passage {
        article: 0,
        heading: vec!["A".into(), "B".into()],
        range: 0..1,
        text: "t".into(),
    };
    assert_eq!(embedding_text("Title", &passage), "Title\nA > B\nt");
    let long = Passage { text: "ä".repeat(2_000), ..passage };
    assert!(embedding_text("Title", &long).len() <= EMBEDDED_LIMIT);
}

proptest! {
    #[test]
    fn passages_cover_any_text(body in "\\PC{0,300}") {
        covers(&body, &split(&article(&body)));
    }

    #[test]
    fn passages_cover_any_markdown(parts in prop::collection::vec(part(), 0..30)) {
        let body = parts.concat();
        let passages = split(&article(&body));
        covers(&body, &passages);
        for passage in passages {
            let clean = !passage.text.contains(['\u{1}', '\u{c}']);
            prop_assert!(clean, "a filler was left");
        }
    }
}

fn part() -> impl Strategy<Value = String> {
    prop_oneof![
        "[a-zäö漢 .?!\n]{0,80}",
        prop::sample::select(vec![
            "# H\n",
            "\n\n",
            "- item\n",
            "  - sub\n",
            "1. one\n",
            "> quote\n",
            "```\ncode\n```\n",
            "```\n",
            "| a | b |\n|---|---|\n| 1 | 2 |\n",
            "**b** ",
            "[l](u) ",
            "![i](u)",
            "<div>\n",
            "</div>\n",
            "<br>",
            "{% if %}",
            "{{ x }}",
            "{: .c}\n",
            "<!-- c -->",
            "    indented\n",
            "\t",
            "---\n",
            "===\n",
            "[^1]",
            "[^1]: n\n",
            "<table><tr><td>",
            "&nbsp;",
            "`c`",
            "\\",
            "> info \"T\"\n",
            "word word word word word word word. ",
        ])
        .prop_map(str::to_owned),
        (1_usize..120).prop_map(|n| "many words, ".repeat(n)),
    ]
}
