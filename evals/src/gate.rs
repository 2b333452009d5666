//! Is a figure so bad that a build must fail, or may it be chance?

#[cfg(test)]
mod tests;

use crate::{
    compare::{ALPHA, PairedChange, paired_change},
    figure::{By, Figure},
    interval::{Difference, Estimate, Resampling},
    record::Record,
    score::{FIGURES, SCORES, measured},
    summary::{STAGE_FIGURES, STAGES, Summary, TEAM_FIGURES},
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
    /// The figure is not one of cases, so that two runs cannot be compared case by case.
    #[error("{name:?} cannot be compared with a baseline; those that can: {known}")]
    NotPaired {
        /// What was asked for.
        name: String,
        /// What can be compared.
        known: String,
    },
    /// No case that it concerns is in the baseline too, so that nothing would ever fail it.
    #[error("{0:?} compares with a baseline that has none of its cases; run both on the same ones")]
    NothingInCommon(String),
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
    /// How chance is told.
    pub resampling: Resampling,
}

/// What became of a gate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// The gate as it was written.
    pub gate: String,
    /// Whether it fails the run.
    pub has_failed: bool,
    /// Whether no case of the run bears on it, so that it has judged nothing.
    pub is_idle: bool,
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
    /// [`GateError::Unknown`], [`GateError::NoBaseline`], [`GateError::NotPaired`] and
    /// [`GateError::NothingInCommon`].
    pub fn judge(&self, on: &Judging<'_>) -> Result<Judgement, GateError> {
        let part = self.part(on.records)?;
        match self.bound {
            Bound::Number(bound) => {
                let Some(estimate) = self.find(part, on) else { return Ok(self.without_cases()) };
                Ok(self.judge_value(&estimate, bound, on.strict))
            }
            Bound::Baseline(margin) => self.judge_difference(margin, part, on),
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

    fn judge_difference(
        &self,
        margin: f64,
        part: Option<Part<'_>>,
        on: &Judging<'_>,
    ) -> Result<Judgement, GateError> {
        let baseline = on.baseline.ok_or_else(|| GateError::NoBaseline(self.to_string()))?;
        let score = SCORES.iter().find(|score| score.name == self.figure).ok_or_else(|| {
            GateError::NotPaired { name: self.figure.clone(), known: FIGURES.join(", ") }
        })?;
        let belongs = |record: &Record| part.is_none_or(|part| part.has(record));
        let runs = (baseline, on.records);
        let PairedChange { n_pairs, change } =
            paired_change((score, margin), runs, on.resampling, belongs);
        if n_pairs == 0 {
            return Err(GateError::NothingInCommon(self.to_string()));
        }
        let Some(Difference { estimate, p }) = change else { return Ok(self.without_cases()) };
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
        Judgement { gate, has_failed, is_idle: false, line }
    }

    fn without_cases(&self) -> Judgement {
        let gate = self.to_string();
        let line = format!(
            "judges nothing: {} has too few cases to stand on; the gate is \"{gate}\"",
            self.name()
        );
        Judgement { gate, has_failed: false, is_idle: true, line }
    }

    /// Finds the part of the run that the gate is about; `None` for the whole. A bare name is that
    /// of a tag before a topic, a team, a file and a stage; the first that bears it and has the
    /// figure counts.
    fn part<'a>(&'a self, records: &[Record]) -> Result<Option<Part<'a>>, GateError> {
        let unknown = || GateError::Unknown {
            name: self.name(),
            known: known(self.group.is_some().then_some(records)),
        };
        let Some(group) = self.group.as_deref() else {
            let is_known = FIGURES.contains(&self.figure.as_str());
            return if is_known { Ok(None) } else { Err(unknown()) };
        };
        let is_there = |by: By, name: &'a str| {
            let part = Part { by, name };
            let has = figures_of(by).contains(&self.figure.as_str()) && part.is_in(records);
            has.then_some(part)
        };
        let told = group.split_once(':').and_then(|(kind, name)| {
            let by = KINDS.into_iter().find(|by| by.name() == kind)?;
            is_there(by, name)
        });
        let found = told.or_else(|| KINDS.into_iter().find_map(|by| is_there(by, group)));
        found.map(Some).ok_or_else(unknown)
    }

    /// Finds the figure; `None` where it stands on no case in this run.
    fn find(&self, part: Option<Part<'_>>, on: &Judging<'_>) -> Option<Estimate> {
        let named = |figure: &&Figure| figure.name == self.figure;
        let Some(part) = part else {
            return on.summary.figures.iter().find(named).map(|figure| figure.estimate);
        };
        let groups = &on.summary.groups;
        if let Some(group) = groups.iter().find(|it| it.by == part.by && it.name == part.name) {
            return group.figures.iter().find(named).map(|figure| figure.estimate);
        }
        // Groups that are too small for a row of a table, and the one file of a run.
        let own: Vec<&Record> = on.records.iter().filter(|record| part.has(record)).collect();
        measured(&own, on.resampling).iter().find(named).map(|figure| figure.estimate)
    }

    fn name(&self) -> String {
        match &self.group {
            Some(group) => format!("{}{{{group}}}", self.figure),
            None => self.figure.clone(),
        }
    }
}

/// A part of a run: the cases of one group, or a stage of the path.
#[derive(Debug, Clone, Copy)]
struct Part<'a> {
    by: By,
    name: &'a str,
}

/// The kinds of groups, in the order in which a bare name is looked for.
const KINDS: [By; 5] = [By::Tag, By::Topic, By::Team, By::Source, By::Stage];

impl Part<'_> {
    fn has(&self, record: &Record) -> bool {
        let name = Some(self.name);
        match self.by {
            By::Tag => record.tags.iter().any(|tag| tag == self.name),
            By::Topic => record.expect.topic.as_deref() == name,
            By::Team => [&record.expect.team, &record.team].iter().any(|it| it.as_deref() == name),
            By::Source => record.source == self.name,
            By::Stage => STAGES.contains(&self.name),
            By::Way => false,
        }
    }

    fn is_in(&self, records: &[Record]) -> bool {
        records.iter().any(|record| self.has(record))
    }
}

/// Returns the figures that are measured on the groups of a kind.
fn figures_of(by: By) -> &'static [&'static str] {
    match by {
        By::Tag | By::Topic | By::Source => &FIGURES,
        By::Team => &TEAM_FIGURES,
        By::Stage => &STAGE_FIGURES,
        By::Way => &[],
    }
}

/// Names what there is: figures, or groups with what is measured on them, where one was asked for.
fn known(in_groups: Option<&[Record]>) -> String {
    let Some(records) = in_groups else { return FIGURES.join(", ") };
    let mut groups: BTreeSet<(By, &str)> = BTreeSet::new();
    for record in records {
        groups.extend(record.tags.iter().map(|tag| (By::Tag, tag.as_str())));
        groups.extend(record.expect.topic.iter().map(|topic| (By::Topic, topic.as_str())));
        let teams = record.expect.team.iter().chain(&record.team);
        groups.extend(teams.map(|team| (By::Team, team.as_str())));
        groups.insert((By::Source, record.source.as_str()));
    }
    groups.extend(STAGES.map(|stage| (By::Stage, stage)));
    let groups: Vec<String> =
        groups.iter().map(|(by, name)| format!("{{{}:{name}}}", by.name())).collect();
    format!(
        "{}, of a tag, topic or source; {} of a team; {} of a stage; the groups are {}",
        FIGURES.join(", "),
        TEAM_FIGURES.join(", "),
        STAGE_FIGURES.join(", "),
        groups.join(", ")
    )
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
