//! How often each collector is read. Between two scrapes nobody looks, so only two kinds are read then: those that take too long for a
//! scrape to wait for, and those that catch what is over by the next one.

use std::time::Duration;

use super::shared::{Reader, Scheduled};
use super::state::CollectorState;
use crate::collectors::{Definition, Schedule};

/// A scrape waits for a collector whose last read took less.
const QUICK: Duration = Duration::from_millis(1);
/// Time between two reads for which nothing else is a reason: as long as between two scrapes of Prometheus.
const AT_REST: Duration = Duration::from_secs(15);
/// A thread that has just read goes on with what is due within this time, rather than wake the CPU up again for it.
pub(super) const MAX_EARLY: Duration = Duration::from_millis(20);

/// Time between two reads of a collector.
#[derive(Clone, Copy, Debug)]
pub(super) struct Period {
    /// While there is a reason to read it between two scrapes.
    pub busy: Duration,
    /// While there is none.
    pub at_rest: Duration,
    /// The longest of those that occur, for [`CollectorState::period`].
    pub longest: Duration,
}

impl Period {
    /// Of a collector for which the settings say `configured`, if anything: that then holds always.
    pub fn new(definition: &Definition, configured: Option<Duration>) -> Self {
        let busy = configured.unwrap_or(definition.period);
        let at_rest = configured.unwrap_or(definition.period.max(AT_REST));
        let longest = match definition.schedule {
            Schedule::OnScrapeIfQuick => at_rest,
            Schedule::OnScrape | Schedule::Periodic | Schedule::DedicatedThread => busy,
        };
        Self { busy, at_rest, longest }
    }
}

impl Scheduled {
    /// Whether a scrape has the collector's main reader read again.
    pub fn is_read_on_scrape(&self, main: &CollectorState) -> bool {
        match self.definition.schedule {
            Schedule::OnScrape => true,
            Schedule::OnScrapeIfQuick => main.is_attempted() && main.duration < QUICK,
            Schedule::Periodic | Schedule::DedicatedThread => false,
        }
    }

    /// Time until `reader` reads again, after the read that left `state`.
    pub fn period_of(&self, reader: &Reader, state: &CollectorState) -> Duration {
        let is_isolated = reader.parts.is_some();
        let is_quick = self.definition.schedule == Schedule::OnScrapeIfQuick && self.is_read_on_scrape(state);
        // What has found nothing only looks for hardware that is plugged in.
        match !is_isolated && (is_quick || !state.has_output()) {
            true => self.period.at_rest,
            false => self.period.busy,
        }
    }
}
