use crate::{
    interval::{Estimate, share},
    utterances::Utterance,
};
use bot::{Context, Desk, Inquiry, Question};
use jiff::Timestamp;
use knowledge::Reader;
use router::Value;

/// How well a signal is read from messages that were labelled with it, or with nothing.
#[derive(Debug, Clone)]
pub struct SignalFigures {
    /// Number of messages that show it.
    pub n_shown: usize,
    /// Number of messages that do not.
    pub n_not: usize,
    /// By patterns alone.
    pub patterns: Found,
    /// By patterns and meaning, as customers are served.
    pub both: Found,
}

/// What was found of a signal.
#[derive(Debug, Clone)]
pub struct Found {
    /// Of the messages in which it was found, the share that shows it; `None` when in none.
    pub precision: Option<Estimate>,
    /// Of the messages that show it, the share in which it was found.
    pub recall: Option<Estimate>,
    /// Messages in which it was found although they do not show it.
    pub wrong: Vec<String>,
    /// Messages that show it and in which it was not found.
    pub missed: Vec<String>,
}

/// From here on a signal shows, as in the rules' `shows("…")`.
const SHOWS: f64 = 0.5;

/// Reads every message alone, as the first of a conversation, and compares what is found of
/// `signal` with the label: messages of that topic show it, all others do not.
pub async fn measure_signal(
    desk: &Desk,
    signal: &str,
    utterances: &[Utterance],
    progress: &(dyn Fn(usize) + Sync),
) -> SignalFigures {
    let catalogue = desk.policy().catalogue();
    let fact = catalogue.find(&format!("signals.{signal}"));
    let mut patterns = Counts::default();
    let mut both = Counts::default();
    for (done, utterance) in utterances.iter().enumerate() {
        let is_shown = utterance.topic.as_deref() == Some(signal);
        let by_pattern = desk.playbook().signals.read(&[&utterance.text]).get(signal) >= SHOWS;
        patterns.note(&utterance.text, is_shown, by_pattern);
        let inquiry = Inquiry {
            question: Question::new(utterance.text.as_str()),
            reader: Reader::default(),
            context: Context::at(Timestamp::UNIX_EPOCH),
        };
        let facts = desk.observe(&inquiry).await;
        let seen = fact.and_then(|id| facts.get(id));
        let found = matches!(seen, Some(Value::Number(confidence)) if *confidence >= SHOWS);
        both.note(&utterance.text, is_shown, found);
        progress(done + 1);
    }
    SignalFigures {
        n_shown: both.n_right + both.missed.len(),
        n_not: utterances.len() - both.n_right - both.missed.len(),
        patterns: patterns.found(),
        both: both.found(),
    }
}

#[derive(Default)]
struct Counts {
    n_right: usize,
    wrong: Vec<String>,
    missed: Vec<String>,
}

impl Counts {
    fn note(&mut self, text: &str, is_shown: bool, found: bool) {
        match (is_shown, found) {
            (true, true) => self.n_right += 1,
            (true, false) => self.missed.push(text.to_string()),
            (false, true) => self.wrong.push(text.to_string()),
            (false, false) => {}
        }
    }

    fn found(self) -> Found {
        Found {
            precision: share(self.n_right, self.n_right + self.wrong.len()),
            recall: share(self.n_right, self.n_right + self.missed.len()),
            wrong: self.wrong,
            missed: self.missed,
        }
    }
}
