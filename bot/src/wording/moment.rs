use super::{LAST_RESORT, Phrase, Wording};
use jiff::Zoned;

/// Days of a week, from Monday on.
pub(super) const DAYS: usize = 7;

/// Months of a year.
pub(super) const MONTHS: usize = 12;

impl Wording {
    /// Writes when a team opens, as people of a language do: "Monday, 23 November at 7:30 (CET)".
    /// It stands within [`Phrase::Away`]: where the language in which that is said has no words for
    /// days and months, numbers serve every language, as in "2026-11-23 07:30 CET".
    pub(crate) fn moment(&self, language: Option<&str>, at: &Zoned) -> String {
        let spoken = self.spoken(Phrase::Away, language).unwrap_or(LAST_RESORT);
        self.in_words(spoken, at).unwrap_or_else(|| at.strftime("%Y-%m-%d %H:%M %Z").to_string())
    }

    fn in_words(&self, language: &str, at: &Zoned) -> Option<String> {
        let texts = self.texts.get(language)?;
        let text = |phrase: Phrase| texts.get(phrase.key());
        let weekday = usize::try_from(at.weekday().to_monday_zero_offset()).ok()?;
        let month = usize::try_from(at.month()).ok()?.checked_sub(1)?;
        let mut said = text(Phrase::Moment)?.clone();
        for (slot, value) in [
            ("{weekday}", listed(text(Phrase::Weekdays)?).nth(weekday)?.to_string()),
            ("{month}", listed(text(Phrase::Months)?).nth(month)?.to_string()),
            ("{day}", at.day().to_string()),
            ("{hour}", at.hour().to_string()),
            ("{minute}", format!("{:02}", at.minute())),
            ("{zone}", at.strftime("%Z").to_string()),
        ] {
            said = said.replace(slot, &value);
        }
        Some(said.trim().to_string())
    }
}

/// Reads the names in a list.
pub(super) fn listed(names: &str) -> impl Iterator<Item = &str> {
    names.split(',').map(str::trim).filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_written_as_people_of_the_language_write_it() {
        let own = "[pt]\naway = \"De volta {opens}.\"\n[nl]\nmoment = \"{weekday} {hour}u{minute}\"\n\
                   [en]\nweekdays = \"Mo, Tu, We, Th, Fr, Sa, Su\"";
        let check = |own: &str, language: Option<&str>, expected: &str| {
            let wording = Wording::new(toml::from_str(own).unwrap(), &[], &[]).unwrap();
            let at: Zoned = "2026-11-23T07:30[Europe/Berlin]".parse().unwrap();
            assert_eq!(wording.moment(language, &at), expected, "{language:?}");
        };
        check("", None, "Monday, 23 November at 7:30 (CET)");
        check("", Some("en-US"), "Monday, 23 November at 7:30 (CET)");
        check("", Some("de-AT"), "Montag, 23. November, 7:30 Uhr (CET)");
        check("", Some("fr"), "lundi 23 novembre à 7 h 30 (CET)");
        check("", Some("es"), "lunes 23 de noviembre a las 7:30 (CET)");
        check("", Some("ja"), "Monday, 23 November at 7:30 (CET)");
        check(own, None, "Mo, 23 November at 7:30 (CET)");
        check(own, Some("pt"), "2026-11-23 07:30 CET");
        // What it stands in is said in English.
        check(own, Some("nl"), "Mo, 23 November at 7:30 (CET)");
    }

    #[test]
    fn a_list_of_days_or_months_has_all_of_them() {
        let own = "[pt]\nweekdays = \"segunda-feira, terça-feira\"";
        let problems = Wording::new(toml::from_str(own).unwrap(), &[], &[]).unwrap_err();
        let told: Vec<&str> = problems.iter().map(|problem| problem.what.as_str()).collect();
        assert_eq!(told, ["wording.pt.weekdays has 2 names"]);
    }
}
