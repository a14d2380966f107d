//! One file for each kind of sensor and for each subject of the host.
//!
//! To add one: write a file with a `COLLECTOR`, and name it in [`ALL`].

pub(crate) mod attributes;
pub mod bonding;
pub mod cgroup;
pub mod clock;
pub mod counter;
pub mod cpu;
pub mod cpufreq;
pub mod devfreq;
pub mod disk;
pub mod edac;
pub mod filesystem;
pub mod hwmon;
pub mod iio;
pub mod interrupts;
pub mod kernel;
pub(crate) mod lasting;
pub mod led;
pub mod load;
pub mod memory;
pub mod modbus;
pub mod mqtt;
pub(crate) mod names;
pub mod netstat;
pub mod network;
pub mod os;
pub mod outbound;
pub mod power_supply;
pub mod pressure;
pub mod process;
pub mod processes;
pub mod rapl;
pub mod raspberry_pi;
pub mod rtc;
pub mod schedstat;
pub mod simulated;
pub mod sockets;
pub mod storage;
pub mod textfile;
pub mod thermal;
pub mod uname;
pub mod update;
pub mod w1;
pub mod watchdog;
pub mod wireless;

#[cfg(test)]
mod counters_of_64_bits;
#[cfg(test)]
pub mod testing;

use std::time::Duration;

use crate::error::{OpenError, ReadError};
use crate::reading::Recorder;
use crate::settings::{Collect, Settings};

/// Every collector there is, by name; at the end those of what other programs and the settings name. They give way to families of the others,
/// which are encoded before them, and each to the series of those before it.
pub const ALL: &[&Definition] = &[
    &bonding::COLLECTOR,
    &cgroup::COLLECTOR,
    &clock::COLLECTOR,
    &counter::COLLECTOR,
    &cpu::COLLECTOR,
    &cpufreq::COLLECTOR,
    &devfreq::COLLECTOR,
    &disk::COLLECTOR,
    &edac::COLLECTOR,
    &filesystem::COLLECTOR,
    &hwmon::COLLECTOR,
    &iio::COLLECTOR,
    &interrupts::COLLECTOR,
    &kernel::COLLECTOR,
    &led::COLLECTOR,
    &load::COLLECTOR,
    &memory::COLLECTOR,
    &netstat::COLLECTOR,
    &network::COLLECTOR,
    &os::COLLECTOR,
    &outbound::COLLECTOR,
    &power_supply::COLLECTOR,
    &pressure::COLLECTOR,
    &process::COLLECTOR,
    &processes::COLLECTOR,
    &rapl::COLLECTOR,
    &raspberry_pi::COLLECTOR,
    &rtc::COLLECTOR,
    &schedstat::COLLECTOR,
    &simulated::COLLECTOR,
    &sockets::COLLECTOR,
    &storage::COLLECTOR,
    &thermal::COLLECTOR,
    &uname::COLLECTOR,
    &update::COLLECTOR,
    &w1::COLLECTOR,
    &watchdog::COLLECTOR,
    &wireless::COLLECTOR,
    &modbus::COLLECTOR,
    &mqtt::COLLECTOR,
    &textfile::COLLECTOR,
];

/// Reads one kind of sensor.
pub trait Collector: Send {
    /// Reads every value there is now into `recorder`. Hardware may come and go between two reads. A collector that reads several devices
    /// begins a part ([`Recorder::begin_part`]) for each, so that one that is slow does not delay the others; it may then be opened more than
    /// once, each time for some of the parts.
    ///
    /// # Errors
    /// Nothing could be read at all; the failure of a single sensor goes into the recorder.
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError>;
}

/// A collector before it is opened.
pub struct Definition {
    /// Name in the settings and in the label `source`.
    pub name: &'static str,
    /// What a device needs so that it finds something, for people; `None` if it reads no hardware.
    pub needs: Option<&'static str>,
    /// The least `collect` of the settings with which it is read.
    pub collect: Collect,
    /// When and on which thread it is read.
    pub schedule: Schedule,
    /// Time between two reads, unless the settings say otherwise.
    pub period: Duration,
    /// Time after which a read counts as failed, unless the settings say otherwise.
    pub deadline: Duration,
    /// Makes the collector. Reads no hardware yet. What it gathers over several reads is `Lasting`.
    pub open: fn(&Settings) -> Result<Box<dyn Collector>, OpenError>,
}

impl Definition {
    /// Whether the settings let it be read.
    pub fn is_enabled(&self, settings: &Settings) -> bool {
        let default = if self.name == simulated::COLLECTOR.name {
            settings.simulated.enabled
        } else if self.name == modbus::COLLECTOR.name {
            // It has a thread of its own, which nobody needs without a bus.
            !settings.modbus.buses.is_empty()
        } else if self.name == outbound::COLLECTOR.name {
            settings.sends
        } else {
            settings.collect >= self.collect
        };
        let own = settings.collectors.get(self.name);
        own.and_then(|own| own.enabled).unwrap_or(default)
    }
}

/// When and on which thread a collector is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schedule {
    /// Takes microseconds: read for each scrape, on the common thread.
    OnScrape,
    /// Takes as long as the hardware does: as [`Schedule::OnScrape`] while that is microseconds, otherwise as [`Schedule::Periodic`].
    OnScrapeIfQuick,
    /// Takes up to some milliseconds, or catches what happens between scrapes: read every period, on the common thread.
    Periodic,
    /// Takes longer: read every period, on a thread of its own.
    DedicatedThread,
}

/// The collector of that name.
pub fn find(name: &str) -> Option<&'static Definition> {
    ALL.iter().copied().find(|definition| definition.name == name)
}

/// The names of all collectors.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|definition| definition.name).collect()
}
