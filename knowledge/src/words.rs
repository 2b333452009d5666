//! The words of a text as search sees them: lower case, no stop words, stemmed.

mod english;

use tantivy::tokenizer::{
    AsciiFoldingFilter, Language, LowerCaser, PreTokenizedStream, PreTokenizedString, Stemmer,
    StopWordFilter, TextAnalyzer, Token, TokenStream, Tokenizer,
};
use unicode_segmentation::UnicodeSegmentation;

use crate::locale;

/// Longest word, bytes; longer ones are encoded data and not words.
const WORD_LIMIT: usize = 60;

/// Analyses text of one language; costly to make, cheap to clone and to use.
#[derive(Clone)]
pub struct Analyser {
    analyser: TextAnalyzer,
}

/// The words of a text: lower case, without stop words, stemmed by the language of the locale.
/// Who analyses many texts keeps an [`Analyser`].
pub fn words(text: &str, locale: &str) -> Vec<String> {
    Analyser::new(locale).words(text)
}

impl Analyser {
    /// Makes an analyser for the language of a locale; an unknown language gets no stemming.
    pub fn new(locale: &str) -> Self {
        let language = locale::language(locale);
        let mut builder = TextAnalyzer::builder(Splitter { elides: language != "en" })
            .filter(LowerCaser)
            .dynamic();
        let known = stemmed_language(&language);
        if known == Some(Language::English) {
            let stop = english::STOP_WORDS.iter().map(|w| (*w).to_owned());
            builder = builder.filter_dynamic(StopWordFilter::remove(stop));
        } else if let Some(stop) = known.and_then(StopWordFilter::new) {
            builder = builder.filter_dynamic(stop);
        }
        if let Some(known) = known {
            builder = builder.filter_dynamic(Stemmer::new(known));
        }
        // Accents go last: stemmers of some languages need them.
        Self { analyser: builder.filter_dynamic(AsciiFoldingFilter).build() }
    }

    /// The words of a text, in order, repeats kept.
    pub fn words(&self, text: &str) -> Vec<String> {
        let mut analyser = self.analyser.clone();
        let mut stream = analyser.token_stream(text);
        let mut words = Vec::new();
        while stream.advance() {
            let token = stream.token();
            if !token.text.is_empty() {
                words.push(token.text.clone());
            }
        }
        words
    }
}

impl std::fmt::Debug for Analyser {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Analyser").finish_non_exhaustive()
    }
}

/// The words of a text as they stand, lower case, with nothing taken out.
pub(crate) fn surfaces(text: &str) -> Vec<String> {
    split(text).into_iter().map(str::to_lowercase).collect()
}

/// Splits text into words by the rules of Unicode, and compounds of computing once more.
#[derive(Clone)]
struct Splitter {
    /// An apostrophe ends a word, as in `l'abonnement`; English needs it for `don't`.
    elides: bool,
}

impl Tokenizer for Splitter {
    type TokenStream<'a> = PreTokenizedStream;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> PreTokenizedStream {
        let mut tokens = Vec::new();
        for word in split(text) {
            let word = plain(word);
            let parts = word.split(|c| self.elides && c == '\'').filter(|w| !w.is_empty());
            for part in parts {
                let position = tokens.len();
                tokens.push(Token { position, text: part.to_owned(), ..Token::default() });
            }
        }
        PreTokenizedStream::from(PreTokenizedString { text: String::new(), tokens })
    }
}

fn split(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    for word in text.unicode_words() {
        if word.len() > WORD_LIMIT {
            continue;
        }
        if word.contains(char::is_alphabetic) && word.contains(['.', '_', ':', '\u{b7}']) {
            // `analytics.js`, `write_key`: the parts are what people ask for.
            words.extend(word.split(['.', '_', ':', '\u{b7}']).filter(|w| !w.is_empty()));
        } else {
            words.push(word);
        }
    }
    words
}

/// Makes apostrophes and thousands alike, and drops the English genitive.
fn plain(word: &str) -> String {
    let word = word.replace('\u{2019}', "'");
    let word = word.strip_suffix("'s").or(word.strip_suffix("'S")).unwrap_or(&word);
    if word.contains(',') && word.bytes().all(|b| b.is_ascii_digit() || b == b',' || b == b'.') {
        return word.replace(',', "");
    }
    word.to_owned()
}

fn stemmed_language(language: &str) -> Option<Language> {
    Some(match language {
        "ar" => Language::Arabic,
        "da" => Language::Danish,
        "nl" => Language::Dutch,
        "en" => Language::English,
        "fi" => Language::Finnish,
        "fr" => Language::French,
        "de" => Language::German,
        "el" => Language::Greek,
        "hu" => Language::Hungarian,
        "it" => Language::Italian,
        "nb" | "no" | "nn" => Language::Norwegian,
        "pt" => Language::Portuguese,
        "ro" => Language::Romanian,
        "ru" => Language::Russian,
        "es" => Language::Spanish,
        "sv" => Language::Swedish,
        "ta" => Language::Tamil,
        "tr" => Language::Turkish,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, locale: &str, expected: &str) {
        assert_eq!(words(text, locale).join(" "), expected, "{text}");
    }

    #[test]
    fn words_are_stemmed_and_stop_words_go() {
        check("How do I cancel my subscriptions?", "en", "cancel subscript");
        check("The customer's analytics.js write_key", "en-US", "custom analyt js write key");
        check("It can't cost $10,000.50 or 3.5%", "en", "cost 10000.50 3.5");
        check("Wie kündige ich die Verträge?", "de", "kundig vertrag");
        check("Comment résilier l'abonnement ?", "fr", "comment resili abon");
        check("漢字 abc", "ja", "漢 字 abc");
        check("ABC déjà", "xx", "abc deja");
        check("", "en", "");
        check("?! \u{7}", "en", "");
    }

    #[test]
    fn data_is_not_a_word() {
        check(&format!("a1 {} b2", "x".repeat(100)), "en", "a1 b2");
    }
}
