use ammonia::{Builder, UrlRelative};
use pulldown_cmark::{CowStr, Event, Options, Parser, Tag, TagEnd, html::push_html};
use std::collections::{HashMap, HashSet};

/// What a message may consist of. Headings and images are none of it: a message in a page is no
/// part of that page's outline, and an image would tell a stranger who has read it.
const TAGS: [&str; 20] = [
    "a",
    "blockquote",
    "br",
    "code",
    "del",
    "em",
    "hr",
    "li",
    "ol",
    "p",
    "pre",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
];

/// Where links may lead.
const SCHEMES: [&str; 4] = ["http", "https", "mailto", "tel"];

/// Makes HTML of a message in Markdown (CommonMark with tables and strikethrough) that is safe to
/// put into a page, whoever wrote it: HTML in it is shown as it was written, links lead to the web,
/// to mail or to a telephone and open apart, images become links, headings are bold. A line break
/// stays one.
pub(crate) fn html(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH;
    let mut written = String::with_capacity(markdown.len() * 3 / 2);
    push_html(&mut written, Parser::new_ext(markdown, options).flat_map(tamed));
    let mut builder = Builder::empty();
    let mut tags = HashSet::from(TAGS);
    tags.insert("ul");
    builder
        .tags(tags)
        .tag_attributes(HashMap::from([
            ("a", HashSet::from(["href"])),
            ("ol", HashSet::from(["start"])),
        ]))
        .url_schemes(HashSet::from(SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank");
    builder.clean(&written).to_string()
}

/// Returns an address as it may stand in a link: of the web, nothing else.
pub(crate) fn web_address(url: &str) -> Option<String> {
    let lower = url.trim().to_ascii_lowercase();
    let lawful = lower.starts_with("https://") || lower.starts_with("http://");
    lawful.then(|| url.trim().to_string())
}

/// Takes an event of the parser as far as messages may have it.
fn tamed(event: Event<'_>) -> Vec<Event<'_>> {
    match event {
        Event::Html(text) | Event::InlineHtml(text) => vec![Event::Text(text)],
        Event::SoftBreak => vec![Event::HardBreak],
        Event::Start(Tag::Heading { .. }) => {
            vec![Event::Start(Tag::Paragraph), Event::Start(Tag::Strong)]
        }
        Event::End(TagEnd::Heading(_)) => {
            vec![Event::End(TagEnd::Strong), Event::End(TagEnd::Paragraph)]
        }
        Event::Start(Tag::HtmlBlock) => vec![Event::Start(Tag::Paragraph)],
        Event::End(TagEnd::HtmlBlock) => vec![Event::End(TagEnd::Paragraph)],
        Event::Start(Tag::Image { link_type, dest_url, title, id }) => {
            let mark = Event::Text(CowStr::Borrowed("🖼 "));
            vec![Event::Start(Tag::Link { link_type, dest_url, title, id }), mark]
        }
        Event::End(TagEnd::Image) => vec![Event::End(TagEnd::Link)],
        other => vec![other],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(markdown: &str, expected: &str) {
        assert_eq!(html(markdown).trim(), expected, "{markdown:?}");
    }

    #[test]
    fn what_people_write_reads_as_meant() {
        check("one\ntwo", "<p>one<br>\ntwo</p>");
        check("**bold** and `code`", "<p><strong>bold</strong> and <code>code</code></p>");
        check("3. three", "<ol start=\"3\">\n<li>three</li>\n</ol>");
        check("# Title", "<p><strong>Title</strong></p>");
        check(
            "[Plans](https://example.com/plans?a=1&b=2)",
            "<p><a href=\"https://example.com/plans?a=1&amp;b=2\" target=\"_blank\" \
             rel=\"noopener noreferrer nofollow\">Plans</a></p>",
        );
    }

    #[test]
    fn nothing_in_a_message_acts() {
        check("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>");
        check("a <img src=x onerror=alert(1)>", "<p>a &lt;img src=x onerror=alert(1)&gt;</p>");
        let link = |text: &str| {
            format!("<p><a target=\"_blank\" rel=\"noopener noreferrer nofollow\">{text}</a></p>")
        };
        check("[x](javascript:alert(1))", &link("x"));
        check("[x](JaVaScRiPt:alert(1))", &link("x"));
        check("[x](data:text/html;base64,PHN2Zz4=)", &link("x"));
        check("[x](/inbox/teammates)", &link("x"));
        check("![pixel](javascript:alert(1))", &link("🖼 pixel"));
        check(
            "<a href=\"https://x\" onclick=\"y()\">z</a>",
            "<p>&lt;a href=\"https://x\" onclick=\"y()\"&gt;z&lt;/a&gt;</p>",
        );
        check(
            "<style>*{display:none}</style>",
            "<p>&lt;style&gt;*{display:none}&lt;/style&gt;</p>",
        );
        let hostile = html("[x](https://x.test/\"onmouseover=\"alert(1))\n\n`</code><b>`");
        assert!(!hostile.contains("<b>") && !hostile.contains("\"onmouseover"), "{hostile}");
    }

    #[test]
    fn only_addresses_of_the_web_become_links() {
        assert_eq!(web_address("https://a.test/x").as_deref(), Some("https://a.test/x"));
        for hostile in
            ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "//x", "/inbox"]
        {
            assert_eq!(web_address(hostile), None, "{hostile}");
        }
    }
}
