//! What is a measured number called, and what is it measured on?

use crate::{interval::Estimate, report::Unit};
use serde_json::{Map, Value, json};

/// One measured number.
#[derive(Debug, Clone, PartialEq)]
pub struct Figure {
    /// Its name; scripts read it.
    pub name: String,
    /// What it says, for people.
    pub meaning: String,
    /// How it is written.
    pub unit: Unit,
    /// Value, 95 % interval and count.
    pub estimate: Estimate,
}

/// The figures of a part of the cases, or of the work: a row of a table.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// What makes it a part; rows of one kind make one table.
    pub by: By,
    /// Which part it is.
    pub name: String,
    /// What was measured on it; a figure without a case to stand on is left out.
    pub figures: Vec<Figure>,
}

/// What the cases of a [`Group`] have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum By {
    /// A tag; a case can have several.
    Tag,
    /// What they are about, by their label.
    Topic,
    /// The team that they belong to or reached.
    Team,
    /// The file that they were read from.
    Source,
    /// Not cases at all, but a stage of the path, in milliseconds.
    Stage,
    /// Not a part of the cases, but a way of searching, on all that name articles.
    Way,
}

impl By {
    /// Returns the name that summaries use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Tag => "tag",
            Self::Topic => "topic",
            Self::Team => "team",
            Self::Source => "source",
            Self::Stage => "stage",
            Self::Way => "way",
        }
    }
}

/// Makes a figure, where there is an estimate.
pub(crate) fn figure(
    name: &str,
    meaning: &str,
    unit: Unit,
    estimate: Option<Estimate>,
) -> Option<Figure> {
    let (name, meaning) = (name.to_string(), meaning.to_string());
    estimate.map(|estimate| Figure { name, meaning, unit, estimate })
}

/// Renders figures as the object of a summary, by name.
pub fn figures_json(figures: &[Figure]) -> Value {
    let one = |f: &Figure| {
        let Estimate { value, low, high, n } = f.estimate;
        (f.name.clone(), json!({"value": value, "low": low, "high": high, "n": n}))
    };
    Value::Object(figures.iter().map(one).collect::<Map<String, Value>>())
}

/// Renders groups as the list of a summary.
pub fn groups_json(groups: &[Group]) -> Value {
    let one = |group: &Group| {
        json!({
            "by": group.by.name(),
            "name": group.name,
            "figures": figures_json(&group.figures),
        })
    };
    groups.iter().map(one).collect()
}
