use crate::{Phrase, Playbook, Question, Wording, message::Staffing};
use jiff::Timestamp;
use knowledge::Reader;
use router::{
    Author, Catalogue, Conversation, Event, FactError, Facts, Kind, Language, Sentiment, Signals,
    Value,
};
use serde_json::{Map, Value as Json};

/// A message to act on, with all that is known about it.
#[derive(Debug, Clone)]
pub struct Inquiry {
    /// What is asked.
    pub question: Question,
    /// Who may read which articles.
    pub reader: Reader,
    /// What else is known.
    pub context: Context,
}

/// What is known about a conversation beside its messages.
#[derive(Debug, Clone)]
pub struct Context {
    /// When the message is acted on.
    pub now: Timestamp,
    /// Attributes of the customer, such as `tier`; those of the company stand under `company`.
    pub customer: Map<String, Json>,
    /// Name of the channel.
    pub channel: Option<String>,
    /// The page that the customer looked at.
    pub page: Option<String>,
    /// Tags of the conversation.
    pub tags: Vec<String>,
    /// How long the customer has waited for a reply.
    pub waiting_minutes: f64,
    /// Where the conversation stands, when that is known better than from its messages.
    pub conversation: Option<Conversation>,
    /// Who is at work.
    pub staffing: Staffing,
    /// Facts that hold whatever else says, see [`stated`].
    pub stated: Vec<(String, Value)>,
}

impl Context {
    /// Knows nothing but the time.
    pub fn at(now: Timestamp) -> Self {
        Self {
            now,
            customer: Map::new(),
            channel: None,
            page: None,
            tags: Vec::new(),
            waiting_minutes: 0.0,
            conversation: None,
            staffing: Staffing::default(),
            stated: Vec::new(),
        }
    }
}

/// Reads a fact that is stated, such as `company.arr` = `12000`.
///
/// # Errors
/// A [`FactError`] when there is no such fact or it cannot be that.
pub fn stated(catalogue: &Catalogue, name: &str, json: &Json) -> Result<Value, FactError> {
    let id = catalogue.find(name).ok_or_else(|| {
        let probe = Facts::new(catalogue).set(catalogue, name, Value::Truth(true));
        probe.err().unwrap_or(FactError::Unknown { name: name.into(), mend: String::new() })
    })?;
    let fact = catalogue.fact(id);
    if fact.known == router::Known::AfterDraft {
        return Err(FactError::Impossible {
            name: name.into(),
            given: json.to_string(),
            mend: "it comes of the draft, leave it out".into(),
        });
    }
    let given =
        |kind: Kind| FactError::OtherKind { name: name.into(), expected: fact.kind, given: kind };
    let value = value_of(json, fact.kind).ok_or_else(|| {
        given(match json {
            Json::Bool(_) => Kind::Truth,
            Json::Number(_) => Kind::Number,
            Json::Array(_) => Kind::Texts,
            _ => Kind::Text,
        })
    })?;
    Facts::new(catalogue).set(catalogue, name, value.clone())?;
    Ok(value)
}

/// Reads a value of a kind; numbers and truths may be written as text, as forms and exports do.
fn value_of(json: &Json, kind: Kind) -> Option<Value> {
    Some(match (kind, json) {
        (Kind::Truth, Json::Bool(value)) => Value::Truth(*value),
        (Kind::Truth, Json::String(text)) => Value::Truth(text.trim().parse().ok()?),
        (Kind::Number, Json::Number(number)) => Value::Number(number.as_f64()?),
        (Kind::Number, Json::String(text)) => {
            Value::Number(text.trim().parse().ok().filter(|n: &f64| n.is_finite())?)
        }
        (Kind::Text, Json::String(text)) => Value::text(text.as_str()),
        (Kind::Text, Json::Number(number)) => Value::text(number.to_string()),
        (Kind::Texts, Json::Array(items)) => {
            Value::Texts(items.iter().filter_map(|item| Some(item.as_str()?.into())).collect())
        }
        (Kind::Texts, Json::String(one)) => Value::Texts(vec![one.clone()]),
        _ => return None,
    })
}

/// What was noticed in a message before anything is decided.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Noticed {
    /// How it must be handled.
    pub signals: Signals,
    /// What it is about and how sure that is; `None` for none of the desk's topics.
    pub topic: Option<(String, f64)>,
    /// The customer's language, such as `de`.
    pub language: Option<String>,
}

/// Gathers what rules can ask about a message.
pub(crate) fn facts(playbook: &Playbook, inquiry: &Inquiry, noticed: &Noticed) -> Facts {
    let mut gathering = Gathering {
        catalogue: playbook.policy.catalogue(),
        facts: Facts::new(playbook.policy.catalogue()),
    };
    gathering.message(inquiry, noticed);
    gathering.customer(&inquiry.context.customer);
    gathering.conversation(playbook, &inquiry.question, &inquiry.context);
    gathering.time(playbook, inquiry.context.now);
    for (name, value) in &inquiry.context.stated {
        gathering.put(name, value.clone());
    }
    gathering.facts
}

struct Gathering<'a> {
    catalogue: &'a Catalogue,
    facts: Facts,
}

impl Gathering<'_> {
    /// Records a fact. What a rule cannot use, such as an attribute of another kind than declared,
    /// counts as missing.
    fn put(&mut self, name: &str, value: Value) {
        if let Err(error) = self.facts.set(self.catalogue, name, value) {
            tracing::debug!(fact = name, %error, "a fact is left out");
        }
    }

    fn message(&mut self, inquiry: &Inquiry, noticed: &Noticed) {
        let text = inquiry.question.last();
        self.put("message.text", Value::text(text));
        self.put("message.words", Value::Number(text.split_whitespace().count() as f64));
        if let Some((topic, confidence)) = &noticed.topic {
            self.put("topic.name", Value::text(topic.as_str()));
            self.put("topic.confidence", Value::Number(*confidence));
        }
        if let Some(language) = &noticed.language {
            self.put("language", Value::text(language.as_str()));
        }
        for (name, confidence) in noticed.signals.iter() {
            self.put(&format!("signals.{name}"), Value::Number(confidence));
        }
        self.put("wants_person", Value::Truth(noticed.signals.get("wants_person") >= 0.5));
        let sentiment = match noticed.signals.sentiment() {
            Sentiment::Negative => "negative",
            Sentiment::Neutral => "neutral",
            Sentiment::Positive => "positive",
        };
        self.put("sentiment", Value::text(sentiment));
        if let Some(channel) = &inquiry.context.channel {
            self.put("channel", Value::text(channel.as_str()));
        }
        if let Some(page) = &inquiry.context.page {
            self.put("page.url", Value::text(page.as_str()));
        }
    }

    /// Takes the attributes that rules know; customers have others, which do not matter.
    fn customer(&mut self, customer: &Map<String, Json>) {
        let company = customer.get("company").and_then(Json::as_object);
        for (group, attributes) in [("customer", Some(customer)), ("company", company)] {
            for (name, json) in attributes.into_iter().flatten() {
                let name = format!("{group}.{name}");
                let Some(id) = self.catalogue.find(&name) else { continue };
                if let Some(value) = value_of(json, self.catalogue.fact(id).kind) {
                    self.put(&name, value);
                }
            }
        }
    }

    fn conversation(&mut self, playbook: &Playbook, question: &Question, context: &Context) {
        let replayed;
        let conversation = match &context.conversation {
            Some(conversation) => conversation,
            None => {
                replayed = replay(question, &playbook.wording);
                &replayed
            }
        };
        let episode = conversation.episode();
        self.put("conversation.turns", Value::Number(f64::from(episode.turns)));
        self.put("conversation.bot_turns", Value::Number(f64::from(episode.bot_turns)));
        self.put("conversation.episode", Value::Number(f64::from(episode.number)));
        self.put("conversation.clarified", Value::Truth(episode.clarified));
        self.put("conversation.offered", Value::Truth(episode.offered));
        self.put("conversation.offer_open", Value::Truth(episode.offer_open));
        let (owner, team) = match conversation.owner() {
            router::Owner::Bot => ("bot", None),
            router::Owner::Team(team) => ("team", Some(team)),
            router::Owner::Teammate { team, .. } => ("teammate", Some(team)),
        };
        self.put("conversation.owner", Value::text(owner));
        if let Some(team) = team {
            self.put("conversation.team", Value::text(team.as_str()));
        }
        let opened_by = match question.turns().first().map(|turn| turn.author) {
            Some(Author::Bot) => "bot",
            Some(Author::Teammate) => "teammate",
            Some(Author::Customer) | None => "customer",
        };
        self.put("conversation.tags", Value::Texts(context.tags.clone()));
        self.put("conversation.waiting_minutes", Value::Number(context.waiting_minutes));
        self.put("conversation.opened_by", Value::text(opened_by));
    }

    fn time(&mut self, playbook: &Playbook, now: Timestamp) {
        let local = now.to_zoned(playbook.time_zone.clone());
        let weekday = local.strftime("%A").to_string().to_lowercase();
        self.put("time.weekday", Value::text(weekday));
        self.put("time.hour", Value::Number(f64::from(local.hour())));
        for team in playbook.policy.teams() {
            let name = format!("open({:?})", team.slug.as_str());
            self.put(&name, Value::Truth(team.is_open(now)));
        }
    }
}

/// Tells from the messages where a conversation stands, as far as messages show it: what people
/// wrote counts as history, since whoever asks for an answer wants to know what the bot would do.
pub(crate) fn replay(question: &Question, wording: &Wording) -> Conversation {
    let mut conversation = Conversation::default();
    for turn in question.turns() {
        let event = match turn.author {
            Author::Customer => Event::CustomerWrote,
            Author::Bot if wording.is(Phrase::Offer, &turn.text) => Event::BotOffered,
            Author::Bot if wording.is_question(&turn.text) => Event::BotAsked,
            Author::Bot => Event::BotReplied,
            Author::Teammate => continue,
        };
        // A greeting of the bot before the customer has written is no turn of the conversation.
        if let Err(reason) = conversation.apply(&event) {
            tracing::debug!(%reason, "a message does not count");
        }
    }
    conversation
}

/// Returns the customer's language: the given one, else that of a message long enough to tell.
pub(crate) fn language(inquiry: &Inquiry) -> Option<String> {
    let given = inquiry.reader.locale.as_deref();
    if let Some(language) = given.and_then(Language::of_locale) {
        return Some(language.into());
    }
    let info = whatlang::detect(inquiry.question.last()).filter(whatlang::Info::is_reliable)?;
    two_letters(info.lang()).map(str::to_string)
}

/// Returns the code of a language as locales write it (ISO 639-1).
fn two_letters(language: whatlang::Lang) -> Option<&'static str> {
    use whatlang::Lang::{
        Ara, Ces, Cmn, Dan, Deu, Ell, Eng, Fin, Fra, Heb, Hin, Hun, Ita, Jpn, Kor, Nld, Nob, Pol,
        Por, Ron, Rus, Spa, Swe, Tur, Ukr, Vie,
    };
    Some(match language {
        Ara => "ar",
        Ces => "cs",
        Cmn => "zh",
        Dan => "da",
        Deu => "de",
        Ell => "el",
        Eng => "en",
        Fin => "fi",
        Fra => "fr",
        Heb => "he",
        Hin => "hi",
        Hun => "hu",
        Ita => "it",
        Jpn => "ja",
        Kor => "ko",
        Nld => "nl",
        Nob => "no",
        Pol => "pl",
        Por => "pt",
        Ron => "ro",
        Rus => "ru",
        Spa => "es",
        Swe => "sv",
        Tur => "tr",
        Ukr => "uk",
        Vie => "vi",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
