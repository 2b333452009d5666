use super::{Catalogue, Fact, FactError, FactId, Kind, Known, Value};

/// What is known about one conversation at one moment, in the order of a [`Catalogue`].
#[derive(Debug, Clone, PartialEq)]
pub struct Facts(Vec<Option<Value>>);

impl Facts {
    /// Starts with what is true of a conversation about which nothing is known: no tags, no
    /// signals, turn 1 of episode 1, every team open, Monday at noon.
    pub fn new(catalogue: &Catalogue) -> Self {
        Self(catalogue.facts().iter().map(plainest).collect())
    }

    /// Returns what is known about a fact.
    pub fn get(&self, id: FactId) -> Option<&Value> {
        self.0.get(id.0).and_then(Option::as_ref)
    }

    /// Records a fact.
    ///
    /// # Errors
    /// [`FactError::Unknown`], [`FactError::OtherKind`] or [`FactError::Impossible`]; the facts
    /// are unchanged then.
    pub fn set(
        &mut self,
        catalogue: &Catalogue,
        name: &str,
        value: Value,
    ) -> Result<(), FactError> {
        let id = catalogue.find(name).ok_or_else(|| catalogue.unknown(name))?;
        let fact = catalogue.fact(id);
        possible(fact, &value)?;
        self.put(id, Some(value));
        Ok(())
    }

    pub(crate) fn put(&mut self, id: FactId, value: Option<Value>) {
        if let Some(place) = self.0.get_mut(id.0) {
            *place = value;
        }
    }

    /// Returns the facts that are known, with their names, in the order of the catalogue.
    pub fn known<'a>(
        &'a self,
        catalogue: &'a Catalogue,
    ) -> impl Iterator<Item = (&'a str, &'a Value)> {
        let facts = catalogue.facts().iter().zip(&self.0);
        facts.filter_map(|(fact, value)| Some((fact.name.as_str(), value.as_ref()?)))
    }
}

fn possible(fact: &Fact, value: &Value) -> Result<(), FactError> {
    if value.kind() != fact.kind {
        let (expected, given) = (fact.kind, value.kind());
        return Err(FactError::OtherKind { name: fact.name.clone(), expected, given });
    }
    let impossible = |mend: String| {
        Err(FactError::Impossible { name: fact.name.clone(), given: value.to_string(), mend })
    };
    match value {
        Value::Number(number) if !number.is_finite() => impossible("write a number".into()),
        Value::Number(number) if *number < fact.range.0 || *number > fact.range.1 => {
            impossible(fact.bounds())
        }
        Value::Text(text)
            if !fact.allowed.is_empty() && !fact.allowed.iter().any(|a| a == text.as_str()) =>
        {
            impossible(format!("it is one of {}", fact.allowed.join(", ")))
        }
        _ => Ok(()),
    }
}

/// The value of a fact that is always known, when nothing in particular is known.
pub(crate) fn plainest(fact: &Fact) -> Option<Value> {
    if fact.known != Known::Always {
        return None;
    }
    Some(match (fact.kind, fact.name.as_str()) {
        (Kind::Truth, name) => Value::Truth(name.starts_with("open(")),
        (Kind::Number, "conversation.turns") => Value::Number(1.0),
        (Kind::Number, "time.hour") => Value::Number(12.0),
        (Kind::Number, _) => Value::Number(fact.range.0.max(0.0)),
        (Kind::Text, "sentiment") => Value::text("neutral"),
        (Kind::Text, _) => Value::text(fact.allowed.first().map_or("", String::as_str)),
        (Kind::Texts, _) => Value::Texts(Vec::new()),
    })
}
