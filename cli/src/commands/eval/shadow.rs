//! `frontdesk eval shadow`: what the bot decided in live traffic beside what people did.

use super::{
    kept::{Kept, Told},
    other_bot,
    run::{show, write_results},
    short_name,
};
use crate::{Verdict, output, settings::Settings};
use evals::{
    About, Against, Cited, Figure, Record, Stages,
    interval::{Resampling, mean, share},
    leave_out_articles,
    measures::token_f1,
    report,
    report::Unit,
    summarise,
};
use jiff::Timestamp;
use serde_json::Value;
use std::{
    collections::{BTreeMap, HashMap},
    path::Path,
};

/// A draft that shares at least this much of its words with what a person wrote counts as alike.
const ALIKE: f64 = 0.5;

/// A decision beside what people did.
struct Pair<'a> {
    told: Told<'a>,
    record: Record,
}

/// Measures what the bot decided since a moment by what people did, and writes and shows it as
/// `eval run` does.
pub(super) async fn run(
    settings: &Settings,
    as_json: bool,
    since: Option<Timestamp>,
    out: &Path,
) -> anyhow::Result<Verdict> {
    output::make_folder(out)?;
    let kept = Kept::read(settings, since).await?;
    let told = kept.past.judged.iter().filter_map(|judged| kept.told(judged));
    let pairs: Vec<Pair<'_>> = told
        .map(|told| Pair { record: record(&told, &kept.cleaning(told.judged)), told })
        .collect();
    let beside_other = other_bot::figures(&kept.past);
    anyhow::ensure!(
        !pairs.is_empty() || !beside_other.is_empty(),
        "nobody has said or done anything after a decision since then"
    );
    let agreement = [agreement(&pairs), beside_other].concat();
    let records: Vec<Record> = pairs.into_iter().map(|pair| pair.record).collect();
    let mut summary = summarise(&records);
    // The articles of a right draft are known from the draft alone, which says nothing of the search.
    leave_out_articles(&mut summary);
    summary.figures.splice(0..0, agreement);
    let provenance = provenance(settings, since, (kept.past.judged.len(), records.len()));
    let document = summary.to_json(&provenance);
    let about = About {
        title: format!("Shadow of {}", short_name(&settings.root)),
        generated_by: concat!("frontdesk ", env!("CARGO_PKG_VERSION")).to_string(),
        provenance,
        threshold: Some(settings.config.answers.threshold),
    };
    write_results(out, &records)?;
    output::file(&out.join("summary.json"), &serde_json::to_string_pretty(&document)?)?;
    let page = evals::report::render(&report(&records, &summary, about, Against::default()))?;
    output::file(&out.join("report.html"), &page)?;
    if as_json {
        output::json(&document)?;
    } else {
        show(&summary)?;
        output::line(format!("written: {}", out.display()))?;
    }
    Ok(Verdict::Yes)
}

fn provenance(
    settings: &Settings,
    since: Option<Timestamp>,
    (n_decisions, n_judged): (usize, usize),
) -> Vec<(String, String)> {
    let since = since.map_or_else(|| "the beginning".to_string(), |since| since.to_string());
    [
        ("version", env!("CARGO_PKG_VERSION").to_string()),
        ("desk", settings.root.display().to_string()),
        ("since", since),
        ("decisions", n_decisions.to_string()),
        ("with a person's word", n_judged.to_string()),
    ]
    .map(|(name, value)| (name.to_string(), value))
    .to_vec()
}

/// Writes a decision down as one of an eval; where the bot had to keep silent, what it would have
/// done counts.
fn record(told: &Told<'_>, clean: &dyn Fn(&str) -> String) -> Record {
    let Told { judged, recalled, said, .. } = told;
    let decided = &judged.decided.decided;
    let would = |name: &str| decided.trace.get(name).and_then(Value::as_str).map(str::to_string);
    let act = would("act").unwrap_or_else(|| decided.act.clone());
    let team = would("team").or_else(|| decided.team.as_ref().map(ToString::to_string));
    let mut sources: Vec<String> = Vec::new();
    for source in &decided.sources {
        if !sources.contains(&source.article) {
            sources.push(source.article.clone());
        }
    }
    let basis = decided.basis.clone().unwrap_or_default();
    let cited = |source: &store::Source| Cited {
        article: source.article.clone(),
        quote: source.quote.clone(),
    };
    let answer = said.expect.answer.as_deref().map(clean);
    let (search, draft) = basis.took_ms;
    Record {
        id: judged.decided.id.to_string(),
        sent: act == "reply" && would("text").is_none(),
        act,
        confidence: decided.confidence,
        articles: basis.articles.into_iter().map(|article| article.id).collect(),
        text: decided.draft.as_deref().map(clean).unwrap_or_default(),
        sources,
        team,
        topic: decided.topic.clone(),
        timings_ms: Stages { meaning: 0.0, search, draft, total: decided.took_ms },
        tokens: None,
        question: clean(recalled.question().last()),
        expect: evals::Expect { answer, ..said.expect.clone() },
        tags: vec![format!("by:{}", said.by), format!("channel:{}", judged.course.record.channel)],
        citations: decided.sources.iter().map(cited).collect(),
        reasons: decided.reasons.clone(),
        evidence: basis.evidence.into_iter().collect::<BTreeMap<_, _>>(),
        trace: Value::Null,
        source: String::new(),
        similarity: None,
        key: String::new(),
    }
}

/// Measures how often bot and people did the same.
fn agreement(pairs: &[Pair<'_>]) -> Vec<Figure> {
    let of = |holds: &dyn Fn(&Pair<'_>) -> Option<bool>| {
        let flags: Vec<bool> = pairs.iter().filter_map(holds).collect();
        share(flags.iter().filter(|flag| **flag).count(), flags.len())
    };
    let f1 = |pair: &Pair<'_>| {
        let written = pair.told.followed.sent.as_deref().or(pair.told.followed.reply.as_deref())?;
        token_f1(pair.told.judged.decided.decided.draft.as_deref()?, written)
    };
    let same_team = of(&|pair| {
        let people = pair.told.followed.team.as_ref()?;
        Some(pair.record.team.as_deref()? == people.as_str())
    });
    let alike = of(&|pair| f1(pair).filter(|_| pair.record.sent).map(|f1| f1 >= ALIKE));
    let approved =
        of(&|pair| pair.told.judged.label.as_ref().map(|l| l.verdict == store::Verdict::Approved));
    // A rating is for an episode, however many decisions were made in it.
    let mut rated = HashMap::new();
    for pair in pairs {
        let decided = &pair.told.judged.decided;
        let stars =
            pair.told.followed.stars.map(|stars| ((decided.conversation, decided.episode), stars));
        rated.extend(stars);
    }
    let rated = share(rated.values().filter(|stars| **stars >= 4).count(), rated.len());
    let values: Vec<f64> = pairs.iter().filter_map(f1).collect();
    [
        (
            Unit::Share,
            "same_team",
            "of the handoffs that people had, those to the team that had them",
            same_team,
        ),
        (
            Unit::Share,
            "alike_replies",
            "of the replies that a person wrote too, those that share half of the words",
            alike,
        ),
        (
            Unit::Score,
            "draft_agreement",
            "words shared by draft and what a person wrote (F1)",
            mean(&values, Resampling::default()),
        ),
        (Unit::Share, "approved", "of the drafts with a label, those sent as they were", approved),
        (Unit::Share, "rated_well", "of the rated conversations, those with 4 or 5 stars", rated),
    ]
    .into_iter()
    .filter_map(|(unit, name, meaning, estimate)| {
        let (name, meaning) = (name.to_string(), meaning.to_string());
        Some(Figure { name, meaning, unit, estimate: estimate? })
    })
    .collect()
}
