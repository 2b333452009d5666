use indicatif::{ProgressBar, ProgressStyle};
use models::pull::Progress;
use std::sync::Mutex;

/// Progress of downloads on stderr; silent when stderr is no terminal.
pub(crate) struct Bars(Mutex<ProgressBar>);

impl Bars {
    pub(crate) fn new() -> Self {
        Self(Mutex::new(ProgressBar::hidden()))
    }

    fn with(&self, act: impl FnOnce(&mut ProgressBar)) {
        if let Ok(mut bar) = self.0.lock() {
            act(&mut bar);
        }
    }
}

impl Progress for Bars {
    fn begin(&self, file: &str, total: u64) {
        let bar = if total == 0 { ProgressBar::new_spinner() } else { ProgressBar::new(total) };
        let shape = if total == 0 {
            "{msg} {spinner} {bytes}"
        } else {
            "{msg} {wide_bar} {bytes}/{total_bytes} {eta}"
        };
        let style = ProgressStyle::with_template(shape);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(file.to_string());
        self.with(|current| *current = bar);
    }

    fn advance(&self, bytes: u64) {
        self.with(|bar| bar.inc(bytes));
    }

    fn done(&self) {
        self.with(|bar| bar.finish_and_clear());
    }
}

/// Makes a bar of `total` things on stderr.
pub(crate) fn counted(what: &str, total: u64) -> ProgressBar {
    let bar = ProgressBar::new(total);
    let style = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar.set_message(what.to_string());
    bar
}
