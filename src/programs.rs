//! The programs beside this one.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use thiserror::Error;

/// Renders dashboards.
pub(crate) const DASHBOARDS: &str = "edgewatch-dashboards";
/// Sends what leaves the device.
pub(crate) const OUTBOUND: &str = "edgewatch-outbound";

/// A program cannot be started.
#[derive(Debug, Error)]
#[error("{}: {source}", path.display())]
pub(crate) struct StartError {
    path: PathBuf,
    source: io::Error,
}

/// The path of a program: in the directory of this one, or else wherever `$PATH` has it.
pub(crate) fn path(name: &str) -> PathBuf {
    let own = std::env::current_exe().ok();
    let beside = own.and_then(|own| Some(own.parent()?.join(name)));
    beside.filter(|path| path.exists()).unwrap_or_else(|| name.into())
}

/// Replaces this process by a program. Returns only if that fails.
pub(crate) fn exec(name: &str, arguments: impl IntoIterator<Item = impl AsRef<OsStr>>) -> StartError {
    let path = path(name);
    let source = Command::new(&path).args(arguments).exec();
    StartError { path, source }
}
