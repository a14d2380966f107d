//! The state directory: who may use it, and what is written into it.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::processes;
use crate::error::Failure;

/// A directory that nobody else uses while [`Self::lock`] or a copy of it is open.
pub struct State {
    /// Its absolute path.
    pub directory: PathBuf,
    /// Handed to the children: if edgewatch is killed, they hold on to the directory until they are gone as well.
    pub lock: File,
}

impl State {
    /// Makes the directory and takes it.
    ///
    /// # Errors
    /// It cannot be written, or another `edgewatch up` uses it.
    pub fn take(directory: Option<&Path>) -> Result<Self, Failure> {
        let directory = match directory {
            Some(directory) => directory.to_owned(),
            None => usual_directory()?,
        };
        make_directory(&directory)?;
        // Links in /proc show the one true path, and Prometheus resolves its own relative paths from elsewhere.
        let directory = fs::canonicalize(&directory).map_err(|error| cannot_write(&directory, &error))?;
        let file = directory.join("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .open(&file)
            .map_err(|error| cannot_write(&file, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory, lock }),
            Err(TryLockError::Error(error)) => Err(cannot_write(&file, &error)),
            Err(TryLockError::WouldBlock) => {
                drop(lock);
                Err(in_use(&directory, |open| open == file))
            }
        }
    }

    /// The path of a part.
    pub fn path(&self, part: &str) -> PathBuf {
        self.directory.join(part)
    }

    /// Writes a file, and the directories that it lies in.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn write(&self, part: &str, content: &str) -> Result<PathBuf, Failure> {
        let path = self.path(part);
        if let Some(parent) = path.parent() {
            make_directory(parent)?;
        }
        OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&path)
            .and_then(|mut file| file.write_all(content.as_bytes()))
            .map_err(|error| cannot_write(&path, &error))?;
        Ok(path)
    }

    /// The file with a random secret, which is made the first time.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn secret(&self, part: &str) -> Result<PathBuf, Failure> {
        let path = self.path(part);
        // Empty: the disk was full, or the power went, when it was made.
        if fs::metadata(&path).is_ok_and(|file| file.len() > 0) {
            return Ok(path);
        }
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes).map_err(|error| Failure::because("no random numbers", error))?;
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.write(part, &digits)
    }
}

/// The error for a directory in which a process has a file open for which `open` holds.
pub fn in_use(directory: &Path, open: impl Fn(&Path) -> bool) -> Failure {
    let holder = processes::holding(open).map_or_else(|| "another process".to_owned(), |holder| holder.to_string());
    Failure(format!(
        "{} is in use by {holder}: stop that, or choose another --state-dir",
        directory.display()
    ))
}

fn usual_directory() -> Result<PathBuf, Failure> {
    // The XDG Base Directory Specification has relative paths ignored.
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|base| base.join("edgewatch"))
        .ok_or_else(|| Failure("neither $XDG_STATE_HOME nor $HOME is set: name a directory with --state-dir".into()))
}

fn make_directory(path: &Path) -> Result<(), Failure> {
    // What Prometheus stores is for nobody else on the machine.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| cannot_write(path, &error))
}

fn cannot_write(path: &Path, error: &Error) -> Failure {
    let remedy = match error.kind() {
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space, or choose another --state-dir",
        _ => "choose a directory that you can write with --state-dir",
    };
    Failure(format!("cannot write {}: {error}: {remedy}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_is_taken_once_and_the_holder_is_named() {
        let base = tempfile::tempdir().unwrap();
        let directory = base.path().join("a/b");
        let state = State::take(Some(&directory)).unwrap();
        let message = State::take(Some(&directory)).err().unwrap().to_string();
        assert!(message.contains(&format!("(pid {})", std::process::id())), "{message}");
        assert!(message.contains("--state-dir"), "{message}");
        // Not by dropping it: a test beside this one may have just forked, and then a copy is open until it executes.
        state.lock.unlock().unwrap();
        State::take(Some(&directory)).unwrap();
    }

    #[test]
    fn files_are_for_the_user_alone_and_are_replaced() {
        let base = tempfile::tempdir().unwrap();
        let state = State::take(Some(&base.path().join("state"))).unwrap();
        state.write("a/secret", "longer").unwrap();
        let path = state.write("a/secret", "short").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "short");
        for (path, mode) in [(path.as_path(), 0o600), (path.parent().unwrap(), 0o700)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
    }

    #[test]
    fn a_path_that_cannot_be_a_directory_is_explained() {
        let file = tempfile::NamedTempFile::new().unwrap();
        for path in [
            file.path().to_owned(),
            file.path().join("below"),
            "/proc/edgewatch".into(),
        ] {
            let message = State::take(Some(&path)).err().unwrap().to_string();
            assert!(
                message.starts_with("cannot write") && message.contains("--state-dir"),
                "{message}"
            );
        }
    }
}
