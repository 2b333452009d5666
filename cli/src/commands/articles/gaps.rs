use super::{Asked, asked, is_for_people};
use crate::{
    Verdict, args, assembly, commands::ask::ensure_index, output, progress::counted,
    settings::Settings,
};
use bot::Desk;
use evals::{Gap, Open, examples, gaps, outline, redact::Redactor};
use router::Finding;
use serde_json::{Value, json};
use std::path::Path;

/// Fewer questions are no gap but chance.
const QUESTIONS_AT_LEAST: usize = 2;

/// Gaps that are shown; all stand in the JSON document.
const SHOWN: usize = 25;

/// Texts embedded at once.
const AT_ONCE: usize = 128;

/// Groups what no article answered well, and drafts an outline for each group.
pub(super) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::Gaps,
) -> anyhow::Result<Verdict> {
    let args::Gaps { past, out, below, alike } = wanted;
    let below = below.unwrap_or(settings.config.answers.threshold);
    let desk = assembly::desk(Settings::read(&settings.root)?).await?;
    ensure_index(desk.library()).await?;
    let asked = asked(&settings, &desk, &past).await?;
    let n_asked = asked.len();
    let open = open(&desk, asked, below).await?;
    let found = gaps(&open, alike as f32, QUESTIONS_AT_LEAST);
    if let Some(out) = &out {
        write(out, &found, &open)?;
    }
    let n_grouped: usize = found.iter().map(|gap| gap.members.len()).sum();
    if as_json {
        output::json(&json!({
            "questions": n_asked,
            "open": open.len(),
            "alone": open.len() - n_grouped,
            "gaps": found.iter().map(|gap| row(gap, &open)).collect::<Vec<_>>(),
        }))?;
        return Ok(Verdict::Yes);
    }
    for (nth, gap) in found.iter().take(SHOWN).enumerate() {
        output::line(format!(
            "{:>3}. {}: {} questions, {} to people",
            nth + 1,
            output::strong(&gap.name.join(" ")),
            gap.members.len(),
            gap.n_handed_off
        ))?;
        for text in examples(gap, &open, 3) {
            output::line(format!("     {}", text.chars().take(90).collect::<String>()))?;
        }
    }
    output::line(format!(
        "{} of {n_asked} questions have no good article; {} gaps hold {n_grouped} of them",
        open.len(),
        found.len()
    ))?;
    if let Some(out) = out {
        output::line(format!("outlines written: {}", out.display()))?;
    }
    Ok(Verdict::Yes)
}

/// Chooses what no article answered well: without a draft, with too little confidence in it, or with
/// an answer that a teammate found wrong. What says too little to be searched for is no gap.
/// Personal data is taken out first.
async fn open(desk: &Desk, asked: Vec<Asked>, below: f64) -> anyhow::Result<Vec<Open>> {
    let redactor = Redactor::new()?;
    let is_open = |one: &Asked| match &one.finding {
        Some(Finding::Nothing) => true,
        Some(Finding::Draft(confidence)) => one.wrong || confidence.value() < below,
        Some(Finding::TooVague | Finding::Failed(_)) | None => one.wrong,
    };
    let mut open: Vec<Open> = asked
        .into_iter()
        .filter(is_open)
        .map(|one| Open {
            handed_off: is_for_people(&one.act),
            question: redactor.redact(&one.question, &one.names),
            answer: one.reply.map(|reply| redactor.redact(&reply, &one.names)),
            id: one.id,
            vector: Vec::new(),
        })
        .collect();
    let bar = counted("questions", open.len() as u64);
    let embedder = desk.library().embedder();
    for some in open.chunks_mut(AT_ONCE) {
        let texts: Vec<String> = some.iter().map(|one| one.question.clone()).collect();
        for (one, vector) in some.iter_mut().zip(embedder.embed(&texts).await?) {
            one.vector = vector.into_vec();
        }
        bar.inc(some.len() as u64);
    }
    bar.finish_and_clear();
    Ok(open)
}

fn row(gap: &Gap, open: &[Open]) -> Value {
    let members = gap.members.iter().filter_map(|n| open.get(*n));
    json!({
        "name": gap.name.join(" "),
        "questions": gap.members.len(),
        "handed_off": gap.n_handed_off,
        "ids": members.map(|one| one.id.as_str()).collect::<Vec<_>>(),
        "examples": examples(gap, open, 3),
        "outline": outline(gap, open),
    })
}

/// Writes an outline for each gap, `01-….md` for the first.
fn write(out: &Path, found: &[Gap], open: &[Open]) -> anyhow::Result<()> {
    output::make_folder(out)?;
    for (nth, gap) in found.iter().enumerate() {
        let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
        let name: String = gap.name.join("-").chars().map(plain).collect();
        output::file(&out.join(format!("{:02}-{name}.md", nth + 1)), &outline(gap, open))?;
    }
    Ok(())
}
