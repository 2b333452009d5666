//! Whether a sentence says no more than the passage that it cites.

use knowledge::words;
use std::collections::{BTreeSet, HashSet};

/// What a sentence claims that its passage does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsupported {
    #[error("a sentence cites no passage")]
    NoCitation,
    #[error("a sentence cites passage {0}, which was not given")]
    UnknownPassage(usize),
    #[error("a number in a sentence is not in its passage")]
    Number,
    #[error("a name in a sentence is not in its passage")]
    Name,
    #[error("an address in a sentence is not in its passage")]
    Address,
    #[error("a sentence limits in another direction than its passage")]
    Direction,
    #[error("a sentence negates what its passage does not, or the other way round")]
    Negation,
    #[error("a sentence shares too few words with its passage")]
    Words,
    #[error("a sentence is too far in meaning from its passage")]
    Meaning,
}

/// At least this part of a sentence's content words stands in its passage.
const SHARED_WORDS: f64 = 0.5;

/// What a text commits itself to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    /// Numbers, written alike: no thousands separators, no currency, "two" as 2.
    pub numbers: BTreeSet<String>,
    /// Words that are names by their capitals, in lower case.
    pub names: BTreeSet<String>,
}

/// Reads the numbers and names of a text, sentence by sentence: the first word of one is no name
/// for its capital alone.
pub fn claims(text: &str) -> Claims {
    let mut found = Claims::default();
    for sentence in super::units::sentences(text) {
        found.numbers.extend(numbers(&sentence));
        found.names.extend(names(&sentence));
    }
    found
}

/// Returns how many of `claims` a text makes too, wherever they stand in it.
pub fn n_kept(claims: &Claims, text: &str) -> usize {
    let own: BTreeSet<String> = numbers(text).collect();
    let said = plain(text);
    let said: HashSet<&str> = said.split(' ').collect();
    let names = claims.names.iter().filter(|name| said.contains(name.as_str())).count();
    claims.numbers.intersection(&own).count() + names
}

/// Whether `sentence` says no more than `passage`, by the same checks that a written draft has to
/// stand before it is sent, nearness in meaning aside. `locale` is the language of both, such as
/// `en`.
pub fn is_supported(sentence: &str, passage: &str, locale: &str) -> bool {
    check(sentence, passage, locale).is_ok()
}

/// Checks addresses, numbers, names, direction, negation and words of `sentence` against
/// `passage`. What the customer said in the question supports nothing: a question may be wrong.
pub(super) fn check(sentence: &str, passage: &str, locale: &str) -> Result<(), Unsupported> {
    if !addresses(sentence).all(|address| passage.contains(address)) {
        return Err(Unsupported::Address);
    }
    let known: HashSet<String> = numbers(passage).collect();
    if !numbers(sentence).all(|number| known.contains(&number)) {
        return Err(Unsupported::Number);
    }
    let said = plain(passage);
    let said: HashSet<&str> = said.split(' ').collect();
    if !names(sentence).all(|name| said.contains(name.as_str())) {
        return Err(Unsupported::Name);
    }
    let held: HashSet<String> = words(passage, locale).into_iter().collect();
    let own = words(sentence, locale);
    let shared = own.iter().filter(|word| held.contains(*word)).count();
    if !own.is_empty() && (shared as f64) < SHARED_WORDS * own.len() as f64 {
        return Err(Unsupported::Words);
    }
    if !directions(sentence).all(|word| said.contains(word.as_str())) {
        return Err(Unsupported::Direction);
    }
    let same = |nearest: &String| negated(sentence) == negated(nearest);
    if !nearest_sentences(&own, passage, locale).iter().all(same) {
        return Err(Unsupported::Negation);
    }
    Ok(())
}

/// Returns what a reader could click or write to.
fn addresses(sentence: &str) -> impl Iterator<Item = &str> {
    let tokens = sentence.split(|c: char| c.is_whitespace() || "()[]<>\"'".contains(c));
    let tokens = tokens.map(|token| token.trim_matches(|c: char| ".,;:!?".contains(c)));
    tokens.filter(|token| {
        let dotted = token.split('.').collect::<Vec<_>>();
        let host = dotted.len() > 1
            && dotted.iter().all(|part| !part.is_empty())
            && dotted.last().is_some_and(|end| end.starts_with(char::is_alphabetic));
        token.contains("://") || token.contains('@') || host
    })
}

/// Returns the words that turn a limit round; stop words, so that the words check misses them.
fn directions(sentence: &str) -> impl Iterator<Item = String> {
    const DIRECTIONS: [&str; 18] = [
        "before",
        "after",
        "within",
        "until",
        "over",
        "under",
        "above",
        "below",
        "least",
        "most",
        "only",
        "more",
        "less",
        "vor",
        "nach",
        "bis",
        "mindestens",
        "höchstens",
    ];
    let text = plain(sentence);
    let found: Vec<String> =
        text.split(' ').filter(|word| DIRECTIONS.contains(word)).map(str::to_string).collect();
    found.into_iter()
}

/// Returns the numbers of a text as they are compared: without thousands separators, `%` and
/// currency left off, "two" as 2.
fn numbers(text: &str) -> impl Iterator<Item = String> + '_ {
    const WORDS: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    // Larger ones are compared as words: wrong only when a passage writes the same in digits.
    const LARGER: [&str; 15] = [
        "thirteen", "fourteen", "fifteen", "twenty", "thirty", "forty", "fifty", "sixty",
        "seventy", "eighty", "ninety", "hundred", "thousand", "half", "twice",
    ];
    text.split(|c: char| !(c.is_alphanumeric() || c == '.' || c == ',')).filter_map(|token| {
        let token = token.trim_matches(['.', ',']);
        // "one" is more often an article than a count.
        if let Some(value) = WORDS.iter().position(|word| token.eq_ignore_ascii_case(word)) {
            return (value != 1).then(|| value.to_string());
        }
        if LARGER.iter().any(|word| token.eq_ignore_ascii_case(word)) {
            return Some(token.to_lowercase());
        }
        token.contains(|c: char| c.is_ascii_digit()).then(|| {
            let plain = token.replace(',', "").to_lowercase();
            match plain.split_once('.') {
                Some((whole, part)) if part.len() < 3 && part.bytes().all(|b| b == b'0') => {
                    whole.to_string()
                }
                _ => plain,
            }
        })
    })
}

/// Returns the words that are names: capitalised inside a sentence, or in capitals.
fn names(sentence: &str) -> impl Iterator<Item = String> + '_ {
    let tokens = sentence.split_whitespace().enumerate();
    tokens.flat_map(|(position, token)| {
        let capital = token
            .trim_start_matches(|c: char| !c.is_alphanumeric())
            .starts_with(char::is_uppercase);
        let shouted = token.chars().filter(|c| c.is_uppercase()).count() > 1;
        let token = plain(token);
        let names = token.split(' ').filter(|word| !word.is_empty() && *word != "i");
        let wanted = (position > 0 && capital) || shouted;
        names.map(str::to_string).filter(move |_| wanted).collect::<Vec<_>>()
    })
}

fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_alphanumeric() { c.to_ascii_lowercase() } else { ' ' }).collect()
}

/// Returns the sentences of `passage` that share the most words with `own`.
fn nearest_sentences(own: &[String], passage: &str, locale: &str) -> Vec<String> {
    let own: HashSet<&String> = own.iter().collect();
    let shared = |sentence: &String| {
        words(sentence, locale).iter().collect::<HashSet<_>>().intersection(&own).count()
    };
    let scored: Vec<(usize, String)> =
        super::units::sentences(passage).into_iter().map(|s| (shared(&s), s)).collect();
    let most = scored.iter().map(|(n, _)| *n).max().unwrap_or(0);
    scored.into_iter().filter(|(n, _)| *n == most && most > 0).map(|(_, s)| s).collect()
}

/// Whether a sentence negates, an odd number of times.
fn negated(sentence: &str) -> bool {
    const NEGATIONS: [&str; 16] = [
        "not",
        "no",
        "never",
        "cannot",
        "without",
        "none",
        "neither",
        "nor",
        "unable",
        "nicht",
        "kein",
        "keine",
        "keinen",
        "nie",
        "ohne",
        "unavailable",
    ];
    let text = sentence.to_lowercase().replace('’', "'");
    let words = text.split(|c: char| !(c.is_alphanumeric() || c == '\''));
    words.filter(|word| NEGATIONS.contains(word) || word.ends_with("n't")).count() % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PASSAGE: &str = "SAML single sign-on is available on the Business and Enterprise plans. \
        It is not part of the Team plan. Invoices of up to $1,500.00 are paid within 30 days. \
        Refunds take five days.";

    fn check_sentence(sentence: &str, expected: &Result<(), Unsupported>) {
        assert_eq!(check(sentence, PASSAGE, "en"), *expected, "{sentence}");
    }

    #[test]
    fn numbers_names_and_negations_must_match() {
        check_sentence("SAML single sign-on is available on the Business plan.", &Ok(()));
        check_sentence("Invoices up to 1500 are paid in 30 days.", &Ok(()));
        check_sentence("Refunds take 5 days.", &Ok(()));
        check_sentence("Refunds take seven days.", &Err(Unsupported::Number));
        check_sentence("Invoices are paid within 14 days.", &Err(Unsupported::Number));
        check_sentence(
            "SAML single sign-on is available on the Starter plan.",
            &Err(Unsupported::Name),
        );
        check_sentence(
            "Single sign-on is available to Globex on the Business plan.",
            &Err(Unsupported::Name),
        );
        check_sentence("Refunds take thirty days.", &Err(Unsupported::Number));
        check_sentence("Invoices are paid after 30 days.", &Err(Unsupported::Direction));
        check_sentence("Invoices are paid at pay.evil.example.", &Err(Unsupported::Address));
        check_sentence("Invoices are paid to a@b.example.", &Err(Unsupported::Address));
        check_sentence("It is part of the Team plan.", &Err(Unsupported::Negation));
        check_sentence(
            "SAML single sign-on isn't available on the Business plan.",
            &Err(Unsupported::Negation),
        );
        check_sentence("Cats are wonderful animals to keep at home.", &Err(Unsupported::Words));
    }

    #[test]
    fn claims_are_kept_where_they_stand_in_other_words() {
        let claims =
            claims("Refunds take 5 days. They reach Globex within two weeks, up to $1,500.");
        assert_eq!(claims.numbers.iter().collect::<Vec<_>>(), ["1500", "2", "5"]);
        assert_eq!(claims.names.iter().collect::<Vec<_>>(), ["globex"]);
        assert_eq!(n_kept(&claims, "globex has its 1500 after five days"), 3);
        assert_eq!(n_kept(&claims, "nothing of it"), 0);
    }

    proptest! {
        #[test]
        fn a_passage_supports_each_of_its_own_sentences(sentence in "[A-Z][a-z]{2,8}( [a-z]{2,8}| [0-9]{1,4}| not){3,9}\\.") {
            let passage = format!("Before it. {sentence} After it.");
            prop_assert_eq!(check(&sentence, &passage, "en"), Ok(()));
        }

        #[test]
        fn no_text_makes_it_panic(sentence in "\\PC{0,100}", passage in "\\PC{0,200}") {
            drop(check(&sentence, &passage, "en"));
        }
    }
}
