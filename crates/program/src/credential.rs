//! Files that people name in the settings and that may hold a secret.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why such a file cannot be read. It keeps nothing of the content.
#[derive(Debug, Error)]
pub enum CredentialError {
    /// A system call failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// A directory, a pipe or a device.
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

/// Where systemd keeps the credentials of the units while they run; only root may look.
const OF_UNITS: [&str; 2] = [
    "/run/credentials/edgewatch.service",
    "/run/credentials/edgewatch-outbound.service",
];

/// The path of `file`: a relative one is a credential of the unit (systemd.exec(5), `LoadCredential=`). A command that root runs beside the
/// units finds those of the units.
pub fn path(file: &Path) -> PathBuf {
    if file.is_absolute() {
        return file.to_owned();
    }
    if let Some(directory) = std::env::var_os("CREDENTIALS_DIRECTORY") {
        return Path::new(&directory).join(file);
    }
    let of_units = OF_UNITS.map(|unit| Path::new(unit).join(file));
    let known = of_units.into_iter().find(|path| path.exists());
    known.unwrap_or_else(|| file.to_owned())
}

/// The text of a file of at most `max` bytes. It may be something that blocks on open or read, such as a pipe.
///
/// # Errors
/// It cannot be read, or is no such text.
pub fn read(path: &Path, max: u64) -> Result<String, CredentialError> {
    let mut options = File::options();
    let file = options.read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
    if !file.metadata()?.is_file() {
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
