//! The file in which `listen` keeps its place in the sequence and its signing secret, so that the next start goes on
//! where this one ended. Readable by its owner only; replaced whole, so that it is never half written.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};
use tollgate_domain::id::{IdGenerator, NotificationSettingId};
use tollgate_domain::signature::EndpointSecret;
use tollgate_service::ambient::{OsEntropy, SystemClock};

use tollgate_domain::ambient::Clock as _;

/// Where files are kept that nobody named.
const DIR: &str = ".tollgate";

/// The file, held by this process alone.
#[derive(Debug)]
pub(super) struct State {
    path: PathBuf,
    kept: Kept,
    listener: NotificationSettingId,
    /// Let go of when the process ends, however it ends.
    _lock: File,
}

#[derive(Debug, Deserialize, Serialize)]
struct Kept {
    workspace_id: String,
    /// Everything up to here was forwarded, or stepped over.
    sequence: u64,
    signing_secret: String,
}

/// Where the file is unless somebody names another: one for each server and workspace.
pub(super) fn default_path(base_url: &str, workspace: &str) -> PathBuf {
    let host = base_url.split_once("://").map_or(base_url, |(_, host)| host);
    let plain = |text: &str| text.replace(|other: char| !(other.is_ascii_alphanumeric() || other == '.'), "-");
    Path::new(DIR).join(format!("listen-{}-{}.json", plain(host), plain(workspace)))
}

impl State {
    /// Takes the file for this process. The place in it is `None` when there is no file yet: then there is a new secret,
    /// and nothing is written before the first [`move_to`](Self::move_to).
    pub(super) fn open(path: &Path, workspace: &str) -> anyhow::Result<(Self, Option<u64>)> {
        let shown = path.display();
        let lock = locked(path).with_context(|| format!("can't use {shown} to keep the place in"))?;
        let Some(lock) = lock else {
            bail!("another `tollgate listen` uses {shown}; give this one a file of its own with --state FILE");
        };
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            read => Some(read.with_context(|| format!("can't read {shown}"))?),
        };
        let kept = match &text {
            None => new(workspace),
            // The error of the parser would show the secret.
            Some(text) => serde_json::from_str::<Kept>(text)
                .ok()
                .with_context(|| unusable(path))?,
        };
        if kept.workspace_id != workspace {
            bail!(
                "{shown} is of another workspace, {}, than the API key, {workspace}; name another file with --state FILE",
                kept.workspace_id
            );
        }
        let listener = listener_of(&kept.signing_secret).with_context(|| unusable(path))?;
        let place = text.map(|_| kept.sequence);
        let state = Self {
            path: path.to_owned(),
            kept,
            listener,
            _lock: lock,
        };
        Ok((state, place))
    }

    /// Everything up to here is done with.
    pub(super) const fn sequence(&self) -> u64 {
        self.kept.sequence
    }

    /// What deliveries are signed with.
    pub(super) fn secret(&self) -> EndpointSecret {
        EndpointSecret::from_text(&self.kept.signing_secret)
    }

    /// What stands in for the destination when notifications get their ids: the middle of the secret.
    pub(super) const fn listener(&self) -> NotificationSettingId {
        self.listener
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Remembers the place; it survives a crash as soon as this returns.
    pub(super) fn move_to(&mut self, sequence: u64) -> anyhow::Result<()> {
        self.kept.sequence = sequence;
        self.write()
            .with_context(|| format!("can't keep the place in {}", self.path.display()))
    }

    fn write(&self) -> io::Result<()> {
        let new = beside(&self.path, "new");
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
        serde_json::to_writer_pretty(&mut file, &self.kept)?;
        file.write_all(b"\n")?;
        file.sync_all()?;
        fs::rename(new, &self.path)
    }
}

fn unusable(path: &Path) -> String {
    format!(
        "{} isn't a file that `tollgate listen` has written; remove it to begin anew, or name another with --state FILE",
        path.display()
    )
}

fn new(workspace: &str) -> Kept {
    let id: NotificationSettingId = IdGenerator::default().next(SystemClock.now(), &OsEntropy);
    Kept {
        workspace_id: workspace.to_owned(),
        sequence: 0,
        signing_secret: EndpointSecret::generate(id, &OsEntropy).reveal().to_owned(),
    }
}

/// The id within `pdl_ntfset_<id>_<random>`.
fn listener_of(secret: &str) -> Option<NotificationSettingId> {
    let (tail, _) = secret.strip_prefix("pdl_ntfset_")?.split_once('_')?;
    NotificationSettingId::from_tail(tail)
}

/// Makes the directory, and a lock beside the file; `None` when another process has it.
fn locked(path: &Path) -> io::Result<Option<File>> {
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        let is_ours = dir == Path::new(DIR) && !dir.exists();
        fs::create_dir_all(dir)?;
        if is_ours {
            crate::commands::dev::ignored_by_git(dir)?;
        }
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false).mode(0o600);
    let lock = options.open(beside(path, "lock"))?;
    match lock.try_lock() {
        Ok(()) => Ok(Some(lock)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    name.into()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    const WORKSPACE: &str = "wsp_01khxpvseb2c6yh7kamebc4fdp";

    #[test]
    fn place_and_secret_are_kept_for_the_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("made/state.json");
        let (mut state, place) = State::open(&path, WORKSPACE).unwrap();
        assert_eq!(place, None);
        state.move_to(7).unwrap();
        let secret = state.secret().reveal().to_owned();
        assert!(secret.starts_with(&format!("pdl_ntfset_{}_", state.listener().tail())));
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);

        let error = State::open(&path, WORKSPACE).unwrap_err().to_string();
        assert!(
            error.contains("another `tollgate listen`") && error.contains("--state"),
            "{error}"
        );
        drop(state);
        let (state, place) = State::open(&path, WORKSPACE).unwrap();
        assert_eq!((place, state.secret().reveal()), (Some(7), secret.as_str()));
    }

    #[test]
    fn a_file_of_something_else_is_refused_without_showing_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("state.json");
        for text in [
            "",
            "{}",
            r#"{"workspace_id":"w","sequence":1,"signing_secret":"hunter2"}"#,
        ] {
            fs::write(&path, text).unwrap();
            let error = format!("{:#}", State::open(&path, "w").unwrap_err());
            assert!(
                error.contains("isn't a file that") && !error.contains("hunter2"),
                "{error}"
            );
        }
        let (mut state, _) = State::open(&dir.path().join("other.json"), WORKSPACE).unwrap();
        state.move_to(1).unwrap();
        drop(state);
        let error = State::open(&dir.path().join("other.json"), "wsp_x")
            .unwrap_err()
            .to_string();
        assert!(error.contains(WORKSPACE) && error.contains("wsp_x"), "{error}");
    }

    #[test]
    fn each_server_and_workspace_has_its_own_file() {
        assert_eq!(
            default_path("https://tollgate.example:8443/api", "wsp_1"),
            Path::new(".tollgate/listen-tollgate.example-8443-api-wsp-1.json")
        );
    }
}
