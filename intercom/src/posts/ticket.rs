//! Makes a ticket of a conversation there, once.

use super::{LATE_EFFECT_S, There};
use crate::{
    client::{ApiError, TicketDraft},
    text,
    wire::{Conversation, ExternalId, TicketType},
};
use bot::{Delivered, DeliveryError};

/// Characters of a ticket's title: what lists of tickets show.
const TITLE_CHARS: usize = 80;

impl There<'_> {
    /// Makes a ticket of it, unless it is one: somebody there, or an attempt whose answer was lost,
    /// was quicker.
    pub(super) async fn make_ticket(&self) -> Result<Delivered, DeliveryError> {
        let conversation = self.read().await?;
        if conversation.is_ticket() {
            return Ok(Delivered::said("is a ticket already"));
        }
        let kind = self.ticket_type().await?;
        let (title, description) = about(&conversation);
        let draft = TicketDraft {
            ticket_type: &kind,
            title: title.as_deref(),
            description: description.as_deref(),
        };
        match self.intercom.client.at_once().convert_to_ticket(&self.id, draft).await {
            Ok(_) => Ok(Delivered::said("made a ticket")),
            Err(failure) => Err(match (failure.maybe_done(), self.failed(&failure)) {
                (true, DeliveryError::Later { what, after_s }) => {
                    let after_s = after_s.unwrap_or_default().max(LATE_EFFECT_S);
                    DeliveryError::Later { what, after_s: Some(after_s) }
                }
                (_, failed) => failed,
            }),
        }
    }

    async fn ticket_type(&self) -> Result<ExternalId, DeliveryError> {
        let name = self.text("ticket").unwrap_or_default();
        let kinds = self.intercom.client.at_once().ticket_types().await;
        let kinds = kinds.map_err(|failure: ApiError| self.failed(&failure))?;
        kinds.iter().find(|kind| kind.is_for(name)).map(|kind| kind.id.clone()).ok_or_else(|| {
            let mend = "name a customer ticket type of the workspace in routing.toml";
            DeliveryError::Never(format!("Intercom has no such ticket type; {mend}"))
        })
    }
}

impl TicketType {
    /// Whether a conversation can become one of this kind, which people call `name`.
    pub(crate) fn is_for(&self, name: &str) -> bool {
        let is_customers = self.category.eq_ignore_ascii_case("customer");
        is_customers && !self.archived && self.name.trim().eq_ignore_ascii_case(name.trim())
    }
}

/// Says in the customer's own words what a conversation is about.
fn about(conversation: &Conversation) -> (Option<String>, Option<String>) {
    let asked = conversation.source.as_ref().and_then(|source| source.body.as_ref());
    let asked = asked.map(|body| text::to_text(body.as_str())).filter(|text| !text.is_empty());
    let named = conversation.title.as_ref().map(|title| title.as_str().to_string());
    let short = |text: &String| {
        let line = text.lines().next().unwrap_or_default();
        line.chars().take(TITLE_CHARS).collect::<String>()
    };
    (named.or(asked.as_ref().map(short)).filter(|title| !title.is_empty()), asked)
}
