//! Whether a sentence says no more than the passage that it cites.

use knowledge::words;
use std::collections::HashSet;

/// What a sentence claims that its passage does not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unsupported {
    #[error("a sentence cites no passage")]
    NoCitation,
    #[error("a sentence cites passage {0}, which was not given")]
    UnknownPassage(usize),
    #[error("a number in a sentence is not in its passage")]
    Number,
    #[error("a name in a sentence is neither in its passage nor in the question")]
    Name,
    #[error("a sentence negates what its passage does not, or the other way round")]
    Negation,
    #[error("a sentence shares too few words with its passage")]
    Words,
    #[error("a sentence is too far in meaning from its passage")]
    Meaning,
}

/// At least this part of a sentence's content words stands in its passage.
const SHARED_WORDS: f64 = 0.5;

/// Checks numbers, names, negation and words of `sentence` against `passage`. Names that the
/// customer used in `question` are theirs to use.
pub(super) fn check(
    sentence: &str,
    passage: &str,
    question: &str,
    locale: &str,
) -> Result<(), Unsupported> {
    let known: HashSet<String> = numbers(passage).collect();
    if !numbers(sentence).all(|number| known.contains(&number)) {
        return Err(Unsupported::Number);
    }
    let said = format!("{} {}", plain(passage), plain(question));
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
    let nearest = nearest_sentence(&own, passage, locale);
    if nearest.is_some_and(|nearest| negated(sentence) != negated(&nearest)) {
        return Err(Unsupported::Negation);
    }
    Ok(())
}

/// Returns the numbers of a text as they are compared: without thousands separators, `%` and
/// currency left off, "two" as 2.
fn numbers(text: &str) -> impl Iterator<Item = String> + '_ {
    const WORDS: [&str; 13] = [
        "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        "eleven", "twelve",
    ];
    text.split(|c: char| !(c.is_alphanumeric() || c == '.' || c == ',')).filter_map(|token| {
        let token = token.trim_matches(['.', ',']);
        // "one" is more often an article than a count.
        if let Some(value) = WORDS.iter().position(|word| token.eq_ignore_ascii_case(word)) {
            return (value != 1).then(|| value.to_string());
        }
        token.contains(|c: char| c.is_ascii_digit()).then(|| {
            let plain = token.replace(',', "").to_lowercase();
            match plain.split_once('.') {
                Some((whole, part)) if part.bytes().all(|b| b == b'0') => whole.to_string(),
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

/// Returns the sentence of `passage` that shares the most words with `own`.
fn nearest_sentence(own: &[String], passage: &str, locale: &str) -> Option<String> {
    let own: HashSet<&String> = own.iter().collect();
    super::units::sentences(passage).into_iter().max_by_key(|sentence| {
        words(sentence, locale).iter().collect::<HashSet<_>>().intersection(&own).count()
    })
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
        let question = "Can Globex use SSO?";
        assert_eq!(check(sentence, PASSAGE, question, "en"), *expected, "{sentence}");
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
        check_sentence("Single sign-on is available to Globex on the Business plan.", &Ok(()));
        check_sentence("It is part of the Team plan.", &Err(Unsupported::Negation));
        check_sentence(
            "SAML single sign-on isn't available on the Business plan.",
            &Err(Unsupported::Negation),
        );
        check_sentence("Cats are wonderful animals to keep at home.", &Err(Unsupported::Words));
    }

    proptest! {
        #[test]
        fn a_passage_supports_each_of_its_own_sentences(sentence in "[A-Z][a-z]{2,8}( [a-z]{2,8}| [0-9]{1,4}| not){3,9}\\.") {
            let passage = format!("Before it. {sentence} After it.");
            prop_assert_eq!(check(&sentence, &passage, "", "en"), Ok(()));
        }

        #[test]
        fn no_text_makes_it_panic(sentence in "\\PC{0,100}", passage in "\\PC{0,200}") {
            drop(check(&sentence, &passage, &sentence, "en"));
        }
    }
}
