//! The only access to /proc and /sys: bounded reads below a root that settings and tests can move.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind as IoKind, Read};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::ReadError;
use crate::plausible::is_measurement;
use crate::reading::{Metric, MetricKind};

/// A sysfs attribute is at most one page (Documentation/filesystems/sysfs.rst), the smallest of which is this; where pages are larger, none
/// that is read here makes use of it.
const ATTRIBUTE_LIMIT: usize = 4096;
/// Bound for a file of many lines, such as /proc/stat on a large machine.
const TABLE_LIMIT: usize = 256 * 1024;
/// Bound for a file whose lines come and go with what the machine does: a hundred thousand sockets. It is never in memory.
const STREAM_LIMIT: u64 = 16 << 20;
/// Bound for the entries of a directory.
const ENTRIES_LIMIT: usize = 8192;

/// The root of /proc or /sys, or of a copy.
#[derive(Clone, Debug)]
pub struct Root(PathBuf);

impl Root {
    /// Everything is read below `path`.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self(path.into())
    }

    /// The full path of `relative`.
    pub fn path(&self, relative: impl AsRef<Path>) -> PathBuf {
        self.0.join(relative)
    }

    /// The text of a sysfs attribute, without white space at its ends.
    ///
    /// One `read(2)`, never a loop: a driver that answers `EAGAIN` makes a retrying reader spin, and every further read of an
    /// attribute can be another conversion of the sensor.
    ///
    /// # Errors
    /// The system call fails, or the attribute is empty.
    pub fn attribute(&self, relative: impl AsRef<Path>) -> Result<String, ReadError> {
        let path = self.path(relative);
        let mut buffer = [0; ATTRIBUTE_LIMIT];
        let length = File::open(&path)
            .and_then(|mut file| file.read(&mut buffer))
            .map_err(|source| ReadError::Io {
                path: path.clone(),
                source,
            })?;
        let text = String::from_utf8_lossy(&buffer[..length]);
        // Bytes of a broken EEPROM: NUL would survive `trim`.
        let text = text.trim_matches(|c: char| c.is_whitespace() || c == '\0');
        if text.is_empty() {
            return Err(ReadError::Empty { path });
        }
        Ok(text.to_owned())
    }

    /// The number in a sysfs attribute, in the attribute's own unit; flags are written to base 16, after `0x`.
    ///
    /// # Errors
    /// The system call fails, the attribute is empty or has a word for that (`<unknown>`), or it is no integer.
    pub fn number(&self, relative: impl AsRef<Path>) -> Result<f64, ReadError> {
        let path = relative.as_ref();
        let text = self.attribute(path)?;
        // What cpufreq and others print in place of a number that they do not know or have.
        if text.starts_with('<') && text.ends_with('>') {
            return Err(ReadError::Empty { path: self.path(path) });
        }
        if let Some(bits) = text
            .strip_prefix("0x")
            .and_then(|digits| i64::from_str_radix(digits, 16).ok())
        {
            return Ok(bits as f64);
        }
        // i64 holds every value the kernel prints here; what f64 would also take ("nan", "inf") is no reading.
        self.parse::<i64>(path, Some(&text)).map(|number| number as f64)
    }

    /// The measurement in a sysfs attribute, in the base unit, of which the attribute's unit is one `units`th.
    ///
    /// # Errors
    /// Those of [`Root::number`], or the number stands for a bus that does not answer.
    pub fn measurement(&self, relative: impl AsRef<Path>, units: f64) -> Result<f64, ReadError> {
        let path = relative.as_ref();
        let number = self.number(path)?;
        match is_measurement(number) {
            true => Ok(number / units),
            false => Err(ReadError::invalid(
                &self.path(path),
                format!("{number} is no measurement"),
            )),
        }
    }

    /// The value of a metric from a sysfs attribute, of whose unit there are `units` in the base unit.
    ///
    /// # Errors
    /// Those of [`Root::measurement`] for a gauge. A counter may come by any number: those of [`Root::number`].
    pub fn value_of(&self, metric: &Metric, relative: impl AsRef<Path>, units: f64) -> Result<f64, ReadError> {
        match metric.kind {
            MetricKind::Gauge => self.measurement(relative, units),
            MetricKind::Counter | MetricKind::Untyped => self.number(relative).map(|number| number / units),
        }
    }

    /// The decimal fraction in a sysfs attribute, in the attribute's own unit.
    ///
    /// # Errors
    /// The system call fails, or the attribute is empty or no decimal fraction.
    pub fn decimal(&self, relative: impl AsRef<Path>) -> Result<f64, ReadError> {
        let path = relative.as_ref();
        let text = self.attribute(path)?;
        // What f64 takes beside them ("nan", "inf", "1e3") the kernel does not print.
        let is_decimal = text.bytes().all(|b| b.is_ascii_digit() || b"+-.".contains(&b));
        self.parse(path, Some(&text)).and_then(|number| match is_decimal {
            true => Ok(number),
            false => Err(ReadError::invalid(
                &self.path(path),
                format!("{} is not a number", quote(&text)),
            )),
        })
    }

    /// A field of the file `relative` as a number.
    ///
    /// # Errors
    /// The field is missing, or is no such number.
    pub fn parse<T: FromStr>(&self, relative: impl AsRef<Path>, field: Option<&str>) -> Result<T, ReadError> {
        let invalid = |what| ReadError::invalid(&self.path(relative), what);
        match field {
            Some(text) => text
                .parse()
                .map_err(|_| invalid(format!("{} is not a number", quote(text)))),
            None => Err(invalid("a field is missing".to_owned())),
        }
    }

    /// The whole text of a file of /proc, which the kernel may hand out in several pieces.
    ///
    /// # Errors
    /// The system call fails, or the file is longer than 256 KiB.
    pub fn table(&self, relative: impl AsRef<Path>) -> Result<String, ReadError> {
        let path = self.path(relative);
        let mut bytes = Vec::with_capacity(ATTRIBUTE_LIMIT);
        File::open(&path)
            .and_then(|file| file.take(TABLE_LIMIT as u64 + 1).read_to_end(&mut bytes))
            .map_err(|source| ReadError::Io {
                path: path.clone(),
                source,
            })?;
        if bytes.len() > TABLE_LIMIT {
            return Err(ReadError::invalid(&path, format!("longer than {TABLE_LIMIT} bytes")));
        }
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// Hands each line of a file of /proc to `line`, one after the other: for tables that grow with what the machine does, and not with what it
    /// has. Memory does not grow with them.
    ///
    /// # Errors
    /// The system call fails, the file is longer than 16 MiB or a line longer than 4 KiB, or `line` fails.
    pub fn each_line(
        &self,
        relative: impl AsRef<Path>,
        mut line: impl FnMut(&str) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let path = self.path(relative);
        let failed = |source| ReadError::Io {
            path: path.clone(),
            source,
        };
        let file = File::open(&path).map_err(failed)?;
        let mut file = BufReader::with_capacity(ATTRIBUTE_LIMIT, file.take(STREAM_LIMIT + 1));
        let (mut bytes, mut length) = (Vec::new(), 0);
        loop {
            bytes.clear();
            // One more than is allowed, which tells that there is more.
            let mut beginning = file.by_ref().take(ATTRIBUTE_LIMIT as u64 + 1);
            length += beginning.read_until(b'\n', &mut bytes).map_err(failed)? as u64;
            if bytes.is_empty() {
                return Ok(());
            }
            if length > STREAM_LIMIT {
                return Err(ReadError::invalid(&path, format!("longer than {STREAM_LIMIT} bytes")));
            }
            if bytes.len() > ATTRIBUTE_LIMIT {
                return Err(ReadError::invalid(
                    &path,
                    format!("a line longer than {ATTRIBUTE_LIMIT} bytes"),
                ));
            }
            line(String::from_utf8_lossy(&bytes).trim_end_matches('\n'))?;
        }
    }

    /// Names in a directory, sorted. A directory that does not exist counts as empty: the machine has no such hardware.
    ///
    /// # Errors
    /// The system call fails, but for "no such directory", or there are more than 8192: a part of them would be a wrong number of what is counted.
    pub fn list(&self, relative: impl AsRef<Path>) -> Result<Vec<String>, ReadError> {
        let path = self.path(relative);
        let failed = |source| ReadError::Io {
            path: path.clone(),
            source,
        };
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) if error.kind() == IoKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(failed(error)),
        };
        let mut names = Vec::new();
        for entry in entries {
            if names.len() == ENTRIES_LIMIT {
                return Err(ReadError::invalid(&path, format!("more than {ENTRIES_LIMIT} entries")));
            }
            names.push(entry.map_err(failed)?.file_name().to_string_lossy().into_owned());
        }
        names.sort_unstable();
        Ok(names)
    }

    /// The path with its symbolic links resolved, such as that of the device behind `hwmon0/device`.
    pub fn resolve(&self, relative: impl AsRef<Path>) -> Option<PathBuf> {
        fs::canonicalize(self.path(relative)).ok()
    }

    /// True if the file or directory exists.
    pub fn exists(&self, relative: impl AsRef<Path>) -> bool {
        self.path(relative).exists()
    }
}

/// The beginning of a text, quoted for a message.
pub fn quote(text: &str) -> String {
    const SHOWN: usize = 40;
    let beginning: String = text.chars().take(SHOWN).collect();
    let more = if text.chars().count() > SHOWN { "…" } else { "" };
    format!("{beginning:?}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_with_too_many_entries_is_an_error_and_not_cut() {
        let directory = tempfile::tempdir().unwrap();
        let root = Root::new(directory.path());
        for number in 0..ENTRIES_LIMIT {
            File::create(root.path(number.to_string())).unwrap();
        }
        assert_eq!(root.list("").unwrap().len(), ENTRIES_LIMIT);
        File::create(root.path("another")).unwrap();
        let error = root.list("").unwrap_err().to_string();
        assert!(error.ends_with("more than 8192 entries"), "{error}");
    }
}
