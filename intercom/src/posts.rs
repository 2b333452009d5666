use crate::{
    channel::{BY_EMAIL, Intercom, Mode},
    client::{ApiError, Assignee, AttributeValue, Display, Manage, QuickReply, Reply, Update},
    directory::Directory,
    history::{self, part_name},
    text,
    wire::{Conversation, ExternalId, Part},
};
use bot::{Delivered, DeliveryError, Parcel};
use jiff::{SignedDuration, Timestamp};
use router::Slug;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use uuid::Uuid;

/// How far the vendor's clock, which counts seconds, may be behind ours.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(5);

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
    let directory = intercom.known_directory().await?;
    let there = There { intercom, id: name_of(parcel)?, directory: &directory, parcel };
    match (intercom.mode, parcel.post.kind.as_str()) {
        (Mode::Silent, _) => Err(unwanted("the bot is silent in Intercom (intercom.mode)")),
        (Mode::Notes, "note") | (Mode::Live, "note") => there.note().await,
        (Mode::Notes, "reply") => there.would_have_said().await,
        (Mode::Notes, _) => Err(unwanted("the bot leaves notes alone (intercom.mode)")),
        (Mode::Live, "reply") => there.say().await,
        (Mode::Live, "assign") => there.assign().await,
        (Mode::Live, "hand_back") => there.hand_back().await,
        (Mode::Live, "snooze") => there.snooze().await,
        (Mode::Live, "close") => there.manage(Manage::Close).await,
        (Mode::Live, "tag") => there.tag().await,
        (Mode::Live, "untag") => there.untag().await,
        (Mode::Live, "priority") => there.prioritise().await,
        (Mode::Live, "attribute") => there.describe().await,
        (Mode::Live, _) => Err(DeliveryError::Never("nothing is known of this kind".into())),
    }
}

/// Looks for what an earlier attempt may have said: a part from the bot's seat with the same words,
/// no older than the post, which no other post has made.
pub(crate) async fn find(
    intercom: &Intercom,
    parcel: &Parcel<'_>,
) -> Result<Option<Delivered>, DeliveryError> {
    let directory = intercom.known_directory().await?;
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
            self.still_the_bots(&self.read().await?)?;
        }
        let html = self.reply_html();
        let said = self.intercom.client.reply(&self.id, &seat, Reply::Comment(&html)).await;
        let mut names = new_part(&said.map_err(|failure| self.failed(&failure))?);
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
        let bot = self.directory.bot();
        let left = self.intercom.client.reply(&self.id, bot, Reply::Note(html)).await;
        let names = new_part(&left.map_err(|failure| self.failed(&failure))?);
        Ok(Delivered { said: "noted".into(), names })
    }

    /// Gives it to a team, and to its teammate where one is named. What the bot gives away stays with
    /// the person who has it by now; people choose as they like. The fallback team stands in for one
    /// that is not there.
    async fn assign(&self) -> Result<Delivered, DeliveryError> {
        let (team, teammate) = (self.slug("team"), self.slug("teammate"));
        let fallback = || self.directory.team_there(self.directory.fallback());
        let team = team.as_ref().and_then(|team| self.directory.team_there(team));
        let admin = teammate.as_ref().and_then(|slug| self.directory.teammate_there(slug));
        let team = if admin.is_none() { team.or_else(fallback) } else { team };
        if team.is_none() && admin.is_none() {
            let mend = "name it alike in Intercom, or set known_as.intercom in routing.toml";
            let what = format!("the team has no counterpart in Intercom; {mend}");
            return Err(DeliveryError::Never(what));
        }
        let conversation = self.read().await?;
        let mut holder = conversation.admin_assignee_id;
        let by_person = self.parcel.post.body["by_person"] == Json::Bool(true);
        let is_somebody = holder.as_ref().is_some_and(|holder| holder != self.directory.bot());
        if is_somebody && holder != admin && !by_person {
            return Err(unwanted("a teammate has the conversation in Intercom"));
        }
        if let Some(team) = team.filter(|team| conversation.team_assignee_id.as_ref() != Some(team))
        {
            holder = self.managed(Manage::Assign(Assignee::Team(team))).await?.admin_assignee_id;
        }
        match &admin {
            Some(admin) if holder.as_ref() != Some(admin) => {
                self.managed(Manage::Assign(Assignee::Admin(admin))).await?;
            }
            // Whoever has it would keep it from being shared out.
            None if holder.is_some() => {
                self.managed(Manage::Assign(Assignee::NoAdmin)).await?;
            }
            _ => {}
        }
        Ok(Delivered::said("assigned"))
    }

    async fn hand_back(&self) -> Result<Delivered, DeliveryError> {
        self.manage(Manage::Assign(Assignee::Admin(self.directory.bot()))).await
    }

    async fn snooze(&self) -> Result<Delivered, DeliveryError> {
        let until = self.text("until").and_then(|until| until.parse::<Timestamp>().ok());
        let until = until.ok_or_else(|| DeliveryError::Never("the time is missing".into()))?;
        self.manage(Manage::Snooze(until)).await
    }

    async fn manage(&self, deed: Manage<'_>) -> Result<Delivered, DeliveryError> {
        let names = new_part(&self.managed(deed).await?);
        Ok(Delivered { said: "done".into(), names })
    }

    async fn managed(&self, deed: Manage<'_>) -> Result<Conversation, DeliveryError> {
        let done = self.intercom.client.manage(&self.id, self.directory.bot(), deed).await;
        done.map_err(|failure| self.failed(&failure))
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
        let offered = self.intercom.client.reply(&self.id, &seat, Reply::QuickReplies(&buttons));
        match offered.await {
            Ok(conversation) => new_part(&conversation),
            Err(failure) => {
                tracing::warn!(error = %failure, "the buttons of a reply were not offered");
                Vec::new()
            }
        }
    }

    /// Offers the buttons of a reply that was said before, where they are missing after it.
    async fn offer_again(&self, conversation: &Conversation, said: &Part) -> Vec<String> {
        if self.buttons().is_empty() {
            return Vec::new();
        }
        let after = conversation.parts.parts.iter().skip_while(|part| part.id != said.id);
        let offered = after
            .filter(|part| part.part_type == "quick_reply")
            .find(|part| history::is_own(part, self.directory));
        match offered {
            Some(part) => vec![part_name(&part.id)],
            None => self.offer().await,
        }
    }

    /// Finds the part that an attempt to say `html` made.
    fn same_part<'c>(&self, conversation: &'c Conversation, html: &str) -> Option<&'c Part> {
        let wants_note = !self.says();
        // A part that also opens or wakes the conversation has another kind than one that only says.
        let is_alike = |part: &Part| part.part_type.starts_with("note") == wants_note;
        let since = self.parcel.post.created_at.saturating_sub(CLOCKS_DIFFER);
        let since = since.unwrap_or(Timestamp::MIN);
        let words = |html: &str| -> Vec<String> {
            text::to_text(html).split_whitespace().map(str::to_string).collect()
        };
        let (wanted, seat) = (words(html), self.seat());
        conversation.parts.parts.iter().find(|part| {
            let author = part.author.as_ref().and_then(|author| author.id.as_ref());
            is_alike(part)
                && author == Some(&seat)
                && part.created_at.is_none_or(|at| at >= since)
                && !self.parcel.taken.contains(&part_name(&part.id))
                && part.body.as_ref().is_some_and(|body| words(body.as_str()) == wanted)
        })
    }

    /// Refuses where a teammate has it, or has written or ended it since the desk looked last.
    fn still_the_bots(&self, conversation: &Conversation) -> Result<(), DeliveryError> {
        let unseen =
            history::happenings(conversation, self.directory).into_iter().any(|happening| {
                matches!(
                    happening.what,
                    bot::Happened::Answered { .. } | bot::Happened::Closed { by: Some(_) }
                ) && !self.parcel.taken.contains(&happening.name)
            });
        match history::held_by(conversation, self.directory).is_some() || unseen {
            true => Err(unwanted("a teammate has the conversation in Intercom")),
            false => Ok(()),
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

/// Returns what the vendor calls the part that a call made; its answers hold the new one alone.
fn new_part(conversation: &Conversation) -> Vec<String> {
    conversation.parts.parts.last().map(|part| part_name(&part.id)).into_iter().collect()
}

fn name_of(parcel: &Parcel<'_>) -> Result<ExternalId, DeliveryError> {
    let name = parcel.record.external_id.as_deref().and_then(ExternalId::parse);
    name.ok_or_else(|| DeliveryError::Never("the conversation has no name in Intercom".into()))
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
