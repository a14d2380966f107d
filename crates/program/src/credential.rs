//! Files that people name in the settings and that may hold a secret.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::systemctl;

/// Why such a file cannot be read. It keeps nothing of the content.
#[derive(Debug, Error)]
pub enum CredentialError {
    /// A system call failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A directory, a pipe or a disk.
    #[error("no regular file")]
    NotRegular,
    /// More bytes than such a file has.
    #[error("larger than {}, so it is something else", in_units(*.0))]
    TooLarge(u64),
    /// Another encoding.
    #[error("not UTF-8 (UTF-16 or Latin-1?): save it as UTF-8 without BOM")]
    NotUtf8,
}

/// A bound, which is a whole number of one or the other.
fn in_units(bytes: u64) -> String {
    match bytes % (1 << 20) {
        0 => format!("{} MiB", bytes >> 20),
        _ => format!("{} KiB", bytes >> 10),
    }
}

/// The units that have credentials.
const UNITS: [&str; 2] = ["edgewatch.service", "edgewatch-outbound.service"];

/// The path of `file`: a relative one is a credential of the unit (systemd.exec(5), `LoadCredential=`). A command beside the units looks
/// for what they get at their next start, so that a file can be tried before.
pub fn path(file: &Path) -> PathBuf {
    if file.is_absolute() {
        return file.to_owned();
    }
    if let Some(directory) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        return Path::new(&directory).join(file);
    }
    // A unit that was given none asks nobody: its sandbox runs no other program.
    let is_unit = std::env::var_os("NOTIFY_SOCKET").is_some();
    let mut known = UNITS.iter().filter(|_| !is_unit).filter_map(|unit| of_unit(unit, file));
    known.next().unwrap_or_else(|| file.to_owned())
}

/// The file from which systemd loads a credential of a unit; else, as of one that is encrypted, the copy that it keeps for root while the
/// unit runs.
fn of_unit(unit: &str, name: &Path) -> Option<PathBuf> {
    let files = systemctl::answer(["cat", "--no-pager", unit]).ok();
    files.and_then(|files| source(&files, name)).or_else(|| {
        let copy = Path::new("/run/credentials").join(unit).join(name);
        copy.exists().then_some(copy)
    })
}

/// The file that `LoadCredential=` names for `name` in a unit and its drop-ins; a later line wins, and one without a value unsets those
/// before.
fn source(unit: &str, name: &Path) -> Option<PathBuf> {
    let mut found = None;
    for line in unit.lines() {
        let Some(("LoadCredential", value)) = line.split_once('=').map(|(key, value)| (key.trim(), value.trim()))
        else {
            continue;
        };
        match value.split_once(':') {
            Some((id, path)) if Path::new(id) == name => found = Some(PathBuf::from(path)),
            None if value.is_empty() => found = None,
            Some(_) | None => {}
        }
    }
    found.filter(|path| path.is_absolute())
}

/// The text of a file of at most `max` bytes. It may be something that blocks on open or read, such as a pipe.
///
/// # Errors
/// It cannot be read, or is no such text.
pub fn read(path: &Path, max: u64) -> Result<String, CredentialError> {
    let mut options = File::options();
    let file = options.read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    let kind = file.metadata()?.file_type();
    // /dev/null is an empty file to many; other devices end at the bound.
    if !kind.is_file() && !kind.is_char_device() {
        return Err(CredentialError::NotRegular);
    }
    let mut bytes = Vec::new();
    // Not by the size in its metadata: the file may grow meanwhile.
    file.take(max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > max {
        return Err(CredentialError::TooLarge(max));
    }
    String::from_utf8(bytes).map_err(|_| CredentialError::NotUtf8)
}

/// Logs that everybody on this device can read it, if that is so.
pub fn warn_if_others_can_read(path: &Path) {
    // systemd passes credentials read-only to the service alone, independent of the mode.
    let is_credential = std::env::var_os("CREDENTIALS_DIRECTORY").is_some_and(|directory| path.starts_with(directory));
    let mode = std::fs::metadata(path).map_or(0, |metadata| metadata.permissions().mode());
    if !is_credential && mode & 0o007 != 0 {
        tracing::warn!(
            "{} can be read by everybody on this device: chmod o= it",
            path.display()
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_unit_with_its_drop_ins_the_last_line_names_the_file() {
        let unit = "# /lib/x\n[Service]\nLoadCredential=users:/etc/edgewatch/users\nSetCredential=users:# no users\n";
        let source = |added: &str| source(&format!("{unit}{added}"), Path::new("users"));
        let path = |path: &str| Some(PathBuf::from(path));
        assert_eq!(source(""), path("/etc/edgewatch/users"));
        assert_eq!(source("LoadCredential = users:/srv/u\n"), path("/srv/u"));
        assert_eq!(source("LoadCredential=mqtt:/srv/m\n"), path("/etc/edgewatch/users"));
        // Unset; and from those of the system, which is no file here.
        assert_eq!(source("LoadCredential=\n"), None);
        assert_eq!(source("LoadCredential=users:users\n"), None);
    }
}
