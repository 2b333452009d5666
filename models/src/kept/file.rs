use super::Key;
use crate::Error;
use base64::{Engine, engine::general_purpose::STANDARD_NO_PAD as BASE64};
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write},
    path::Path,
};

/// Where the line of each key begins, and its length.
type Places = HashMap<Key, (u64, usize)>;

/// A file to which entries are added, one a line: `KEY CHECKSUM BYTES`, the first two in
/// hexadecimal, the last in Base64. Nothing is ever changed in place, so a kill costs the entries of
/// the last moments; half a line, or one whose checksum does not fit, is none.
pub(super) struct Kept {
    reading: File,
    adding: Option<File>,
    /// Where each entry stands: its first byte, and its length without the line end.
    places: Places,
    pending: Vec<u8>,
    /// Keys of what is pending, with the place of each in it.
    pending_places: Vec<(Key, usize, usize)>,
    room_bytes: u64,
}

const NAME: &str = "computed.kept";

/// Entries are written together from here on: a call for each vector would cost more than it.
const PENDING_BYTES: usize = 64 << 10;

/// Letters of the key, a blank, letters of the checksum, a blank.
const HEAD: usize = 64 + 1 + 16 + 1;

impl Kept {
    /// Opens the file in `folder`, and halves it when it has come near `limit_bytes` and nobody else
    /// uses it.
    pub(super) fn open(folder: &Path, limit_bytes: u64) -> Result<Self, Error> {
        let path = folder.join(NAME);
        opened(folder, &path, limit_bytes)
            .map_err(|source| Error::File { path, reason: source.to_string() })
    }

    pub(super) fn read(&mut self, key: &Key) -> Option<Vec<u8>> {
        let (start, length) = *self.places.get(key)?;
        let mut line = vec![0; length];
        let read = self
            .reading
            .seek(SeekFrom::Start(start))
            .and_then(|_| self.reading.read_exact(&mut line));
        read.ok().and_then(|()| parsed(key, &line))
    }

    /// Adds an entry; where there is no room, or the disk fails, it is left out.
    pub(super) fn add(&mut self, key: Key, bytes: &[u8]) {
        let line = format!("{} {} {}\n", hex(&key), checksum(&key, bytes), BASE64.encode(bytes));
        let length = line.len() as u64;
        if self.adding.is_none() || length > self.room_bytes {
            return;
        }
        self.room_bytes -= length;
        self.pending_places.push((key, self.pending.len(), line.len() - 1));
        self.pending.extend_from_slice(line.as_bytes());
        if self.pending.len() >= PENDING_BYTES {
            self.flush();
        }
    }

    fn flush(&mut self) {
        let Some(file) = self.adding.as_mut().filter(|_| !self.pending.is_empty()) else { return };
        let written = file.write_all(&self.pending).and_then(|()| file.stream_position());
        match written {
            Ok(end) => {
                let start = end.saturating_sub(self.pending.len() as u64);
                let places = self.pending_places.drain(..);
                self.places
                    .extend(places.map(|(key, at, length)| (key, (start + at as u64, length))));
            }
            Err(error) => {
                tracing::warn!(%error, "what is computed from here on is not kept on disk");
                self.adding = None;
                self.pending_places.clear();
            }
        }
        self.pending.clear();
    }
}

/// Removes the file of `folder`, with what it holds; returns how many bytes went. Whoever has it open
/// computes anew what it held.
pub(super) fn clear(folder: &Path) -> io::Result<u64> {
    let path = folder.join(NAME);
    let mut n_bytes = 0;
    // A kill may have left the half of a file that was halved.
    for path in [path.with_extension("part"), path] {
        let file = match OpenOptions::new().write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            file => file?,
        };
        n_bytes += file.metadata()?.len();
        // Another program may hold the file open: it must not find the words there any more.
        file.set_len(0)?;
        file.sync_all()?;
        fs::remove_file(&path)?;
    }
    Ok(n_bytes)
}

impl Drop for Kept {
    fn drop(&mut self) {
        self.flush();
    }
}

fn opened(folder: &Path, path: &Path, limit_bytes: u64) -> io::Result<Kept> {
    fs::create_dir_all(folder)?;
    let open = || OpenOptions::new().append(true).create(true).open(path);
    let mut adding = open()?;
    if adding.metadata()?.len() > limit_bytes / 4 * 3 && adding.try_lock().is_ok() {
        halve(path, limit_bytes / 2)?;
        adding = open()?;
    }
    // Held for as long as the file is open: whoever would halve it has to be alone.
    adding.lock_shared()?;
    let mut reading = File::open(path)?;
    let (places, n_bytes, is_whole) = indexed(&mut reading)?;
    if !is_whole {
        adding.write_all(b"\n")?;
    }
    Ok(Kept {
        reading,
        adding: Some(adding),
        places,
        pending: Vec::new(),
        pending_places: Vec::new(),
        room_bytes: limit_bytes.saturating_sub(n_bytes),
    })
}

/// Finds where the entries stand, the latest of a key; says how long the file is, and whether it
/// ends with a whole line.
fn indexed(file: &mut File) -> io::Result<(Places, u64, bool)> {
    let mut places = HashMap::new();
    let (mut at, mut is_whole) = (0, true);
    let mut reader = BufReader::with_capacity(PENDING_BYTES, file);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        is_whole = line.last() == Some(&b'\n');
        if is_whole && let Some(key) = line.get(..64).and_then(key_of) {
            places.insert(key, (at, line.len() - 1));
        }
        at += line.len() as u64;
        line.clear();
    }
    Ok((places, at, is_whole))
}

/// Leaves the newest lines, `limit_bytes` of them at most.
fn halve(path: &Path, limit_bytes: u64) -> io::Result<()> {
    let mut file = File::open(path)?;
    let n_bytes = file.metadata()?.len();
    file.seek(SeekFrom::Start(n_bytes.saturating_sub(limit_bytes)))?;
    let mut reader = BufReader::new(file);
    // The first line is cut through.
    reader.read_until(b'\n', &mut Vec::new())?;
    let beside = path.with_extension("part");
    io::copy(&mut reader, &mut File::create(&beside)?)?;
    fs::rename(beside, path)
}

fn parsed(key: &Key, line: &[u8]) -> Option<Vec<u8>> {
    let (head, encoded) = line.split_at_checked(HEAD)?;
    let bytes = BASE64.decode(encoded).ok()?;
    (head == format!("{} {} ", hex(key), checksum(key, &bytes)).as_bytes()).then_some(bytes)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn key_of(letters: &[u8]) -> Option<Key> {
    let mut key = [0; 32];
    for (byte, pair) in key.iter_mut().zip(letters.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(key)
}

/// Returns the first eight bytes of SHA-256 over key and bytes.
fn checksum(key: &Key, bytes: &[u8]) -> String {
    let digest = Sha256::new().chain_update(key).chain_update(bytes).finalize();
    hex(digest.get(..8).unwrap_or_default())
}
