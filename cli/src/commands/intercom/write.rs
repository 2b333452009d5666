//! Settings that are written into files of the desk, with everything else in them left as it is.

use crate::settings;
use anyhow::Context;
use intercom::connect::Missing;
use serde_json::{Value, json};
use std::path::{Path, PathBuf};
use toml_edit::{DocumentMut, InlineTable, Item, Table, TableLike, value};

/// A file of the desk with the lines that it is to get.
pub(super) struct Edit {
    pub(super) file: PathBuf,
    /// As they read in the file, under the table that they belong to.
    pub(super) lines: Vec<String>,
    /// The whole file afterwards.
    text: String,
}

impl Edit {
    pub(super) fn write(&self) -> anyhow::Result<()> {
        crate::output::file(&self.file, &self.text)
    }

    pub(super) fn to_json(&self) -> Value {
        json!({"file": self.file.display().to_string(), "lines": self.lines})
    }
}

/// Prepares what is missing as edits of frontdesk.toml and routing.toml; nothing is written. An edit
/// fails for a file that cannot be read, or would not load afterwards.
pub(super) fn edits(root: &Path, missing: &[Missing]) -> Vec<anyhow::Result<Edit>> {
    let edits = [
        in_settings(&root.join("frontdesk.toml"), missing),
        in_routing(&root.join("routing.toml"), missing),
    ];
    edits.into_iter().filter_map(Result::transpose).collect()
}

fn in_settings(file: &Path, missing: &[Missing]) -> anyhow::Result<Option<Edit>> {
    let keys: Vec<(&str, String)> = missing
        .iter()
        .filter_map(|missing| match missing {
            Missing::Seat(id) => Some(("admin_id", id.to_string())),
            Missing::Region(region) => Some(("region", region.to_string())),
            Missing::Team(..) => None,
        })
        .collect();
    if keys.is_empty() {
        return Ok(None);
    }
    let mut document = read(file)?;
    let table = document.entry("intercom").or_insert_with(|| Item::Table(Table::new()));
    let table = table.as_table_like_mut().context("[intercom] in frontdesk.toml is no table")?;
    let mut lines = vec!["[intercom]".to_string()];
    for (key, text) in keys {
        lines.push(format!("{key} = \"{text}\""));
        set(table, key, &text);
    }
    let text = document.to_string();
    if let Err(fault) = settings::check(file, &text) {
        let (file, lines) = (file.display(), lines.join(" "));
        anyhow::bail!("{file} is not edited, because it would not load: {fault:#}; write {lines}");
    }
    Ok(Some(Edit { file: file.to_path_buf(), lines, text }))
}

/// Sets a key; a comment behind its old value stays.
fn set(table: &mut dyn TableLike, key: &str, text: &str) {
    match table.get_mut(key).and_then(Item::as_value_mut) {
        Some(old) => {
            let decor = old.decor().clone();
            *old = text.into();
            *old.decor_mut() = decor;
        }
        None => drop(table.insert(key, value(text))),
    }
}

fn in_routing(file: &Path, missing: &[Missing]) -> anyhow::Result<Option<Edit>> {
    let teams: Vec<(&str, &str)> = missing
        .iter()
        .filter_map(|missing| match missing {
            Missing::Team(slug, id) => Some((slug.as_str(), id.as_str())),
            _ => None,
        })
        .collect();
    // Without the file the desk has one team of its own making.
    if teams.is_empty() || !file.exists() {
        return Ok(None);
    }
    let mut document = read(file)?;
    let mut lines = Vec::new();
    let tables = document.get_mut("team").and_then(Item::as_array_of_tables_mut);
    for table in tables.into_iter().flat_map(toml_edit::ArrayOfTables::iter_mut) {
        let slug = table.get("slug").and_then(Item::as_str).unwrap_or_default().to_string();
        let Some((_, id)) = teams.iter().find(|(team, _)| *team == slug) else { continue };
        lines.push(format!("[[team]]  # {slug}"));
        match table.get_mut("known_as").and_then(Item::as_table_like_mut) {
            Some(known_as) => set(known_as, "intercom", id),
            None => {
                let mut known_as = InlineTable::new();
                known_as.insert("intercom", (*id).into());
                table.insert("known_as", value(known_as));
            }
        }
        lines.push(format!("known_as = {{ intercom = \"{id}\" }}"));
    }
    let text = document.to_string();
    if let Err(error) = text.parse::<toml::Table>() {
        anyhow::bail!("{} cannot be edited: {error}; write the lines by hand", file.display());
    }
    Ok((!lines.is_empty()).then(|| Edit { file: file.to_path_buf(), lines, text }))
}

fn read(file: &Path) -> anyhow::Result<DocumentMut> {
    let shown = || file.display().to_string();
    let text = match std::fs::read_to_string(file) {
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => String::new(),
        read => read.with_context(shown)?,
    };
    text.parse().with_context(shown)
}

#[cfg(test)]
mod tests {
    use super::*;
    use intercom::{Region, wire::ExternalId};

    #[test]
    fn comments_and_order_stay_and_only_the_lines_are_added() {
        let home = tempfile::tempdir().unwrap();
        let settings = "# ours\n[server]\nlisten = \"127.0.0.1:1\" # here\n\n[intercom]\n\
                        region = \"us\" # where\n# admin_id = \"\"\n\n[turns]\n";
        let routing = "fallback_team = \"a\" # all\n\n[[team]]\nslug = \"a\"\nname = \"A\"\n\n\
                       # second\n[[team]]\nslug = \"b\"\nname = \"B\"\n\n[[team.member]]\n\
                       slug = \"x\"\nname = \"X\"\n";
        std::fs::write(home.path().join("frontdesk.toml"), settings).unwrap();
        std::fs::write(home.path().join("routing.toml"), routing).unwrap();
        let id = |text: &str| ExternalId::parse(text).unwrap();
        let missing = [
            Missing::Seat(id("991267694")),
            Missing::Region(Region::Eu),
            Missing::Team("b".to_string().try_into().unwrap(), id("5017001")),
        ];
        let edits: Vec<Edit> =
            edits(home.path(), &missing).into_iter().map(Result::unwrap).collect();
        let expected = "# ours\n[server]\nlisten = \"127.0.0.1:1\" # here\n\n[intercom]\n\
                        region = \"eu\" # where\nadmin_id = \"991267694\"\n# admin_id = \"\"\n\n\
                        [turns]\n";
        assert_eq!(edits[0].text, expected);
        let line = "name = \"B\"\nknown_as = { intercom = \"5017001\" }\n";
        assert_eq!(edits[1].text, routing.replace("name = \"B\"\n", line));
        for edit in &edits {
            edit.write().unwrap();
        }
        let again = std::fs::read_to_string(home.path().join("frontdesk.toml")).unwrap();
        assert_eq!(again, expected);
    }
}
