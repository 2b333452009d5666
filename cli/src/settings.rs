use anyhow::Context;
use bot::{
    Error, Playbook,
    config::{Config, Fault},
};
use std::path::{Path, PathBuf};

/// A desk's folder with its settings, read and checked.
pub(crate) struct Settings {
    pub(crate) root: PathBuf,
    pub(crate) config: Config,
    pub(crate) playbook: Playbook,
    /// Text of the rules that `playbook` was read from.
    pub(crate) routing: String,
    /// Text of `guidance.md`, empty when there is none.
    pub(crate) guidance: String,
    /// Where model files live.
    pub(crate) models: PathBuf,
}

/// The policy of a desk without `routing.toml`: one team takes everything.
const ONE_TEAM: &str =
    "fallback_team = \"support\"\n[[team]]\nslug = \"support\"\nname = \"Support\"\n";

impl Settings {
    /// Reads `frontdesk.toml`, `routing.toml` and `guidance.md` below `root`; each may be absent.
    pub(crate) fn read(root: &Path) -> anyhow::Result<Self> {
        Self::read_with(root, &[])
    }

    /// Reads the same with further variables, which outdo those of the environment.
    pub(crate) fn read_with(root: &Path, more: &[(String, String)]) -> anyhow::Result<Self> {
        must_be_folder(root)?;
        let config = Self::config_with(root, more)?;
        let routing = optional(root, "routing.toml")?;
        let (_, guidance) = optional(root, "guidance.md")?;
        Self::assembled(root, config, routing, guidance.unwrap_or_default())
    }

    /// Reads what the model files depend on: `frontdesk.toml` and the environment. Whatever is wrong
    /// with the other files of the desk, its models can be fetched and proved.
    pub(crate) fn for_models(root: &Path) -> anyhow::Result<Self> {
        must_be_folder(root)?;
        let config = Self::config(root)?;
        Self::assembled(root, config, (root.join("routing.toml"), None), String::new())
    }

    fn assembled(
        root: &Path,
        config: Config,
        (file, routing): (PathBuf, Option<String>),
        guidance: String,
    ) -> anyhow::Result<Self> {
        let text = routing.as_deref().unwrap_or(ONE_TEAM);
        let playbook = bot::read_playbook(&file, text, &config.answers).map_err(Error::Desk)?;
        let models = match config.models.folder.as_str() {
            "" => default_models_folder()?,
            folder => root.join(folder),
        };
        let routing = text.to_string();
        Ok(Self { root: root.to_path_buf(), config, playbook, routing, guidance, models })
    }

    /// Returns the same desk with the rules of another file.
    pub(crate) fn with_routing(&self, file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
        self.with_rules(file, &text)
    }

    /// Returns the same desk with other rules; `file` is how their faults name it.
    pub(crate) fn with_rules(&self, file: &Path, text: &str) -> anyhow::Result<Self> {
        let (root, guidance) = (self.root.clone(), self.guidance.clone());
        let routing = (file.to_path_buf(), Some(text.to_string()));
        Self::assembled(&root, self.config.clone(), routing, guidance)
    }

    /// Returns the address of the store: a path is relative to the desk.
    pub(crate) fn store_url(&self) -> String {
        let store = self.config.store.reveal().unwrap_or(".frontdesk/frontdesk.db");
        let path = store.strip_prefix("sqlite:");
        // What is no path the store takes or refuses itself.
        if path.is_none() && store.contains("://") {
            return store.to_string();
        }
        let path = path.map(|path| path.strip_prefix("//").unwrap_or(path)).unwrap_or(store);
        format!("sqlite:{}", self.root.join(path).display())
    }

    /// Reads `frontdesk.toml` and the environment alone.
    pub(crate) fn config(root: &Path) -> anyhow::Result<Config> {
        Self::config_with(root, &[])
    }

    fn config_with(root: &Path, more: &[(String, String)]) -> anyhow::Result<Config> {
        let (file, text) = optional(root, "frontdesk.toml")?;
        let desk = text.as_deref().map(|text| (file.as_path(), text));
        let mut config =
            Config::load(desk, variables().chain(more.iter().cloned())).map_err(Error::Desk)?;
        for (key, secret) in config.secrets() {
            if let Some(file) = secret.file().map(|file| root.join(file)) {
                let text = std::fs::read_to_string(&file)
                    .with_context(|| format!("{key}: cannot read {}", file.display()))?;
                *secret = bot::config::Secret::of_file(&text);
            }
        }
        Ok(config)
    }
}

/// Refuses a text of frontdesk.toml with which, and with the environment, the desk would not start.
pub(crate) fn check(file: &Path, text: &str) -> anyhow::Result<()> {
    Config::load(Some((file, text)), variables()).map_err(Error::Desk)?;
    Ok(())
}

fn must_be_folder(root: &Path) -> anyhow::Result<()> {
    let name = root.display();
    anyhow::ensure!(
        root.is_dir(),
        "{name} is no folder; run `frontdesk init {name}` to make it a desk"
    );
    Ok(())
}

/// Reads a file of the desk; the path is how errors name it.
fn optional(root: &Path, name: &str) -> anyhow::Result<(PathBuf, Option<String>)> {
    let path = root.join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Ok((path, Some(text))),
        Err(source) if source.kind() == std::io::ErrorKind::NotFound => Ok((path, None)),
        Err(source) if source.kind() == std::io::ErrorKind::InvalidData => {
            let what = "the file is not UTF-8 text".into();
            let fault = Fault { file: path, line: None, what, mend: "save it as UTF-8".into() };
            Err(Error::Desk(vec![fault]).into())
        }
        Err(source) => Err(Error::File { path, source }.into()),
    }
}

#[expect(clippy::disallowed_methods, reason = "this file is the one that reads the environment")]
fn variables() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

/// Returns the folder for model files of this user (XDG base directories; AppData on Windows).
#[expect(clippy::disallowed_methods, reason = "this file is the one that reads the environment")]
fn default_models_folder() -> anyhow::Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|v| !v.is_empty()).map(PathBuf::from);
    set("XDG_DATA_HOME")
        .or_else(|| set("HOME").map(|home| home.join(".local/share")))
        .or_else(|| set("LOCALAPPDATA"))
        .map(|data| data.join("frontdesk/models"))
        .context("neither XDG_DATA_HOME nor HOME is set; set models.folder in frontdesk.toml")
}
