use crate::{Error, Noticed, Playbook, Question, config::Fault, library::Meaning};
use models::{Classifier, Embedder, Example, TrainOptions};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// What tells topics and signals apart by meaning, learnt from examples.
#[derive(Debug, Default)]
pub struct Classifiers {
    topics: Option<Classifier>,
    signals: Option<Classifier>,
}

/// Of the messages put aside while it learnt that show no signal, the least share in which the
/// classifier must see none. One that does worse, as with an embedder that knows letters but no
/// meaning, stays unused, and the patterns stand alone: whoever asks how to cancel must not be taken
/// for somebody in danger.
const LEAST_QUIET: f64 = 0.95;

/// Share of the messages to a help desk that show no signal. An assumption, on the side of silence:
/// no labelled traffic of a help desk is at hand.
const USUALLY_QUIET: f64 = 0.9;

/// Share of the messages that are about none of a desk's topics; see [`TrainOptions`].
const TOPICS_NONE: f64 = 0.3;

/// A topic that is less likely than not to be right is no topic: rules that ask for its name would
/// fire on a guess (sample company: at 0.5 and above 29 of 33 right, of all guesses about half).
const TOPIC_IS_SURE: f64 = 0.5;

/// A text with the label that it is an example of.
type Lesson<'a> = (&'a str, Option<&'a str>);

impl Classifiers {
    /// Learns topics and signals from the examples of a playbook; topics that `frontdesk topics
    /// train` has learnt are read from their file. What was learnt is kept in `cache`, so that the
    /// same examples cost nothing the next time. Where the embedder fails, what would have been
    /// learnt is missing: patterns and phrases stand alone, and a desk opens all the same.
    ///
    /// # Errors
    /// [`Error::Model`] when the file of topics cannot be used, [`Error::Desk`] when it tells topics
    /// apart that the desk does not have.
    pub async fn learn(
        playbook: &Playbook,
        embedder: &dyn Embedder,
        topic_model: Option<&Path>,
        cache: &Path,
    ) -> Result<Self, Error> {
        let school = School { embedder, cache };
        let of_topics = lessons_of_topics(playbook);
        let topics = match topic_model {
            Some(file) => Some(of_desk(playbook, file, Classifier::read(file, embedder.id())?)?),
            None => school.learn("topics", &of_topics, TOPICS_NONE).await,
        };
        let examples = examples_of_signals(playbook);
        let shown = examples.iter().flat_map(|(name, of)| {
            of.examples.iter().map(move |text| (text.as_str(), Some(name.as_str())))
        });
        let near = examples.values().flat_map(|of| of.counter_examples.iter().map(String::as_str));
        // What is asked every day shows no signal.
        let not = near.chain(of_topics.iter().map(|(text, _)| *text)).map(|text| (text, None));
        let lessons: Vec<Lesson<'_>> = shown.chain(not).collect();
        let signals = school.learn("signals", &lessons, USUALLY_QUIET).await.filter(is_quiet);
        Ok(Self { topics, signals })
    }

    /// Returns the names of the topics that it tells apart.
    pub fn topics(&self) -> &[String] {
        self.topics.as_ref().map_or(&[], Classifier::topics)
    }

    /// Adds what the meaning of a question shows.
    pub(crate) fn notice(&self, question: &Question, meaning: &Meaning, noticed: &mut Noticed) {
        if let Some(topics) = &self.topics {
            let classified = topics.classify(&question.whole(), &meaning.whole);
            let label = classified.label.filter(|_| classified.confidence >= TOPIC_IS_SURE);
            noticed.topic = label.map(|label| (label.to_string(), classified.confidence));
        }
        if let Some(signals) = &self.signals {
            let classified = signals.classify(question.last(), &meaning.last);
            if let Some(name) = classified.label {
                noticed.signals.record(name, classified.confidence);
            }
        }
    }
}

/// Refuses topics that no rule can ask for.
fn of_desk(playbook: &Playbook, file: &Path, topics: Classifier) -> Result<Classifier, Error> {
    let known: Vec<&str> = playbook.policy.topics().iter().map(|t| t.slug.as_str()).collect();
    let unknown = topics.topics().iter().find(|name| !known.contains(&name.as_str()));
    match unknown.filter(|_| !known.is_empty()) {
        None => Ok(topics),
        Some(name) => Err(Error::Desk(vec![Fault {
            file: file.to_path_buf(),
            line: None,
            what: format!("the topic {name:?} was learnt, but routing.toml has no such topic"),
            mend: format!(
                "add [[topic]] slug = {name:?}, or learn with the desk's names: {}",
                known.join(", ")
            ),
        }])),
    }
}

fn lessons_of_topics(playbook: &Playbook) -> Vec<Lesson<'_>> {
    let topics = playbook.policy.topics().iter();
    let lessons = topics.flat_map(|topic| {
        topic.examples.iter().map(|text| (text.as_str(), Some(topic.slug.as_str())))
    });
    lessons.collect()
}

/// What a signal is learnt from.
#[derive(Default)]
struct Examples {
    examples: Vec<String>,
    counter_examples: Vec<String>,
}

/// Returns the examples of each signal: the built-in ones and the desk's.
fn examples_of_signals(playbook: &Playbook) -> BTreeMap<String, Examples> {
    let mut signals: BTreeMap<String, Examples> = BTreeMap::new();
    for built_in in router::built_in_examples() {
        let of = signals.entry(built_in.name.clone()).or_default();
        of.examples.extend(built_in.examples.iter().cloned());
        of.counter_examples.extend(built_in.counter_examples.iter().cloned());
    }
    for own in &playbook.signal_configs {
        let of = signals.entry(own.name.clone()).or_default();
        of.examples.extend(own.examples.iter().cloned());
        of.counter_examples.extend(own.counter_examples.iter().cloned());
    }
    signals.retain(|_, of| !of.examples.is_empty());
    signals
}

fn is_quiet(classifier: &Classifier) -> bool {
    classifier.learnt().none_recall.is_some_and(|(share, _)| share >= LEAST_QUIET)
}

struct School<'a> {
    embedder: &'a dyn Embedder,
    cache: &'a Path,
}

impl School<'_> {
    /// Learns, or takes what was learnt from the same lessons before; `None` without lessons, or
    /// when they cannot be learnt.
    async fn learn(
        &self,
        name: &str,
        lessons: &[Lesson<'_>],
        none_share: f64,
    ) -> Option<Classifier> {
        if lessons.is_empty() {
            return None;
        }
        let place = self.place(name, lessons, none_share);
        if let Ok(kept) = Classifier::read(&place, self.embedder.id()) {
            return Some(kept);
        }
        let classifier = match self.taught(lessons, none_share).await {
            Ok(classifier) => classifier,
            Err(failure) => {
                tracing::warn!(%failure, name, "not learnt, so that patterns and phrases stand alone");
                return None;
            }
        };
        if let Err(failure) = self.keep(name, &place, &classifier) {
            tracing::warn!(%failure, name, "what was learnt is not kept, the next start learns it again");
        }
        Some(classifier)
    }

    async fn taught(
        &self,
        lessons: &[Lesson<'_>],
        none_share: f64,
    ) -> Result<Classifier, models::Error> {
        let texts: Vec<String> = lessons.iter().map(|(text, _)| (*text).to_string()).collect();
        let vectors = self.embedder.embed(&texts).await?;
        let examples: Vec<Example<'_>> = lessons
            .iter()
            .zip(&vectors)
            .map(|((text, label), vector)| Example { text, vector, label: *label })
            .collect();
        let embedder = self.embedder.id().to_string();
        Classifier::train(&examples, &TrainOptions { embedder, none_share })
    }

    /// Writes what was learnt, and removes what was learnt from other lessons.
    fn keep(&self, name: &str, place: &Path, classifier: &Classifier) -> Result<(), Error> {
        let failed = |source| Error::File { path: self.cache.to_path_buf(), source };
        std::fs::create_dir_all(self.cache).map_err(failed)?;
        classifier.write(place)?;
        let old = std::fs::read_dir(self.cache).map_err(failed)?;
        let old = old.filter_map(|entry| Some(entry.ok()?.path())).filter(|path| {
            let is_of_name = |file: &std::ffi::OsStr| {
                file.to_str().and_then(|f| f.strip_prefix(name)).is_some_and(|f| f.starts_with('-'))
            };
            path != place && path.file_name().is_some_and(is_of_name)
        });
        for path in old {
            std::fs::remove_file(&path).map_err(|source| Error::File { path, source })?;
        }
        Ok(())
    }

    fn place(&self, name: &str, lessons: &[Lesson<'_>], none_share: f64) -> PathBuf {
        let mut hash = Sha256::new();
        let mut note = |part: &str| {
            hash.update(part.len().to_le_bytes());
            hash.update(part);
        };
        note(env!("CARGO_PKG_VERSION"));
        note(self.embedder.id());
        note(&none_share.to_string());
        for (text, label) in lessons {
            note(label.unwrap_or("\u{0}"));
            note(text);
        }
        let digest: String = hash.finalize().iter().take(8).map(|b| format!("{b:02x}")).collect();
        self.cache.join(format!("{name}-{digest}"))
    }
}
