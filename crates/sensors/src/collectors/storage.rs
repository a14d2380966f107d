//! How well what stores the device's data is: cards, file systems that have met errors, arrays of disks.

mod cards;
mod errors;
mod raid;

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::Recorder;
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "storage",
    needs: Some("an SD card, an eMMC, a file system of ext4 or btrfs, or an array of disks"),
    collect: Collect::Standard,
    // All of it is in the kernel's memory.
    schedule: Schedule::Periodic,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(2),
    open,
};

struct Storage {
    sysfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Storage {
        sysfs: Root::new(&settings.paths.sysfs),
    }))
}

impl Collector for Storage {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        for record in [cards::record, errors::record_ext4, errors::record_btrfs, raid::record] {
            if let Err(error) = record(&self.sysfs, recorder) {
                recorder.fail(error);
            }
        }
        Ok(())
    }
}
