//! What does a teammate's edit of a draft say about the draft?

use crate::measures::rouge_l;

/// A draft of which at most this share was changed was right; who sends it mends the tone.
pub const CHANGED_LITTLE: f64 = 0.3;

/// A draft of which at least this share was changed was wrong; little of it was of use.
pub const CHANGED_MUCH: f64 = 0.6;

/// Says whether a draft was right by what was sent in its place: by the share of the words of both
/// that were taken out or put in (the edit distance over words without exchanges, which is one less
/// the ROUGE-L of the two, as share of their lengths). `None` between [`CHANGED_LITTLE`] and
/// [`CHANGED_MUCH`], where it cannot be told, and for texts without a word. The two bounds are
/// assumptions: no labelled edits are at hand to measure them.
pub fn was_right(draft: &str, sent: &str) -> Option<bool> {
    let changed = 1.0 - rouge_l(sent, draft)?;
    match changed {
        share if share <= CHANGED_LITTLE => Some(true),
        share if share >= CHANGED_MUCH => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_touch_leaves_a_draft_right_and_a_rewrite_shows_it_wrong() {
        let draft = "You can return shoes within 14 days for a full refund.";
        let check = |sent: &str, expected| assert_eq!(was_right(draft, sent), expected, "{sent}");
        check(draft, Some(true));
        check("Hi! You can return shoes within 14 days for a full refund.", Some(true));
        check(
            "Please write to our warehouse in Leeds, they will look for your parcel.",
            Some(false),
        );
        check("You can return shoes within 14 days, but we only give store credit then.", None);
        check("", Some(false));
    }
}
