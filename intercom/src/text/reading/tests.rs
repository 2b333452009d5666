use super::*;
use proptest::prelude::*;
use std::time::Instant;

fn check(html: &str, expected: &str) {
    assert_eq!(to_text(html), expected, "{html:?}");
}

#[test]
fn what_customers_write_reads_as_meant() {
    check("<p>Hello</p>\n<p>Where is my order?</p>", "Hello\n\nWhere is my order?");
    check("<p>one<br>two<br/>three</p>", "one\ntwo\nthree");
    check("<p>one<br><br><br>two</p>", "one\n\ntwo");
    check("<p class=\"no-margin\">one</p><p class=\"no-margin\">two</p>", "one\ntwo");
    check("<p>a&nbsp;&amp; b &lt;c&gt; &#128512; &euro;5</p>", "a & b <c> 😀 €5");
    check("<p>So <b>very</b> <i>nice</i>, <code>x = 1</code></p>", "So very nice, x = 1");
    check("just text", "just text");
    check("  two   blanks \n and a line ", "two blanks and a line");
    check("", "");
    check("<p></p><p> </p>", "");
    check("<h1>Title</h1><div>one</div><div>two</div>", "Title\n\none\ntwo");
    check("<blockquote>they said</blockquote>I say", "they said\n\nI say");
}

#[test]
fn lists_and_tables_keep_their_order() {
    check("<p>Do:</p><ul><li>one</li><li>two</li></ul><p>End</p>", "Do:\n\n- one\n- two\n\nEnd");
    check("<ol><li>one</li><li><p>two</p></li></ol>", "1. one\n2. two");
    check(
        "<ul><li>a<ul><li>b</li></ul></li><li>c<ol><li>d</li></ol></li></ul>",
        "- a\n  - b\n- c\n  1. d",
    );
    check("<li>stray</li>", "- stray");
    check(
        "<table><tr><th>Item</th><th>Price</th></tr><tr><td>Tea</td><td>3</td></tr></table>",
        "Item | Price\nTea | 3",
    );
}

#[test]
fn links_show_where_they_lead() {
    check(
        "<p>See <a href=\"https://example.com/a?b=1&amp;c=2\">the plans</a>.</p>",
        "See the plans (https://example.com/a?b=1&c=2).",
    );
    check("<a href=\"https://example.com/\">https://example.com</a>", "https://example.com");
    check("<a href=\"https://example.com\">example.com</a>", "example.com");
    check("<a href=\"mailto:joe@example.com\">joe@example.com</a>", "joe@example.com");
    check("<a href=\"https://example.com\"></a>", "https://example.com");
    check("<a href=\"https://example.com\">open", "open (https://example.com)");
    check(
        "<a href=\"https://a.test\">x<a href=\"https://b.test\">y</a>",
        "x (https://a.test)y (https://b.test)",
    );
    check("<a href=\"javascript:alert(1)\">x</a><a>y</a><a href=\"/z\">z</a>", "xyz");
}

#[test]
fn images_are_mentioned_and_machinery_falls_away() {
    check("<p>Look: <img src=\"https://x.test/joe.png\" alt=\"me\"></p>", "Look: [image]");
    check("<img src=x><img src=y>", "[image] [image]");
    check("a<script>if (1 < 2) { steal() }</script>b<style>p{}</style>c", "abc");
    check("a<script>never closed <p>b</p>", "a");
    check("a<!-- hidden -->b<?php c ?>d", "abd");
    check("a<iframe src=x><p>b</p></iframe>c", "ac");
    let picture = format!("a<img src=\"data:image/png;base64,{}\">b < c", "QUJD".repeat(5_000));
    check(&picture, "a [image] b < c");
    check("<pre>one\n  two\n</pre>three", "one\n  two\n\nthree");
}

#[test]
fn rubble_is_survived() {
    for html in
        ["<", "<p", "</", "</p></p>", "<a href=", "&", "&#", "&#x110000;", "\0", "<a href=\"ä"]
    {
        let _ = to_text(html);
    }
    check("1 < 2 and 3 > 2", "1 < 2 and 3 > 2");
}

#[test]
fn nothing_blows_up() {
    let hostile = [
        "<ul><li>".repeat(50_000),
        "<div>".repeat(100_000) + "x",
        "<a href=\"https://x.test\">".repeat(20_000),
        "<b>".repeat(100_000) + "x",
        "<br>".repeat(100_000) + "x",
        "<td>".repeat(50_000),
        "&amp".repeat(100_000),
        "<p ".to_string() + &"a=b ".repeat(100_000),
        "<p ".to_string() + &(0..100_000).map(|n| format!("a{n} ")).collect::<String>(),
        "<p/".to_string() + &(0..100_000).map(|n| format!("a{n}/")).collect::<String>(),
        ("<p ".to_string() + &(0..600).map(|n| format!("a{n} ")).collect::<String>() + ">")
            .repeat(80),
    ];
    for html in hostile {
        let began = Instant::now();
        let text = to_text(&html);
        assert!(text.len() <= html.len() + 100, "{} grew to {}", html.len(), text.len());
        assert!(began.elapsed().as_secs() < 20, "{} bytes took too long", html.len());
    }
}

proptest! {
    #[test]
    fn no_html_is_too_odd(html in "(<[/a-z]{0,4}( href=[a-z:/]{0,8})?>?|[ -~äé\n&;#]{0,6}){0,40}") {
        let text = to_text(&html);
        prop_assert_eq!(text.trim(), &text);
        prop_assert!(!text.contains("\n\n\n"));
    }

    #[test]
    fn words_survive(words in proptest::collection::vec("[a-zäöü0-9]{1,8}", 1..20)) {
        let html: String = words.iter().map(|word| format!("<p><b>{word}</b></p>")).collect();
        prop_assert_eq!(to_text(&html), words.join("\n\n"));
    }
}
