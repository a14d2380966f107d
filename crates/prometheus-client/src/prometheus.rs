//! The part of Prometheus' HTTP API that we use (<https://prometheus.io/docs/prometheus/latest/querying/api/>).

use std::num::ParseFloatError;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::Client;
use super::error::Error;
use super::labels::Labels;

/// A Prometheus server.
#[derive(Clone)]
pub struct Prometheus(Client);

/// A target that Prometheus scrapes.
#[derive(Clone, Debug, Deserialize, PartialEq)]
#[serde(rename_all = "camelCase")]
pub struct Target {
    /// `job`, `instance` and others.
    pub labels: Labels,
    /// `up`, `down`, or `unknown` before the first scrape.
    pub health: String,
    /// Why the last scrape failed; empty if it did not.
    #[serde(default)]
    pub last_error: String,
    /// Time between two scrapes, such as `1m30s`.
    #[serde(default)]
    pub scrape_interval: String,
}

impl Target {
    /// The value of a label; empty if it has none.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).unwrap_or_default()
    }
}

/// The envelope of every response.
#[derive(Deserialize)]
#[serde(tag = "status", rename_all = "lowercase")]
enum ApiResponse<T> {
    Success { data: T },
    Error { error: String },
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Targets {
    active_targets: Vec<Target>,
}

#[derive(Deserialize)]
struct BuildInfo {
    version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct RuntimeInfo {
    last_config_time: String,
    /// Such as `15d`, `12h or 256MB`, or `256MB`.
    #[serde(default)]
    storage_retention: String,
}

impl RuntimeInfo {
    fn retention(&self) -> Option<Duration> {
        let mut limits = self.storage_retention.split(" or ");
        limits.find_map(|limit| humantime::parse_duration(limit).ok())
    }
}

#[derive(Deserialize)]
#[serde(tag = "resultType", content = "result", rename_all = "lowercase")]
enum Value {
    Vector(Vec<Sample>),
    Scalar(Point),
    Matrix(IgnoredAny),
    String(IgnoredAny),
}

#[derive(Deserialize)]
struct Sample {
    #[serde(default)]
    metric: Labels,
    value: Point,
}

/// `[unix time, "number"]`: numbers are strings, since JSON knows neither NaN nor infinity.
#[derive(Deserialize)]
#[serde(try_from = "(IgnoredAny, String)")]
struct Point(f64);

impl TryFrom<(IgnoredAny, String)> for Point {
    type Error = ParseFloatError;

    fn try_from((_, number): (IgnoredAny, String)) -> Result<Self, ParseFloatError> {
        number.parse().map(Self)
    }
}

impl Prometheus {
    /// The API of the server of `client`.
    pub const fn new(client: Client) -> Self {
        Self(client)
    }

    /// Checks that it is ready to serve queries.
    ///
    /// # Errors
    /// It cannot be reached, or still replays its write-ahead log.
    pub fn ready(&self) -> Result<(), Error> {
        self.0.get_ok("/-/ready").map(drop)
    }

    /// Its version, such as `3.5.0`.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer as documented.
    pub fn version(&self) -> Result<String, Error> {
        self.request::<BuildInfo>("/api/v1/status/buildinfo", &[])
            .map(|info| info.version)
    }

    /// How long it has scraped its current targets: since its configuration was last loaded, which at a start is after the replay of the
    /// write-ahead log. By its own clock, and 0 if that was set back since.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer as documented.
    pub fn running(&self) -> Result<Duration, Error> {
        let loaded = self.config_time()?;
        let now = self.query("time()")?.first().map_or(0.0, |(_, now)| *now);
        Ok(Duration::try_from_secs_f64(now - loaded.as_second() as f64).unwrap_or_default())
    }

    /// When its configuration was last loaded.
    pub(crate) fn config_time(&self) -> Result<Timestamp, Error> {
        let path = "/api/v1/status/runtimeinfo";
        let loaded = self.request::<RuntimeInfo>(path, &[])?.last_config_time;
        loaded
            .parse()
            .map_err(|error: jiff::Error| self.0.error(path, error.into()))
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.0
    }

    /// How long it keeps what it stores; `None` if only the size is limited, or if it says so in another way than documented.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer as documented.
    pub fn retention(&self) -> Result<Option<Duration>, Error> {
        let info = self.request::<RuntimeInfo>("/api/v1/status/runtimeinfo", &[])?;
        Ok(info.retention())
    }

    /// Its active targets.
    ///
    /// # Errors
    /// It cannot be reached, or does not answer as documented.
    pub fn targets(&self) -> Result<Vec<Target>, Error> {
        self.request::<Targets>("/api/v1/targets", &[("state", "active")])
            .map(|targets| targets.active_targets)
    }

    /// The value of a PromQL expression now: an instant vector, or a scalar as a vector of one sample without labels.
    ///
    /// # Errors
    /// It cannot be reached, rejects the expression, or the result is a range vector or a string.
    pub fn query(&self, expression: &str) -> Result<Vec<(Labels, f64)>, Error> {
        match self.request("/api/v1/query", &[("query", expression)])? {
            Value::Vector(samples) => Ok(samples
                .into_iter()
                .map(|sample| (sample.metric, sample.value.0))
                .collect()),
            Value::Scalar(point) => Ok(vec![(Labels::default(), point.0)]),
            Value::Matrix(_) | Value::String(_) => Err(Error::ResultType(expression.to_owned())),
        }
    }

    fn request<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Error> {
        let response = self.0.get(path, query)?;
        match self.0.parse(path, &response.body) {
            Ok(ApiResponse::Success { data }) => Ok(data),
            Ok(ApiResponse::Error { error }) => Err(self.0.status_error(path, response.status, &error)),
            Err(_) if response.status != 200 => Err(self.0.status_error(path, response.status, &response.body)),
            Err(error) => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(json: &str) -> Value {
        match serde_json::from_str(json).unwrap() {
            ApiResponse::Success { data } => data,
            ApiResponse::Error { error } => panic!("{error}"),
        }
    }

    #[test]
    fn vectors_and_scalars_are_read() {
        let Value::Vector(samples) = value(
            r#"{"status":"success","data":{"resultType":"vector","result":[
                {"metric":{"job":"sensor"},"value":[1700000000.1,"0.25"]},{"metric":{},"value":[1700000000,"+Inf"]}]}}"#,
        ) else {
            panic!("no vector")
        };
        assert_eq!(samples[0].metric.get("job"), Some("sensor"));
        assert_eq!((samples[0].value.0, samples[1].value.0), (0.25, f64::INFINITY));
        let Value::Scalar(point) =
            value(r#"{"status":"success","data":{"resultType":"scalar","result":[1700000000,"NaN"]}}"#)
        else {
            panic!("no scalar")
        };
        assert!(point.0.is_nan());
    }

    #[test]
    fn errors_and_malformed_responses_are_no_panic() {
        let reply = r#"{"status":"error","errorType":"bad_data","error":"parse error"}"#;
        assert!(
            matches!(serde_json::from_str::<ApiResponse<Value>>(reply), Ok(ApiResponse::Error { error }) if error == "parse error")
        );
        for odd in [
            "",
            "null",
            "{}",
            r#"{"status":"success"}"#,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1]}]}}"#,
            r#"{"status":"success","data":{"resultType":"vector","result":[{"value":[1,"x"]}]}}"#,
        ] {
            assert!(serde_json::from_str::<ApiResponse<Value>>(odd).is_err(), "{odd}");
        }
    }

    #[test]
    fn the_time_limit_of_the_history_is_found_beside_that_of_its_size() {
        for (text, hours) in [
            ("12h or 256MB", Some(12)),
            ("15d", Some(360)),
            ("1w1d or 1GiB", Some(192)),
            ("256MB", None),
            ("", None),
        ] {
            let info = RuntimeInfo {
                last_config_time: String::new(),
                storage_retention: text.to_owned(),
            };
            let expected = hours.map(|hours: u64| Duration::from_secs(hours * 3600));
            assert_eq!(info.retention(), expected, "{text}");
        }
    }

    #[test]
    fn targets_have_what_we_show() {
        let json = r#"{"status":"success","data":{"activeTargets":[{"discoveredLabels":{},"labels":{"instance":"a:1","job":"sensor"},
            "scrapePool":"sensor","scrapeUrl":"http://a:1/metrics","lastError":"refused","health":"down"}],"droppedTargets":[]}}"#;
        let ApiResponse::Success { data } = serde_json::from_str::<ApiResponse<Targets>>(json).unwrap() else {
            panic!("an error")
        };
        let target = &data.active_targets[0];
        assert_eq!(
            (
                target.label("job"),
                target.label("zone"),
                &*target.health,
                &*target.last_error
            ),
            ("sensor", "", "down", "refused")
        );
    }
}
