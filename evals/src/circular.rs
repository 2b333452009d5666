//! Which figures say nothing where the right articles are known from the draft alone?

use crate::{score::rankings, summary::Summary};

/// Measures of what a draft cites.
const OF_CITATIONS: [&str; 2] = ["citation_precision", "citation_recall"];

/// Leaves out what is measured by the articles that cases name, of all cases and of groups: they are
/// the draft's own sources where nobody else has named them, and would be found by construction.
pub fn leave_out_articles(summary: &mut Summary) {
    let is_circular = |name: &str| {
        OF_CITATIONS.contains(&name) || rankings().any(|(score, _)| score.name == name)
    };
    summary.figures.retain(|figure| !is_circular(&figure.name));
    for group in &mut summary.groups {
        group.figures.retain(|figure| !is_circular(&figure.name));
    }
    summary.groups.retain(|group| !group.figures.is_empty());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{sample::replied, summarise};

    #[test]
    fn no_figure_of_articles_is_left_in_any_table() {
        let records: Vec<_> = (0..8).map(|i| replied(&i.to_string())).collect();
        let mut summary = summarise(&records);
        assert!(summary.figure("hit@3").is_some() && !summary.groups.is_empty());
        leave_out_articles(&mut summary);
        let groups = summary.groups.iter().flat_map(|group| &group.figures);
        for figure in summary.figures.iter().chain(groups) {
            let starts = ["hit", "recall@", "MRR", "nDCG", "citation"];
            assert!(!starts.iter().any(|start| figure.name.starts_with(start)), "{}", figure.name);
        }
        assert!(summary.figure("act_accuracy").is_some());
    }
}
