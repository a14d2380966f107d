//! This device.

/// Its name, by uname(2): not every sandbox shows /proc.
pub fn name() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}
