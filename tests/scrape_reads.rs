//! When sensors are read: those that answer at once for each scrape, and not between scrapes, where nobody would see it.

use crate::common;

use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::thread;
use std::time::Duration;

use common::{FakeSys, Service};
use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};
use rustix::io::Errno;

const CHIP: &str = "class/hwmon/hwmon0/temp1_input";
const TEMPERATURE: &str = "node_hwmon_temp_celsius{chip=\"cpu\",sensor=\"temp1\"}";
/// Longer than the service takes readings to be fresh.
const STALE: Duration = Duration::from_millis(1100);
/// Longer than the period of a chip that is slow, shorter than that of one that is not.
const BETWEEN: Duration = Duration::from_secs(7);
/// On a busy machine a read may take long for once, and the chip is then read as a slow one.
const ROUNDS: u32 = 20;

fn service(sys: &FakeSys) -> Service {
    sys.write("class/hwmon/hwmon0/name", "cpu");
    sys.write(CHIP, "40000\n");
    Service::start(&sys.settings(&["hwmon"]))
}

/// Counts how often the file has been opened since the last call.
struct Opens(OwnedFd);

impl Opens {
    fn of(file: &Path) -> Self {
        let watch = inotify::init(CreateFlags::NONBLOCK | CreateFlags::CLOEXEC).unwrap();
        inotify::add_watch(&watch, file, WatchFlags::OPEN).unwrap();
        Self(watch)
    }

    fn count(&self) -> usize {
        let mut buffer = [MaybeUninit::uninit(); 4096];
        let mut events = Reader::new(&self.0, &mut buffer);
        let mut count = 0;
        loop {
            match events.next() {
                Ok(_) => count += 1,
                Err(Errno::WOULDBLOCK) => return count,
                Err(error) => panic!("{error}"),
            }
        }
    }
}

#[test]
fn a_chip_that_answers_at_once_is_read_for_the_scrape() {
    let sys = FakeSys::new();
    let service = service(&sys);
    let mut in_a_row = 0;
    for round in 1..=ROUNDS {
        sys.write(CHIP, format!("{}\n", 40_000 + 1000 * round));
        thread::sleep(STALE);
        let is_new = service.metric(TEMPERATURE) == Some(f64::from(40 + round));
        in_a_row = if is_new { in_a_row + 1 } else { 0 };
        if in_a_row == 5 {
            return;
        }
    }
    panic!("scrapes see old temperatures\n{}", service.metrics());
}

#[test]
fn a_chip_that_answers_at_once_is_not_read_while_nobody_looks() {
    let sys = FakeSys::new();
    let service = service(&sys);
    let opens = Opens::of(&sys.path().join(CHIP));
    let mut counts = Vec::new();
    for _ in 0..5 {
        thread::sleep(STALE);
        assert!(service.metric(TEMPERATURE).is_some(), "{}", service.metrics());
        opens.count();
        thread::sleep(BETWEEN);
        counts.push(opens.count());
        if counts.ends_with(&[0]) {
            return;
        }
    }
    panic!("opened between two scrapes: {counts:?} times");
}
