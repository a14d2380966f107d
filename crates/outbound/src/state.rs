//! A file in the directory of the state, which keeps a place over restarts and power cuts.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use edgewatch_program::file;
use rustix::fs::{FlockOperation, flock};
use serde::Serialize;
use serde::de::DeserializeOwned;
use thiserror::Error;

/// Why a state cannot be read or kept.
#[derive(Debug, Error)]
pub enum StateError {
    /// The lock is held.
    #[error("{}: another edgewatch has this state: stop it, or give each its own {key}", path.display())]
    Locked {
        /// The file of the lock.
        path: PathBuf,
        /// The key of the settings that names the directory.
        key: &'static str,
    },
    /// A system call failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The file has something else in it.
    #[error("{}: not what edgewatch writes there ({reason})", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// There is no directory.
    #[error("nowhere to keep the state: set {0}, or StateDirectory= in the unit")]
    NoDirectory(&'static str),
}

/// Permissions of the file: there is nothing secret in it.
const MODE: u32 = 0o644;

/// What a file is and who may have it.
#[derive(Clone, Copy, Debug)]
pub struct StateFile {
    /// Its name without `.json`.
    pub name: &'static str,
    /// Bytes that it never has.
    pub max: u64,
    /// The key of the settings that names the directory.
    pub key: &'static str,
}

/// The file, of which this process is the only user.
#[derive(Debug)]
pub struct Store {
    file: StateFile,
    path: PathBuf,
    /// None where the storage takes no new file.
    _lock: Option<File>,
}

impl Store {
    /// Takes the file, until it is dropped. A card that has become read-only, or is full, keeps nobody from working: who says so to the
    /// owner may be the one who needs this file. What was kept can be read, and [`Self::save`] tells.
    ///
    /// # Errors
    /// Another process has it, or there is no such directory.
    pub fn open(directory: &Path, file: StateFile) -> Result<Self, StateError> {
        let path = directory.join(format!("{}.lock", file.name));
        let failed = |source| StateError::Io {
            path: path.clone(),
            source,
        };
        let lock = lock_file(&path).map_err(failed)?;
        let locked = lock
            .as_ref()
            .map_or(Ok(()), |lock| flock(lock, FlockOperation::NonBlockingLockExclusive));
        match locked {
            Ok(()) => Ok(Self {
                file,
                path: directory.join(format!("{}.json", file.name)),
                _lock: lock,
            }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(StateError::Locked { path, key: file.key }),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// What is in it; `None` if there is no file yet. A later version of this program may have written it, with fields that are not known
    /// here: no `T` may refuse them.
    ///
    /// # Errors
    /// It cannot be read, or is something else.
    pub fn load<T: DeserializeOwned>(&self) -> Result<Option<T>, StateError> {
        let failed = |source| StateError::Io {
            path: self.path.clone(),
            source,
        };
        let file = match File::open(&self.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        let mut bytes = Vec::new();
        file.take(self.file.max).read_to_end(&mut bytes).map_err(failed)?;
        let state = serde_json::from_slice(&bytes).map_err(|error| self.corrupt(error))?;
        Ok(Some(state))
    }

    /// That what was read cannot be.
    pub fn corrupt(&self, reason: impl ToString) -> StateError {
        StateError::Corrupt {
            path: self.path.clone(),
            reason: reason.to_string(),
        }
    }

    /// Replaces it, so that after a power cut there is the old one or the new one.
    ///
    /// # Errors
    /// The disk is full or broken; the old one is then still there.
    pub fn save<T: Serialize>(&self, state: &T) -> Result<(), StateError> {
        let content = serde_json::to_vec(state).map_err(io::Error::from);
        content
            .and_then(|content| file::replace(&self.path, &content, MODE))
            .map_err(|source| StateError::Io {
                path: self.path.clone(),
                source,
            })
    }
}

/// The file of the lock, made if need be; `None` if there is none and the storage takes none.
fn lock_file(path: &Path) -> io::Result<Option<File>> {
    use io::ErrorKind::{NotFound, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    let made = File::options().write(true).create(true).truncate(false).open(path);
    match made {
        // A lock needs no right to write.
        Err(error) if matches!(error.kind(), ReadOnlyFilesystem | StorageFull | QuotaExceeded) => {
            match File::open(path) {
                Err(error) if error.kind() == NotFound => Ok(None),
                file => file.map(Some),
            }
        }
        made => made.map(Some),
    }
}

/// Where states are kept: what the settings say, or the unit. systemd separates several state directories by colons; the first one is ours.
///
/// # Errors
/// Nobody says where; `key` is what the settings could say.
pub fn directory(set: Option<&Path>, key: &'static str) -> Result<PathBuf, StateError> {
    if let Some(directory) = set {
        return Ok(directory.to_owned());
    }
    let given = std::env::var("STATE_DIRECTORY").ok();
    given
        .as_deref()
        .and_then(|given| given.split(':').next())
        .filter(|path| !path.is_empty())
        .map(PathBuf::from)
        .ok_or(StateError::NoDirectory(key))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const FILE: StateFile = StateFile {
        name: "x",
        max: 64,
        key: "forward.directory",
    };

    #[test]
    fn a_state_is_read_as_it_was_written_and_a_missing_one_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), FILE).unwrap();
        assert_eq!(store.load::<Vec<i64>>().unwrap(), None);
        store.save(&[1, 2]).unwrap();
        assert_eq!(store.load().unwrap(), Some(vec![1, 2]));
        assert!(!directory.path().join("x.json.new").exists());
    }

    #[test]
    fn what_is_no_state_is_told_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), FILE).unwrap();
        for text in ["", "{}", "null", "\0\0\0\0", "[1,", &"[1]".repeat(1 << 20)] {
            fs::write(directory.path().join("x.json"), text).unwrap();
            let error = store.load::<Vec<i64>>().unwrap_err();
            assert!(matches!(&error, StateError::Corrupt { .. }), "{text}: {error}");
            assert!(error.to_string().contains("x.json"), "{error}");
        }
    }

    #[test]
    fn a_state_has_one_user() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), FILE).unwrap();
        let error = Store::open(directory.path(), FILE).unwrap_err();
        assert!(error.to_string().ends_with("its own forward.directory"), "{error}");
        Store::open(directory.path(), StateFile { name: "y", ..FILE }).unwrap();
        drop(store);
        Store::open(directory.path(), FILE).unwrap();
    }

    #[test]
    fn a_state_that_cannot_be_written_leaves_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path(), FILE).unwrap();
        store.save(&[1]).unwrap();
        fs::create_dir(directory.path().join("x.json.new")).unwrap();
        assert!(matches!(store.save(&[2]), Err(StateError::Io { .. })));
        assert_eq!(store.load().unwrap(), Some(vec![1]));
    }

    #[test]
    fn settings_without_a_directory_say_what_to_do() {
        let here = Path::new("/var/lib/edgewatch");
        assert_eq!(directory(Some(here), "forward.directory").unwrap(), here);
        let error = StateError::NoDirectory("forward.directory").to_string();
        assert!(
            error.contains("forward.directory") && error.contains("StateDirectory="),
            "{error}"
        );
    }
}
