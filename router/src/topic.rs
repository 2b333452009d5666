use crate::{PolicyError, Slug, policy::At};
use serde::Deserialize;
use std::collections::HashMap;

/// Something that conversations can be about.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Topic {
    /// How rules name it.
    pub slug: Slug,
    /// How people name it; the slug when left out.
    #[serde(default)]
    pub name: String,
    /// Team that looks after it.
    pub team: Option<Slug>,
    /// What customers write when it is about this.
    #[serde(default)]
    pub examples: Vec<String>,
}

/// Finds examples that stand under two topics: no classifier can learn from them.
pub(crate) fn topic_faults(topics: &[Topic]) -> Vec<PolicyError> {
    let mut seen: HashMap<String, &Slug> = HashMap::new();
    let mut errors = Vec::new();
    for (n, topic) in topics.iter().enumerate() {
        for (place, example) in topic.examples.iter().enumerate() {
            let plain = crate::words::plain(example);
            match seen.insert(plain, &topic.slug) {
                Some(other) if *other != topic.slug => errors.push(PolicyError {
                    at: At::Key(format!("topic.{n}.examples.{place}")),
                    what: format!(
                        "topics {:?} and {:?} contradict each other: both have the example {example:?}",
                        other.as_str(),
                        topic.slug.as_str()
                    ),
                    mend: "leave it to one of them".into(),
                }),
                _ => {}
            }
        }
    }
    errors
}
