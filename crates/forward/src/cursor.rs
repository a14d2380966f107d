//! The place up to which the centre has everything, and the file that keeps it over restarts and power cuts.

use std::path::Path;

use edgewatch_outbound::clock::Clocks;
use edgewatch_outbound::state::{self, StateError, StateFile};
use serde::{Deserialize, Serialize};

/// The key of the settings that names the directory.
pub const DIRECTORY: &str = "forward.directory";
/// The file.
const FILE: StateFile = StateFile {
    name: "forward",
    max: 4096,
    key: DIRECTORY,
};

/// The place, and when that was.
#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Cursor {
    /// The centre has the samples up to this time: milliseconds since 1970.
    pub sent_until_ms: i64,
    /// The clocks when it was written.
    pub written: Clocks,
}

/// The file, of which this process is the only user.
#[derive(Debug)]
pub struct Store(state::Store);

impl Store {
    /// Takes the file, until it is dropped.
    ///
    /// # Errors
    /// Another process has it, or there is no such directory.
    pub fn open(directory: &Path) -> Result<Self, StateError> {
        state::Store::open(directory, FILE).map(Self)
    }

    /// The cursor; `None` if there is none yet.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn load(&self) -> Result<Option<Cursor>, StateError> {
        match self.0.load::<Cursor>()? {
            Some(cursor) if cursor.sent_until_ms > cursor.written.wall_ms => {
                Err(self.0.corrupt("it says that samples were sent before they were"))
            }
            cursor => Ok(cursor),
        }
    }

    /// Replaces the cursor, so that after a power cut there is the old one or the new one.
    ///
    /// # Errors
    /// The disk is full or broken; the old cursor is then still there.
    pub fn save(&self, cursor: &Cursor) -> Result<(), StateError> {
        self.0.save(cursor)
    }
}

/// Where to go on after a look at the clocks `before`, with everything sent up to `sent_until`. If the clock has gone back since, samples
/// are stored behind what was sent: from there everything is sent again, which is harmless. `None` if that cannot be told.
pub fn resume(sent_until: i64, before: &Clocks, now: &Clocks) -> Option<i64> {
    now.earliest_since(before).map(|earliest| sent_until.min(earliest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(wall_ms: i64, uptime_ms: i64, boot: &str) -> Clocks {
        Clocks {
            wall_ms,
            uptime_ms,
            boot: boot.to_owned(),
        }
    }

    fn cursor() -> Cursor {
        Cursor {
            sent_until_ms: 1_700_000_000_000,
            written: clocks(1_700_000_060_000, 5_000, "a"),
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written_and_one_of_the_future_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let store = Store::open(directory.path()).unwrap();
        store.save(&cursor()).unwrap();
        assert_eq!(store.load().unwrap(), Some(cursor()));
        let future = Cursor {
            sent_until_ms: i64::MAX,
            ..cursor()
        };
        store.save(&future).unwrap();
        let error = store.load().unwrap_err();
        assert!(matches!(&error, StateError::Corrupt { .. }), "{error}");
        assert!(error.to_string().contains("forward.json"), "{error}");
    }

    #[test]
    fn a_cursor_of_a_later_version_is_gone_on_from() {
        let directory = tempfile::tempdir().unwrap();
        let mut later = serde_json::to_value(cursor()).unwrap();
        later["later"] = 1.into();
        later["written"]["later"] = 1.into();
        std::fs::write(directory.path().join("forward.json"), later.to_string()).unwrap();
        assert_eq!(Store::open(directory.path()).unwrap().load().unwrap(), Some(cursor()));
    }

    #[test]
    fn it_goes_on_where_it_was_unless_the_clock_has_gone_back() {
        let before = clocks(1_000_000, 50_000, "a");
        let at = |now: Clocks| resume(900_000, &before, &now);
        // An hour later, with and without a step forward.
        assert_eq!(at(clocks(4_600_000, 3_650_000, "a")), Some(900_000));
        assert_eq!(at(clocks(9_000_000_000, 3_650_000, "a")), Some(900_000));
        // 10 s later, and half an hour back: what was stored in these 10 s is not older than that.
        assert_eq!(at(clocks(-790_000, 60_000, "a")), Some(-800_000));
        // After a boot 20 s ago the clock is where it was or later, or it begins with an old time.
        assert_eq!(at(clocks(1_100_000, 20_000, "b")), Some(900_000));
        assert_eq!(at(clocks(910_000, 20_000, "b")), Some(890_000));
        assert_eq!(at(clocks(20_000, 20_000, "b")), Some(0));
        // The time since boot cannot shrink within one.
        assert_eq!(at(clocks(1_000_000, 49_999, "a")), None);
        // Boots that cannot be told apart count as different ones.
        assert_eq!(
            resume(900_000, &clocks(1_000_000, 50_000, ""), &clocks(900_000, 60_000, "")),
            Some(840_000)
        );
    }
}
