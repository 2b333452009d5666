use crate::{Verdict, args, assembly::sources, output, progress::Bars, settings::Settings};
use models::{
    catalogue::{Catalogue, Condition, Entry, Kind, Presence, Standing, verify},
    pull::pull,
};
use serde_json::{Value, json};

pub(crate) async fn run(
    settings: &Settings,
    as_json: bool,
    command: args::Models,
) -> anyhow::Result<Verdict> {
    let catalogue = Catalogue::builtin();
    match command {
        args::Models::List => list(&catalogue, settings, as_json),
        args::Models::Pull { name } => {
            let entry = find(&catalogue, &name)?;
            let pulled = pull(entry, &settings.models, &sources(settings), &Bars::new()).await?;
            let folder = entry.folder(&settings.models);
            if as_json {
                let files: Vec<Value> = pulled
                    .files
                    .iter()
                    .map(|f| json!({"path": f.path, "bytes": f.size, "source": f.source.to_string()}))
                    .collect();
                output::json(
                    &json!({"name": name, "folder": folder.display().to_string(), "pulled": files}),
                )?;
            } else if pulled.files.is_empty() {
                output::line(format!("{name} is complete in {}", folder.display()))?;
            } else {
                output::line(format!(
                    "{name}: {} files into {}",
                    pulled.files.len(),
                    folder.display()
                ))?;
            }
            Ok(Verdict::Yes)
        }
        args::Models::Verify { name } => {
            let entries: Vec<&Entry> = match &name {
                Some(name) => vec![find(&catalogue, name)?],
                None => {
                    let here = |(entry, presence)| (presence != Presence::Absent).then_some(entry);
                    catalogue.list(&settings.models).into_iter().filter_map(here).collect()
                }
            };
            check(&entries, settings, as_json)
        }
    }
}

fn find<'a>(catalogue: &'a Catalogue, name: &str) -> anyhow::Result<&'a Entry> {
    catalogue.find(name).ok_or_else(|| {
        anyhow::anyhow!("no model {name:?} in the catalogue; see `frontdesk models list`")
    })
}

fn list(catalogue: &Catalogue, settings: &Settings, as_json: bool) -> anyhow::Result<Verdict> {
    let mut rows = Vec::new();
    for (entry, presence) in catalogue.list(&settings.models) {
        let kind = match entry.kind {
            Kind::Embedder => "embedder",
            Kind::Generator => "generator",
        };
        let here = match presence {
            Presence::Absent => "not here",
            Presence::Partial { .. } => "incomplete",
            Presence::Present => "here",
        };
        let standing = if entry.standing == Standing::Testing { ", for testing only" } else { "" };
        let megabytes = entry.bytes() as f64 / 1e6;
        if as_json {
            rows.push(json!({
                "name": entry.name, "kind": kind, "licence": entry.licence,
                "bytes": entry.bytes(), "state": here, "description": entry.description,
            }));
        } else {
            let name = output::strong(&entry.name);
            output::line(format!(
                "{name}  {kind}{standing}, {megabytes:.0} MB, {}, {here}",
                entry.licence
            ))?;
            output::line(format!("  {}", entry.description))?;
        }
    }
    if as_json {
        output::json(&json!({ "models": rows, "folder": settings.models.display().to_string() }))?;
    } else {
        output::line(format!("folder: {}", settings.models.display()))?;
    }
    Ok(Verdict::Yes)
}

fn check(entries: &[&Entry], settings: &Settings, as_json: bool) -> anyhow::Result<Verdict> {
    let mut rows = Vec::new();
    let mut sound = true;
    for entry in entries {
        for state in verify(entry, &settings.models) {
            let text = match &state.condition {
                Condition::Ok => "ok".to_string(),
                Condition::Missing => "missing".to_string(),
                Condition::Wrong { expected, got } => format!("expected {expected}, got {got}"),
            };
            sound &= state.condition == Condition::Ok;
            if as_json {
                rows.push(json!({"model": entry.name, "path": state.path, "state": text}));
            } else {
                output::line(format!("{}/{}: {text}", entry.name, state.path))?;
            }
        }
    }
    if as_json {
        output::json(&json!({ "files": rows }))?;
    } else if entries.is_empty() {
        output::line(format!(
            "no model is in {}; `frontdesk models pull` gets one, `frontdesk models list` names them",
            settings.models.display()
        ))?;
    }
    Ok(if sound { Verdict::Yes } else { Verdict::No })
}
