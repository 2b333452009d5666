//! An article of the help centre, and who may read it.

use std::path::PathBuf;

/// One article as read from its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// Stable name: front matter `id`, else `slug`, else [`Article::place`].
    pub id: String,
    /// Title: front matter, else the first top-level heading, else the file name made readable.
    pub title: String,
    /// Where a customer can read it.
    pub url: Option<String>,
    /// Language with an optional region, as in `en` or `pt-BR`.
    pub locale: String,
    /// Who may read it.
    pub audience: Audience,
    /// When it was last changed, as its author wrote it.
    pub updated: Option<String>,
    /// Not yet for customers.
    pub draft: bool,
    /// Markdown without front matter, line ends as `\n`.
    pub body: String,
    /// The file it came from.
    pub path: PathBuf,
    /// Path below its articles folder with forward slashes and extension; case files may name
    /// an article by it even when the article has an `id`.
    pub place: String,
}

/// Who may read an article. A kind that is empty asks nothing of the reader; of a kind that is
/// given, the reader must have at least one value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Audience {
    /// Customer tiers.
    pub tiers: Vec<String>,
    /// Plans.
    pub plans: Vec<String>,
    /// Free tags, such as `internal`.
    pub tags: Vec<String>,
}

/// Who asks. The default is an anonymous customer, who sees what is open to everyone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reader {
    /// Tiers of the reader.
    pub tiers: Vec<String>,
    /// Plans of the reader.
    pub plans: Vec<String>,
    /// Tags of the reader.
    pub tags: Vec<String>,
    /// Language the reader wants: articles in it come before equally good ones in others.
    pub locale: Option<String>,
    /// Drafts are shown too (for teammates and previews).
    pub drafts: bool,
}

impl Audience {
    /// Says whether the reader meets every kind that this audience asks for, ignoring case.
    pub fn admits(&self, reader: &Reader) -> bool {
        meets(&self.tiers, &reader.tiers)
            && meets(&self.plans, &reader.plans)
            && meets(&self.tags, &reader.tags)
    }
}

fn meets(asked: &[String], has: &[String]) -> bool {
    asked.is_empty()
        || asked.iter().any(|a| has.iter().any(|h| a.to_lowercase() == h.to_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &str) -> Vec<String> {
        values.split_whitespace().map(str::to_owned).collect()
    }

    fn check(asked: [&str; 3], has: [&str; 3], expected: bool) {
        let audience =
            Audience { tiers: list(asked[0]), plans: list(asked[1]), tags: list(asked[2]) };
        let reader = Reader {
            tiers: list(has[0]),
            plans: list(has[1]),
            tags: list(has[2]),
            ..Reader::default()
        };
        assert_eq!(audience.admits(&reader), expected, "{asked:?} {has:?}");
    }

    #[test]
    fn every_kind_that_is_asked_must_be_met_by_one_value() {
        check(["", "", ""], ["", "", ""], true);
        check(["", "", "internal"], ["", "", ""], false);
        check(["", "", "internal"], ["", "", "Internal"], true);
        check(["gold silver", "", ""], ["silver", "", ""], true);
        check(["gold", "pro", ""], ["gold", "", ""], false);
        check(["gold", "pro", ""], ["gold", "pro team", "x"], true);
        check(["", "", ""], ["gold", "pro", "internal"], true);
    }
}
