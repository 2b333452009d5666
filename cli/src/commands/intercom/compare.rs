//! `frontdesk intercom compare`: what the bot would have done beside what people did then.

use crate::{Verdict, output, settings::Settings};
use evals::measures::token_f1;
use jiff::Timestamp;
use router::{Owner, Slug};
use serde_json::{Value, json};
use std::{collections::BTreeMap, path::Path};
use store::{Actor, Content, Decided, Entry, Page, Record, Store};

/// Decisions that are read at a time.
const PER_PAGE: u32 = 500;

/// A draft that shares at least this much of its words with what a person wrote counts as alike.
const ALIKE: f64 = 0.5;

/// A decision beside what people did.
struct Pair {
    decided: Decided,
    /// How Intercom names the conversation.
    conversation: Option<String>,
    /// What a person wrote next.
    reply: Option<String>,
    /// The team that people gave it to next, or that had it when a person answered.
    team: Option<Slug>,
}

pub(super) async fn run(
    settings: &Settings,
    as_json: bool,
    since: Timestamp,
    out: Option<&Path>,
) -> anyhow::Result<Verdict> {
    if let Some(out) = out {
        output::may_write(out)?;
    }
    let store = Store::open(&settings.store_url()).await?;
    let pairs = pairs(&store, since).await;
    store.close().await;
    let pairs = pairs?;
    if let Some(out) = out {
        let lines: String = pairs.iter().map(|pair| format!("{}\n", pair.to_json())).collect();
        output::file(out, &lines)?;
    }
    let counts = Counts::of(&pairs);
    if as_json {
        let mut document = counts.to_json();
        document["since"] = json!(since.to_string());
        document["decisions"] = Value::Array(pairs.iter().map(Pair::to_json).collect());
        output::json(&document)?;
        return Ok(Verdict::Yes);
    }
    counts.show()?;
    if let Some(out) = out {
        output::line(format!("written: {}", out.display()))?;
    }
    Ok(Verdict::Yes)
}

/// Reads the decisions about conversations of Intercom since a moment, newest first.
async fn pairs(store: &Store, since: Timestamp) -> anyhow::Result<Vec<Pair>> {
    let mut pairs = Vec::new();
    let mut page = Page { before: None, limit: PER_PAGE };
    loop {
        let decisions = store.all_decisions(&page).await?;
        let n_read = decisions.len();
        page.before = decisions.last().map(|last| last.id.to_string());
        let mut is_over = n_read < PER_PAGE as usize;
        for decided in decisions {
            // Ids follow the time at which they were made.
            if decided.at < since {
                is_over = true;
                continue;
            }
            let record = store.conversation(decided.conversation).await?;
            if record.channel.starts_with("intercom") {
                pairs.push(pair(store, decided, &record).await?);
            }
        }
        if is_over {
            return Ok(pairs);
        }
    }
}

async fn pair(store: &Store, decided: Decided, record: &Record) -> anyhow::Result<Pair> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut after = decided.about;
    loop {
        let more = store.timeline(record.id, after, PER_PAGE).await?;
        let Some(last) = more.last() else { break };
        after = last.number;
        entries.extend(more);
    }
    let entries = entries.into_iter().filter(|entry| entry.episode == decided.episode);
    let (mut reply, mut team) = (None, None);
    for entry in entries {
        match entry.content {
            Content::Teammate { text, .. } if reply.is_none() => reply = Some(text),
            Content::Event { by: Actor::Teammate(_), what, detail }
                if matches!(what.as_str(), "handed_off" | "assigned") =>
            {
                let named = detail.get("team").and_then(Value::as_str);
                let named = named.and_then(|team| Slug::try_from(team.to_string()).ok());
                team = team.or(named);
            }
            _ => {}
        }
    }
    if team.is_none() && reply.is_some() {
        team = match record.state.owner() {
            Owner::Team(team) | Owner::Teammate { team, .. } => Some(team.clone()),
            Owner::Bot => None,
        };
    }
    Ok(Pair { conversation: record.external_id.clone(), decided, reply, team })
}

impl Pair {
    /// Whether the bot would have sent its draft.
    fn would_reply(&self) -> bool {
        self.decided.decided.act == "reply"
    }

    fn f1(&self) -> Option<f64> {
        token_f1(self.decided.decided.draft.as_deref()?, self.reply.as_deref()?)
    }

    fn to_json(&self) -> Value {
        let decision = &self.decided.decided;
        json!({
            "decision": self.decided.id.to_string(),
            "conversation": self.conversation,
            "at": self.decided.at.to_string(),
            "act": decision.act,
            "confidence": decision.confidence,
            "topic": decision.topic,
            "team": decision.team.as_ref().map(Slug::as_str),
            "team_of_people": self.team.as_ref().map(Slug::as_str),
            "draft": decision.draft,
            "reply_of_people": self.reply,
            "f1": self.f1(),
        })
    }
}

/// How often the bot and people did the same.
#[derive(Default)]
struct Counts {
    n: usize,
    acts: BTreeMap<String, usize>,
    same_team: usize,
    other_team: usize,
    replied: usize,
    replied_alike: usize,
    drafts: Vec<f64>,
    nobody: usize,
}

impl Counts {
    fn of(pairs: &[Pair]) -> Self {
        let mut counts = Self { n: pairs.len(), ..Self::default() };
        for pair in pairs {
            *counts.acts.entry(pair.decided.decided.act.clone()).or_default() += 1;
            if let Some((bots, people)) = pair.decided.decided.team.as_ref().zip(pair.team.as_ref())
            {
                if bots == people {
                    counts.same_team += 1;
                } else {
                    counts.other_team += 1;
                }
            }
            counts.nobody += usize::from(pair.reply.is_none());
            let Some(f1) = pair.f1() else { continue };
            counts.drafts.push(f1);
            if pair.would_reply() {
                counts.replied += 1;
                counts.replied_alike += usize::from(f1 >= ALIKE);
            }
        }
        counts
    }

    fn mean_f1(&self) -> Option<f64> {
        let n = self.drafts.len();
        (n > 0).then(|| self.drafts.iter().sum::<f64>() / n as f64)
    }

    fn to_json(&self) -> Value {
        json!({
            "n": self.n, "acts": self.acts,
            "same_team": self.same_team, "other_team": self.other_team,
            "replies_beside_a_person": self.replied, "replies_alike": self.replied_alike,
            "drafts_beside_a_person": self.drafts.len(), "mean_f1": self.mean_f1(),
            "no_person_answered": self.nobody,
        })
    }

    fn show(&self) -> anyhow::Result<()> {
        if self.n == 0 {
            return output::line("no decision about a conversation of Intercom since then");
        }
        output::line(format!("{:>6}  decisions", self.n))?;
        for (act, n) in &self.acts {
            output::line(format!("{n:>6}    {act}"))?;
        }
        output::line(format!("{:>6}  to the team that people chose", self.same_team))?;
        output::line(format!("{:>6}  to another team", self.other_team))?;
        output::line(format!(
            "{:>6}  replies that a person answered too; {} share half of their words or more",
            self.replied, self.replied_alike
        ))?;
        let mean =
            self.mean_f1().map_or(String::new(), |f1| format!("; token F1 {f1:.2} on average"));
        output::line(format!("{:>6}  drafts beside a person's reply{mean}", self.drafts.len()))?;
        output::line(format!("{:>6}  that no person has answered", self.nobody))?;
        output::line(
            "Words alike are no proof of a right answer, nor others of a wrong one: read the pairs (-o FILE).",
        )
    }
}
