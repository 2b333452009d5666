//! `frontdesk intercom export`: which conversations there are is asked first and noted; then each is
//! read and written as a line. A run that was killed goes on behind the last whole line.

use super::{case::Cases, sharing_client, wait_out};
use crate::{Verdict, known, output, progress::counted, settings::Settings};
use anyhow::Context;
use evals::redact::Redactor;
use intercom::{
    ApiError, Class, Client, Directory,
    export::{Listing, Past, read},
    wire::ExternalId,
};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
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

/// What a run that was killed had found out.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Noted {
    since: Timestamp,
    until: Option<Timestamp>,
    keep_personal: bool,
    listed: Vec<ExternalId>,
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
    let Exported { file, n_written, n_skipped, n_before } = outcome?;
    if as_json {
        let file = file.map(|file| file.display().to_string());
        output::json(&json!({
            "file": file, "cases": n_written, "skipped": n_skipped, "before": n_before,
            "redacted": !wanted.keep_personal,
        }))?;
        return Ok(Verdict::Yes);
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
}

async fn export(settings: &Settings, client: &Client, wanted: &Wanted) -> anyhow::Result<Exported> {
    let file = wanted.out.join(format!("intercom-{}.jsonl", span(wanted)));
    let (part, note) = (file.with_extension("jsonl.part"), file.with_extension("todo"));
    let listed = match noted(&note, wanted) {
        Some(listed) => listed,
        None => {
            // Lines of another run with other wishes would stand among these.
            drop(fs::remove_file(&part));
            let listed = list(client, wanted).await?;
            let Wanted { since, until, keep_personal, .. } = wanted;
            let (since, until, keep_personal) = (*since, *until, *keep_personal);
            let noted = Noted { since, until, keep_personal, listed };
            write_note(&note, &noted)?;
            noted.listed
        }
    };
    let (mut lines, done) = Lines::open(&part)?;
    let n_before = done.len();
    let todo: Vec<ExternalId> =
        listed.into_iter().filter(|id| !done.contains(&format!("intercom-{id}"))).collect();
    if n_before > 0 {
        eprintln!("going on: {n_before} conversations are there, {} are left", todo.len());
    }
    let cases = cases(settings, client, wanted.keep_personal).await?;
    let bot = ExternalId::parse(&settings.config.intercom.admin_id);
    let bar = counted("conversations", (n_before + todo.len()) as u64);
    bar.set_position(n_before as u64);
    let mut n_skipped = 0;
    for some in todo.chunks(AT_ONCE) {
        let reading: Vec<_> = some
            .iter()
            .map(|id| tokio::spawn(read_patiently(client.clone(), id.clone(), bot.clone())))
            .collect();
        for one in reading {
            match one.await?.context("run the same command again to go on from here")? {
                Some(past) => lines.add(&cases.line(&past))?,
                None => n_skipped += 1,
            }
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    let n_written = lines.n_written + n_before;
    lines.file.sync_all()?;
    let is_empty = n_written == 0;
    if is_empty {
        fs::remove_file(&part)?;
    } else {
        fs::rename(&part, &file).with_context(|| file.display().to_string())?;
    }
    fs::remove_file(&note)?;
    let file = (!is_empty).then_some(file);
    Ok(Exported { file, n_written, n_skipped, n_before })
}

/// Names a stretch of time in a file's name.
fn span(wanted: &Wanted) -> String {
    let name = |at: Timestamp| {
        let text = at.to_string();
        let day = text.strip_suffix("T00:00:00Z").unwrap_or(&text);
        day.replace(':', "")
    };
    let until = wanted.until.map_or(String::new(), |until| format!("-until-{}", name(until)));
    format!("{}{until}", name(wanted.since))
}

fn noted(note: &Path, wanted: &Wanted) -> Option<Vec<ExternalId>> {
    let noted: Noted = serde_json::from_slice(&fs::read(note).ok()?).ok()?;
    let same = (noted.since, noted.until, noted.keep_personal)
        == (wanted.since, wanted.until, wanted.keep_personal);
    same.then_some(noted.listed)
}

fn write_note(path: &Path, noted: &Noted) -> anyhow::Result<()> {
    let beside = path.with_extension("todo.part");
    fs::write(&beside, serde_json::to_vec(noted)?)?;
    File::open(&beside)?.sync_all()?;
    fs::rename(&beside, path).with_context(|| path.display().to_string())
}

/// Lists the conversations, oldest id first. What changes while the list is read leaves its place in
/// it, so that is looked for again until nothing new comes.
async fn list(client: &Client, wanted: &Wanted) -> anyhow::Result<Vec<ExternalId>> {
    let bar = counted("listing", 0);
    let mut listed = BTreeSet::new();
    let mut since = wanted.since;
    for _ in 0..MOST_LISTINGS {
        let (began, n_before) = (known::now(), listed.len());
        let mut listing = Listing::new(client, since, wanted.until);
        let mut n_tried = 0;
        loop {
            match listing.next().await {
                Ok(Some((ids, n_all))) => {
                    n_tried = 0;
                    listed.extend(ids);
                    bar.set_length(n_all.unwrap_or_default().max(listed.len() as u64));
                    bar.set_position(listed.len() as u64);
                }
                Ok(None) => break,
                Err(failure) => match wait_out(&failure, n_tried).await {
                    Some(()) => n_tried += 1,
                    None => return Err(failure).context("the conversations cannot be listed"),
                },
            }
        }
        if wanted.until.is_some() || listed.len() == n_before {
            break;
        }
        since = began.saturating_sub(OVERLAP).unwrap_or(wanted.since);
    }
    bar.finish_and_clear();
    let mut listed: Vec<ExternalId> = listed.into_iter().collect();
    listed.sort_by_key(|id| (id.as_str().len(), id.to_string()));
    Ok(listed)
}

async fn read_patiently(
    client: Client,
    id: ExternalId,
    bot: Option<ExternalId>,
) -> Result<Option<Past>, ApiError> {
    let mut n_tried = 0;
    loop {
        match read(&client, &id, bot.as_ref()).await {
            Err(failure) => match wait_out(&failure, n_tried).await {
                Some(()) => n_tried += 1,
                None => return Err(failure),
            },
            read => return read,
        }
    }
}

async fn cases(settings: &Settings, client: &Client, personal: bool) -> anyhow::Result<Cases> {
    let client = client.of_class(Class::Background);
    let (teams, admins) = (client.teams().await?, client.admins().await?);
    let bot = ExternalId::parse(&settings.config.intercom.admin_id).unwrap_or(ExternalId::from(0));
    let directory = Directory::new(&settings.playbook.policy, &teams, &admins, &bot);
    let redactor = if personal { None } else { Some(Redactor::new()?) };
    Ok(Cases { directory, redactor })
}

/// Lines of a file, each there as a whole or not at all.
struct Lines {
    file: File,
    n_written: usize,
}

impl Lines {
    /// Opens a file; returns it with the ids of the cases that it holds. Half a line at its end, left
    /// by a kill, is cut off.
    fn open(path: &Path) -> anyhow::Result<(Self, BTreeSet<String>)> {
        let named = || path.display().to_string();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .with_context(named)?;
        anyhow::ensure!(
            file.try_lock().is_ok(),
            "another export is writing {}; wait for it, or name another folder with -o",
            path.display()
        );
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).with_context(named)?;
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        file.set_len(whole as u64).with_context(named)?;
        file.seek(SeekFrom::End(0)).with_context(named)?;
        let lines = bytes.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
        let ids = lines.filter_map(|line| {
            let line: Value = serde_json::from_slice(line).ok()?;
            Some(line.get("id")?.as_str()?.to_string())
        });
        let ids = ids.collect();
        Ok((Self { file, n_written: 0 }, ids))
    }

    fn add(&mut self, line: &Value) -> anyhow::Result<()> {
        self.file.write_all(format!("{line}\n").as_bytes())?;
        self.n_written += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_a_line_is_cut_off_and_whole_ones_are_known() {
        let home = tempfile::tempdir().unwrap();
        let path = home.path().join("x.part");
        fs::write(&path, "{\"id\":\"intercom-1\"}\n{\"id\":\"intercom-2\"}\n{\"id\":\"inter")
            .unwrap();
        let (mut lines, done) = Lines::open(&path).unwrap();
        assert_eq!(done.into_iter().collect::<Vec<_>>(), ["intercom-1", "intercom-2"]);
        lines.add(&json!({"id": "intercom-3"})).unwrap();
        drop(lines);
        let (_, done) = Lines::open(&path).unwrap();
        assert_eq!(done.len(), 3);
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 3);
    }
}
