use super::{InHand, Office, OfficeError};
use crate::measure;
use jiff::{SignedDuration, Timestamp};
use router::Status;
use serde_json::{Value as Json, json};
use store::{Actor, Customer, Delivery, Id, Opening, OutcomeKind, Received, Record};

/// A message of a customer, as a channel's door has read it.
#[derive(Debug, Clone, PartialEq)]
pub struct Inbound {
    /// The channel.
    pub channel: String,
    /// How the channel names the delivery; the same one is taken once.
    pub external_id: String,
    /// Who wrote.
    pub customer: Id<Customer>,
    /// The conversation that it belongs to.
    pub place: Place,
    /// What was written.
    pub text: String,
    /// How the sender named the message, to recognise its echo.
    pub client_id: Option<String>,
    /// The page that it was written from.
    pub page: Option<String>,
}

/// Where an [`Inbound`] belongs. A known conversation must be of the same customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// To a conversation that is kept.
    Known(Id<Record>),
    /// To the one that the channel names so, new or not.
    Named(String),
    /// To a new one.
    New,
}

/// The longest message that is taken, in bytes.
const LIMIT_BYTES: usize = 64 * 1024;

/// How recent a visitor's conversation has to be to go with whoever signs in. Long enough for
/// "I shall sign in, one moment", short enough that the next one at a shared computer does not get
/// what the one before has asked.
const RUNNING: SignedDuration = SignedDuration::from_hours(1);

/// The longest page address that is kept, in characters.
const LIMIT_PAGE: usize = 2_000;

impl Office {
    /// Takes a customer's message, once for each external id, and has the bot's turn follow.
    ///
    /// # Errors
    /// [`OfficeError::NotFound`] when the conversation is unknown or another customer's,
    /// [`OfficeError::Invalid`] for an empty or an oversized text, [`OfficeError::Store`].
    pub async fn receive(&self, inbound: Inbound) -> Result<Received, OfficeError> {
        let (now, desk) = (self.now(), self.desk());
        let text = lawful(&inbound.text)?;
        let page = inbound.page.map(|page| storable(&page).chars().take(LIMIT_PAGE).collect());
        let new = || {
            let mut record = Record::new(&inbound.channel, inbound.customer, now);
            if let Place::Named(name) = &inbound.place {
                record.external_id = Some(name.clone());
            }
            Box::new(record)
        };
        let opening = match &inbound.place {
            Place::Known(id) => Opening::Known(*id),
            Place::Named(name) => Opening::Named(name.clone(), new()),
            Place::New => Opening::New(new()),
        };
        let outward = self.is_outward(&inbound.channel);
        let delivery =
            Delivery { channel: inbound.channel.clone(), external_id: inbound.external_id };
        let (customer, client_id) = (inbound.customer, inbound.client_id);
        let mut last_entry = 0;
        let received = self.store().receive(&delivery, opening, now, |record, change| {
            if record.customer != customer {
                return Err(OfficeError::NotFound("conversation"));
            }
            let playbook = desk.playbook();
            let mut in_hand = InHand::new(playbook, record, change, (now, outward));
            in_hand.customer_writes(text, client_id, page)?;
            last_entry = in_hand.last_entry();
            in_hand.finish();
            Ok(())
        });
        let received = received.await??;
        measure::received(&inbound.channel, received.repeated);
        if !received.repeated {
            self.changed(received.conversation, last_entry);
        }
        Ok(received)
    }

    /// Notes how a customer rates the present episode, 1 to 5; a second rating changes nothing.
    /// Returns whether it counted.
    ///
    /// # Errors
    /// [`OfficeError::NotFound`], [`OfficeError::Invalid`], [`OfficeError::Store`].
    pub async fn rate(
        &self,
        conversation: Id<Record>,
        customer: Id<Customer>,
        (stars, comment): (u8, Option<String>),
    ) -> Result<bool, OfficeError> {
        if !(1..=5).contains(&stars) {
            return Err(OfficeError::Invalid("a rating is a number from 1 to 5".into()));
        }
        let comment = comment.map(|comment| storable(&comment)).filter(|text| !text.is_empty());
        let rated = self.alter(conversation, move |in_hand| {
            if in_hand.record.customer != customer {
                return Err(OfficeError::NotFound("conversation"));
            }
            if in_hand.record.state.status() != Status::Closed {
                let what = "the conversation goes on; it can be rated when it has ended".into();
                return Err(OfficeError::Invalid(what));
            }
            in_hand.change.fired.push("rated".into());
            in_hand.outcome(OutcomeKind::Rated(stars), comment);
            in_hand.event(&Actor::Customer, "rated", json!({"stars": stars}));
            Ok(())
        });
        match rated.await {
            Ok(_) => Ok(true),
            Err(OfficeError::Store(store::Error::LeaseLost)) => Ok(false),
            Err(failure) => Err(failure),
        }
    }
}

impl Office {
    /// Gives a visitor's running conversation to the customer who signs in, if there is one; its
    /// timeline says where the unproven words end. Of several who sign in at once as that visitor,
    /// the first has it.
    ///
    /// # Errors
    /// [`OfficeError::Store`].
    pub async fn bring_along(
        &self,
        visitor: Id<Customer>,
        customer: Id<Customer>,
    ) -> Result<(), OfficeError> {
        let Some(last) = self.store().conversations_of(visitor, 1).await?.into_iter().next() else {
            return Ok(());
        };
        let is_running = move |record: &Record, now: Timestamp| {
            let is_recent = now.duration_since(record.updated_at) <= RUNNING;
            record.customer == visitor && record.state.status() != Status::Closed && is_recent
        };
        if !is_running(&last, self.now()) {
            return Ok(());
        }
        let moved = self.alter(last.id, move |in_hand| {
            if is_running(in_hand.record, in_hand.now) {
                in_hand.record.customer = customer;
                in_hand.event(&Actor::Customer, "signed_in", Json::Null);
            }
            Ok(())
        });
        moved.await.map(drop)
    }
}

/// Makes text storable in every database: no NUL, which PostgreSQL refuses.
pub(super) fn storable(text: &str) -> String {
    text.replace('\0', "\u{fffd}").trim().to_string()
}

/// Makes a text storable and refuses an empty or an oversized one.
pub(super) fn lawful(text: &str) -> Result<String, OfficeError> {
    let text = storable(text);
    if text.is_empty() {
        return Err(OfficeError::Invalid("the message is empty; write something".into()));
    }
    if text.len() > LIMIT_BYTES {
        let limit = LIMIT_BYTES / 1024;
        let what =
            format!("the message is longer than {limit} KiB; shorten it or send it in parts");
        return Err(OfficeError::Invalid(what));
    }
    Ok(text)
}
