/// A kind of personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An address on the web that holds a token or a person.
    Link,
    /// An address of mail.
    Email,
    /// A key or a token.
    Secret,
    /// An account number (ISO 13616).
    Iban,
    /// The number of a card of payment.
    Card,
    /// An address of a machine.
    Ip,
    /// A number that a state or an office gives to a person.
    Id,
    /// Where somebody lives or works: street, house, box, postcode.
    Address,
    /// When somebody was born.
    Birth,
    /// How old somebody is.
    Age,
    /// A telephone number.
    Phone,
    /// A customer whose name is known from elsewhere.
    Customer,
    /// A teammate whose name is known from elsewhere.
    Teammate,
    /// Somebody else, told by what stands around the name.
    Person,
}

impl Kind {
    /// What is told by its form, in the order in which it is looked for: what may contain another
    /// one comes first.
    pub(super) const BY_FORM: [Self; 7] =
        [Self::Link, Self::Email, Self::Secret, Self::Iban, Self::Card, Self::Ip, Self::Id];

    /// What is told by the words around it, in the order in which it is looked for.
    pub(super) const BY_WORDS: [Self; 3] = [Self::Birth, Self::Address, Self::Age];

    /// Returns what stands in a text in the place of what was taken out.
    pub const fn marker(self) -> &'static str {
        match self {
            Self::Link => "[link]",
            Self::Email => "[email]",
            Self::Secret => "[secret]",
            Self::Iban => "[iban]",
            Self::Card => "[card]",
            Self::Ip => "[ip]",
            Self::Id => "[id]",
            Self::Address => "[address]",
            Self::Birth => "[birth]",
            Self::Age => "[age]",
            Self::Phone => "[phone]",
            Self::Customer => "[customer]",
            Self::Teammate => "[teammate]",
            Self::Person => "[person]",
        }
    }
}
