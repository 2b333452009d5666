use crate::{Verdict, args, assembly, output, settings::Settings};
use bot::{Lookup, Question};
use knowledge::{FoundBy, Mode};
use serde_json::json;

pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::Search,
) -> anyhow::Result<Verdict> {
    let library = assembly::library(&settings).await?;
    super::ask::ensure_index(&library).await?;
    let question = Question::new(wanted.question);
    let reader = wanted.reader.into();
    let mode = Mode::from(wanted.mode);
    let lookup =
        Lookup { question: &question, reader: &reader, mode, top: wanted.top, without: &[] };
    let found = library.find(lookup).await?;
    let mut hits = Vec::new();
    for (place, hit) in found.findings.hits.iter().enumerate() {
        let Some(passage) = found.knowledge.passages().get(hit.passage) else { continue };
        let Some(article) = found.knowledge.articles().get(hit.article) else { continue };
        if as_json {
            hits.push(json!({
                "article": article.id,
                "path": article.place,
                "title": article.title,
                "heading": passage.heading.join(" > "),
                "text": passage.text,
                "score": hit.score,
                "found_by": found_by(&hit.found_by),
                "cosine": hit.cosine,
                "words": hit.passage_words,
            }));
            continue;
        }
        let place = place + 1;
        let title = output::strong(&article.title);
        output::line(format!(
            "{place}. {title} {} [{}] {:.3} {}\n{}\n",
            passage.heading.join(" > "),
            article.id,
            hit.score,
            found_by(&hit.found_by),
            indented(&passage.text)
        ))?;
    }
    if as_json {
        output::json(&json!({ "hits": hits }))?;
    } else if found.findings.hits.is_empty() {
        output::line("nothing found")?;
    }
    Ok(Verdict::Yes)
}

fn found_by(found: &FoundBy) -> String {
    let rank = |name: &str, rank: Option<usize>| rank.map(|rank| format!("{name} {rank}"));
    let parts = [rank("words", found.words), rank("meaning", found.meaning)];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn indented(text: &str) -> String {
    text.lines().map(|line| format!("   {line}\n")).collect::<String>().trim_end().to_string()
}
