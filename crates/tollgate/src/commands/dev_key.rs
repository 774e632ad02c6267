//! The file in which `dev` keeps its key's secret, so that the next start can print it again. Only `dev` ever writes
//! one: the key of a sandbox on the developer's own machine. Readable by its owner only.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use tollgate_domain::api_key::ApiKeySecret;

pub(super) fn path(dir: &Path) -> PathBuf {
    dir.join("dev-key")
}

/// What the file holds, if there is one; not checked yet.
pub(super) fn read(dir: &Path) -> io::Result<Option<String>> {
    match fs::read(path(dir)) {
        Ok(bytes) => Ok(Some(String::from_utf8_lossy(&bytes).trim().to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a new file; `false` when there is one already, which stays as it is.
pub(super) fn create(dir: &Path, key: &ApiKeySecret) -> io::Result<bool> {
    let file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path(dir));
    match file {
        Ok(mut file) => writeln!(file, "{}", key.reveal()).map(|()| true),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error),
    }
}

pub(super) fn remove(dir: &Path) -> io::Result<()> {
    match fs::remove_file(path(dir)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
