//! What a decision rests on, as it is kept with it, and read again later.

use crate::{Answer, Desk, Drafter, EVIDENCE_VERSION};
use knowledge::Knowledge;
use router::{Budgets, Confidence, Finding};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use store::{Basis, Grounds, NewDecision, Ranked};

/// Articles of which it is kept what they said: further down nothing is quoted, and evidence looks
/// at little.
const ARTICLES: usize = 10;

impl Desk {
    /// Says by what this desk decides, by name: `program`, `index`, `embedder`, `drafter`,
    /// `generator`, `guidance`, `rules`, `settings`, `calibration`, `budgets`, `raised` and `evidence`. What is too long
    /// to be kept stands as a digest. With all of them alike the same question, put at the same
    /// time, leads to the same decision, but for what a generator writes.
    pub fn versions(&self) -> BTreeMap<String, String> {
        let index = self.library.knowledge().map(|open| short(open.generation()));
        let policy = self.policy();
        let settings = format!(
            "{:?} {} {}",
            self.library.fusion(),
            policy.threshold().value(),
            policy.speaks()
        );
        let mut versions = vec![
            ("program", env!("CARGO_PKG_VERSION").to_string()),
            ("index", index.unwrap_or_default()),
            ("embedder", self.library.embedder().id().to_string()),
            ("rules", self.playbook.digest.clone()),
            ("settings", digest(&settings)),
            ("evidence", EVIDENCE_VERSION.to_string()),
        ];
        let calibration = self.calibration().map(|fitted| digest(&format!("{fitted:?}")));
        versions.extend(calibration.map(|fitted| ("calibration", fitted)));
        let budgets = policy.budgets();
        if *budgets != Budgets::default() {
            versions.push(("budgets", digest(&format!("{budgets:?}"))));
        }
        if !policy.raised().is_empty() {
            versions.push(("raised", digest(&format!("{:?}", policy.raised()))));
        }
        match &self.drafter {
            Drafter::Quotes => versions.push(("drafter", "quotes".into())),
            Drafter::Written { generator, limit_tokens, guidance } => {
                versions.push(("drafter", format!("written, {limit_tokens} tokens")));
                versions.push(("generator", generator.id().to_string()));
                versions.push(("guidance", digest(guidance)));
            }
        }
        versions.into_iter().map(|(name, value)| (name.to_string(), value)).collect()
    }

    /// Says what the article with this id says, as a digest; `None` where the index does not hold it.
    pub fn article_digest(&self, id: &str) -> Option<String> {
        article_digest(&self.library.knowledge().ok()?, id)
    }
}

impl Answer {
    /// Writes down what the decision rests on, so that it can be taken again by the same means.
    pub fn basis(&self, desk: &Desk) -> Basis {
        let mut versions = desk.versions();
        versions.insert("index".into(), short(&self.index));
        // An index that came in force meanwhile says nothing of what this answer saw.
        let knowledge = desk.library.knowledge().ok();
        let knowledge = knowledge.filter(|open| open.generation() == self.index);
        let ranked = self.articles.iter().take(ARTICLES).map(|id| Ranked {
            id: id.clone(),
            digest: knowledge.as_ref().and_then(|k| article_digest(k, id)).unwrap_or_default(),
            passages: knowledge.as_ref().map(|k| self.used(k, id)).unwrap_or_default(),
        });
        Basis {
            finding: Some(match &self.finding {
                Finding::Draft(_) => Grounds::Draft,
                Finding::Nothing => Grounds::Nothing,
                Finding::TooVague => Grounds::TooVague,
                Finding::Failed(what) => Grounds::Failed(what.clone()),
            }),
            evidence: self.evidence.iter().map(|(name, value)| (name.into(), value)).collect(),
            articles: ranked.collect(),
            versions,
            took_ms: (self.timings.search_ms, self.timings.draft_ms),
        }
    }

    /// Returns the passages of an article that the draft rests on, counted within it.
    fn used(&self, knowledge: &Knowledge, id: &str) -> Vec<usize> {
        let number = knowledge.article_named(id);
        let card = number.and_then(|number| knowledge.articles().get(number));
        let Some(card) = card else { return Vec::new() };
        let cited = self.draft.iter().flat_map(|draft| &draft.citations);
        let of_it = cited.filter(|cited| cited.article == id);
        of_it.filter_map(|cited| cited.passage.checked_sub(card.passages.start)).collect()
    }
}

/// Returns what the path had found out when a decision was taken; `None` where that was not kept.
pub fn finding_of(decided: &NewDecision) -> Option<Finding> {
    let confidence = Confidence::new(decided.confidence)?;
    if let Some(grounds) = decided.basis.as_ref().and_then(|basis| basis.finding.as_ref()) {
        return Some(match grounds {
            Grounds::Draft => Finding::Draft(confidence),
            Grounds::Nothing => Finding::Nothing,
            Grounds::TooVague => Finding::TooVague,
            Grounds::Failed(what) => Finding::Failed(what.clone()),
        });
    }
    // Older ones tell by their trace whether there was an answer.
    let found = decided.trace.get("facts")?.get("answer.found")?.as_bool()?;
    Some(if found { Finding::Draft(confidence) } else { Finding::Nothing })
}

fn article_digest(knowledge: &Knowledge, id: &str) -> Option<String> {
    let card = knowledge.articles().get(knowledge.article_named(id)?)?;
    let mut hash = Sha256::new();
    hash.update(format!("{:?} {} {:?}", card.title, card.draft, card.audience));
    for passage in knowledge.passages().get(card.passages.clone())? {
        hash.update(format!("{:?} {:?}", passage.heading, passage.text));
    }
    Some(shortened(hash))
}

/// Shortens a hash to what tells a desk's indexes apart.
fn short(hash: &str) -> String {
    hash.get(..16).unwrap_or(hash).to_string()
}

/// Tells texts apart: 16 hexadecimal digits of their SHA-256.
pub(crate) fn digest(text: &str) -> String {
    shortened(Sha256::new_with_prefix(text))
}

fn shortened(hash: Sha256) -> String {
    hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}
