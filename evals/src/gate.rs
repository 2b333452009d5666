//! Is a figure so bad that a build must fail, or may it be chance?

#[cfg(test)]
mod tests;

use crate::{
    compare::{ALPHA, SCORES, paired_change},
    figure::Group,
    interval::{Difference, Estimate},
    record::Record,
    summary::Summary,
};
use std::{collections::BTreeSet, fmt, str::FromStr};
use thiserror::Error;

/// What fails a run, such as `hit@5 < 0.8`, `team_accuracy{billing} < 90 %` or
/// `act_accuracy < baseline - 0.02`.
#[derive(Debug, Clone, PartialEq)]
pub struct Gate {
    figure: String,
    group: Option<String>,
    operator: Operator,
    bound: Bound,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Less,
    LessOrEqual,
    More,
    MoreOrEqual,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Bound {
    Number(f64),
    /// What the baseline has, and so much more.
    Baseline(f64),
}

/// Why a gate cannot be judged.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum GateError {
    /// It is not written like one.
    #[error(
        "{0:?} is no gate; write a figure, one of < <= > >= and a number, such as \"hit@5 < 0.8\", \
         or \"hit@5 < baseline\""
    )]
    Syntax(String),
    /// No figure has that name.
    #[error("there is no figure {name:?}; known: {known}")]
    Unknown {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// It compares with a baseline, and there is none.
    #[error("{0:?} compares with a baseline; name its folder with --baseline")]
    NoBaseline(String),
    /// The figure is no mean over cases, so that two runs cannot be compared case by case.
    #[error("{name:?} cannot be compared with a baseline; those that can: {known}")]
    NotPaired {
        /// What was asked for.
        name: String,
        /// What can be compared.
        known: String,
    },
}

/// What gates are judged on.
#[derive(Debug, Clone, Copy)]
pub struct Judging<'a> {
    /// The figures of the run.
    pub summary: &'a Summary,
    /// Its cases.
    pub records: &'a [Record],
    /// The cases of the run that it is compared with.
    pub baseline: Option<&'a [Record]>,
    /// Whether the value alone decides, however few cases are behind it.
    pub strict: bool,
}

/// What became of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The gate as it was written.
    pub gate: String,
    /// Whether it fails the run.
    pub has_failed: bool,
    /// Which figure, value, interval and count decided, in one line.
    pub line: String,
}

impl Gate {
    /// Judges a run. Without `strict` a gate fails only when the whole 95 % interval of the figure
    /// is beyond the bound; against a baseline, when the whole interval of the paired difference
    /// is, and the paired test finds it beyond chance. A figure without any case to stand on fails
    /// nothing.
    ///
    /// # Errors
    /// [`GateError::Unknown`], [`GateError::NoBaseline`] and [`GateError::NotPaired`].
    pub fn judge(&self, on: &Judging<'_>) -> Result<Judgement, GateError> {
        let estimate = self.find(on.summary)?;
        match self.bound {
            Bound::Number(bound) => {
                let Some(estimate) = estimate else { return Ok(self.without_cases()) };
                Ok(self.judge_value(&estimate, bound, on.strict))
            }
            Bound::Baseline(margin) => self.judge_difference(margin, on),
        }
    }

    fn judge_value(&self, found: &Estimate, bound: f64, strict: bool) -> Judgement {
        let is_beyond = self.operator.holds(found.value, bound);
        let is_sure = self.operator.holds(self.operator.last_end(found), bound);
        let has_failed = if strict { is_beyond } else { is_sure };
        let why = match (is_beyond, is_sure) {
            (false, _) => "",
            (true, true) => ", and so is its whole interval",
            (true, false) if strict => ", as is its value",
            (true, false) => ", but may be so by chance",
        };
        let Estimate { value, low, high, n } = found;
        let what = format!("{} is {value:.3} [{low:.3}, {high:.3}], n {n}", self.name());
        self.judged(has_failed, &what, why)
    }

    fn judge_difference(&self, margin: f64, on: &Judging<'_>) -> Result<Judgement, GateError> {
        let baseline = on.baseline.ok_or_else(|| GateError::NoBaseline(self.to_string()))?;
        let score = SCORES.iter().find(|score| score.name == self.figure).ok_or_else(|| {
            let known: Vec<&str> = SCORES.iter().map(|score| score.name).collect();
            GateError::NotPaired { name: self.figure.clone(), known: known.join(", ") }
        })?;
        let belongs =
            |record: &Record| self.group.as_ref().is_none_or(|group| is_of_group(record, group));
        let Some(found) = paired_change(score, baseline, on.records, belongs) else {
            return Ok(self.without_cases());
        };
        let Difference { estimate, p } = found;
        let is_beyond = self.operator.holds(estimate.value, margin);
        let is_sure = self.operator.holds(self.operator.last_end(&estimate), margin) && p < ALPHA;
        let has_failed = if on.strict { is_beyond } else { is_sure };
        let why = match (is_beyond, is_sure) {
            (false, _) => "",
            (true, true) => ", beyond chance",
            (true, false) if on.strict => ", as is its value",
            (true, false) => ", but may be so by chance",
        };
        let Estimate { value, low, high, n } = estimate;
        let what = format!(
            "{} differs from the baseline by {value:+.3} [{low:+.3}, {high:+.3}], p {p:.3}, n {n}",
            self.name()
        );
        Ok(self.judged(has_failed, &what, why))
    }

    fn judged(&self, has_failed: bool, what: &str, why: &str) -> Judgement {
        let verdict = if has_failed { "fails" } else { "passes" };
        let gate = self.to_string();
        let line = format!("{verdict}: {what}; the gate is \"{gate}\"{why}");
        Judgement { gate, has_failed, line }
    }

    fn without_cases(&self) -> Judgement {
        let gate = self.to_string();
        let line = format!(
            "passes: {} has too few cases to stand on; the gate is \"{gate}\"",
            self.name()
        );
        Judgement { gate, has_failed: false, line }
    }

    /// Finds the figure; `None` where it is known and stands on no case in this run.
    fn find(&self, summary: &Summary) -> Result<Option<Estimate>, GateError> {
        let found = match &self.group {
            None => summary.figure(&self.figure),
            Some(name) => {
                let of = summary.groups.iter().filter(|group| is_named(group, name));
                of.flat_map(|group| &group.figures).find(|figure| figure.name == self.figure)
            }
        };
        let is_known = self.group.is_none() && SCORES.iter().any(|it| it.name == self.figure);
        if found.is_some() || is_known {
            return Ok(found.map(|figure| figure.estimate));
        }
        Err(GateError::Unknown { name: self.name(), known: known(summary, self.group.is_some()) })
    }

    fn name(&self) -> String {
        match &self.group {
            Some(group) => format!("{}{{{group}}}", self.figure),
            None => self.figure.clone(),
        }
    }
}

/// Whether a group is meant: by its name, or by kind and name, such as `tag:billing`.
fn is_named(group: &Group, name: &str) -> bool {
    group.name == name
        || name.split_once(':').is_some_and(|(by, it)| by == group.by.name() && it == group.name)
}

/// Names what there is: figures, and those of groups where one of a group was asked for.
fn known(summary: &Summary, with_groups: bool) -> String {
    let all = summary.figures.iter().map(|figure| figure.name.clone());
    let mut names: BTreeSet<String> =
        all.chain(SCORES.iter().map(|score| score.name.to_string())).collect();
    if with_groups {
        let groups = summary.groups.iter();
        names = groups
            .flat_map(|group| {
                group.figures.iter().map(|figure| format!("{}{{{}}}", figure.name, group.name))
            })
            .collect();
    }
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// Whether a case is of a group, as [`is_named`] reads its name.
fn is_of_group(record: &Record, group: &str) -> bool {
    let group =
        ["tag:", "topic:", "team:"].iter().find_map(|by| group.strip_prefix(by)).unwrap_or(group);
    let labels = [record.expect.team.as_deref(), record.expect.topic.as_deref()];
    labels.contains(&Some(group)) || record.tags.iter().any(|tag| tag == group)
}

impl Operator {
    fn holds(self, value: f64, bound: f64) -> bool {
        match self {
            Self::Less => value < bound,
            Self::LessOrEqual => value <= bound,
            Self::More => value > bound,
            Self::MoreOrEqual => value >= bound,
        }
    }

    /// Returns the end of an interval that is the last to pass the bound.
    fn last_end(self, estimate: &Estimate) -> f64 {
        match self {
            Self::Less | Self::LessOrEqual => estimate.high,
            Self::More | Self::MoreOrEqual => estimate.low,
        }
    }

    fn sign(self) -> &'static str {
        match self {
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::More => ">",
            Self::MoreOrEqual => ">=",
        }
    }
}

impl FromStr for Gate {
    type Err = GateError;

    fn from_str(text: &str) -> Result<Self, GateError> {
        let wrong = || GateError::Syntax(text.to_string());
        let at = text.find(['<', '>']).ok_or_else(wrong)?;
        let (name, rest) = text.split_at(at);
        // The longer signs first, as each begins with a shorter one.
        let signs = [Operator::LessOrEqual, Operator::MoreOrEqual, Operator::Less, Operator::More];
        let (operator, bound) = signs
            .into_iter()
            .find_map(|operator| Some((operator, rest.strip_prefix(operator.sign())?)))
            .ok_or_else(wrong)?;
        let (figure, group) = match name.trim().strip_suffix('}').map(|it| it.split_once('{')) {
            Some(Some((figure, group))) => (figure.trim(), Some(group.trim().to_string())),
            Some(None) => return Err(wrong()),
            None => (name.trim(), None),
        };
        let is_named = !figure.is_empty() && !figure.contains(['{', '}', ' ']);
        if !is_named || group.as_ref().is_some_and(String::is_empty) {
            return Err(wrong());
        }
        let bound = parse_bound(bound.trim()).ok_or_else(wrong)?;
        Ok(Self { figure: figure.to_string(), group, operator, bound })
    }
}

fn parse_bound(text: &str) -> Option<Bound> {
    let Some(margin) = text.strip_prefix("baseline").map(str::trim) else {
        return parse_number(text).map(Bound::Number);
    };
    if margin.is_empty() {
        return Some(Bound::Baseline(0.0));
    }
    let (sign, size) = match (margin.strip_prefix('-'), margin.strip_prefix('+')) {
        (Some(size), _) => (-1.0, size),
        (_, Some(size)) => (1.0, size),
        _ => return None,
    };
    let size = parse_number(size.trim()).filter(|size| *size >= 0.0)?;
    Some(Bound::Baseline(sign * size))
}

/// Reads a number, which may be in percent.
fn parse_number(text: &str) -> Option<f64> {
    let (number, scale) = match text.strip_suffix('%') {
        Some(number) => (number.trim(), 0.01),
        None => (text, 1.0),
    };
    // What is no number would pass every comparison of a gate.
    number.parse::<f64>().ok().filter(|number| number.is_finite()).map(|number| number * scale)
}

impl fmt::Display for Gate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} ", self.name(), self.operator.sign())?;
        match self.bound {
            Bound::Number(bound) => write!(f, "{bound}"),
            Bound::Baseline(margin) if margin < 0.0 => write!(f, "baseline - {}", -margin),
            Bound::Baseline(margin) if margin > 0.0 => write!(f, "baseline + {margin}"),
            Bound::Baseline(_) => write!(f, "baseline"),
        }
    }
}
