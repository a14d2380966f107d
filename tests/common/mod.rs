//! Runs the real binary as systemd would: with a notification socket, a settings file, and, if asked, inherited sockets.

pub mod broker;
pub mod centre;
pub mod certificates;
pub mod clock;
mod fake_sys;
pub mod fleet;
mod http;
mod log;
pub mod mail;
mod manager;
pub mod meter;
pub mod process;
pub mod prometheus;
pub mod proxy;
pub mod pty;
pub mod receiver;
pub mod rules;
mod setup;
pub mod simulation;
pub mod small_disk;
pub mod stored;
pub mod story;
pub mod tree;
pub mod upstream;
pub mod victoria_metrics;

use std::fmt::Write as _;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::LazyLock;
use std::thread;
use std::time::{Duration, Instant};

use process::Process;
use tempfile::{NamedTempFile, TempDir};

pub use fake_sys::FakeSys;
pub use http::{Answer, ask, ask_from_outside, ask_on, ask_over, connect_from_outside, header, read_request};
pub use log::Log;
pub use manager::Manager;
pub use setup::Setup;

use setup::with_free_port;

/// The program that this build made. Where `EDGEWATCH_BINARY` names another, such as one of another architecture with its emulator
/// (`scripts/arm-test`), that is tested by [`binary`].
pub const OWN_BINARY: &str = env!("CARGO_BIN_EXE_edgewatch");

/// The program under test.
pub fn binary() -> &'static str {
    static OTHER: LazyLock<Option<String>> = LazyLock::new(|| std::env::var("EDGEWATCH_BINARY").ok());
    OTHER.as_deref().unwrap_or(OWN_BINARY)
}

/// The program that forwards and notifies, of the same build.
pub fn outbound_binary() -> PathBuf {
    Path::new(binary()).with_file_name("edgewatch-outbound")
}

/// Where it leaves its metrics for the service.
const OUTBOUND_METRICS: &str = "EDGEWATCH__PATHS__OUTBOUND";

/// Longer than anything takes on a busy machine; a test that needs it has failed.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// A service under test; killed when dropped.
pub struct Service {
    pub child: Child,
    /// What forwards and notifies, if the settings ask for it, as the stack has it beside the service; it writes the same log.
    pub outbound: Option<Child>,
    pub manager: Manager,
    pub log: Log,
    pub file: PathBuf,
    /// Removed with it.
    directory: TempDir,
    environment: Vec<(String, String)>,
}

impl Service {
    /// With these settings and otherwise the defaults.
    pub fn start(settings: &str) -> Self {
        Setup::new(settings).start()
    }

    fn start_outbound(&mut self) {
        let settings = std::fs::read_to_string(&self.file).unwrap();
        if !settings.contains("[forward]") && !settings.contains("[notify") {
            return;
        }
        let before = self.manager.count("READY=1");
        let mut command = Command::new(outbound_binary());
        command
            .args(["serve", "--config"])
            .arg(&self.file)
            .env("NOTIFY_SOCKET", &self.manager.path)
            .env(OUTBOUND_METRICS, self.directory.path().join("outbound.prom"))
            .env_remove("JOURNAL_STREAM")
            .envs(self.environment.iter().cloned())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        self.log.add(child.stderr.take().unwrap());
        self.outbound = Some(child);
        self.manager.wait_for_nth("READY=1", before + 1);
        // The service may have looked just before.
        self.wait_for_metric("edge_outbound_up", |up| up == Some(1.0));
    }

    /// Where it listens, as it told systemd.
    pub fn address(&self) -> SocketAddr {
        let status = self.manager.wait_for("STATUS=");
        let address = status.rsplit_once(" on ").expect("an address in STATUS").1;
        let first = address.split(" and ").next().unwrap().lines().next().unwrap();
        first.parse().expect("a TCP address")
    }

    pub fn get(&self, path: &str) -> Answer {
        self.request(&format!(
            "GET {path} HTTP/1.1\r\nHost: device\r\nConnection: close\r\n\r\n"
        ))
    }

    /// Sends `text` as it is and reads until the service closes the connection.
    pub fn request(&self, text: &str) -> Answer {
        ask(self.address(), text.as_bytes()).unwrap()
    }

    /// All that it shows to people and programs, where no secret may be: its log, its settings as it prints them, its arguments, its pages.
    pub fn everything_shown(&self) -> Vec<String> {
        let settings = ["serve", "--print-config", "--config", self.file.to_str().unwrap()];
        let (_, printed, said) = run(&settings, &[]);
        let processes = [Some(&self.child), self.outbound.as_ref()].into_iter().flatten();
        let commands = processes.map(|child| std::fs::read(format!("/proc/{}/cmdline", child.id())).unwrap());
        let commands: Vec<u8> = commands.flatten().collect();
        vec![
            self.log.text(),
            printed,
            said,
            self.get("/").text() + &self.metrics(),
            String::from_utf8_lossy(&commands).into_owned(),
        ]
    }

    pub fn metrics(&self) -> String {
        let answer = self.get("/metrics");
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.text()
    }

    /// The value of one series, such as `up{job="x"}`.
    pub fn metric(&self, series: &str) -> Option<f64> {
        value_of(&self.metrics(), series)
    }

    /// Waits until the value of the series is as wanted.
    pub fn wait_for_metric(&self, series: &str, wanted: impl Fn(Option<f64>) -> bool) {
        let mut last = None;
        let held = eventually(|| {
            last = self.metric(series);
            wanted(last)
        });
        assert!(held, "{series} stayed at {last:?}\n{}", self.log.text());
    }

    /// To the service, and to what sends beside it.
    pub fn signal(&self, name: &str) {
        for child in [Some(&self.child), self.outbound.as_ref()].into_iter().flatten() {
            signal(child.id(), name);
        }
    }

    /// Replaces the settings file as an editor does, so that it is never seen half written.
    pub fn configure(&self, settings: &str) {
        let new = self.file.with_extension("new");
        std::fs::write(&new, with_free_port(settings)).unwrap();
        std::fs::rename(new, &self.file).unwrap();
    }

    /// Has the service read new settings, and waits until they are in force.
    pub fn reload(&self, settings: &str) {
        let before = self.manager.count("READY=1");
        self.configure(settings);
        self.signal("HUP");
        let answers = 1 + usize::from(self.outbound.is_some());
        self.manager.wait_for_nth("READY=1", before + answers);
        assert_eq!(
            self.metric("edge_config_last_reload_successful"),
            Some(1.0),
            "{}",
            self.log.text()
        );
    }

    /// Waits for the process to end.
    pub fn wait(&mut self) -> ExitStatus {
        wait(&mut self.child)
    }

    /// The service by itself: dashboards are drawn by another program.
    pub fn process(&self) -> Process {
        Process { pid: self.child.id() }
    }

    /// The program that draws dashboards, which the first request for one has started.
    pub fn dashboards(&self) -> Process {
        Process::child_of(self.child.id()).expect("the program that draws dashboards does not run")
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        for child in [Some(&mut self.child), self.outbound.as_mut()].into_iter().flatten() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The value of a series in an exposition.
pub fn value_of(exposition: &str, series: &str) -> Option<f64> {
    exposition.lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then(|| value.parse().unwrap())
    })
}

/// Has promtool check an exposition. It also dislikes names that node_exporter made before the conventions, which people's
/// dashboards rely on.
pub fn assert_promtool_agrees(machine: &str, metrics: &str) {
    let mut promtool = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    promtool.stdin.take().unwrap().write_all(metrics.as_bytes()).unwrap();
    let output = promtool.wait_with_output().unwrap();
    let complaints = [output.stdout, output.stderr].concat();
    let complaints = String::from_utf8_lossy(&complaints);
    assert!(
        complaints.lines().all(|line| line.starts_with("node_")),
        "{machine}: {complaints}"
    );
}

/// Tries until it is true, or patience ends.
pub fn eventually(mut holds: impl FnMut() -> bool) -> bool {
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        if holds() {
            return true;
        }
        thread::sleep(Duration::from_millis(50));
    }
    false
}

pub fn wait(child: &mut Child) -> ExitStatus {
    let mut status = None;
    let ended = eventually(|| {
        status = child.try_wait().unwrap();
        status.is_some()
    });
    assert!(ended, "the process does not end");
    status.unwrap()
}

pub fn signal(pid: u32, name: &str) {
    let status = Command::new("kill")
        .args(["-s", name, &pid.to_string()])
        .status()
        .unwrap();
    assert!(status.success());
}

/// Says that a test cannot run here, past the harness, which keeps what a test prints; `scripts/test` counts these lines.
pub fn skip(test: &str, why: &str) {
    let mut stderr = std::fs::OpenOptions::new().append(true).open("/dev/stderr").unwrap();
    stderr
        .write_all(format!("skipped: {test}: {why}\n").as_bytes())
        .unwrap();
}

/// Exit status and standard error of `edgewatch serve ARGUMENTS` with these settings, for what ends by itself.
pub fn serve(arguments: &[&str], settings: &str) -> (ExitStatus, String) {
    serve_with(binary().as_ref(), arguments, settings)
}

/// As [`serve`], of what forwards and notifies.
pub fn serve_outbound(settings: &str) -> (ExitStatus, String) {
    serve_with(&outbound_binary(), &[], settings)
}

fn serve_with(program: &Path, arguments: &[&str], settings: &str) -> (ExitStatus, String) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), with_free_port(settings)).unwrap();
    let file = file.path().to_str().unwrap();
    let (status, _, error) = run_program(program, &[&["serve"], arguments, &["--config", file]].concat(), &[]);
    (status, error)
}

/// Runs the binary to its end.
pub fn run(arguments: &[&str], environment: &[(&str, &str)]) -> (ExitStatus, String, String) {
    run_program(binary().as_ref(), arguments, environment)
}

fn run_program(program: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> (ExitStatus, String, String) {
    let output = Command::new(program)
        .args(arguments)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status, text(&output.stdout), text(&output.stderr))
}

/// A users file, with hashes of low cost, so that tests are about something else.
pub fn users_file(entries: &[(&str, &str)]) -> NamedTempFile {
    users_file_of_cost(entries, 6)
}

/// As [`users_file`], with bcrypt's cost: each step doubles the time of a check.
pub fn users_file_of_cost(entries: &[(&str, &str)], cost: u32) -> NamedTempFile {
    let file = NamedTempFile::new().unwrap();
    let lines: Vec<String> = entries
        .iter()
        .map(|(user, password)| format!("{user}:{}\n", bcrypt::hash(password, cost).unwrap()))
        .collect();
    std::fs::write(file.path(), lines.concat()).unwrap();
    file
}

/// Settings in which every source but those named is switched off. That of what is sent is only on where something is.
pub fn only(sources: &[&str]) -> String {
    let mut settings = String::new();
    for name in edgewatch_sensors::collectors::names() {
        if !sources.contains(&name) && name != "outbound" {
            let _ = writeln!(settings, "[sources.{name}]\nenabled = false");
        }
    }
    settings
}
