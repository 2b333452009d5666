//! A web page as an article: its Markdown, its title and its language.

use htmd::{HtmlToMarkdown, options::Options};

use crate::{html_block, locale};

/// Deepest nesting of tags that is converted with structure. The converter recurses, and its
/// stack must not depend on strangers' files; deeper pages keep their text and lose their form.
const DEPTH_LIMIT: usize = 200;

/// Parts of a page that are machinery and not article.
const DROPPED: [&str; 10] =
    ["script", "style", "nav", "noscript", "template", "svg", "iframe", "head", "button", "select"];

/// Tags that add no depth: void ones, and those that the parser closes when the next one of
/// their kind opens, so that they nest only inside others that are counted.
const FLAT: [&str; 22] = [
    "area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr",
    "p", "li", "td", "th", "tr", "dt", "dd", "option", "doctype", "path",
];

/// What a page says.
#[derive(Debug, Default)]
pub(crate) struct Page {
    pub(crate) markdown: String,
    pub(crate) title: Option<String>,
    pub(crate) locale: Option<String>,
}

/// Converts a page to Markdown.
pub(crate) fn to_markdown(html: &str) -> Page {
    let title = between(html, "<title", "</title").map(html_block::plain);
    let locale = between(html, "<html", ">").and_then(|tag| {
        let value = tag.split("lang=").nth(1)?;
        locale::normal(value.trim_start_matches(['"', '\'']).split(['"', '\'', ' ', '>']).next()?)
    });
    let markdown = if depth(html) > DEPTH_LIMIT {
        html_block::plain(html)
    } else {
        let converter = HtmlToMarkdown::builder()
            .skip_tags(DROPPED.to_vec())
            .options(Options::default())
            .build();
        converter.convert(html).unwrap_or_else(|_| html_block::plain(html))
    };
    Page { markdown, title: title.filter(|t| !t.is_empty()), locale }
}

/// An upper bound of how deep the tags nest; tags left open count as nesting.
fn depth(html: &str) -> usize {
    let mut depth = 0_usize;
    let mut deepest = 0;
    for piece in html.split('<').skip(1) {
        let closes = piece.starts_with('/');
        let name: String = piece
            .trim_start_matches('/')
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .map(|c| c.to_ascii_lowercase())
            .take(12)
            .collect();
        if name.is_empty() || FLAT.contains(&name.as_str()) {
            continue;
        }
        if closes {
            depth = depth.saturating_sub(1);
        } else {
            depth += 1;
            deepest = deepest.max(depth);
        }
    }
    deepest
}

/// The text between the end of an opening tag and a closing mark, ignoring case.
fn between<'a>(html: &'a str, open: &str, close: &str) -> Option<&'a str> {
    // Only the start of a page holds its head.
    let mut end = html.len().min(20_000);
    while !html.is_char_boundary(end) {
        end -= 1;
    }
    let head = html.get(..end)?;
    let lower = head.to_ascii_lowercase();
    let from = lower.find(open)? + open.len();
    let from = if close == ">" { from } else { from + lower.get(from..)?.find('>')? + 1 };
    let to = from + lower.get(from..)?.find(close)?;
    head.get(from..to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_becomes_markdown_with_its_title_and_language() {
        let page = to_markdown(
            "<!doctype html><html lang=\"de-DE\"><head><title>Konto &amp; Geld</title><style>p{}</style></head>\
             <body><nav>Start</nav><h1>Konto</h1><p>Ein <b>Text</b>.</p><ul><li>eins</li><li>zwei</li></ul>\
             <table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td>2</td></tr></table></body></html>",
        );
        assert_eq!(page.title.as_deref(), Some("Konto & Geld"));
        assert_eq!(page.locale.as_deref(), Some("de-DE"));
        assert!(page.markdown.contains("# Konto"), "{}", page.markdown);
        assert!(page.markdown.contains("Ein **Text**."), "{}", page.markdown);
        assert!(page.markdown.contains("eins"), "{}", page.markdown);
        assert!(!page.markdown.contains("Start"), "{}", page.markdown);
    }

    #[test]
    fn deep_nesting_keeps_the_text_and_the_stack() {
        for tag in ["div", "b", "li", "p"] {
            let deep = format!("{}words inside", format!("<{tag}>").repeat(50_000));
            assert!(to_markdown(&deep).markdown.contains("words inside"), "{tag}");
        }
    }

    #[test]
    fn fragments_and_rubble_are_survived() {
        for html in ["", "<", "plain", "<p", "</p></p>", "<title", "<html lang=", "<html lang=ä><é"]
        {
            to_markdown(html);
        }
    }
}
