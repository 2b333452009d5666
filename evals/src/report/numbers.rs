//! How numbers are written for people.

use super::Unit;
use crate::interval::Estimate;
use minijinja::{context, value::Value};

/// Characters of one text that are shown; a hostile one may have millions.
const N_CHARACTERS_SHOWN: usize = 5_000;

pub(super) fn show(estimate: &Estimate, unit: Unit) -> Value {
    let [value, low, high] =
        [estimate.value, estimate.low, estimate.high].map(|number| written(number, unit));
    context! { value, low, high, n => thousands(estimate.n) }
}

pub(super) fn written(number: f64, unit: Unit) -> String {
    match unit {
        Unit::Share => percent(number),
        Unit::Score => format!("{number:.3}"),
        Unit::Milliseconds => milliseconds(number),
        Unit::Count => format!("{number:.1}"),
    }
}

/// Writes a difference, in percentage points where shares differ.
pub(super) fn difference(number: f64, unit: Unit) -> String {
    let written = match unit {
        Unit::Share => format!("{:+.1}", number * 100.0),
        Unit::Score => format!("{number:+.3}"),
        Unit::Milliseconds => format!("{number:+.1}\u{a0}ms"),
        Unit::Count => format!("{number:+.1}"),
    };
    // A minus as wide as the plus beside it, and none before nothing.
    match written.strip_prefix('-') {
        Some(rest) if rest.chars().all(|c| matches!(c, '0' | '.')) => rest.to_string(),
        Some(rest) => format!("−{rest}"),
        None => written,
    }
}

pub(super) fn percent(share: f64) -> String {
    format!("{:.1}\u{a0}%", share * 100.0)
}

/// Writes a share without digits that few cases cannot bear.
pub(super) fn about(share: f64) -> String {
    let percent = share * 100.0;
    if percent > 0.0 && percent < 1.0 || percent > 99.0 && percent < 100.0 {
        format!("{percent:.1}\u{a0}%")
    } else {
        format!("{percent:.0}\u{a0}%")
    }
}

pub(super) fn milliseconds(value: f64) -> String {
    match value {
        value if value >= 10_000.0 => format!("{:.1}\u{a0}s", value / 1_000.0),
        value if value >= 100.0 => format!("{value:.0}\u{a0}ms"),
        value => format!("{value:.1}\u{a0}ms"),
    }
}

pub(super) fn thousands(n: usize) -> String {
    let digits = n.to_string();
    let mut written = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            written.push(',');
        }
        written.push(digit);
    }
    written
}

/// Writes a count with its noun.
pub(super) fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{}\u{a0}{}", thousands(n), if n == 1 { one } else { many })
}

pub(super) fn cut(text: &str) -> String {
    let shown: String = text.chars().take(N_CHARACTERS_SHOWN).collect();
    let n_hidden = text.chars().count().saturating_sub(N_CHARACTERS_SHOWN);
    if n_hidden > 0 {
        format!("{shown}… ({} more characters)", thousands(n_hidden))
    } else {
        shown
    }
}

/// Cuts a text to one line for a list.
pub(super) fn brief(text: &str) -> String {
    text.split_whitespace().take(40).collect::<Vec<_>>().join(" ").chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let check = |found: String, expected: &str| assert_eq!(found, expected);
        check(thousands(0), "0");
        check(thousands(999), "999");
        check(thousands(1_234_567), "1,234,567");
        check(milliseconds(1.25), "1.2\u{a0}ms");
        check(milliseconds(250.4), "250\u{a0}ms");
        check(milliseconds(12_340.0), "12.3\u{a0}s");
        check(difference(-0.0312, Unit::Share), "−3.1");
        check(difference(0.0312, Unit::Share), "+3.1");
        check(difference(-0.000_01, Unit::Share), "0.0");
        check(difference(0.5, Unit::Score), "+0.500");
        check(about(0.004), "0.4\u{a0}%");
        check(about(0.214), "21\u{a0}%");
        check(about(0.0), "0\u{a0}%");
    }
}
