use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

/// The languages that the messenger brings along.
const BUILT_IN: [(&str, &str); 4] = [
    ("de", include_str!("../../messenger/locales/de.json")),
    ("en", include_str!("../../messenger/locales/en.json")),
    ("es", include_str!("../../messenger/locales/es.json")),
    ("fr", include_str!("../../messenger/locales/fr.json")),
];

/// The locale whose texts stand in for those that others lack.
const LAST_RESORT: &str = "en";

/// What the messenger says beside messages, by locale and key. The default holds the languages
/// that it brings along; a desk's own lie over them. Clones are the same texts, which can be
/// replaced while customers read them.
#[derive(Debug, Clone)]
pub struct Texts {
    by_locale: Arc<RwLock<ByLocale>>,
}

type ByLocale = BTreeMap<String, BTreeMap<String, String>>;

impl Default for Texts {
    fn default() -> Self {
        let read = |json: &str| serde_json::from_str(json).unwrap_or_default();
        let by_locale = BUILT_IN.iter().map(|(locale, json)| (locale.to_string(), read(json)));
        Self { by_locale: Arc::new(RwLock::new(by_locale.collect())) }
    }
}

impl Texts {
    fn all(&self) -> ByLocale {
        self.by_locale.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Has everybody who reads these texts read the other ones from now on.
    pub fn replace(&self, other: &Self) {
        let new = other.all();
        *self.by_locale.write().unwrap_or_else(PoisonError::into_inner) = new;
    }

    /// Lays a desk's own texts over those of a locale, which may be a new one: `locale` is `pt` or
    /// `pt-BR`, `json` an object of texts by key, as in the files that the messenger brings along.
    ///
    /// # Errors
    /// A sentence that says what is wrong and how to mend it.
    pub fn add(&mut self, locale: &str, json: &str) -> Result<(), String> {
        let lawful = locale.split('-').all(|part| {
            (2..=8).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        if !lawful {
            return Err(format!("{locale:?} is no locale; name the file pt.json or pt-BR.json"));
        }
        let own: BTreeMap<String, String> = serde_json::from_str(json)
            .map_err(|error| format!("{error}; write an object of texts by key"))?;
        let mut by_locale = self.by_locale.write().unwrap_or_else(PoisonError::into_inner);
        let known = by_locale.get(LAST_RESORT).cloned().unwrap_or_default();
        if let Some(key) = own.keys().find(|key| !known.contains_key(*key)) {
            let known: Vec<&str> = known.keys().map(String::as_str).collect();
            return Err(format!("the messenger has no text {key:?}; known: {}", known.join(", ")));
        }
        by_locale.entry(locale.to_lowercase()).or_default().extend(own);
        Ok(())
    }

    /// Returns the locale that comes nearest to what a browser wants, with all its texts: `de-AT`
    /// is served by `de-AT`, then `de`, then `en`; single texts that are lacking come the same way.
    pub(super) fn nearest(&self, wanted: &str) -> (String, BTreeMap<String, String>) {
        let by_locale = self.by_locale.read().unwrap_or_else(PoisonError::into_inner);
        let wanted = wanted.trim().replace('_', "-").to_lowercase();
        let language = wanted.split('-').next().unwrap_or_default();
        let mut texts = BTreeMap::new();
        let mut locale = LAST_RESORT;
        for name in [LAST_RESORT, language, wanted.as_str()] {
            let Some(own) = by_locale.get(name) else { continue };
            locale = name;
            texts.extend(own.clone());
        }
        (locale.to_string(), texts)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_language_says_everything_with_the_same_slots() {
        let texts = Texts::default().all();
        let slots = |text: &str| -> BTreeSet<String> {
            text.split('{').skip(1).filter_map(|t| Some(t.split_once('}')?.0.to_string())).collect()
        };
        let english = &texts["en"];
        assert!(english.len() > 20);
        for (locale, own) in &texts {
            let keys = |texts: &BTreeMap<String, String>| texts.keys().cloned().collect::<Vec<_>>();
            assert_eq!(keys(own), keys(english), "{locale}");
            for (key, text) in own {
                assert_eq!(slots(text), slots(&english[key]), "{locale} {key}");
                assert!(!text.trim().is_empty(), "{locale} {key}");
            }
        }
    }

    #[test]
    fn the_nearest_locale_is_taken_and_english_fills_its_gaps() {
        let mut texts = Texts::default();
        texts.add("pt-BR", "{\"send\": \"Enviar\"}").unwrap();
        texts.add("de-AT", "{\"send\": \"Schicken\"}").unwrap();
        let check = |wanted: &str, locale: &str, send: &str| {
            let (found, texts) = texts.nearest(wanted);
            assert_eq!((found.as_str(), texts["send"].as_str()), (locale, send), "{wanted}");
            assert!(texts.contains_key("close"));
        };
        check("de", "de", "Senden");
        check("de_CH", "de", "Senden");
        check("de-AT", "de-at", "Schicken");
        check("pt-br", "pt-br", "Enviar");
        check("pt", "en", "Send");
        check("", "en", "Send");
        check("../../etc", "en", "Send");
    }

    #[test]
    fn texts_are_replaced_for_whoever_holds_them() {
        let (texts, mut new) = (Texts::default(), Texts::default());
        let held = texts.clone();
        new.add("en", "{\"send\": \"Off you go\"}").unwrap();
        texts.replace(&new);
        assert_eq!(held.nearest("en").1["send"], "Off you go");
        texts.replace(&Texts::default());
        assert_eq!(held.nearest("en").1["send"], "Send");
    }

    #[test]
    fn faults_in_a_desk_s_own_file_are_named() {
        let mut texts = Texts::default();
        let mut check = |locale: &str, json: &str, expected: &str| {
            let said = texts.add(locale, json).unwrap_err();
            assert!(said.contains(expected), "{said}");
        };
        check("portuguese brazil", "{}", "is no locale");
        check("pt", "{\"sned\": \"x\"}", "no text \"sned\"");
        check("pt", "[]", "write an object of texts by key");
        check("pt", "{\"send\": 1}", "write an object of texts by key");
    }
}
