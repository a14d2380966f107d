//! A real VictoriaMetrics as the centre: `scripts/setup victoria_metrics target/victoria-metrics`.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use super::centre::{Samples, name_of};
use super::eventually;
use super::process::Process;
use super::prometheus::free_port;

/// A program of the package, if it is there.
pub fn program(name: &str) -> Option<PathBuf> {
    let program = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("target/victoria-metrics/usr/bin")
        .join(name);
    program.exists().then_some(program)
}

/// A running one; killed when dropped.
pub struct VictoriaMetrics {
    child: Child,
    pub address: SocketAddr,
    directory: TempDir,
}

impl VictoriaMetrics {
    /// At any address.
    pub fn start(program: &Path, flags: &[&str]) -> Self {
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        Self::start_at(program, address, flags)
    }

    /// With these flags, as docs/fleet.md has it otherwise: samples that came twice are kept once.
    pub fn start_at(program: &Path, address: SocketAddr, flags: &[&str]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let child = Command::new(program)
            .arg(format!("-storageDataPath={}", directory.path().display()))
            .arg(format!("-httpListenAddr={address}"))
            .args([
                "-retentionPeriod=1y",
                "-dedup.minScrapeInterval=1ms",
                "-loggerLevel=ERROR",
            ])
            .args(flags)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = Self {
            child,
            address,
            directory,
        };
        let is_up = || ureq::get(started.url("/health")).call().is_ok();
        assert!(eventually(is_up), "VictoriaMetrics does not start");
        started
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn process(&self) -> Process {
        Process { pid: self.child.id() }
    }

    /// Bytes on the disk, after what is in memory was written.
    pub fn disk(&self) -> u64 {
        self.flush();
        let output = Command::new("du")
            .arg("-sb")
            .arg(self.directory.path())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        text.split_whitespace().next().unwrap().parse().unwrap()
    }

    /// What was taken a moment ago is not found before.
    pub fn flush(&self) {
        ureq::get(self.url("/internal/force_flush")).call().unwrap();
    }

    /// Everything it has.
    pub fn samples(&self) -> Samples {
        self.flush();
        let address = self.url("/api/v1/export?match[]=%7B__name__!=%22%22%7D");
        let lines = read(&mut ureq::get(address).call().unwrap());
        let mut all = Samples::new();
        for line in lines.lines() {
            let series: Value = serde_json::from_str(line).unwrap();
            let labels = series["metric"].as_object().unwrap().iter();
            let name = name_of(labels.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())));
            let times = series["timestamps"]
                .as_array()
                .unwrap()
                .iter()
                .map(|time| time.as_i64().unwrap());
            let values = series["values"].as_array().unwrap().iter().map(|value| match value {
                Value::String(text) => text.parse::<f64>().unwrap(),
                other => other.as_f64().unwrap_or(f64::NAN),
            });
            all.entry(name).or_default().extend(times.zip(values.map(f64::to_bits)));
        }
        all
    }

    /// Takes samples as lines of the text format, at a time in milliseconds.
    pub fn import(&self, lines: &str, time: i64) {
        ureq::post(self.url("/api/v1/import/prometheus"))
            .query("timestamp", time.to_string())
            .send(lines)
            .unwrap();
    }

    fn ask(&self, path: &str, parameters: &[(&str, String)]) -> Vec<Value> {
        let mut request = ureq::get(self.url(path)).query("nocache", "1");
        for (name, value) in parameters {
            request = request.query(*name, value);
        }
        let mut answer = request.config().http_status_as_error(false).build().call().unwrap();
        let text = read(&mut answer);
        let answer: Value = serde_json::from_str(&text).unwrap_or_else(|_| panic!("{parameters:?}: {text}"));
        let result = answer["data"]["result"].as_array();
        result.unwrap_or_else(|| panic!("{parameters:?}: {answer}")).clone()
    }

    /// The series of an instant query at a time in milliseconds: labels and value.
    pub fn query(&self, expression: &str, time: i64) -> Vec<(Value, f64)> {
        let parameters = [("query", expression.to_owned()), ("time", seconds(time))];
        let result = self.ask("/api/v1/query", &parameters).into_iter();
        result
            .map(|series| {
                (
                    series["metric"].clone(),
                    series["value"][1].as_str().unwrap().parse().unwrap(),
                )
            })
            .collect()
    }

    /// How many series a range query has.
    pub fn query_range(&self, expression: &str, from: i64, until: i64, step: u64) -> usize {
        let parameters = [
            ("query", expression.to_owned()),
            ("start", seconds(from)),
            ("end", seconds(until)),
            ("step", format!("{step}s")),
        ];
        self.ask("/api/v1/query_range", &parameters).len()
    }
}

fn read(answer: &mut ureq::http::Response<ureq::Body>) -> String {
    let body = answer.body_mut().with_config().limit(512 << 20);
    body.read_to_string().unwrap()
}

fn seconds(time: i64) -> String {
    format!("{}.{:03}", time / 1000, time % 1000)
}

impl Drop for VictoriaMetrics {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
