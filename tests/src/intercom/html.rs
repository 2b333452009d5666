//! Bodies: Intercom keeps HTML whatever it is sent, and gives plain text on request.

/// Elements that a body may begin with without being put into a paragraph.
const BLOCKS: [&str; 9] = ["p", "h1", "h2", "ul", "ol", "pre", "div", "blockquote", "img"];

/// Makes what is kept of a body that came through the API, as the vendor's examples show it:
/// `Thanks :)` is kept as `<p>Thanks :)</p>`, and a document loses its `html` and `body` tags.
pub(crate) fn kept(body: &str) -> String {
    let mut inner = body.to_string();
    for tag in ["<html>", "</html>", "<body>", "</body>"] {
        inner = inner.replace(tag, "");
    }
    let inner = inner.trim();
    let block = |name: &&str| {
        let rest = inner.strip_prefix('<').and_then(|rest| rest.strip_prefix(*name));
        rest.is_some_and(|rest| rest.starts_with(['>', ' ', '/']))
    };
    if BLOCKS.iter().any(block) {
        return inner.to_string();
    }
    format!("<p>{}</p>", inner.replace('\n', "<br>"))
}

/// Makes the HTML of what somebody typed.
pub(crate) fn typed(text: &str) -> String {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;");
    format!("<p>{}</p>", text.replace('\n', "<br>"))
}

/// Makes the plain text of `display_as=plaintext`.
pub(crate) fn plain(html: &str) -> String {
    let broken = html.replace("<br>", "\n").replace("</p><p>", "\n\n").replace("</li><li>", "\n");
    let mut text = String::new();
    let mut inside = false;
    for letter in broken.chars() {
        match letter {
            '<' => inside = true,
            '>' if inside => inside = false,
            _ if inside => {}
            _ => text.push(letter),
        }
    }
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&").trim().to_string()
}

#[cfg(test)]
mod tests {
    use super::{kept, plain, typed};

    #[test]
    fn bodies_become_paragraphs_and_plain_text_again() {
        assert_eq!(kept("Thanks again :)"), "<p>Thanks again :)</p>");
        assert_eq!(kept("<html> <body> <h2>List</h2></body></html>"), "<h2>List</h2>");
        assert_eq!(kept("<b>bold</b>"), "<p><b>bold</b></p>");
        assert_eq!(typed("1 < 2\n& 3"), "<p>1 &lt; 2<br>&amp; 3</p>");
        assert_eq!(plain(&typed("1 < 2\n& 3")), "1 < 2\n& 3");
        assert_eq!(plain("<p>one</p><p>two</p>"), "one\n\ntwo");
    }
}
