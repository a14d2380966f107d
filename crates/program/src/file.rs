//! Files that outlive a power cut.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Replaces a file, or makes it, with the permissions `mode`: after a power cut there is the old one or the new one, as a whole.
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
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&temporary, path)?;
    // The name is an entry of the directory, which is written on its own.
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}
