//! Calls about people and what is known of them.

use super::{ApiError, Client, Version};
use crate::wire::{
    Admin, Company, Contact, Cursor, DataAttribute, ExternalId, Page, Team, TicketType,
};

/// What attributes are looked up for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// Customers.
    Contact,
    /// Companies.
    Company,
    /// Conversations.
    Conversation,
}

impl Client {
    /// Lists the workspace's teammates, seats of programs among them: `GET /admins`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn admins(&self) -> Result<Vec<Admin>, ApiError> {
        let page: Page<Admin> = self.read(&["admins"], &[]).await?;
        Ok(all_of(page, "admins"))
    }

    /// Lists the workspace's teams: `GET /teams`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn teams(&self) -> Result<Vec<Team>, ApiError> {
        let page: Page<Team> = self.read(&["teams"], &[]).await?;
        Ok(all_of(page, "teams"))
    }

    /// Lists the kinds of tickets: `GET /ticket_types`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn ticket_types(&self) -> Result<Vec<TicketType>, ApiError> {
        let page: Page<TicketType> = self.read(&["ticket_types"], &[]).await?;
        Ok(all_of(page, "ticket_types"))
    }

    /// Reads a customer: `GET /contacts/{id}`.
    ///
    /// # Errors
    /// [`ApiError`]; [`ApiError::NotFound`] for one who was erased or merged into another.
    pub async fn contact(&self, id: &ExternalId) -> Result<Contact, ApiError> {
        self.read(&["contacts", id.as_str()], &[]).await
    }

    /// Lists the companies that a customer belongs to: `GET /contacts/{id}/companies`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn companies_of(
        &self,
        contact: &ExternalId,
        from: Option<&Cursor>,
    ) -> Result<Page<Company>, ApiError> {
        let from = position(from);
        let query: Vec<(&str, &str)> = from.iter().map(|(key, at)| (*key, at.as_str())).collect();
        self.read(&["contacts", contact.as_str(), "companies"], &query).await
    }

    /// Reads a company: `GET /companies/{id}`.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn company(&self, id: &ExternalId) -> Result<Company, ApiError> {
        self.read(&["companies", id.as_str()], &[]).await
    }

    /// Lists the attributes that something can have: `GET /data_attributes`, and from 2.16 on
    /// `GET /conversations/attributes` for conversations.
    ///
    /// # Errors
    /// [`ApiError`].
    pub async fn attributes(&self, of: Found) -> Result<Vec<DataAttribute>, ApiError> {
        let model = match of {
            Found::Contact => "contact",
            Found::Company => "company",
            Found::Conversation => "conversation",
        };
        let page: Page<DataAttribute> = match (of, self.version()) {
            (Found::Conversation, Version::V2_16) => {
                self.read(&["conversations", "attributes"], &[]).await?
            }
            _ => self.read(&["data_attributes"], &[("model", model)]).await?,
        };
        Ok(all_of(page, "attributes"))
    }
}

/// Takes the items of a list that has one page, and has the log count those that could not be read.
pub(super) fn all_of<T>(page: Page<T>, list: &'static str) -> Vec<T> {
    if page.n_unreadable > 0 {
        tracing::warn!(list, n = page.n_unreadable, "Intercom sent what cannot be read");
    }
    page.items
}

/// Says where a page begins, as a parameter of the address.
pub(super) fn position(from: Option<&Cursor>) -> Option<(&'static str, String)> {
    from.map(|cursor| match cursor {
        Cursor::After(mark) => ("starting_after", mark.clone()),
        Cursor::Page(number) => ("page", number.to_string()),
    })
}
