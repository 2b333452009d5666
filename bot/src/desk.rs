use crate::{
    Classifiers, Drafter, Error, Library, Playbook, calibration,
    config::{Config, Fault},
};
use models::Embedder;
use router::{Calibration, Policy};
use std::sync::Arc;

/// One help desk, ready to answer. Cheap to clone.
#[derive(Clone)]
pub struct Desk {
    pub(crate) library: Arc<Library>,
    pub(crate) drafter: Drafter,
    pub(crate) playbook: Arc<Playbook>,
    pub(crate) classifiers: Arc<Classifiers>,
    pub(crate) calibration: Option<Arc<Calibration>>,
}

/// What a desk is made of.
pub struct Parts {
    /// Its articles.
    pub library: Arc<Library>,
    /// What composes its drafts.
    pub drafter: Drafter,
    /// Its rules, teams and wording.
    pub playbook: Playbook,
    /// What tells topics and signals apart by meaning.
    pub classifiers: Classifiers,
    /// Path and text of its own calibration; `None` takes the built-in one.
    pub calibration: Option<(std::path::PathBuf, String)>,
    /// Path and text of its certified error budgets, if it has any.
    pub budgets: Option<(std::path::PathBuf, String)>,
}

impl Desk {
    /// Puts a desk together. Without any calibration for its embedder it still drafts, but every
    /// draft goes to people.
    ///
    /// # Errors
    /// [`Error::Desk`] when the given calibration or budgets cannot be used.
    pub fn new(mut parts: Parts) -> Result<Self, Error> {
        let used = calibration::fitted_for(parts.library.embedder().id(), parts.library.fusion());
        let calibration = match &parts.calibration {
            Some((file, text)) => Some(
                calibration::read(file, text, &used)
                    .map_err(|fault: Fault| Error::Desk(vec![fault]))?,
            ),
            None => calibration::built_in(&used),
        };
        if let Some((file, text)) = &parts.budgets {
            let budgets = calibration::read_budgets(file, text, calibration.as_ref())
                .map_err(|fault| Error::Desk(vec![fault]))?;
            parts.playbook.policy = parts.playbook.policy.with_budgets(budgets);
        }
        Ok(Self {
            library: parts.library,
            drafter: parts.drafter,
            playbook: Arc::new(parts.playbook),
            classifiers: Arc::new(parts.classifiers),
            calibration: calibration.map(Arc::new),
        })
    }

    /// Returns the desk with thresholds that were raised as error budgets burnt.
    pub fn with_raised(self, raised: Vec<router::Raised>) -> Self {
        if self.policy().raised() == raised {
            return self;
        }
        let mut playbook = Playbook::clone(&self.playbook);
        playbook.policy = playbook.policy.with_raised(raised);
        Self { playbook: Arc::new(playbook), ..self }
    }

    /// Returns the desk's articles.
    pub fn library(&self) -> &Library {
        &self.library
    }

    /// Returns the desk's rules and teams.
    pub fn policy(&self) -> &Policy {
        &self.playbook.policy
    }

    /// Returns the desk's rules, teams and wording.
    pub fn playbook(&self) -> &Playbook {
        &self.playbook
    }

    /// Returns what composes the desk's drafts.
    pub fn drafter(&self) -> &Drafter {
        &self.drafter
    }

    /// Returns what the desk's calibration is, or has to be, fitted for.
    pub fn fitted_for(&self) -> router::FittedFor {
        calibration::fitted_for(self.library.embedder().id(), self.library.fusion())
    }

    /// Returns the mark by which files of budgets name the desk's calibration.
    pub fn calibration_mark(&self) -> Option<String> {
        self.calibration().map(calibration::mark)
    }

    /// Returns what turns evidence into confidence, if anything does.
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_deref()
    }
}

/// Makes the library of a desk from its settings; `root` is the desk's folder.
pub fn library(root: &std::path::Path, config: &Config, embedder: Arc<dyn Embedder>) -> Library {
    let folders = config.articles.folders.iter().map(|folder| root.join(folder)).collect();
    let options = knowledge::ReadOptions {
        max_file_bytes: config.articles.max_file_kb.saturating_mul(1024),
        default_locale: config.articles.default_locale.clone(),
    };
    let fusion = knowledge::Fusion {
        meaning: config.search.meaning,
        passage_words: config.search.passage_words,
        article_words: config.search.article_words,
    };
    Library::new(root.join(&config.articles.index), folders, options, embedder, fusion)
}
