use crate::config::{Answers, Fault, line_of, nearest};
use crate::{WEBHOOK_EVENTS, Wording};
use jiff::tz::TimeZone;
use router::{
    At, Confidence, Kind, Ladder, Policy, PolicyError, Routing, Rule, SignalConfig, SignalDetector,
    Sla, Slug, Team, Topic, signal_names,
};
use serde::Deserialize;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};
use toml::Spanned;

mod lines;

pub use lines::Lines;

/// What a desk's `routing.toml` says: who gets what, in which words customers hear of it, and by
/// what conversations are told apart.
#[derive(Debug, Clone)]
pub struct Playbook {
    /// Teams, topics and rules.
    pub policy: Policy,
    /// What customers read.
    pub wording: Wording,
    /// What messages are read for.
    pub signals: std::sync::Arc<SignalDetector>,
    /// The desk's own and extended signals, with their examples.
    pub signal_configs: Vec<SignalConfig>,
    /// Time zone of `time.weekday` and `time.hour`.
    pub time_zone: TimeZone,
    /// File that `frontdesk topics train` wrote, or its folder, below the desk's folder.
    pub topic_model: Option<PathBuf>,
    /// Where rules call to.
    pub webhooks: Vec<Webhook>,
    /// Where everything stands in the file.
    pub lines: Lines,
    /// Digest of the file's text: tells whether two playbooks say the same.
    pub digest: String,
}

/// An address that rules call.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// How rules name it.
    pub slug: Slug,
    /// Where it is, `https://…`.
    pub url: String,
    /// What it is told of beside what rules call it for, of [`WEBHOOK_EVENTS`].
    #[serde(default)]
    pub events: Vec<String>,
}

/// A text that the bot sends when a rule says so.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Canned {
    /// How rules name it.
    pub slug: Slug,
    /// What is sent, by language.
    pub text: BTreeMap<String, String>,
    /// What the customer can choose, by language; what is chosen is sent as the customer's message.
    #[serde(default)]
    pub buttons: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    fallback_team: Slug,
    time_zone: Option<String>,
    topic_model: Option<PathBuf>,
    #[serde(default)]
    tiers: Vec<String>,
    #[serde(default)]
    ladder: Ladder,
    #[serde(default)]
    attributes: BTreeMap<String, Kind>,
    #[serde(default)]
    team: Vec<Team>,
    #[serde(default)]
    sla: Vec<Sla>,
    #[serde(default)]
    topic: Vec<Topic>,
    #[serde(default)]
    signal: Vec<SignalConfig>,
    #[serde(default)]
    rule: Vec<Spanned<Rule>>,
    #[serde(default)]
    reply: Vec<Canned>,
    #[serde(default)]
    question: Vec<Canned>,
    #[serde(default)]
    webhook: Vec<Webhook>,
    #[serde(default)]
    wording: BTreeMap<String, BTreeMap<String, String>>,
}

/// Reads the text of a `routing.toml`.
///
/// # Errors
/// Every [`Fault`] in it, with its line.
pub fn read_playbook(file: &Path, text: &str, answers: &Answers) -> Result<Playbook, Vec<Fault>> {
    let parsed: File =
        toml::from_str(text).map_err(|source| vec![Fault::of_toml(file, text, &source)])?;
    let source = Source { file, text, lines: Lines::of(text) };
    let mut faults = source.doubles(&parsed);
    let threshold = source.threshold(answers, &mut faults);
    let time_zone = source.time_zone(parsed.time_zone.as_deref(), &mut faults);
    let signals = source.signals(&parsed.signal, &mut faults);
    let wording = Wording::new(parsed.wording, &parsed.reply, &parsed.question);
    let wording = wording.map_err(|problems| {
        let found = problems.into_iter().map(|problem| {
            source.fault(source.lines.of_key(&problem.key), problem.what, problem.mend)
        });
        faults.extend(found);
    });
    let own = parsed.signal.iter().map(|signal| signal.name.clone());
    let signal_list: BTreeSet<String> = signal_names().map(str::to_string).chain(own).collect();
    let rules = parsed.rule.into_iter().map(|rule| {
        let line = source.line_at(rule.span().start);
        Rule { line, ..rule.into_inner() }
    });
    let policy = Policy::new(Routing {
        fallback_team: parsed.fallback_team,
        teams: parsed.team,
        slas: parsed.sla,
        topics: parsed.topic,
        signals: signal_list.into_iter().collect(),
        tiers: parsed.tiers,
        attributes: parsed.attributes,
        rules: rules.collect(),
        replies: parsed.reply.iter().map(|reply| reply.slug.clone()).collect(),
        questions: parsed.question.iter().map(|question| question.slug.clone()).collect(),
        webhooks: parsed.webhook.iter().map(|webhook| webhook.slug.clone()).collect(),
        ladder: parsed.ladder,
        threshold,
        speaks: answers.replies,
    });
    let policy = policy.map_err(|errors| {
        faults.extend(errors.iter().map(|error| source.policy_fault(error)));
    });
    match (policy, wording, signals) {
        (Ok(policy), Ok(wording), Some(signals)) if faults.is_empty() => Ok(Playbook {
            policy,
            wording,
            signals: signals.into(),
            signal_configs: parsed.signal,
            time_zone,
            topic_model: parsed.topic_model,
            webhooks: parsed.webhook,
            lines: source.lines,
            digest: crate::basis::digest(text),
        }),
        _ => {
            faults.sort_by_key(|fault| fault.line);
            Err(faults)
        }
    }
}

/// The text of the file, to find lines in.
struct Source<'a> {
    file: &'a Path,
    text: &'a str,
    lines: Lines,
}

impl Source<'_> {
    fn fault(&self, line: Option<usize>, what: String, mend: String) -> Fault {
        Fault { file: self.file.to_path_buf(), line, what, mend }
    }

    fn line_at(&self, offset: usize) -> usize {
        line_of(self.text, offset)
    }

    fn signals(&self, configs: &[SignalConfig], faults: &mut Vec<Fault>) -> Option<SignalDetector> {
        let errors = match SignalDetector::new(configs) {
            Ok(signals) => return Some(signals),
            Err(errors) => errors,
        };
        faults.extend(errors.iter().map(|(at, error)| {
            let message = error.to_string();
            let (what, mend) = message.split_once("; ").unwrap_or((&message, "mend the signal"));
            self.fault(self.line_of(at), what.into(), mend.into())
        }));
        None
    }

    fn threshold(&self, answers: &Answers, faults: &mut Vec<Fault>) -> Confidence {
        Confidence::new(answers.threshold).unwrap_or_else(|| {
            let what = "answers.threshold is not a probability".into();
            faults.push(self.fault(None, what, "set it between 0 and 1".into()));
            Confidence::NONE
        })
    }

    fn time_zone(&self, name: Option<&str>, faults: &mut Vec<Fault>) -> TimeZone {
        let name = name.unwrap_or("UTC");
        TimeZone::get(name).unwrap_or_else(|_| {
            let what = format!("{name:?} is no time zone");
            let mend = "write one of the IANA names, such as \"Europe/Berlin\"".into();
            faults.push(self.fault(self.lines.of_key("time_zone"), what, mend));
            TimeZone::UTC
        })
    }

    /// Finds names that are given twice, and webhooks without an address.
    fn doubles(&self, file: &File) -> Vec<Fault> {
        let mut faults = self.twice("reply", file.reply.iter().map(|reply| &reply.slug));
        faults.extend(self.twice("question", file.question.iter().map(|question| &question.slug)));
        faults.extend(self.twice("webhook", file.webhook.iter().map(|webhook| &webhook.slug)));
        let webhooks = file.webhook.iter().enumerate();
        faults.extend(webhooks.filter_map(|(n, webhook)| self.webhook_fault(n, webhook)));
        let webhooks = file.webhook.iter().enumerate();
        let events = webhooks.flat_map(|(n, webhook)| webhook.events.iter().map(move |e| (n, e)));
        let unknown = events.filter(|(_, event)| !WEBHOOK_EVENTS.contains(&event.as_str()));
        faults.extend(unknown.map(|(n, event)| {
            let line = self.lines.of_key(&format!("webhook.{n}.events"));
            let what = format!("there is no event {event:?}");
            self.fault(line, what, nearest(event, &WEBHOOK_EVENTS))
        }));
        faults
    }

    fn twice<'s>(&self, what: &str, names: impl Iterator<Item = &'s Slug>) -> Vec<Fault> {
        let mut seen = BTreeSet::new();
        let again = names.enumerate().filter(|(_, name)| !seen.insert(*name));
        let faults = again.map(|(n, name)| {
            let line = self.lines.of_key(&format!("{what}.{n}.slug"));
            let what = format!("{what} {:?} is defined twice", name.as_str());
            self.fault(line, what, "rename one".into())
        });
        faults.collect()
    }

    fn webhook_fault(&self, n: usize, webhook: &Webhook) -> Option<Fault> {
        if webhook.url.starts_with("https://") || webhook.url.starts_with("http://") {
            return None;
        }
        let what = format!("webhook {:?} has no address", webhook.slug.as_str());
        let line = self.lines.of_key(&format!("webhook.{n}.url"));
        Some(self.fault(line, what, "write url = \"https://…\"".into()))
    }

    fn policy_fault(&self, error: &PolicyError) -> Fault {
        self.fault(self.line_of(&error.at), error.what.clone(), error.mend.clone())
    }

    fn line_of(&self, at: &At) -> Option<usize> {
        match at {
            At::Key(key) => self.lines.of_key(key),
            At::Rule(line) => Some(*line),
            At::Condition { rule, line, .. } => Some(self.condition_starts(*rule) + line - 1),
        }
    }

    /// Finds the line of a rule's condition: where `when` stands, or where its text begins.
    fn condition_starts(&self, rule: usize) -> usize {
        let lines = self.text.lines().enumerate().map(|(n, line)| (n + 1, line));
        let mut below = lines.skip(rule.saturating_sub(1));
        let when = below.find(|(_, line)| line.trim_start().starts_with("when"));
        // A line break right after the opening quotes is no part of the text (TOML 1.0, strings).
        let opens = |line: &str| {
            ["'''", "\"\"\""]
                .iter()
                .any(|q| line.trim_end().ends_with(q) && line.matches(q).count() == 1)
        };
        when.map_or(rule, |(number, line)| number + usize::from(opens(line)))
    }
}

#[cfg(test)]
mod tests;
