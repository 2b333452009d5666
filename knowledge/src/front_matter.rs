//! The head of an article file: its keys in YAML or TOML, read with patience.
//!
//! Broken front matter costs a note and never the article; but an article whose audience cannot
//! be understood is kept from customers, because a leak is worse than a gap.

mod keys;

use keys::{Keys, Loose};

use crate::article::Audience;

/// Kinds that an audience may name.
const AUDIENCE_KINDS: [&str; 3] = ["tiers", "plans", "tags"];

/// Values of `audience` that mean everyone.
const EVERYONE: [&str; 4] = ["everyone", "all", "public", "anyone"];

/// What the head of a file says, with fall-backs still to be applied.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Head {
    pub(crate) id: Option<String>,
    pub(crate) slug: Option<String>,
    pub(crate) title: Option<String>,
    pub(crate) url: Option<String>,
    pub(crate) locale: Option<String>,
    pub(crate) audience: Audience,
    pub(crate) updated: Option<String>,
    pub(crate) draft: bool,
    /// Line, what is odd, how to mend it.
    pub(crate) notes: Vec<(usize, String, String)>,
}

/// Cuts the front matter off and reads it. The text has `\n` line ends and no byte order mark.
pub(crate) fn read(text: &str) -> (Head, &str) {
    let Some((fence, rest)) = opening(text) else {
        return (Head::default(), text);
    };
    match closing(rest, fence) {
        Some((front, body)) => (guarded(head_of(front, fence), front, plainly), body),
        None => {
            let (head, body) = unclosed(text, rest, fence);
            // Keys behind an empty line were not read at all.
            let is_front = !head.notes.is_empty();
            (if is_front { guarded(head, rest, |_| false) } else { head }, body)
        }
    }
}

/// Closes an article whose front matter seems to name an audience that was not read: a misspelt or
/// misplaced key must not show an internal article to customers.
fn guarded(mut head: Head, front: &str, is_read: impl Fn(&str) -> bool) -> Head {
    let resembles = |line: &str| {
        let name = line.split([':', '=', '.', ']']).next().unwrap_or_default();
        let name: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
        !line.starts_with(' ') && strsim::damerau_levenshtein(&name.to_lowercase(), "audience") <= 2
    };
    if head.audience == Audience::default() && !head.draft {
        let mut lines = front.lines().take(GUARDED_LINES);
        if let Some(line) = lines.position(|line| resembles(line) && !is_read(line)) {
            close(&mut head, line + 2);
        }
    }
    head
}

/// Lines of front matter that are looked at for a key that resembles `audience`.
const GUARDED_LINES: usize = 100;

/// Whether a line names the audience as the reader of keys expects it.
fn plainly(line: &str) -> bool {
    keys::key_and_value(line).is_some_and(|(key, _)| key == "audience")
}

fn opening(text: &str) -> Option<(&'static str, &str)> {
    let (first, rest) = text.trim_start_matches(['\n', ' ', '\t']).split_once('\n')?;
    match first.trim_end() {
        "---" => Some(("---", rest)),
        "+++" => Some(("+++", rest)),
        _ => None,
    }
}

fn closing<'a>(rest: &'a str, fence: &str) -> Option<(&'a str, &'a str)> {
    let mut at = 0;
    for line in rest.split_inclusive('\n') {
        let bare = line.trim_end();
        if bare == fence || (fence == "---" && bare == "...") {
            return Some((rest.get(..at)?, rest.get(at + line.len()..)?));
        }
        at += line.len();
    }
    None
}

/// A `---` that nothing closes is a rule across the page, unless keys follow it.
fn unclosed<'a>(text: &'a str, rest: &'a str, fence: &str) -> (Head, &'a str) {
    let end = rest.find("\n\n").map_or(rest.len(), |at| at + 1);
    let (front, body) = rest.split_at_checked(end).unwrap_or((rest, ""));
    let is_key = |line: &str| keys::key_and_value(line).is_some();
    if !front.lines().next().is_some_and(is_key) {
        return (Head::default(), text);
    }
    let note = (
        1,
        format!("the front matter is opened with {fence} and never closed"),
        format!("add a line {fence} after its last key"),
    );
    (salvaged(front, note), body)
}

fn head_of(front: &str, fence: &str) -> Head {
    let parsed = if fence == "+++" { keys::from_toml(front) } else { keys::from_yaml(front) };
    match parsed {
        Ok(keys) => from_keys(keys, front),
        Err(broken) => {
            let what = format!("the front matter cannot be read: {}", broken.what);
            let mend =
                "quote values that hold a colon, a quote or a bracket, and close what is open";
            salvaged(front, (broken.line + 1, what, mend.to_owned()))
        }
    }
}

/// Takes what single lines say plainly from front matter that is broken as a whole.
fn salvaged(front: &str, note: (usize, String, String)) -> Head {
    let (keys, doubtful) = keys::from_lines(front);
    let mut head = from_keys(keys, front);
    head.notes.insert(0, note);
    if doubtful {
        close(&mut head, line_of(front, "audience"));
    }
    head
}

fn from_keys(keys: Keys, front: &str) -> Head {
    let mut head = Head {
        id: keys.id.as_deref().and_then(said),
        slug: keys.slug.as_deref().and_then(said),
        title: keys.title.as_deref().and_then(said),
        updated: keys.updated.or(keys.last_updated).and_then(|l| said(&l.flat())),
        ..Head::default()
    };
    match keys.url.as_deref().and_then(said) {
        Some(url) if leads_to_a_page(&url) => head.url = Some(url),
        Some(_) => head.notes.push((
            line_of(front, "url"),
            "its url is neither a web address nor a relative path, and left out".to_owned(),
            "write an address that begins with https:// or http://, or a path".to_owned(),
        )),
        None => {}
    }
    if let Some(locale) = keys.locale.or(keys.lang).or(keys.language).as_deref().and_then(said) {
        head.locale = crate::locale::normal(&locale);
        if head.locale.is_none() {
            head.notes.push((
                line_of(front, "locale").max(line_of(front, "lang")),
                format!("\"{locale}\" is not a locale"),
                "write a language code, as in en or pt-BR".to_owned(),
            ));
        }
    }
    let draft = keys.draft.map(|d| d.truth());
    let published = keys.published.map(|p| p.truth());
    head.draft = draft == Some(Some(true)) || published == Some(Some(false));
    if draft == Some(None) || published == Some(None) {
        head.draft = true;
        head.notes.push((
            line_of(front, "draft").max(line_of(front, "published")),
            "draft or published is neither true nor false; the article is taken as a draft"
                .to_owned(),
            "write true or false".to_owned(),
        ));
    }
    if let Some(audience) = keys.audience {
        read_audience(&mut head, audience, front);
    }
    head
}

fn read_audience(head: &mut Head, audience: Loose, front: &str) {
    let line = line_of(front, "audience");
    let Loose::Map(kinds) = audience else {
        head.audience.tags = audience.texts();
        if head.audience.tags.iter().any(|t| EVERYONE.contains(&t.to_lowercase().as_str())) {
            head.audience.tags.clear();
        }
        return;
    };
    let mut unknown = false;
    for (kind, values) in kinds {
        match kind.as_str() {
            "tiers" | "tier" => head.audience.tiers.extend(values.texts()),
            "plans" | "plan" => head.audience.plans.extend(values.texts()),
            "tags" | "tag" => head.audience.tags.extend(values.texts()),
            other => {
                unknown = true;
                let nearest = AUDIENCE_KINDS
                    .into_iter()
                    .max_by(|a, b| strsim::jaro(a, other).total_cmp(&strsim::jaro(b, other)))
                    .unwrap_or("tags");
                head.notes.push((
                    line_of(front, other),
                    format!("audience has no kind \"{other}\""),
                    format!("write {nearest}, or leave it out"),
                ));
            }
        }
    }
    if unknown {
        close(head, line);
    }
}

/// Keeps an article of unknown audience from customers.
fn close(head: &mut Head, line: usize) {
    head.draft = true;
    head.notes.push((
        line,
        "its audience is unclear, so the article is kept from customers".to_owned(),
        "write audience as a tag, a list of tags, or a map of tiers, plans and tags".to_owned(),
    ));
}

/// Line of the file on which a key stands; the fence is line 1.
fn line_of(front: &str, key: &str) -> usize {
    let found = front.lines().position(|line| {
        line.trim_start().strip_prefix(key).is_some_and(|r| r.trim_start().starts_with([':', '=']))
    });
    found.map_or(1, |at| at + 2)
}

/// Says whether a link to it opens a page of this or another site: `javascript:` and `data:` run
/// code where the answer is shown. A path has no colon before its first `/`, `?` or `#` (RFC 3986,
/// 4.2), and `//host` leads to another site without saying so.
fn leads_to_a_page(url: &str) -> bool {
    let lower = url.to_lowercase();
    if let Some(rest) = lower.strip_prefix("https://").or_else(|| lower.strip_prefix("http://")) {
        return rest.starts_with(|c: char| c.is_alphanumeric() || c == '[');
    }
    let first = url.split(['/', '?', '#']).next().unwrap_or_default();
    let is_odd = url.contains(|c: char| c.is_control() || c == '\\');
    !first.contains(':') && !url.starts_with("//") && !is_odd
}

fn said(text: &str) -> Option<String> {
    let text = text.trim();
    (!text.is_empty() && text != "null" && text != "~").then(|| text.to_owned())
}

#[cfg(test)]
mod tests;
