//! Text within a line: gathered from events, cleaned, and cut at sentences or words, with each
//! piece knowing where in the source it begins.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;

/// Text under construction, with marks from its bytes back to the source.
#[derive(Debug, Default)]
pub(crate) struct Inline {
    text: String,
    marks: Vec<Mark>,
    /// Source start of markup (a link, emphasis) that opened just before the next character.
    opened: Option<usize>,
}

#[derive(Debug, Clone, Copy)]
struct Mark {
    text_at: usize,
    source_at: usize,
    /// Text after the mark follows the source byte by byte.
    verbatim: bool,
}

/// A piece of text and the source offset at which it begins.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece {
    pub(crate) text: String,
    pub(crate) source_at: usize,
    /// What stood between it and the piece before: nothing, a blank, or a line end.
    pub(crate) gap: Gap,
}

/// White space between two pieces of one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Gap {
    None,
    Space,
    Line,
}

impl Inline {
    /// Notes that markup opens at a source offset.
    pub(crate) fn open(&mut self, source_at: usize) {
        self.opened.get_or_insert(source_at);
    }

    /// Adds text; `source` is what stands in the source there, starting at `source_at`.
    pub(crate) fn push(&mut self, text: &str, source: &str, source_at: usize) {
        let verbatim = text == source;
        for (n, c) in text.char_indices() {
            if c == '\n' || c.is_whitespace() {
                if c != '\u{c}' && c != '\u{b}' {
                    self.space(' ');
                }
                continue;
            }
            if c.is_control() || c == '\u{feff}' {
                continue;
            }
            if let Some(opened) = self.opened.take() {
                self.mark(opened, false);
            } else {
                self.mark(if verbatim { source_at + n } else { source_at }, verbatim);
            }
            self.text.push(c);
        }
    }

    /// Adds one white space unless there is one already.
    pub(crate) fn space(&mut self, space: char) {
        if space == '\n' {
            self.text.truncate(self.text.trim_end_matches(' ').len());
        }
        if !self.text.is_empty() && !self.text.ends_with([' ', '\n']) {
            self.text.push(space);
        }
    }

    /// The text without white space around it.
    pub(crate) fn text(&self) -> &str {
        self.text.trim()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.text().is_empty()
    }

    fn mark(&mut self, source_at: usize, verbatim: bool) {
        let text_at = self.text.len();
        let follows = self.marks.last().is_some_and(|m| {
            m.verbatim
                && verbatim
                && source_at.checked_sub(m.source_at) == Some(text_at - m.text_at)
        });
        if !follows {
            self.marks.push(Mark { text_at, source_at, verbatim });
        }
    }

    fn source_of(&self, text_at: usize) -> Option<usize> {
        let n = self.marks.partition_point(|m| m.text_at <= text_at);
        let mark = self.marks.get(n.checked_sub(1)?)?;
        Some(if mark.verbatim { mark.source_at + text_at - mark.text_at } else { mark.source_at })
    }

    /// The whole text as pieces of at most `limit` (see [`size`]): one piece when it is within
    /// `keep`, else sentences, and words where a sentence alone is beyond the limit. The flag of
    /// the result says that words were cut.
    pub(crate) fn pieces(&self, keep: usize, limit: usize) -> Vec<(Piece, bool)> {
        let text = self.text.trim_end();
        let first = text.len() - text.trim_start().len();
        if size(text) <= keep {
            return self.piece(text, first, text.len(), false).into_iter().collect();
        }
        let mut pieces = Vec::new();
        let mut at = 0;
        for line in text.split_inclusive('\n') {
            for sentence in line.split_sentence_bounds() {
                let end = at + sentence.len();
                if size(sentence) <= limit {
                    pieces.extend(self.piece(text, at, end, false));
                } else {
                    pieces.extend(self.word_pieces(text, at..end, limit));
                }
                at = end;
            }
        }
        pieces
    }

    fn word_pieces(&self, text: &str, range: Range<usize>, limit: usize) -> Vec<(Piece, bool)> {
        let (from, to) = (range.start, range.end);
        let mut pieces = Vec::new();
        // Smaller than the limit, so that pieces can be gathered to an even size.
        let limit = (limit / 3).max(1);
        let mut start = from;
        let mut measure = Measure::default();
        let mut cut_after_space = from;
        let mut is_first = true;
        for (n, c) in text.get(from..to).unwrap_or_default().char_indices() {
            let at = from + n;
            measure.add(c);
            if c.is_whitespace() {
                cut_after_space = at + c.len_utf8();
            }
            if measure.size() > limit {
                let end = if cut_after_space > start { cut_after_space } else { at };
                if end > start {
                    pieces.extend(self.piece(text, start, end, !is_first));
                    is_first = false;
                    measure = Measure::default();
                    for c in text.get(end..at + c.len_utf8()).unwrap_or_default().chars() {
                        measure.add(c);
                    }
                    start = end;
                }
            }
        }
        pieces.extend(self.piece(text, start, to, !is_first));
        pieces
    }

    fn piece(&self, text: &str, from: usize, to: usize, cut: bool) -> Option<(Piece, bool)> {
        let raw = text.get(from..to)?;
        let inner = raw.trim_start();
        let start = from + raw.len() - inner.len();
        let inner = inner.trim_end();
        if inner.is_empty() {
            return None;
        }
        let before = text.get(..start).unwrap_or_default();
        let gap = match before.chars().next_back() {
            Some('\n') => Gap::Line,
            Some(c) if c.is_whitespace() => Gap::Space,
            _ => Gap::None,
        };
        let source_at = self.source_of(start)?;
        Some((Piece { text: inner.to_owned(), source_at, gap }, cut))
    }
}

/// Measures text in words, so that scripts without blanks and very long tokens count as well.
#[derive(Debug, Default, Clone, Copy)]
struct Measure {
    /// Half words: a wide character is half a word, a token one word for each 20 characters.
    halves: usize,
    run: usize,
}

impl Measure {
    fn add(&mut self, c: char) {
        if c.is_whitespace() {
            self.run = 0;
        } else if c >= '\u{2e80}' {
            self.halves += 1;
            self.run = 0;
        } else {
            if self.run.is_multiple_of(20) {
                self.halves += 2;
            }
            self.run += 1;
        }
    }

    fn size(self) -> usize {
        self.halves.div_ceil(2)
    }
}

/// Size of a text in words.
pub(crate) fn size(text: &str) -> usize {
    let mut measure = Measure::default();
    text.chars().for_each(|c| measure.add(c));
    measure.size()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inline(text: &str) -> Inline {
        let mut inline = Inline::default();
        inline.push(text, text, 100);
        inline
    }

    #[test]
    fn sizes_count_words_wide_characters_and_long_tokens() {
        for (text, expected) in
            [("", 0), ("one two", 2), ("漢字漢字", 2), ("x".repeat(60).as_str(), 3)]
        {
            assert_eq!(size(text), expected, "{text}");
        }
    }

    #[test]
    fn a_long_text_is_cut_at_sentences_that_know_their_source() {
        let text = "One is short. Two is here! And  three?";
        let pieces = inline(text).pieces(3, 10);
        let shown: Vec<_> =
            pieces.iter().map(|(p, _)| (p.text.as_str(), p.source_at - 100)).collect();
        assert_eq!(shown, [("One is short.", 0), ("Two is here!", 14), ("And three?", 27)]);
        assert_eq!(inline(text).pieces(50, 100).len(), 1);
    }

    #[test]
    fn an_endless_sentence_is_cut_between_words_and_an_endless_word_anywhere() {
        let words = "word ".repeat(100);
        let pieces = inline(&words).pieces(10, 30);
        assert!(pieces.iter().all(|(p, _)| size(&p.text) <= 30 && !p.text.contains("wordword")));
        assert_eq!(pieces.iter().map(|(p, _)| size(&p.text)).sum::<usize>(), 100);
        let pieces = inline(&"ä".repeat(5_000)).pieces(10, 30);
        assert!(pieces.len() > 5);
        assert!(pieces.iter().all(|(p, _)| size(&p.text) <= 30));
    }

    #[test]
    fn white_space_collapses_and_control_characters_vanish() {
        let mut inline = inline("a \t b\u{1}\u{c}c\u{7}");
        inline.space('\n');
        inline.push(" d", " d", 200);
        assert_eq!(inline.text(), "a bc\nd");
    }
}
