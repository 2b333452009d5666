//! What in this text tells who somebody is, and how does it read without?
//!
//! [`Redactor`] takes personal data out of what people wrote and leaves a marker of its kind
//! ([`Kind`]), so that a conversation can be kept for evals: `[email]`, `[phone]`, `[person]`.
//! What is known by its form is found by `patterns.rs`, addresses and ages by `places.rs`, names
//! that are known by `names.rs`, other names by what stands around them, in `people.rs`. The same
//! text always reads the same afterwards, and redacting it again changes nothing. [`measure`] says
//! how well it does on labelled texts.
//!
//! Deliberately absent: a model, and lists of names. Countries, towns that stand alone, companies,
//! dates and job titles stay: questions cannot be found without them.

mod kind;
pub mod measure;
mod names;
mod numbers;
mod patterns;
mod people;
mod places;
mod words;

use patterns::Patterns;
use people::People;
use places::Places;
use regex::Regex;

pub use kind::Kind;
pub use names::Names;

/// Takes personal data out of texts.
#[derive(Debug, Clone)]
pub struct Redactor {
    markers: Regex,
    patterns: Patterns,
    places: Places,
    people: People,
}

/// A part of a text that is taken out, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Where it begins.
    pub start: usize,
    /// Where it ends.
    pub end: usize,
    /// What it is.
    pub kind: Kind,
}

/// What a text consists of.
#[derive(Debug, Clone, Copy)]
struct Piece {
    start: usize,
    end: usize,
    is: Is,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Is {
    Text,
    /// A marker that was there already.
    Marker,
    Taken(Kind),
}

impl Redactor {
    /// Prepares the patterns.
    ///
    /// # Errors
    /// A pattern that is none; no input leads there.
    pub fn new() -> Result<Self, regex::Error> {
        let markers = Regex::new(
            r"\[(?:email|phone|iban|card|ip|id|link|secret|address|birth|age|customer|teammate|person)\]",
        )?;
        let (patterns, places) = (Patterns::new()?, Places::new()?);
        Ok(Self { markers, patterns, places, people: People::new()? })
    }

    /// Returns a text without personal data. Of known names, the full one is taken out however it
    /// is written, and each part of two letters or more where it begins with a capital; in lower
    /// case only where it is no word of its own, such as "mark".
    pub fn redact(&self, text: &str, names: &Names) -> String {
        let mut redacted = String::with_capacity(text.len());
        let mut at = 0;
        for taken in self.find(text, names) {
            redacted.push_str(text.get(at..taken.start).unwrap_or_default());
            redacted.push_str(taken.kind.marker());
            at = taken.end;
        }
        redacted.push_str(text.get(at..).unwrap_or_default());
        redacted
    }

    /// Returns what is taken out of a text, in order; parts touch nowhere but at their ends.
    pub fn find(&self, text: &str, names: &Names) -> Vec<Taken> {
        let mut pieces = self.cut(text);
        let n_taken =
            |pieces: &[Piece]| pieces.iter().filter(|piece| piece.taken().is_some()).count();
        // A match may open the way for another one: what stands beside a marker stands alone.
        loop {
            let n_before = n_taken(&pieces);
            for kind in Kind::BY_FORM {
                pieces = replace(text, &pieces, kind, |text| self.patterns.first(kind, text));
            }
            for kind in Kind::BY_WORDS {
                pieces = replace(text, &pieces, kind, |text| self.places.first(kind, text));
            }
            pieces =
                replace(text, &pieces, Kind::Phone, |text| self.patterns.first(Kind::Phone, text));
            pieces = replace(text, &pieces, Kind::Customer, |text| names.customer(text));
            pieces = replace(text, &pieces, Kind::Teammate, |text| names.teammate(text));
            pieces = replace(text, &pieces, Kind::Person, |text| self.people.first(text));
            let again = named_again(text, &pieces);
            pieces = replace(text, &pieces, Kind::Person, |text| again.customer(text));
            if n_taken(&pieces) == n_before {
                break;
            }
        }
        pieces.iter().filter_map(Piece::taken).collect()
    }

    /// Sets apart the markers that a text holds already.
    fn cut(&self, text: &str) -> Vec<Piece> {
        let (mut pieces, mut at) = (Vec::new(), 0);
        for marker in self.markers.find_iter(text) {
            push(&mut pieces, at, marker.start());
            pieces.push(Piece { start: marker.start(), end: marker.end(), is: Is::Marker });
            at = marker.end();
        }
        push(&mut pieces, at, text.len());
        pieces
    }
}

impl Piece {
    fn taken(&self) -> Option<Taken> {
        let Self { start, end, is } = *self;
        let Is::Taken(kind) = is else { return None };
        Some(Taken { start, end, kind })
    }
}

/// Who was named by what stands around a name is looked for in the rest of the text, too.
fn named_again(text: &str, pieces: &[Piece]) -> Names {
    let people = pieces.iter().filter(|piece| piece.is == Is::Taken(Kind::Person));
    let names: Vec<String> =
        people.filter_map(|piece| Some(text.get(piece.start..piece.end)?.to_string())).collect();
    Names::new(&names, &[])
}

fn push(pieces: &mut Vec<Piece>, start: usize, end: usize) {
    if start < end {
        pieces.push(Piece { start, end, is: Is::Text });
    }
}

/// Takes out everything that `first` finds, the rest of each part being looked at as a text of its
/// own.
fn replace(
    text: &str,
    pieces: &[Piece],
    kind: Kind,
    first: impl Fn(&str) -> Option<(usize, usize)>,
) -> Vec<Piece> {
    let mut replaced = Vec::with_capacity(pieces.len());
    for piece in pieces {
        if piece.is != Is::Text {
            replaced.push(*piece);
            continue;
        }
        let mut at = piece.start;
        let rest = |at: usize| text.get(at..piece.end).unwrap_or_default();
        while let Some((start, end)) = first(rest(at)).filter(|(start, end)| start < end) {
            push(&mut replaced, at, at + start);
            replaced.push(Piece { start: at + start, end: at + end, is: Is::Taken(kind) });
            at += end;
        }
        push(&mut replaced, at, piece.end);
    }
    replaced
}

#[cfg(test)]
mod tests;
