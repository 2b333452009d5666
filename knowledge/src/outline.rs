//! The plain leaves of an article under their headings: what a reader sees, in order, each leaf
//! knowing where it begins in the source and how gladly the text is cut before it.

mod reading;

use crate::{inline, mask};

/// A section of an article: a heading and what stands under it.
#[derive(Debug, Default)]
pub(crate) struct Section {
    /// Source offset at which it begins, its heading included.
    pub(crate) start: usize,
    /// Headings from the outermost to its own.
    pub(crate) path: Vec<String>,
    pub(crate) leaves: Vec<Leaf>,
}

/// The smallest unit that a passage holds whole.
#[derive(Debug, PartialEq)]
pub(crate) struct Leaf {
    /// Source offset at which it begins.
    pub(crate) start: usize,
    pub(crate) text: String,
    /// Size in words, at least 1.
    pub(crate) size: usize,
    /// What stands between it and the leaf before.
    pub(crate) join: Join,
    /// Reluctance to cut before it, 0 for a new block.
    pub(crate) cost: f32,
    pub(crate) frame: Frame,
}

/// What joins two leaves in one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    Nothing,
    Space,
    Line,
    Blank,
}

/// What a leaf needs around it when a passage begins or ends at it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Frame {
    Plain,
    /// A line of the code block with this number.
    Code(usize),
    /// A row of the table with this number.
    Row(usize),
}

/// An article as sections, with the code fences and table headers that its leaves refer to.
#[derive(Debug, Default)]
pub(crate) struct Outline {
    pub(crate) sections: Vec<Section>,
    /// Opening fences with their indent, as in "  ```json".
    pub(crate) fences: Vec<String>,
    /// Header rows, empty when a table has none worth repeating.
    pub(crate) headers: Vec<String>,
}

/// Largest passage, in words as [`inline::size`] counts them.
pub(crate) const SIZE_LIMIT: usize = 180;

/// Size that passages aim at; measured best between 90 and 130 on development data.
pub(crate) const SIZE_AIM: usize = 110;

/// Longest heading, characters: it stands in every passage below it.
const HEADING_LIMIT: usize = 200;

/// Reads the outline of a body; `mdx` says that it may hold components.
pub(crate) fn read(body: &str, mdx: bool) -> Outline {
    let masked = mask::mask(body, mdx);
    reading::read(&masked)
}

/// The first top-level heading of a body.
pub(crate) fn first_heading(body: &str) -> Option<String> {
    use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd};
    let masked = mask::mask(body, false);
    let mut heading: Option<String> = None;
    for event in Parser::new_ext(&masked, reading::options()) {
        match (event, &mut heading) {
            (Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }), _) => {
                heading = Some(String::new());
            }
            (Event::Text(text) | Event::Code(text), Some(h)) => h.push_str(&text),
            (Event::End(TagEnd::Heading(_)), Some(h)) => {
                let text = h.split_whitespace().collect::<Vec<_>>().join(" ");
                let text: String = text.chars().filter(|c| !c.is_control()).collect();
                if !text.is_empty() {
                    return Some(text);
                }
                heading = None;
            }
            _ => {}
        }
    }
    None
}

impl Leaf {
    fn new(start: usize, text: String, join: Join, cost: f32) -> Self {
        let size = inline::size(&text).max(1);
        Self { start, text, size, join, cost, frame: Frame::Plain }
    }
}
