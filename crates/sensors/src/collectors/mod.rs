//! One file for each kind of sensor and for each subject of the host.
//!
//! To add one: write a file with a `SOURCE`, and name it in [`ALL`].

pub mod cgroup;
pub mod clock;
pub mod cpu;
pub mod disk;
pub mod filesystem;
pub mod hwmon;
pub mod load;
pub mod memory;
pub mod network;
pub mod pressure;
pub mod process;
pub mod simulated;
pub mod thermal;
pub mod uname;

#[cfg(test)]
pub mod testing;

use std::time::Duration;

use crate::error::ReadError;
use crate::reading::Sample;
use crate::settings::Settings;
use edgewatch_program::error::Failure;

/// Every source there is, by name.
pub const ALL: &[&Definition] = &[
    &cgroup::SOURCE,
    &clock::SOURCE,
    &cpu::SOURCE,
    &disk::SOURCE,
    &filesystem::SOURCE,
    &hwmon::SOURCE,
    &load::SOURCE,
    &memory::SOURCE,
    &network::SOURCE,
    &pressure::SOURCE,
    &process::SOURCE,
    &simulated::SOURCE,
    &thermal::SOURCE,
    &uname::SOURCE,
];

/// What a temperature in degrees Celsius can be: from absolute zero to beyond any thermocouple (type C ends at 2315 °C).
pub(crate) const CELSIUS: (f64, f64) = (-273.15, 2400.0);

/// Reads one kind of sensor.
pub trait Source: Send {
    /// Reads every value there is now into `sample`. What is plugged in or out between two reads comes and goes by itself. A source that
    /// reads several devices begins a part ([`Sample::begin_part`]) for each, so that one that is slow does not delay the others; it may
    /// then be opened more than once, each for some of the parts.
    ///
    /// # Errors
    /// The source as a whole could not be read; a single sensor that fails goes into the sample.
    fn read(&mut self, sample: &mut Sample) -> Result<(), ReadError>;
}

/// A source before it is opened.
pub struct Definition {
    /// Name in the settings and in the label `source`.
    pub name: &'static str,
    /// When and where it is read.
    pub pace: Pace,
    /// Time between two reads, unless the settings say otherwise.
    pub period: Duration,
    /// Time after which a read counts as failed, unless the settings say otherwise.
    pub deadline: Duration,
    /// Makes the source. Reads no hardware yet.
    pub open: fn(&Settings) -> Result<Box<dyn Source>, Failure>,
}

/// When and where a source is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Takes microseconds: read anew for each scrape, on the shared thread.
    AtScrape,
    /// Takes up to some milliseconds: read every period, on the shared thread.
    Periodic,
    /// Takes longer: read every period, on a thread of its own.
    Slow,
}

/// The source of that name.
pub fn find(name: &str) -> Option<&'static Definition> {
    ALL.iter().copied().find(|source| source.name == name)
}

/// The names of all sources.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|source| source.name).collect()
}
