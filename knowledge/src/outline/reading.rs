//! Walks the Markdown events and gathers leaves; all nesting is on the heap.

mod blocks;

use std::ops::Range;

use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::{HEADING_LIMIT, Join, Leaf, Outline, SIZE_AIM, SIZE_LIMIT, Section};
use crate::{
    html_block,
    inline::{Gap, Inline},
};

/// Deepest indent of nested items, levels.
const INDENT_LIMIT: usize = 8;

/// Reluctance to cut, by what would be torn. Only their order and rough distance matter: a new
/// block costs nothing, a cut inside a sentence must stay the last resort.
mod cost {
    pub(super) const BLOCK: f32 = 0.0;
    pub(super) const ITEM: f32 = 0.1;
    pub(super) const NESTED: f32 = 0.25;
    pub(super) const ROW: f32 = 0.15;
    pub(super) const SENTENCE: f32 = 0.4;
    pub(super) const CODE: f32 = 0.5;
    pub(super) const CONTINUED: f32 = 0.5;
    pub(super) const INTRODUCED: f32 = 0.7;
    pub(super) const WORD: f32 = 3.0;
}

/// The Markdown that is understood.
pub(super) fn options() -> Options {
    Options::ENABLE_TABLES
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM
}

/// Reads masked Markdown.
pub(super) fn read(source: &str) -> Outline {
    let mut reading = Reading::new(source);
    for (event, range) in Parser::new_ext(source, options()).into_offset_iter() {
        reading.event(event, range);
    }
    reading.flush();
    reading.outline
}

#[derive(Default)]
struct Table {
    cells: Vec<String>,
    row_start: usize,
    in_head: bool,
}

struct Code {
    text: Vec<(usize, String)>,
    start: usize,
    lang: String,
    /// It is HTML that only its indent made code.
    is_html: bool,
}

struct Reading<'a> {
    source: &'a str,
    outline: Outline,
    inline: Inline,
    /// Where the current block begins.
    block_start: usize,
    /// Numbers of the open lists, none for bullets.
    lists: Vec<Option<u64>>,
    /// Marker of an item that has no leaf yet.
    marker: Option<String>,
    /// The block before belonged to a list.
    in_items: bool,
    /// The last outermost list was numbered.
    was_numbered: bool,
    /// The outermost list is of bullets that follow a numbered item at once: its author meant
    /// them under that item and indented them too little.
    under_number: bool,
    /// The next item is the first of its list.
    opens_list: bool,
    quotes: usize,
    headings: Vec<(HeadingLevel, String)>,
    table: Option<Table>,
    code: Option<Code>,
    html_start: Option<usize>,
    html_end: usize,
}

impl<'a> Reading<'a> {
    fn new(source: &'a str) -> Self {
        let outline = Outline { sections: vec![Section::default()], ..Outline::default() };
        Self {
            source,
            outline,
            inline: Inline::default(),
            block_start: 0,
            lists: Vec::new(),
            marker: None,
            in_items: false,
            was_numbered: false,
            under_number: false,
            opens_list: false,
            quotes: 0,
            headings: Vec::new(),
            table: None,
            code: None,
            html_start: None,
            html_end: 0,
        }
    }

    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, range),
            Event::Text(text) => self.text(&text, range),
            Event::Code(text) | Event::InlineMath(text) | Event::DisplayMath(text) => {
                self.inline.open(range.start);
                self.text(&text, range);
            }
            Event::SoftBreak => self.inline.space(self.soft_break(range.end)),
            Event::HardBreak => self.inline.space(self.line_end()),
            Event::Html(_) => self.html_end = range.end,
            Event::InlineHtml(tag) => self.inline_html(&tag, range),
            Event::Rule | Event::FootnoteReference(_) => {}
            Event::TaskListMarker(done) => {
                self.inline.push(if done { "[x] " } else { "[ ] " }, "", range.start);
            }
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Emphasis
            | Tag::Strong
            | Tag::Strikethrough
            | Tag::Superscript
            | Tag::Subscript
            | Tag::Link { .. }
            | Tag::Image { .. } => {
                self.note_block_start(range.start);
                self.inline.open(range.start);
                return;
            }
            Tag::TableCell => return,
            _ => self.flush(),
        }
        self.block_start = range.start;
        match tag {
            Tag::BlockQuote(_) => self.quotes += 1,
            Tag::List(number) => self.start_list(number),
            Tag::Item => self.start_item(),
            Tag::CodeBlock(kind) => self.start_code(&kind, range),
            Tag::HtmlBlock => {
                self.html_start = Some(range.start);
                self.html_end = range.start;
            }
            Tag::Table(_) => self.table = Some(Table::default()),
            Tag::TableHead | Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.in_head = matches!(tag, Tag::TableHead);
                    table.row_start = range.start;
                    table.cells.clear();
                }
            }
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd, range: Range<usize>) {
        match tag {
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes = self.quotes.saturating_sub(1);
            }
            TagEnd::Heading(level) => self.end_heading(level, range.start),
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Item => {
                self.flush();
                self.marker = None;
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => {
                if let Some(start) = self.html_start.take() {
                    self.html(start, self.html_end);
                }
            }
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.inline).text().replace('|', "\\|");
                if let Some(table) = &mut self.table {
                    table.cells.push(cell);
                }
            }
            TagEnd::TableHead => self.end_table_head(),
            TagEnd::TableRow => self.end_row(),
            TagEnd::Table => self.end_table(),
            TagEnd::Paragraph | TagEnd::FootnoteDefinition => self.flush(),
            _ => {}
        }
    }

    fn text(&mut self, text: &str, range: Range<usize>) {
        if let Some(code) = &mut self.code {
            code.text.push((range.start, text.to_owned()));
            return;
        }
        self.note_block_start(range.start);
        let source = self.source.get(range.clone()).unwrap_or_default();
        self.inline.push(text, source, range.start);
    }

    fn inline_html(&mut self, tag: &str, range: Range<usize>) {
        let (name, _) = html_block::tag_name(tag);
        if name == "br" {
            self.inline.space(self.line_end());
        } else if html_block::is_left_to_fill_in(tag) {
            self.text(tag, range);
        }
    }

    /// Tight items hold text without a paragraph around it, which then begins a block itself.
    fn note_block_start(&mut self, at: usize) {
        if self.inline.is_empty() && self.marker.is_none() && !self.lists.is_empty() {
            self.block_start = at;
        }
    }

    fn line_end(&self) -> char {
        if self.table.is_some() { ' ' } else { '\n' }
    }

    /// A line break in a paragraph is a blank, unless the next line was meant as an item: other
    /// engines accept items that are indented too far for CommonMark.
    fn soft_break(&self, next: usize) -> char {
        let line = self.source.get(next..).unwrap_or_default().trim_start_matches([' ', '\t']);
        let is_item = ["- ", "* ", "+ "].iter().any(|mark| line.starts_with(mark));
        if is_item { self.line_end() } else { ' ' }
    }

    fn start_list(&mut self, number: Option<u64>) {
        if self.lists.is_empty() {
            self.under_number = number.is_none() && self.in_items && self.was_numbered;
            self.was_numbered = number.is_some() || self.under_number;
        }
        self.lists.push(number);
        self.opens_list = true;
    }

    /// Levels of items that the next block stands in.
    fn depth(&self) -> usize {
        self.lists.len() + usize::from(self.under_number && !self.lists.is_empty())
    }

    fn start_item(&mut self) {
        let depth = self.depth();
        let marker = match self.lists.last_mut() {
            Some(Some(number)) => {
                *number = number.saturating_add(1);
                format!("{}. ", number.saturating_sub(1))
            }
            _ => "- ".to_owned(),
        };
        self.marker = Some(format!("{}{marker}", indent(depth.saturating_sub(1))));
    }

    fn end_heading(&mut self, level: HeadingLevel, start: usize) {
        // A heading within a quote or a list is text of that quote or list.
        if self.quotes > 0 || !self.lists.is_empty() {
            return self.flush();
        }
        let inline = std::mem::take(&mut self.inline);
        let text: String = inline.text().replace('\n', " ").chars().take(HEADING_LIMIT).collect();
        if text.is_empty() {
            return;
        }
        while self.headings.last().is_some_and(|(l, _)| *l >= level) {
            self.headings.pop();
        }
        self.headings.push((level, text));
        self.in_items = false;
        let path = self.headings.iter().map(|(_, text)| text.clone()).collect();
        let start = line_start(self.source, start);
        self.outline.sections.push(Section { start, path, leaves: Vec::new() });
    }

    /// Turns the gathered text into leaves.
    fn flush(&mut self) {
        if self.inline.is_empty() {
            self.inline = Inline::default();
            return;
        }
        let inline = std::mem::take(&mut self.inline);
        let (join, cost, prefix) = self.block_lead();
        let start = line_start(self.source, self.block_start);
        for (n, (piece, is_cut)) in inline.pieces(SIZE_AIM, SIZE_LIMIT).into_iter().enumerate() {
            if n == 0 {
                self.leaf(Leaf::new(start, format!("{prefix}{}", piece.text), join, cost));
                continue;
            }
            let (join, text) = match piece.gap {
                Gap::None => (Join::Nothing, piece.text),
                Gap::Space => (Join::Space, piece.text),
                Gap::Line => (Join::Line, piece.text),
            };
            let cost = if is_cut { cost::WORD } else { cost::SENTENCE };
            self.leaf(Leaf::new(piece.source_at, text, join, cost));
        }
    }

    /// How the next block joins what stands before it: join, reluctance, text before it.
    fn block_lead(&mut self) -> (Join, f32, String) {
        let depth = self.depth();
        if let Some(marker) = self.marker.take() {
            let join = if self.in_items { Join::Line } else { Join::Blank };
            let opens = std::mem::take(&mut self.opens_list);
            self.in_items = true;
            return match (depth, opens) {
                (0 | 1, _) => (join, cost::ITEM, marker),
                (_, true) => (join, cost::CONTINUED, marker),
                (_, false) => (join, cost::NESTED, marker),
            };
        }
        if depth > 0 {
            return (Join::Line, cost::CONTINUED, indent(depth));
        }
        self.in_items = false;
        (Join::Blank, cost::BLOCK, String::new())
    }

    fn leaf(&mut self, mut leaf: Leaf) {
        let Some(section) = self.outline.sections.last_mut() else { return };
        if section.leaves.last().is_some_and(|l| l.text.ends_with(':')) {
            leaf.cost = leaf.cost.max(cost::INTRODUCED);
        }
        section.leaves.push(leaf);
    }
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth.min(INDENT_LIMIT))
}

/// Moves an offset back to the start of its line when only marks of structure stand between.
fn line_start(source: &str, at: usize) -> usize {
    let before = source.get(..at).unwrap_or_default();
    let bare = before.trim_end_matches([' ', '\t', '>']);
    if bare.is_empty() || bare.ends_with('\n') { bare.len() } else { at }
}
