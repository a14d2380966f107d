//! Values that other programs leave in files (`*.prom`, in Prometheus' text format), with the semantics of node_exporter's collector.

pub(super) mod parse;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::collectors::{Collector, Definition, Schedule, names};
use crate::error::{OpenError, ReadError};
use crate::plausible::SWITCH;
use crate::reading::{Metric, Recorder};
use crate::settings::{Collect, Settings};
use crate::sysfs::Root;

/// Reads it.
pub const COLLECTOR: Definition = Definition {
    name: "textfile",
    needs: None,
    collect: Collect::Standard,
    // The files may be anywhere, on a disk that hangs.
    schedule: Schedule::Periodic,
    period: Duration::from_secs(15),
    deadline: Duration::from_secs(5),
    open,
};

const MTIME: Metric = Metric::gauge(
    "node_textfile_mtime_seconds",
    "seconds",
    "Unix time of the last change of a file that could be read.",
);
const ERROR: Metric = Metric::gauge(
    "node_textfile_scrape_error",
    "",
    "1 if a file, or a directory, could not be read or understood.",
)
.within(SWITCH);
/// Files of all directories; more are counted, not read. Each has at most 256 KiB.
const MAX_FILES: usize = 64;

struct Textfile {
    directories: Vec<PathBuf>,
}

fn open(settings: &Settings) -> Result<Box<dyn Collector>, OpenError> {
    Ok(Box::new(Textfile {
        directories: settings.textfile.directories.clone(),
    }))
}

impl Collector for Textfile {
    fn collect(&mut self, recorder: &mut Recorder) -> Result<(), ReadError> {
        let mut failed = false;
        let mut files = 0;
        for directory in &self.directories {
            let names = match list(directory) {
                Ok(names) => names,
                Err(error) => {
                    failed = true;
                    recorder.fail(error);
                    continue;
                }
            };
            // What a program is still writing has another name until it is complete.
            for name in names.iter().filter(|name| name.ends_with(".prom")) {
                files += 1;
                if files > MAX_FILES {
                    recorder.drop_one();
                } else if let Err(error) = read(directory, name, recorder) {
                    failed = true;
                    recorder.fail(error);
                }
            }
        }
        if !self.directories.is_empty() {
            recorder.push(&ERROR, &[], f64::from(u8::from(failed)));
        }
        Ok(())
    }
}

/// The names in the directory, which has to exist, as somebody has named it.
fn list(directory: &Path) -> Result<Vec<String>, ReadError> {
    fs::metadata(directory).map_err(|source| ReadError::Io {
        path: directory.to_owned(),
        source,
    })?;
    Root::new(directory).list("")
}

/// All of the file, or nothing.
fn read(directory: &Path, name: &str, recorder: &mut Recorder) -> Result<(), ReadError> {
    let path = directory.join(name);
    let failed = |source| ReadError::Io {
        path: path.clone(),
        source,
    };
    let metadata = fs::metadata(&path).map_err(failed)?;
    if !metadata.is_file() {
        // A pipe would be waited for.
        return Err(ReadError::invalid(&path, "not a regular file"));
    }
    let text = Root::new(directory).table(name)?;
    let samples = parse::parse(&text, |name| !names::is_own(name))
        .map_err(|error| ReadError::invalid(&path, error.to_string()))?;
    for sample in samples {
        // What is recorded first is kept, and what the service says of the files comes after them.
        if [MTIME.name, ERROR.name].contains(&sample.metric.name) {
            recorder.drop_one();
        } else if recorder.has_room() {
            sample.record(sample.value, recorder);
        }
    }
    let changed = metadata.modified().map_err(failed)?;
    let seconds = changed.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
    recorder.push(&MTIME, &[("file", &path.to_string_lossy())], seconds);
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;
    use crate::collectors::testing::Machine;

    fn machine(files: &[(&str, &str)]) -> Machine {
        let mut machine = Machine::new(&[]);
        for (name, text) in files {
            machine.write(&format!("proc/text/{name}"), text);
        }
        machine.settings.textfile.directories = vec![machine.settings.paths.procfs.join("text")];
        machine
    }

    /// Without the times.
    fn lines(machine: &Machine) -> Vec<String> {
        let lines = machine.read(&COLLECTOR).lines();
        lines
            .into_iter()
            .filter(|line| !line.starts_with("node_textfile_mtime"))
            .collect()
    }

    #[test]
    fn complete_files_are_exported_and_what_is_still_written_is_not() {
        let machine = machine(&[
            (
                "a.prom",
                "# HELP backup_age_seconds Age.\n# TYPE backup_age_seconds gauge\nbackup_age_seconds{job=\"db\"} 12.5\n",
            ),
            ("b.prom.tmp", "x 1\n"),
            ("c.txt", "x 1\n"),
            ("d.prom", "plain 3\n"),
        ]);
        assert_eq!(
            lines(&machine),
            [
                "backup_age_seconds{job=db} 12.5",
                "plain{} 3",
                "node_textfile_scrape_error{} 0"
            ]
        );
        let file = machine.settings.textfile.directories[0].join("a.prom");
        let written = UNIX_EPOCH + Duration::from_millis(1_760_000_000_500);
        fs::File::options()
            .write(true)
            .open(&file)
            .unwrap()
            .set_modified(written)
            .unwrap();
        let mtime = machine
            .read(&COLLECTOR)
            .value(&format!("node_textfile_mtime_seconds{{file={}}}", file.display()));
        assert_eq!(mtime.as_deref(), Some("1760000000.5"));
    }

    #[test]
    fn a_pipe_is_refused_and_not_waited_for() {
        let machine = machine(&[("d.prom", "fine 4\n")]);
        let pipe = machine.settings.textfile.directories[0].join("a.prom");
        assert!(Command::new("mkfifo").arg(pipe).status().unwrap().success());
        assert_eq!(lines(&machine), ["fine{} 4", "node_textfile_scrape_error{} 1"]);
    }

    #[test]
    fn a_file_with_an_error_brings_nothing_and_the_others_are_read() {
        let machine = machine(&[
            ("a.prom", "good 1\nbad line\n"),
            ("b.prom", "stamped 1 1760000000000\n"),
            ("c.prom", "edge_own 1\n"),
            ("d.prom", "fine 4\n"),
        ]);
        assert_eq!(lines(&machine), ["fine{} 4", "node_textfile_scrape_error{} 1"]);
        assert_eq!(machine.read(&COLLECTOR).errors.len(), 3);
    }

    #[test]
    fn a_series_is_kept_once_whatever_the_order_of_its_labels_and_those_that_are_empty() {
        let machine = machine(&[
            (
                "a.prom",
                "x{a=\"1\",b=\"2\"} 1\nx{b=\"2\",a=\"1\"} 2\nx{a=\"2\",b=\"1\"} 3\n",
            ),
            ("b.prom", "y{a=\"\",b=\"2\"} 4\ny{b=\"2\"} 5\n"),
        ]);
        assert_eq!(
            lines(&machine),
            [
                "x{a=1,b=2} 1",
                "x{a=2,b=1} 3",
                "y{a=,b=2} 4",
                "node_textfile_scrape_error{} 0"
            ]
        );
        assert_eq!(machine.read(&COLLECTOR).dropped, 2);
    }

    #[test]
    fn a_file_cannot_replace_what_the_service_says_of_files() {
        let machine = machine(&[(
            "a.prom",
            "node_textfile_scrape_error 7\nnode_textfile_mtime_seconds{file=\"x\"} 1\nfine 4\n",
        )]);
        assert_eq!(lines(&machine), ["fine{} 4", "node_textfile_scrape_error{} 0"]);
        let read = machine.read(&COLLECTOR);
        assert_eq!((read.dropped, read.errors.len()), (2, 0));
        assert_eq!(read.value("node_textfile_mtime_seconds{file=x}"), None);
    }

    #[test]
    fn a_directory_that_is_not_there_is_an_error_and_without_any_there_is_nothing() {
        let mut machine = machine(&[]);
        assert_eq!(lines(&machine), ["node_textfile_scrape_error{} 1"]);
        machine.settings.textfile.directories.clear();
        assert!(lines(&machine).is_empty());
    }

    #[test]
    fn files_and_series_are_bounded() {
        let series: String = (0..1000).map(|number| format!("x{{n=\"{number}\"}} 1\n")).collect();
        let machine = machine(&[("a.prom", &series)]);
        for number in 0..100 {
            machine.write(&format!("proc/text/b{number}.prom"), "y 1\n");
        }
        let read = machine.read(&COLLECTOR);
        assert_eq!(read.readings.len(), 256);
        assert!(read.dropped >= 1000 - 256 + 100 - MAX_FILES, "{}", read.dropped);
    }
}
