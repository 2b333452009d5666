//! The sample company's articles as a stream of words, and numbers that look random and are the
//! same in every run.

use anyhow::Context;
use std::path::Path;

/// Splitmix64 (Steele et al. 2014).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    /// Draws from 0 up to 1.
    pub(crate) fn share(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Draws from `0..n`.
    pub(crate) fn below(&mut self, n: usize) -> usize {
        (self.share() * n as f64) as usize
    }
}

/// Reads the words of every Markdown article, in the order of the paths, without front matter and
/// marks.
pub(crate) fn words() -> anyhow::Result<Vec<String>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/vannerly/articles");
    let mut files = Vec::new();
    for folder in std::fs::read_dir(&root).with_context(|| root.display().to_string())? {
        for file in std::fs::read_dir(folder?.path())? {
            files.push(file?.path());
        }
    }
    files.retain(|file| file.extension().is_some_and(|e| e == "md"));
    files.sort();
    let mut words = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file)?;
        let body = text.splitn(3, "---\n").nth(2).unwrap_or(&text);
        let marks = ['#', '*', '`', '|', '>', '_', '[', ']'];
        let plain = body.replace(marks, " ");
        words.extend(plain.split_whitespace().filter(|w| !w.starts_with('(')).map(str::to_owned));
    }
    anyhow::ensure!(words.len() > 10_000, "the sample articles hold {} words only", words.len());
    Ok(words)
}
