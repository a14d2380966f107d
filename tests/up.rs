//! `edgewatch up` with a real Prometheus.

use crate::common;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use common::centre::Conduct;
use common::prometheus::{free_port, installed};
use common::receiver::{Kind, Receiver};
use common::{Log, binary, eventually, run, signal, value_of, wait};
use edgewatch_prometheus_client::Client;
use edgewatch_prometheus_client::prometheus::Prometheus;
use tempfile::TempDir;

const CTRL_C: &str = "INT";

/// A stack under test; killed when dropped, and its Prometheus with it.
struct Up {
    child: Child,
    answer: Log,
    log: Log,
}

impl Up {
    fn start(program: &Path, state: &Path, options: &[&str]) -> Self {
        let mut child = Command::new(binary())
            .args(["up", "--no-grafana", "--state-dir"])
            .arg(state)
            .args(["--prometheus".as_ref(), program.as_os_str()])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let answer = Log::follow(child.stdout.take().unwrap());
        let log = Log::follow(child.stderr.take().unwrap());
        Self { child, answer, log }
    }

    /// With the ports that the kernel chooses.
    fn on_free_ports(state: &Path) -> Self {
        Self::start(&program(), state, &["--port", "0", "--prometheus-port", "0"])
    }

    /// What it says about itself under that heading.
    fn told(&self, heading: &str) -> String {
        let text = self.answer.text();
        let line = text.lines().find_map(|line| line.strip_prefix(heading));
        line.unwrap_or_else(|| panic!("no {heading} in {text}"))
            .trim()
            .to_owned()
    }

    fn prometheus(&self) -> Prometheus {
        Prometheus::new(Client::new(&self.told("prometheus ")).unwrap())
    }

    /// Waits until Prometheus runs, and tells its pid.
    fn prometheus_pid(&self) -> u32 {
        self.answer.wait_for("Prometheus is ready");
        child_of(self.child.id()).expect("a Prometheus")
    }

    /// Its exit status, and what it complained of.
    fn ended(&mut self) -> (Option<i32>, String) {
        (wait(&mut self.child).code(), self.log.whole())
    }
}

impl Drop for Up {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn program() -> PathBuf {
    let first = installed().into_iter().next();
    first.expect("these tests need Prometheus: apt install prometheus")
}

fn processes() -> impl Iterator<Item = u32> {
    let entries = fs::read_dir("/proc").unwrap().flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok())
}

/// The child of a process; there is at most one here.
fn child_of(parent: u32) -> Option<u32> {
    processes().find(|pid| is_child(*pid, parent))
}

fn is_child(pid: u32, parent: u32) -> bool {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    status.contains(&format!("\nPPid:\t{parent}\n"))
}

/// False for a process that has ended, collected or not.
fn is_running(pid: u32) -> bool {
    fs::read_to_string(format!("/proc/{pid}/status")).is_ok_and(|status| status.contains("\nVmRSS:"))
}

fn refused(state: &TempDir, options: &[&str]) -> String {
    let state = state.path().to_str().unwrap();
    let (status, _, message) = run(&[&["up", "--no-grafana", "--state-dir", state], options].concat(), &[]);
    assert_eq!(status.code(), Some(1), "{message}");
    message
}

/// What the settings have sent is sent by a program beside it, from this stack's Prometheus, and ends with it.
#[test]
fn a_dead_mans_switch_is_asked_while_the_stack_runs() {
    let receiver = Receiver::start(Kind::Ping, Conduct::Take);
    let settings = tempfile::NamedTempFile::new().unwrap();
    let text = format!("[notify.ping]\nurl = \"{}/ping\"\nevery = \"10s\"\n", receiver.url());
    fs::write(settings.path(), text).unwrap();
    let state = tempfile::tempdir().unwrap();
    let config = settings.path().to_str().unwrap();
    let options = ["--port", "0", "--prometheus-port", "0", "--config", config];
    let mut up = Up::start(&program(), state.path(), &options);
    up.answer.wait_for("\nready\n");
    assert!(eventually(|| !receiver.heads().is_empty()), "{}", up.log.text());
    let service = up.told("status page ");
    let asked = || {
        let metrics = ureq::get(format!("{service}/metrics")).call().unwrap();
        let metrics = metrics.into_body().read_to_string().unwrap();
        value_of(&metrics, "edge_notify_up{receiver=\"ping\"}") == Some(1.0)
    };
    assert!(eventually(asked));
    let children: Vec<u32> = processes().filter(|pid| is_child(*pid, up.child.id())).collect();
    assert_eq!(children.len(), 2);
    signal(up.child.id(), CTRL_C);
    assert_eq!(up.ended().0, Some(0), "{}", up.log.text());
    assert!(children.into_iter().all(|pid| !is_running(pid)));
    receiver.assert_all_was_well();
}

#[test]
fn it_finds_free_ports_shows_the_target_up_leaves_nothing_behind_and_keeps_the_history() {
    // Another test, or this machine's own Prometheus, may have them already.
    let _others = [8000, 9090].map(|port| TcpListener::bind(("127.0.0.1", port)));
    let state = tempfile::tempdir().unwrap();
    let mut up = Up::start(&program(), state.path(), &[]);
    up.answer.wait_for("\nready\n");
    for port in [8000, 9090] {
        up.answer.wait_for(&format!("port {port} is taken by "));
    }
    let targets = up.prometheus().targets().unwrap();
    let service = targets.iter().find(|target| target.label("job") == "sensor").unwrap();
    assert_eq!((&*service.health, &*service.last_error), ("up", ""));
    assert_eq!(format!("http://{}", service.label("instance")), up.told("status page "));
    up.log.wait_for("up · scrapes 100.0 % of ");
    up.log.wait_for("/11 MB, prometheus ");

    let prometheus = up.prometheus_pid();
    let addresses = ["status page ", "prometheus "].map(|heading| up.told(heading));
    signal(up.child.id(), CTRL_C);
    assert_eq!(up.ended().0, Some(0), "{}", up.log.text());
    assert!(!is_running(prometheus));
    for address in addresses {
        let address: SocketAddr = address.strip_prefix("http://").unwrap().parse().unwrap();
        TcpListener::bind(address).unwrap();
    }

    let newest = installed().pop().unwrap();
    let again = Up::start(&newest, state.path(), &[]);
    again.answer.wait_for("\nready\n");
    let scrapes = again.prometheus().query("sum(count_over_time(up{job=\"sensor\"}[1h]))");
    assert!(
        scrapes.unwrap()[0].1 >= 2.0,
        "this run has had one by now, the one before at least one"
    );
}

#[test]
fn what_cannot_work_is_refused_with_the_remedy() {
    let state = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let holder = format!("(pid {})", std::process::id());
    for option in ["--port", "--prometheus-port"] {
        let message = refused(&state, &[option, &port]);
        for part in [option, &port, &holder, "choose another port"] {
            assert!(message.contains(part), "{part} in {message}");
        }
    }

    let message = refused(&state, &["--prometheus", "/nonexistent/prometheus"]);
    assert!(message.contains("not installed: apt install prometheus"), "{message}");

    let old = state.path().join("old");
    fs::write(&old, "#!/bin/sh\necho prometheus, version 2.41.0 >&2\n").unwrap();
    fs::set_permissions(&old, fs::Permissions::from_mode(0o755)).unwrap();
    let message = refused(&state, &["--prometheus", old.to_str().unwrap()]);
    assert!(message.contains("version 2.41; 2.42 or newer is needed"), "{message}");

    let settings = state.path().join("settings.toml");
    fs::write(&settings, "[auth]\nusers_file = \"/etc/users\"\n").unwrap();
    let message = refused(&state, &["--config", settings.to_str().unwrap()]);
    assert!(message.contains("auth.trust_loopback = true"), "{message}");
}

#[test]
fn a_second_one_on_the_same_state_is_refused_and_the_first_goes_on() {
    let state = tempfile::tempdir().unwrap();
    let first = Up::on_free_ports(state.path());
    let prometheus = first.prometheus_pid();
    let message = refused(&state, &["--port", "0", "--prometheus-port", "0"]);
    let expected = format!(
        "is in use by edgewatch (pid {}): stop that, or choose another --state-dir",
        first.child.id()
    );
    assert!(message.contains(&expected), "{message}");
    assert!(is_running(prometheus));
}

#[test]
fn sigterm_stops_it_even_before_it_is_ready() {
    let state = tempfile::tempdir().unwrap();
    let mut up = Up::on_free_ports(state.path());
    let prometheus = up.prometheus_pid();
    signal(up.child.id(), "TERM");
    let (code, log) = up.ended();
    assert_eq!(code, Some(0), "{log}");
    assert!(!is_running(prometheus));
}

#[test]
fn a_second_ctrl_c_kills_a_prometheus_that_does_not_stop() {
    let state = tempfile::tempdir().unwrap();
    let mut up = Up::on_free_ports(state.path());
    let prometheus = up.prometheus_pid();
    signal(prometheus, "STOP");
    signal(up.child.id(), CTRL_C);
    up.answer.wait_for("Ctrl-C again kills");
    signal(up.child.id(), CTRL_C);
    let (code, log) = up.ended();
    assert_eq!(code, Some(1), "{log}");
    assert!(eventually(|| !is_running(prometheus)));
}

#[test]
fn prometheus_goes_when_edgewatch_is_killed() {
    let state = tempfile::tempdir().unwrap();
    let mut up = Up::on_free_ports(state.path());
    let prometheus = up.prometheus_pid();
    up.child.kill().unwrap();
    assert!(eventually(|| !is_running(prometheus)));
}

#[test]
fn the_stack_ends_when_prometheus_is_killed() {
    let state = tempfile::tempdir().unwrap();
    let mut up = Up::on_free_ports(state.path());
    signal(up.prometheus_pid(), "KILL");
    let (code, log) = up.ended();
    assert_eq!(code, Some(1));
    assert!(log.contains("prometheus ended (signal: 9 (SIGKILL)"), "{log}");
}

#[test]
fn damaged_data_ends_it_with_what_prometheus_says() {
    let state = tempfile::tempdir().unwrap();
    fs::create_dir_all(state.path().join("prometheus/data/wal")).unwrap();
    fs::write(state.path().join("prometheus/data/chunks_head"), "no directory").unwrap();
    let mut up = Up::on_free_ports(state.path());
    let (code, log) = up.ended();
    assert_eq!(code, Some(1));
    assert!(
        log.contains("prometheus ended (exit status: 1)\n") && log.contains("chunks_head"),
        "{log}"
    );
}

#[test]
fn data_that_another_prometheus_uses_is_not_touched() {
    let state = tempfile::tempdir().unwrap();
    let data = state.path().join("prometheus/data");
    let mut other = Command::new(program())
        .args(["--config.file=/dev/null", "--log.level=error"])
        .arg(format!("--web.listen-address=127.0.0.1:{}", free_port()))
        .arg(format!("--storage.tsdb.path={}", data.display()))
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let began = eventually(|| data.join("wal/00000000").exists());
    let message = refused(&state, &["--port", "0", "--prometheus-port", "0"]);
    other.kill().unwrap();
    other.wait().unwrap();
    assert!(began);
    let expected = format!("is in use by prometheus (pid {}): stop that", other.id());
    assert!(message.contains(&expected), "{message}");
}
