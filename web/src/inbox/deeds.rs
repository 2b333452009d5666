use super::{
    composer::Composer,
    conversation::{self, Opened},
    page::{self, Refusal, is_part, refreshed, show},
    people::People,
    session::{Signed, SignedIn},
};
use crate::Front;
use axum::{
    extract::{Path, State},
    http::{HeaderMap, StatusCode},
    response::{IntoResponse, Redirect, Response},
};
use bot::{Deed, OfficeError};
use jiff::{SignedDuration, Timestamp, ToSpan, civil::DateTime, tz::TimeZone};
use router::{Priority, Slug};
use serde::Deserialize;
use store::{Actor, Record, Role, Verdict};

/// Entries that are looked through for what others wrote meanwhile.
const MEANWHILE: u32 = 200;

#[derive(Deserialize)]
pub(super) struct Said {
    /// `reply` or `note`.
    kind: String,
    #[serde(default)]
    text: String,
    seen: Option<i64>,
    #[serde(default)]
    draft: String,
}

/// Takes what a teammate wrote: to the customer, or for teammates alone.
pub(super) async fn say(
    State(front): State<Front>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Signed { by, form }: Signed<Said>,
) -> Result<Response, Refusal> {
    let conversation = page::id::<Record>(&id, "conversation")?;
    let note = form.kind == "note";
    let text = form.text.replace("\r\n", "\n");
    let deed = match form.kind.as_str() {
        "note" => Deed::Note { text },
        "reply" => {
            let draft = Some(form.draft.as_str()).filter(|draft| !draft.is_empty());
            let draft = draft.map(|draft| page::id(draft, "draft")).transpose()?;
            Deed::Reply { text, seen: form.seen, draft }
        }
        _ => return Err(Refusal::invalid("Choose whether it is a reply or a note.")),
    };
    let actor = Actor::Teammate(by.account.teammate.clone());
    let done = front.office.act(conversation, &actor, deed).await;
    let refused = match done {
        Ok(_) if is_part(&headers) => {
            let opened = Opened::of(&front, &id, MEANWHILE).await?;
            let composer = Composer::new(&front, &by, &opened.record, &opened.customer);
            let triggers = "said, lists-changed, conversation-changed";
            return Ok(([("hx-trigger", triggers)], show(&composer)).into_response());
        }
        Ok(_) => return Ok(Redirect::to(&format!("/inbox/conversations/{id}")).into_response()),
        Err(refused @ (OfficeError::Store(_) | OfficeError::NotFound(_))) => {
            return Err(refused.into());
        }
        Err(refused) => refused,
    };
    let opened = Opened::of(&front, &id, MEANWHILE).await?;
    let composer = kept(&front, &by, &opened, (&refused, form, note));
    let status = match refused {
        OfficeError::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::CONFLICT,
    };
    let shown = if is_part(&headers) {
        show(&composer)
    } else {
        conversation::with_composer(&front, &by, opened, composer).await?
    };
    Ok((status, shown).into_response())
}

/// Makes a box that keeps what was written and says why it was not sent.
fn kept(
    front: &Front,
    by: &SignedIn,
    opened: &Opened,
    (refused, form, note): (&OfficeError, Said, bool),
) -> Composer {
    let mut composer = Composer::new(front, by, &opened.record, &opened.customer);
    (composer.text, composer.draft, composer.note) = (form.text, form.draft, note);
    composer.alert = Some(match refused {
        OfficeError::Overtaken(_) => {
            let since = opened.lines_after(form.seen.unwrap_or(i64::MAX)).into_iter();
            composer.meanwhile = since.filter(|line| line.kind != "event").collect();
            "Not sent: somebody else wrote in the meantime. Read it, then send or change yours."
                .to_string()
        }
        other => format!("Not sent: {other}."),
    });
    composer
}

#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct Done {
    deed: String,
    /// A team's slug, or that and a teammate's after a `/`.
    to: String,
    tag: String,
    priority: String,
    rest: String,
    until: String,
    decision: String,
    verdict: String,
    /// Who held it by choice when the page was made.
    held_by: String,
    /// Number of the last entry then.
    seen: Option<i64>,
}

/// Does something with a conversation.
pub(super) async fn act(
    State(front): State<Front>,
    Path(id): Path<String>,
    headers: HeaderMap,
    Signed { by, form }: Signed<Done>,
) -> Result<Response, Refusal> {
    let conversation = page::id::<Record>(&id, "conversation")?;
    let deed = match form.deed.as_str() {
        "claim" => Deed::Take { held_by: Slug::try_from(form.held_by.clone()).ok() },
        "judge" => judge(&front, &by, &form).await?,
        _ => deed_of(&front, &form)?,
    };
    let actor = Actor::Teammate(by.account.teammate.clone());
    match front.office.act(conversation, &actor, deed).await {
        Err(OfficeError::Held(other)) => {
            let who = People::of(&front).await?.name(&other);
            let detail = format!("{who} has it by now. Open the conversation again to take it.");
            return Err(Refusal::Because(StatusCode::CONFLICT, "Taken meanwhile", detail));
        }
        done => done.map(drop)?,
    }
    if is_part(&headers) {
        return Ok(refreshed());
    }
    Ok(Redirect::to(&format!("/inbox/conversations/{id}")).into_response())
}

/// Judges a decision. What the bot has sent is judged by leads; that a draft is wrong, which nobody
/// has sent, everybody may say.
async fn judge(front: &Front, by: &SignedIn, form: &Done) -> Result<Deed, Refusal> {
    let decision = page::id(&form.decision, "decision")?;
    let verdict = match form.verdict.as_str() {
        "approved" => Verdict::Approved,
        "wrong" => Verdict::Wrong,
        _ => return Err(Refusal::invalid("Say whether it is right or wrong.")),
    };
    let decided = front.office.store().decision(decision).await?.decided;
    if decided.act == "reply" || verdict == Verdict::Approved {
        by.must_be(Role::Lead)?;
    }
    Ok(Deed::Judge { decision, verdict })
}

fn deed_of(front: &Front, form: &Done) -> Result<Deed, Refusal> {
    Ok(match form.deed.as_str() {
        "assign" => assign(&form.to)?,
        "hand_back" => Deed::HandBack,
        "close" => Deed::Close { seen: form.seen },
        "tag" => Deed::Tag(tag(&form.tag)?),
        "untag" => Deed::Untag(form.tag.clone()),
        "prioritise" => Deed::Prioritise(priority(&form.priority)?),
        "snooze" => {
            let (desk, now) = (front.office.desk(), front.office.now());
            let time_zone = &desk.playbook().time_zone;
            let until = until(&form.rest, &form.until, now, time_zone)?;
            Deed::Snooze { until, seen: form.seen }
        }
        _ => return Err(Refusal::invalid("There is nothing like that to do.")),
    })
}

fn assign(to: &str) -> Result<Deed, Refusal> {
    let slug = |text: &str| Slug::try_from(text.to_string());
    let unknown = |_| Refusal::invalid("Choose a team or a teammate.");
    let (team, teammate) = match to.split_once('/') {
        Some((team, teammate)) => (team, Some(slug(teammate).map_err(unknown)?)),
        None => (to, None),
    };
    Ok(Deed::Assign { team: slug(team).map_err(unknown)?, teammate })
}

fn tag(text: &str) -> Result<String, Refusal> {
    let text = text.trim();
    if text.is_empty() || text.chars().count() > 60 || text.chars().any(char::is_control) {
        return Err(Refusal::invalid("A tag has 1 to 60 letters, all on one line."));
    }
    Ok(text.to_string())
}

fn priority(name: &str) -> Result<Priority, Refusal> {
    let all = [Priority::Low, Priority::Normal, Priority::High, Priority::Urgent];
    let found = all.into_iter().find(|priority| priority.name() == name);
    found.ok_or_else(|| Refusal::invalid("Choose one of the priorities."))
}

/// Reads until when a conversation rests: an hour, tomorrow at nine in the desk's time zone, or a
/// moment there.
fn until(
    rest: &str,
    chosen: &str,
    now: Timestamp,
    time_zone: &TimeZone,
) -> Result<Timestamp, Refusal> {
    let never = |_| Refusal::invalid("That moment is too far away.");
    let local = |at: DateTime| time_zone.to_zoned(at).map(|at| at.timestamp()).map_err(never);
    let tomorrow = now.to_zoned(time_zone.clone()).date().checked_add(1.day()).map_err(never)?;
    match rest {
        "hour" => now.checked_add(SignedDuration::from_hours(1)).map_err(never),
        "tomorrow" => local(tomorrow.at(9, 0, 0, 0)),
        _ => {
            let at: DateTime = chosen
                .parse()
                .map_err(|_| Refusal::invalid("Choose a day and a time until which it rests."))?;
            local(at)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rest_ends_in_the_desk_s_own_time() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let check = |rest: &str, chosen: &str, now: &str, expected: &str| {
            let until = until(rest, chosen, now.parse().unwrap(), &berlin).unwrap();
            assert_eq!(until.to_string(), expected);
        };
        check("hour", "", "2026-11-22T12:00:00Z", "2026-11-22T13:00:00Z");
        check("tomorrow", "", "2026-11-22T12:00:00Z", "2026-11-23T08:00:00Z");
        // Half past eleven in the evening in UTC is the next day in Berlin.
        check("tomorrow", "", "2026-11-22T23:30:00Z", "2026-11-24T08:00:00Z");
        // The night in which summer time begins.
        check("tomorrow", "", "2026-03-28T12:00:00Z", "2026-03-29T07:00:00Z");
        check("", "2026-12-01T15:30", "2026-11-22T12:00:00Z", "2026-12-01T14:30:00Z");
        assert!(until("", "soon", Timestamp::UNIX_EPOCH, &berlin).is_err());
    }

    #[test]
    fn assignees_are_teams_or_their_members() {
        let check = |to: &str, expected: Option<(&str, Option<&str>)>| {
            let deed = assign(to).ok();
            let found = deed.as_ref().and_then(|deed| match deed {
                Deed::Assign { team, teammate } => {
                    Some((team.as_str(), teammate.as_ref().map(Slug::as_str)))
                }
                _ => None,
            });
            assert_eq!(found, expected, "{to}");
        };
        check("billing", Some(("billing", None)));
        check("billing/ada", Some(("billing", Some("ada"))));
        check("", None);
        check("billing/<b>", None);
    }
}
