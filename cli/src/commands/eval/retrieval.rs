use super::warn_of_unknown;
use crate::{
    Verdict, assembly, commands::ask::ensure_index, output, progress::counted, settings::Settings,
};
use evals::{
    Figure, Retrieval, figures_json, groups_json, interval::Difference, measure_retrieval,
    read_cases,
};
use serde_json::{Map, Value, json};
use std::path::PathBuf;

/// Ranks the articles for every case by words, by meaning and by both, and compares.
pub(super) async fn run(
    settings: Settings,
    as_json: bool,
    files: &[PathBuf],
) -> anyhow::Result<Verdict> {
    let cases = read_cases(files)?;
    let library = assembly::library(&settings).await?;
    ensure_index(&library).await?;
    warn_of_unknown(&cases, &library.knowledge()?);
    let bar = counted("searches", 3 * cases.len() as u64);
    let measured =
        measure_retrieval(&library, &cases, &|done| bar.set_position(done as u64)).await?;
    bar.finish_and_clear();
    if as_json {
        output::json(&document(&measured))?;
        return Ok(Verdict::Yes);
    }
    for way in &measured {
        show(way.name, &way.figures)?;
    }
    compare(&measured)?;
    for way in &measured {
        for group in &way.groups {
            let hit = group.figures.iter().filter(|figure| figure.name == "hit@1");
            let found = group.figures.iter().filter(|figure| figure.name == "recall@5");
            let shown: Vec<Figure> = hit.chain(found).cloned().collect();
            show(&format!("{} {} {}", way.name, group.by.name(), group.name), &shown)?;
        }
    }
    Ok(Verdict::Yes)
}

fn show(of: &str, figures: &[Figure]) -> anyhow::Result<()> {
    for figure in figures {
        let (name, e) = (&figure.name, figure.estimate);
        output::line(format!(
            "{of:<8} {name:<10} {:.3}  [{:.3}, {:.3}]  n {}",
            e.value, e.low, e.high, e.n
        ))?;
    }
    Ok(())
}

/// Puts figures, groups and differences into one document; the ways stand at its top.
fn document(measured: &[Retrieval]) -> Value {
    let mut document = Map::new();
    let mut groups = Map::new();
    for way in measured {
        document.insert(way.name.to_string(), figures_json(&way.figures));
        groups.insert(way.name.to_string(), groups_json(&way.groups));
    }
    document.insert("groups".into(), Value::Object(groups));
    let differences = differences(measured).map(|(other, measure, difference)| {
        let e = difference.estimate;
        json!({
            "of": "fused", "less": other, "measure": measure, "value": e.value,
            "low": e.low, "high": e.high, "n": e.n, "p": difference.p,
        })
    });
    document.insert("differences".into(), differences.collect());
    Value::Object(document)
}

/// Compares both ways together with each alone, on the same cases.
fn differences(measured: &[Retrieval]) -> impl Iterator<Item = (&str, &str, Difference)> {
    let pairs = measured
        .split_last()
        .into_iter()
        .flat_map(|(fused, alone)| alone.iter().map(move |other| (fused, other)));
    pairs.flat_map(|(fused, other)| {
        let compared = ["hit@1", "recall@5"].into_iter();
        compared
            .filter_map(move |measure| Some((other.name, measure, fused.against(other, measure)?)))
    })
}

/// Says by how much both ways together are better than each alone.
fn compare(measured: &[Retrieval]) -> anyhow::Result<()> {
    for (other, measure, difference) in differences(measured) {
        let e = difference.estimate;
        output::line(format!(
            "fused − {other}: {measure} {:+.3}  [{:+.3}, {:+.3}]  p {:.3}",
            e.value, e.low, e.high, difference.p
        ))?;
    }
    Ok(())
}
