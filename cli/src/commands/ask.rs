use crate::{Verdict, args, assembly, known, output, settings::Settings};
use anyhow::Context;
use bot::{Answer, Inquiry, Library, Question};
use router::{Act, Author, Message, Policy, Priority, Reply, Slug};
use serde::Deserialize;
use serde_json::{Map, Value, json};
use std::path::Path;

pub(crate) async fn run(
    settings: Settings,
    as_json: bool,
    wanted: args::Ask,
) -> anyhow::Result<Verdict> {
    let mut turns = match &wanted.history {
        Some(file) => read_history(file)?,
        None => Vec::new(),
    };
    turns.push(Message { author: Author::Customer, text: wanted.question });
    let desk = assembly::desk(settings).await?;
    let context = known::context(desk.policy(), &wanted.known)?;
    ensure_index(desk.library()).await?;
    let question = Question::after(turns);
    let inquiry = Inquiry { question, reader: wanted.known.reader.into(), context };
    let answer = desk.answer(&inquiry).await;
    if as_json {
        output::json(&as_document(&answer, desk.policy()))?;
    } else {
        output::line(as_text(&answer, desk.policy(), wanted.explain))?;
    }
    Ok(Verdict::Yes)
}

/// Builds the index when there is none that can be used, so that a first question needs no other
/// command.
pub(crate) async fn ensure_index(library: &Library) -> anyhow::Result<()> {
    use knowledge::Error::{Absent, Corrupt, OtherEmbedder};
    match library.knowledge() {
        Ok(_) => Ok(()),
        Err(bot::Error::Index(why @ (Absent { .. } | Corrupt { .. } | OtherEmbedder { .. }))) => {
            eprintln!("{why}; indexing the articles now");
            super::index::refresh(library).await.map(drop)
        }
        Err(failure) => Err(failure.into()),
    }
}

/// What the customer or, where a team takes over, a teammate reads.
pub(crate) fn as_text(answer: &Answer, policy: &Policy, explain: bool) -> String {
    let mut text = String::new();
    match answer.decision.act() {
        Act::Reply(Reply::Draft) => {}
        Act::Reply(Reply::Canned(_)) | Act::Clarify(_) | Act::Offer => {
            text.push_str(&told(answer));
            text.push('\n');
        }
        Act::HandOff { team, teammate, priority } => {
            text.push_str(&format!("→ {} takes over", team_name(policy, team)));
            if let Some(teammate) = teammate {
                text.push_str(&format!(", {teammate} in person"));
            }
            if *priority != Priority::Normal {
                text.push_str(&format!(", priority {}", priority.name()));
            }
            match told(answer).as_str() {
                "" => text.push_str("\n→ the customer reads nothing\n"),
                told => text.push_str(&format!("\n→ the customer reads: {told}\n")),
            }
        }
        Act::DraftOnly { team } => {
            text.push_str(&format!("→ a draft for {}\n", team_name(policy, team)));
        }
        Act::Hold => text.push_str("→ nothing is sent\n"),
        Act::Ignore => text.push_str("→ nothing is done\n"),
        Act::Resolve => {
            let told = told(answer);
            text.push_str(&format!("{told}\n→ the conversation is done\n"));
        }
    }
    if let Some(draft) = shown(answer) {
        let sent = *answer.decision.act() == Act::Reply(Reply::Draft);
        if !sent {
            text.push_str(&format!("\n{}\n", output::strong("Draft, not sent")));
        }
        text.push_str(&draft.text);
        text.push_str("\n\n");
        text.push_str(&sources(draft));
    }
    text.push_str(&format!("\nConfidence {:.2}", answer.confidence.value()));
    for reason in answer.decision.reasons() {
        text.push_str(&format!("\nBecause {reason}"));
    }
    if explain {
        text.push_str(&explanation(answer));
    }
    text.trim().to_string()
}

/// The draft that somebody is to read: whoever is asked back has not been answered yet.
fn shown(answer: &Answer) -> Option<&bot::Draft> {
    let instead = matches!(
        answer.decision.act(),
        Act::Reply(Reply::Canned(_)) | Act::Clarify(_) | Act::Ignore | Act::Resolve
    );
    answer.draft.as_ref().filter(|_| !instead)
}

pub(crate) fn team_name<'a>(policy: &'a Policy, slug: &'a Slug) -> &'a str {
    policy.team(slug).map_or(slug.as_str(), |team| team.name.as_str())
}

fn sources(draft: &bot::Draft) -> String {
    let mut text = String::new();
    let mut named: Vec<&str> = Vec::new();
    for (number, citation) in draft.citations.iter().enumerate() {
        if named.contains(&citation.article.as_str()) {
            continue;
        }
        named.push(&citation.article);
        let place = citation.url.as_deref().unwrap_or(&citation.article);
        text.push_str(&format!("[{}] {} ({place})\n", number + 1, citation.title));
    }
    text
}

fn explanation(answer: &Answer) -> String {
    let mut text = format!("\n\n{}\n", output::strong("What the confidence rests on (log-odds)"));
    for part in &answer.contributions {
        text.push_str(&format!("{:+.2}  {} = {:.3}\n", part.log_odds, part.name, part.value));
    }
    text.push_str(&format!("\n{}\n", output::strong("Articles found, best first")));
    for article in answer.articles.iter().take(10) {
        text.push_str(&format!("{article}\n"));
    }
    if let Some(why) = answer.draft.as_ref().and_then(|draft| draft.put_aside.as_ref()) {
        text.push_str(&format!("\nThe written draft was put aside: {why}\n"));
    }
    let t = answer.timings;
    text.push_str(&format!(
        "\nsearch {:.1} ms, draft {:.1} ms, in all {:.1} ms",
        t.search_ms, t.draft_ms, t.total_ms
    ));
    text
}

/// The answer as the command line's contract names its parts.
fn as_document(answer: &Answer, policy: &Policy) -> Value {
    let act = answer.decision.act();
    let draft = shown(answer);
    let sources: Vec<Value> = draft
        .map_or(&[][..], |draft| draft.citations.as_slice())
        .iter()
        .map(|c| json!({"article": c.article, "title": c.title, "url": c.url, "heading": c.heading.join(" > "), "quote": c.quote}))
        .collect();
    let evidence: Map<String, Value> =
        answer.evidence.iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
    let text = match act {
        Act::Clarify(_) | Act::Reply(Reply::Canned(_)) => told(answer),
        _ => draft.map_or_else(String::new, |draft| draft.text.clone()),
    };
    json!({
        "act": act.name(),
        "text": text,
        "sources": sources,
        "confidence": answer.confidence.value(),
        "team": act.team().map(router::Slug::as_str),
        "topic": answer.noticed.topic.as_ref().map(|(topic, _)| topic),
        "message": answer.message.as_ref().map(ToString::to_string),
        "trace": answer.trace(policy),
        "reasons": answer.decision.reasons().iter().map(ToString::to_string).collect::<Vec<_>>(),
        "evidence": evidence,
        "timings_ms": {
            "search": answer.timings.search_ms,
            "draft": answer.timings.draft_ms,
            "total": answer.timings.total_ms,
        },
        "articles": answer.articles,
        "drafter": draft.map(|draft| draft.drafter),
        "put_aside": draft.and_then(|draft| draft.put_aside.clone()),
    })
}

/// Reads earlier messages: a JSON array, or one JSON object a line.
fn read_history(file: &Path) -> anyhow::Result<Vec<Message>> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        author: Name,
        text: String,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Name {
        Customer,
        Bot,
        Teammate,
    }
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let lines: Vec<Line> = if text.trim_start().starts_with('[') {
        serde_json::from_str(&text).with_context(|| file.display().to_string())?
    } else {
        let numbered = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
        numbered
            .map(|(number, line)| {
                serde_json::from_str(line)
                    .with_context(|| format!("{}:{}", file.display(), number + 1))
            })
            .collect::<anyhow::Result<_>>()?
    };
    let author = |name| match name {
        Name::Customer => Author::Customer,
        Name::Bot => Author::Bot,
        Name::Teammate => Author::Teammate,
    };
    Ok(lines.into_iter().map(|l| Message { author: author(l.author), text: l.text }).collect())
}

/// Returns what the customer reads, choices included.
fn told(answer: &Answer) -> String {
    answer.message.as_ref().map(ToString::to_string).unwrap_or_default()
}
