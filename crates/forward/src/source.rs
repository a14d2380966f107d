//! Reads windows from the local Prometheus, while they are received: neither the answer nor a long series is in memory as a whole.

pub(crate) mod decode;

use std::time::Duration;

use thiserror::Error;

use edgewatch_prometheus_client::Client;
use edgewatch_prometheus_client::error::{Error as ClientError, RequestError};
use edgewatch_prometheus_client::prometheus::Prometheus;

use crate::window::Window;
use edgewatch_outbound::failure::{Failure, Kind};

/// Time for the answer of a window, the requests to the centre between its pieces included.
const TIMEOUT: Duration = Duration::from_secs(300);

/// Why a window could not be read.
#[derive(Debug, Error)]
pub enum SourceError {
    /// It has more samples than Prometheus gives at once (`--query.max-samples`).
    #[error("the window has more samples than Prometheus gives at once")]
    TooManySamples,
    /// The time for an answer is over, with the requests to the centre that were made of it.
    #[error(transparent)]
    TimedOut(Failure),
    /// Prometheus cannot be read now.
    #[error(transparent)]
    Unreadable(Failure),
    /// The caller could not use what was read.
    #[error(transparent)]
    Caller(Failure),
}

/// What was read of a window.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Samples given to the caller.
    pub samples: u64,
    /// Samples of series whose labels are larger than any centre takes.
    pub unusable: u64,
}

/// The local Prometheus.
#[derive(Clone)]
pub struct Source {
    client: Client,
    selector: &'static str,
}

impl Source {
    /// The series of `selector` of the server at `base`.
    ///
    /// # Errors
    /// `base` is no address.
    pub fn new(base: &str, selector: &'static str) -> Result<Self, ClientError> {
        Ok(Self {
            client: Client::new(base)?.with_timeout(TIMEOUT),
            selector,
        })
    }

    /// Gives the samples of a window to `sink`, series by series; a long one in several pieces.
    ///
    /// # Errors
    /// Prometheus cannot be read to the end, or `sink` fails, with whose failure reading ends.
    pub fn read(&self, window: Window, sink: &mut decode::Sink<'_>) -> Result<Extent, SourceError> {
        let query = format!("{}[{}ms]", self.selector, window.until - window.after);
        let path = "/api/v1/query";
        let parameters = [("query", &*query), ("time", &*seconds(window.until))];
        let body = self.client.open_ok(path, &parameters)?;
        decode::matrix(body, window, sink).map_err(|error| match error {
            decode::DecodeError::Sink(failure) => SourceError::Caller(failure),
            decode::DecodeError::Answer(error) => self.client.decode_error(path, error).into(),
        })
    }

    /// A source whose answers have this time.
    #[cfg(test)]
    pub(crate) fn within(mut self, timeout: Duration) -> Self {
        self.client = self.client.with_timeout(timeout);
        self
    }

    /// A time from `after` on, at most `closed`, up to which nothing is stored; `after` itself if something may be stored in the `step` behind
    /// it (all in milliseconds). A device that was off, or whose history was deleted, has years of it.
    ///
    /// # Errors
    /// Prometheus cannot be asked.
    pub fn empty_until(&self, after: i64, closed: i64, step: i64) -> Result<i64, SourceError> {
        let (mut empty, mut width) = (after, step);
        // Doubled as long as nothing is found; then halved, down to the step in which something is.
        let mut is_found = false;
        while empty < closed && width >= step {
            let until = empty.saturating_add(width).min(closed);
            match self.has_series(empty, until)? {
                false => empty = until,
                true => is_found = true,
            }
            width = if is_found { width / 2 } else { width.saturating_mul(2) };
        }
        Ok(empty)
    }

    fn has_series(&self, after: i64, until: i64) -> Result<bool, SourceError> {
        let (start, end) = (seconds(after + 1), seconds(until));
        // Prometheus before 2.52 does not know the limit, and names them all.
        let parameters = [
            ("match[]", self.selector),
            ("start", &*start),
            ("end", &*end),
            ("limit", "1"),
        ];
        let path = "/api/v1/series";
        let body = self.client.open_ok(path, &parameters)?;
        Ok(decode::is_not_empty(body).map_err(|error| self.client.decode_error(path, error))?)
    }

    /// How long the history is kept; `None` if only its size is limited.
    ///
    /// # Errors
    /// Prometheus cannot be asked.
    pub fn retention(&self) -> Result<Option<Duration>, SourceError> {
        Ok(Prometheus::new(self.client.clone()).retention()?)
    }
}

impl From<ClientError> for SourceError {
    fn from(error: ClientError) -> Self {
        let failure = Failure::new(Kind::Source, &error);
        let ClientError::Request { source, .. } = error else {
            return Self::Unreadable(failure);
        };
        match source {
            // The API's only word for it (promql.ErrTooManySamples).
            RequestError::Status {
                detail: Some(detail), ..
            } if detail.contains("too many samples") => Self::TooManySamples,
            RequestError::Timeout(_) => Self::TimedOut(failure),
            _ => Self::Unreadable(failure),
        }
    }
}

/// Seconds since 1970, as the API takes them.
fn seconds(ms: i64) -> String {
    format!(
        "{}{}.{:03}",
        if ms < 0 { "-" } else { "" },
        ms.unsigned_abs() / 1000,
        ms.unsigned_abs() % 1000
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_exact_to_the_millisecond() {
        for (ms, text) in [
            (0, "0.000"),
            (1_700_000_000_123, "1700000000.123"),
            (-1, "-0.001"),
            (-61_500, "-61.500"),
        ] {
            assert_eq!(seconds(ms), text);
        }
    }
}
