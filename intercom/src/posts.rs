mod given;
mod ticket;

use crate::{
    channel::{BY_EMAIL, Intercom, Mode},
    client::{ApiError, AttributeValue, Display, QuickReply, Reply, Update},
    directory::Directory,
    history::part_name,
    text,
    wire::{Conversation, ExternalId, Part},
};
use bot::{Delivered, DeliveryError, Parcel};
use jiff::{SignedDuration, Timestamp};
use router::Slug;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How far the vendor's clock, which counts seconds, may be behind ours. What other posts have made
/// is known by name, so there is no harm in minutes.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// How long after a call whose fate is unknown its effect may appear, in seconds: a proxy that gave
/// up answers before the vendor is done.
const LATE_EFFECT_S: u64 = 30;

/// Why people's replies go out under Intercom's own inbox alone, unless the mode is live.
pub(crate) const NO_REPLIES: &str =
    "replies are not sent to Intercom while intercom.mode is not live; write in Intercom";

/// What tags begin with that stand for how urgent a conversation is: no call sets the priority.
pub(crate) const PRIORITY_TAG: &str = "priority: ";

/// Sends a post: says what is to be said, does what is to be done.
///
/// The vendor knows no idempotency keys. What would be heard twice is looked for by [`find`] before
/// it is repeated; everything else may be done twice without anybody noticing.
pub(crate) async fn deliver(
    intercom: &Intercom,
    parcel: &Parcel<'_>,
) -> Result<Delivered, DeliveryError> {
    let directory = intercom.known_directory(parcel.policy).await?;
    let there = There { intercom, id: name_of(parcel)?, directory: &directory, parcel };
    match (intercom.mode, parcel.post.kind.as_str()) {
        // A person means what they write.
        (Mode::Silent | Mode::Notes, "reply") if !there.is_by_bot() => {
            Err(DeliveryError::Never(NO_REPLIES.into()))
        }
        (Mode::Silent, _) => Err(kept_back("the bot is silent in Intercom (intercom.mode)")),
        (Mode::Notes, "note") | (Mode::Live, "note") => there.note().await,
        (Mode::Notes, "reply") => there.would_have_said().await,
        (Mode::Notes, _) => Err(kept_back("the bot leaves notes alone (intercom.mode)")),
        (Mode::Live, "reply") => there.say().await,
        (Mode::Live, "assign") => there.assign().await,
        (Mode::Live, "hand_back") => there.hand_back().await,
        (Mode::Live, "snooze") => there.snooze().await,
        (Mode::Live, "close") => there.close().await,
        (Mode::Live, "tag") => there.tag().await,
        (Mode::Live, "untag") => there.untag().await,
        (Mode::Live, "priority") => there.prioritise().await,
        (Mode::Live, "attribute") => there.describe().await,
        (Mode::Live, "ticket") => there.make_ticket().await,
        (Mode::Live, _) => Err(DeliveryError::Never("nothing is known of this kind".into())),
    }
}

/// Looks for what an earlier attempt may have said: a part from the bot's seat with the same words,
/// no older than the post, which no other post has made.
pub(crate) async fn find(
    intercom: &Intercom,
    parcel: &Parcel<'_>,
) -> Result<Option<Delivered>, DeliveryError> {
    let directory = intercom.known_directory(parcel.policy).await?;
    let there = There { intercom, id: name_of(parcel)?, directory: &directory, parcel };
    let html = match (intercom.mode, parcel.post.kind.as_str()) {
        (Mode::Live | Mode::Notes, "note") => there.note_html(),
        (Mode::Live, "reply") => there.reply_html(),
        (Mode::Notes, "reply") => there.would_have_said_html(),
        _ => return Ok(None),
    };
    let conversation = there.read().await?;
    let Some(part) = there.same_part(&conversation, &html) else { return Ok(None) };
    let mut names = vec![part_name(&part.id)];
    if intercom.mode == Mode::Live {
        names.extend(there.offer_again(&conversation, part).await);
    }
    Ok(Some(Delivered { said: "had arrived before".into(), names }))
}

/// A conversation there, and what is sent to it.
struct There<'a> {
    intercom: &'a Intercom,
    id: ExternalId,
    directory: &'a Directory,
    parcel: &'a Parcel<'a>,
}

impl There<'_> {
    /// Says something to the customer, unless a teammate has the conversation there by now.
    async fn say(&self) -> Result<Delivered, DeliveryError> {
        let seat = self.seat();
        if self.parcel.record.channel == BY_EMAIL && seat == *self.directory.bot() {
            let what = "Intercom keeps what a bot's seat replies to an e-mail and does not send it";
            return Err(match self.is_by_bot() {
                true => unwanted(what),
                false => DeliveryError::Never(what.into()),
            });
        }
        if self.is_by_bot() {
            self.still_wanted(&self.read().await?)?;
        }
        let html = self.reply_html();
        let mut names = self.write(&seat, Reply::Comment(&html), &html).await?;
        names.extend(self.offer().await);
        Ok(Delivered { said: "said".into(), names })
    }

    async fn note(&self) -> Result<Delivered, DeliveryError> {
        self.leave(&self.note_html()).await
    }

    /// Notes what the bot would have said to the customer.
    async fn would_have_said(&self) -> Result<Delivered, DeliveryError> {
        self.leave(&self.would_have_said_html()).await
    }

    async fn leave(&self, html: &str) -> Result<Delivered, DeliveryError> {
        let names = self.write(self.directory.bot(), Reply::Note(html), html).await?;
        Ok(Delivered { said: "noted".into(), names })
    }

    /// Writes something and returns what the vendor calls it. One whose fate is unknown is left alone
    /// for a while before it is looked for.
    async fn write(
        &self,
        seat: &ExternalId,
        reply: Reply<'_>,
        html: &str,
    ) -> Result<Vec<String>, DeliveryError> {
        let written = self.intercom.client.at_once().reply(&self.id, seat, reply).await;
        let answer =
            written.map_err(|failure| match (failure.maybe_done(), self.failed(&failure)) {
                (true, DeliveryError::Later { what, after_s }) => {
                    let after_s = after_s.unwrap_or_default().max(LATE_EFFECT_S);
                    DeliveryError::Later { what, after_s: Some(after_s) }
                }
                (_, failed) => failed,
            })?;
        if let Some(part) = self.same_part(&answer, html) {
            return Ok(vec![part_name(&part.id)]);
        }
        // An answer that does not show it: without its name it would come back as somebody's words.
        let found = self.read().await.ok();
        let part = found.as_ref().and_then(|conversation| self.same_part(conversation, html));
        Ok(part.map(|part| part_name(&part.id)).into_iter().collect())
    }

    async fn tag(&self) -> Result<Delivered, DeliveryError> {
        for tag in self.texts("tags") {
            self.put_on(tag).await?;
        }
        Ok(Delivered::said("tagged"))
    }

    async fn put_on(&self, name: &str) -> Result<(), DeliveryError> {
        let tag =
            self.intercom.client.ensure_tag(name).await.map_err(|failure| self.failed(&failure))?;
        let bot = self.directory.bot();
        self.intercom
            .client
            .tag(&self.id, bot, &tag.id)
            .await
            .map_err(|failure| self.failed(&failure))?;
        Ok(())
    }

    async fn untag(&self) -> Result<Delivered, DeliveryError> {
        let names = self.texts("tags");
        self.take_off(&|name| names.contains(&name)).await
    }

    async fn take_off(
        &self,
        which: &(dyn Fn(&str) -> bool + Sync),
    ) -> Result<Delivered, DeliveryError> {
        let conversation = self.read().await?;
        for tag in conversation.tags.iter().filter(|tag| which(&tag.name)) {
            let bot = self.directory.bot();
            match self.intercom.client.untag(&self.id, bot, &tag.id).await {
                Ok(_) | Err(ApiError::NotFound { .. }) => {}
                Err(failure) => return Err(self.failed(&failure)),
            }
        }
        Ok(Delivered::said("untagged"))
    }

    /// Says how urgent it is by a tag, on which workflows there can act.
    async fn prioritise(&self) -> Result<Delivered, DeliveryError> {
        let name = self.text("priority").unwrap_or_default();
        let wanted = matches!(name, "urgent" | "high").then(|| format!("{PRIORITY_TAG}{name}"));
        if let Some(wanted) = &wanted {
            self.put_on(wanted).await?;
        }
        let other = |tag: &str| tag.starts_with(PRIORITY_TAG) && Some(tag) != wanted.as_deref();
        self.take_off(&other).await
    }

    async fn describe(&self) -> Result<Delivered, DeliveryError> {
        let name = self.text("name").unwrap_or_default().to_string();
        let value = match &self.parcel.post.body["value"] {
            Json::String(text) => AttributeValue::Text(text.clone()),
            Json::Number(number) if number.is_i64() => {
                AttributeValue::Number(number.as_i64().unwrap_or_default())
            }
            Json::Null => AttributeValue::Text(String::new()),
            other => AttributeValue::Text(other.to_string()),
        };
        let custom_attributes = BTreeMap::from([(name, value)]);
        let update = Update { custom_attributes, ..Update::default() };
        match self.intercom.client.update_conversation(&self.id, &update).await {
            Ok(_) => Ok(Delivered::said("described")),
            Err(ApiError::Invalid { .. }) => {
                let mend = "make it in Intercom under Settings, Conversation data";
                Err(DeliveryError::Never(format!("Intercom has no such attribute; {mend}")))
            }
            Err(failure) => Err(self.failed(&failure)),
        }
    }

    /// Offers the buttons of a reply. Without them the customer can still write, so a failure here
    /// does not count; the parts that it made.
    async fn offer(&self) -> Vec<String> {
        let buttons = self.buttons();
        if buttons.is_empty() {
            return Vec::new();
        }
        let seat = self.seat();
        let client = self.intercom.client.at_once();
        match client.reply(&self.id, &seat, Reply::QuickReplies(&buttons)).await {
            Ok(answer) => self.offered(&answer.parts.parts).into_iter().collect(),
            Err(failure) => {
                tracing::warn!(error = %failure, "the buttons of a reply were not offered");
                Vec::new()
            }
        }
    }

    /// Offers the buttons of a reply that was said before, where they are missing after it and the
    /// bot still has the word.
    async fn offer_again(&self, conversation: &Conversation, said: &Part) -> Vec<String> {
        if self.buttons().is_empty() {
            return Vec::new();
        }
        let parts = &conversation.parts.parts;
        let place = parts.iter().position(|part| part.id == said.id).unwrap_or(parts.len());
        match self.offered(parts.get(place..).unwrap_or_default()) {
            Some(name) => vec![name],
            None if self.still_wanted(conversation).is_err() => Vec::new(),
            None => self.offer().await,
        }
    }

    /// Finds buttons that the bot has offered, and what the vendor calls them.
    fn offered(&self, parts: &[Part]) -> Option<String> {
        let seat = self.seat();
        let is_it = |part: &&Part| {
            let author = part.author.as_ref().and_then(|author| author.id.as_ref());
            part.part_type == "quick_reply" && author == Some(&seat)
        };
        parts.iter().find(is_it).map(|part| part_name(&part.id))
    }

    /// Whether a part is not older than the post.
    fn is_younger(&self, part: &Part) -> bool {
        let since = self.parcel.post.created_at.saturating_sub(CLOCKS_DIFFER);
        part.created_at.is_none_or(|at| at >= since.unwrap_or(Timestamp::MIN))
    }

    /// Finds the part that an attempt to say `html` made.
    fn same_part<'c>(&self, conversation: &'c Conversation, html: &str) -> Option<&'c Part> {
        let wants_note = !self.says();
        // A part that also opens or wakes the conversation has another kind than one that only says.
        let is_alike = |part: &Part| part.part_type.starts_with("note") == wants_note;
        let words = |html: &str| -> Vec<String> {
            text::to_text(html).split_whitespace().map(str::to_string).collect()
        };
        let (wanted, seat) = (words(html), self.seat());
        conversation.parts.parts.iter().find(|part| {
            let author = part.author.as_ref().and_then(|author| author.id.as_ref());
            is_alike(part)
                && author == Some(&seat)
                && self.is_younger(part)
                && !self.parcel.taken.contains(&part_name(&part.id))
                && part.body.as_ref().is_some_and(|body| words(body.as_str()) == wanted)
        })
    }

    /// Refuses where a person has it by now, or has done something that the desk has not heard of.
    /// Words about a handoff are for whoever has been given to people: they are refused only where
    /// a person has answered or ended it.
    fn still_wanted(&self, conversation: &Conversation) -> Result<(), DeliveryError> {
        let standing = self.standing(conversation);
        let is_handoff = self.parcel.post.body["handoff"] == Json::Bool(true);
        let is_wanted = if is_handoff { !standing.is_over() } else { standing.is_the_bots() };
        match is_wanted {
            true => Ok(()),
            false => Err(unwanted("a teammate has the conversation in Intercom")),
        }
    }

    async fn read(&self) -> Result<Conversation, DeliveryError> {
        self.intercom
            .client
            .conversation(&self.id, Display::Html)
            .await
            .map_err(|failure| self.failed(&failure))
    }

    /// Returns the seat that words come from: the teammate's own, where the workspace knows it.
    fn seat(&self) -> ExternalId {
        let teammate = self.slug("teammate").filter(|_| self.says());
        let known = teammate.and_then(|teammate| self.directory.teammate_there(&teammate));
        known.unwrap_or_else(|| self.directory.bot().clone())
    }

    /// Whether the customer reads what is sent.
    fn says(&self) -> bool {
        self.parcel.post.kind == "reply" && self.intercom.mode == Mode::Live
    }

    fn is_by_bot(&self) -> bool {
        self.text("author") == Some("bot")
    }

    fn reply_html(&self) -> String {
        let mut markdown = self.text("text").unwrap_or_default().to_string();
        let sources = self.parcel.post.body["sources"].as_array().into_iter().flatten();
        let linked = sources.filter_map(|source| {
            let (title, url) = (source["title"].as_str()?, source["url"].as_str()?);
            (!markdown.contains(url)).then(|| format!("- [{title}](<{url}>)"))
        });
        let mut linked: Vec<String> = linked.collect();
        linked.dedup();
        if !linked.is_empty() {
            markdown = format!("{markdown}\n\n{}", linked.join("\n"));
        }
        text::from_markdown(&markdown)
    }

    fn note_html(&self) -> String {
        text::from_markdown(self.text("text").unwrap_or_default())
    }

    fn would_have_said_html(&self) -> String {
        format!("<p><b>Frontdesk would have answered:</b></p>{}", self.reply_html())
    }

    fn buttons(&self) -> Vec<QuickReply> {
        let labels = self.texts("buttons");
        let button = |(place, label): (usize, &&str)| QuickReply {
            text: (*label).to_string(),
            // The same button has the same name at every attempt.
            uuid: button_uuid(self.parcel, place),
        };
        labels.iter().enumerate().map(button).collect()
    }

    fn failed(&self, failure: &ApiError) -> DeliveryError {
        let what = failure.to_string();
        match failure {
            ApiError::RateLimited { until } => {
                let wait = (self.intercom.clock)().duration_until(*until);
                DeliveryError::Later { what, after_s: u64::try_from(wait.as_secs()).ok() }
            }
            ApiError::Later { .. }
            | ApiError::Unreadable { .. }
            | ApiError::Unauthorized { .. } => DeliveryError::Later { what, after_s: None },
            ApiError::NotFound { .. } | ApiError::Forbidden { .. } | ApiError::Invalid { .. } => {
                DeliveryError::Never(what)
            }
        }
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.parcel.post.body[name].as_str()
    }

    fn texts(&self, name: &str) -> Vec<&str> {
        let texts = self.parcel.post.body[name].as_array().into_iter().flatten();
        texts.filter_map(Json::as_str).collect()
    }

    fn slug(&self, name: &str) -> Option<Slug> {
        Slug::try_from(self.text(name)?.to_string()).ok()
    }
}

fn name_of(parcel: &Parcel<'_>) -> Result<ExternalId, DeliveryError> {
    let name = parcel.record.external_id.as_deref().and_then(ExternalId::parse);
    name.ok_or_else(|| DeliveryError::Never("the conversation has no name in Intercom".into()))
}

fn kept_back(why: &str) -> DeliveryError {
    DeliveryError::KeptBack(why.to_string())
}

fn unwanted(why: &str) -> DeliveryError {
    DeliveryError::Unwanted(why.to_string())
}

/// Makes a name of the post's own and a place, in the layout of version 8 (RFC 9562, 5.8).
fn button_uuid(parcel: &Parcel<'_>, place: usize) -> Uuid {
    let post = parcel.post.id.to_string().parse().unwrap_or(Uuid::nil());
    let mut bytes = *post.as_bytes();
    bytes[0] ^= u8::try_from(place).unwrap_or(u8::MAX);
    uuid::Builder::from_custom_bytes(bytes).into_uuid()
}
