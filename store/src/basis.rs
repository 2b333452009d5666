use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What a decision rests on beyond what its trace says: enough to take it again by the same means,
/// to name what has changed since, and to judge it without models. Kept as JSON, in some hundred
/// bytes.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Basis {
    /// What the path found out.
    pub finding: Option<Grounds>,
    /// What was observed about question and draft, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub evidence: BTreeMap<String, f64>,
    /// The articles that were found, best first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub articles: Vec<Ranked>,
    /// What was read and by what it was decided, by name, such as `index` and `rules`.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub versions: BTreeMap<String, String>,
    /// Milliseconds that searching and drafting took.
    pub took_ms: (f64, f64),
}

/// What the path of a question found out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Grounds {
    /// A draft; its confidence stands with the decision.
    Draft,
    /// Nothing to draft from.
    Nothing,
    /// A question that says too little.
    TooVague,
    /// A part of the path failed, which this names.
    Failed(String),
}

/// An article that was found for a question.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ranked {
    /// Its id.
    pub id: String,
    /// Digest of what it said then, as far as that is known.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub digest: String,
    /// Its passages that the draft rests on, counted from 0 within the article.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub passages: Vec<usize>,
}
