use std::collections::BTreeSet;

/// Longest word that is indexed, in characters; what goes beyond is no word of a language.
const LONGEST: usize = 64;

/// Most different words of one message that are indexed. A message of 10,000 characters of prose
/// has about a thousand.
const MOST: usize = 4000;

/// Most words of a search that are looked at.
const MOST_SOUGHT: usize = 8;

/// Returns the different words of a text in lower case: runs of letters and digits, and of scripts
/// without spaces each character. Both databases index exactly these, so that both find the same.
pub(crate) fn words(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut word = String::new();
    for c in text.chars().flat_map(char::to_lowercase).chain([' ']) {
        if c.is_alphanumeric() && !stands_alone(c) {
            word.push(c);
            continue;
        }
        if !word.is_empty() && found.len() < MOST {
            found.insert(word.chars().take(LONGEST).collect());
        }
        word.clear();
        if stands_alone(c) && found.len() < MOST {
            found.insert(c.to_string());
        }
    }
    found
}

/// Returns the words that a search asks for.
pub(crate) fn sought(text: &str) -> Vec<String> {
    words(text).into_iter().take(MOST_SOUGHT).collect()
}

/// Whether a character is of a script that writes words without spaces between them: Thai to
/// Tibetan, kana, Han (Unicode blocks 0E00–0FFF, 3040–30FF, 3400–9FFF, F900–FAFF, 20000–3FFFF).
fn stands_alone(c: char) -> bool {
    c.is_alphanumeric()
        && matches!(u32::from(c),
            0x0E00..=0x0FFF | 0x3040..=0x30FF | 0x3400..=0x9FFF | 0xF900..=0xFAFF
            | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let expected: BTreeSet<String> = expected.iter().map(ToString::to_string).collect();
        assert_eq!(words(text), expected, "{text}");
    }

    #[test]
    fn words_are_runs_of_letters_and_digits_in_lower_case() {
        check("", &[]);
        check(" ?! ", &[]);
        check("Where is ORDER-4711, where?", &["where", "is", "order", "4711"]);
        check("GRÖSSE\0groß", &["grösse", "groß"]);
        check("a'b\"c*d:e(f)", &["a", "b", "c", "d", "e", "f"]);
        check("返金 PayPal", &["返", "金", "paypal"]);
        check(&"x".repeat(100), &[&"x".repeat(64)]);
    }
}
