use unicode_segmentation::UnicodeSegmentation;

/// What a passage is quoted in: a sentence, or a list, table or code block as a whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unit {
    /// Paragraph, list, table or code block of the passage that it belongs to, from 0.
    pub(super) block: usize,
    pub(super) kind: Kind,
    pub(super) text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Sentence,
    List,
    Steps,
    Table,
    Code,
}

/// Splits the text of a passage into units, in order. A line that introduces a list, table or code
/// block (it ends in a colon) belongs to it.
pub(super) fn units(text: &str) -> Vec<Unit> {
    let mut units: Vec<Unit> = Vec::new();
    for (block, (kind, text)) in blocks(text).into_iter().enumerate() {
        if kind == Kind::Sentence {
            let sentences = sentences(&text).into_iter();
            units.extend(sentences.map(|text| Unit { block, kind, text }));
            continue;
        }
        match units.last_mut() {
            Some(intro) if intro.kind == Kind::Sentence && intro.text.ends_with(':') => {
                let joint = if kind == Kind::Code { "\n\n" } else { "\n" };
                *intro = Unit { block, kind, text: format!("{}{joint}{text}", intro.text) };
            }
            _ => units.push(Unit { block, kind, text }),
        }
    }
    units
}

/// Rows of a table that are quoted whole; of a longer one only those that the question is about.
const ROWS_QUOTED_WHOLE: usize = 4;

impl Unit {
    /// Renders the unit for a reader: a table gets the line under its header that Markdown wants,
    /// and, when it is long, only the rows that `weight` finds something of the question in.
    pub(super) fn quoted(&self, weight: impl Fn(&str) -> f64) -> String {
        if self.kind != Kind::Table {
            return self.text.clone();
        }
        let is_row = |line: &&str| line.trim_start().starts_with('|');
        let is_rule = |line: &str| line.chars().all(|c| "|-: ".contains(c));
        let intro = self.text.lines().filter(|line| !is_row(line)).map(str::to_string);
        let mut rows = self.text.lines().filter(is_row).filter(|line| !is_rule(line));
        let header = rows.next().unwrap_or_default().to_string();
        let rows: Vec<(&str, f64)> = rows.map(|row| (row, weight(row))).collect();
        let best = rows.iter().map(|(_, weight)| *weight).fold(0.0, f64::max);
        let kept = |weight: f64| rows.len() <= ROWS_QUOTED_WHOLE || weight >= 0.5 * best;
        let rule = format!("|{}", "---|".repeat(header.matches('|').count().saturating_sub(1)));
        let chosen = rows.iter().filter(|(_, w)| kept(*w)).map(|(row, _)| (*row).to_string());
        intro.chain([header, rule]).chain(chosen).collect::<Vec<_>>().join("\n")
    }
}

/// Groups the lines of a passage into blocks.
fn blocks(text: &str) -> Vec<(Kind, String)> {
    let mut blocks: Vec<(Kind, String)> = Vec::new();
    let mut fence = false;
    let mut open = false;
    for line in text.lines() {
        let marks_code = line.trim_start().starts_with("```");
        if !fence && line.trim().is_empty() {
            open = false;
            continue;
        }
        let kind = if fence || marks_code { Kind::Code } else { line_kind(line) };
        match blocks.last_mut() {
            // A line without a mark goes on with the item above it.
            Some((last, text)) if open && (*last == kind || belongs(*last, kind, line)) => {
                text.push('\n');
                text.push_str(line);
            }
            _ => blocks.push((kind, line.to_string())),
        }
        if marks_code {
            fence = !fence;
        }
        open = fence || !marks_code;
    }
    blocks
}

/// Whether `line` goes on with a list: it is indented, or an item of the other sort inside it.
fn belongs(last: Kind, kind: Kind, line: &str) -> bool {
    let listing = |kind| matches!(kind, Kind::List | Kind::Steps);
    listing(last) && (listing(kind) || line.starts_with("  "))
}

fn line_kind(line: &str) -> Kind {
    let line = line.trim_start();
    let digits = line.bytes().take_while(u8::is_ascii_digit).count();
    let after_digits = line.get(digits..).unwrap_or_default();
    if line.starts_with("- ") || line.starts_with("* ") || line.starts_with("• ") {
        Kind::List
    } else if (1..=3).contains(&digits)
        && (after_digits.starts_with(". ") || after_digits.starts_with(") "))
    {
        Kind::Steps
    } else if line.starts_with('|') {
        Kind::Table
    } else {
        Kind::Sentence
    }
}

/// Splits a paragraph into sentences (Unicode Annex 29, with common abbreviations rejoined).
pub(super) fn sentences(paragraph: &str) -> Vec<String> {
    const ABBREVIATIONS: [&str; 14] = [
        "e.g.", "i.e.", "etc.", "vs.", "no.", "inc.", "approx.", "mr.", "mrs.", "dr.", "u.s.",
        "z.b.", "d.h.", "ca.",
    ];
    let mut sentences: Vec<String> = Vec::new();
    let mut join = false;
    for line in paragraph.lines() {
        for piece in line.split_sentence_bounds() {
            let piece = piece.trim();
            if piece.is_empty() {
                continue;
            }
            let lower_start = piece.chars().next().is_some_and(char::is_lowercase);
            match sentences.last_mut() {
                Some(last) if join || lower_start => {
                    last.push(' ');
                    last.push_str(piece);
                }
                _ => sentences.push(piece.to_string()),
            }
            let last_word = piece.rsplit(char::is_whitespace).next().unwrap_or_default();
            join = ABBREVIATIONS.contains(&last_word.to_lowercase().trim_start_matches('('));
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &[(Kind, &str)]) {
        let units = units(text);
        let units: Vec<(Kind, &str)> = units.iter().map(|u| (u.kind, u.text.as_str())).collect();
        assert_eq!(units, expected);
    }

    #[test]
    fn sentences_lists_tables_and_code_are_units() {
        check(
            "One. Two e.g. this one! Three?",
            &[
                (Kind::Sentence, "One."),
                (Kind::Sentence, "Two e.g. this one!"),
                (Kind::Sentence, "Three?"),
            ],
        );
        check(
            "Do this:\n\n1. Open it.\n   - inside\n2. Close it.\n\nThen wait.",
            &[
                (Kind::Steps, "Do this:\n1. Open it.\n   - inside\n2. Close it."),
                (Kind::Sentence, "Then wait."),
            ],
        );
        check(
            "| a | b |\n|---|---|\n| 1 | 2 |",
            &[(Kind::Table, "| a | b |\n|---|---|\n| 1 | 2 |")],
        );
        check(
            "Run:\n\n```sh\nls\n\npwd\n```\n- x\n- y",
            &[(Kind::Code, "Run:\n\n```sh\nls\n\npwd\n```"), (Kind::List, "- x\n- y")],
        );
    }

    #[test]
    fn long_tables_are_quoted_by_the_rows_that_matter() {
        let text = "Codes:\n| Code | Mend |\n| A | x |\n| B | y |\n| C | z |\n| D | x |\n| E | x |";
        let unit = units(text).remove(0);
        let about_b = |row: &str| if row.contains('B') { 1.0 } else { 0.0 };
        assert_eq!(unit.quoted(about_b), "Codes:\n| Code | Mend |\n|---|---|\n| B | y |");
        assert_eq!(unit.quoted(|_| 0.0).lines().count(), 8);
    }

    proptest! {
        #[test]
        fn no_word_is_lost(text in "([a-z]{1,5}[.:!?]?[ \n]|- |1\\. |\\| |```\n|\n\n){0,60}") {
            let joined: String = units(&text).into_iter().map(|u| u.text).collect::<Vec<_>>().join(" ");
            prop_assert_eq!(
                text.split_whitespace().collect::<Vec<_>>(),
                joined.split_whitespace().collect::<Vec<_>>()
            );
        }

        #[test]
        fn no_text_makes_it_panic(text in "\\PC{0,300}") {
            units(&text);
        }
    }
}
