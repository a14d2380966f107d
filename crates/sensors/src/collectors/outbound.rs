//! What the program that sends (`edgewatch-outbound`) counts: it leaves its metrics in a file, in Prometheus' text format, once a second.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use crate::collectors::textfile::parse;
use crate::collectors::{Collector, Definition, Schedule};
use crate::error::{OpenError, ReadError};
use crate::plausible::SWITCH;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "outbound",
    needs: None,
    collect: Collect::Standard,
    // A small file in memory.
    schedule: Schedule::OnScrape,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(1),
    open,
};

const UP: Metric = Metric::gauge(
    "edge_outbound_up",
    "",
    "1 if the program that forwards and notifies has said within half a minute what it counts.",
)
.within(SWITCH);
/// What it may say: it must not pass for a sensor.
const PREFIXES: [&str; 3] = ["edge_forward_", "edge_notify_", "edge_outbound_"];
/// An age ends so, and grows whatever becomes of the program.
const AGE: &str = "_age_seconds";
const STALE: Duration = Duration::from_secs(30);

struct Outbound {
    file: PathBuf,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Outbound {
        file: settings.paths.outbound.clone(),
    }))
}

impl Collector for Outbound {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let failed = |source| ReadError::Io {
            path: self.file.clone(),
            source,
        };
        let written = match fs::metadata(&self.file) {
            Ok(metadata) => metadata.modified().map_err(failed)?,
            // It does not run, or has not begun.
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                recorder.push(&UP, &[], 0.0);
                return Ok(());
            }
            Err(error) => return Err(failed(error)),
        };
        // A clock that was set back makes it new.
        let since = SystemTime::now().duration_since(written).unwrap_or_default();
        recorder.push(&UP, &[], f64::from(u8::from(since < STALE)));
        // Without what it counts its age is still known.
        if let Err(error) = self.counts(since, recorder) {
            recorder.fail(error);
        }
        Ok(())
    }
}

impl Outbound {
    fn counts(&self, since: Duration, recorder: &mut Recorder) -> Result<(), ReadError> {
        let (Some(directory), Some(name)) = (self.file.parent(), self.file.file_name()) else {
            return Err(ReadError::invalid(&self.file, "not a file"));
        };
        let text = Root::new(directory).table(name)?;
        let is_allowed = |name: &str| PREFIXES.iter().any(|prefix| name.starts_with(prefix));
        let samples = parse::parse(&text, is_allowed);
        for sample in samples.map_err(|error| ReadError::invalid(&self.file, error.to_string()))? {
            let grows = sample.metric.name.ends_with(AGE) && sample.value > 0.0;
            let value = match grows {
                true => sample.value + since.as_secs_f64(),
                false => sample.value,
            };
            sample.record(value, recorder);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collectors::testing::Machine;

    fn machine(text: Option<&str>) -> Machine {
        let mut machine = Machine::new(&[]);
        if let Some(text) = text {
            machine.write("proc/outbound.prom", text);
        }
        machine.settings.paths.outbound = machine.settings.paths.procfs.join("outbound.prom");
        machine
    }

    #[test]
    fn what_it_counts_is_exported_and_nothing_that_is_not_its_own() {
        let text = "# HELP edge_forward_samples_sent_total Samples.\n# TYPE edge_forward_samples_sent_total counter\nedge_forward_samples_sent_total 7\n";
        let lines = machine(Some(text)).read(&COLLECTOR).lines();
        assert_eq!(lines, ["edge_outbound_up{} 1", "edge_forward_samples_sent_total{} 7"]);
        for foreign in ["edge_temperature_celsius 7\n", "up 1\n", "edge_forward_x 1 2 3\n"] {
            let read = machine(Some(&format!("{text}{foreign}"))).read(&COLLECTOR);
            assert_eq!(
                (read.lines(), read.errors.len()),
                (vec!["edge_outbound_up{} 1".to_owned()], 1),
                "{foreign}"
            );
        }
    }

    #[test]
    fn a_program_that_does_not_run_is_down() {
        assert_eq!(machine(None).read(&COLLECTOR).lines(), ["edge_outbound_up{} 0"]);
    }

    #[test]
    fn an_age_grows_on_when_the_program_stands_still() {
        let text =
            "edge_forward_oldest_unsent_age_seconds 60\nedge_notify_oldest_untold_age_seconds{receiver=\"ntfy\"} 0\n";
        let machine = machine(Some(text));
        let file = fs::File::open(&machine.settings.paths.outbound).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(3600))
            .unwrap();
        let read = machine.read(&COLLECTOR);
        assert_eq!(read.value("edge_outbound_up{}").as_deref(), Some("0"));
        let age: f64 = read
            .value("edge_forward_oldest_unsent_age_seconds{}")
            .unwrap()
            .parse()
            .unwrap();
        assert!((3660.0..3720.0).contains(&age), "{age}");
        let told = read.value("edge_notify_oldest_untold_age_seconds{receiver=ntfy}");
        assert_eq!(told.as_deref(), Some("0"));
    }
}
