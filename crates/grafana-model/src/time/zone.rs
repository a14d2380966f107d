//! Time zones, each read when it is needed: jiff's own lookup keeps the names of all six hundred for good.

use std::env;
use std::fs;
use std::path::{Component, Path, PathBuf};

use jiff::Timestamp;

use super::Zone;
use crate::limits;

/// Where systems keep the IANA database, unless `TZDIR` says it.
const DATABASES: [&str; 2] = ["/usr/share/zoneinfo", "/etc/zoneinfo"];

/// The zone that a dashboard, a page or a setting names: `utc`, a name of the IANA database, or the device's for `browser`, which
/// only a browser knows, and for names that the device does not know.
pub fn zone(name: &str) -> Zone {
    zone_or_problem(name).0
}

/// The same, and what is to be said of a name that the device does not know: times would be those of another zone without a word.
pub fn zone_or_problem(name: &str) -> (Zone, Option<String>) {
    match known(name) {
        Some(zone) => (zone, None),
        None => {
            let name = limits::cut(name.to_owned(), NAME);
            let problem = format!("the time zone {name:?} is not known here: times are in the zone of the device");
            (device(), Some(problem))
        }
    }
}

/// Bytes of a name that are repeated; those of the database are shorter.
const NAME: usize = 64;

/// How many milliseconds the clocks of `zone` are ahead of UTC at a Unix time in seconds.
#[expect(clippy::cast_possible_truncation, reason = "it saturates")]
pub fn offset(zone: &Zone, seconds: f64) -> i64 {
    let time = Timestamp::from_second(seconds as i64).unwrap_or_default();
    i64::from(zone.to_offset(time).seconds()) * 1000
}

fn known(name: &str) -> Option<Zone> {
    match name {
        "utc" | "UTC" => Some(Zone::UTC),
        "" | "browser" | "default" => Some(device()),
        name => named(name),
    }
}

/// The zone of the device: `TZ`, or else the file `/etc/localtime`, as in tzset(3); UTC if there is neither.
pub fn device() -> Zone {
    if let Ok(name) = env::var("TZ") {
        let name = name.trim_start_matches(':');
        return named(name).or_else(|| Zone::posix(name).ok()).unwrap_or(Zone::UTC);
    }
    of_file(Path::new("/etc/localtime")).unwrap_or(Zone::UTC)
}

/// The zone of a link into the database, such as localtime(5) asks for, or of a file without a name.
fn of_file(file: &Path) -> Option<Zone> {
    let link = fs::read_link(file).unwrap_or_default();
    let name = link.to_str().and_then(|link| link.split_once("zoneinfo/"));
    name.and_then(|(_, name)| named(name))
        .or_else(|| Zone::tzif("", &fs::read(file).ok()?).ok())
}

/// The zone of this name in the database.
fn named(name: &str) -> Option<Zone> {
    // A name comes with a request: it must not lead out of the database.
    let stays_inside = Path::new(name)
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    if name.is_empty() || !stays_inside {
        return None;
    }
    let directory = env::var_os("TZDIR").map(PathBuf::from);
    directory
        .into_iter()
        .chain(DATABASES.map(PathBuf::from))
        .find_map(|directory| fs::read(directory.join(name)).ok())
        .and_then(|content| Zone::tzif(name, &content).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_of_the_device_is_the_one_that_jiff_finds() {
        assert_eq!(
            device().iana_name().unwrap_or("UTC"),
            Zone::system().iana_name().unwrap_or("UTC")
        );
    }

    #[test]
    fn zones_are_found_by_name_and_by_link() {
        assert_eq!(zone("Europe/Berlin"), Zone::get("Europe/Berlin").unwrap());
        let directory = tempfile::tempdir().unwrap();
        let link = directory.path().join("localtime");
        std::os::unix::fs::symlink("../usr/share/zoneinfo/Asia/Tokyo", &link).unwrap();
        assert_eq!(of_file(&link).unwrap().iana_name(), Some("Asia/Tokyo"));
    }

    #[test]
    fn a_zone_that_nobody_knows_is_the_devices_and_that_is_said() {
        let zone_problem = |name: &str| zone_or_problem(name).1;
        assert_eq!(zone("utc"), Zone::UTC);
        for name in ["utc", "UTC", "", "browser", "default", "Europe/Berlin"] {
            assert_eq!(zone_problem(name), None, "{name}");
        }
        assert!(zone_problem(&"x".repeat(10_000)).is_some_and(|said| said.len() < 200));
        for name in [
            "Nowhere/Here",
            "../../../etc/localtime",
            "/etc/localtime",
            "posixrules/..",
        ] {
            assert_eq!(zone(name), device(), "{name}");
            assert!(zone_problem(name).is_some_and(|said| said.contains(name)), "{name}");
        }
    }
}
