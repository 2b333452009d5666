//! What in this text tells who somebody is, and how does it read without?
//!
//! [`Redactor`] takes personal data out of what people wrote and leaves a marker of its kind, so
//! that a conversation can be kept for evals: `[email]`, `[phone]`, `[iban]`, `[card]`, `[ip]`,
//! `[link]` (an address that holds a token or a person), `[secret]`, `[customer]`, `[teammate]`.
//! The same text always reads the same afterwards, and redacting it again changes nothing.
//!
//! Deliberately absent: guessing. Names are taken out where they are known from elsewhere; postal
//! addresses and names of third people stay.

mod names;
mod numbers;
mod patterns;

use patterns::{Kind, Patterns};
use regex::Regex;

pub use names::Names;

/// Takes personal data out of texts.
#[derive(Debug, Clone)]
pub struct Redactor {
    markers: Regex,
    patterns: Patterns,
}

/// What a text consists of.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(String),
    Marker(String),
}

impl Redactor {
    /// Prepares the patterns.
    ///
    /// # Errors
    /// A pattern that is none; no input leads there.
    pub fn new() -> Result<Self, regex::Error> {
        let markers =
            Regex::new(r"\[(?:email|phone|iban|card|ip|link|secret|customer|teammate)\]")?;
        Ok(Self { markers, patterns: Patterns::new()? })
    }

    /// Returns a text without personal data. Of names, the full one is taken out however it is
    /// written, and each part of three letters or more where it begins with a capital; in lower case
    /// only where it is no word of its own, such as "mark".
    pub fn redact(&self, text: &str, names: &Names) -> String {
        let mut pieces = self.cut(text);
        // A match may open the way for another one: what stands beside a marker stands alone.
        loop {
            let n_before = pieces.len();
            for kind in Kind::ALL {
                pieces = replace(pieces, kind.marker(), |text| self.patterns.first(kind, text));
            }
            pieces = replace(pieces, "[customer]", |text| names.customer(text));
            pieces = replace(pieces, "[teammate]", |text| names.teammate(text));
            if pieces.len() == n_before {
                break;
            }
        }
        pieces.iter().map(Piece::as_str).collect()
    }

    /// Sets apart the markers that a text holds already.
    fn cut(&self, text: &str) -> Vec<Piece> {
        let (mut pieces, mut at) = (Vec::new(), 0);
        for marker in self.markers.find_iter(text) {
            push(&mut pieces, text.get(at..marker.start()));
            pieces.push(Piece::Marker(marker.as_str().to_string()));
            at = marker.end();
        }
        push(&mut pieces, text.get(at..));
        pieces
    }
}

impl Piece {
    fn as_str(&self) -> &str {
        match self {
            Self::Text(text) | Self::Marker(text) => text,
        }
    }
}

fn push(pieces: &mut Vec<Piece>, text: Option<&str>) {
    let text = text.filter(|text| !text.is_empty());
    pieces.extend(text.map(|text| Piece::Text(text.to_string())));
}

/// Puts a marker in the place of everything that `first` finds, the rest of each text being looked
/// at as a text of its own.
fn replace(
    pieces: Vec<Piece>,
    marker: &str,
    first: impl Fn(&str) -> Option<(usize, usize)>,
) -> Vec<Piece> {
    let mut replaced = Vec::with_capacity(pieces.len());
    for piece in pieces {
        let Piece::Text(mut text) = piece else {
            replaced.push(piece);
            continue;
        };
        while let Some((start, end)) = first(&text).filter(|(start, end)| start < end) {
            push(&mut replaced, text.get(..start));
            replaced.push(Piece::Marker(marker.to_string()));
            text = text.get(end..).unwrap_or_default().to_string();
        }
        push(&mut replaced, Some(&text));
    }
    replaced
}

#[cfg(test)]
mod tests;
