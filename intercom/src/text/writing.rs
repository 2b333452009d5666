use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{CowStr, Event, HeadingLevel, Parser, Tag, TagEnd, html::push_html};
use std::collections::{HashMap, HashSet};

/// What the vendor's inbox and messenger show.
const TAGS: [&str; 12] = ["a", "b", "br", "code", "h1", "h2", "i", "li", "ol", "p", "pre", "ul"];

/// Where links may lead.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// Makes HTML of Markdown (CommonMark), of what the vendor shows and nothing else: HTML in it is
/// shown as it was written, links lead to the web, to mail or to a telephone, images become links,
/// headings below the second are bold, quotes lose their form. A line break stays one.
pub fn from_markdown(markdown: &str) -> String {
    let mut written = String::with_capacity(markdown.len() * 3 / 2);
    push_html(&mut written, Parser::new(markdown).flat_map(tamed));
    let mut builder = Builder::empty();
    builder
        .tags(HashSet::from(TAGS))
        .tag_attributes(HashMap::from([("a", HashSet::from(["href"]))]))
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(None);
    builder.clean(&written).to_string().trim().replace(">\n<", "><")
}

/// Takes an event of the parser as far as the vendor can show it.
fn tamed(event: Event<'_>) -> Vec<Event<'_>> {
    let raw = |html: &'static str| Event::InlineHtml(CowStr::Borrowed(html));
    match event {
        Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
        Event::SoftBreak => vec![Event::HardBreak],
        Event::Rule | Event::Start(Tag::BlockQuote(_)) | Event::End(TagEnd::BlockQuote(_)) => {
            vec![]
        }
        Event::Start(Tag::Strong) => vec![raw("<b>")],
        Event::End(TagEnd::Strong) => vec![raw("</b>")],
        Event::Start(Tag::Emphasis) => vec![raw("<i>")],
        Event::End(TagEnd::Emphasis) => vec![raw("</i>")],
        Event::Start(Tag::Heading { level, .. }) if level > HeadingLevel::H2 => {
            vec![Event::Start(Tag::Paragraph), raw("<b>")]
        }
        Event::End(TagEnd::Heading(level)) if level > HeadingLevel::H2 => {
            vec![raw("</b>"), Event::End(TagEnd::Paragraph)]
        }
        Event::Start(Tag::HtmlBlock) => vec![Event::Start(Tag::Paragraph)],
        Event::End(TagEnd::HtmlBlock) => vec![Event::End(TagEnd::Paragraph)],
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            vec![Event::Start(Tag::Link { link_type, dest_url, title, id })]
        }
        Event::End(TagEnd::Image) => vec![Event::End(TagEnd::Link)],
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(markdown: &str, expected: &str) {
        assert_eq!(from_markdown(markdown), expected, "{markdown:?}");
    }

    #[test]
    fn what_is_written_reads_as_meant() {
        check("one\ntwo\n\nthree", "<p>one<br>\ntwo</p><p>three</p>");
        check("**bold** *it* `code`", "<p><b>bold</b> <i>it</i> <code>code</code></p>");
        check("# One\n## Two\n### Three", "<h1>One</h1><h2>Two</h2><p><b>Three</b></p>");
        check("- a\n- b\n\n1. c", "<ul><li>a</li><li>b</li></ul><ol><li>c</li></ol>");
        check("```sh\na < b\n```", "<pre><code>a &lt; b\n</code></pre>");
        check("> quoted\n\n---\n\nnot", "<p>quoted</p><p>not</p>");
        check(
            "[Plans](https://example.com/plans?a=1&b=2)",
            "<p><a href=\"https://example.com/plans?a=1&amp;b=2\">Plans</a></p>",
        );
        check(
            "![A cat](https://example.com/c.png)",
            "<p><a href=\"https://example.com/c.png\">A cat</a></p>",
        );
        check("", "");
    }

    #[test]
    fn nothing_in_it_acts() {
        check("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
        check("a <img src=x onerror=alert(1)>", "<p>a &lt;img src=x onerror=alert(1)&gt;</p>");
        check("[x](javascript:alert(1))", "<p><a>x</a></p>");
        check("[x](JaVaScRiPt:alert(1))", "<p><a>x</a></p>");
        check("[x](data:text/html;base64,PHN2Zz4=)", "<p><a>x</a></p>");
        check("[x](/inbox)", "<p><a>x</a></p>");
        check("<b>bold?</b>", "<p>&lt;b&gt;bold?&lt;/b&gt;</p>");
        let hostile = from_markdown("[x](https://x.test/\"onmouseover=\"alert(1))\n\n`</code><b>`");
        assert!(!hostile.contains("<b>") && !hostile.contains("\"onmouseover"), "{hostile}");
    }

    #[test]
    fn nothing_blows_up() {
        let hostile = [
            "> ".repeat(2_000) + "x",
            (0..300).map(|depth| format!("{}- x\n", "  ".repeat(depth))).collect(),
            "[".repeat(20_000),
            "![a](".repeat(5_000),
            "**_".repeat(10_000),
            "<div>".repeat(10_000),
            "`".repeat(20_000) + "x",
            "# ".repeat(5_000),
        ];
        for markdown in hostile {
            let began = std::time::Instant::now();
            let html = from_markdown(&markdown);
            assert!(began.elapsed().as_secs() < 20, "{} bytes took too long", markdown.len());
            assert!(html.len() < 20 * markdown.len() + 100, "{}", html.len());
        }
    }
}
