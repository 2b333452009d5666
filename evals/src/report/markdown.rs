//! The report in short, for the summary of a build or a comment on a change.

use super::{
    Report,
    cases::{confidence, of_verdict},
    numbers::{brief, difference, percent, thousands, written},
};
use crate::{
    compare::{Comparison, outcome, p_words},
    gate::Judgement,
    verdict::Verdict,
};
use std::fmt::Write;

/// Cases that a summary shows of each kind of mistake; report.html has more.
const N_CASES: usize = 10;

/// Renders a report as Markdown.
pub fn markdown(report: &Report<'_>) -> String {
    let mut text = format!("# {}\n\n", inline(&report.about.title));
    let _ = writeln!(text, "{}\n", report.headline.sentences.join(" "));
    gates(&mut text, &report.gates);
    let _ = writeln!(text, "| outcome | cases | |\n| --- | ---: | ---: |");
    let all = report.records.len();
    for verdict in Verdict::ALL {
        let n = of_verdict(report.records, verdict).len();
        if n > 0 || verdict == Verdict::WrongReply {
            let part = percent(n as f64 / all.max(1) as f64);
            let _ = writeln!(text, "| {} | {} | {part} |", verdict.title(), thousands(n));
        }
    }
    if !report.headline.load.is_empty() {
        let _ = writeln!(text, "\n| who gets the rest | conversations |\n| --- | ---: |");
    }
    for (team, n) in &report.headline.load {
        let team = team.as_deref().map_or("nobody yet".into(), inline);
        let _ = writeln!(text, "| {team} | {} |", thousands(*n));
    }
    if let Some((name, comparison)) = &report.baseline {
        let _ = writeln!(text, "\n## Against {}\n", inline(name));
        changes(&mut text, comparison);
    }
    for section in &report.sections {
        let _ = writeln!(text, "\n## {}\n", section.title);
        let _ =
            writeln!(text, "| figure | value | 95 % interval | n |\n| --- | ---: | ---: | ---: |");
        for figure in &section.figures {
            let e = figure.estimate;
            let [value, low, high] = [e.value, e.low, e.high].map(|it| written(it, figure.unit));
            let name = inline(&figure.name);
            let _ = writeln!(text, "| {name} | {value} | {low} to {high} | {} |", thousands(e.n));
        }
    }
    mistakes(&mut text, report);
    let _ = writeln!(text, "\n<details><summary>Origin</summary>\n\n| | |\n| --- | --- |");
    for (name, value) in &report.about.provenance {
        let _ = writeln!(text, "| {} | {} |", inline(name), inline(value));
    }
    let _ = writeln!(text, "\n</details>");
    text
}

/// Renders a comparison of two runs, by name, as Markdown.
pub fn markdown_of_comparison(
    comparison: &Comparison<'_>,
    (first, second): (&str, &str),
    judged: &[Judgement],
) -> String {
    let mut text = format!("# {} against {}\n\n", inline(second), inline(first));
    gates(&mut text, judged);
    changes(&mut text, comparison);
    text
}

fn gates(text: &mut String, gates: &[Judgement]) {
    for judged in gates {
        let mark = match (judged.has_failed, judged.is_idle) {
            (true, _) => "❌",
            (false, true) => "➖",
            (false, false) => "✅",
        };
        let _ = writeln!(text, "- {mark} {}", inline(&judged.line));
    }
    if !gates.is_empty() {
        text.push('\n');
    }
}

fn changes(text: &mut String, comparison: &Comparison<'_>) {
    let _ = writeln!(text, "{}\n", comparison.in_words());
    let (other, same) = comparison.by_difference();
    if !other.is_empty() {
        let _ = writeln!(
            text,
            "| figure | first | second | change | 95 % interval | p |\n\
             | --- | ---: | ---: | ---: | ---: | ---: |"
        );
    }
    for score in other {
        let e = score.difference.estimate;
        let [before, after] = [score.values.0, score.values.1].map(|it| written(it, score.unit));
        let [change, low, high] = [e.value, e.low, e.high].map(|it| difference(it, score.unit));
        let p = p_words(score.difference.p);
        let name = inline(&score.name);
        let _ =
            writeln!(text, "| {name} | {before} | {after} | {change} | {low} to {high} | {p} |");
    }
    if !same.is_empty() {
        let _ = writeln!(text, "\nThe same in both: {}.", inline(&same.join(", ")));
    }
    if !comparison.load.is_empty() {
        let _ = writeln!(text, "\n| team | first | second |\n| --- | ---: | ---: |");
    }
    for (team, (before, after)) in &comparison.load {
        let _ = writeln!(text, "| {} | {before} | {after} |", inline(team));
    }
    if !comparison.changes.is_empty() {
        let _ = writeln!(text, "\n| case | effect | first | second |\n| --- | --- | --- | --- |");
    }
    for change in comparison.changes.iter().take(N_CASES) {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} |",
            inline(&change.after.id),
            change.effect.name(),
            inline(&outcome(&change.before)),
            inline(&outcome(change.after))
        );
    }
    if comparison.changes.len() > N_CASES {
        let _ = writeln!(text, "\nand {} more", thousands(comparison.changes.len() - N_CASES));
    }
}

fn mistakes(text: &mut String, report: &Report<'_>) {
    for verdict in [Verdict::WrongReply, Verdict::WrongTeam, Verdict::MissedReply] {
        let of = of_verdict(report.records, verdict);
        if of.is_empty() {
            continue;
        }
        let _ = writeln!(text, "\n## {}: {}\n", verdict.title(), thousands(of.len()));
        for record in of.iter().take(N_CASES) {
            let sure = confidence(record).map_or("–".into(), |it| format!("{it:.2}"));
            let (id, asked) = (inline(&record.id), inline(&brief(&record.question)));
            let _ = writeln!(text, "- {sure} {asked} ({id}; {})", inline(&outcome(record)));
        }
        if of.len() > N_CASES {
            let _ = writeln!(text, "- and {} more", thousands(of.len() - N_CASES));
        }
    }
}

/// Takes from a text whatever Markdown or HTML would act on, mentions and links among it.
fn inline(text: &str) -> String {
    let mut safe = String::new();
    for c in text.chars() {
        match c {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            // A person or team is not to be called by what a customer wrote.
            '@' => safe.push_str("@\u{200b}"),
            ':' => safe.push_str("&#58;"),
            c if c.is_control() || c.is_whitespace() && c != '\u{a0}' => safe.push(' '),
            '\\' | '`' | '*' | '_' | '[' | ']' | '(' | ')' | '#' | '|' | '!' | '~' | '$' => {
                safe.push('\\');
                safe.push(c);
            }
            c => safe.push(c),
        }
    }
    safe
}
