use crate::{Desk, Draft, Drafter, Error, Question, evidence, library::Lookup};
use knowledge::{Mode, Reader};
use router::{Confidence, Contribution, Decision, Evidence, Finding, judge, triage};
use std::time::Instant;

/// Everything that came of a question.
#[derive(Debug)]
pub struct Answer {
    /// What is done, and why.
    pub decision: Decision,
    /// What was drafted, sent or not.
    pub draft: Option<Draft>,
    /// The probability that the draft is right; 0 without a draft.
    pub confidence: Confidence,
    /// What the confidence rests on.
    pub evidence: Evidence,
    /// What each observation added to the confidence, the weightiest first.
    pub contributions: Vec<Contribution>,
    /// Ids of the articles that were found, best first, whatever was decided.
    pub articles: Vec<String>,
    /// How long each part took.
    pub timings: Timings,
}

/// Milliseconds of one answer, by part.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Timings {
    /// Embedding the question and searching.
    pub search_ms: f64,
    /// Composing the draft.
    pub draft_ms: f64,
    /// The whole path.
    pub total_ms: f64,
}

/// Passages that are looked at: enough for ten different articles, even where the best of them
/// fill several places.
const PASSAGES: usize = 60;

impl Desk {
    /// Answers a question for `reader`: the one path, used by every command, channel and eval. It
    /// cannot fail: what fails on the way is a reason to hand over.
    pub async fn answer(&self, question: &Question, reader: &Reader) -> Answer {
        self.answer_without(question, reader, &[]).await
    }

    /// Answers as [`Desk::answer`] does, as if the articles with these numbers did not exist.
    pub async fn answer_without(
        &self,
        question: &Question,
        reader: &Reader,
        without: &[usize],
    ) -> Answer {
        let start = Instant::now();
        let settled = triage(&self.policy, question.last());
        // What a rule settles is not written about: the quotes are enough for the teammate.
        let drafter = if settled.is_some() { &Drafter::Quotes } else { &self.drafter };
        let mut answer = match self.draft(drafter, question, reader, without).await {
            Ok(answer) => answer,
            Err(failure) => {
                tracing::warn!(error = %failure, "a question could not be looked up");
                Answer::failed(&self.policy, question, &failure)
            }
        };
        if let Some(decision) = settled {
            answer.decision = decision;
        }
        answer.timings.total_ms = milliseconds(start);
        answer
    }

    async fn draft(
        &self,
        drafter: &Drafter,
        question: &Question,
        reader: &Reader,
        without: &[usize],
    ) -> Result<Answer, Error> {
        let start = Instant::now();
        let mode = Mode::Fused;
        let found =
            self.library.find(Lookup { question, reader, mode, top: PASSAGES, without }).await?;
        let search_ms = milliseconds(start);
        let articles = found.articles();
        let drafting = Instant::now();
        let embedder = self.library.embedder().as_ref();
        let drafted = drafter.draft(question, &found, embedder).await?;
        let evidence = drafted
            .as_ref()
            .map(|drafted| evidence::gather(&found, &drafted.quotes))
            .unwrap_or_default();
        let draft = drafted.map(|drafted| drafted.written.unwrap_or(drafted.quotes));
        let (confidence, contributions, finding) = self.assess(draft.as_ref(), &evidence);
        let vague = found.findings.terms.is_empty() && !question.is_follow_up();
        let finding = if vague { Finding::TooVague } else { finding };
        Ok(Answer {
            decision: judge(&self.policy, question.last(), &finding),
            draft,
            confidence,
            evidence,
            contributions,
            articles,
            timings: Timings { search_ms, draft_ms: milliseconds(drafting), total_ms: 0.0 },
        })
    }

    fn assess(
        &self,
        draft: Option<&Draft>,
        evidence: &Evidence,
    ) -> (Confidence, Vec<Contribution>, Finding) {
        if draft.is_none() {
            return (Confidence::NONE, Vec::new(), Finding::Nothing);
        }
        let Some(calibration) = &self.calibration else {
            let what = "there is no calibration for this embedder; fit one with `frontdesk eval calibrate`";
            return (Confidence::NONE, Vec::new(), Finding::Failed(what.into()));
        };
        match (calibration.confidence(evidence), calibration.contributions(evidence)) {
            (Ok(confidence), Ok(parts)) => (confidence, parts, Finding::Draft(confidence)),
            (Err(source), _) | (_, Err(source)) => {
                (Confidence::NONE, Vec::new(), Finding::Failed(source.to_string()))
            }
        }
    }
}

impl Answer {
    fn failed(policy: &router::Policy, question: &Question, failure: &Error) -> Self {
        let finding = Finding::Failed(failure.to_string());
        Self {
            decision: judge(policy, question.last(), &finding),
            draft: None,
            confidence: Confidence::NONE,
            evidence: Evidence::default(),
            contributions: Vec::new(),
            articles: Vec::new(),
            timings: Timings::default(),
        }
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
