//! What somebody in the network, a file or an accident of the device can do to the service, and what it must survive; one kind a
//! file. Those that take longer than some seconds are ignored by `cargo test`; `scripts/attack` runs them all.

mod connections;
mod dashboard_files;
mod full_disk;
mod full_prometheus;
mod malformed;
mod passwords;
mod pictures;
mod prometheus_answers;
mod rebinding;
mod state_directory;

use crate::common;

use common::upstream::Upstream;
use common::{Service, Setup, only};

/// A service with the memory allocator of the unit, which shows each text of `dashboards` by its UID, with values from `upstream`.
fn shown(dashboards: &[(&str, &str)], upstream: &Upstream) -> (Service, tempfile::TempDir) {
    let directory = tempfile::tempdir().unwrap();
    for (uid, text) in dashboards {
        std::fs::write(directory.path().join(format!("{uid}.json")), text).unwrap();
    }
    let settings = format!(
        "{}[dashboards]\ndirectories = [{:?}]\n{}",
        upstream.settings(),
        directory.path(),
        only(&["load"])
    );
    let setup = Setup::new(&settings).environment("MALLOC_ARENA_MAX", "1");
    (setup.start(), directory)
}
