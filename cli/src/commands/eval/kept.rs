//! What people's doings say of a decision that the desk keeps.

use crate::{
    commands::past::{Followed, Past, People, followed},
    settings::Settings,
};
use bot::Recalled;
use evals::{Expect, ExpectedAct, redact::Redactor, was_right};
use jiff::Timestamp;
use store::{Judged, Verdict};

/// Stars from which on a rating speaks for the answer, and up to which it speaks against it.
const WELL: u8 = 4;
const BADLY: u8 = 2;

/// What the desk decided, and what takes the people out of it.
pub(super) struct Kept {
    pub(super) past: Past,
    people: People,
    redactor: Redactor,
}

/// A decision that people said or did something about.
pub(super) struct Told<'a> {
    pub(super) judged: &'a Judged,
    pub(super) recalled: Recalled,
    pub(super) followed: Followed,
    pub(super) said: Said,
}

impl Kept {
    /// Reads what was decided since a moment.
    pub(super) async fn read(
        settings: &Settings,
        since: Option<Timestamp>,
    ) -> anyhow::Result<Self> {
        let past = Past::read(settings, since).await?;
        let people = People::of(settings, &past).await?;
        Ok(Self { past, people, redactor: Redactor::new()? })
    }

    /// Returns what people made of a decision; `None` where nobody said anything, or what was asked
    /// is gone.
    pub(super) fn told<'a>(&self, judged: &'a Judged) -> Option<Told<'a>> {
        let followed = followed(&self.past, judged);
        let (recalled, said) = (self.past.recalled(judged)?, said(judged, &followed)?);
        Some(Told { judged, recalled, followed, said })
    }

    /// Returns what takes personal data out of the texts of a decision.
    pub(super) fn cleaning(&self, judged: &Judged) -> impl Fn(&str) -> String {
        let names = self.people.names(judged);
        move |text| self.redactor.redact(text, &names)
    }
}

/// What ought to have been done, and who says so: `approved`, `corrected` and `wrong` are labels of
/// teammates, `rated` and `confirmed` are the customer's word, `replied` is what a teammate wrote
/// without a label.
pub(super) struct Said {
    pub(super) expect: Expect,
    pub(super) by: &'static str,
}

/// Says what ought to have been done by what people did; `None` where nobody said anything.
fn said(judged: &Judged, followed: &Followed) -> Option<Said> {
    let decided = &judged.decided.decided;
    let draft = decided.draft.as_deref().unwrap_or_default();
    let verdict = judged.label.as_ref().map(|label| label.verdict);
    // A rating, a word of thanks or "wrong" is for the whole episode: it speaks of a reply only where
    // nothing else came after it. Which of several was wrong, the label says.
    let is_for_it = decided.act == "reply" && followed.was_last;
    let (right, by) = match (verdict, followed) {
        (Some(Verdict::Approved), _) => (Some(true), "approved"),
        (Some(Verdict::Wrong), _) => (Some(false), "wrong"),
        (Some(Verdict::Corrected), _) => {
            let sent = followed.sent.as_deref().or(followed.reply.as_deref());
            (sent.and_then(|sent| was_right(draft, sent)), "corrected")
        }
        (None, Followed { wrong: true, .. }) if is_for_it => (Some(false), "wrong"),
        (None, Followed { stars: Some(..=BADLY), .. }) if is_for_it => (Some(false), "rated"),
        (None, Followed { stars: Some(WELL..), .. }) if is_for_it => (Some(true), "rated"),
        (None, Followed { confirmed: true, .. }) if is_for_it => (Some(true), "confirmed"),
        (None, Followed { reply: Some(_), .. }) => (None, "replied"),
        (None, _) => return None,
    };
    let mut articles = Vec::new();
    for source in decided.sources.iter().filter(|_| right == Some(true)) {
        if !articles.contains(&source.article) {
            articles.push(source.article.clone());
        }
    }
    let (sent, reply) = (followed.sent.as_ref(), followed.reply.as_ref());
    let as_sent = || (right == Some(true)).then(|| draft.to_string());
    // What was put right by people, or moved by them, was not for the bot.
    let was_peoples = right == Some(false) || (right.is_none() && followed.moved);
    let expect = Expect {
        act: if was_peoples { ExpectedAct::Handoff } else { ExpectedAct::Answer },
        judged: by != "replied",
        articles,
        answer: sent.or(reply).cloned().or_else(as_sent).filter(|text| !text.is_empty()),
        topic: None,
        team: followed.team.as_ref().map(ToString::to_string),
        route: None,
    };
    Some(Said { expect, by })
}
