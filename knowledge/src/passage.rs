//! Passages: pieces of an article that are long enough to answer and short enough to quote.
//!
//! Leaves are gathered within their section by a small dynamic programme: a passage wants to be
//! about [`SIZE_AIM`] words, may not exceed [`SIZE_LIMIT`] unless one leaf does, and a cut costs
//! what it tears apart.

use std::ops::Range;

use crate::{
    article::Article,
    outline::{self, Frame, Join, Leaf, Outline, SIZE_AIM, SIZE_LIMIT, Section},
};

/// Longest text that is embedded, bytes: about what a small encoder reads.
const EMBEDDED_LIMIT: usize = 1_500;

/// Below this size a passage is a scrap that says little alone.
const SCRAP: usize = 25;

/// A piece of an article.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Number of its article within the index; 0 from [`split`].
    pub article: usize,
    /// Headings above it, outermost first; a top heading that repeats the title is left out.
    pub heading: Vec<String>,
    /// Bytes of [`Article::body`]. The ranges of an article's passages follow one another and
    /// cover its body.
    pub range: Range<usize>,
    /// Plain text: paragraphs apart by blank lines, items, rows and code on lines of their own.
    pub text: String,
}

/// Splits an article into passages, at least one.
pub fn split(article: &Article) -> Vec<Passage> {
    let is_mdx = article.path.extension().is_some_and(|e| e.eq_ignore_ascii_case("mdx"));
    let outline = outline::read(&article.body, is_mdx);
    let mut passages = Vec::new();
    // Sections without text hand their bytes to the next passage.
    let mut pending = None;
    for section in &outline.sections {
        let start = *pending.get_or_insert(section.start);
        for (n, leaves) in gather(&section.leaves).into_iter().enumerate() {
            let begins = if n == 0 { start } else { leaves.first().map_or(start, |l| l.start) };
            passages.push(Passage {
                article: 0,
                heading: heading(section, &article.title),
                range: begins..begins,
                text: assemble(leaves, &outline),
            });
            pending = None;
        }
    }
    cover(passages, &outline, article)
}

/// The text of a passage that is turned into a vector: title, headings, text.
pub fn embedding_text(title: &str, passage: &Passage) -> String {
    let mut text = title.trim().to_owned();
    if !passage.heading.is_empty() {
        text.push('\n');
        text.push_str(&passage.heading.join(" > "));
    }
    if !passage.text.is_empty() {
        text.push('\n');
        text.push_str(&passage.text);
    }
    let mut end = text.len().min(EMBEDDED_LIMIT);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

/// Makes the ranges follow one another without a gap.
fn cover(mut passages: Vec<Passage>, outline: &Outline, article: &Article) -> Vec<Passage> {
    let body = &article.body;
    if passages.is_empty() {
        let heading =
            outline.sections.last().map(|s| heading(s, &article.title)).unwrap_or_default();
        return vec![Passage { article: 0, heading, range: 0..body.len(), text: String::new() }];
    }
    let mut end = body.len();
    for passage in passages.iter_mut().rev() {
        let mut begins = passage.range.start.min(end);
        while !body.is_char_boundary(begins) {
            begins -= 1;
        }
        passage.range = begins..end;
        end = begins;
    }
    if let Some(first) = passages.first_mut() {
        first.range.start = 0;
    }
    passages
}

fn heading(section: &Section, title: &str) -> Vec<String> {
    let repeats = section.path.first().is_some_and(|h| h.to_lowercase() == title.to_lowercase());
    section.path.iter().skip(usize::from(repeats)).cloned().collect()
}

/// Cuts the leaves of a section into runs, at the least cost.
fn gather(leaves: &[Leaf]) -> Vec<&[Leaf]> {
    // best[n] is the least cost of the first n leaves, and where their last run begins.
    let mut best: Vec<(f32, usize)> = vec![(0.0, 0)];
    for end in 1..=leaves.len() {
        let mut least = (f32::INFINITY, end - 1);
        let mut size = 0;
        for begin in (0..end).rev() {
            let Some(leaf) = leaves.get(begin) else { break };
            size += leaf.size;
            if size > SIZE_LIMIT && begin + 1 < end {
                break;
            }
            let tear = if begin == 0 { 0.0 } else { leaf.cost };
            let before = best.get(begin).map_or(f32::INFINITY, |b| b.0);
            let cost = before + tear + misfit(size);
            if cost < least.0 {
                least = (cost, begin);
            }
        }
        best.push(least);
    }
    let mut runs = Vec::new();
    let mut end = leaves.len();
    while end > 0 {
        let begin = best.get(end).map_or(0, |b| b.1).min(end - 1);
        runs.push(leaves.get(begin..end).unwrap_or_default());
        end = begin;
    }
    runs.reverse();
    runs
}

/// How badly a size fits: nought at the aim, about one at double the aim or at a single word.
#[expect(clippy::cast_precision_loss, reason = "sizes are small")]
fn misfit(size: usize) -> f32 {
    let off = (size as f32 - SIZE_AIM as f32) / SIZE_AIM as f32;
    let scrap = if size < SCRAP { 0.5 } else { 0.0 };
    // Each passage costs a little, so that what can stand together does.
    0.15 + off * off + scrap
}

/// Writes the leaves of a passage as one text.
fn assemble(leaves: &[Leaf], outline: &Outline) -> String {
    let mut text = String::new();
    let mut frame = Frame::Plain;
    for leaf in leaves {
        let enters = leaf.frame != frame;
        if enters && let Frame::Code(n) = frame {
            close_fence(&mut text, outline, n);
        }
        if !text.is_empty() {
            text.push_str(match leaf.join {
                Join::Nothing => "",
                Join::Space => " ",
                Join::Line => "\n",
                Join::Blank => "\n\n",
            });
        }
        let opening = match leaf.frame {
            Frame::Code(n) if enters => outline.fences.get(n),
            Frame::Row(n) if enters => outline.headers.get(n).filter(|h| !h.is_empty()),
            _ => None,
        };
        if let Some(opening) = opening {
            text.push_str(opening);
            text.push('\n');
        }
        text.push_str(&leaf.text);
        frame = leaf.frame;
    }
    if let Frame::Code(n) = frame {
        close_fence(&mut text, outline, n);
    }
    text
}

fn close_fence(text: &mut String, outline: &Outline, number: usize) {
    let fence = outline.fences.get(number).map_or("", String::as_str);
    let pad = fence.len() - fence.trim_start().len();
    text.push('\n');
    text.push_str(&" ".repeat(pad));
    text.push_str("```");
}

#[cfg(test)]
mod tests;
