//! Which past answers does an edit of an article change?

use bot::Answer;
use serde::Serialize;

/// An answer that comes out otherwise.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Changed {
    /// Names the question.
    pub id: String,
    /// What was asked.
    pub question: String,
    /// What was done and what would be.
    pub act: (String, String),
    /// Who takes over, and would.
    pub team: (Option<String>, Option<String>),
    /// How sure the draft was, and would be.
    pub confidence: (f64, f64),
    /// Whether the draft reads otherwise.
    pub other_draft: bool,
    /// What an edit does to it.
    pub kind: Kind,
}

/// What an edit does to an answer, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// There was a reply, and would be none.
    Lost,
    /// There was none, and would be one.
    Gained,
    /// The act or the team changes otherwise.
    Moved,
    /// The customer would read another text.
    Reworded,
    /// Only the draft for teammates or the confidence changes.
    Unseen,
}

/// A confidence that moves by less than this is the same.
const SAME_CONFIDENCE: f64 = 0.001;

/// Compares what came of a question before an edit and would come of it after; `None` when the
/// same would.
pub fn impact(id: &str, question: &str, before: &Answer, after: &Answer) -> Option<Changed> {
    let act = |answer: &Answer| answer.decision.act().name().to_string();
    let team = |answer: &Answer| answer.decision.act().team().map(ToString::to_string);
    let draft = |answer: &Answer| answer.draft.as_ref().map(|draft| draft.text.clone());
    let confidence = (before.confidence.value(), after.confidence.value());
    let (acts, teams) = ((act(before), act(after)), (team(before), team(after)));
    let other_draft = draft(before) != draft(after);
    let moved = (confidence.0 - confidence.1).abs() >= SAME_CONFIDENCE;
    let kind = match (acts.0.as_str(), acts.1.as_str()) {
        ("reply", other) if other != "reply" => Kind::Lost,
        (other, "reply") if other != "reply" => Kind::Gained,
        (one, other) if one != other || teams.0 != teams.1 => Kind::Moved,
        ("reply", _) if other_draft => Kind::Reworded,
        _ if other_draft || moved => Kind::Unseen,
        _ => return None,
    };
    let (id, question) = (id.to_string(), question.to_string());
    Some(Changed { id, question, act: acts, team: teams, confidence, other_draft, kind })
}
