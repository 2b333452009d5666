//! HTML inside Markdown as plain lines: text stays, tags go, rows and items keep their lines.

/// Tags after which a new line begins.
const BREAKING: [&str; 32] = [
    "address",
    "article",
    "aside",
    "blockquote",
    "br",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figcaption",
    "figure",
    "footer",
    "form",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "main",
    "ol",
    "p",
    "pre",
    "section",
    "summary",
    "table",
    "ul",
    "caption",
];

/// Tags whose content is not prose.
const MUTE: [&str; 5] = ["script", "style", "template", "svg", "iframe"];

/// A line of text and the offset at which it begins.
#[derive(Debug, PartialEq)]
pub(crate) struct Line {
    pub(crate) at: usize,
    pub(crate) text: String,
}

/// The text of HTML without structure beyond lines.
pub(crate) fn plain(html: &str) -> String {
    let lines: Vec<_> = lines(html).into_iter().map(|l| l.text).collect();
    lines.join("\n")
}

/// Reads HTML tag by tag; unclosed and unknown tags are no trouble.
pub(crate) fn lines(html: &str) -> Vec<Line> {
    let mut reading = Reading::default();
    let mut at = 0;
    while let Some(rest) = html.get(at..).filter(|r| !r.is_empty()) {
        let text_end = rest.find('<').unwrap_or(rest.len());
        if text_end > 0 {
            reading.text(rest.get(..text_end).unwrap_or_default(), at);
            at += text_end;
            continue;
        }
        match tag_end(rest) {
            Some(len) => {
                let skipped = reading.tag(rest.get(..len).unwrap_or_default(), at);
                at += len;
                if let Some(name) = skipped {
                    at += mute_end(html.get(at..).unwrap_or_default(), name);
                }
            }
            None => {
                reading.text("<", at);
                at += 1;
            }
        }
    }
    reading.flush();
    reading.lines
}

/// Decodes the entities that stand in real articles.
fn decoded(text: &str) -> String {
    if !text.contains('&') {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('&') {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let end = rest.bytes().take(12).position(|b| b == b';');
        let found = end.and_then(|e| Some((entity(rest.get(1..e)?)?, e + 1)));
        let (c, len) = found.unwrap_or(('&', 1));
        out.push(c);
        rest = rest.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16).ok()?,
            None => number.parse().ok()?,
        };
        return char::from_u32(code);
    }
    Some(match name {
        "amp" => '&',
        "lt" => '<',
        "gt" => '>',
        "quot" => '"',
        "apos" | "rsquo" | "lsquo" => '\'',
        "nbsp" => ' ',
        "ndash" => '–',
        "mdash" => '—',
        "hellip" => '…',
        "ldquo" | "rdquo" => '"',
        "copy" => '©',
        "rarr" => '→',
        "check" => '✓',
        _ => return None,
    })
}

/// Length of the tag, comment or declaration at the start of `rest`; none when it is only a `<`.
fn tag_end(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    if rest.starts_with("<!--") {
        return Some(rest.find("-->").map_or(rest.len(), |n| n + 3));
    }
    let second = *bytes.get(1)?;
    if !second.is_ascii_alphabetic() && !matches!(second, b'/' | b'!' | b'?') {
        return None;
    }
    // A tag that is not closed within reason is not a tag.
    let near = bytes.get(..bytes.len().min(4_000))?;
    let mut quote = None;
    for (n, byte) in near.iter().enumerate().skip(1) {
        match (quote, byte) {
            (None, b'>') => return Some(n + 1),
            (None, b'"' | b'\'') => quote = Some(*byte),
            (Some(q), b) if q == *b => quote = None,
            _ => {}
        }
    }
    near.iter().position(|b| *b == b'>').map(|n| n + 1)
}

/// Drops the marks of Markdown that engines other than CommonMark's read inside HTML.
fn unmarked(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '*', '`']) {
        out.push_str(rest.get(..at).unwrap_or_default());
        rest = rest.get(at..).unwrap_or_default();
        let (shown, len) = if let Some((label, len)) = link(rest) {
            (label, len)
        } else if rest.starts_with("**") {
            ("", 2)
        } else if rest.starts_with('`') {
            ("", 1)
        } else {
            (rest.get(..1).unwrap_or_default(), 1)
        };
        out.push_str(shown);
        rest = rest.get(len..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Label and length of a link such as `[label](destination)` at the start of a text.
fn link(text: &str) -> Option<(&str, usize)> {
    // Real labels and destinations are short, and rubble must not be searched again and again.
    let near = text.bytes().take(500).position(|b| b == b']')?;
    let label = text.get(1..near).filter(|l| text.starts_with('[') && !l.contains('['))?;
    let after = text.get(near + 1..).filter(|a| a.starts_with('('))?;
    let close = after.bytes().take(500).position(|b| b == b')')?;
    Some((label, near + close + 2))
}

/// Lower-case name of a tag, and whether it closes.
pub(crate) fn tag_name(tag: &str) -> (String, bool) {
    let inner = tag.trim_start_matches('<');
    let closes = inner.starts_with('/');
    let name = inner.trim_start_matches('/');
    let name = name.chars().take_while(char::is_ascii_alphanumeric).take(20);
    (name.map(|c| c.to_ascii_lowercase()).collect(), closes)
}

/// A tag that is no tag but words that the reader must see and replace, as in `<YOUR_WRITE_KEY>`.
pub(crate) fn is_left_to_fill_in(tag: &str) -> bool {
    let Some(inner) = tag.strip_prefix('<').and_then(|t| t.strip_suffix('>')) else { return false };
    inner.len() > 2
        && (inner.contains('_') || inner.bytes().all(|b| b.is_ascii_uppercase() || b == b'-'))
        && inner.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-')
}

fn mute_end(rest: &str, name: &str) -> usize {
    let mut at = 0;
    while let Some(found) = rest.get(at..).and_then(|r| r.find("</")) {
        let close = at + found;
        let tail = rest.get(close + 2..).unwrap_or_default();
        if tail.get(..name.len()).is_some_and(|t| t.eq_ignore_ascii_case(name)) {
            return close;
        }
        at = close + 2;
    }
    rest.len()
}

#[derive(Default)]
struct Reading {
    lines: Vec<Line>,
    current: String,
    start: Option<usize>,
    in_row: bool,
}

impl Reading {
    fn text(&mut self, text: &str, at: usize) {
        let mut offset = 0;
        for word in text.split_inclusive(char::is_whitespace) {
            let bare: String = decoded(word.trim()).chars().filter(|c| !c.is_control()).collect();
            if !bare.is_empty() {
                self.start.get_or_insert(at + offset);
                self.current.push_str(&bare);
            }
            if word.ends_with(char::is_whitespace) {
                self.space();
            }
            offset += word.len();
        }
    }

    /// Takes a tag in; returns the name of one whose content must be skipped.
    fn tag(&mut self, tag: &str, at: usize) -> Option<&'static str> {
        let (name, closes) = tag_name(tag);
        if is_left_to_fill_in(tag) {
            self.start.get_or_insert(at);
            self.current.push_str(tag);
            return None;
        }
        match (name.as_str(), closes) {
            ("tr", false) => {
                self.flush();
                self.in_row = true;
                self.start = Some(at);
                self.current.push('|');
            }
            ("tr", true) => self.flush(),
            ("td" | "th", false) if self.in_row => self.space(),
            ("td" | "th", true) if self.in_row => {
                self.space();
                self.current.push('|');
            }
            ("li", false) => {
                self.end_line();
                if !self.in_row {
                    self.start = Some(at);
                    self.current.push_str("- ");
                }
            }
            (name, _) if BREAKING.contains(&name) => self.end_line(),
            ("img", _) => self.alt(tag, at),
            (name, false) if !tag.ends_with("/>") => {
                return MUTE.into_iter().find(|m| *m == name);
            }
            _ => {}
        }
        None
    }

    fn alt(&mut self, tag: &str, at: usize) {
        let Some(rest) = tag.split("alt=").nth(1) else { return };
        let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''));
        if let Some(text) = quote.and_then(|q| rest.get(1..)?.split(q).next()) {
            self.text(text, at);
        }
    }

    /// Within a row, lines become blanks: a row is one line.
    fn end_line(&mut self) {
        if self.in_row { self.space() } else { self.flush() }
    }

    fn space(&mut self) {
        if !self.current.is_empty() && !self.current.ends_with(' ') {
            self.current.push(' ');
        }
    }

    fn flush(&mut self) {
        let text = std::mem::take(&mut self.current);
        let text = text.trim();
        let says = text.chars().any(|c| !c.is_whitespace() && c != '|' && c != '-');
        if let Some(at) = self.start.take()
            && says
        {
            self.lines.push(Line { at, text: unmarked(text) });
        }
        self.in_row = false;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(html: &str, expected: &str) {
        assert_eq!(plain(html), expected, "{html}");
    }

    #[test]
    fn text_stays_and_structure_becomes_lines() {
        check("<div>\n  <p>Hello <b>you</b></p><p>again</p>\n</div>", "Hello you\nagain");
        check(
            "<table><tr><th>a</th><th>b</th></tr>\n<tr><td>1<br/>x</td>\n<td>2</td></tr></table>",
            "| a | b |\n| 1 x | 2 |",
        );
        check("<ul><li>one</li><li>two<ul><li>deep</li></ul></li></ul>", "- one\n- two\n- deep");
        check("a<script>var x = '</p>';</script>b<style>p{}</STYLE>c", "abc");
        check("<!-- no -->yes &amp; &#33;&nbsp;&lt;&bogus;", "yes & ! <&bogus;");
        check("set <YOUR_KEY> here", "set <YOUR_KEY> here");
        check("1 < 2 and <3", "1 < 2 and <3");
        check("<img src=\"a>b\" alt=\"A chart\">", "A chart");
        check("<script>open", "");
        check("<p>**b** [l](/u) [x] `c` * d</p>", "b l [x] c * d");
    }

    #[test]
    fn lines_know_where_they_begin() {
        let html = "<p>one</p> <p>two</p>";
        for line in lines(html) {
            assert!(html[line.at..].starts_with(&line.text));
        }
    }

    #[test]
    fn rubble_stays_linear() {
        for piece in ["<", "<a \"", "</", "<!--", "&", "<script>", "<b>"] {
            lines(&piece.repeat(100_000));
        }
    }
}
