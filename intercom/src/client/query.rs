use serde::{Serialize, Serializer};

/// What conversations are searched by: at most 15 conditions, as the vendor has it.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// One condition.
    One(Condition),
    /// All of them hold.
    All(Vec<Condition>),
    /// At least one of them holds.
    Any(Vec<Condition>),
}

/// A field compared with a value.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Condition {
    /// The field, such as `updated_at`, `state`, `source.type`, `admin_assignee_id`.
    pub field: String,
    /// How it is compared.
    pub operator: Operator,
    /// What it is compared with.
    pub value: Operand,
}

/// How a field is compared. For moments of conversations the vendor takes [`Operator::After`] and
/// [`Operator::Before`] as "or equal".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Operator {
    /// Equal.
    #[serde(rename = "=")]
    Is,
    /// Not equal.
    #[serde(rename = "!=")]
    IsNot,
    /// One of a list.
    #[serde(rename = "IN")]
    In,
    /// None of a list.
    #[serde(rename = "NIN")]
    NotIn,
    /// Greater, or later.
    #[serde(rename = ">")]
    After,
    /// Less, or earlier.
    #[serde(rename = "<")]
    Before,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Operand {
    /// A text.
    Text(String),
    /// A number, or a moment in seconds since 1970.
    Number(i64),
    /// A truth value.
    Truth(bool),
    /// A list of texts.
    Texts(Vec<String>),
}

#[derive(Serialize)]
struct Group<'a> {
    operator: &'a str,
    value: &'a [Condition],
}

impl Condition {
    /// Compares a field with a value.
    pub fn new(field: &str, operator: Operator, value: Operand) -> Self {
        Self { field: field.to_string(), operator, value }
    }
}

impl Serialize for Query {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(condition) => condition.serialize(serializer),
            Self::All(value) => Group { operator: "AND", value }.serialize(serializer),
            Self::Any(value) => Group { operator: "OR", value }.serialize(serializer),
        }
    }
}
