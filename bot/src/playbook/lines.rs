use std::collections::BTreeMap;
use toml::de::{DeTable, DeValue};

/// On which line of `routing.toml` each key and each entry stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lines(BTreeMap<String, usize>);

impl Lines {
    /// Reads the places of a text; of one that is no TOML, none.
    pub(crate) fn of(text: &str) -> Self {
        let ends = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n');
        let ends: Vec<usize> = ends.map(|(place, _)| place).collect();
        let mut lines = BTreeMap::new();
        let mut note = |path: &str, offset: usize| {
            lines.insert(path.to_string(), ends.partition_point(|end| *end < offset) + 1);
        };
        if let Ok(table) = DeTable::parse(text) {
            of_table("", table.get_ref(), &mut note);
        }
        Self(lines)
    }

    /// Returns the line of a key by its way from the top, such as `team.1.when_closed` or
    /// `topic.0.examples.3`, counted from 1; where it does not stand in the file, that of the
    /// nearest entry around it.
    pub fn of_key(&self, key: &str) -> Option<usize> {
        let mut key = key;
        loop {
            if let Some(line) = self.0.get(key) {
                return Some(*line);
            }
            key = key.rsplit_once('.')?.0;
        }
    }
}

fn of_table(path: &str, table: &DeTable<'_>, note: &mut impl FnMut(&str, usize)) {
    for (key, value) in table {
        let below = match path {
            "" => key.get_ref().to_string(),
            path => format!("{path}.{}", key.get_ref()),
        };
        note(&below, key.span().start);
        of_value(&below, value.get_ref(), note);
    }
}

fn of_value(path: &str, value: &DeValue<'_>, note: &mut impl FnMut(&str, usize)) {
    match value {
        DeValue::Table(table) => of_table(path, table, note),
        DeValue::Array(items) => {
            for (n, item) in items.iter().enumerate() {
                let below = format!("{path}.{n}");
                note(&below, item.span().start);
                of_value(&below, item.get_ref(), note);
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_key_has_its_line_and_what_is_missing_that_of_its_entry() {
        let text = "fallback_team = \"a\"\n[attributes]\n\"company.seats\" = \"number\"\n\n[[team]]\nslug = \"a\"\nname = \"A\"\n[team.hours]\ntime_zone = \"UTC\"\n[[team]]\nslug = \"b\"\n[[topic]]\nslug = \"a\"\nexamples = [\n  \"ä\",\n  # none\n  \"b\",\n]\n[wording.en]\naway = \"…\"\n";
        let lines = Lines::of(text);
        for (key, line) in [
            ("fallback_team", Some(1)),
            ("attributes.company.seats", Some(3)),
            ("team.0", Some(5)),
            ("team.0.slug", Some(6)),
            ("team.0.hours.time_zone", Some(9)),
            ("team.1.slug", Some(11)),
            ("team.1.when_closed", Some(10)),
            ("topic.0.examples.0", Some(15)),
            ("topic.0.examples.1", Some(17)),
            ("wording.en.away", Some(20)),
            ("ladder.bot_turns", None),
        ] {
            assert_eq!(lines.of_key(key), line, "{key}");
        }
        assert_eq!(Lines::of("= 5"), Lines::default());
    }
}
