//! Blocks with a form of their own: code, tables, and HTML inside Markdown.

use std::ops::Range;

use pulldown_cmark::CodeBlockKind;

use super::{Code, Reading, cost, indent, line_start};
use crate::{
    html_block,
    inline::{Inline, size},
    outline::{Frame, Join, Leaf, SIZE_AIM, SIZE_LIMIT},
};

/// Largest table header that is repeated, words; a wider one would drown the rows.
const HEADER_LIMIT: usize = 60;

impl Reading<'_> {
    pub(super) fn start_code(&mut self, kind: &CodeBlockKind<'_>, range: Range<usize>) {
        let mut code =
            Code { text: Vec::new(), start: range.start, lang: String::new(), is_html: false };
        match kind {
            CodeBlockKind::Fenced(info) => {
                let word = info.split_whitespace().next().unwrap_or_default();
                code.lang = word.chars().filter(|c| !c.is_control()).take(20).collect();
            }
            CodeBlockKind::Indented => {
                let text = self.source.get(range).unwrap_or_default();
                code.is_html = text.trim_start().starts_with('<');
            }
        }
        self.code = Some(code);
    }

    pub(super) fn end_code(&mut self) {
        let Some(code) = self.code.take() else { return };
        if code.is_html {
            let end = code.text.last().map_or(code.start, |(at, text)| at + text.len());
            return self.html(code.start, end.min(self.source.len()));
        }
        let has_marker = self.marker.is_some();
        let (join, cost, prefix) = self.block_lead();
        if has_marker {
            // An item that begins with code keeps its marker on a line of its own.
            let start = line_start(self.source, self.block_start);
            self.leaf(Leaf::new(start, prefix.trim_end().to_owned(), join, cost));
        }
        let (join, cost) = if has_marker { (Join::Line, cost::CONTINUED) } else { (join, cost) };
        let pad = indent(self.depth());
        let number = self.outline.fences.len();
        self.outline.fences.push(format!("{pad}```{}", code.lang));
        let mut is_first = true;
        for (at, text) in &code.text {
            let mut offset = *at;
            for line in text.split_inclusive('\n') {
                let start = if is_first { line_start(self.source, code.start) } else { offset };
                let lead = if is_first { (join, cost) } else { (Join::Line, cost::CODE) };
                self.code_line(line, start, lead, number);
                is_first = false;
                offset += line.len();
            }
        }
    }

    fn code_line(&mut self, line: &str, start: usize, lead: (Join, f32), number: usize) {
        let clean: String =
            line.trim_end().chars().filter(|c| !c.is_control() || *c == '\t').collect();
        let pad = indent(self.depth());
        let parts = if size(&clean) > SIZE_LIMIT { cut_line(&clean) } else { vec![(0, clean)] };
        for (n, (offset, part)) in parts.into_iter().enumerate() {
            let text = if n == 0 { format!("{pad}{part}") } else { part };
            let (join, cost) = if n == 0 { lead } else { (Join::Nothing, cost::WORD) };
            let mut leaf = Leaf::new(start + offset, text, join, cost);
            leaf.frame = Frame::Code(number);
            self.leaf(leaf);
        }
    }

    /// Adds the lines of HTML that stands between two source offsets.
    pub(super) fn html(&mut self, from: usize, to: usize) {
        let html = self.source.get(from..to).unwrap_or_default();
        for (n, line) in html_block::lines(html).into_iter().enumerate() {
            let (mut join, mut cost, prefix) = self.block_lead();
            if n > 0 {
                (join, cost) = (Join::Line, cost::ITEM);
            }
            let mut inline = Inline::default();
            let source = self.source.get(from + line.at..).unwrap_or_default();
            let source = source.get(..line.text.len()).unwrap_or_default();
            inline.push(&line.text, source, from + line.at);
            for (n, (piece, is_cut)) in inline.pieces(SIZE_AIM, SIZE_LIMIT).into_iter().enumerate()
            {
                let leaf = match (n, is_cut) {
                    (0, _) => Leaf::new(
                        line_start(self.source, from + line.at),
                        format!("{prefix}{}", piece.text),
                        join,
                        cost,
                    ),
                    (_, false) => {
                        Leaf::new(piece.source_at, piece.text, Join::Space, cost::SENTENCE)
                    }
                    (_, true) => Leaf::new(piece.source_at, piece.text, Join::Space, cost::WORD),
                };
                self.leaf(leaf);
            }
        }
    }

    pub(super) fn end_table_head(&mut self) {
        let Some(table) = &mut self.table else { return };
        let says = table.cells.iter().any(|c| !c.is_empty());
        let header = if says { row(&table.cells) } else { String::new() };
        let start = line_start(self.source, table.row_start);
        let repeated = size(&header) <= HEADER_LIMIT;
        self.outline.headers.push(if repeated { header.clone() } else { String::new() });
        if !repeated {
            let (join, cost, prefix) = self.block_lead();
            self.long_row(&header, &prefix, start, (join, cost));
        }
    }

    pub(super) fn end_row(&mut self) {
        let Some(table) = &self.table else { return };
        if table.cells.iter().all(String::is_empty) {
            return;
        }
        let text = row(&table.cells);
        let start = line_start(self.source, table.row_start);
        let number = self.outline.headers.len().saturating_sub(1);
        let follows = self
            .outline
            .sections
            .last()
            .and_then(|s| s.leaves.last())
            .is_some_and(|l| l.frame == Frame::Row(number));
        let (mut join, mut cost, mut prefix) = self.block_lead();
        if follows {
            (join, cost, prefix) = (Join::Line, cost::ROW, indent(self.depth()));
        }
        if size(&text) > SIZE_LIMIT {
            return self.long_row(&text, &prefix, start, (join, cost));
        }
        let mut leaf = Leaf::new(start, format!("{prefix}{text}"), join, cost);
        leaf.frame = Frame::Row(number);
        self.leaf(leaf);
    }

    /// A row beyond the limit becomes pieces that all begin at the row.
    fn long_row(&mut self, text: &str, prefix: &str, start: usize, lead: (Join, f32)) {
        let mut inline = Inline::default();
        inline.push(text, "", start);
        for (n, (piece, is_cut)) in inline.pieces(SIZE_AIM, SIZE_LIMIT).into_iter().enumerate() {
            let leaf = match (n, is_cut) {
                (0, _) => Leaf::new(start, format!("{prefix}{}", piece.text), lead.0, lead.1),
                (_, false) => Leaf::new(start, piece.text, Join::Space, cost::SENTENCE),
                (_, true) => Leaf::new(start, piece.text, Join::Space, cost::WORD),
            };
            self.leaf(leaf);
        }
    }

    /// A table of a header alone still says its header.
    pub(super) fn end_table(&mut self) {
        let number = self.outline.headers.len().saturating_sub(1);
        let has_rows =
            self.outline.sections.last().is_some_and(|s| {
                s.leaves.iter().rev().take(1).any(|l| l.frame == Frame::Row(number))
            });
        let header = self.outline.headers.last().cloned().unwrap_or_default();
        if !has_rows && !header.is_empty() {
            let start = line_start(self.source, self.block_start);
            let (join, cost, prefix) = self.block_lead();
            self.leaf(Leaf::new(start, format!("{prefix}{header}"), join, cost));
        }
        self.table = None;
        self.inline = Inline::default();
    }
}

fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

/// Parts of an endless code line, with their offsets.
fn cut_line(line: &str) -> Vec<(usize, String)> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, c) in line.char_indices() {
        // About sixty words, as `size` counts a text without blanks.
        if at + c.len_utf8() - start > 600 {
            parts.push((start, line.get(start..at).unwrap_or_default().to_owned()));
            start = at;
        }
    }
    parts.push((start, line.get(start..).unwrap_or_default().to_owned()));
    parts
}
