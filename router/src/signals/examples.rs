use serde::Deserialize;
use std::sync::LazyLock;

/// Messages that a classifier over embeddings learns a signal from.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignalExamples {
    /// The signal.
    pub name: String,
    /// Messages that show it.
    pub examples: Vec<String>,
    /// Messages that do not: near misses and ordinary questions to support.
    pub counter_examples: Vec<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ExamplesFile {
    signal: Vec<SignalExamples>,
}

/// Returns the examples that come with Frontdesk, in alphabetical order of the signals.
///
/// They were written for this purpose; none is taken from a data set that quality is measured on.
pub fn built_in_examples() -> &'static [SignalExamples] {
    static EXAMPLES: LazyLock<Vec<SignalExamples>> = LazyLock::new(|| {
        let parsed: Result<ExamplesFile, _> = toml::from_str(include_str!("examples.toml"));
        parsed.expect("the tests parse this very text").signal
    });
    &EXAMPLES
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::signals::names;
    use std::collections::HashSet;

    #[test]
    fn examples_are_many_and_each_is_on_one_side() {
        for signal in built_in_examples() {
            let name = &signal.name;
            assert!(names().any(|known| known == name), "{name}");
            let n_each = [signal.examples.len(), signal.counter_examples.len()];
            assert!(n_each.iter().all(|n| (25..=60).contains(n)), "{name}: {n_each:?}");
            let all = signal.examples.iter().chain(&signal.counter_examples);
            let mut seen = HashSet::new();
            for message in all {
                assert!(seen.insert(message.to_lowercase()), "{name}: {message:?} stands twice");
            }
        }
    }
}
