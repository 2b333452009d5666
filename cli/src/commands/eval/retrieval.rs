use super::warn_of_unknown;
use crate::{
    Verdict, assembly, commands::ask::ensure_index, output, progress::counted, settings::Settings,
};
use evals::{Retrieval, measure_retrieval, read_cases};
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
        let ways = measured.iter().map(|way| {
            let measures = way.measures.iter().map(|(name, e)| {
                let value = json!({"value": e.value, "low": e.low, "high": e.high, "n": e.n});
                ((*name).to_string(), value)
            });
            (way.name.to_string(), Value::Object(measures.collect()))
        });
        output::json(&Value::Object(ways.collect::<Map<_, _>>()))?;
        return Ok(Verdict::Yes);
    }
    for way in &measured {
        for (name, e) in &way.measures {
            output::line(format!(
                "{:<8} {:<10} {:.3}  [{:.3}, {:.3}]  n {}",
                way.name, name, e.value, e.low, e.high, e.n
            ))?;
        }
    }
    compare(&measured)?;
    Ok(Verdict::Yes)
}

/// Says by how much both ways together are better than each alone.
fn compare(measured: &[Retrieval]) -> anyhow::Result<()> {
    let Some((fused, alone)) = measured.split_last() else { return Ok(()) };
    for other in alone {
        for measure in ["hit@1", "recall@5"] {
            let Some(difference) = fused.against(other, measure) else { continue };
            let e = difference.estimate;
            output::line(format!(
                "fused − {}: {measure} {:+.3}  [{:+.3}, {:+.3}]  p {:.3}",
                other.name, e.value, e.low, e.high, difference.p
            ))?;
        }
    }
    Ok(())
}
