use crate::{
    directory::Directory,
    text,
    wire::{Attachment, Author, Conversation, ExternalId, Part, Private, Who},
};
use bot::{ByBot, Happened, Happening};
use jiff::Timestamp;
use router::Slug;
use serde_json::json;
use std::collections::BTreeSet;

/// How conversations are delivered that nobody began by hand.
const BY_ITSELF: [&str; 3] = ["campaigns_initiated", "operator_initiated", "automated"];

/// What Intercom calls the first message of a conversation, for the ledger.
pub(crate) fn source_name(conversation: &ExternalId) -> String {
    format!("source:{conversation}")
}

/// What Intercom calls a part, for the ledger.
pub(crate) fn part_name(part: &ExternalId) -> String {
    format!("part:{part}")
}

/// Reads what happened in a conversation, oldest first, also what the bot did itself; what has been
/// taken away is left out.
pub(crate) fn happenings(conversation: &Conversation, directory: &Directory) -> Vec<Happening> {
    let began = conversation.created_at.unwrap_or(Timestamp::UNIX_EPOCH);
    let mut all: Vec<Happening> = Vec::new();
    if let Some(source) = conversation.source.as_ref().filter(|source| !source.redacted) {
        let written = words(source.body.as_ref(), &source.attachments);
        let page = source.url.as_ref().map(|url| url.as_str().to_string());
        let said = source
            .author
            .as_ref()
            .and_then(|author| said(author, written, page, (conversation, directory)));
        let name = source_name(&conversation.id);
        all.extend(said.map(|what| Happening { name, at: began, what }));
    }
    let mut parts: Vec<&Part> = conversation.parts.parts.iter().collect();
    parts.sort_by_key(|part| (part.created_at, number(&part.id)));
    for part in parts {
        let at = part.created_at.unwrap_or(began);
        let names = [part_name(&part.id), format!("{}:done", part_name(&part.id))];
        let what = happened(part, conversation, directory);
        all.extend(names.into_iter().zip(what).map(|(name, what)| Happening { name, at, what }));
    }
    all.extend(rated(conversation));
    all
}

/// Returns how many of a conversation's happenings are known for certain to be behind: those up to
/// the last one that `taken` names.
pub(crate) fn n_behind(happenings: &[Happening], taken: &BTreeSet<String>) -> usize {
    let last = happenings.iter().rposition(|happening| taken.contains(&happening.name));
    last.map_or(0, |last| last + 1)
}

/// Whether a happening at a place counts for nothing, although no name of it is known: names of what
/// the bot did were lost with answers, and older releases noted none of what opened or freed a
/// conversation. Every look sees the whole, so what stands before something known has had its effect.
pub(crate) fn is_void(happening: &Happening, place: usize, n_behind: usize) -> bool {
    let may_be = matches!(
        happening.what,
        Happened::ByBot(_) | Happened::Reopened { .. } | Happened::Freed { .. }
    );
    may_be && place < n_behind
}

/// Returns who of the workspace has a conversation now; None: the bot, a team or nobody.
pub(crate) fn held_by(conversation: &Conversation, directory: &Directory) -> Option<(Slug, Slug)> {
    let admin = conversation.admin_assignee_id.as_ref().filter(|id| *id != directory.bot())?;
    Some((team_of(conversation, directory), directory.teammate_here(admin)))
}

/// Whether a part is what the bot did: said from its seat.
pub(crate) fn is_own(part: &Part, directory: &Directory) -> bool {
    part.author.as_ref().is_some_and(|author| {
        author.kind == Who::Admin && author.id.as_ref() == Some(directory.bot())
    })
}

/// Reads what a part says and then what it does; one part can do both.
fn happened(part: &Part, conversation: &Conversation, directory: &Directory) -> Vec<Happened> {
    let Some(author) = part.author.as_ref() else { return Vec::new() };
    if is_own(part, directory) {
        return done_by_bot(part, (conversation, directory)).into_iter().collect();
    }
    let by = match (&author.kind, &author.id) {
        (Who::Admin, Some(id)) if !author.from_ai_agent => Some(directory.teammate_here(id)),
        _ => None,
    };
    let written = match part.redacted {
        true => None,
        false => words(part.body.as_ref(), &part.attachments),
    };
    let kind = part.part_type.as_str();
    // `note_and_reopen` and the like are notes, too.
    let told = match kind.starts_with("note") {
        true => written.zip(by.clone()).map(|(text, teammate)| Happened::Noted { teammate, text }),
        false => said(author, written, None, (conversation, directory)),
    };
    let team = || team_of(conversation, directory);
    let done = match kind {
        "close" => Some(Happened::Closed { by }),
        // Whoever writes opens it by that.
        "open" if told.is_none() => by.map(|by| Happened::Reopened { by, team: team() }),
        "snoozed" => {
            conversation.snoozed_until.zip(by).map(|(until, by)| Happened::Snoozed { by, until })
        }
        kind if kind.contains("assign") => assigned(part, by, (conversation, directory)),
        _ => None,
    };
    told.into_iter().chain(done).collect()
}

/// Reads what the bot did. Notes, buttons and a conversation that it took back count for nothing.
fn done_by_bot(
    part: &Part,
    (conversation, directory): (&Conversation, &Directory),
) -> Option<Happened> {
    let kind = part.part_type.as_str();
    let done = match kind {
        kind if kind.starts_with("note") => return None,
        "close" => ByBot::Closed,
        kind if kind.contains("assign") => {
            let to = part.assigned_to.as_ref()?;
            let id = to.id.as_ref().filter(|id| *id != directory.bot())?;
            match to.kind.as_str() {
                "team" => {
                    let team = directory.team_here(id).unwrap_or(directory.fallback()).clone();
                    ByBot::Gave { team, teammate: None }
                }
                "admin" => {
                    let teammate = Some(directory.teammate_here(id));
                    ByBot::Gave { team: team_of(conversation, directory), teammate }
                }
                _ => return None,
            }
        }
        _ if part.redacted => return None,
        _ => ByBot::Said { text: words(part.body.as_ref(), &part.attachments)? },
    };
    Some(Happened::ByBot(done))
}

fn said(
    author: &Author,
    written: Option<String>,
    page: Option<String>,
    (conversation, directory): (&Conversation, &Directory),
) -> Option<Happened> {
    let text = written?;
    let source = conversation.source.as_ref();
    let is_outbound = source.is_some_and(|source| {
        source.author.as_ref().is_some_and(|began| std::ptr::eq(began, author))
            && BY_ITSELF.contains(&source.delivered_as.as_str())
    });
    match (&author.kind, &author.id) {
        // Whoever lends a campaign their name has not taken the conversation over.
        (Who::Admin, _) if is_outbound => {
            let detail = json!({"as": source.map(|source| &source.delivered_as)});
            Some(Happened::Other { what: "outbound_message".into(), detail })
        }
        (kind, _) if kind.is_customer() => Some(Happened::Asked { text, page }),
        (Who::Admin, Some(id)) if !author.from_ai_agent => {
            if id == directory.bot() {
                return None;
            }
            let (team, teammate) = (team_of(conversation, directory), directory.teammate_here(id));
            Some(Happened::Answered { team, teammate, text })
        }
        _ => {
            let what = "other_bot_wrote".to_string();
            Some(Happened::Other { what, detail: json!({"ai": author.from_ai_agent}) })
        }
    }
}

/// Reads an assignment. Only people's count, and what takes it off somebody: who has it by a
/// workflow, [`held_by`] says.
fn assigned(
    part: &Part,
    by: Option<Slug>,
    (conversation, directory): (&Conversation, &Directory),
) -> Option<Happened> {
    let nobody = |by: Option<Slug>| {
        // Taken off the teammate who had it, it is the team's again.
        let is_free = conversation.admin_assignee_id.is_none();
        let team = team_of(conversation, directory);
        is_free.then_some(Happened::Freed { by, team })
    };
    let Some((to, id)) = part.assigned_to.as_ref().and_then(|to| Some((to, to.id.as_ref()?)))
    else {
        return nobody(by);
    };
    let by = by?;
    match to.kind.as_str() {
        "admin" if id == directory.bot() => Some(Happened::HandedBack { by }),
        "admin" => {
            let teammate = Some(directory.teammate_here(id));
            Some(Happened::Assigned { by, team: team_of(conversation, directory), teammate })
        }
        "team" => {
            let team = directory.team_here(id).unwrap_or(directory.fallback()).clone();
            Some(Happened::Assigned { by, team, teammate: None })
        }
        _ => None,
    }
}

/// Reads the stars, and the words that may come after them.
fn rated(conversation: &Conversation) -> Vec<Happening> {
    let Some(rating) = conversation.rating.as_ref() else { return Vec::new() };
    let stars = rating.rating.and_then(|stars| u8::try_from(stars).ok());
    let Some(stars) = stars else { return Vec::new() };
    // Not when anything last changed: that would be another rating each time.
    let at = rating.created_at.or(conversation.created_at).unwrap_or(Timestamp::UNIX_EPOCH);
    let comment = rating.remark.as_ref().map(|remark| remark.as_str().to_string());
    let comment = comment.filter(|comment| !comment.trim().is_empty());
    let name = format!("rating:{}:{}:{stars}", conversation.id, at.as_second());
    let remarked = comment.clone().map(|comment| Happening {
        name: format!("{name}:remark"),
        at,
        what: Happened::Remarked { stars, comment },
    });
    let rated = Happening { name, at, what: Happened::Rated { stars, comment } };
    [Some(rated), remarked].into_iter().flatten().collect()
}

fn team_of(conversation: &Conversation, directory: &Directory) -> Slug {
    let team = conversation.team_assignee_id.as_ref().and_then(|id| directory.team_here(id));
    team.unwrap_or(directory.fallback()).clone()
}

/// Returns what was written, with a word for each file that came along; None: nothing at all.
pub(crate) fn words(body: Option<&Private<String>>, attachments: &[Attachment]) -> Option<String> {
    let mut text = body.map(|body| text::to_text(body.as_str())).unwrap_or_default();
    for attachment in attachments {
        let name = attachment.name.as_ref().map_or("file", Private::as_str);
        text = format!("{}\n[{name}]", text.trim_end());
    }
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_string())
}

/// Returns an id as a number, so that 10 comes after 9; ids that are none come last.
pub(crate) fn number(id: &ExternalId) -> (u64, &str) {
    (id.as_str().parse().unwrap_or(u64::MAX), id.as_str())
}

#[cfg(test)]
mod tests;
