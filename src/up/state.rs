//! The state directory: who may use it, and what is written into it.
//!
//! Who can write into it, or rename what it lies in, can put links there that lead elsewhere, and would have us overwrite what is not
//! theirs. So a directory of others is refused, and no link in it is followed.

use std::env;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{Error, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::processes;
use edgewatch_program::error::Failure;

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
    /// It cannot be written, others can write to it, or another `edgewatch up` uses it.
    pub fn take(directory: Option<&Path>) -> Result<Self, Failure> {
        let directory = match directory {
            Some(directory) => directory.to_owned(),
            None => usual_directory()?,
        };
        make_directory(&directory)?;
        // Links in /proc show the one true path, and Prometheus resolves its own relative paths from elsewhere.
        let directory = fs::canonicalize(&directory).map_err(|error| cannot_write(&directory, &error))?;
        refuse_others(&directory)?;
        let file = directory.join("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // Nor does a pipe keep us waiting.
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
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

    /// Writes a file whole or not at all, and the directories that it lies in.
    ///
    /// # Errors
    /// The system refuses it, or a link is in the way.
    pub fn write(&self, part: &str, content: &str) -> Result<PathBuf, Failure> {
        let path = self.path(part);
        self.own(Path::new(part).parent().unwrap_or(Path::new("")))?;
        let mut new = path.clone().into_os_string();
        new.push(".new");
        let write = || {
            match fs::remove_file(&new) {
                Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
                _ => {}
            }
            let mut options = OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(0o600).open(&new)?;
            file.write_all(content.as_bytes())?;
            // A link of this name is replaced, not followed.
            fs::rename(&new, &path)
        };
        write().map_err(|error| cannot_write(&path, &error))?;
        Ok(path)
    }

    /// Makes the directories of a part, and refuses those that are links or not ours: they were put there while others could write.
    ///
    /// # Errors
    /// The system refuses it, or a link is in the way.
    pub fn own(&self, part: &Path) -> Result<(), Failure> {
        let mut path = self.directory.clone();
        for component in part.components() {
            path.push(component);
            make_directory(&path)?;
            let entry = fs::symlink_metadata(&path).map_err(|error| cannot_write(&path, &error))?;
            if !entry.is_dir() {
                return Err(refused(&path, "is a link: remove it"));
            }
            refuse_writers(&path, &entry)?;
        }
        Ok(())
    }

    /// The file with a random secret, which is made the first time.
    ///
    /// # Errors
    /// The system refuses it.
    pub fn secret(&self, part: &str) -> Result<PathBuf, Failure> {
        let path = self.path(part);
        // Empty: the disk was full, or the power went, when it was made.
        if fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() > 0) {
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

/// The directory must be ours alone, and nobody else may be able to put another in its place. In `/tmp` nobody can: it is sticky.
fn refuse_others(directory: &Path) -> Result<(), Failure> {
    let look = |path: &Path| fs::symlink_metadata(path).map_err(|error| cannot_write(path, &error));
    refuse_writers(directory, &look(directory)?)?;
    // Where root is mapped to another user, `/` tells to which.
    let trusted = [0, look(Path::new("/"))?.uid(), geteuid().as_raw()];
    for parent in directory.ancestors().skip(1) {
        let entry = look(parent)?;
        if !trusted.contains(&entry.uid()) {
            let why = format!(
                "lies in {}, which belongs to the user {}: move it",
                parent.display(),
                entry.uid()
            );
            return Err(refused(directory, why));
        }
        // A group is its owner's choice, as `staff` is for /var/local.
        if entry.mode() & libc::S_IWOTH != 0 && entry.mode() & libc::S_ISVTX == 0 {
            let why = format!("lies in {}, to which everybody can write: move it", parent.display());
            return Err(refused(directory, why));
        }
    }
    Ok(())
}

fn refuse_writers(path: &Path, entry: &Metadata) -> Result<(), Failure> {
    if entry.uid() != geteuid().as_raw() {
        return Err(refused(path, format!("belongs to the user {}: remove it", entry.uid())));
    }
    if entry.mode() & (libc::S_IWGRP | libc::S_IWOTH) != 0 {
        let why = format!(
            "has the mode {:04o}, so others can write to it: chmod go-w {}",
            entry.mode() & 0o7777,
            path.display()
        );
        return Err(refused(path, why));
    }
    Ok(())
}

fn refused(path: &Path, why: impl std::fmt::Display) -> Failure {
    Failure(format!("{} {why}, or choose a --state-dir of your own", path.display()))
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

    /// Why the directory is refused.
    fn refusal(directory: &Path) -> String {
        State::take(Some(directory)).err().unwrap().to_string()
    }

    fn set_mode(path: &Path, mode: u32) {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    }

    #[test]
    fn a_directory_to_which_others_can_write_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let directory = base.path().join("state");
        fs::create_dir(&directory).unwrap();
        for mode in [0o777, 0o770, 0o1777] {
            set_mode(&directory, mode);
            let message = refusal(&directory);
            let expected = format!("has the mode {mode:04o}, so others can write to it: chmod go-w ");
            assert!(
                message.contains(&expected) && message.contains("--state-dir"),
                "{message}"
            );
        }
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0, "nothing was written");
        set_mode(&directory, 0o755);
        State::take(Some(&directory)).unwrap();
    }

    #[test]
    fn a_directory_that_others_can_replace_is_refused() {
        let base = tempfile::tempdir().unwrap();
        let directory = base.path().join("open/state");
        fs::create_dir_all(&directory).unwrap();
        set_mode(&directory, 0o700);
        set_mode(directory.parent().unwrap(), 0o777);
        let message = refusal(&directory);
        assert!(message.contains("open, to which everybody can write"), "{message}");
        set_mode(directory.parent().unwrap(), 0o1777);
        State::take(Some(&directory)).unwrap();
    }

    #[test]
    fn no_link_in_it_is_followed() {
        use std::os::unix::fs::symlink;

        let base = tempfile::tempdir().unwrap();
        let (directory, victim) = (base.path().join("state"), base.path().join("victim"));
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("file"), "precious").unwrap();
        let state = State::take(Some(&directory)).unwrap();
        symlink(&victim, directory.join("a")).unwrap();
        let message = state.write("a/file", "new").unwrap_err().to_string();
        assert!(message.contains("state/a is a link: remove it"), "{message}");
        symlink(victim.join("file"), directory.join("b")).unwrap();
        state.write("b", "new").unwrap();
        assert_eq!(fs::read_to_string(directory.join("b")).unwrap(), "new");
        symlink(victim.join("file"), directory.join("c")).unwrap();
        let secret = state.secret("c").unwrap();
        assert_ne!(fs::read_to_string(secret).unwrap(), "precious");
        assert_eq!(fs::read_to_string(victim.join("file")).unwrap(), "precious");
        state.lock.unlock().unwrap();
        fs::remove_file(directory.join("lock")).unwrap();
        symlink(victim.join("made"), directory.join("lock")).unwrap();
        assert!(refusal(&directory).starts_with("cannot write"));
        assert!(!victim.join("made").exists());
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
