//! Errors of the sampler and of reads, and the kinds under which the latter are counted.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use edgewatch_program::error::CommandFailure;

use crate::collectors::modbus::registers::BusError;
use crate::collectors::mqtt::rules::RuleError;

/// The kind of a failed read: the value of the label `kind` of `edge_source_errors_total` and `reason` of
/// `sensor_failed_events_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ErrorKind {
    /// The kernel or the bus refused the read (`EIO`, `EREMOTEIO`, `EACCES`, …).
    Io,
    /// The device has no value now: it is busy, switched off or not powered (`EAGAIN`, `EBUSY`, `ENODATA`, `ENETDOWN`, `ESHUTDOWN`,
    /// `ENXIO`, an empty attribute, `<unknown>` for a number).
    NotReady,
    /// The content is not what the kernel documents: not a number, not finite, too long.
    Invalid,
    /// The read has not ended within the deadline of the collector.
    Timeout,
    /// The collector panicked: a defect of edgewatch.
    Panic,
}

impl ErrorKind {
    /// Every kind, so that each can be exported as 0 before it first happens.
    pub const ALL: [Self; 5] = [Self::Io, Self::NotReady, Self::Invalid, Self::Timeout, Self::Panic];

    /// The label value.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Io => "io",
            Self::NotReady => "not_ready",
            Self::Invalid => "invalid",
            Self::Timeout => "timeout",
            Self::Panic => "panic",
        }
    }
}

/// Why the sampler cannot start.
#[derive(Debug, Error)]
pub enum SamplerError {
    /// A collector cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The system gives no thread.
    #[error("cannot start the sampler: {0}")]
    Thread(#[source] io::Error),
}

/// Why a collector cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The budget cannot be loaded.
    #[error(transparent)]
    Budget(#[from] CommandFailure),
    /// A subscription cannot be used; its number, from 0.
    #[error("mqtt.subscriptions[{0}]: {1}")]
    Subscription(usize, #[source] RuleError),
    /// A bus cannot be read; its number, from 0.
    #[error("modbus.buses[{0}]: {1}")]
    Bus(usize, #[source] BusError),
}

/// Why a value could not be read.
#[derive(Debug, Error)]
pub enum ReadError {
    /// The system call failed.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// The error of the system call.
        source: io::Error,
    },
    /// The content of the file cannot be used.
    #[error("{}: {what}", path.display())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// What is wrong with its content.
        what: String,
    },
    /// The attribute is empty, or has `<unknown>` or the like for a number: its driver has no value yet.
    #[error("{}: no value yet", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Another computer does not answer, or refuses.
    #[error("{address}: {what}")]
    Remote {
        /// How it failed.
        kind: ErrorKind,
        /// Its address.
        address: String,
        /// What went wrong.
        what: String,
    },
    /// A fault that `[[simulated.faults]]` injects.
    #[error("injected fault: {}", .0.name())]
    Injected(ErrorKind),
}

impl ReadError {
    /// A file with content that the kernel's documentation does not allow.
    pub fn invalid(path: &Path, what: impl Into<String>) -> Self {
        Self::Invalid {
            path: path.to_owned(),
            what: what.into(),
        }
    }

    /// The kind under which the failure is counted.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Io { source, .. } => match source.raw_os_error() {
                // A radio that is off answers ENETDOWN, a disk that sleeps or a rail without power one of the last three.
                Some(libc::EAGAIN | libc::EBUSY | libc::ENETDOWN | libc::ENODATA | libc::ENXIO | libc::ESHUTDOWN) => {
                    ErrorKind::NotReady
                }
                Some(libc::ETIMEDOUT) => ErrorKind::Timeout,
                _ => ErrorKind::Io,
            },
            Self::Remote { kind, .. } => *kind,
            Self::Invalid { .. } => ErrorKind::Invalid,
            Self::Empty { .. } => ErrorKind::NotReady,
            Self::Injected(kind) => *kind,
        }
    }

    /// True if the kernel finds no sense in the question (`EINVAL`).
    pub fn is_refused(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.raw_os_error() == Some(libc::EINVAL))
    }

    /// True if the service may not read it.
    pub fn is_denied(&self) -> bool {
        matches!(self, Self::Io { source, .. } if source.kind() == io::ErrorKind::PermissionDenied)
    }

    /// True if the file or directory does not exist, or its device has gone or does not have it: the hardware is absent, which is no failure.
    pub fn is_missing(&self) -> bool {
        let Self::Io { source, .. } = self else {
            return false;
        };
        let is_gone = matches!(source.raw_os_error(), Some(libc::ENODEV | libc::EOPNOTSUPP | ENOTSUPP));
        is_gone || source.kind() == io::ErrorKind::NotFound
    }
}

/// Why a value is missing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// Its kind.
    pub kind: ErrorKind,
    /// The service may not read it.
    pub is_denied: bool,
    /// What failed, and where.
    pub what: String,
}

impl fmt::Display for SourceError {
    fn fmt(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str(&self.what)
    }
}

impl SourceError {
    /// One that is not about permission.
    pub fn new(kind: ErrorKind, what: String) -> Self {
        Self {
            kind,
            is_denied: false,
            what,
        }
    }
}

impl From<&ReadError> for SourceError {
    fn from(error: &ReadError) -> Self {
        Self {
            kind: error.kind(),
            is_denied: error.is_denied(),
            what: error.to_string(),
        }
    }
}

/// The kernel's own "not supported" (include/linux/errno.h), which some drivers let out.
const ENOTSUPP: i32 = 524;

#[cfg(test)]
mod tests {
    use super::*;

    fn failed(number: i32) -> ReadError {
        ReadError::Io {
            path: "temp1_input".into(),
            source: io::Error::from_raw_os_error(number),
        }
    }

    #[test]
    fn a_device_that_is_off_is_not_ready_one_that_is_gone_is_absent_and_a_bus_that_fails_is_an_error() {
        for number in [
            libc::EAGAIN,
            libc::EBUSY,
            libc::ENODATA,
            libc::ENETDOWN,
            libc::ESHUTDOWN,
            libc::ENXIO,
        ] {
            assert_eq!(failed(number).kind(), ErrorKind::NotReady, "{}", failed(number));
            assert!(!failed(number).is_missing());
        }
        for number in [libc::EIO, libc::EREMOTEIO, libc::EACCES, libc::EINVAL] {
            assert_eq!(failed(number).kind(), ErrorKind::Io, "{}", failed(number));
            assert!(!failed(number).is_missing());
        }
        assert_eq!(failed(libc::ETIMEDOUT).kind(), ErrorKind::Timeout);
        for number in [libc::ENOENT, libc::ENODEV, libc::EOPNOTSUPP, ENOTSUPP] {
            assert!(failed(number).is_missing(), "{}", failed(number));
        }
    }
}
