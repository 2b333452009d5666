use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Most bytes of a message that are read: its beginning and its end. Eight kilobytes are about
/// 1,300 words, more than people write and enough for a quoted letter.
const BEGINNING_BYTES: usize = 6 * 1024;
const END_BYTES: usize = 2 * 1024;

/// A line break ends a sentence when the line is shorter than this, since mail programs wrap
/// lines at more than 60 characters and nobody else does.
const WRAPPED_LINE_BYTES: usize = 50;

/// A message as patterns see it: lower-case words without accents or apostrophes, each followed
/// by one space, with a lone `.` before the first, after the last and wherever a sentence ends.
///
/// `"Hi! Can't I talk\nto a HUMAN?"` reads `" . hi . cant i talk to a human . "`.
#[derive(Debug)]
pub(super) struct Reading<'a> {
    /// What patterns are matched with.
    pub(super) plain: String,
    /// The message as it was written.
    raw: &'a str,
    /// Where each word and each `.` stands in `plain`, and what of `raw` it was made from.
    words: Vec<Place>,
}

#[derive(Debug, Clone)]
struct Place {
    plain: Range<usize>,
    raw: Range<usize>,
}

impl<'a> Reading<'a> {
    /// Reads a message; `spelling` mends what it can.
    pub(super) fn new(raw: &'a str, spelling: &Spelling) -> Self {
        let plain = String::with_capacity(raw.len().min(BEGINNING_BYTES + END_BYTES) + 16);
        let mut reading = Self { plain, raw, words: Vec::with_capacity(64) };
        reading.plain.push(' ');
        reading.end_sentence();
        if raw.len() <= BEGINNING_BYTES + END_BYTES {
            reading.push(0..raw.len(), spelling);
        } else {
            reading.push(0..raw.floor_char_boundary(BEGINNING_BYTES), spelling);
            reading.push(raw.ceil_char_boundary(raw.len() - END_BYTES)..raw.len(), spelling);
        }
        reading
    }

    /// Returns the beginning of the message as it was written.
    pub(super) fn beginning(&self) -> &'a str {
        let end = self.raw.floor_char_boundary(BEGINNING_BYTES);
        self.raw.get(..end).unwrap_or_default()
    }

    /// Returns the part of the message that the words with the numbers `found` were made from.
    pub(super) fn original(&self, found: Range<usize>) -> &'a str {
        let places = self.words.get(found).unwrap_or_default();
        let mut places = places.iter().map(|place| &place.raw).filter(|raw| !raw.is_empty());
        let Some(first) = places.next() else { return "" };
        let last = places.next_back().unwrap_or(first);
        self.raw.get(first.start..last.end).unwrap_or_default()
    }

    /// Returns the plain words in order, with a `.` wherever a sentence begins or ends.
    pub(super) fn words(&self) -> impl Iterator<Item = &str> {
        self.words.iter().filter_map(|place| self.plain.get(place.plain.clone()))
    }

    fn push(&mut self, range: Range<usize>, spelling: &Spelling) {
        let Some(text) = self.raw.get(range.clone()) else { return };
        let (mut word_start, mut line_start) = (None, 0);
        let mut characters = text.char_indices().peekable();
        while let Some((at, character)) = characters.next() {
            let next = characters.peek().map(|(_, next)| *next);
            let kind = match kind(character, next) {
                Kind::End if character == '.' && self.is_short(word_start) => Kind::Gap,
                kind => kind,
            };
            match kind {
                Kind::Letter => {
                    let start = *word_start.get_or_insert(at);
                    if start == at {
                        self.start_word(range.start + at);
                    }
                    fold(character, &mut self.plain);
                }
                Kind::Inside => {}
                other => {
                    self.end_word(&mut word_start, range.start + at, spelling);
                    let wraps = character == '\n' && at - line_start >= WRAPPED_LINE_BYTES;
                    if other == Kind::Sign {
                        self.start_word(range.start + at);
                        self.plain.push(character);
                        let end = range.start + at + character.len_utf8();
                        self.end_word(&mut Some(at), end, spelling);
                    } else if other == Kind::End && !(wraps && next != Some('\n')) {
                        self.end_sentence();
                    }
                    if character == '\n' {
                        line_start = at + 1;
                    }
                }
            }
        }
        self.end_word(&mut word_start, range.end, spelling);
        self.end_sentence();
    }

    /// Whether the word being read is a letter or a number up to 99: "z. B.", "3. Juni".
    fn is_short(&self, word_start: Option<usize>) -> bool {
        let last = self.words.last().filter(|_| word_start.is_some());
        let word = last.and_then(|place| self.plain.get(place.plain.start..)).unwrap_or_default();
        let is_day = word.len() == 2 && word.bytes().all(|byte| byte.is_ascii_digit());
        word.chars().count() == 1 || is_day
    }

    fn start_word(&mut self, raw_start: usize) {
        let plain = self.plain.len();
        self.words.push(Place { plain: plain..plain, raw: raw_start..raw_start });
    }

    fn end_word(&mut self, word_start: &mut Option<usize>, raw_end: usize, spelling: &Spelling) {
        if word_start.take().is_none() {
            return;
        }
        let Some(place) = self.words.last_mut() else { return };
        if let Some(meant) = self.plain.get(place.plain.start..).and_then(|w| spelling.mend(w)) {
            self.plain.truncate(place.plain.start);
            self.plain.push_str(meant);
        }
        place.plain.end = self.plain.len();
        place.raw.end = raw_end;
        self.plain.push(' ');
    }

    fn end_sentence(&mut self) {
        if !self.plain.ends_with(" . ") {
            self.start_word(0);
            self.plain.push('.');
            if let Some(place) = self.words.last_mut() {
                place.plain.end = self.plain.len();
            }
            self.plain.push(' ');
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Part of a word.
    Letter,
    /// Neither part nor end of a word: apostrophes, accents that stand alone, what has no width.
    Inside,
    /// A word of its own, such as an emoji.
    Sign,
    /// The end of a sentence.
    End,
    /// Anything between words.
    Gap,
}

fn kind(character: char, next: Option<char>) -> Kind {
    let closes = next.is_none_or(|next| !next.is_alphanumeric());
    match character {
        '\'' | '’' | '‘' | 'ʼ' | '´' | '`' => Kind::Inside,
        '\u{300}'..='\u{36f}' | '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{feff}' => {
            Kind::Inside
        }
        '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' => Kind::Inside,
        '!' | '?' | '\n' | ';' | '…' | '|' | '¿' | '¡' | '。' | '！' | '？' => Kind::End,
        '.' | ':' if closes => Kind::End,
        '\u{2600}'..='\u{27bf}' | '\u{1f300}'..='\u{1faff}' => Kind::Sign,
        letter if letter.is_alphanumeric() => Kind::Letter,
        _ => Kind::Gap,
    }
}

/// Writes a letter in lower case and without its accent.
fn fold(character: char, into: &mut String) {
    if character.is_ascii() {
        into.push(character.to_ascii_lowercase());
        return;
    }
    for lower in character.to_lowercase() {
        let plain = match lower {
            'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
            'ç' | 'ć' | 'č' => "c",
            'ď' | 'đ' => "d",
            'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
            'ğ' => "g",
            'ì'..='ï' | 'ī' | 'ı' | 'į' => "i",
            'ł' | 'ľ' => "l",
            'ñ' | 'ń' | 'ň' => "n",
            'ò'..='ö' | 'ø' | 'ő' => "o",
            'ř' => "r",
            'ś' | 'š' | 'ş' | 'ș' => "s",
            'ť' | 'ț' | 'ţ' => "t",
            'ù'..='ü' | 'ů' | 'ű' | 'ū' => "u",
            'ý' | 'ÿ' => "y",
            'ź' | 'ż' | 'ž' => "z",
            'ß' => "ss",
            'æ' => "ae",
            'œ' => "oe",
            '\u{300}'..='\u{36f}' => "",
            other => {
                into.push(other);
                continue;
            }
        };
        into.push_str(plain);
    }
}

/// Mends slips of the finger in a few words that requests turn on.
///
/// A word that no pattern knows is read as one of these words when it begins with the same
/// letter and both become the same by leaving out at most one letter of each. That is the
/// symmetric deletion of `SymSpell` (Garbe 2012) for a distance of one.
#[derive(Debug, Default)]
pub(super) struct Spelling {
    known: HashSet<String>,
    shortened: HashMap<String, String>,
}

/// Shorter words have too many neighbours that mean something else.
const SHORTEST_MENDED: usize = 4;
/// In shorter words only the order of letters is mended, for the same reason.
const SHORTEST_CHANGED: usize = 5;

impl Spelling {
    /// Mends towards `words`, and leaves the words of `known` alone.
    pub(super) fn new<'a>(
        words: impl IntoIterator<Item = &'a str>,
        known: HashSet<String>,
    ) -> Self {
        let mut shortened = HashMap::new();
        for word in words {
            shortened.insert(word.to_owned(), word.to_owned());
            shortened.extend(each_shortened(word).map(|short| (short, word.to_owned())));
        }
        Self { known, shortened }
    }

    fn mend(&self, word: &str) -> Option<&str> {
        if word.len() < SHORTEST_MENDED || !word.is_ascii() || self.known.contains(word) {
            return None;
        }
        let found = self.shortened.get(word);
        let found = found.or_else(|| each_shortened(word).find_map(|w| self.shortened.get(&w)))?;
        let same_start = found.as_bytes().first() == word.as_bytes().first();
        let same_length = word.len() >= SHORTEST_CHANGED || sorted(found) == sorted(word);
        (same_start && same_length && !word.starts_with(found.as_str())).then_some(found)
    }
}

fn sorted(word: &str) -> Vec<u8> {
    let mut letters = word.as_bytes().to_vec();
    letters.sort_unstable();
    letters
}

fn each_shortened(word: &str) -> impl Iterator<Item = String> {
    word.char_indices().map(move |(at, left_out)| {
        let rest = word.get(at + left_out.len_utf8()..).unwrap_or_default();
        [word.get(..at).unwrap_or_default(), rest].concat()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(message: &str, expected: &str) {
        let spelling =
            Spelling::new(["human", "person", "with"], HashSet::from(["humain".to_string()]));
        assert_eq!(Reading::new(message, &spelling).plain, expected, "{message:?}");
    }

    #[test]
    fn messages_are_read_as_plain_words_and_sentences() {
        check("Hi! Can't I talk\nto a HUMAN?", " . hi . cant i talk . to a human . ");
        check("", " . ");
        check("?!", " . ");
        check("am 3. Juni z. B. um 12. Ja.", " . am 3 juni z b um 12 ja . ");
        check("v1.5 e-mail, Ça coûte: 3€", " . v1 5 e mail ca coute . 3 . ");
        check("No 😡😡 Straße", " . no 😡 😡 strasse . ");
        check("hu\u{200b}man e\u{301}te\u{301}", " . human ete . ");
        let wrapped = "a line of a mail that is broken after sixty characters to\nbe read";
        check(wrapped, &format!(" . {} . ", wrapped.replace('\n', " ")));
    }

    #[test]
    fn slips_are_mended_and_other_words_left_alone() {
        check("humna huamn hmuan huumann perosn", " . human human human huumann person . ");
        check("hman wiht wit", " . hman with wit . ");
        check("humans humane persona humain woman", " . humans humane persona humain woman . ");
    }

    #[test]
    fn originals_are_found_again() {
        let reading = Reading::new("Hello. I can't wait! Bye", &Spelling::default());
        let words: Vec<&str> = reading.words().collect();
        assert_eq!(words, [".", "hello", ".", "i", "cant", "wait", ".", "bye", "."]);
        assert_eq!(reading.original(4..6), "can't wait");
        assert_eq!(reading.original(2..7), "I can't wait");
        assert_eq!(reading.original(2..3), "");
    }

    #[test]
    fn long_messages_are_cut_in_the_middle() {
        let message = format!("first {} last", "é ".repeat(40_000));
        let reading = Reading::new(&message, &Spelling::default());
        assert!(reading.plain.len() < 3 * (BEGINNING_BYTES + END_BYTES));
        let words: Vec<&str> = reading.words().collect();
        assert!(words.starts_with(&[".", "first"]) && words.ends_with(&["last", "."]));
    }
}
