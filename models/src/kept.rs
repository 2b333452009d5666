//! What was computed before is not computed again: vectors by model and text, drafts by generator
//! and prompt.
//!
//! A [`Shelf`] keeps bytes by what they were computed from, the latest in memory and, where it is
//! told to, all of them in a file (`file.rs`). [`KeptEmbedder`] and [`KeptGenerator`] stand before
//! a model and ask the shelf first; what comes back is what the model returned, to the last digit.
//! Deliberately absent: the texts. A shelf knows them by their digest alone.

mod embedder;
mod file;
mod generator;
#[cfg(test)]
mod tests;

pub use embedder::KeptEmbedder;
pub use generator::KeptGenerator;

use crate::Error;
use file::Kept;
use lru::LruCache;
use sha2::{Digest, Sha256};
use std::{
    path::Path,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

/// What something was computed from: SHA-256 of the model's id and the text.
type Key = [u8; 32];

/// Keeps what models computed, up to a limit; cheap to share.
pub struct Shelf {
    memory: Mutex<Memory>,
    file: Option<Mutex<Kept>>,
    n_found: AtomicUsize,
    n_computed: AtomicUsize,
}

/// How often a [`Shelf`] could help.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Vectors and drafts that were there.
    pub n_found: usize,
    /// Vectors and drafts that had to be computed.
    pub n_computed: usize,
}

/// The latest of what was kept.
struct Memory {
    entries: LruCache<Key, Arc<[u8]>>,
    n_bytes: usize,
    limit_bytes: usize,
}

/// What an entry costs beside its bytes: key, links and place in the table.
const OVERHEAD_BYTES: usize = 128;

impl Shelf {
    /// Keeps the latest in memory, `limit_bytes` of it.
    pub fn in_memory(limit_bytes: usize) -> Self {
        let entries = LruCache::unbounded();
        Self {
            memory: Mutex::new(Memory { entries, n_bytes: 0, limit_bytes }),
            file: None,
            n_found: AtomicUsize::new(0),
            n_computed: AtomicUsize::new(0),
        }
    }

    /// Keeps the latest in memory, `limit_bytes` of it, and everything in a file of `folder`, four
    /// times as much; when it comes near that, the oldest half goes when it is next opened. Several
    /// processes can share the folder. What was damaged there is computed again.
    ///
    /// # Errors
    /// [`Error::File`] when the folder cannot be written.
    pub fn on_disk(folder: &Path, limit_bytes: usize) -> Result<Self, Error> {
        let limit_on_disk = limit_bytes.saturating_mul(4) as u64;
        let file = Kept::open(folder, limit_on_disk)?;
        Ok(Self { file: Some(Mutex::new(file)), ..Self::in_memory(limit_bytes) })
    }

    /// Removes whatever is kept in `folder`, and returns how many bytes that was. Entries are known
    /// by digests alone, so that nobody can tell whose words are in which.
    ///
    /// # Errors
    /// [`Error::File`] when it cannot be removed.
    pub fn clear(folder: &Path) -> Result<u64, Error> {
        file::clear(folder)
            .map_err(|source| Error::File { path: folder.into(), reason: source.to_string() })
    }

    /// Returns how often it could help since it was opened.
    pub fn tally(&self) -> Tally {
        Tally {
            n_found: self.n_found.load(Ordering::Relaxed),
            n_computed: self.n_computed.load(Ordering::Relaxed),
        }
    }

    /// Returns what was kept, where `read` can make sense of it.
    fn find<T>(&self, key: &Key, read: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
        let kept = self.in_hand(key).or_else(|| self.on_file(key));
        let found = kept.and_then(|bytes| read(&bytes));
        let tally = if found.is_some() { &self.n_found } else { &self.n_computed };
        tally.fetch_add(1, Ordering::Relaxed);
        found
    }

    fn keep(&self, key: Key, bytes: Vec<u8>) {
        if let Some(file) = &self.file {
            file.lock().unwrap_or_else(PoisonError::into_inner).add(key, &bytes);
        }
        self.memory.lock().unwrap_or_else(PoisonError::into_inner).put(key, bytes.into());
    }

    fn in_hand(&self, key: &Key) -> Option<Arc<[u8]>> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.entries.get(key).cloned()
    }

    fn on_file(&self, key: &Key) -> Option<Arc<[u8]>> {
        let file = self.file.as_ref()?;
        let bytes = file.lock().unwrap_or_else(PoisonError::into_inner).read(key)?;
        let bytes: Arc<[u8]> = bytes.into();
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        memory.put(*key, bytes.clone());
        Some(bytes)
    }
}

impl Memory {
    fn put(&mut self, key: Key, bytes: Arc<[u8]>) {
        self.n_bytes += bytes.len() + OVERHEAD_BYTES;
        if let Some(before) = self.entries.put(key, bytes) {
            self.n_bytes -= before.len() + OVERHEAD_BYTES;
        }
        while self.n_bytes > self.limit_bytes
            && let Some((_, oldest)) = self.entries.pop_lru()
        {
            self.n_bytes -= oldest.len() + OVERHEAD_BYTES;
        }
    }
}

/// Makes a key of parts, each with its length, so that no two lists of parts share one.
fn key<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Key {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_le_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}
