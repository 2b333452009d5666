use super::reading::{Reading, Spelling};
use std::collections::HashSet;

/// Most turns before the last one that are compared; more than people write in one episode.
const TURNS_COMPARED: usize = 30;
/// Words in common, of all words of both turns, that make them the same question. Chosen on the
/// phrasings in this crate's tests: rewordings share about half of their telling words.
const SAME: f64 = 0.5;
/// Words in common, of the shorter turn, that make a shortened question the same one.
const CONTAINED: f64 = 0.75;
/// Shorter turns are contained in too much.
const LEAST_CONTAINED_WORDS: usize = 3;
/// Letters of a word that are compared: a stem good enough for "refund" and "refunding".
const STEM_LETTERS: usize = 6;

/// Returns the probability that the last turn asks what was asked before: asking a second time
/// may be an addition, asking a third time is not.
pub(super) fn repetition(turns: &[&str]) -> f64 {
    let Some((last, earlier)) = turns.split_last() else { return 0.0 };
    let last = telling_words(last);
    if last.is_empty() {
        return 0.0;
    }
    let compared = earlier.iter().rev().take(TURNS_COMPARED);
    match compared.filter(|turn| same_question(&telling_words(turn), &last)).count() {
        0 => 0.0,
        1 => 0.35,
        2 => 0.9,
        _ => 0.97,
    }
}

fn same_question(one: &HashSet<String>, other: &HashSet<String>) -> bool {
    let n_common = one.intersection(other).count();
    let n_shorter = one.len().min(other.len());
    let n_all = one.len() + other.len() - n_common;
    let share = |n: usize| n_common as f64 / n.max(1) as f64;
    share(n_all) >= SAME || n_shorter >= LEAST_CONTAINED_WORDS && share(n_shorter) >= CONTAINED
}

fn telling_words(turn: &str) -> HashSet<String> {
    let reading = Reading::new(turn, &Spelling::default());
    let telling = reading.words().filter(|word| !SAYS_LITTLE.contains(word));
    telling.map(|word| word.chars().take(STEM_LETTERS).collect()).collect()
}

/// Words that questions share whatever they are about, plain as a [`Reading`] has them.
const SAYS_LITTLE: &[&str] = &[
    ".", // English
    "a", "about", "again", "all", "already", "also", "am", "an", "and", "any", "are", "as",
    "asked", "at", "be", "been", "but", "by", "can", "cant", "could", "did", "do", "does", "dont",
    "for", "from", "get", "had", "has", "have", "hello", "help", "hey", "hi", "how", "i", "id",
    "if", "im", "in", "is", "it", "its", "ive", "just", "know", "like", "me", "my", "need", "no",
    "not", "now", "of", "ok", "okay", "on", "or", "our", "please", "pls", "said", "say", "so",
    "still", "tell", "thank", "thanks", "that", "the", "then", "there", "they", "this", "to", "up",
    "us", "want", "was", "we", "well", "what", "when", "where", "which", "who", "why", "will",
    "with", "would", "yes", "you", "your", // German
    "aber", "auch", "auf", "bitte", "da", "danke", "das", "dass", "den", "der", "die", "doch",
    "ein", "eine", "einen", "er", "es", "fur", "habe", "haben", "hallo", "ich", "ihr", "im", "ist",
    "ja", "jetzt", "kann", "man", "mein", "meine", "meinen", "mich", "mir", "mit", "mochte",
    "nein", "nicht", "noch", "nochmal", "oder", "sich", "sie", "sind", "und", "von", "wann",
    "warum", "was", "wenn", "wer", "wie", "will", "wir", "wird", "wo", "zu", "zum",
    // French, Spanish, Italian, Portuguese
    "au", "avec", "bonjour", "ce", "cest", "comment", "con", "como", "de", "del", "des", "di", "du",
    "el", "en", "est", "et", "hola", "il", "je", "jai", "la", "las", "le", "les", "lo", "los",
    "ma", "mais", "merci", "mi", "mis", "mon", "ne", "non", "nous", "o", "os", "ou", "para", "pas",
    "per", "pero", "por", "pour", "que", "qui", "se", "si", "sur", "un", "una", "une", "uno",
    "vous", "y", "ya", "e", "che", "ciao", "come", "ho", "il", "mio", "mia", "ola", "um", "uma",
    "meu", "minha", "nao", "eu", "da", // Dutch, Polish
    "dat", "de", "een", "het", "hoe", "ik", "kan", "mijn", "niet", "op", "van", "voor", "wat",
    "czy", "dzien", "dobry", "jak", "mam", "moj", "moje", "na", "nie", "prosze", "to", "w", "z",
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(turns: &[&str], expected: f64) {
        assert!((repetition(turns) - expected).abs() < 1e-9, "{turns:?}: {}", repetition(turns));
    }

    #[test]
    fn the_third_time_is_a_repetition() {
        check(&[], 0.0);
        check(&["where is my refund?"], 0.0);
        check(&["where is my refund?", "no, where is my refund"], 0.35);
        check(&["where is my refund?", "I asked where my refund is", "REFUND, where?"], 0.9);
        check(
            &[
                "how do I export all my invoices",
                "that is not what I want. how can I export the invoices",
                "exporting invoices, please! all of them",
            ],
            0.9,
        );
        check(&["human", "human", "human", "human"], 0.97);
        check(
            &["Wo ist meine Rechnung?", "ich suche die Rechnung", "die Rechnung, wo ist sie?"],
            0.9,
        );
    }

    #[test]
    fn other_questions_and_small_talk_are_none() {
        check(&["yes", "yes", "yes"], 0.0);
        check(&["ok", "thanks", "thank you"], 0.0);
        check(&["?", "??", "???"], 0.0);
        check(&["how do I add a seat?", "what does a seat cost?", "who can remove a user?"], 0.0);
        check(
            &["can I pay by card", "can I pay in dollars instead", "can I get the bill by post"],
            0.0,
        );
        check(&["export to CSV fails", "error VN-910", "it is request number 9f2c41"], 0.0);
    }
}
