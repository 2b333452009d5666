//! Hides machinery in a Markdown source: template tags, attribute lists, comments, imports.
//!
//! The masked text has the same length in bytes and the same lines, so that offsets into it are
//! offsets into the body. Code keeps whatever stands in it. Fillers are control characters,
//! which the outline drops from every text:
//! [`EDGE`] stands at the start of a line, where blanks would make an indented code block;
//! [`GAP`] within a line, where it must count as white space beside `*` and `_`.

/// Filler at the start of a line.
const EDGE: u8 = 0x01;
/// Filler within a line.
const GAP: u8 = 0x0c;

/// Longest template expression, attribute list or JSX tag that is believed, bytes.
const SPAN_LIMIT: usize = 4_000;

/// Callouts of the Jekyll premonition plugin, written `> info "Title"`.
const CALLOUTS: [&str; 8] =
    ["note", "info", "warning", "error", "success", "tip", "citation", "danger"];

/// Template tags whose argument is prose that the reader sees.
const TITLED: [&str; 4] = ["faqitem", "tab", "accordion", "details"];

/// Blanks machinery out of Markdown; `mdx` allows imports, expressions and components as well.
pub(crate) fn mask(body: &str, mdx: bool) -> String {
    if !body.contains(['{', '>', '<']) && !mdx {
        return body.to_owned();
    }
    let mut masking = Masking {
        body,
        out: body.as_bytes().to_vec(),
        mdx,
        closers: Closers::default(),
        breaks: body.match_indices('\n').map(|(at, _)| at).collect(),
        edge: (0, 0),
    };
    masking.run();
    // Only whole characters are overwritten, with ASCII.
    String::from_utf8(masking.out).unwrap_or_else(|_| body.to_owned())
}

struct Masking<'a> {
    body: &'a str,
    out: Vec<u8>,
    mdx: bool,
    closers: Closers,
    /// Offsets of the line ends.
    breaks: Vec<usize>,
    /// Start of the line last looked at, and up to where it holds nothing but its edge.
    edge: (usize, usize),
}

/// Where the next closing mark of each kind was last seen, so that a search is never repeated
/// over the same text: the whole pass stays linear.
#[derive(Default)]
struct Closers {
    seen: Vec<(&'static str, Option<usize>)>,
    /// Backtick runs as (start, length, start of the next run of the same length).
    ticks: Option<std::collections::HashMap<usize, (usize, Option<usize>)>>,
}

impl Closers {
    /// First `mark` at or after `from`.
    fn next(&mut self, body: &str, mark: &'static str, from: usize) -> Option<usize> {
        let known = self.seen.iter().position(|(m, _)| *m == mark);
        if let Some((_, at)) = known.and_then(|k| self.seen.get(k))
            && at.is_none_or(|at| at >= from)
        {
            return *at;
        }
        let found = body.get(from..).and_then(|rest| rest.find(mark)).map(|at| from + at);
        match known.and_then(|k| self.seen.get_mut(k)) {
            Some(entry) => entry.1 = found,
            None => self.seen.push((mark, found)),
        }
        found
    }

    /// The length of the backtick run at `at` and where its code span ends.
    fn ticks(&mut self, body: &str, at: usize) -> (usize, Option<usize>) {
        let runs = self.ticks.get_or_insert_with(|| backtick_runs(body));
        runs.get(&at).copied().unwrap_or((1, None))
    }
}

fn backtick_runs(body: &str) -> std::collections::HashMap<usize, (usize, Option<usize>)> {
    let bytes = body.as_bytes();
    let mut runs = Vec::new();
    let mut at = 0;
    while let Some(found) = bytes.get(at..).and_then(|r| r.iter().position(|b| *b == b'`')) {
        let start = at + found;
        let len = bytes.get(start..).map_or(1, |r| r.iter().take_while(|b| **b == b'`').count());
        runs.push((start, len));
        at = start + len;
    }
    let mut next = std::collections::HashMap::new();
    let mut linked = std::collections::HashMap::new();
    for (start, len) in runs.into_iter().rev() {
        let end = next.insert(len, start).map(|close: usize| close + len);
        linked.insert(start, (len, end));
    }
    linked
}

impl Masking<'_> {
    fn run(&mut self) {
        let mut at = 0;
        let mut fence: Option<(u8, usize)> = None;
        while at < self.body.len() {
            let end = self.line_end(at);
            let line = self.body.get(at..end).unwrap_or_default();
            match (fence, fence_of(line)) {
                (Some((mark, len)), found) => {
                    if found.is_some_and(|(m, l, bare)| m == mark && l >= len && bare) {
                        fence = None;
                    }
                    at = end + 1;
                }
                (None, Some((mark, len, _))) => {
                    fence = Some((mark, len));
                    at = end + 1;
                }
                (None, None) => at = self.prose(at, end),
            }
        }
    }

    /// Masks one line outside code, and what begins on it; returns where to go on.
    fn prose(&mut self, start: usize, end: usize) -> usize {
        self.callout(start, end);
        if self.mdx && self.is_module_line(start, end) {
            self.hide(start, end);
            return end + 1;
        }
        let mut at = start;
        while at < end {
            let Some(found) = self
                .body
                .as_bytes()
                .get(at..end)
                .and_then(|rest| rest.iter().position(|b| matches!(b, b'`' | b'{' | b'<')))
            else {
                break;
            };
            at += found;
            let until = self.span_end(at);
            match until {
                // It ended on a later line; that line's rest is prose again.
                Some(until) if until > end => return until,
                Some(until) => at = until,
                None => at += 1,
            }
        }
        end + 1
    }

    /// Masks the span that opens at `at`, if one does, and returns its end.
    fn span_end(&mut self, at: usize) -> Option<usize> {
        let rest = self.body.get(at..)?;
        if rest.starts_with('`') {
            let (len, close) = self.closers.ticks(self.body, at);
            // A code span does not cross a blank line.
            let close =
                close.filter(|c| self.closers.next(self.body, "\n\n", at).is_none_or(|b| b >= *c));
            return Some(close.unwrap_or(at + len));
        }
        if rest.starts_with("{%") {
            return self.template_tag(at);
        }
        let (mark, limit, one_line) = if rest.starts_with("{{") {
            ("}}", SPAN_LIMIT, false)
        } else if rest.starts_with("{:") || rest.starts_with("{#") {
            ("}", 400, true)
        } else if rest.starts_with("<!--") {
            ("-->", usize::MAX, false)
        } else if self.mdx && rest.starts_with('{') {
            ("}", 400, true)
        } else if self.mdx && is_component(rest) {
            return self.component(at);
        } else {
            return None;
        };
        let until = self.closers.next(self.body, mark, at)? + mark.len();
        if until - at > limit || (one_line && self.line_end(at) < until) {
            return None;
        }
        self.hide(at, until);
        Some(until)
    }

    fn template_tag(&mut self, at: usize) -> Option<usize> {
        let until = self.closers.next(self.body, "%}", at)? + 2;
        if until - at > SPAN_LIMIT {
            return None;
        }
        let inner = self.body.get(at + 2..until - 2)?;
        let trimmed = inner.trim_start_matches(['-', ' ', '\n', '\t']);
        let name: &str = trimmed.split(|c: char| !c.is_alphanumeric()).next()?;
        if TITLED.contains(&name) {
            let title = at + 2 + (inner.len() - trimmed.len()) + name.len();
            self.hide(at, title);
            self.hide(until - 2, until);
            return Some(until);
        }
        let body_end = match name {
            "comment" => self.closers.next(self.body, "endcomment", until),
            // What is raw for the template engine is shown as it stands.
            "raw" => {
                self.hide(at, until);
                let end = self.closers.next(self.body, "endraw", until)?;
                return Some(self.body.get(..end)?.rfind("{%").unwrap_or(until).max(until));
            }
            _ => None,
        };
        let until = match body_end {
            Some(end) => self.closers.next(self.body, "%}", end).map_or(until, |e| e + 2),
            None => until,
        };
        self.hide(at, until);
        Some(until)
    }

    /// Masks a JSX tag, whose attributes may hold braces and quotes.
    fn component(&mut self, at: usize) -> Option<usize> {
        let mut braces = 0_usize;
        for (n, byte) in self.body.as_bytes().get(at..)?.iter().enumerate().take(SPAN_LIMIT) {
            match byte {
                b'{' => braces += 1,
                b'}' => braces = braces.saturating_sub(1),
                b'>' if braces == 0 => {
                    self.hide(at, at + n + 1);
                    return Some(at + n + 1);
                }
                _ => {}
            }
        }
        None
    }

    /// `> info "Title"`: the kind and the quotes go, the title becomes a sentence.
    fn callout(&mut self, start: usize, end: usize) {
        let Some(line) = self.body.get(start..end) else { return };
        let inner = line.trim_start_matches([' ', '>', '\t']);
        let lead = line.len() - inner.len();
        let Some((kind, title)) = inner.split_once(' ') else { return };
        if !line.trim_start().starts_with('>') || !CALLOUTS.contains(&kind) {
            return;
        }
        let title = title.trim();
        if title.len() < 2 || !title.starts_with('"') || !title.ends_with('"') {
            return;
        }
        let Some(open) = inner.find('"').map(|q| start + lead + q) else { return };
        let Some(close) = line.rfind('"').map(|q| start + q) else { return };
        self.hide(start + lead, open + 1);
        self.hide(close, close + 1);
        let ends = self
            .body
            .get(open + 1..close)
            .is_some_and(|t| t.trim_end().ends_with(['.', '!', '?', ':']));
        if close > open + 1
            && !ends
            && let Some(byte) = self.out.get_mut(close)
        {
            *byte = b'.';
        }
    }

    fn is_module_line(&self, start: usize, end: usize) -> bool {
        let line = self.body.get(start..end).unwrap_or_default();
        let import = line.starts_with("import ")
            && (line.contains(" from ")
                || line.contains('"')
                || line.contains('\'')
                || line.ends_with('{'));
        let export = ["const ", "default ", "let ", "function ", "{", "*"]
            .iter()
            .any(|k| line.strip_prefix("export ").is_some_and(|r| r.starts_with(k)));
        import || export
    }

    /// Overwrites a span with the filler that leaves the lines' structure alone.
    fn hide(&mut self, from: usize, to: usize) {
        let mut at = from;
        while at < to {
            let line_start = self.line_start(at);
            let line_end = self.line_end(at);
            let end = to.min(line_end);
            let at_edge = self.at_edge(line_start, at);
            let before = self.out.get(line_start..at).unwrap_or_default();
            let after = self.body.as_bytes().get(end..line_end).unwrap_or_default();
            let filler = if in_destination(before) {
                b'x'
            } else if at_edge
                && after.iter().all(u8::is_ascii_whitespace)
                && !self.beside_table(line_start, line_end)
            {
                b' '
            } else if at_edge {
                EDGE
            } else {
                GAP
            };
            if let Some(span) = self.out.get_mut(at..end) {
                span.fill(filler);
            }
            at = end + 1;
        }
    }

    /// A blank line would end a table; a filler row does not.
    fn beside_table(&self, line_start: usize, line_end: usize) -> bool {
        let above = self.body.get(..line_start.saturating_sub(1)).unwrap_or_default();
        let above = above.rsplit('\n').next().unwrap_or_default();
        let below = self.body.get(line_end + 1..).unwrap_or_default();
        let below = below.split('\n').next().unwrap_or_default();
        above.trim_start().starts_with('|') && below.trim_start().starts_with('|')
    }

    /// Says whether the line holds only its edge before `at`, looking at each byte once.
    fn at_edge(&mut self, line_start: usize, at: usize) -> bool {
        let from = if self.edge.0 == line_start { self.edge.1.min(at) } else { line_start };
        let rest = self.out.get(from..at).unwrap_or_default();
        let edge = rest.iter().take_while(|b| matches!(**b, b' ' | b'\t' | b'>' | EDGE)).count();
        self.edge = (line_start, from + edge);
        from + edge == at
    }

    fn line_start(&self, at: usize) -> usize {
        let n = self.breaks.partition_point(|b| *b < at);
        n.checked_sub(1).and_then(|n| self.breaks.get(n)).map_or(0, |b| b + 1)
    }

    fn line_end(&self, at: usize) -> usize {
        let n = self.breaks.partition_point(|b| *b < at);
        self.breaks.get(n).copied().unwrap_or(self.body.len())
    }
}

/// Says whether the bytes before end within the destination of a link.
fn in_destination(before: &[u8]) -> bool {
    // Only the near past matters; a destination is not longer.
    let near = before.get(before.len().saturating_sub(300)..).unwrap_or(before);
    for (n, byte) in near.iter().enumerate().rev() {
        match byte {
            b'(' => return n > 0 && near.get(n - 1) == Some(&b']'),
            b')' | b' ' | &GAP => return false,
            _ => {}
        }
    }
    false
}

fn is_component(rest: &str) -> bool {
    let name = rest.trim_start_matches('<').trim_start_matches('/');
    rest.len() > name.len() && name.starts_with(|c: char| c.is_ascii_uppercase())
        || rest.starts_with("<>")
        || rest.starts_with("</>")
}

/// The fence mark of a line, its length, and whether nothing follows it.
fn fence_of(line: &str) -> Option<(u8, usize, bool)> {
    let inner = line.trim_start_matches([' ', '\t', '>']);
    let inner = inner.trim_start_matches(|c: char| c.is_ascii_digit());
    let inner = inner.strip_prefix(['-', '*', '+', '.', ')']).map_or(inner, str::trim_start);
    let mark = *inner.as_bytes().first()?;
    if mark != b'`' && mark != b'~' {
        return None;
    }
    let len = inner.bytes().take_while(|b| *b == mark).count();
    let rest = inner.get(len..).unwrap_or_default();
    // An info string of a backtick fence holds no backtick; otherwise it is inline code.
    (len >= 3 && !(mark == b'`' && rest.contains('`'))).then(|| (mark, len, rest.trim().is_empty()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(body: &str, expected: &str) {
        let masked = mask(body, false);
        let shown = masked.replace(['\u{1}', '\u{c}'], "");
        assert_eq!(shown, expected, "{body}");
    }

    #[test]
    fn machinery_is_hidden_outside_code() {
        check("a {% include x.md %} b", "a  b");
        check("a {{ page.title }}.", "a .");
        check("[x](/y){:target=\"_blank\"}.", "[x](/y).");
        check("a <!-- b\nc --> d", "a \n d");
        check("`{{ a }}` {{ b }}", "`{{ a }}` ");
        check("```\n{% x %}\n```\n{% x %}", "```\n{% x %}\n```\n       ");
        check("- ```\n  {{x}}\n  ```\n{{x}}y", "- ```\n  {{x}}\n  ```\ny");
        check("{% comment %}a\nb{% endcomment %}c", "              \nc");
        check("{% raw %}{{a}}{% endraw %} {{b}}c", "{{a}} c");
        check("{% faqitem Why? %}x", " Why? x");
        check("[a](/docs/{{ p }}/x)", "[a](/docs/xxxxxxx/x)");
        check("open {% without end", "open {% without end");
        check("| a |\n{% for %}\n| b |", "| a |\n\n| b |");
    }

    #[test]
    fn callouts_lose_their_kind_and_keep_their_title() {
        check("> info \"\"\n> Text", ">  \n> Text");
        check("> warning \"Be careful\"\n> Text", "> Be careful.\n> Text");
        check("> the \"thing\"", "> the \"thing\"");
    }

    #[test]
    fn modules_and_components_are_hidden_in_mdx_only() {
        let masked = mask(
            "import A from './a'\n\n<Tabs items={['a', 'b > c']}>\nText {props.x}\n</Tabs>\n",
            true,
        );
        assert_eq!(masked.replace(['\u{1}', '\u{c}', ' '], ""), "\n\n\nText\n\n");
        check("import A from 'a'", "import A from 'a'");
    }

    proptest! {
        #[test]
        fn masking_keeps_length_and_lines(body in "([{}%:<>!`\"\\-|a ä\n]|\\{%|%\\}|\\{\\{|\\}\\}|```\n|<!--|-->){0,60}", mdx in any::<bool>()) {
            let masked = mask(&body, mdx);
            prop_assert_eq!(masked.len(), body.len());
            let lines = |t: &str| t.match_indices('\n').map(|(n, _)| n).collect::<Vec<_>>();
            prop_assert_eq!(lines(&masked), lines(&body));
        }
    }

    #[test]
    fn many_openings_without_end_stay_linear() {
        for piece in ["{% ", "{{ ", "` `` ", "<!-- ", "{: ", "<A {"] {
            let body = piece.repeat(200_000);
            assert_eq!(mask(&body, false).len(), body.len());
        }
    }
}
