//! Locales as people write them, and the languages that are known.

/// Languages that may name a first-level folder. Two-letter folder names outside this list
/// (`js`, `ui`, `go`) are topics and not languages.
const LANGUAGES: [&str; 36] = [
    "ar", "bg", "bn", "ca", "cs", "da", "de", "el", "en", "es", "et", "fa", "fi", "fr", "he", "hi",
    "hr", "hu", "id", "it", "ja", "ko", "lt", "lv", "nb", "nl", "no", "pl", "pt", "ro", "ru", "sv",
    "th", "tr", "uk", "zh",
];

/// Least letters of prose before a guess of its language is trusted.
const GUESS_LETTERS: usize = 200;

/// The language of a locale in lower case: `pt` of `pt-BR`.
pub(crate) fn language(locale: &str) -> String {
    locale.split(['-', '_']).next().unwrap_or_default().to_lowercase()
}

/// Writes a locale the usual way: `pt_br` becomes `pt-BR`. None when it is not a locale.
pub(crate) fn normal(text: &str) -> Option<String> {
    let mut parts = text.trim().split(['-', '_']);
    let language = parts.next()?.to_lowercase();
    if !(2..=3).contains(&language.len()) || !language.bytes().all(|b| b.is_ascii_lowercase()) {
        return None;
    }
    let mut normal = language;
    for part in parts {
        if part.is_empty() || part.len() > 8 || !part.bytes().all(|b| b.is_ascii_alphanumeric()) {
            return None;
        }
        normal.push('-');
        match part.len() {
            2 => normal.push_str(&part.to_uppercase()),
            _ => normal.push_str(part),
        }
    }
    Some(normal)
}

/// The locale that the first folder of a place names, as in `de/konto.md`.
pub(crate) fn of_place(place: &str) -> Option<String> {
    let (first, _) = place.split_once('/')?;
    let locale = normal(first)?;
    let region_fits = locale.len() == 2 || locale.len() == 5;
    (region_fits && LANGUAGES.contains(&language(&locale).as_str())).then_some(locale)
}

/// Guesses the language of Markdown from its prose; none while there is little or doubt.
pub(crate) fn guess(body: &str) -> Option<String> {
    let mut fenced = false;
    let mut prose = String::new();
    for line in body.lines() {
        let line = line.trim_start();
        if line.starts_with("```") || line.starts_with("~~~") {
            fenced = !fenced;
        } else if !fenced && !line.starts_with(['<', '{', '|', '#']) {
            prose.push_str(line);
            prose.push(' ');
        }
        // More text makes the guess slower and not better.
        if prose.len() > 1_200 {
            break;
        }
    }
    if prose.chars().filter(|c| c.is_alphabetic()).count() < GUESS_LETTERS {
        return None;
    }
    let found = whatlang::detect(&prose).filter(whatlang::Info::is_reliable)?;
    short_code(found.lang()).map(str::to_owned)
}

fn short_code(lang: whatlang::Lang) -> Option<&'static str> {
    use whatlang::Lang;
    Some(match lang {
        Lang::Ara => "ar",
        Lang::Bul => "bg",
        Lang::Ben => "bn",
        Lang::Cat => "ca",
        Lang::Ces => "cs",
        Lang::Dan => "da",
        Lang::Deu => "de",
        Lang::Ell => "el",
        Lang::Eng => "en",
        Lang::Spa => "es",
        Lang::Est => "et",
        Lang::Pes => "fa",
        Lang::Fin => "fi",
        Lang::Fra => "fr",
        Lang::Heb => "he",
        Lang::Hin => "hi",
        Lang::Hrv => "hr",
        Lang::Hun => "hu",
        Lang::Ind => "id",
        Lang::Ita => "it",
        Lang::Jpn => "ja",
        Lang::Kor => "ko",
        Lang::Lit => "lt",
        Lang::Lav => "lv",
        Lang::Nob => "nb",
        Lang::Nld => "nl",
        Lang::Pol => "pl",
        Lang::Por => "pt",
        Lang::Ron => "ro",
        Lang::Rus => "ru",
        Lang::Swe => "sv",
        Lang::Tha => "th",
        Lang::Tur => "tr",
        Lang::Ukr => "uk",
        Lang::Cmn => "zh",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn locales_are_written_the_usual_way() {
        for (text, expected) in [
            ("en", Some("en")),
            ("EN-us", Some("en-US")),
            ("pt_br", Some("pt-BR")),
            ("zh-Hant", Some("zh-Hant")),
            ("", None),
            ("english", None),
            ("e1", None),
            ("en-", None),
        ] {
            assert_eq!(normal(text).as_deref(), expected, "{text}");
        }
    }

    #[test]
    fn only_a_first_folder_that_is_a_language_names_a_locale() {
        for (place, expected) in [
            ("de/konto.md", Some("de")),
            ("en-us/a/b.md", Some("en-US")),
            ("js/a.md", None),
            ("docs/de/a.md", None),
            ("de.md", None),
        ] {
            assert_eq!(of_place(place).as_deref(), expected, "{place}");
        }
    }

    #[test]
    fn a_language_is_guessed_from_enough_prose_only() {
        assert_eq!(guess("Hallo."), None);
        let german = "Um Ihr Konto zu kündigen, öffnen Sie bitte die Einstellungen und wählen Sie \
            dort den Eintrag Vertrag. Nach der Kündigung bleiben Ihre Daten noch dreißig Tage \
            erhalten, danach werden sie endgültig gelöscht und können nicht wiederhergestellt \
            werden. Bei Fragen hilft Ihnen unser Kundendienst gern weiter.";
        assert_eq!(guess(german).as_deref(), Some("de"));
    }
}
