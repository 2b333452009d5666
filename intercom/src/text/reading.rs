use html5ever::{
    tendril::StrTendril,
    tokenizer::{
        BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
        states::RawKind,
    },
};
use std::{borrow::Cow, cell::RefCell, mem};

/// The picture of a customer, as far as text can show it.
const IMAGE: &str = "[image]";

/// What of a body is read: 40,000 words, more than anybody writes.
const MOST_BYTES: usize = 256 << 10;

/// What of a tag is read; of a longer one, its name. The parser compares each attribute with all
/// before it, so a tag without end would take time in proportion to its square.
const MOST_TAG_BYTES: usize = 4 << 10;

/// Lists are set in up to this depth, so that nothing deeper can blow the text up.
const DEEPEST_LIST: usize = 6;

/// Where a link may lead to be worth showing.
const SCHEMES: [&str; 4] = ["http://", "https://", "mailto:", "tel:"];

/// Makes text of a body: paragraphs apart by an empty line, line breaks, lists with dashes or
/// numbers, links as `text (address)`, images as `[image]`. What is machinery (scripts, styles)
/// falls away. Plain text comes out as it is, but for blanks.
///
/// Takes no stack, whatever is nested in what. Of more than 256 KiB the beginning is read.
pub fn to_text(html: &str) -> String {
    let html = html.get(..html.floor_char_boundary(MOST_BYTES)).unwrap_or(html);
    let input = BufferQueue::default();
    input.push_back(StrTendril::from(&*without_endless_tags(html)));
    let tokenizer = Tokenizer::new(Sink::default(), TokenizerOpts::default());
    let _ = tokenizer.feed(&input);
    tokenizer.end();
    tokenizer.sink.0.take().finish()
}

#[derive(Default)]
struct Sink(RefCell<Text>);

/// The text so far, and what has to come before the next word.
#[derive(Default)]
struct Text {
    written: String,
    /// Line ends to come: 2 are an empty line.
    breaks: usize,
    /// Whether a blank is to come.
    blank: bool,
    /// The mark of a list's item to come.
    mark: Option<String>,
    /// The lists that are open; the number of the last item where they are numbered.
    lists: Vec<Option<u64>>,
    /// The link that is open: where it leads, and where its text begins.
    link: Option<(String, usize)>,
    /// How many `pre` are open.
    n_pre: usize,
    /// Whether the last paragraph is a line.
    makes_lines: bool,
    /// Whether a row of a table has begun.
    in_row: bool,
    /// The element whose content is machinery.
    dropped: Option<String>,
}

impl TokenSink for Sink {
    type Handle = ();

    fn process_token(&self, token: Token, _: u64) -> TokenSinkResult<()> {
        let mut text = self.0.borrow_mut();
        match token {
            Token::CharacterTokens(characters) => text.say(&characters),
            Token::TagToken(tag) => return text.tag(&tag),
            _ => {}
        }
        TokenSinkResult::Continue
    }
}

impl Text {
    fn tag(&mut self, tag: &Tag) -> TokenSinkResult<()> {
        let name = tag.name.as_ref();
        let opens = tag.kind == TagKind::StartTag;
        if let Some(dropped) = &self.dropped {
            if !opens && dropped == name {
                self.dropped = None;
            }
            return TokenSinkResult::Continue;
        }
        match (name, opens) {
            (
                "script" | "style" | "title" | "textarea" | "iframe" | "noembed" | "noframes",
                true,
            ) => {
                self.dropped = Some(name.to_string());
                return TokenSinkResult::RawData(match name {
                    "script" => RawKind::ScriptData,
                    "title" | "textarea" => RawKind::Rcdata,
                    _ => RawKind::Rawtext,
                });
            }
            ("br", true) => self.breaks = (self.breaks + 1).min(2),
            ("img", true) => self.image(),
            ("a", true) => self.open_link(tag),
            ("a", false) => self.close_link(),
            ("ul" | "ol", true) => {
                self.end_block(if self.lists.is_empty() { 2 } else { 1 });
                self.lists.push((name == "ol").then_some(0));
            }
            ("ul" | "ol", false) => {
                self.lists.pop();
                self.end_block(if self.lists.is_empty() { 2 } else { 1 });
            }
            ("li", true) => self.open_item(),
            ("td" | "th", true) => self.open_cell(),
            ("tr", _) => {
                self.end_block(1);
                self.in_row = false;
            }
            ("pre", _) => {
                self.end_block(2);
                self.n_pre = if opens { self.n_pre + 1 } else { self.n_pre.saturating_sub(1) };
            }
            ("p", _) => {
                if opens {
                    // The vendor's editor makes lines, not paragraphs, with these.
                    self.makes_lines = has_class(tag, "no-margin");
                }
                let in_list = !self.lists.is_empty();
                self.end_block(if self.makes_lines || in_list { 1 } else { 2 });
            }
            ("h1" | "h2" | "h3" | "h4" | "h5" | "h6" | "blockquote" | "table" | "hr", _) => {
                self.end_block(if self.lists.is_empty() { 2 } else { 1 });
            }
            ("div" | "li" | "section" | "article" | "header" | "footer" | "dt" | "dd", _) => {
                self.end_block(1);
            }
            _ => {}
        }
        TokenSinkResult::Continue
    }

    fn say(&mut self, characters: &str) {
        if self.dropped.is_some() {
            return;
        }
        if self.n_pre > 0 {
            for (at, line) in characters.split('\n').enumerate() {
                if at > 0 {
                    self.breaks = (self.breaks + 1).min(2);
                }
                if !line.is_empty() {
                    self.begin();
                    self.written.push_str(line);
                }
            }
            return;
        }
        let is_blank = |c: char| c.is_whitespace() || c.is_control();
        for (at, word) in characters.split(is_blank).enumerate() {
            self.blank |= at > 0;
            if !word.is_empty() {
                self.begin();
                self.written.push_str(word);
            }
        }
    }

    /// Writes what has to come before the next word.
    fn begin(&mut self) {
        let breaks = mem::take(&mut self.breaks);
        let blank = mem::take(&mut self.blank);
        if !self.written.is_empty() {
            if breaks > 0 {
                self.written.extend(std::iter::repeat_n('\n', breaks));
            } else if blank {
                self.written.push(' ');
            }
        }
        if let Some(mark) = self.mark.take() {
            self.written.push_str(&mark);
        }
    }

    fn end_block(&mut self, breaks: usize) {
        self.blank = false;
        // An item's mark and its first paragraph stand on one line.
        if self.mark.is_none() {
            self.breaks = self.breaks.max(breaks);
        }
    }

    fn image(&mut self) {
        self.blank = true;
        self.begin();
        self.written.push_str(IMAGE);
        self.blank = true;
    }

    fn open_link(&mut self, tag: &Tag) {
        self.close_link();
        let Some(href) = attribute(tag, "href").map(str::trim) else { return };
        let lower = href.get(..10.min(href.len())).unwrap_or(href).to_ascii_lowercase();
        let is_shown = SCHEMES.iter().any(|scheme| lower.starts_with(scheme));
        if is_shown && !href.contains(char::is_whitespace) {
            self.link = Some((href.to_string(), self.written.len()));
        }
    }

    fn close_link(&mut self) {
        let Some((address, from)) = self.link.take() else { return };
        let said = self.written.get(from..).unwrap_or_default().trim();
        let bare = |text: &str| {
            let text = text.trim_end_matches('/');
            let schemes = SCHEMES.iter().find_map(|scheme| text.strip_prefix(scheme));
            schemes.unwrap_or(text).to_string()
        };
        if bare(said) == bare(&address) {
            return;
        }
        if said.is_empty() {
            self.begin();
            self.written.push_str(&address);
        } else {
            self.written.push_str(&format!(" ({address})"));
        }
    }

    fn open_item(&mut self) {
        self.mark = None;
        self.end_block(1);
        let depth = self.lists.len().clamp(1, DEEPEST_LIST);
        let mark = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number += 1;
                format!("{number}. ")
            }
            _ => "- ".to_string(),
        };
        self.mark = Some(format!("{}{mark}", "  ".repeat(depth - 1)));
    }

    fn open_cell(&mut self) {
        if self.in_row && !self.written.is_empty() {
            self.written.push_str(" |");
        }
        self.in_row = true;
        self.blank = true;
    }

    fn finish(mut self) -> String {
        self.close_link();
        self.written.trim().to_string()
    }
}

/// Leaves of each tag that is too long what tells which one it is.
fn without_endless_tags(html: &str) -> Cow<'_, str> {
    let length = |piece: &str| piece.find('>').unwrap_or(piece.len());
    if html.split('<').skip(1).all(|piece| length(piece) <= MOST_TAG_BYTES) {
        return Cow::Borrowed(html);
    }
    let mut pieces = html.split('<');
    let mut kept = pieces.next().unwrap_or_default().to_string();
    for piece in pieces {
        kept.push('<');
        let is_tag = piece.starts_with(|c: char| c.is_ascii_alphabetic() || "/!?".contains(c));
        if is_tag && length(piece) > MOST_TAG_BYTES {
            let name = piece.trim_start_matches('/');
            kept.push_str(if name.len() < piece.len() { "/" } else { "" });
            kept.extend(name.chars().take_while(char::is_ascii_alphanumeric).take(16));
            let rest = piece.get(length(piece)..).filter(|rest| !rest.is_empty());
            kept.push_str(rest.unwrap_or(">"));
        } else {
            kept.push_str(piece);
        }
    }
    Cow::Owned(kept)
}

fn has_class(tag: &Tag, class: &str) -> bool {
    let classes = attribute(tag, "class");
    classes.is_some_and(|classes| classes.split_whitespace().any(|word| word == class))
}

fn attribute<'a>(tag: &'a Tag, name: &str) -> Option<&'a str> {
    let found = tag.attrs.iter().find(|attribute| *attribute.name.local == *name);
    found.map(|attribute| &*attribute.value)
}

#[cfg(test)]
mod tests;
