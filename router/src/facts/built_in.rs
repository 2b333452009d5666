use super::{ANY, Fact, Kind, Known};

const SHARE: (f64, f64) = (0.0, 1.0);
const COUNT: (f64, f64) = (0.0, f64::INFINITY);

/// Facts that every desk has: name, kind, when it is known, what it can be, what it says.
const FACTS: &[(&str, Kind, Known, Range, &str)] = &[
    ("message.text", Kind::Text, Known::Always, Range::Any, "what the customer wrote last"),
    ("message.words", Kind::Number, Known::Always, Range::Numbers(COUNT), "how many words that is"),
    (
        "topic.name",
        Kind::Text,
        Known::Sometimes,
        Range::Any,
        "what it is about; missing when no topic of the desk is likelier than not",
    ),
    (
        "topic.confidence",
        Kind::Number,
        Known::Always,
        Range::Numbers(SHARE),
        "how sure the topic is",
    ),
    (
        "answer.found",
        Kind::Truth,
        Known::AfterDraft,
        Range::Any,
        "whether there is anything to answer with",
    ),
    (
        "answer.confidence",
        Kind::Number,
        Known::AfterDraft,
        Range::Numbers(SHARE),
        "the probability that the drafted answer is right",
    ),
    (
        "language",
        Kind::Text,
        Known::Sometimes,
        Range::Any,
        "language of the customer, such as \"en\"",
    ),
    (
        "sentiment",
        Kind::Text,
        Known::Always,
        Range::Texts(&["negative", "neutral", "positive"]),
        "how the message sounds",
    ),
    (
        "wants_person",
        Kind::Truth,
        Known::Always,
        Range::Any,
        "whether the customer asks for a person",
    ),
    (
        "channel",
        Kind::Text,
        Known::Sometimes,
        Range::Any,
        "where it was written, such as \"web\" or \"intercom\"",
    ),
    ("page.url", Kind::Text, Known::Sometimes, Range::Any, "the page that the customer looked at"),
    ("customer.tier", Kind::Text, Known::Sometimes, Range::Any, "the customer's tier"),
    ("customer.plan", Kind::Text, Known::Sometimes, Range::Any, "the customer's plan"),
    (
        "customer.verified",
        Kind::Truth,
        Known::Always,
        Range::Any,
        "whether the customer has proved who they are",
    ),
    ("customer.tags", Kind::Texts, Known::Always, Range::Any, "tags of the customer"),
    ("company.tier", Kind::Text, Known::Sometimes, Range::Any, "tier of the customer's company"),
    ("company.plan", Kind::Text, Known::Sometimes, Range::Any, "plan of the customer's company"),
    ("company.arr", Kind::Number, Known::Sometimes, Range::Any, "what the company pays in a year"),
    (
        "company.health_score",
        Kind::Number,
        Known::Sometimes,
        Range::Any,
        "how well the company does with the product",
    ),
    (
        "company.days_to_renewal",
        Kind::Number,
        Known::Sometimes,
        Range::Any,
        "days until its contract renews; negative when overdue",
    ),
    ("company.tags", Kind::Texts, Known::Always, Range::Any, "tags of the company"),
    (
        "conversation.turns",
        Kind::Number,
        Known::Always,
        Range::Numbers(COUNT),
        "the customer's messages in this episode",
    ),
    (
        "conversation.bot_turns",
        Kind::Number,
        Known::Always,
        Range::Numbers(COUNT),
        "the bot's messages in this episode",
    ),
    (
        "conversation.episode",
        Kind::Number,
        Known::Always,
        Range::Numbers((1.0, f64::INFINITY)),
        "1 at first, one more with each reopening",
    ),
    (
        "conversation.opened_by",
        Kind::Text,
        Known::Always,
        Range::Texts(&["customer", "teammate", "bot"]),
        "who wrote first",
    ),
    ("conversation.tags", Kind::Texts, Known::Always, Range::Any, "tags of the conversation"),
    (
        "conversation.waiting_minutes",
        Kind::Number,
        Known::Always,
        Range::Numbers(COUNT),
        "how long the customer has waited for a reply",
    ),
    (
        "conversation.owner",
        Kind::Text,
        Known::Always,
        Range::Texts(&["bot", "team", "teammate"]),
        "who is responsible",
    ),
    (
        "conversation.team",
        Kind::Text,
        Known::Sometimes,
        Range::Any,
        "the team that is responsible, if one is",
    ),
    (
        "conversation.clarified",
        Kind::Truth,
        Known::Always,
        Range::Any,
        "whether the bot has asked what is meant in this episode",
    ),
    (
        "conversation.offered",
        Kind::Truth,
        Known::Always,
        Range::Any,
        "whether the bot has offered a person in this episode",
    ),
    (
        "conversation.offer_open",
        Kind::Truth,
        Known::Always,
        Range::Any,
        "whether that offer was the last thing said before this message",
    ),
    (
        "time.weekday",
        Kind::Text,
        Known::Always,
        Range::Texts(&WEEKDAYS),
        "day of the week, in the desk's time zone",
    ),
    (
        "time.hour",
        Kind::Number,
        Known::Always,
        Range::Numbers((0.0, 23.0)),
        "hour of the day, 0 to 23, in the desk's time zone",
    ),
];

const WEEKDAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

enum Range {
    Any,
    Numbers((f64, f64)),
    Texts(&'static [&'static str]),
}

pub(super) fn facts() -> impl Iterator<Item = Fact> {
    FACTS.iter().map(|(name, kind, known, range, about)| Fact {
        name: (*name).into(),
        kind: *kind,
        known: *known,
        allowed: match range {
            Range::Texts(texts) => texts.iter().map(|text| (*text).into()).collect(),
            _ => Vec::new(),
        },
        range: if let Range::Numbers(range) = range { *range } else { ANY },
        about: (*about).into(),
    })
}
