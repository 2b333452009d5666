use crate::{Verdict, assembly, output, settings::Settings};
use anyhow::Context;
use models::Embedding;
use serde::Deserialize;
use serde_json::json;
use std::path::Path;

/// A text with its vector by another implementation of the same model.
#[derive(Deserialize)]
struct Line {
    text: String,
    embedding: Vec<f32>,
}

/// Two implementations of one model agree from this cosine on.
const AGREES: f32 = 0.9999;

/// Compares the embedder with reference vectors; exit 1 when a text's vectors differ.
pub(super) async fn run(
    settings: &Settings,
    as_json: bool,
    file: &Path,
) -> anyhow::Result<Verdict> {
    let lines = std::fs::read_to_string(file)
        .with_context(|| format!("{}: cannot be read", file.display()))?;
    let embedder = assembly::embedder(settings).await?;
    let (mut n, mut least) = (0, f32::INFINITY);
    for (number, line) in lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let place = || format!("{}:{}", file.display(), number + 1);
        let line: Line = serde_json::from_str(line).with_context(place)?;
        let reference = Embedding::new(line.embedding).with_context(place)?;
        let own = embedder.embed(&[line.text]).await?;
        let own = own.first().context("the embedder returned nothing")?;
        least = least.min(own.cosine(&reference));
        n += 1;
    }
    anyhow::ensure!(n > 0, "{}: holds no text", file.display());
    if as_json {
        output::json(&json!({"n": n, "least_cosine": least, "embedder": embedder.id()}))?;
    } else {
        output::line(format!("{n} texts, least cosine {least:.6}, {}", embedder.id()))?;
    }
    Ok(if least >= AGREES { Verdict::Yes } else { Verdict::No })
}
