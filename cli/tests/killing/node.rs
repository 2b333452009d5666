use tempfile::TempDir;
use tests::{program::Serving, sample};

/// The sample company's articles with a desk whose every draft is sure enough to be sent.
pub(crate) struct Desk {
    folder: TempDir,
    store: String,
}

impl Desk {
    /// Makes the folder; `store` is the address of a database, None a file of the desk's own.
    pub(crate) fn new(store: Option<String>) -> Self {
        // The second test finds it installed.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        sample::write_settings(folder.path());
        let store = store.unwrap_or_else(|| {
            format!("sqlite:{}", folder.path().join(".frontdesk/frontdesk.db").display())
        });
        Self { folder, store }
    }

    /// Address of the database.
    pub(crate) fn store(&self) -> String {
        self.store.clone()
    }

    /// Starts a server of it.
    pub(crate) fn serve(&self) -> Serving {
        let mut command = sample::command(env!("CARGO_BIN_EXE_frontdesk"), self.folder.path());
        command.env("FRONTDESK_STORE", self.store());
        Serving::start(command)
    }
}

/// Where a server is reached.
pub(crate) fn url(node: &Serving) -> String {
    format!("http://{}", node.address())
}
