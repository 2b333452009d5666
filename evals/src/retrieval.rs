use crate::{
    case::Case,
    figure::{By, Figure, Group, figure},
    interval::{Difference, Resampling, paired_difference},
    score::rankings,
    trial::{gold, question, reader},
};
use anyhow::Context;
use bot::{Library, Lookup};
use knowledge::Mode;
use std::collections::BTreeMap;

/// How well one way of searching ranks the gold articles.
#[derive(Debug, Clone)]
pub struct Retrieval {
    /// Name of the way.
    pub name: &'static str,
    /// Each measure over all cases.
    pub figures: Vec<Figure>,
    /// The same for the cases of each tag, and of each file where there are several.
    pub groups: Vec<Group>,
    per_case: Vec<Vec<f64>>,
}

/// Passages looked at: enough for ten different articles.
const PASSAGES: usize = 100;
/// Parts of fewer cases say too little for a row of their own.
const CASES_A_PART_AT_LEAST: usize = 5;

/// Searches for every case that names articles by words, by meaning and by both, and measures the
/// rankings by article. Cases without gold articles are left out.
///
/// # Errors
/// When the index or the embedder fails, or no case names an article.
pub async fn measure_retrieval(
    library: &Library,
    cases: &[Case],
    progress: &(dyn Fn(usize) + Sync),
) -> anyhow::Result<Vec<Retrieval>> {
    let with_gold: Vec<&Case> = cases.iter().filter(|c| !c.expect.articles.is_empty()).collect();
    anyhow::ensure!(!with_gold.is_empty(), "no case names an article in expect.articles");
    let parts = parts(&with_gold);
    let mut done = 0;
    let mut measured = Vec::new();
    for (name, mode) in [("words", Mode::Words), ("meaning", Mode::Meaning), ("fused", Mode::Fused)]
    {
        let mut per_case = vec![Vec::new(); rankings().count()];
        for case in &with_gold {
            let (question, reader) = (question(case), reader(case));
            let lookup =
                Lookup { question: &question, reader: &reader, mode, top: PASSAGES, without: &[] };
            let found = library.find(lookup).await?;
            let ranked = found.articles();
            let gold = gold(case, &found.knowledge);
            for ((_, measure), values) in rankings().zip(&mut per_case) {
                values.push(measure(&ranked, &gold).context("a case names no article")?);
            }
            done += 1;
            progress(done);
        }
        let all: Vec<usize> = (0..with_gold.len()).collect();
        let groups = parts.iter().map(|((by, name), part)| Group {
            by: *by,
            name: name.clone(),
            figures: figures(&per_case, part),
        });
        let (figures, groups) = (figures(&per_case, &all), groups.collect());
        measured.push(Retrieval { name, figures, groups, per_case });
    }
    Ok(measured)
}

/// Makes a row for each way, to stand beside other groups of a summary.
pub fn ways(measured: &[Retrieval]) -> Vec<Group> {
    let way = |it: &Retrieval| Group {
        by: By::Way,
        name: if it.name == "fused" { "both" } else { it.name }.to_string(),
        figures: it.figures.clone(),
    };
    measured.iter().map(way).collect()
}

/// Returns the name of the file that a case was read from.
pub(crate) fn source(case: &Case) -> String {
    let (path, _) = &case.place;
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns which of the cases belong to each tag, and to each file where there are several.
fn parts(cases: &[&Case]) -> BTreeMap<(By, String), Vec<usize>> {
    let mut parts: BTreeMap<(By, String), Vec<usize>> = BTreeMap::new();
    for (number, case) in cases.iter().enumerate() {
        for tag in &case.tags {
            parts.entry((By::Tag, tag.clone())).or_default().push(number);
        }
        parts.entry((By::Source, source(case))).or_default().push(number);
    }
    let n_files = parts.keys().filter(|(by, _)| *by == By::Source).count();
    parts.retain(|(by, _), part| {
        part.len() >= CASES_A_PART_AT_LEAST && (*by != By::Source || n_files > 1)
    });
    parts
}

/// Averages each measure over some of the cases.
fn figures(per_case: &[Vec<f64>], part: &[usize]) -> Vec<Figure> {
    let made = rankings().zip(per_case).filter_map(|((score, _), values)| {
        let values: Vec<f64> = part.iter().filter_map(|case| values.get(*case).copied()).collect();
        let estimate = score.averaged(&values, Resampling::default());
        figure(score.name, score.meaning, score.unit, estimate)
    });
    made.collect()
}

impl Retrieval {
    /// Compares a measure with that of `other` on the same cases; positive when `self` is better.
    pub fn against(&self, other: &Self, measure: &str) -> Option<Difference> {
        let index = rankings().position(|(score, _)| score.name == measure)?;
        let (own, others) = (self.per_case.get(index)?, other.per_case.get(index)?);
        paired_difference(others, own, Resampling::default())
    }
}
