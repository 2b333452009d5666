//! Whether digits are a card, an account or a telephone.

/// Digits of a card number (ISO/IEC 7812).
const CARD_DIGITS: std::ops::RangeInclusive<usize> = 12..=19;

/// Letters and digits of an account number (ISO 13616).
const IBAN_LENGTH: std::ops::RangeInclusive<usize> = 15..=34;

/// Digits of a telephone number that is written with its country (E.164), or without.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

fn digits(text: &str) -> Vec<u32> {
    text.chars().filter_map(|c| c.to_digit(10)).collect()
}

/// Whether digits pass the check of card numbers (Luhn, ISO/IEC 7812-1, annex B) and are not one
/// digit over and over.
pub(super) fn is_card(text: &str) -> bool {
    let digits = digits(text);
    let first = digits.first().copied().unwrap_or_default();
    let varied = digits.iter().any(|digit| *digit != first);
    // Cards of payment begin with 1 to 6.
    if !CARD_DIGITS.contains(&digits.len()) || !varied || !(1..=6).contains(&first) {
        return false;
    }
    let doubled = |(place, digit): (usize, &u32)| match place % 2 {
        0 => *digit,
        _ if *digit > 4 => digit * 2 - 9,
        _ => digit * 2,
    };
    digits.iter().rev().enumerate().map(doubled).sum::<u32>() % 10 == 0
}

/// Whether a text is an account number: its digits, with letters as 10 to 35 and the first four put
/// last, leave 1 when they are divided by 97 (ISO 7064).
pub(super) fn is_iban(text: &str) -> bool {
    let bare: Vec<u32> = text.chars().filter_map(|c| c.to_digit(36)).collect();
    if !IBAN_LENGTH.contains(&bare.len()) {
        return false;
    }
    let turned = bare.iter().skip(4).chain(bare.iter().take(4));
    let rest = turned.fold(0_u32, |rest, value| match *value {
        0..=9 => (rest * 10 + value) % 97,
        _ => (rest * 100 + value) % 97,
    });
    rest == 1
}

/// Whether a text reads as a telephone number: seven digits or more in groups, behind a plus, a
/// bracket or a zero, or ten or eleven in a row. A date, two years, a round sum and a short number
/// are none.
pub(super) fn is_phone(text: &str) -> bool {
    let number = text.split(['x', 'X', 'e', 'E', '#']).next().unwrap_or_default().trim();
    let n_digits = digits(number).len();
    if !PHONE_DIGITS.contains(&n_digits) || is_date(number) || !is_balanced(number) {
        return false;
    }
    let marked = number.starts_with(['+', '(', '0']);
    let groups: Vec<&str> =
        number.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    match groups.as_slice() {
        [one] => {
            matches!(one.len(), 10 | 11)
                || (marked && n_digits >= 8)
                || (matches!(one.len(), 12 | 13) && begins_with_a_country(one))
        }
        [one, other] => {
            let years = is_full_year(one) && is_full_year(other);
            (marked || one.len() >= 2) && other.len() >= 3 && !years
        }
        groups => marked || (groups.iter().all(|group| group.len() <= 4) && !is_amount(groups)),
    }
}

/// Whether digits begin with the code of a country (ITU-T E.164) whose numbers are that long: twelve
/// or thirteen digits are more often the number of an order.
fn begins_with_a_country(digits: &str) -> bool {
    const CODES: [&str; 24] = [
        "30", "31", "32", "33", "34", "351", "353", "358", "36", "39", "41", "420", "43", "44",
        "45", "46", "47", "48", "49", "52", "55", "61", "86", "91",
    ];
    CODES.iter().any(|code| digits.starts_with(code))
}

/// Whether groups of digits are a round number with its thousands set apart.
fn is_amount(groups: &[&str]) -> bool {
    groups.iter().skip(1).all(|group| group.len() == 3) && groups.last() == Some(&"000")
}

fn is_full_year(text: &str) -> bool {
    text.len() == 4 && (text.starts_with("19") || text.starts_with("20"))
}

fn is_balanced(number: &str) -> bool {
    number.matches('(').count() == number.matches(')').count()
}

/// Whether digits are a day or begin with one: `2026-11-22`, `22.11.2026`, `11/22/26 10`.
fn is_date(number: &str) -> bool {
    let groups: Vec<&str> =
        number.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let [first, second, third, ..] = groups.as_slice() else { return false };
    let below = |text: &str, most: u32| {
        text.len() <= 2 && text.parse::<u32>().is_ok_and(|n| (1..=most).contains(&n))
    };
    let year = |text: &str| matches!(text.len(), 2 | 4);
    // A day is written otherwise than the hour behind it; pairs all alike are a number of telephone,
    // as in France and Denmark.
    let mut signs = number.chars().filter(|c| !c.is_ascii_digit());
    let sign = signs.next();
    let all_alike = groups.len() > 3
        && groups.iter().all(|group| group.len() == 2)
        && signs.all(|other| Some(other) == sign);
    (is_full_year(first) && below(second, 12) && below(third, 31))
        || (below(first, 31) && below(second, 31) && year(third) && groups.len() <= 5 && !all_alike)
}
