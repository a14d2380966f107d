//! Files that outlive a power cut.

use std::ffi::OsString;
use std::fs::{self, File, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// Replaces a file, or makes it, with the permissions `mode`, whatever the umask is: after a power cut there is the old one or the new one, as a
/// whole.
///
/// # Errors
/// The disk is full or broken, or the directory cannot be written to; the old one is then still there.
pub fn replace(path: &Path, content: &[u8], mode: u32) -> io::Result<()> {
    let mut temporary = OsString::from(path);
    temporary.push(".new");
    let mut options = File::options();
    let mut file = options
        .write(true)
        .create(true)
        .truncate(true)
        .mode(mode)
        .open(&temporary)?;
    file.set_permissions(Permissions::from_mode(mode))?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    // The name is an entry of the directory, which is written on its own.
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

/// Makes a directory, and those above it, where there is none: everybody may look into it, whatever the umask is.
///
/// # Errors
/// One of them cannot be made.
pub fn make_directory(path: &Path) -> io::Result<()> {
    if path.as_os_str().is_empty() || path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        make_directory(parent)?;
    }
    fs::create_dir(path)?;
    fs::set_permissions(path, Permissions::from_mode(0o755))
}
