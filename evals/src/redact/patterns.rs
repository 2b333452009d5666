//! What is told by its form alone.

use super::{
    Kind,
    numbers::{is_card, is_iban, is_phone},
};
use regex::Regex;
use std::net::{Ipv4Addr, Ipv6Addr};

#[derive(Debug, Clone)]
pub(super) struct Patterns {
    link: Regex,
    email: Regex,
    secret: Regex,
    iban: Regex,
    card: Regex,
    ip4: Regex,
    ip6: Regex,
    phone: Regex,
    social: Regex,
    licence: Regex,
}

/// Letters and digits in a row from which on a part of an address is taken for a token.
const TOKEN_LETTERS: usize = 12;

/// Digits of the shortest number of a licence.
const LICENCE_DIGITS: usize = 5;

/// Digits of the shortest telephone number.
const FEWEST_DIGITS: usize = 7;

impl Patterns {
    pub(super) fn new() -> Result<Self, regex::Error> {
        Ok(Self {
            link: Regex::new(
                r#"(?i)\b(?:(?:https?|ftp|wss?)://|(?:[\p{L}\p{N}][\p{L}\p{N}-]*\.)+\p{L}{2,24}(?::\d+)?[/?#])[^\s<>"'`\\|{}]+"#,
            )?,
            email: Regex::new(
                r"(?i)[\p{L}\p{N}][\p{L}\p{N}._%+'’-]*@(?:[\p{L}\p{N}](?:[\p{L}\p{N}-]*[\p{L}\p{N}])?\.)+[\p{L}]{2,24}",
            )?,
            // A JSON web token; a key with a vendor's prefix; 32 or more hexadecimal digits.
            secret: Regex::new(
                r"\beyJ[\w-]{8,}\.[\w-]{4,}\.[\w-]*|\b(?:sk|pk|rk|ghp|gho|xox[abp]|dG9r)[_-][\w-]{16,}|\b[0-9a-fA-F]{32,}\b",
            )?,
            iban: Regex::new(r"(?i)\b[a-z]{2}[0-9]{2}(?:[ -]?[a-z0-9]){11,30}")?,
            card: Regex::new(r"\d(?:[ .-]?\d){11,18}")?,
            ip4: Regex::new(r"\d{1,3}(?:\.\d{1,3}){3}")?,
            ip6: Regex::new(r"[0-9a-fA-F:]{2,39}(?:\d{1,3}(?:\.\d{1,3}){3})?")?,
            phone: Regex::new(
                r"(?i)(?:\+|\b)?\(?\+?\d[\d\s().\u{2010}-\u{2013}\u{a0}/-]{4,22}\d(?:\s?(?:x|ext\.?|#)\s?\d{1,5})?",
            )?,
            social: Regex::new(r"\d{3}-\d{2}-\d{4}")?,
            // The number of a licence or a passport has no form of its own: the words before tell.
            licence: Regex::new(
                r"(?i)\b(?:driv(?:er|ing)(?:['’]?s)?[ -]licen[cs]e|licen[cs]e|passport|social security|ssn|tax id|national id|id card)\b(?: (?:number|no\.?|id|is|was|#|it's|its))*\s*[:#-]?\s*([a-z0-9][a-z0-9-]{4,18}[a-z0-9])\b",
            )?,
        })
    }

    /// Returns where the first thing of a kind stands, in bytes.
    pub(super) fn first(&self, kind: Kind, text: &str) -> Option<(usize, usize)> {
        if !may_hold(kind, text) {
            return None;
        }
        match kind {
            Kind::Link => {
                let mut links = self.link.find_iter(text).map(|link| {
                    let kept =
                        link.as_str().trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']']);
                    (link.start(), link.start() + kept.len(), kept)
                });
                links.find(|(_, _, link)| tells(link)).map(|(start, end, _)| (start, end))
            }
            Kind::Email => self.email.find(text).map(|found| (found.start(), found.end())),
            Kind::Secret => self.secret.find(text).map(|found| (found.start(), found.end())),
            Kind::Iban => stepping(&self.iban, text, |start, found| {
                let long = shortened(found, is_iban)?;
                Some((start, start + long))
            }),
            Kind::Card => alone(&self.card, text, |found| shortened(found, is_card)),
            Kind::Ip => {
                let four = || alone(&self.ip4, text, |found| whole(found, is_ip4(found)));
                let six = || alone(&self.ip6, text, |found| whole(found, is_ip6(found)));
                six().into_iter().chain(four()).min()
            }
            Kind::Phone => alone(&self.phone, text, |found| shortened(found, is_phone)),
            Kind::Id => {
                let social = alone(&self.social, text, |found| Some(found.len()));
                social.into_iter().chain(self.licence(text)).min()
            }
            // The others are told by words.
            _ => None,
        }
    }
}

impl Patterns {
    /// Returns where the number stands that words before it call one of a licence or a passport.
    fn licence(&self, text: &str) -> Option<(usize, usize)> {
        let numbers = self.licence.captures_iter(text).filter_map(|found| found.get(1));
        let n_digits = |number: &str| number.bytes().filter(u8::is_ascii_digit).count();
        let mut numbers = numbers.filter(|number| n_digits(number.as_str()) >= LICENCE_DIGITS);
        numbers.next().map(|number| (number.start(), number.end()))
    }
}

/// Whether a text has what everything of a kind has; most texts have not, and that is quickly seen.
fn may_hold(kind: Kind, text: &str) -> bool {
    let has = |letter: u8, n: usize| text.bytes().filter(|byte| *byte == letter).count() >= n;
    let n_digits = || text.bytes().filter(u8::is_ascii_digit).count();
    match kind {
        Kind::Link => text.contains("://") || (has(b'.', 1) && text.contains(['/', '?', '#'])),
        Kind::Email => has(b'@', 1),
        Kind::Secret => text.len() >= 16,
        Kind::Iban | Kind::Card | Kind::Phone => n_digits() >= FEWEST_DIGITS,
        Kind::Ip => has(b'.', 3) || has(b':', 2),
        Kind::Id => n_digits() >= LICENCE_DIGITS,
        _ => false,
    }
}

/// Whether an address says more than which page it is: a user, a query, a token, or a person.
fn tells(link: &str) -> bool {
    let rest = link.split_once("://").map_or(link, |(_, rest)| rest);
    let place = rest.split('#').next().unwrap_or_default();
    let fragment = rest.split_once('#').map_or("", |(_, fragment)| fragment);
    let is_mixed = |run: &str| {
        let has_digit = run.bytes().any(|byte| byte.is_ascii_digit());
        let has_letter = run.bytes().any(|byte| byte.is_ascii_alphabetic());
        run.len() >= TOKEN_LETTERS && has_digit && has_letter
    };
    let is_uuid = |part: &str| {
        part.len() == 36 && part.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    };
    // The words of a title are joined by hyphens; a token has a long run of letters and digits.
    let is_token = |part: &str| is_uuid(part) || part.split(['-', '.', '_']).any(is_mixed);
    rest.contains('@')
        || place.split_once('?').is_some_and(|(_, query)| query.contains('='))
        || fragment.contains('=')
        || place.split(['/', '?', '&', '=']).skip(1).any(is_token)
}

fn is_ip4(found: &str) -> bool {
    found.parse::<Ipv4Addr>().is_ok()
}

fn is_ip6(found: &str) -> bool {
    // `a::b` is code far more often than an address.
    let has_digit = found.bytes().any(|byte| byte.is_ascii_digit());
    has_digit && found.matches(':').count() >= 2 && found.parse::<Ipv6Addr>().is_ok()
}

fn whole(found: &str, is_one: bool) -> Option<usize> {
    is_one.then_some(found.len())
}

/// Returns where the first match stands that is no part of a longer number or word; `long` says how
/// much of it counts.
fn alone(
    pattern: &Regex,
    text: &str,
    long: impl Fn(&str) -> Option<usize>,
) -> Option<(usize, usize)> {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    stepping(pattern, text, |start, found| {
        let end = start + long(found)?;
        let mut before = text.get(..start).unwrap_or_default().chars().rev();
        // A sign before it belongs to it only where a number goes on: `10.` before `20`, not `Tel:`.
        let goes_on = match before.next() {
            Some('.' | ':' | '@') => before.next().is_some_and(|c| c.is_ascii_digit()),
            Some(c) => joins(c),
            None => false,
        };
        let after = text.get(end..).and_then(|text| text.chars().next());
        (!goes_on && !after.is_some_and(joins)).then_some((start, end))
    })
}

/// Returns the first of the matches, also of those that begin within another one, that `one` takes.
fn stepping(
    pattern: &Regex,
    text: &str,
    one: impl Fn(usize, &str) -> Option<(usize, usize)>,
) -> Option<(usize, usize)> {
    let mut from = 0;
    while let Some(found) = pattern.find_at(text, from) {
        if let Some(taken) = one(found.start(), found.as_str()) {
            return Some(taken);
        }
        let first = found.as_str().chars().next().map_or(1, char::len_utf8);
        from = found.start() + first;
    }
    None
}

/// Returns the longest beginning of a match that is one, in bytes: letters and digits that follow
/// may belong to the next word.
fn shortened(found: &str, is_one: impl Fn(&str) -> bool) -> Option<usize> {
    let mut ends: Vec<usize> = found.char_indices().map(|(at, _)| at).skip(1).collect();
    ends.push(found.len());
    let lawful = |end: &usize| {
        let part = found.get(..*end).unwrap_or_default();
        part.ends_with(|c: char| c.is_alphanumeric()) && is_one(part)
    };
    ends.into_iter().rev().find(lawful)
}
