/// Who wrote a [`Message`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Author {
    /// The person who asks.
    Customer,
    /// Frontdesk.
    Bot,
    /// A person of the company.
    Teammate,
}

/// One contribution to a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// Who wrote it.
    pub author: Author,
    /// What was written.
    pub text: String,
}
