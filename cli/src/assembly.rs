//! Puts a desk together from its settings: which embedder, which generator, from which files.

use crate::{progress::Bars, settings::Settings};
use anyhow::Context;
use bot::{
    Classifiers, Clock, Desk, Drafter, Library, Parts, Playbook, WebhookParts, Webhooks,
    config::{Config, DrafterKind, EmbedderKind, GeneratorKind, IntercomMode},
};
use intercom::{Intercom, IntercomParts, Mode, SharedBudget, wire::ExternalId};
use models::{
    ChatOptions, Embedder, Encoder, Generator, HashedEmbedder, KeptEmbedder, KeptGenerator,
    LocalChat, RemoteChat, RemoteEmbedder, RemoteOptions, Secret, Shelf,
    catalogue::{Catalogue, Presence},
    pull::{Sources, pull},
};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};
use store::Store;

/// How long one call of Intercom may take.
const INTERCOM_TIMEOUT: Duration = Duration::from_secs(15);

/// Memory for vectors of sentences that were quoted from and of questions: 20,000 of the default
/// model, more than the sentences of a large help centre that customers ask about.
const KEPT_BYTES: usize = 32 << 20;

/// Opens everything that a desk needs to answer.
pub(crate) async fn desk(settings: Settings) -> anyhow::Result<Desk> {
    Tools::open(&settings).await?.desk(settings).await
}

/// Returns where vectors and drafts are kept for later evals.
pub(crate) fn cache_folder(settings: &Settings) -> PathBuf {
    settings.root.join(&settings.config.articles.index).with_file_name("cache")
}

/// Opens a desk as [`desk`] does, which keeps vectors and drafts on a shelf of its own.
pub(crate) async fn desk_keeping(settings: Settings, shelf: Arc<Shelf>) -> anyhow::Result<Desk> {
    let library = Arc::new(library_keeping(&settings, shelf.clone()).await?);
    let generator = drafting_generator(&settings).await?;
    let generator =
        generator.map(|inner| -> Arc<dyn Generator> { Arc::new(KeptGenerator::new(inner, shelf)) });
    Tools { library, generator }.desk(settings).await
}

/// What is slow to open and stays while the rules of a desk change.
pub(crate) struct Tools {
    pub(crate) library: Arc<Library>,
    generator: Option<Arc<dyn Generator>>,
}

impl Tools {
    pub(crate) async fn open(settings: &Settings) -> anyhow::Result<Self> {
        let library = Arc::new(library(settings).await?);
        let generator = drafting_generator(settings).await?;
        Ok(Self { library, generator })
    }

    /// Returns the same tools over other articles.
    pub(crate) fn over(&self, library: Arc<Library>) -> Self {
        Self { library, generator: self.generator.clone() }
    }

    /// Puts a desk together that answers by these settings.
    pub(crate) async fn desk(&self, settings: Settings) -> anyhow::Result<Desk> {
        let topic_model = topic_model(&settings);
        let drafter = match &self.generator {
            None => Drafter::Quotes,
            Some(generator) => Drafter::Written {
                generator: generator.clone(),
                limit_tokens: settings.config.generator.limit_tokens,
                guidance: settings.guidance,
            },
        };
        let answers = &settings.config.answers;
        let calibration = own_file(&settings.root, "answers.calibration", &answers.calibration)?;
        let budgets = own_file(&settings.root, "answers.budgets", &answers.budgets)?;
        let index = settings.root.join(&settings.config.articles.index);
        let cache = index.with_file_name("classifiers");
        let library = self.library.clone();
        let embedder = library.embedder().as_ref();
        let playbook = settings.playbook;
        let classifiers =
            Classifiers::learn(&playbook, embedder, topic_model.as_deref(), &cache).await?;
        Ok(Desk::new(Parts { library, drafter, playbook, classifiers, calibration, budgets })?)
    }
}

/// Gives a playbook of the desk its certified error budgets, where it has any, for whoever judges
/// by the rules without opening the desk.
pub(crate) fn with_budgets(
    (root, config): (&Path, &Config),
    playbook: Playbook,
) -> anyhow::Result<Playbook> {
    let file = own_file(root, "answers.budgets", &config.answers.budgets)?;
    let Some((file, text)) = file else { return Ok(playbook) };
    let budgets =
        bot::parse_budgets(&file, &text).map_err(|fault| bot::Error::Desk(vec![fault]))?;
    Ok(Playbook { policy: playbook.policy.with_budgets(budgets), ..playbook })
}

/// Finds the file of the topics that the desk has learnt.
pub(crate) fn topic_model(settings: &Settings) -> Option<PathBuf> {
    let file = settings.root.join(settings.playbook.topic_model.as_ref()?);
    Some(if file.is_dir() { file.join("topics.model") } else { file })
}

/// Opens the generator, where drafts are written by one.
async fn drafting_generator(settings: &Settings) -> anyhow::Result<Option<Arc<dyn Generator>>> {
    Ok(match settings.config.answers.drafter {
        DrafterKind::Quotes => None,
        DrafterKind::Written => Some(generator(settings).await?),
    })
}

/// Reads a file of the desk that a setting names; `None` when it names none.
fn own_file(root: &Path, key: &str, file: &str) -> anyhow::Result<Option<(PathBuf, String)>> {
    if file.is_empty() {
        return Ok(None);
    }
    let path = root.join(file);
    let text =
        std::fs::read_to_string(&path).with_context(|| format!("{key}: {}", path.display()))?;
    Ok(Some((path, text)))
}

/// Prepares the webhooks of a desk.
pub(crate) fn webhooks(settings: &Settings, clock: Clock) -> anyhow::Result<Webhooks> {
    Ok(Webhooks::new(WebhookParts {
        playbook: &settings.playbook,
        secret: settings.config.webhooks.secret.clone(),
        allow_private: settings.config.webhooks.allow_private,
        clock,
    })?)
}

/// Prepares the client of the workspace of Intercom; None: it is not connected. `budget` shares
/// the vendor's limit out.
pub(crate) fn intercom_client(
    settings: &Settings,
    budget: Arc<dyn intercom::Budget>,
    clock: Clock,
) -> anyhow::Result<Option<intercom::Client>> {
    let config = &settings.config.intercom;
    let Some(token) = config.access_token.reveal() else { return Ok(None) };
    let known = |why: &'static str| anyhow::anyhow!("[intercom]: {why}");
    let region: intercom::Region = config.region.parse().map_err(known)?;
    let base_url = match config.api_url.as_str() {
        "" => region.base_url().to_string(),
        url => url.to_string(),
    };
    let parts = intercom::ClientParts {
        base_url,
        token: intercom::AccessToken::new(token),
        version: config.version.parse().map_err(known)?,
        budget,
        clock,
        timeout: INTERCOM_TIMEOUT,
        patience: intercom::Patience::default(),
    };
    Ok(Some(intercom::Client::new(parts).context("[intercom]")?))
}

/// Prepares the workspace of Intercom as a channel; None: it is not connected.
pub(crate) fn intercom(
    settings: &Settings,
    store: &Store,
    clock: Clock,
) -> anyhow::Result<Option<Intercom>> {
    let config = &settings.config.intercom;
    let budget = SharedBudget::new(store.clone(), "intercom", clock.clone());
    let Some(client) = intercom_client(settings, Arc::new(budget), clock.clone())? else {
        return Ok(None);
    };
    let bot = intercom_seat(settings)?;
    let mode = match config.mode {
        IntercomMode::Live => Mode::Live,
        IntercomMode::Notes => Mode::Notes,
        IntercomMode::Silent => Mode::Silent,
    };
    let (secret, store) = (config.client_secret.clone(), store.clone());
    Ok(Some(Intercom::new(IntercomParts { client, bot, secret, mode, store, clock })))
}

/// Says why the workspace of Intercom could not be used as the settings have it.
pub(crate) fn intercom_refusal(settings: &Settings, clock: Clock) -> Option<anyhow::Error> {
    let budget = Arc::new(intercom::LocalBudget::new(clock.clone()));
    match intercom_client(settings, budget, clock) {
        Ok(None) => None,
        Ok(Some(_)) => intercom_seat(settings).err(),
        Err(failure) => Some(failure),
    }
}

fn intercom_seat(settings: &Settings) -> anyhow::Result<ExternalId> {
    ExternalId::parse(&settings.config.intercom.admin_id)
        .context("intercom.admin_id has to be an id; `frontdesk intercom connect` lists them")
}

/// Opens the articles of a desk, and the embedder that goes with them.
pub(crate) async fn library(settings: &Settings) -> anyhow::Result<Library> {
    library_keeping(settings, Arc::new(Shelf::in_memory(KEPT_BYTES))).await
}

async fn library_keeping(settings: &Settings, shelf: Arc<Shelf>) -> anyhow::Result<Library> {
    let embedder = KeptEmbedder::new(embedder(settings).await?, shelf);
    Ok(bot::library(&settings.root, &settings.config, Arc::new(embedder)))
}

/// Opens the embedder that the settings name.
pub(crate) async fn embedder(settings: &Settings) -> anyhow::Result<Arc<dyn Embedder>> {
    let config = &settings.config.embedder;
    Ok(match config.kind {
        EmbedderKind::Hashed => Arc::new(HashedEmbedder),
        EmbedderKind::Remote => Arc::new(RemoteEmbedder::new(RemoteOptions {
            api_key: config.api_key.reveal().map(Secret::new),
            dimension: Some(config.dimension),
            ..RemoteOptions::new(&config.url, &config.model)
        })?),
        EmbedderKind::Local => {
            let folder = model_path(settings, &config.model).await?;
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let threads = if config.threads == 0 { cores } else { config.threads };
            Arc::new(Encoder::open_at(&folder, threads, config.precision)?)
        }
    })
}

/// Opens the generator that the settings name.
pub(crate) async fn generator(settings: &Settings) -> anyhow::Result<Arc<dyn Generator>> {
    let config = &settings.config.generator;
    Ok(match config.kind {
        GeneratorKind::None => {
            anyhow::bail!("answers.drafter = \"written\" needs a generator; set generator.kind")
        }
        GeneratorKind::Remote => Arc::new(RemoteChat::new(RemoteOptions {
            api_key: config.api_key.reveal().map(Secret::new),
            azure_api_version: Some(config.azure_api_version.clone()).filter(|v| !v.is_empty()),
            timeout_ms: config.timeout_s.saturating_mul(1000),
            ..RemoteOptions::new(&config.url, &config.model)
        })?),
        GeneratorKind::Local => {
            let path = model_path(settings, &config.model).await?;
            Arc::new(LocalChat::open(&gguf_in(&path)?, ChatOptions::default())?)
        }
    })
}

/// Finds the files of a model: a path that exists, or a model of the catalogue, which is pulled
/// when it is missing and the settings allow it.
async fn model_path(settings: &Settings, model: &str) -> anyhow::Result<PathBuf> {
    let path = settings.root.join(model);
    let catalogue = Catalogue::builtin();
    let Some(entry) = catalogue.find(model) else {
        let names: Vec<&str> = catalogue.entries().iter().map(|e| e.name.as_str()).collect();
        anyhow::ensure!(
            path.exists(),
            "model {model:?} is neither a path nor in the catalogue ({}); see `frontdesk models list`",
            names.join(", ")
        );
        return Ok(path);
    };
    let folder = entry.folder(&settings.models);
    if !matches!(entry.presence(&settings.models), Presence::Present) {
        anyhow::ensure!(
            settings.config.models.pull_missing,
            "model {model} is not in {}; run `frontdesk models pull {model}`",
            settings.models.display()
        );
        pull(entry, &settings.models, &sources(settings), &Bars::new()).await?;
    }
    Ok(folder)
}

/// Where models are pulled from, in order.
pub(crate) fn sources(settings: &Settings) -> Sources {
    let config = &settings.config.models;
    let folder = Some(config.source.as_str()).filter(|folder| !folder.is_empty());
    Sources {
        folders: folder.map(|folder| settings.root.join(folder)).into_iter().collect(),
        hub: Some(config.hub.clone()).filter(|hub| !hub.is_empty()),
        ..Sources::default()
    }
}

fn gguf_in(path: &Path) -> anyhow::Result<PathBuf> {
    if path.is_file() {
        return Ok(path.to_path_buf());
    }
    let entries = std::fs::read_dir(path).with_context(|| path.display().to_string())?;
    entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .find(|file| file.extension().is_some_and(|extension| extension == "gguf"))
        .with_context(|| format!("{} holds no .gguf file", path.display()))
}
