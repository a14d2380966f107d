//! A real Prometheus.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::eventually;

/// A running Prometheus; killed when dropped.
pub struct Prometheus {
    child: Child,
    pub address: SocketAddr,
    program: PathBuf,
    flags: Vec<String>,
    directory: TempDir,
}

/// Every Prometheus on this machine: Debian's, and a 3.x where `scripts/setup` could get one.
pub fn installed() -> Vec<PathBuf> {
    let newer = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/prometheus3/usr/bin/prometheus");
    [PathBuf::from("/usr/bin/prometheus"), newer]
        .into_iter()
        .filter(|program| program.exists())
        .collect()
}

pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn free_address() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], free_port()))
}

/// A configuration that scrapes the targets of these jobs. JSON is YAML.
fn config(jobs: &[(&str, &[SocketAddr])], interval: Duration) -> String {
    let interval = format!("{}ms", interval.as_millis());
    let jobs: Vec<Value> = jobs
        .iter()
        .map(|(name, targets)| serde_json::json!({ "job_name": name, "static_configs": [{ "targets": targets }] }))
        .collect();
    let config = serde_json::json!({
        "global": { "scrape_interval": interval, "scrape_timeout": interval },
        "scrape_configs": jobs,
    });
    config.to_string()
}

fn spawn(program: &Path, directory: &Path, address: SocketAddr, flags: &[String]) -> Child {
    Command::new(program)
        .arg(format!("--config.file={}", directory.join("prometheus.yml").display()))
        .arg(format!("--storage.tsdb.path={}", directory.join("data").display()))
        .arg(format!("--web.listen-address={address}"))
        .arg("--log.level=error")
        .args(flags)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

impl Prometheus {
    /// Scrapes each target every `interval`.
    pub fn start(program: &Path, targets: &[SocketAddr], interval: Duration) -> Self {
        Self::launch(program, free_address(), &[("sensor", targets)], interval)
    }

    /// Scrapes the service and itself, as the shipped configuration does.
    pub fn start_stack(program: &Path, service: SocketAddr, interval: Duration) -> Self {
        let address = free_address();
        Self::launch(
            program,
            address,
            &[("sensor", &[service]), ("prometheus", &[address])],
            interval,
        )
    }

    /// As [`Self::start_stack`], with its data in a directory below `place`.
    pub fn start_stack_in(place: &Path, program: &Path, service: SocketAddr, interval: Duration) -> Self {
        let address = free_address();
        let directory = tempfile::tempdir_in(place).unwrap();
        Self::launch_in(
            directory,
            program,
            address,
            &[("sensor", &[service]), ("prometheus", &[address])],
            interval,
        )
    }

    /// Scrapes a target every `interval`, and evaluates as often a rule that fires while its metric `trouble` has been 1 for the time of `hold`.
    pub fn start_with_alert(program: &Path, target: SocketAddr, interval: Duration, hold: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let mut config: Value = serde_json::from_str(&config(&[("sensor", &[target])], interval)).unwrap();
        config["global"]["evaluation_interval"] = config["global"]["scrape_interval"].clone();
        config["rule_files"] = serde_json::json!(["rules.yml"]);
        let rule = serde_json::json!({
            "alert": "Trouble", "expr": "trouble == 1", "for": hold, "labels": {"severity": "warning"},
            "annotations": {"summary": "There is trouble at {{ $labels.job }}", "remedy": "Mend it."},
        });
        let rules = serde_json::json!({"groups": [{"name": "g", "rules": [rule]}]});
        std::fs::write(directory.path().join("rules.yml"), rules.to_string()).unwrap();
        Self::run(program, directory, free_address(), &config.to_string(), &[])
    }

    /// Scrapes itself, with these flags.
    pub fn start_limited(program: &Path, interval: Duration, flags: &[String]) -> Self {
        let address = free_address();
        let config = config(&[("prometheus", &[address])], interval);
        Self::run(program, tempfile::tempdir().unwrap(), address, &config, flags)
    }

    /// Takes remote_write at this address, also of samples that are days old, and scrapes nothing.
    pub fn start_receiver(program: &Path, address: SocketAddr) -> Self {
        let config = r#"{"storage": {"tsdb": {"out_of_order_time_window": "7d"}}}"#;
        let flags = ["--web.enable-remote-write-receiver".to_owned()];
        Self::run(program, tempfile::tempdir().unwrap(), address, config, &flags)
    }

    /// Kills it as a power cut would, and starts it again with what it has stored.
    pub fn kill_and_restart(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.child = spawn(&self.program, self.directory.path(), self.address, &self.flags);
        self.wait_until_ready();
    }

    /// Stops it, deletes what it has stored, and starts it again.
    pub fn lose_history(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        std::fs::remove_dir_all(self.directory.path().join("data")).unwrap();
        self.child = spawn(&self.program, self.directory.path(), self.address, &self.flags);
        self.wait_until_ready();
    }

    /// Its number among the processes.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Runs the shipped configuration and rules, with every interval shortened to a second.
    pub fn start_shipped(program: &Path, services: &[SocketAddr]) -> Self {
        let shipped = Path::new(env!("CARGO_MANIFEST_DIR")).join("prometheus");
        let directory = tempfile::tempdir().unwrap();
        let address = free_address();
        let services: Vec<String> = services.iter().map(ToString::to_string).collect();
        let mut config = std::fs::read_to_string(shipped.join("prometheus.yml")).unwrap();
        for (text, replacement) in [
            ("127.0.0.1:8000", services.join(", ").as_str()),
            ("127.0.0.1:9090", &address.to_string()),
            ("_interval: 15s", "_interval: 1s"),
            ("_interval: 30s", "_interval: 1s"),
            ("scrape_timeout: 10s", "scrape_timeout: 1s"),
            ("rules/*.yml", shipped.join("rules/*.yml").to_str().unwrap()),
        ] {
            assert_eq!(config.matches(text).count(), 1, "{text}");
            config = config.replace(text, replacement);
        }
        let budget = edgewatch_sensors::budget::Budget::load(None).unwrap();
        Self::run(program, directory, address, &config, &budget.prometheus.flags())
    }

    fn launch(program: &Path, address: SocketAddr, jobs: &[(&str, &[SocketAddr])], interval: Duration) -> Self {
        Self::launch_in(tempfile::tempdir().unwrap(), program, address, jobs, interval)
    }

    fn launch_in(
        directory: TempDir,
        program: &Path,
        address: SocketAddr,
        jobs: &[(&str, &[SocketAddr])],
        interval: Duration,
    ) -> Self {
        Self::run(program, directory, address, &config(jobs, interval), &[])
    }

    fn run(program: &Path, directory: TempDir, address: SocketAddr, config: &str, flags: &[String]) -> Self {
        std::fs::write(directory.path().join("prometheus.yml"), config).unwrap();
        let prometheus = Self {
            child: spawn(program, directory.path(), address, flags),
            address,
            program: program.to_owned(),
            flags: flags.to_vec(),
            directory,
        };
        prometheus.wait_until_ready();
        prometheus
    }

    fn wait_until_ready(&self) {
        assert!(eventually(|| self.get("/-/ready").is_some()), "Prometheus is not ready");
    }

    fn get(&self, path: &str) -> Option<String> {
        let mut answer = ureq::get(format!("http://{}{path}", self.address)).call().ok()?;
        answer.body_mut().read_to_string().ok()
    }

    /// The active targets.
    pub fn targets(&self) -> Vec<Value> {
        let text = self.get("/api/v1/targets?state=active").unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        answer["data"]["activeTargets"].as_array().unwrap().clone()
    }

    /// The values of an instant query, or what is wrong with the expression.
    pub fn try_query(&self, expression: &str) -> Result<Vec<f64>, String> {
        let mut answer = ureq::get(format!("http://{}/api/v1/query", self.address))
            .query("query", expression)
            .config()
            .http_status_as_error(false)
            .build()
            .call()
            .unwrap();
        let answer: Value = serde_json::from_str(&answer.body_mut().read_to_string().unwrap()).unwrap();
        let Some(result) = answer["data"]["result"].as_array() else {
            return Err(answer["error"].to_string());
        };
        let values = result
            .iter()
            .map(|sample| sample["value"][1].as_str().unwrap().parse().unwrap());
        Ok(values.collect())
    }

    /// The values of an instant query.
    pub fn query(&self, expression: &str) -> Vec<f64> {
        self.try_query(expression).unwrap()
    }

    /// The one value of an instant query.
    pub fn value(&self, expression: &str) -> f64 {
        let values = self.query(expression);
        assert_eq!(values.len(), 1, "{expression}");
        values[0]
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
