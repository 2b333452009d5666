use crate::{
    Desk, Draft, Drafter, Error, Inquiry, Noticed, evidence, inquiry, library::Lookup,
    library::Meaning, measure, message, message::Told,
};
use knowledge::Mode;
use router::{Confidence, Contribution, Decision, Evidence, Facts, Finding, judge, triage};
use std::time::Instant;
use tracing::Instrument;

/// Everything that came of a question.
#[derive(Debug)]
pub struct Answer {
    /// What is done, and why.
    pub decision: Decision,
    /// What the customer reads, if anything.
    pub message: Option<Told>,
    /// What was noticed in the message.
    pub noticed: Noticed,
    /// What the rules were told.
    pub facts: Facts,
    /// What the path found out.
    pub finding: Finding,
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
    /// Hash of the index that was searched; empty when none could be.
    pub index: String,
    /// How long each part took.
    pub timings: Timings,
}

/// Milliseconds of one answer, by part.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Timings {
    /// Embedding the question.
    pub meaning_ms: f64,
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

/// What came of looking an answer up.
struct Drafted {
    draft: Option<Draft>,
    evidence: Evidence,
    articles: Vec<String>,
    index: String,
    vague: bool,
    timings: Timings,
}

impl Desk {
    /// Acts on a message: the one path, used by every command, channel and eval. It cannot fail:
    /// what fails on the way is a reason to hand over.
    pub async fn answer(&self, inquiry: &Inquiry) -> Answer {
        self.answer_without(inquiry, &[]).await
    }

    /// Answers as [`Desk::answer`] does, as if the articles with these numbers did not exist.
    pub async fn answer_without(&self, inquiry: &Inquiry, without: &[usize]) -> Answer {
        let start = Instant::now();
        let span = tracing::info_span!("meaning");
        let meaning = self.library.meaning(&inquiry.question).instrument(span).await;
        let meaning_ms = milliseconds(start);
        let noticed = self.notice(inquiry, meaning.as_ref().ok());
        let facts = inquiry::facts(&self.playbook, inquiry, &noticed);
        let settled = triage(&self.playbook.policy, &facts);
        // What a rule settles is not written about: the quotes are enough for the teammate.
        let drafter = if settled.is_some() { &Drafter::Quotes } else { &self.drafter };
        let drafted = match meaning {
            Ok(meaning) => {
                let span = tracing::info_span!("draft");
                self.draft(drafter, inquiry, meaning, without).instrument(span).await
            }
            Err(failure) => Err(failure),
        };
        let mut answer = self.decided(inquiry, (noticed, facts), settled, drafted);
        answer.timings.meaning_ms = meaning_ms;
        answer.timings.search_ms += meaning_ms;
        answer.timings.total_ms = milliseconds(start);
        answer
    }

    fn decided(
        &self,
        inquiry: &Inquiry,
        (noticed, facts): (Noticed, Facts),
        settled: Option<Decision>,
        drafted: Result<Drafted, Error>,
    ) -> Answer {
        let (drafted, confidence, contributions, finding) = match drafted {
            Ok(drafted) => {
                let topic = noticed.topic.as_ref().map(|(topic, _)| topic.as_str());
                let (confidence, contributions, finding) =
                    self.assess(drafted.draft.as_ref(), &drafted.evidence, topic);
                let finding = if drafted.vague { Finding::TooVague } else { finding };
                (drafted, confidence, contributions, finding)
            }
            Err(failure) => {
                tracing::warn!(error = %failure, "a question could not be looked up");
                measure::model_failed(measure::Model::Search);
                let finding = Finding::Failed(failure.to_string());
                (Drafted::nothing(), Confidence::NONE, Vec::new(), finding)
            }
        };
        let Drafted { draft, evidence, articles, index, timings, .. } = drafted;
        let decision = settled.unwrap_or_else(|| judge(&self.playbook.policy, &facts, &finding));
        let message = message::to_customer(
            &self.playbook,
            (decision.act(), decision.effects().sla.as_ref()),
            draft.as_ref(),
            noticed.language.as_deref(),
            &inquiry.context,
        );
        Answer {
            decision,
            message,
            noticed,
            facts,
            finding,
            draft,
            confidence,
            evidence,
            contributions,
            articles,
            index,
            timings,
        }
    }

    async fn draft(
        &self,
        drafter: &Drafter,
        inquiry: &Inquiry,
        meaning: Meaning,
        without: &[usize],
    ) -> Result<Drafted, Error> {
        let start = Instant::now();
        let Inquiry { question, reader, .. } = inquiry;
        let lookup = Lookup { question, reader, mode: Mode::Fused, top: PASSAGES, without };
        let found = self.library.find_near(lookup, Some(meaning)).await?;
        let search_ms = milliseconds(start);
        let drafting = Instant::now();
        let embedder = self.library.embedder().as_ref();
        let drafted = drafter.draft(question, &found, embedder).await?;
        let evidence = drafted
            .as_ref()
            .map(|drafted| evidence::gather(question, &found, &drafted.quotes))
            .unwrap_or_default();
        Ok(Drafted {
            draft: drafted.map(|drafted| drafted.written.unwrap_or(drafted.quotes)),
            evidence,
            articles: found.articles(),
            index: found.knowledge.generation().to_string(),
            vague: !question.is_follow_up()
                && (found.findings.terms.is_empty() || question.asks_nothing()),
            timings: Timings { search_ms, draft_ms: milliseconds(drafting), ..Timings::default() },
        })
    }

    /// Tells what rules would know of a message, without an answer to it. What cannot be told by
    /// meaning, because the embedder failed, is left out.
    pub async fn observe(&self, inquiry: &Inquiry) -> Facts {
        let span = tracing::info_span!("meaning");
        let meaning = self.library.meaning(&inquiry.question).instrument(span).await;
        let noticed = self.notice(inquiry, meaning.as_ref().ok());
        inquiry::facts(&self.playbook, inquiry, &noticed)
    }

    fn notice(&self, inquiry: &Inquiry, meaning: Option<&Meaning>) -> Noticed {
        let turns = inquiry.question.customer_turns();
        let mut noticed = Noticed {
            signals: self.playbook.signals.read(&turns),
            topic: None,
            language: inquiry::language(inquiry),
        };
        if let Some(meaning) = meaning {
            self.classifiers.notice(&inquiry.question, meaning, &mut noticed);
        }
        noticed
    }

    fn assess(
        &self,
        draft: Option<&Draft>,
        evidence: &Evidence,
        topic: Option<&str>,
    ) -> (Confidence, Vec<Contribution>, Finding) {
        if draft.is_none() {
            return (Confidence::NONE, Vec::new(), Finding::Nothing);
        }
        let Some(calibration) = &self.calibration else {
            let what = "there is no calibration for this embedder; fit one with `frontdesk eval calibrate`";
            return (Confidence::NONE, Vec::new(), Finding::Failed(what.into()));
        };
        let parts = calibration.contributions(evidence, topic);
        match (calibration.confidence(evidence, topic), parts) {
            (Ok(confidence), Ok(parts)) => (confidence, parts, Finding::Draft(confidence)),
            (Err(source), _) | (_, Err(source)) => {
                (Confidence::NONE, Vec::new(), Finding::Failed(source.to_string()))
            }
        }
    }
}

impl Drafted {
    fn nothing() -> Self {
        Self {
            draft: None,
            evidence: Evidence::default(),
            articles: Vec::new(),
            index: String::new(),
            vague: false,
            timings: Timings::default(),
        }
    }
}

fn milliseconds(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1e3
}
