//! The state directory: its permissions, its lock, and the files in it.
//!
//! A user who can write into it, or rename one of its parents, could place symbolic links there and have us overwrite other files. So a
//! directory that others can change is refused, and no link in it is followed.

use std::env;
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::process::geteuid;

use super::error::{StateDirError, Unsafe};
use super::processes;

/// A directory that no other `edgewatch up` uses while [`Self::lock`] or a copy of it is open.
pub(crate) struct StateDir {
    /// Its absolute path.
    pub(crate) directory: PathBuf,
    /// Inherited by the children: if edgewatch is killed, the directory stays locked until they have ended too.
    pub(crate) lock: File,
}

impl StateDir {
    /// Creates the directory and locks it.
    ///
    /// # Errors
    /// It cannot be written, others can write to it, or another `edgewatch up` uses it.
    pub(crate) fn take(directory: Option<&Path>) -> Result<Self, StateDirError> {
        let directory = match directory {
            Some(directory) => directory.to_owned(),
            None => default_directory()?,
        };
        create_directory(&directory)?;
        // Links in /proc have canonical paths, and Prometheus resolves relative paths differently.
        let directory = fs::canonicalize(&directory).map_err(|error| cannot_write(&directory, error))?;
        require_private(&directory)?;
        let file = directory.join("lock");
        let lock = OpenOptions::new()
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            // Nor does a pipe keep us waiting.
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(&file)
            .map_err(|error| cannot_write(&file, error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { directory, lock }),
            Err(TryLockError::Error(error)) => Err(cannot_write(&file, error)),
            Err(TryLockError::WouldBlock) => {
                drop(lock);
                Err(in_use(&directory, |open| open == file))
            }
        }
    }

    /// The path of a part.
    pub(crate) fn path(&self, part: &str) -> PathBuf {
        self.directory.join(part)
    }

    /// Replaces a file atomically, and creates its parent directories.
    ///
    /// # Errors
    /// The system refuses it, or a link is in the way.
    pub(crate) fn write(&self, part: &str, content: &str) -> Result<PathBuf, StateDirError> {
        let path = self.path(part);
        self.create_private(Path::new(part).parent().unwrap_or(Path::new("")))?;
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
        write().map_err(|error| cannot_write(&path, error))?;
        Ok(path)
    }

    /// Creates directories, and refuses those that are links or of other users: they were placed there while others could write.
    ///
    /// # Errors
    /// The system refuses it, or a link is in the way.
    pub(crate) fn create_private(&self, part: &Path) -> Result<(), StateDirError> {
        let mut path = self.directory.clone();
        for component in part.components() {
            path.push(component);
            create_directory(&path)?;
            let entry = fs::symlink_metadata(&path).map_err(|error| cannot_write(&path, error))?;
            if !entry.is_dir() {
                return Err(not_safe(&path, Unsafe::Link));
            }
            require_no_writers(&path, &entry)?;
        }
        Ok(())
    }

    /// The file with a random secret, which is created the first time.
    ///
    /// # Errors
    /// The system refuses it.
    pub(crate) fn secret(&self, part: &str) -> Result<PathBuf, StateDirError> {
        let path = self.path(part);
        // It is empty if the disk was full, or the power failed, when it was created.
        if fs::symlink_metadata(&path).is_ok_and(|file| file.is_file() && file.len() > 0) {
            return Ok(path);
        }
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
        self.write(part, &digits)
    }
}

/// The error for a directory in use, by a process with an open file that matches.
pub(crate) fn in_use(directory: &Path, matches: impl Fn(&Path) -> bool) -> StateDirError {
    StateDirError::InUse {
        path: directory.to_owned(),
        holder: processes::with_open_file(matches),
    }
}

/// Requires that only we can write to the directory, and that no other user can replace it. In `/tmp` none can: it is sticky.
fn require_private(directory: &Path) -> Result<(), StateDirError> {
    let metadata = |path: &Path| fs::symlink_metadata(path).map_err(|error| cannot_write(path, error));
    require_no_writers(directory, &metadata(directory)?)?;
    // In a user namespace root may be mapped to another user, to whom `/` belongs then.
    let trusted = [0, metadata(Path::new("/"))?.uid(), geteuid().as_raw()];
    for parent in directory.ancestors().skip(1) {
        let entry = metadata(parent)?;
        if !trusted.contains(&entry.uid()) {
            let reason = Unsafe::ParentOwner {
                parent: parent.to_owned(),
                user: entry.uid(),
            };
            return Err(not_safe(directory, reason));
        }
        // Write permission of the group is the owner's choice, as of `staff` for /var/local.
        if entry.mode() & libc::S_IWOTH != 0 && entry.mode() & libc::S_ISVTX == 0 {
            return Err(not_safe(directory, Unsafe::ParentMode(parent.to_owned())));
        }
    }
    Ok(())
}

fn require_no_writers(path: &Path, entry: &Metadata) -> Result<(), StateDirError> {
    if entry.uid() != geteuid().as_raw() {
        return Err(not_safe(path, Unsafe::Owner(entry.uid())));
    }
    if entry.mode() & (libc::S_IWGRP | libc::S_IWOTH) != 0 {
        let reason = Unsafe::Mode {
            mode: entry.mode() & 0o7777,
            path: path.to_owned(),
        };
        return Err(not_safe(path, reason));
    }
    Ok(())
}

fn not_safe(path: &Path, reason: Unsafe) -> StateDirError {
    StateDirError::Unsafe {
        path: path.to_owned(),
        reason,
    }
}

fn default_directory() -> Result<PathBuf, StateDirError> {
    // The XDG Base Directory Specification has relative paths ignored.
    let absolute = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    absolute("XDG_STATE_HOME")
        .or_else(|| absolute("HOME").map(|home| home.join(".local/state")))
        .map(|base| base.join("edgewatch"))
        .ok_or(StateDirError::NoHome)
}

fn create_directory(path: &Path) -> Result<(), StateDirError> {
    // Other users of the machine must not read the history.
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(|error| cannot_write(path, error))
}

fn cannot_write(path: &Path, source: io::Error) -> StateDirError {
    StateDirError::Write {
        path: path.to_owned(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_directory_is_taken_once_and_the_holder_is_named() {
        let base = tempfile::tempdir().unwrap();
        let directory = base.path().join("a/b");
        let state = StateDir::take(Some(&directory)).unwrap();
        let message = StateDir::take(Some(&directory)).err().unwrap().to_string();
        assert!(message.contains(&format!("(pid {})", std::process::id())), "{message}");
        assert!(message.contains("--state-dir"), "{message}");
        // Not by dropping it: a test beside this one may have just forked, and then a copy is open until it executes.
        state.lock.unlock().unwrap();
        StateDir::take(Some(&directory)).unwrap();
    }

    #[test]
    fn files_are_for_the_user_alone_and_are_replaced() {
        let base = tempfile::tempdir().unwrap();
        let state = StateDir::take(Some(&base.path().join("state"))).unwrap();
        state.write("a/secret", "longer").unwrap();
        let path = state.write("a/secret", "short").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "short");
        for (path, mode) in [(path.as_path(), 0o600), (path.parent().unwrap(), 0o700)] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, mode);
        }
    }

    /// Why the directory is refused.
    fn refusal(directory: &Path) -> String {
        StateDir::take(Some(directory)).err().unwrap().to_string()
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
        StateDir::take(Some(&directory)).unwrap();
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
        StateDir::take(Some(&directory)).unwrap();
    }

    #[test]
    fn no_link_in_it_is_followed() {
        use std::os::unix::fs::symlink;

        let base = tempfile::tempdir().unwrap();
        let (directory, victim) = (base.path().join("state"), base.path().join("victim"));
        fs::create_dir(&victim).unwrap();
        fs::write(victim.join("file"), "precious").unwrap();
        let state = StateDir::take(Some(&directory)).unwrap();
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
            let message = StateDir::take(Some(&path)).err().unwrap().to_string();
            assert!(
                message.starts_with("cannot write") && message.contains("--state-dir"),
                "{message}"
            );
        }
    }
}
