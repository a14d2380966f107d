//! The place up to which the centre has everything, and the file that keeps it over restarts and power cuts.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::clock::Clocks;

/// The file in the directory of the state.
pub const FILE: &str = "forward.json";
const TEMPORARY: &str = "forward.json.new";
const LOCK: &str = "forward.lock";
/// Bytes that a cursor never has.
const MAX_BYTES: u64 = 4096;

/// The place, and when that was.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Cursor {
    /// The centre has the samples up to this time: milliseconds since 1970.
    pub sent_until_ms: i64,
    /// The clocks when it was written.
    pub written: Clocks,
}

/// Why a cursor cannot be read or kept.
#[derive(Debug, Error)]
pub enum CursorError {
    /// The lock is held.
    #[error("{}: another edgewatch forwards from this directory: stop it, or give each its own forward.directory", .0.display())]
    Locked(PathBuf),
    /// A system call failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The file has something else in it.
    #[error("{}: not what a cursor is ({reason})", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// The directory of the state, of which this process is the only user.
#[derive(Debug)]
pub struct Store {
    directory: PathBuf,
    _lock: File,
}

impl Store {
    /// Takes the directory, until it is dropped.
    ///
    /// # Errors
    /// Another process has it, or it cannot be written to.
    pub fn open(directory: &Path) -> Result<Self, CursorError> {
        let path = directory.join(LOCK);
        let failed = |source| CursorError::Io {
            path: path.clone(),
            source,
        };
        let lock = File::options()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match flock(&lock, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Self {
                directory: directory.to_owned(),
                _lock: lock,
            }),
            Err(rustix::io::Errno::WOULDBLOCK) => Err(CursorError::Locked(path)),
            Err(error) => Err(failed(error.into())),
        }
    }

    /// The cursor; `None` if there is none yet.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn load(&self) -> Result<Option<Cursor>, CursorError> {
        let path = self.directory.join(FILE);
        let failed = |source| CursorError::Io {
            path: path.clone(),
            source,
        };
        let file = match File::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file.map_err(failed)?,
        };
        let mut bytes = Vec::new();
        file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(failed)?;
        let corrupt = |reason| CursorError::Corrupt {
            path: path.clone(),
            reason,
        };
        let cursor: Cursor = serde_json::from_slice(&bytes).map_err(|error| corrupt(error.to_string()))?;
        if cursor.sent_until_ms > cursor.written.wall_ms {
            return Err(corrupt("it says that samples were sent before they were".to_owned()));
        }
        Ok(Some(cursor))
    }

    /// Replaces the cursor, so that after a power cut there is the old one or the new one.
    ///
    /// # Errors
    /// The disk is full or broken; the old cursor is then still there.
    pub fn save(&self, cursor: &Cursor) -> Result<(), CursorError> {
        let (path, temporary) = (self.directory.join(FILE), self.directory.join(TEMPORARY));
        let write = || -> io::Result<()> {
            let mut file = File::create(&temporary)?;
            file.write_all(&serde_json::to_vec(cursor)?)?;
            file.sync_all()?;
            fs::rename(&temporary, &path)?;
            File::open(&self.directory)?.sync_all()
        };
        write().map_err(|source| CursorError::Io { path, source })
    }
}

/// Where to go on after a look at the clocks `before`, with everything sent up to `sent_until`. If the clock has gone back since, samples
/// are stored behind what was sent: from there everything is sent again, which is harmless. `None` if that cannot be told.
pub fn resume(sent_until: i64, before: &Clocks, now: &Clocks) -> Option<i64> {
    now.earliest_since(before).map(|earliest| sent_until.min(earliest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(wall_ms: i64, uptime_ms: i64, boot: &str) -> Clocks {
        Clocks {
            wall_ms,
            uptime_ms,
            boot: boot.to_owned(),
        }
    }

    fn cursor() -> Cursor {
        Cursor {
            sent_until_ms: 1_700_000_000_000,
            written: clocks(1_700_000_060_000, 5_000, "a"),
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_a_missing_one_is_none() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        assert_eq!(store.load().unwrap(), None);
        store.save(&cursor()).unwrap();
        assert_eq!(store.load().unwrap(), Some(cursor()));
        assert!(!directory.path().join(TEMPORARY).exists());
    }

    #[test]
    fn what_is_no_cursor_is_told_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        let from_the_future = serde_json::to_string(&Cursor {
            sent_until_ms: i64::MAX,
            ..cursor()
        })
        .unwrap();
        for text in [
            "",
            "{}",
            "null",
            "\0\0\0\0",
            "{\"sent_until_ms\":1}",
            &from_the_future,
            &"x".repeat(1 << 20),
        ] {
            fs::write(directory.path().join(FILE), text).unwrap();
            let error = store.load().unwrap_err();
            assert!(matches!(&error, CursorError::Corrupt { .. }), "{text}: {error}");
            assert!(error.to_string().contains(FILE), "{error}");
        }
    }

    #[test]
    fn a_directory_has_one_user() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        assert!(matches!(Store::open(directory.path()), Err(CursorError::Locked(_))));
        drop(store);
        Store::open(directory.path()).unwrap();
    }

    #[test]
    fn a_cursor_that_cannot_be_written_leaves_the_old_one() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        store.save(&cursor()).unwrap();
        fs::create_dir(directory.path().join(TEMPORARY)).unwrap();
        let later = Cursor {
            sent_until_ms: 1_700_000_030_000,
            ..cursor()
        };
        assert!(matches!(store.save(&later), Err(CursorError::Io { .. })));
        assert_eq!(store.load().unwrap(), Some(cursor()));
    }

    #[test]
    fn it_goes_on_where_it_was_unless_the_clock_has_gone_back() {
        let before = clocks(1_000_000, 50_000, "a");
        let at = |now: Clocks| resume(900_000, &before, &now);
        // An hour later, with and without a step forward.
        assert_eq!(at(clocks(4_600_000, 3_650_000, "a")), Some(900_000));
        assert_eq!(at(clocks(9_000_000_000, 3_650_000, "a")), Some(900_000));
        // 10 s later, and half an hour back: what was stored in these 10 s is not older than that.
        assert_eq!(at(clocks(-790_000, 60_000, "a")), Some(-800_000));
        // After a boot 20 s ago the clock is where it was or later, or it begins with an old time.
        assert_eq!(at(clocks(1_100_000, 20_000, "b")), Some(900_000));
        assert_eq!(at(clocks(910_000, 20_000, "b")), Some(890_000));
        assert_eq!(at(clocks(20_000, 20_000, "b")), Some(0));
        // The time since boot cannot shrink within one.
        assert_eq!(at(clocks(1_000_000, 49_999, "a")), None);
        // Boots that cannot be told apart count as different ones.
        assert_eq!(
            resume(900_000, &clocks(1_000_000, 50_000, ""), &clocks(900_000, 60_000, "")),
            Some(840_000)
        );
    }
}
