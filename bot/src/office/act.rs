use super::{InHand, Office, OfficeError, door::lawful, in_hand::team_of};
use jiff::Timestamp;
use router::{Owner, Policy, Priority, Slug, Team};
use serde_json::{Value as Json, json};
use store::{
    Actor, Audit, Content, Decided, Id, KeyedRequest, Label, OutcomeKind, Record, Verdict,
};

/// How often a deed looks again whether somebody has written, while others keep adding to the
/// conversation.
const LOOKS: usize = 5;

/// What is said to who takes a conversation and belongs to no team.
const NO_TEAM: &str = "you belong to no team, and conversations are held by members of one; add \
                       yourself to a team in routing.toml";

/// Whether an entry that the doer has not seen keeps a deed from being done.
type Overtakes = fn(&Content) -> bool;

/// What a teammate or a program does with a conversation.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    /// Writes to the customer; the teammate is responsible from then on.
    Reply {
        /// What, as Markdown.
        text: String,
        /// Number of the last entry that the writer had seen; when anything was written to the
        /// customer since, also by the same writer, nothing is sent and [`OfficeError::Overtaken`]
        /// comes back. None sends whatever happened.
        seen: Option<i64>,
        /// The decision whose draft lay beside the reply box. The reply becomes a label of it:
        /// approved when it says the same, otherwise corrected.
        draft: Option<Id<Decided>>,
    },
    /// Leaves words for teammates.
    Note {
        /// What, as Markdown.
        text: String,
    },
    /// Takes it for oneself: in the team that has it, for who belongs to it, else in one's own.
    Take {
        /// Who held it by a person's choice when the taker looked; when somebody else does by now,
        /// nothing is done and [`OfficeError::Held`] comes back.
        held_by: Option<Slug>,
    },
    /// Gives it to a team, or to one of its teammates who may write to customers.
    Assign {
        /// The team.
        team: Slug,
        /// Who of the team; None: its queue.
        teammate: Option<Slug>,
    },
    /// Gives it back to the bot.
    HandBack,
    /// Lets it rest until a time or the customer's next message.
    Snooze {
        /// Until when.
        until: Timestamp,
        /// As for [`Deed::Close`].
        seen: Option<i64>,
    },
    /// Ends it.
    Close {
        /// Number of the last entry that was seen; when the customer wrote since, nothing is done
        /// and [`OfficeError::Overtaken`] comes back. None does it whatever happened.
        seen: Option<i64>,
    },
    /// Adds a tag.
    Tag(String),
    /// Removes a tag.
    Untag(String),
    /// Says how soon it matters.
    Prioritise(Priority),
    /// Gives it an attribute; None removes it.
    Describe(String, Option<Json>),
    /// Judges a draft.
    Judge {
        /// The decision that it belongs to.
        decision: Id<Decided>,
        /// How it is.
        verdict: Verdict,
    },
}

impl Deed {
    /// Returns the name that the audit log uses.
    fn name(&self) -> &'static str {
        match self {
            Self::Reply { .. } => "conversation.replied",
            Self::Note { .. } => "conversation.noted",
            Self::Take { .. } | Self::Assign { .. } => "conversation.assigned",
            Self::HandBack => "conversation.handed_back",
            Self::Snooze { .. } => "conversation.snoozed",
            Self::Close { .. } => "conversation.closed",
            Self::Tag(_) => "conversation.tagged",
            Self::Untag(_) => "conversation.untagged",
            Self::Prioritise(_) => "conversation.prioritised",
            Self::Describe(..) => "conversation.described",
            Self::Judge { .. } => "decision.judged",
        }
    }

    /// Returns up to which entry the conversation was seen, and what overtakes the deed when it
    /// came since.
    fn seen(&self) -> Option<(i64, Overtakes)> {
        match self {
            Self::Reply { seen, .. } => Some(((*seen)?, is_word_to_customer)),
            Self::Close { seen } | Self::Snooze { seen, .. } => {
                Some(((*seen)?, |content| matches!(content, Content::Customer { .. })))
            }
            _ => None,
        }
    }
}

/// The request of a program that brings a deed about.
#[derive(Debug, Clone, Default)]
pub struct ByRequest {
    /// By what its repetition is told, where it can be.
    pub keyed: Option<KeyedRequest>,
    /// What the audit log keeps of the program beside what it does, all or nothing like the deed.
    pub audit: Option<Audit>,
}

impl Office {
    /// Does something with a conversation in somebody's name, all of it or nothing, and returns
    /// the conversation as it is then. Whoever acts is trusted to be allowed to.
    ///
    /// # Errors
    /// [`OfficeError::NotFound`], [`OfficeError::Illegal`], [`OfficeError::Overtaken`],
    /// [`OfficeError::Held`], [`OfficeError::Invalid`] for unknown teams and teammates, teammates
    /// who may not write to customers, or an empty text, [`OfficeError::Store`].
    pub async fn act(
        &self,
        conversation: Id<Record>,
        by: &Actor,
        deed: Deed,
    ) -> Result<Record, OfficeError> {
        self.act_once(conversation, by, deed, ByRequest::default()).await
    }

    /// Does something as [`Office::act`] does, and notes with it the request that has brought it
    /// about: whoever repeats the request can find that it is done.
    ///
    /// # Errors
    /// As [`Office::act`]; [`OfficeError::Store`] also when the request has changed something
    /// already.
    pub async fn act_once(
        &self,
        conversation: Id<Record>,
        by: &Actor,
        deed: Deed,
        request: ByRequest,
    ) -> Result<Record, OfficeError> {
        check(self.desk().policy(), &deed)?;
        let judged = match &deed {
            Deed::Reply { draft: Some(decision), .. } | Deed::Judge { decision, .. } => {
                let decided = self.store().decision(*decision).await?;
                if decided.conversation != conversation {
                    return Err(OfficeError::NotFound("decision"));
                }
                Some(decided)
            }
            _ => None,
        };
        for _ in 0..LOOKS {
            let looked_to = match deed.seen() {
                Some(seen) => Some(self.look_since(conversation, seen).await?),
                None => None,
            };
            let (by, deed, judged) = (by.clone(), deed.clone(), judged.clone());
            let request = request.clone();
            let done = self.alter(conversation, move |in_hand| {
                if looked_to.is_some_and(|number| number < in_hand.record.n_entries) {
                    return Ok(false);
                }
                let silent = self.silent_for_people(&in_hand.record.channel);
                if let (Deed::Reply { .. }, Some(why)) = (&deed, silent) {
                    return Err(OfficeError::Invalid(why.into()));
                }
                in_hand.change.request = request.keyed;
                in_hand.change.audit.push(Audit {
                    actor: by.clone(),
                    action: deed.name().into(),
                    subject: in_hand.record.id.to_string(),
                    detail: json!({}),
                });
                in_hand.change.audit.extend(request.audit);
                carry_out(in_hand, &by, deed, judged).map(|()| true)
            });
            if let (true, record) = done.await? {
                return Ok(record);
            }
        }
        Err(OfficeError::Overtaken(self.store().conversation(conversation).await?.n_entries))
    }

    /// Returns the number of the last entry, unless something after `seen` overtakes.
    async fn look_since(
        &self,
        conversation: Id<Record>,
        (seen, overtakes): (i64, Overtakes),
    ) -> Result<i64, OfficeError> {
        let mut last = seen;
        loop {
            let since = self.store().timeline(conversation, last, 200).await?;
            if let Some(entry) = since.iter().find(|entry| overtakes(&entry.content)) {
                return Err(OfficeError::Overtaken(entry.number));
            }
            match since.last() {
                Some(entry) => last = entry.number,
                None => return Ok(last),
            }
        }
    }
}

/// Refuses what names something that does not exist.
fn check(policy: &Policy, deed: &Deed) -> Result<(), OfficeError> {
    match deed {
        Deed::Assign { team, teammate } => {
            let Some(found) = policy.team(team) else {
                let what = format!("there is no team {team}; see routing.toml");
                return Err(OfficeError::Invalid(what));
            };
            match teammate {
                None => Ok(()),
                Some(teammate) => match found.member(teammate) {
                    Some(member) if member.may_reply => Ok(()),
                    Some(_) => Err(may_not_write(teammate)),
                    None => {
                        let what = format!("{teammate} is no member of team {team}");
                        Err(OfficeError::Invalid(what))
                    }
                },
            }
        }
        Deed::Tag(tag) if tag.trim().is_empty() => {
            Err(OfficeError::Invalid("the tag is empty; write one".into()))
        }
        _ => Ok(()),
    }
}

fn carry_out(
    in_hand: &mut InHand<'_>,
    by: &Actor,
    deed: Deed,
    judged: Option<Decided>,
) -> Result<(), OfficeError> {
    match deed {
        Deed::Reply { text, .. } => {
            let text = lawful(&text)?;
            let teammate = writer(by)?;
            let team = team_for(in_hand, &teammate);
            if matches!(by, Actor::Teammate(_)) {
                may_write(&in_hand.playbook.policy, &team, &teammate)?;
            }
            let as_drafted = judged.as_ref().and_then(|decided| decided.decided.draft.as_deref());
            let same = as_drafted.is_some_and(|draft| draft.trim() == text);
            let sent = Some(in_hand.teammate_writes(team, teammate.clone(), text)?);
            if let Some(decided) = judged {
                let verdict = if same { Verdict::Approved } else { Verdict::Corrected };
                let label = Label { decision: decided.id, teammate, verdict, sent };
                in_hand.change.labels.push(label);
            }
        }
        Deed::Note { text } => in_hand.note(by, lawful(&text)?),
        Deed::Take { held_by } => take(in_hand, by, held_by.as_ref())?,
        Deed::Assign { team, teammate: None } => in_hand.hand_off(&team, by, json!({}))?,
        Deed::Assign { team, teammate: Some(teammate) } => in_hand.assign(&team, &teammate, by)?,
        Deed::HandBack => in_hand.hand_back(by)?,
        Deed::Snooze { until, seen: _ } => {
            if until <= in_hand.now {
                let what = "that time has passed; choose one that is to come".into();
                return Err(OfficeError::Invalid(what));
            }
            in_hand.snooze(by, until)?;
        }
        Deed::Close { seen: _ } => in_hand.close(by)?,
        Deed::Tag(tag) => in_hand.tag(by, [lawful(&tag)?]),
        Deed::Untag(tag) => in_hand.untag(by, &tag),
        Deed::Prioritise(priority) => in_hand.prioritise(by, priority),
        Deed::Describe(name, value) => in_hand.describe(by, &lawful(&name)?, value.as_ref()),
        Deed::Judge { decision, verdict } => {
            let was_sent = judged.is_some_and(|decided| decided.decided.act == "reply");
            if was_sent && verdict == Verdict::Wrong {
                in_hand.outcome(OutcomeKind::Wrong, None);
            }
            let label = Label { decision, teammate: writer(by)?, verdict, sent: None };
            in_hand.change.labels.push(label);
        }
    }
    Ok(())
}

/// Gives a conversation to who takes it, unless a person has given it to somebody of whom the taker
/// does not know.
fn take(in_hand: &mut InHand<'_>, by: &Actor, held_by: Option<&Slug>) -> Result<(), OfficeError> {
    let Actor::Teammate(me) = by else {
        return Err(OfficeError::Invalid("only teammates take conversations".into()));
    };
    if let Owner::Teammate { teammate: holder, by_person: true, .. } = in_hand.record.state.owner()
        && holder != me
        && Some(holder) != held_by
    {
        return Err(OfficeError::Held(holder.clone()));
    }
    let policy = &in_hand.playbook.policy;
    let has = team_of(in_hand.record).unwrap_or(policy.fallback_team());
    let may = |team: &&Team| team.member(me).is_some_and(|member| member.may_reply);
    let team = policy.team(has).filter(may).or_else(|| policy.teams().iter().find(may));
    let Some(team) = team.map(|team| team.slug.clone()) else {
        let belongs = policy.teams().iter().any(|team| team.member(me).is_some());
        return Err(if belongs { may_not_write(me) } else { OfficeError::Invalid(NO_TEAM.into()) });
    };
    Ok(in_hand.assign(&team, me, by)?)
}

/// Refuses a teammate who may not write to customers: as a member of the team, or of any where the
/// team has no such member. Who belongs to no team may.
fn may_write(policy: &Policy, team: &Slug, teammate: &Slug) -> Result<(), OfficeError> {
    let mut all = policy.teams().iter().filter_map(|team| team.member(teammate)).peekable();
    let may = match policy.team(team).and_then(|team| team.member(teammate)) {
        Some(member) => member.may_reply,
        None => all.peek().is_none() || all.any(|member| member.may_reply),
    };
    if may { Ok(()) } else { Err(may_not_write(teammate)) }
}

fn may_not_write(teammate: &Slug) -> OfficeError {
    OfficeError::Invalid(format!(
        "{teammate} may not write to customers; see may_reply in routing.toml"
    ))
}

/// Whether the customer was told something. One's own words count: a reply whose acknowledgement was
/// lost on the way is sent again by its writer, and must not reach the customer twice.
fn is_word_to_customer(content: &Content) -> bool {
    matches!(content, Content::Bot { .. } | Content::Teammate { .. })
}

/// Returns in whose name somebody writes to customers; programs write in their own.
fn writer(by: &Actor) -> Result<Slug, OfficeError> {
    match by {
        Actor::Teammate(slug) => Ok(slug.clone()),
        Actor::Program(name) => Slug::try_from(name.clone()).map_err(|_| {
            OfficeError::Invalid("the token's name is no slug; name it like \"crm-sync\"".into())
        }),
        Actor::Bot | Actor::Customer | Actor::Frontdesk => {
            Err(OfficeError::Invalid("only teammates and programs write replies".into()))
        }
    }
}

/// Returns the team that a teammate writes for: the one that has the conversation, else the first
/// that the teammate belongs to.
fn team_for(in_hand: &InHand<'_>, teammate: &Slug) -> Slug {
    let policy = &in_hand.playbook.policy;
    let of_member = || policy.teams().iter().find(|team| team.member(teammate).is_some());
    team_of(in_hand.record)
        .cloned()
        .or_else(|| of_member().map(|team| team.slug.clone()))
        .unwrap_or_else(|| policy.fallback_team().clone())
}
