//! Load averages, from `/proc/loadavg` (proc_loadavg(5)).

use std::time::Duration;

use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "load",
    needs: None,
    collect: Collect::Standard,
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

static AVERAGES: [Metric; 3] = [
    Metric::gauge("node_load1", "", "Load average over 1 minute."),
    Metric::gauge("node_load5", "", "Load average over 5 minutes."),
    Metric::gauge("node_load15", "", "Load average over 15 minutes."),
];

const LOADAVG: &str = "loadavg";

struct Load {
    procfs: Root,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Load {
        procfs: Root::new(&settings.paths.procfs),
    }))
}

impl Collector for Load {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let text = self.procfs.table(LOADAVG)?;
        let mut fields = text.split_ascii_whitespace();
        for average in &AVERAGES {
            recorder.record(average, &[], self.procfs.parse(LOADAVG, fields.next()));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    #[test]
    fn what_is_no_finite_number_is_an_error() {
        let read = Machine::new(&[("proc/loadavg", "0.25 nan\n")]).read(&COLLECTOR);
        assert_eq!(
            read.lines(),
            ["node_load1{} 0.25", "node_load5{} invalid", "node_load15{} invalid"]
        );
        assert_eq!(read.errors.len(), 2);
    }
}
