use crate::{
    figure::{By, Figure, Group, figure},
    interval::{Resampling, statistic},
    record::Record,
    report::Unit::{Score, Share},
    score::handed_to,
};
use std::collections::BTreeSet;

/// Measures each team by itself, over the handoffs with a known team.
pub(super) fn by_team(records: &[&Record], resampling: Resampling) -> Vec<Group> {
    let handed: Vec<_> = records.iter().filter_map(|record| handed_to(record)).collect();
    let teams: BTreeSet<&str> =
        handed.iter().flat_map(|(due, got)| [*due, *got]).flatten().collect();
    let groups = teams.into_iter().map(|team| {
        let of: Vec<(bool, bool)> =
            handed.iter().map(|(due, got)| (*due == Some(team), *got == Some(team))).collect();
        Group { by: By::Team, name: team.to_string(), figures: of_team(&of, resampling) }
    });
    groups.filter(|group| !group.figures.is_empty()).collect()
}

/// Measures pairs of: was the team due, did it get the conversation.
fn of_team(pairs: &[(bool, bool)], resampling: Resampling) -> Vec<Figure> {
    let count = |test: fn(&(bool, bool)) -> bool| pairs.iter().filter(|pair| test(pair)).count();
    let (n_both, n_due, n_got) = (count(|p| p.0 && p.1), count(|p| p.0), count(|p| p.1));
    let f1 = statistic(pairs.len(), resampling, |indices| {
        let drawn = || indices.iter().filter_map(|i| pairs.get(*i));
        let n_both = drawn().filter(|pair| pair.0 && pair.1).count();
        let n_either: usize = drawn().map(|pair| usize::from(pair.0) + usize::from(pair.1)).sum();
        (n_either > 0).then(|| 2.0 * n_both as f64 / n_either as f64)
    });
    let share = crate::interval::share;
    let figures = [
        figure("precision", "of what the team got, what was its own", Share, share(n_both, n_got)),
        figure("recall", "of what was the team's, what it got", Share, share(n_both, n_due)),
        figure("f1", "both, as their harmonic mean", Score, f1),
    ];
    figures.into_iter().flatten().collect()
}
