//! Writing that survives a kill: files are synced before anything points at them.

use std::{
    fs::{self, File},
    io::{self, Write},
    path::Path,
};

use sha2::{Digest, Sha256};

use crate::error::Error;

/// Writes a file and waits until it is on disk.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    let written = File::create(path).and_then(|mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    });
    written.map_err(Error::io("write", path))
}

/// Waits until a folder's entries are on disk. Only unix can and needs to sync folders.
pub(crate) fn sync_folder(path: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        File::open(path).and_then(|f| f.sync_all()).map_err(Error::io("sync", path))?;
    }
    Ok(())
}

/// Moves a file or folder over and waits until the move is on disk.
pub(crate) fn rename(from: &Path, to: &Path) -> Result<(), Error> {
    fs::rename(from, to).map_err(Error::io("rename", from))?;
    to.parent().map_or(Ok(()), sync_folder)
}

/// Removes a folder with what is in it; a folder that is not there is removed already.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// SHA-256 in hexadecimal.
pub(crate) fn digest(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in Sha256::digest(bytes) {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}
