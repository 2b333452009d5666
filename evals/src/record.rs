//! What came of a case, written down so that figures, reports and comparisons need neither the
//! desk nor the case file again.

use crate::{
    case::{Case, Expect, ExpectedAct},
    trial::Trial,
};
use bot::Answer;
use router::{Act, Policy, Reply, Slug};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};

/// One case with what the desk made of it: a line of `results.jsonl`. Articles are named as the
/// case names them, be it by id or by path. `text`, `citations` and `confidence` are the draft's,
/// sent or not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// Id of the case.
    pub id: String,
    /// What was done, by the name that the router gives it.
    pub act: String,
    /// P(the draft is right); 0 without a draft.
    pub confidence: f64,
    /// The articles that were found, best first.
    pub articles: Vec<String>,
    /// The draft; empty without one.
    pub text: String,
    /// The articles that the draft rests on, the weightiest first, each once.
    pub sources: Vec<String>,
    /// The team that takes over.
    pub team: Option<String>,
    /// What it is about, where that is likelier than not.
    pub topic: Option<String>,
    /// Milliseconds of each part.
    pub timings_ms: Stages,
    /// Tokens that the generator read and wrote for the draft, put aside or not; `None` without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<(usize, usize)>,
    /// Whether the draft went to the customer.
    pub sent: bool,
    /// The customer's last message.
    pub question: String,
    /// What ought to have been done.
    pub expect: Expect,
    /// Groups that figures are reported for.
    pub tags: Vec<String>,
    /// Name of the file that the case was read from.
    #[serde(default)]
    pub source: String,
    /// Cosine of the draft with what a person answered, where both exist and
    /// [`note_similarity`](crate::note_similarity) has looked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub similarity: Option<f64>,
    /// The places that the draft rests on, the weightiest first.
    pub citations: Vec<Cited>,
    /// Why it was decided so.
    pub reasons: Vec<String>,
    /// What the confidence rests on.
    pub evidence: BTreeMap<String, f64>,
    /// How the decision came about; see [`Answer::trace`].
    pub trace: Value,
    /// Digest of everything that it depends on, case and desk; empty where nobody noted it. See
    /// [`case_key`](crate::case_key).
    #[serde(default)]
    pub key: String,
}

/// Milliseconds of one case, by part.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Stages {
    /// Embedding the question.
    #[serde(default)]
    pub meaning: f64,
    /// Embedding the question and searching.
    pub search: f64,
    /// Composing the draft.
    pub draft: f64,
    /// The whole path.
    pub total: f64,
}

/// A place that a draft rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cited {
    /// The article.
    pub article: String,
    /// The words of it.
    pub quote: String,
}

/// Reads results, one a line: the number of each line from 1, its text and what it holds. Empty lines
/// are left out.
pub(crate) fn read_lines(
    content: &[u8],
) -> impl Iterator<Item = (usize, &str, anyhow::Result<Record>)> {
    let lines = content.split(|byte| *byte == b'\n').enumerate();
    lines.filter(|(_, line)| !line.trim_ascii().is_empty()).map(|(i, line)| {
        let text = str::from_utf8(line);
        let record = text.map_err(Into::into).and_then(|text| Ok(serde_json::from_str(text)?));
        (i + 1, text.unwrap_or_default(), record)
    })
}

/// Writes results, one a line.
///
/// # Errors
/// When one cannot be written as JSON, which a number that is none would be.
pub fn result_lines(records: &[Record]) -> serde_json::Result<String> {
    let mut lines = String::new();
    for record in records {
        lines.push_str(&serde_json::to_string(record)?);
        lines.push('\n');
    }
    Ok(lines)
}

impl Record {
    /// Writes down what a desk with this policy made of a case.
    pub fn of(trial: &Trial<'_>, policy: &Policy) -> Self {
        let Trial { case, answer, gold } = trial;
        let named = |id: &str| name_of(case, gold, id);
        let citations = answer.draft.as_ref().map_or(&[][..], |draft| draft.citations.as_slice());
        let mut sources: Vec<String> =
            citations.iter().map(|cited| named(&cited.article)).collect();
        let mut seen = HashSet::new();
        sources.retain(|source| seen.insert(source.clone()));
        let act = answer.decision.act();
        Self {
            id: case.id.clone(),
            act: act.name().to_string(),
            confidence: answer.confidence.value(),
            articles: answer.articles.iter().map(|id| named(id)).collect(),
            text: answer.draft.as_ref().map_or(String::new(), |draft| draft.text.clone()),
            sources,
            team: act.team().map(|team| Slug::as_str(team).to_string()),
            topic: answer.noticed.topic.as_ref().map(|(topic, _)| topic.to_string()),
            timings_ms: stages(answer),
            tokens: tokens(answer),
            sent: *act == Act::Reply(Reply::Draft),
            question: case.messages.last().map_or(String::new(), |message| message.text.clone()),
            expect: case.expect.clone(),
            tags: case.tags.clone(),
            source: crate::retrieval::source(case),
            similarity: None,
            citations: citations
                .iter()
                .map(|cited| Cited { article: named(&cited.article), quote: cited.quote.clone() })
                .collect(),
            reasons: answer.decision.reasons().iter().map(ToString::to_string).collect(),
            evidence: answer.evidence.iter().map(|(name, value)| (name.into(), value)).collect(),
            trace: answer.trace(policy),
            key: String::new(),
        }
    }

    /// Whether anything was drafted.
    pub fn is_drafted(&self) -> bool {
        !self.citations.is_empty()
    }

    /// Whether the draft, sent or not, would have been right: the case can be answered, and the
    /// draft rests first of all on an article that holds the answer. `None` where that cannot be
    /// told: an answer is expected, or only what people did is known, and the case names no article.
    pub fn is_draft_right(&self) -> Option<bool> {
        if self.expect.is_unlabelled() {
            return None;
        }
        let Expect { act, articles, .. } = &self.expect;
        let first = self.sources.first();
        Some(*act == ExpectedAct::Answer && first.is_some_and(|source| articles.contains(source)))
    }

    /// Whether the act is the expected one; a draft for teammates counts as a handoff.
    pub fn is_act_right(&self) -> bool {
        self.act_class() == Some(self.expect.act)
    }

    /// Returns the act as one of those that cases expect; the others stand for none of them.
    pub fn act_class(&self) -> Option<ExpectedAct> {
        match self.act.as_str() {
            "reply" => Some(ExpectedAct::Answer),
            "clarify" => Some(ExpectedAct::Clarify),
            "handoff" | "draft" | "offer" => Some(ExpectedAct::Handoff),
            _ => None,
        }
    }
}

/// Returns a gold article as its case names it, any other by its id.
fn name_of(case: &Case, gold: &[String], id: &str) -> String {
    let place = gold.iter().position(|gold| gold == id);
    place.and_then(|place| case.expect.articles.get(place)).map_or_else(|| id.into(), Clone::clone)
}

fn tokens(answer: &Answer) -> Option<(usize, usize)> {
    let tokens = answer.draft.as_ref()?.tokens;
    (tokens.read + tokens.written > 0).then_some((tokens.read, tokens.written))
}

fn stages(answer: &Answer) -> Stages {
    let bot::Timings { meaning_ms, search_ms, draft_ms, total_ms } = answer.timings;
    Stages { meaning: meaning_ms, search: search_ms, draft: draft_ms, total: total_ms }
}
