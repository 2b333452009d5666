use crate::{
    compare::compare_by,
    figure::{By, Figure, Group},
    gate::Judgement,
    interval::Resampling,
    measures::{reliability, risk_coverage},
    record::Record,
    report::{Column, Report, Section, Table, TableRow, headline},
    score::judged,
    summary::Summary,
};

/// What a report says about itself.
#[derive(Debug, Clone)]
pub struct About {
    /// Its heading.
    pub title: String,
    /// Name and version of the program.
    pub generated_by: String,
    /// What the figures depend on, by name.
    pub provenance: Vec<(String, String)>,
    /// The least confidence that a reply needed, to mark in the charts.
    pub threshold: Option<f64>,
}

/// What a run is measured against.
#[derive(Debug, Clone, Default)]
pub struct Against<'a> {
    /// An earlier run, by name.
    pub baseline: Option<(String, &'a [Record])>,
    /// What became of the gates.
    pub gates: Vec<Judgement>,
    /// How chance is told in the comparison.
    pub resampling: Resampling,
}

/// Puts together what people read of a run.
pub fn report<'a>(
    records: &'a [Record],
    summary: &Summary,
    about: About,
    against: Against<'a>,
) -> Report<'a> {
    let judged = judged(records);
    let baseline = against.baseline;
    Report {
        about,
        headline: headline(records),
        sections: sections(&summary.figures),
        tables: tables(&summary.groups),
        reliability: reliability(&judged, BINS).unwrap_or_default(),
        risk_coverage: risk_coverage(&judged).unwrap_or_default(),
        records,
        baseline: baseline
            .map(|(name, before)| (name, compare_by(before, records, against.resampling))),
        gates: against.gates,
    }
}

/// Points of the reliability diagram: with some hundred cases more bins show noise.
const BINS: usize = 10;

/// Every figure by what it is about, as people look for it.
fn sections(figures: &[Figure]) -> Vec<Section> {
    let mut sections = [
        "What it does, and whom it passes on to",
        "Whether the articles are found",
        "The drafts against what people wrote",
        "What the confidence is worth",
    ]
    .map(|title| Section { title: title.into(), figures: Vec::new() });
    for figure in figures {
        let place = match figure.name.as_str() {
            name if name.contains('@') || name == "MRR" => 1,
            name if ["draft_", "citation", "agree", "support"]
                .iter()
                .any(|s| name.starts_with(s)) =>
            {
                2
            }
            name if name.starts_with("auroc") => 3,
            "brier" | "ece" => 3,
            _ => 0,
        };
        if let Some(section) = sections.get_mut(place) {
            section.figures.push(figure.clone());
        }
    }
    sections.into_iter().filter(|section| !section.figures.is_empty()).collect()
}

/// The figures that tell parts of the cases apart; all others would not fit beside them.
const COLUMNS: [&str; 6] =
    ["act_accuracy", "coverage", "wrong_replies", "team_accuracy", "hit@1", "hit@5"];

fn tables(groups: &[Group]) -> Vec<Table> {
    groups.chunk_by(|a, b| a.by == b.by).filter_map(table).collect()
}

fn table(groups: &[Group]) -> Option<Table> {
    let by = groups.first()?.by;
    let (title, note) = match by {
        By::Tag => ("By tag", "A case can have several tags; those of few cases are left out."),
        By::Topic => ("By topic", "What the cases are labelled to be about."),
        By::Team => ("By team", "The teams that they belong to or reached."),
        By::Source => ("By source", "The files that the cases were read from."),
        By::Stage => (
            "By stage",
            "How long each part of the path took, the embedding of the question within the search; \
             and what a generator read and wrote.",
        ),
        By::Way => (
            "By way of searching",
            "The same questions by words alone, by meaning alone, and by both as the bot searches.",
        ),
    };
    let mut columns: Vec<&Figure> = Vec::new();
    for figure in groups.iter().flat_map(|group| &group.figures) {
        let is_new = columns.iter().all(|column| column.name != figure.name);
        let is_cases = matches!(by, By::Tag | By::Topic | By::Source);
        // What others beside it say as well would not fit.
        if by == By::Way && ["hit@3", "recall@1"].contains(&figure.name.as_str()) {
            continue;
        }
        if is_new && (!is_cases || COLUMNS.contains(&figure.name.as_str())) {
            columns.push(figure);
        }
    }
    let row = |group: &Group| TableRow {
        name: group.name.clone(),
        cells: columns
            .iter()
            .map(|column| {
                let found = group.figures.iter().find(|figure| figure.name == column.name);
                found.map(|figure| figure.estimate)
            })
            .collect(),
    };
    Some(Table {
        title: title.into(),
        note: note.into(),
        rows: groups.iter().map(row).collect(),
        columns: columns
            .iter()
            .map(|figure| Column { name: figure.name.replace('_', " "), unit: figure.unit })
            .collect(),
    })
}
