use regex_syntax::hir::{Class, Hir, HirKind};

/// Alternatives of a pattern that are tried.
const MAX_MATCHES: usize = 12;
/// Repetitions of a part that are written out.
const MAX_REPEATS: u32 = 64;

/// Writes texts that `pattern` should match, plain ones first; they are to be tried, for anchors
/// and word boundaries are not looked at.
pub(super) fn matches(pattern: &str) -> Vec<String> {
    let hir = regex_syntax::Parser::new().parse(pattern);
    hir.map(|hir| of(&hir)).unwrap_or_default()
}

fn of(hir: &Hir) -> Vec<String> {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => vec![String::new()],
        HirKind::Literal(literal) => {
            String::from_utf8(literal.0.to_vec()).map(|text| vec![text]).unwrap_or_default()
        }
        HirKind::Class(Class::Unicode(class)) => {
            let ranges = || class.iter().map(|range| (range.start(), range.end()));
            let preferred = ['a', 'A', '1', ' ', '-', '.', '@', '/'];
            let plain = preferred
                .into_iter()
                .find(|c| ranges().any(|(start, end)| (start..=end).contains(c)));
            plain
                .or(ranges().next().map(|(start, _)| start))
                .map(String::from)
                .into_iter()
                .collect()
        }
        HirKind::Class(Class::Bytes(class)) => {
            let first = class.iter().map(|range| char::from(range.start())).find(char::is_ascii);
            first.map(String::from).into_iter().collect()
        }
        HirKind::Repetition(repetition) => {
            let least = repetition.min.min(MAX_REPEATS) as usize;
            let once = of(&repetition.sub);
            let mut texts: Vec<String> = once.iter().map(|text| text.repeat(least)).collect();
            if repetition.max.is_none_or(|max| max as usize > least) {
                texts.extend(once.iter().map(|text| text.repeat(least + 1)));
            }
            texts.truncate(MAX_MATCHES);
            texts
        }
        HirKind::Capture(capture) => of(&capture.sub),
        HirKind::Concat(parts) => parts.iter().fold(vec![String::new()], |texts, part| {
            let tails = of(part);
            let joined = texts.iter().flat_map(|a| tails.iter().map(move |b| format!("{a}{b}")));
            joined.take(MAX_MATCHES).collect()
        }),
        HirKind::Alternation(parts) => parts.iter().flat_map(of).take(MAX_MATCHES).collect(),
    }
}
