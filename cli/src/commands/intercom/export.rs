//! `frontdesk intercom export`: which conversations there are is asked first and noted; then each is
//! read and written as a line. A run that was killed goes on behind the last whole line.

mod lines;

use self::lines::Lines;
use super::{case::Cases, sharing_client, wait_out};
use crate::{Verdict, known, output, progress::counted, settings::Settings};
use anyhow::Context;
use evals::redact::Redactor;
use intercom::{
    ApiError, Class, Client, Directory,
    export::{Listed, Listing, Past, read},
    wire::ExternalId,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{
    collections::{BTreeMap, BTreeSet},
    fs::{self, File},
    path::{Path, PathBuf},
};

/// Conversations that are read at the same time.
const AT_ONCE: usize = 8;

/// How often what changed while the list was read is looked for again.
const MOST_LISTINGS: usize = 5;

/// How far back such a look goes: the clocks differ, and searches lag behind what happened.
const OVERLAP: SignedDuration = SignedDuration::from_secs(60);

/// What is wanted.
pub(super) struct Wanted {
    pub(super) since: Timestamp,
    pub(super) until: Option<Timestamp>,
    pub(super) out: PathBuf,
    pub(super) keep_personal: bool,
}

/// Conversations in a row that cannot be read, after which it is not they that are at fault.
const MOST_UNREADABLE: usize = 3 * AT_ONCE;

/// What a run that was killed was asked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Asked {
    since: Timestamp,
    until: Option<Timestamp>,
    keep_personal: bool,
    /// The workspace, and the seat by which Frontdesk is told from people there.
    workspace: Option<String>,
    seat: Option<ExternalId>,
}

/// What it had found out.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    asked: Asked,
    listed: Vec<ExternalId>,
    n_unlisted: usize,
}

pub(super) async fn run(
    settings: &Settings,
    as_json: bool,
    wanted: &Wanted,
) -> anyhow::Result<Verdict> {
    anyhow::ensure!(
        wanted.until.is_none_or(|until| until > wanted.since),
        "--until lies before --since; name a later day"
    );
    output::make_folder(&wanted.out)?;
    let (client, store) = sharing_client(settings).await?;
    let outcome = export(settings, &client, wanted).await;
    store.close().await;
    let Exported { file, n_written, n_skipped, n_before, n_unreadable } = outcome?;
    if as_json {
        let file = file.map(|file| file.display().to_string());
        output::json(&json!({
            "file": file, "cases": n_written, "skipped": n_skipped, "before": n_before,
            "redacted": !wanted.keep_personal, "unreadable": n_unreadable,
        }))?;
        return Ok(Verdict::Yes);
    }
    if n_unreadable > 0 {
        output::line(format!("{n_unreadable} conversations could not be read, and are left out"))?;
    }
    let Some(file) = file else {
        output::line("no conversation changed then in which a customer said anything")?;
        return Ok(Verdict::Yes);
    };
    let redacted = if wanted.keep_personal { "with personal data" } else { "redacted" };
    output::line(format!(
        "{n_written} cases, {redacted}; {n_skipped} conversations without a question"
    ))?;
    output::line(format!("written: {}", file.display()))?;
    Ok(Verdict::Yes)
}

struct Exported {
    /// None: there was nothing to write.
    file: Option<PathBuf>,
    n_written: usize,
    n_skipped: usize,
    /// Of those written, what an earlier run had done.
    n_before: usize,
    n_unreadable: usize,
}

async fn export(settings: &Settings, client: &Client, wanted: &Wanted) -> anyhow::Result<Exported> {
    let file = wanted.out.join(format!("intercom-{}.jsonl", span(wanted)));
    let (part, note) = (file.with_extension("jsonl.part"), file.with_extension("todo"));
    let mut lines = Lines::open(&part)?;
    let asked = asked(settings, client, wanted).await?;
    let noted = match noted(&note, &asked) {
        Some(noted) => noted,
        None => {
            // Lines of another run with other wishes would stand among these.
            lines.empty()?;
            let (listed, n_unlisted) = list(client, wanted).await?;
            let noted = Noted { asked, listed, n_unlisted };
            write_note(&note, &noted)?;
            noted
        }
    };
    let done = lines.known()?;
    let n_before = done.len();
    let Noted { asked, listed, n_unlisted } = noted;
    let todo: Vec<ExternalId> =
        listed.into_iter().filter(|id| !done.contains(&format!("intercom-{id}"))).collect();
    if n_before > 0 {
        eprintln!("going on: {n_before} conversations are there, {} are left", todo.len());
    }
    let cases = cases(settings, client, wanted.keep_personal).await?;
    let read = read_all(client, (&todo, n_before, asked.seat.as_ref()), &cases, &mut lines).await?;
    let n_written = lines.n_added + n_before;
    let n_unreadable = read.n_unreadable + n_unlisted;
    anyhow::ensure!(
        n_written > 0 || n_unreadable == 0,
        "none of the conversations can be read; see `frontdesk intercom connect`"
    );
    let file = (n_written > 0).then_some(file);
    lines.finish(file.as_deref())?;
    fs::remove_file(&note)?;
    Ok(Exported { file, n_written, n_skipped: read.n_skipped, n_before, n_unreadable })
}

#[derive(Default)]
struct Counted {
    /// Without a question.
    n_skipped: usize,
    n_unreadable: usize,
}

/// Reads conversations and writes a line for each. One that cannot be read is named and passed over;
/// when none can any more, it is not worth going on.
async fn read_all(
    client: &Client,
    (todo, n_before, bot): (&[ExternalId], usize, Option<&ExternalId>),
    cases: &Cases,
    lines: &mut Lines,
) -> anyhow::Result<Counted> {
    let bar = counted("conversations", (n_before + todo.len()) as u64);
    bar.set_position(n_before as u64);
    let (mut counted, mut n_in_a_row) = (Counted::default(), 0);
    for some in todo.chunks(AT_ONCE) {
        let reading: Vec<_> = some
            .iter()
            .map(|id| tokio::spawn(read_patiently(client.clone(), id.clone(), bot.cloned())))
            .collect();
        for (id, one) in some.iter().zip(reading) {
            match one.await? {
                Ok(past) => {
                    n_in_a_row = 0;
                    match past {
                        Some(past) => lines.add(&cases.line(&past))?,
                        None => counted.n_skipped += 1,
                    }
                }
                Err(failure) => {
                    n_in_a_row += 1;
                    // Or else it is the workspace that does not answer.
                    let is_over = client.me().await.is_err() || n_in_a_row >= MOST_UNREADABLE;
                    if is_over {
                        let again = "run the same command again to go on from here";
                        return Err(failure).with_context(|| format!("conversation {id}; {again}"));
                    }
                    counted.n_unreadable += 1;
                    bar.suspend(|| eprintln!("conversation {id} is left out: {failure}"));
                }
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    Ok(counted)
}

async fn asked(settings: &Settings, client: &Client, wanted: &Wanted) -> anyhow::Result<Asked> {
    let client = client.of_class(Class::Background);
    let me = patiently(async || client.me().await).await?;
    let Wanted { since, until, keep_personal, .. } = wanted;
    Ok(Asked {
        since: *since,
        until: *until,
        keep_personal: *keep_personal,
        workspace: me.app.id_code,
        seat: ExternalId::parse(&settings.config.intercom.admin_id),
    })
}

/// Names a stretch of time in a file's name, and what is in it that others may not read.
fn span(wanted: &Wanted) -> String {
    let name = |at: Timestamp| {
        let text = at.to_string();
        let day = text.strip_suffix("T00:00:00Z").unwrap_or(&text);
        day.replace(':', "")
    };
    let until = wanted.until.map_or(String::new(), |until| format!("-until-{}", name(until)));
    let personal = if wanted.keep_personal { "-personal" } else { "" };
    format!("{}{until}{personal}", name(wanted.since))
}

fn noted(note: &Path, asked: &Asked) -> Option<Noted> {
    let noted: Noted = serde_json::from_slice(&fs::read(note).ok()?).ok()?;
    (noted.asked == *asked).then_some(noted)
}

fn write_note(path: &Path, noted: &Noted) -> anyhow::Result<()> {
    let beside = path.with_extension("todo.part");
    fs::write(&beside, serde_json::to_vec(noted)?)?;
    File::open(&beside)?.sync_all()?;
    fs::rename(&beside, path).with_context(|| path.display().to_string())
}

/// Lists the conversations, oldest id first, and counts what is listed unreadably. What changes while the list is read leaves its place in
/// it, so that is looked for again until nothing new comes.
async fn list(client: &Client, wanted: &Wanted) -> anyhow::Result<(Vec<ExternalId>, usize)> {
    let bar = counted("listing", 0);
    let (mut listed, mut n_unlisted) = (BTreeSet::new(), 0);
    let mut since = wanted.since;
    for _ in 0..MOST_LISTINGS {
        let (began, n_before) = (known::now(), listed.len());
        let mut listing = Listing::new(client, since, wanted.until);
        let mut n_unread = 0;
        while let Some(page) = next_page(&mut listing).await? {
            n_unread += page.n_unreadable;
            listed.extend(page.ids);
            bar.set_length(page.n_all.unwrap_or_default().max(listed.len() as u64));
            bar.set_position(listed.len() as u64);
        }
        // Every further look finds some of them again.
        n_unlisted = n_unread.max(n_unlisted);
        if wanted.until.is_some() || listed.len() == n_before {
            break;
        }
        since = began.saturating_sub(OVERLAP).unwrap_or(wanted.since);
    }
    bar.finish_and_clear();
    let mut listed: Vec<ExternalId> = listed.into_iter().collect();
    listed.sort_by_key(|id| (id.as_str().len(), id.to_string()));
    Ok((listed, n_unlisted))
}

async fn next_page(listing: &mut Listing) -> anyhow::Result<Option<Listed>> {
    let mut n_tried = 0;
    loop {
        match listing.next().await {
            Err(failure) if wait_out(&failure, n_tried).await.is_some() => n_tried += 1,
            page => return page.context("the conversations cannot be listed"),
        }
    }
}

/// Asks again while what went wrong may pass.
async fn patiently<T>(call: impl AsyncFn() -> Result<T, ApiError>) -> Result<T, ApiError> {
    let mut n_tried = 0;
    loop {
        match call().await {
            Err(failure) if wait_out(&failure, n_tried).await.is_some() => n_tried += 1,
            done => return done,
        }
    }
}

async fn read_patiently(
    client: Client,
    id: ExternalId,
    bot: Option<ExternalId>,
) -> Result<Option<Past>, ApiError> {
    let mut n_tried = 0;
    loop {
        match read(&client, &id, bot.as_ref()).await {
            Err(failure) if wait_out(&failure, n_tried).await.is_some() => n_tried += 1,
            read => return read,
        }
    }
}

async fn cases(settings: &Settings, client: &Client, personal: bool) -> anyhow::Result<Cases> {
    let client = client.of_class(Class::Background);
    let teams = patiently(async || client.teams().await).await?;
    let admins = patiently(async || client.admins().await).await?;
    let bot = ExternalId::parse(&settings.config.intercom.admin_id).unwrap_or(ExternalId::from(0));
    let directory = Directory::new(&settings.playbook.policy, &teams, &admins, &bot);
    let redactor = if personal { None } else { Some(Redactor::new()?) };
    let names = admins.into_iter().filter(|admin| admin.id != bot);
    let names: BTreeMap<ExternalId, String> =
        names.filter_map(|admin| Some((admin.id, admin.name?.as_str().to_string()))).collect();
    Ok(Cases { directory, redactor, names })
}
