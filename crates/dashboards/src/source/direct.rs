//! Queries Prometheus, without a cache.

use std::collections::BTreeMap;
use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use super::decode::{self, Decoded, Item};
use crate::settings;
use edgewatch_grafana_model::source::{Answer, Answered, QueryError, Series, Source};
use edgewatch_grafana_model::time::Grid;
use edgewatch_grafana_model::time::interval::MAX_POINTS;

use edgewatch_prometheus_client::error::{Error, RequestError};
use edgewatch_prometheus_client::labels::Labels;
use edgewatch_prometheus_client::prometheus::Prometheus;
use edgewatch_prometheus_client::{Client, Credentials, StreamingResponse};

/// Bytes of a response that are read. At some 25 bytes a point it is above what the default limits allow, and it bounds the time that a
/// small CPU spends on a response of which most is dropped.
const MAX_BYTES: u64 = 2 << 20;
/// Values of a label and label sets of a selector.
const MAX_NAMES: usize = 1000;

/// A Prometheus server, queried within the limits of the settings.
pub struct Direct {
    client: Client,
    has_credentials: bool,
    /// Sent with each query, so that Prometheus aborts it before we give up.
    timeout: String,
    max_series: usize,
}

impl Direct {
    /// A source for the server of the settings.
    ///
    /// # Errors
    /// Its address is invalid.
    pub fn new(settings: &settings::Prometheus) -> Result<Self, Error> {
        Ok(Self {
            client: Client::new(&settings.url)?.with_timeout(settings.timeout),
            has_credentials: false,
            timeout: format!("{}ms", (settings.timeout - Duration::from_millis(200)).as_millis()),
            max_series: settings.max_series,
        })
    }

    /// The same source, which authenticates.
    pub(crate) fn with_credentials(self, credentials: Option<Credentials>) -> Self {
        Self {
            has_credentials: credentials.is_some(),
            client: self.client.with_credentials(credentials),
            ..self
        }
    }

    /// The most frequent scrape interval of the targets, in milliseconds. `None` if the server has no targets, such as Thanos Querier.
    ///
    /// # Errors
    /// It does not answer.
    pub(crate) fn scrape_interval(&self) -> Result<Option<i64>, QueryError> {
        let targets = match Prometheus::new(self.client.clone()).targets() {
            Ok(targets) => targets,
            Err(Error::Request {
                source: error @ (RequestError::Refused(_) | RequestError::Timeout(_) | RequestError::HostNotFound),
                ..
            }) => return Err(unreachable(error)),
            // It answers, and has no such list.
            Err(_) => return Ok(None),
        };
        let mut counts = BTreeMap::new();
        let intervals = targets
            .iter()
            .map(|target| humantime::parse_duration(&target.scrape_interval));
        for interval in intervals.filter_map(Result::ok) {
            *counts.entry(interval).or_insert(0_usize) += 1;
        }
        // Of two that are equally frequent the longer one: a rate needs enough scrapes.
        let most = counts.into_iter().max_by_key(|(_, count)| *count);
        Ok(most.and_then(|(interval, _)| i64::try_from(interval.as_millis()).ok()))
    }

    fn request<T: Item>(
        &self,
        path: &str,
        query: &[(&str, &str)],
        context: T::Context,
        max_items: usize,
    ) -> Answered<T> {
        let StreamingResponse {
            status,
            content_type,
            body,
        } = self.client.open(path, query).map_err(unreachable)?;
        // Prometheus' errors are JSON too, with a status of 4xx or 5xx.
        if !content_type.starts_with("application/json") {
            return Err(QueryError::Unreachable(self.not_json(status, &content_type)));
        }
        let reader = Bounded {
            inner: body,
            left: MAX_BYTES,
        };
        let decoded = decode::response::<T>(reader, context, max_items).map_err(|error| self.decode_error(error))?;
        finish(decoded).map(Arc::new)
    }

    fn not_json(&self, status: u16, content_type: &str) -> String {
        let base = self.client.base();
        match status {
            503 => format!("{base} answered 503: it may still be starting"),
            401 | 403 if self.has_credentials => format!("{base} answered {status}: wrong user or password"),
            401 | 403 => format!(
                "{base} answered {status}: it wants credentials, which the service has none of; \
                 edgewatch top and edgewatch render take --user"
            ),
            200 => format!("{base} answered with {content_type:?} instead of JSON: is prometheus.url right?"),
            _ => format!("{base} answered {status} with {content_type:?}: is prometheus.url right?"),
        }
    }

    fn decode_error(&self, error: serde_json::Error) -> QueryError {
        if !error.is_io() {
            return QueryError::Unreachable(format!("{} answered with something odd: {error}", self.client.base()));
        }
        let error = io::Error::from(error);
        match error.kind() {
            io::ErrorKind::FileTooLarge => QueryError::TooLarge(format!(
                "the answer is larger than {} MiB: ask for fewer series or a shorter time",
                MAX_BYTES >> 20
            )),
            _ => unreachable(self.client.body_error(error)),
        }
    }
}

/// The model's errors have text only, which panels show.
fn unreachable(error: RequestError) -> QueryError {
    QueryError::Unreachable(error.to_string())
}

fn finish<T>(decoded: Decoded<T>) -> Result<Answer<T>, QueryError> {
    let Some(mut answer) = decoded.answer else {
        return Err(QueryError::Refused(decoded.error.unwrap_or_default()));
    };
    if decoded.dropped > 0 {
        let shown = answer.items.len();
        answer
            .notes
            .insert(0, format!("showing {shown} of {} series", shown + decoded.dropped));
    }
    Ok(answer)
}

impl Source for Direct {
    fn range(&self, expression: &str, grid: Grid) -> Answered<Series> {
        if grid.len > MAX_POINTS + 1 {
            return Err(QueryError::TooMuch(format!(
                "{} points are more than {MAX_POINTS}: the query wants a longer step for this range",
                grid.len
            )));
        }
        let end = grid.start + grid.step * i64::try_from(grid.len.saturating_sub(1)).unwrap_or_default();
        let query = [
            ("query", expression),
            ("start", &seconds(grid.start)),
            ("end", &seconds(end)),
            ("step", &seconds(grid.step)),
            ("timeout", &self.timeout),
        ];
        self.request("/api/v1/query_range", &query, grid, self.max_series)
    }

    fn instant(&self, expression: &str, at: i64) -> Answered<(Labels, f64)> {
        let query = [
            ("query", expression),
            ("time", &seconds(at)),
            ("timeout", &self.timeout),
        ];
        self.request("/api/v1/query", &query, (), self.max_series)
    }

    fn label_values(&self, label: &str, selector: &str, from: i64, to: i64) -> Answered<String> {
        if label.is_empty() || !label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            return Err(QueryError::Refused(format!("{label:?} is no name of a label")));
        }
        let (start, end) = (seconds(from), seconds(to));
        let query = [("start", &*start), ("end", &*end), ("match[]", selector)];
        let query = if selector.is_empty() { &query[..2] } else { &query };
        // The only endpoint that does not accept POST.
        if edgewatch_prometheus_client::encoded_length(query) > edgewatch_prometheus_client::MAX_QUERY {
            return Err(QueryError::TooMuch(format!(
                "the selector is too long ({} bytes): choose fewer values",
                selector.len()
            )));
        }
        self.request(&format!("/api/v1/label/{label}/values"), query, (), MAX_NAMES)
    }

    fn series(&self, selector: &str, from: i64, to: i64) -> Answered<Labels> {
        let query = [
            ("match[]", selector),
            ("start", &*seconds(from)),
            ("end", &*seconds(to)),
        ];
        self.request("/api/v1/series", &query, (), MAX_NAMES)
    }
}

/// Milliseconds in Prometheus' format of times and steps.
fn seconds(millis: i64) -> String {
    format!("{}.{:03}", millis.div_euclid(1000), millis.rem_euclid(1000))
}

/// Fails beyond a number of bytes, so that a truncated response is not taken for a complete one.
struct Bounded<R> {
    inner: R,
    left: u64,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.left = self
            .left
            .checked_sub(length as u64)
            .ok_or(io::ErrorKind::FileTooLarge)?;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_answer_may_be_written_as_null() {
        let grid = Grid {
            start: 0,
            step: 1000,
            len: 2,
        };
        for json in [
            r#"{"status":"success","data":{"resultType":"matrix","result":null}}"#,
            r#"{"status":"success","data":null}"#,
        ] {
            let decoded = decode::response::<Series>(json.as_bytes(), grid, 10).unwrap();
            assert_eq!(finish(decoded).unwrap().items, [], "{json}");
        }
        let odd = decode::response::<Series>(r#"{"status":"success"}"#.as_bytes(), grid, 10);
        assert!(odd.is_err());
    }
}
