use serde::Deserialize;

/// A signal as a support lead writes it in `routing.toml` under `[[signal]]`: a new one, or more
/// phrases for one of [`names`](super::names).
///
/// ```toml
/// [[signal]]
/// name = "wants_person"
/// phrases = ["get me a supervisor"]
/// not_phrases = ["supervisor role"]
/// confidence = 0.95
/// ```
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalConfig {
    /// How rules name it: lower-case letters and `_`.
    pub name: String,
    /// What shows it: whole words, whatever their case, accents or punctuation; `*` at the end
    /// matches every ending of the last word.
    #[serde(default)]
    pub phrases: Vec<String>,
    /// Exceptions: a sentence that holds one of these does not show this signal, whether by
    /// `phrases` or by what is built in.
    #[serde(default)]
    pub not_phrases: Vec<String>,
    /// Messages that show it, for the classifier over embeddings; patterns do not read them.
    #[serde(default)]
    pub examples: Vec<String>,
    /// Messages that nearly show it but do not, for the same classifier.
    #[serde(default)]
    pub counter_examples: Vec<String>,
    /// Probability that a message with one of the phrases means it, 0 to 1.
    #[serde(default = "usual_confidence")]
    pub confidence: f64,
}

/// Somebody chose the phrase for this very purpose, yet some other use of it turns up.
fn usual_confidence() -> f64 {
    0.9
}

/// What makes signals unusable, each naming what to mend.
#[derive(Debug, thiserror::Error)]
pub enum SignalError {
    /// A name that no rule could use.
    #[error("signal {0:?} is no name; use lower-case letters and _")]
    BadName(String),
    /// A confidence that is no probability.
    #[error("signal {name:?} has confidence {confidence}; set it between 0 and 1")]
    BadConfidence {
        /// The signal.
        name: String,
        /// What was set.
        confidence: f64,
    },
    /// A phrase without a word in it.
    #[error("signal {name:?} has phrase {phrase:?}, which holds no word; delete it")]
    EmptyPhrase {
        /// The signal.
        name: String,
        /// What was written.
        phrase: String,
    },
    /// Nothing could ever show it.
    #[error("signal {0:?} has neither phrases nor examples; add some or delete it")]
    NeverShows(String),
    /// A built-in pattern breaks its notation.
    #[error("built-in patterns of {file}: {what}; this is a fault of this build")]
    BuiltIn {
        /// The file.
        file: &'static str,
        /// What is wrong with it.
        what: String,
    },
    /// The phrases hold more different words than can be looked for.
    #[error("the phrases of all signals hold over {0} different words; delete some")]
    TooLarge(usize),
}

impl SignalConfig {
    /// Checks what can be wrong with one signal, and says under which key.
    pub(super) fn check(&self) -> Result<(), (&'static str, SignalError)> {
        let name = self.name.clone();
        let lawful = |c: char| c.is_ascii_lowercase() || c == '_';
        if name.is_empty() || !name.chars().all(lawful) {
            return Err(("name", SignalError::BadName(name)));
        }
        if !(0.0..=1.0).contains(&self.confidence) {
            let confidence = self.confidence;
            return Err(("confidence", SignalError::BadConfidence { name, confidence }));
        }
        if self.phrases.is_empty() && self.not_phrases.is_empty() && self.examples.is_empty() {
            return Err(("name", SignalError::NeverShows(name)));
        }
        Ok(())
    }
}
