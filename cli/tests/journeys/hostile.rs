//! Folders full of what help centres ought not to hold.

use crate::bench::Bench;
use std::fs;

#[test]
fn what_cannot_be_read_is_named_and_the_rest_is_indexed() {
    let bench = Bench::starter();
    let words: Vec<String> = (0..100_000).map(|n| format!("word{}", n % 977)).collect();
    bench.write("desk/articles/long.md", &format!("# Long\n\n{}\n", words.join(" ")));
    bench.write("desk/articles/big.md", &"lorem ipsum dolor\n".repeat(600_000));
    let deep = format!("# Deep\n\n{}text\n\n{}\n", "> ".repeat(20_000), "[".repeat(50_000));
    bench.write("desk/articles/deep.md", &deep);
    let items: String = (0..500).map(|n| format!("{}- item\n", "  ".repeat(n))).collect();
    bench.write("desk/articles/lists.md", &format!("# Lists\n\n{items}"));
    let (open, close) = ("<div>".repeat(20_000), "</div>".repeat(20_000));
    bench.write("desk/articles/deep.html", &format!("<body>{open}nested zebra{close}</body>"));
    let broken = "---\ntitle: \"unclosed\nupdated: [a, \n---\n# Broken\n\nThe giraffe rule.\n";
    bench.write("desk/articles/broken.md", broken);
    bench.write("desk/articles/empty.md", "");
    bench.write("desk/articles/head.md", "---\ntitle: Nothing but a head\n---\n");
    bench.write("desk/articles/odd.md", "# O\u{1}dd\u{1b}[31m\n\nBell\u{7}\u{202e} gnu\n");
    bench.write("desk/articles/notes.txt", "not an article\n");
    fs::write(bench.desk().join("articles/binary.md"), [0_u8, 159, 146, 150]).unwrap();
    fs::write(bench.desk().join("articles/latin.md"), b"# Caf\xe9\n").unwrap();

    let ran = bench.on_desk(&["index"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("11 articles, "), "3 of the starter, 8 of ours: {ran:?}");
    assert!(ran.out.contains("3 files skipped"), "{ran:?}");
    for part in [
        "articles/big.md: is 10800000 bytes long, more than the limit of 5242880",
        "articles/binary.md: is binary (it holds NUL bytes)",
        "articles/latin.md: is not UTF-8 text (byte 5); save it as UTF-8",
        "note desk/articles/broken.md:",
        "the front matter cannot be read",
    ] {
        assert!(ran.out.contains(part), "no {part:?} in {}", ran.out);
    }
    for (question, article) in [
        ("zebra", "deep.html"),
        ("giraffe", "broken.md"),
        ("gnu", "odd.md"),
        ("password", "change"),
    ] {
        let found = bench.json(&["search", question, "--mode", "words"]);
        let first = found["hits"][0]["article"].as_str().unwrap_or_default().to_string();
        assert!(first.starts_with(article), "{question}: {found:#}");
    }
    let answer = bench.on_desk(&["ask", "Bell gnu"]).out;
    let is_odd = |c: char| c.is_control() && c != '\n';
    assert!(
        !answer.contains(is_odd),
        "an article's control characters reach the terminal: {answer:?}"
    );
}

#[cfg(unix)]
#[test]
fn links_are_followed_and_loops_are_named() {
    use std::os::unix::fs::symlink;
    let bench = Bench::starter();
    bench.write("elsewhere/tea.md", "# Tea\n\nTea takes three minutes.\n");
    let articles = bench.desk().join("articles");
    symlink(bench.home().join("elsewhere"), articles.join("linked")).unwrap();
    symlink(&articles, articles.join("loop")).unwrap();
    symlink("nowhere.md", articles.join("dangling.md")).unwrap();
    let ran = bench.on_desk(&["index"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.out.contains("4 articles, "), "{ran:?}");
    assert!(ran.out.contains("articles/loop: ") && ran.out.contains("loop found"), "{ran:?}");
    assert!(ran.out.contains("articles/dangling.md: "), "{ran:?}");
}

#[test]
fn an_id_that_two_files_claim_is_reported_and_both_are_found() {
    let bench = Bench::starter();
    for name in ["a", "b"] {
        let text = format!("---\nid: same\n---\n# {name}\n\nThe zebra of {name}.\n");
        bench.write(&format!("desk/articles/{name}.md"), &text);
    }
    let ran = bench.on_desk(&["index"]);
    assert!(ran.out.contains("the id \"same\" is taken by"), "{ran:?}");
    let found = bench.json(&["search", "zebra", "--mode", "words"]);
    let ids: Vec<&str> =
        found["hits"].as_array().unwrap().iter().map(|h| h["article"].as_str().unwrap()).collect();
    assert!(ids.contains(&"same") && ids.contains(&"b.md"), "{ids:?}");
}
