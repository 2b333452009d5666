use crate::{
    case::ExpectedAct,
    figure::{By, Figure, Group, figure, share_of},
    interval::{Resampling, statistic},
    pairs::{Pairs, macro_f1, mcc},
    record::Record,
    report::Unit::{Score, Share},
};
use std::collections::BTreeSet;

/// Whether people took over, or got a draft or an offer of it.
pub(crate) fn is_handed_off(record: &Record) -> bool {
    record.act_class() == Some(ExpectedAct::Handoff)
}

fn due(record: &Record) -> Option<&str> {
    record.expect.team.as_deref()
}

/// Measures which teams take over.
pub(super) fn measure(records: &[&Record]) -> Vec<Figure> {
    let with_team = || records.iter().copied().filter(|r| due(r).is_some() && is_handed_off(r));
    let teams = Pairs::of(with_team().map(|r| (due(r), r.team.as_deref())));
    // Whoever was to answer is no team's, and neither is what was not handed over.
    // Of an answer that nobody judged, nobody knows whether people had to have it.
    let known = records.iter().filter(|r| match r.expect.act {
        ExpectedAct::Handoff => due(r).is_some(),
        _ => !r.expect.is_unlabelled() || r.expect.judged,
    });
    let all = known.clone().any(|r| r.expect.act == ExpectedAct::Handoff).then(|| {
        Pairs::of(known.map(|r| {
            let due = due(r).filter(|_| r.expect.act == ExpectedAct::Handoff);
            (due, r.team.as_deref().filter(|_| is_handed_off(r)))
        }))
    });
    let figures = [
        figure(
            "team_accuracy",
            "of the handoffs with a known team, those that reach it",
            Share,
            share_of(with_team(), |r| r.team == r.expect.team),
        ),
        figure(
            "team_macro_f1",
            "the same, as F1 averaged over the teams",
            Score,
            teams.estimate(macro_f1),
        ),
        figure(
            "routing_mcc",
            "Matthews correlation over teams and no team: who takes over, and whether anybody ought to",
            Score,
            all.and_then(|pairs| pairs.estimate(mcc)),
        ),
    ];
    figures.into_iter().flatten().collect()
}

/// Measures each team by itself, over the handoffs with a known team.
pub(super) fn by_team(records: &[&Record]) -> Vec<Group> {
    let handed: Vec<(&str, Option<&str>)> = records
        .iter()
        .filter(|r| is_handed_off(r))
        .filter_map(|r| Some((due(r)?, r.team.as_deref())))
        .collect();
    let teams: BTreeSet<&str> =
        handed.iter().flat_map(|(due, got)| [Some(*due), *got]).flatten().collect();
    let groups = teams.into_iter().map(|team| {
        let of: Vec<(bool, bool)> =
            handed.iter().map(|(due, got)| (*due == team, *got == Some(team))).collect();
        Group { by: By::Team, name: team.to_string(), figures: of_team(&of) }
    });
    groups.filter(|group| !group.figures.is_empty()).collect()
}

/// Measures pairs of: was the team due, did it get the conversation.
fn of_team(pairs: &[(bool, bool)]) -> Vec<Figure> {
    let count = |test: fn(&(bool, bool)) -> bool| pairs.iter().filter(|pair| test(pair)).count();
    let (n_both, n_due, n_got) = (count(|p| p.0 && p.1), count(|p| p.0), count(|p| p.1));
    let f1 = statistic(pairs.len(), Resampling::default(), |indices| {
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
